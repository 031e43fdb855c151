/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/arm.h"
#include "azure/retry.h"
#include "util/enc.h"

#define PAGES_MAX 1000
#define CORRELATION "x-ms-correlation-request-id: "

static void arm_auto(struct chsm_arm **arm)
{
    chsm_arm_close(*arm);
}

int chsm_arm_open(const struct chsm_arm_opts *opts, struct chsm_arm **ret, struct chsm_err *err)
{
    AUTO(arm_auto) struct chsm_arm *arm = calloc(1, sizeof *arm);

    if (!arm)
        return chsm_oom(err);
    arm->poll_interval = opts->poll_interval;
    if (chsm_uuid(arm->correlation, err) < 0 || chsm_http_new(&opts->http, &arm->http, err) < 0 ||
        chsm_cloud_find(opts->cloud, arm->http, &arm->cloud, err) < 0 ||
        chsm_credential_new(opts->credential, arm->http, &arm->cloud, &arm->credential, err) < 0)
        return -1;
    *ret = TAKE(arm);
    return 0;
}

void chsm_arm_close(struct chsm_arm *arm)
{
    if (!arm)
        return;
    chsm_credential_free(arm->credential);
    chsm_cloud_done(&arm->cloud);
    chsm_http_free(arm->http);
    free(arm);
}

/* The one place that decides where a token may go: this cloud's resource manager and its regional front ends. */
static int target(const struct chsm_arm *arm, const char *path, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *url = *path == '/' ? chsm_strf("%s%s", arm->cloud.resource_manager, path) : strdup(path);
    AUTO_FREE char *origin = NULL;

    if (!url)
        return chsm_oom(err);
    if (!chsm_url_within(url, arm->cloud.resource_manager)) {
        origin = chsm_url_origin(url);
        (void)chsm_fail(err, CHSM_SERVICE, "the service named an address outside %s (%s); nothing was sent there",
                        arm->cloud.resource_manager, origin ? origin : "no usable address");
        return chsm_err_hint(err, "something between here and Azure may be rewriting answers: check the proxy and the cloud");
    }
    *ret = TAKE(url);
    return 0;
}

static int exchange(struct chsm_arm *arm, struct chsm_request *rq, bool fresh, struct chsm_response *r, struct chsm_err *err)
{
    if (chsm_credential_token(arm->credential, arm->cloud.arm_resource, fresh, &rq->bearer, err) < 0)
        return -1;
    return chsm_http_do(arm->http, rq, r, err);
}

/* A time-out of one exchange is the service's failure; only the caller's own deadline is CHSM_DEADLINE. */
static void blame(chsm_deadline deadline, struct chsm_err *err)
{
    if (err->code == CHSM_DEADLINE && chsm_deadline_left(deadline) > 0)
        err->code = CHSM_SERVICE;
}

/* Waits before the next try. -1: no further try; *err then says what ended it, on top of the failure that it holds. */
static int pause_before(const struct chsm_attempt *a, chsm_deadline deadline, struct chsm_err *err)
{
    struct chsm_err why = { 0 };

    if (chsm_retry_wait(a->tries, a->retry_after, deadline, &why) == 0)
        return 0;
    if (why.code != CHSM_DEADLINE) {
        *err = why;
        return -1;
    }
    err->code = CHSM_DEADLINE;
    return chsm_err_prefix(err, "%s", why.text);
}

/* Repeats the request as far as its class allows. 0: 2xx. */
static int send_until(struct chsm_arm *arm, struct chsm_request *rq, enum chsm_repeat repeat, chsm_deadline deadline,
                      struct chsm_response *r, struct chsm_err *err)
{
    struct chsm_attempt a = { .repeat = repeat };
    struct chsm_err before;
    bool fresh = false;
    int rc;

    for (;;) {
        before = *err;
        chsm_response_done(r);
        rc = exchange(arm, rq, fresh, r, err);
        if (rc < 0 && !rq->bearer) {            /* no token */
            if (fresh)
                (void)chsm_err_prefix(err, "HTTP 401 %s", before.service_code);
            return -1;
        }
        if (rc == 0 && r->status >= 200 && r->status < 300)
            return 0;
        if (rc == 0)
            (void)chsm_arm_error(r, rq->method, rq->url, err);
        else
            blame(deadline, err);
        a.tries++;
        a.status = r->status;
        a.retry_after = r->retry_after;
        a.sent = r->sent;
        a.hopeless = r->hopeless;
        a.code = err->code;
        rq->bearer = NULL;
        switch (chsm_retry_decide(&a)) {
        case CHSM_RETRY_STOP:
            return -1;
        case CHSM_RETRY_TOKEN:
            fresh = a.renewed = true;
            break;
        case CHSM_RETRY_AGAIN:
            fresh = false;
            if (pause_before(&a, deadline, err) < 0)
                return -1;
            break;
        }
    }
}

static int send_all(struct chsm_arm *arm, struct chsm_request *rq, const json_t *body, enum chsm_repeat repeat,
                    chsm_deadline deadline, struct chsm_response *r, struct chsm_err *err)
{
    char correlation[sizeof CORRELATION + 36];
    const char *const headers[] = { "Accept: application/json", correlation, NULL };
    AUTO_FREE char *payload = body ? json_dumps(body, JSON_COMPACT) : NULL;
    chsm_deadline before;
    int rc;

    if (body && !payload)
        return chsm_oom(err);
    (void)snprintf(correlation, sizeof correlation, CORRELATION "%s", arm->correlation);
    rq->headers = headers;
    rq->body = payload;
    rq->body_len = payload ? strlen(payload) : 0;
    rq->content_type = payload ? "application/json" : NULL;
    before = chsm_http_limit(arm->http, deadline);
    rc = send_until(arm, rq, repeat, deadline, r, err);
    (void)chsm_http_limit(arm->http, before);
    rq->headers = NULL;
    rq->body = NULL;
    return rc;
}

int chsm_arm_do(struct chsm_arm *arm, const char *method, const char *path, const json_t *body, enum chsm_repeat repeat,
                chsm_deadline deadline, struct chsm_response *response, json_t **ret_json, struct chsm_err *err)
{
    struct chsm_err held = { 0 };
    struct chsm_request rq = { .method = method };
    AUTO_FREE char *url = NULL;
    json_t *json = NULL;
    int rc;

    *response = (struct chsm_response){ .retry_after = -1 };
    rc = target(arm, path, &url, &held);
    response->hopeless = rc < 0;
    if (rc == 0) {
        rq.url = url;
        rc = send_all(arm, &rq, body, repeat, deadline, response, &held);
    }
    if (rc == 0 && ret_json && response->body.len > 0) {
        rc = chsm_json_parse(chsm_buf_str(&response->body), response->body.len, "the answer", CHSM_SERVICE, &json, &held);
        if (rc < 0) {
            held.http = response->status;
            (void)chsm_err_prefix(&held, "%s %.*s: HTTP %ld", method, (int)strcspn(url, "?"), url, response->status);
        }
    }
    if (rc == 0 && ret_json)
        *ret_json = json;
    if (rc < 0 && err)
        *err = held;
    return rc;
}

static int add_page(json_t *all, const json_t *page, struct chsm_err *err)
{
    json_t *value = json_object_get(page, "value");

    if (!json_is_array(value))
        return chsm_fail(err, CHSM_SERVICE, "the answer is no list");
    return json_array_extend(all, value) < 0 ? chsm_oom(err) : 0;
}

int chsm_arm_list(struct chsm_arm *arm, const char *path, chsm_deadline deadline, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *next = strdup(path);
    json_auto_t *all = json_array();

    if (!all || !next)
        return chsm_oom(err);
    for (unsigned pages = 0; pages < PAGES_MAX; pages++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        json_auto_t *page = NULL;
        const char *link;

        if (chsm_arm_do(arm, "GET", next, NULL, CHSM_REPEAT_SAFE, deadline, &r, &page, err) < 0 || add_page(all, page, err) < 0)
            return -1;
        link = chsm_json_str(page, "nextLink");
        if (!link || !*link) {
            *ret = TAKE(all);
            return 0;
        }
        free(next);
        next = strdup(link);
        if (!next)
            return chsm_oom(err);
    }
    return chsm_fail(err, CHSM_SERVICE, "the list does not end: more than %d pages", PAGES_MAX);
}

bool chsm_arm_id_eq(const char *a, const char *b)
{
    size_t na = a ? strlen(a) : 0, nb = b ? strlen(b) : 0;

    while (na > 0 && a[na - 1] == '/')
        na--;
    while (nb > 0 && b[nb - 1] == '/')
        nb--;
    return na > 0 && na == nb && strncasecmp(a, b, na) == 0;
}
