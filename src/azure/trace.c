/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "azure/trace.h"
#include "util/log.h"
#include "util/path.h"

#define LOG_BODY_MAX 4000

struct chsm_trace {
    int fd;                 /* -1: no file */
    char *file;
    unsigned long count;    /* exchanges so far */
};

bool chsm_trace_on(const struct chsm_trace *t)
{
    return t->fd >= 0 || chsm_log_on(CHSM_LOG_DEBUG);
}

static void write_line(struct chsm_trace *t, const json_t *event)
{
    AUTO_FREE char *text = json_dumps(event, JSON_COMPACT);
    AUTO_FREE char *line = text ? chsm_strf("%s\n", text) : NULL;
    struct chsm_err err;

    if (!line)
        (void)chsm_oom(&err);
    else if (chsm_fd_write(t->fd, line, strlen(line), &err) == 0)
        return;
    /* The work goes on: a record that ends early is worth less than what is being recorded. */
    chsm_log(CHSM_LOG_WARN, "%s: %s; the record ends here", t->file, err.text);
    (void)close(t->fd);
    t->fd = -1;
}

static void log_body(const char *sign, const json_t *body)
{
    const char *plain = json_string_value(body);
    AUTO_FREE char *text = plain ? strdup(plain) : json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);

    if (!text)
        return;
    if (strlen(text) > LOG_BODY_MAX)
        chsm_log(CHSM_LOG_DEBUG, "%s %.*s... (%zu bytes)", sign, LOG_BODY_MAX, text, strlen(text));
    else
        chsm_log(CHSM_LOG_DEBUG, "%s %s", sign, text);
}

static void log_event(const char *sign, const char *first, const json_t *event)
{
    const json_t *body = json_object_get(event, "body"), *each;
    size_t i;

    if (!chsm_log_on(CHSM_LOG_DEBUG))
        return;
    chsm_log(CHSM_LOG_DEBUG, "%s %s", sign, first);
    json_array_foreach(json_object_get(event, "headers"), i, each)
        chsm_log(CHSM_LOG_DEBUG, "%s %s", sign, json_string_value(each));
    if (body)
        log_body(sign, body);
}

/* {"time": ..., "event": ..., "exchange": N}; NULL when out of memory, as is everything that is put into it. */
static json_t *event_new(const struct chsm_trace *t, const char *name)
{
    char now[CHSM_TIME_LEN];

    chsm_time_format(chsm_now(), /* ms= */ true, now);
    return json_pack("{s:s, s:s, s:I}", "time", now, "event", name, "exchange", (json_int_t)t->count);
}

static void add(json_t *event, const char *key, json_t *value)
{
    if (json_object_set_new(event, key, value) < 0)
        chsm_log(CHSM_LOG_WARN, "a part of an exchange could not be recorded: %s", key);
}

static json_t *request_headers(const struct curl_slist *l)
{
    json_t *list = json_array();

    for (; l; l = l->next)
        if (!(strchr(l->data, ':') && strchr(l->data, ':')[1] == '\0'))      /* "Name:" keeps libcurl from sending one */
            (void)json_array_append_new(list, chsm_trace_header(l->data, strlen(l->data)));
    return list;
}

static json_t *answer_headers(const struct chsm_buf *lines)
{
    const char *p = chsm_buf_str(lines);
    json_t *list = json_array();

    for (size_t n; *p; p += n) {
        n = strcspn(p, "\n");
        n += p[n] == '\n';
        if (memchr(p, ':', n))
            (void)json_array_append_new(list, chsm_trace_header(p, n));
    }
    return list;
}

void chsm_trace_request(struct chsm_trace *t, const struct chsm_exchange *x)
{
    AUTO_FREE char *url = chsm_redact_url(x->rq->url);
    AUTO_FREE char *first = url ? chsm_strf("%s %s", x->rq->method, url) : NULL;
    json_auto_t *event = NULL;

    t->count++;
    event = event_new(t, "request");
    if (!event || !first)
        return;
    add(event, "method", json_string(x->rq->method));
    add(event, "url", json_string(url));
    add(event, "headers", request_headers(x->headers));
    if (x->rq->body_len > 0)
        add(event, "body", chsm_trace_body(x->rq->content_type, x->rq->body, x->rq->body_len, /* secret= */ false));
    log_event(">", first, event);
    if (t->fd >= 0)
        write_line(t, event);
}

/* "HTTP/2", and whether it came over a connection that was there before. */
static void add_transport(json_t *event, CURL *c)
{
    long version = 0, connects = 0;

    (void)curl_easy_getinfo(c, CURLINFO_HTTP_VERSION, &version);
    (void)curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &connects);
    add(event, "http", json_string(version == CURL_HTTP_VERSION_2_0 ? "2" : version == CURL_HTTP_VERSION_1_0 ? "1.0" : "1.1"));
    add(event, "connection", json_string(connects > 0 ? "new" : "kept"));
}

void chsm_trace_answer(struct chsm_trace *t, const struct chsm_exchange *x, int64_t ms, const char *failure)
{
    const struct chsm_response *r = x->response;
    AUTO_FREE char *first = NULL;
    json_auto_t *event = event_new(t, failure ? "failure" : "answer");

    if (!event)
        return;
    add(event, "ms", json_integer((json_int_t)ms));
    if (failure) {
        add(event, "failure", json_string(failure));
        add(event, "sent", json_boolean(r->sent));
        first = chsm_strf("%s (%lld ms)", failure, (long long)ms);
    } else {
        add_transport(event, x->http->curl);
        add(event, "status", json_integer(r->status));
        add(event, "headers", answer_headers(&x->lines));
        if (r->body.len > 0)
            add(event, "body", chsm_trace_body(r->content_type, r->body.p, r->body.len, x->rq->body_secret));
        first = chsm_strf("HTTP/%s %ld (%lld ms, %s connection)", chsm_json_str(event, "http"), r->status, (long long)ms,
                          chsm_json_str(event, "connection"));
    }
    if (first)
        log_event("<", first, event);
    if (t->fd >= 0)
        write_line(t, event);
}

static int open_file(struct chsm_trace *t, const char *file, struct chsm_err *err)
{
    t->file = strdup(file);
    if (!t->file)
        return chsm_oom(err);
    t->fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (t->fd >= 0)
        return 0;
    if (errno != EEXIST)
        return chsm_fail_errno(err, CHSM_CONFIG, "--record %s", file);
    (void)chsm_fail(err, CHSM_CONFIG, "--record %s: there is such a file already", file);
    return chsm_err_hint(err, "name a file that does not exist yet; records are never overwritten");
}

static void trace_auto(struct chsm_trace **t)
{
    chsm_trace_close(*t);
}

int chsm_trace_open(const char *file, const char *correlation, struct chsm_trace **ret, struct chsm_err *err)
{
    AUTO(trace_auto) struct chsm_trace *t = calloc(1, sizeof *t);
    json_auto_t *event = NULL;

    if (!t)
        return chsm_oom(err);
    t->fd = -1;
    if (file) {
        if (open_file(t, file, err) < 0)
            return -1;
        event = event_new(t, "start");
        if (!event)
            return chsm_oom(err);
        add(event, "program", json_string("chsmctl " PACKAGE_VERSION));
        add(event, "libraries", json_string(curl_version()));
        add(event, "correlation", json_string(correlation));
        write_line(t, event);
    }
    *ret = TAKE(t);
    return 0;
}

void chsm_trace_close(struct chsm_trace *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        (void)close(t->fd);
    free(t->file);
    free(t);
}
