/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/http_headers.h"
#include "azure/trace.h"
#include "util/log.h"

void chsm_response_done(struct chsm_response *r)
{
    chsm_headers_forget(r);
    chsm_buf_done(&r->body);
    *r = (struct chsm_response){ .retry_after = -1 };
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct chsm_exchange *x = ctx;

    n *= size;
    if (n >= 5 && strncasecmp(p, "HTTP/", 5) == 0) {
        chsm_headers_forget(x->response);
        x->header_bytes = 0;
        x->packed = false;
        x->in_headers = true;
        chsm_buf_clear(&x->lines);
    }
    x->header_bytes += n;
    if (x->header_bytes > CHSM_HTTP_HEADERS_MAX)
        x->stopped = chsm_fail(&x->why, CHSM_SERVICE, "the headers of the answer are larger than %u bytes",
                               CHSM_HTTP_HEADERS_MAX) < 0;
    else if (x->in_headers && (chsm_headers_take(x->response, p, n, &x->why) < 0 ||
                               (chsm_trace_on(x->http->trace) && chsm_buf_add(&x->lines, p, n, &x->why) < 0)))
        x->stopped = true;
    if (n > 17 && strncasecmp(p, "Content-Encoding:", 17) == 0)
        x->packed = true;
    if (n <= 2)
        x->in_headers = false;
    return x->stopped ? 0 : n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct chsm_exchange *x = ctx;

    n *= size;
    if (chsm_buf_add(&x->response->body, p, n, &x->why) < 0) {
        x->stopped = true;
        (void)chsm_err_prefix(&x->why, "the body of the answer");
        return CURL_WRITEFUNC_ERROR;
    }
    return n;
}

static int on_progress(void *ctx, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
    const struct chsm_exchange *x = ctx;

    (void)dt, (void)dn, (void)ut, (void)un;
    return chsm_interrupted() && !x->rq->to_the_end;
}

/* One line for an exchange with --verbose, all of it for the wire log and the record. */
static void report(const struct chsm_exchange *x, const char *url, int64_t ms, const char *failure)
{
    const struct chsm_response *r = x->response;

    if (failure)
        chsm_log(CHSM_LOG_INFO, "%s %s: %s (%lld ms)", x->rq->method, url, failure, (long long)ms);
    else
        chsm_log(CHSM_LOG_INFO, "%s %s: %ld (%lld ms, request id %s)", x->rq->method, url, r->status, (long long)ms,
                 r->request_id ? r->request_id : "none");
    if (chsm_trace_on(x->http->trace))
        chsm_trace_answer(x->http->trace, x, ms, failure);
}

#define SET(option, value) ((void)(code = code ? code : curl_easy_setopt(c, (option), (value))))

static CURLcode perform(struct chsm_exchange *x)
{
    CURL *c = x->http->curl;
    CURLcode code;

    curl_easy_reset(c);
    code = chsm_http_setup(x);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, x);
    SET(CURLOPT_NOPROGRESS, 0L);
    return code == CURLE_OK ? curl_easy_perform(c) : CURLE_URL_MALFORMAT;
}

/* libcurl takes the end of a compressed stream for granted: a body that was cut down to nothing must not pass for none. */
static CURLcode check_packed(struct chsm_exchange *x, CURLcode code)
{
    curl_off_t received = 0;

    if (code != CURLE_OK || !x->packed || x->response->body.len > 0)
        return code;
    if (curl_easy_getinfo(x->http->curl, CURLINFO_SIZE_DOWNLOAD_T, &received) != CURLE_OK || received == 0)
        return code;
    return CURLE_PARTIAL_FILE;
}

static int exchange(struct chsm_exchange *x, const char *shown, struct chsm_err *err)
{
    struct chsm_response *r = x->response;
    struct chsm_err why = { 0 };
    int64_t began = chsm_mono();
    CURLcode code;

    if (chsm_trace_on(x->http->trace))
        chsm_trace_request(x->http->trace, x);
    code = check_packed(x, perform(x));
    if (code == CURLE_OK) {
        r->sent = true;
        (void)curl_easy_getinfo(x->http->curl, CURLINFO_RESPONSE_CODE, &r->status);
        report(x, shown, chsm_mono() - began, NULL);
        return 0;
    }
    (void)chsm_http_failed(x, code, &why);
    report(x, shown, chsm_mono() - began, why.text);
    if (err)
        *err = why;
    return chsm_err_prefix(err, "%s %s", x->rq->method, shown);
}

int chsm_http_do(struct chsm_http *h, const struct chsm_request *rq, struct chsm_response *ret, struct chsm_err *err)
{
    struct chsm_exchange x = { .http = h, .rq = rq, .response = ret, .lines = CHSM_BUF_SECRET(CHSM_HTTP_HEADERS_MAX) };
    AUTO_FREE char *origin = chsm_url_origin(rq->url);
    AUTO_FREE char *shown = chsm_redact_url(rq->url);
    int rc;

    *ret = (struct chsm_response){ .retry_after = -1,
                                   .body = { .max = CHSM_HTTP_BODY_MAX, .secret = rq->body_secret } };
    if (!shown)
        return chsm_oom(err);
    if (!origin || (rq->bearer && strncmp(origin, "https://", 8) != 0)) {
        ret->hopeless = true;
        return chsm_fail(err, CHSM_SERVICE, "%s %s: not an address that may be called", rq->method, shown);
    }
    if (chsm_interrupted())
        return chsm_fail(err, CHSM_INTERRUPTED, "%s %s: interrupted before it was sent", rq->method, shown);
    if (chsm_deadline_left(h->limit) == 0)
        return chsm_fail(err, CHSM_DEADLINE, "%s %s: the deadline passed before it was sent", rq->method, shown);
    x.headers = chsm_headers_build(rq, err);
    if (!x.headers) {
        ret->hopeless = true;
        return -1;
    }
    rc = exchange(&x, shown, err);
    chsm_headers_free(x.headers);
    chsm_buf_done(&x.lines);
    return rc;
}
