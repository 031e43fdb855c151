/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "sim/http.h"

const char *sim_service_name(enum sim_service service)
{
    static const char *const names[SIM_SERVICES] = { "arm", "login", "imds", "blob" };

    return names[service];
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes n bytes of percent-encoded text; a blank is written "+" in forms and queries only. */
static char *decode(const char *text, size_t n, bool plus, struct chsm_err *err)
{
    char *out = malloc(n + 1);
    size_t len = 0;

    if (!out) {
        (void)chsm_oom(err);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        int high = 0, low = 0;

        if (text[i] != '%') {
            out[len++] = plus && text[i] == '+' ? ' ' : text[i];
            continue;
        }
        if (i + 2 >= n || (high = hex_digit(text[i + 1])) < 0 || (low = hex_digit(text[i + 2])) < 0 || (high == 0 && low == 0)) {
            free(out);
            (void)chsm_fail(err, CHSM_SERVICE, "malformed percent-encoding in the request");
            return NULL;
        }
        out[len++] = (char)(high * 16 + low);
        i += 2;
    }
    out[len] = '\0';
    return out;
}

static int add_pair(struct sim_pair *pairs, size_t *count, char *name, char *value, struct chsm_err *err)
{
    if (!name || !value || *count == SIM_PAIRS) {
        free(name);
        free(value);
        return name && value ? chsm_fail(err, CHSM_SERVICE, "too many parameters or headers in the request") : -1;
    }
    pairs[(*count)++] = (struct sim_pair){ name, value };
    return 0;
}

static int split_pairs(const char *text, struct sim_pair *pairs, size_t *count, struct chsm_err *err)
{
    while (*text) {
        size_t all = strcspn(text, "&"), name = strcspn(text, "=&");

        if (all > 0) {
            const char *value = name < all ? text + name + 1 : text + all;
            char *n = decode(text, name, true, err), *v = decode(value, (size_t)(text + all - value), true, err);

            if (add_pair(pairs, count, n, v, err) < 0)
                return -1;
        }
        text += all + (text[all] == '&');
    }
    return 0;
}

static int split_path(struct sim_request *rq, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf path = CHSM_BUF(SIM_BODY_MAX);
    const char *p = rq->target, *end = p + strcspn(p, "?");

    while (p < end) {
        size_t n = strcspn(p, "/?");

        if (n > 0) {
            if (rq->segs == SIM_SEGMENTS)
                return chsm_fail(err, CHSM_SERVICE, "too many parts in the request's path");
            rq->seg[rq->segs] = decode(p, n, false, err);
            if (!rq->seg[rq->segs] || chsm_buf_addf(&path, err, "/%s", rq->seg[rq->segs++]) < 0)
                return -1;
        }
        p += n + (p + n < end);
    }
    if (rq->segs == 0 && chsm_buf_adds(&path, "/", err) < 0)
        return -1;
    rq->path = chsm_buf_take(&path);
    return rq->path ? 0 : chsm_oom(err);
}

int sim_request_init(struct sim_request *rq, enum sim_service service, const char *method, const char *target, struct chsm_err *err)
{
    const char *query = strchr(target, '?');

    *rq = (struct sim_request){ .service = service, .body = CHSM_BUF_SECRET(SIM_BODY_MAX) };
    rq->method = strdup(method);
    rq->target = strdup(target);
    if (!rq->method || !rq->target)
        return chsm_oom(err);
    if (split_path(rq, err) < 0)
        return -1;
    return query ? split_pairs(query + 1, rq->query, &rq->queries, err) : 0;
}

int sim_request_header(struct sim_request *rq, const char *name, const char *value, struct chsm_err *err)
{
    char *n = strdup(name), *v = strdup(value);

    if (!n || !v)
        (void)chsm_oom(err);
    return add_pair(rq->header, &rq->headers, n, v, err);
}

static void free_pairs(struct sim_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
}

void sim_request_done(struct sim_request *rq)
{
    free(rq->method);
    free(rq->target);
    free(rq->path);
    for (size_t i = 0; i < rq->segs; i++)
        free(rq->seg[i]);
    free_pairs(rq->query, rq->queries);
    free_pairs(rq->header, rq->headers);
    chsm_buf_done(&rq->body);
    *rq = (struct sim_request){ 0 };
}

static const char *find_pair(const struct sim_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

const char *sim_query(const struct sim_request *rq, const char *name)
{
    return find_pair(rq->query, rq->queries, name);
}

const char *sim_header(const struct sim_request *rq, const char *name)
{
    return find_pair(rq->header, rq->headers, name);
}

int sim_form_parse(const char *text, json_t **ret, struct chsm_err *err)
{
    struct sim_pair pairs[SIM_PAIRS];
    size_t count = 0;
    json_t *object = json_object();
    int rc = object ? split_pairs(text, pairs, &count, err) : chsm_oom(err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (json_object_set_new(object, pairs[i].name, json_string(pairs[i].value)) < 0)
            rc = chsm_fail(err, CHSM_SERVICE, "the form is not UTF-8");
    free_pairs(pairs, count);
    if (rc < 0) {
        json_decref(object);
        return -1;
    }
    *ret = object;
    return 0;
}

void sim_answer_empty(struct sim_answer *an, unsigned status)
{
    free(an->body);
    an->body = NULL;
    an->len = 0;
    an->type = NULL;
    an->status = status;
}

int sim_answer_json(struct sim_answer *an, unsigned status, json_t *body, struct chsm_err *err)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    if (!text)
        return chsm_oom(err);
    sim_answer_empty(an, status);
    an->type = "application/json; charset=utf-8";
    an->body = text;
    an->len = strlen(text);
    return 0;
}

int sim_answer_text(struct sim_answer *an, unsigned status, const char *type, const char *body, struct chsm_err *err)
{
    char *text = strdup(body);

    if (!text)
        return chsm_oom(err);
    sim_answer_empty(an, status);
    an->type = type;
    an->body = text;
    an->len = strlen(text);
    return 0;
}

int sim_answer_header(struct sim_answer *an, struct chsm_err *err, const char *name, const char *fmt, ...)
{
    struct sim_pair *header = &an->header[an->headers];
    va_list ap;
    int rc;

    assert(an->headers < ARRAY_LEN(an->header));
    va_start(ap, fmt);
    rc = vasprintf(&header->value, fmt, ap);
    va_end(ap);
    if (rc < 0)
        return chsm_oom(err);
    header->name = strdup(name);
    if (!header->name) {
        free(header->value);
        return chsm_oom(err);
    }
    an->headers++;
    return 0;
}

void sim_answer_done(struct sim_answer *an)
{
    free(an->body);
    free_pairs(an->header, an->headers);
    *an = (struct sim_answer){ 0 };
}
