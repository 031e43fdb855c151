/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/http_headers.h"
#include "util/log.h"

#define EXCHANGE_MS 100000
#define CONNECT_MS 30000

struct chsm_http {
    CURL *curl;
    char *ca_file, *ca_dir;     /* NULL: what libcurl was built with */
    char *user_agent;
    int64_t timeout;
    chsm_deadline limit;
};

struct exchange {               /* what the callbacks share */
    struct chsm_response *response;
    size_t header_bytes;
    bool in_headers;            /* trailers after the body are not headers */
    bool stopped;               /* a callback ended it; `why` says why */
    struct chsm_err why;
};

static const char *env(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

static int copy(const char *s, char **ret, struct chsm_err *err)
{
    if (!s)
        return 0;
    *ret = strdup(s);
    return *ret ? 0 : chsm_oom(err);
}

static void http_auto(struct chsm_http **h)
{
    chsm_http_free(*h);
}

int chsm_http_new(const struct chsm_http_opts *opts, struct chsm_http **ret, struct chsm_err *err)
{
    AUTO(http_auto) struct chsm_http *h = calloc(1, sizeof *h);
    const char *ca = opts->ca_file ? opts->ca_file : env("SSL_CERT_FILE");

    if (!h)
        return chsm_oom(err);
    if (ca && access(ca, R_OK) != 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "CA certificates %s", ca);
    if (copy(ca, &h->ca_file, err) < 0 || copy(env("SSL_CERT_DIR"), &h->ca_dir, err) < 0 ||
        copy(opts->user_agent ? opts->user_agent : "chsmctl/" PACKAGE_VERSION, &h->user_agent, err) < 0)
        return -1;
    h->timeout = opts->timeout > 0 ? opts->timeout : EXCHANGE_MS;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return chsm_fail(err, CHSM_SERVICE, "libcurl does not start");
    h->curl = curl_easy_init();
    if (!h->curl)
        return chsm_oom(err);
    *ret = TAKE(h);
    return 0;
}

void chsm_http_free(struct chsm_http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    free(h->ca_file);
    free(h->ca_dir);
    free(h->user_agent);
    free(h);
}

chsm_deadline chsm_http_limit(struct chsm_http *h, chsm_deadline limit)
{
    chsm_deadline before = h->limit;

    h->limit = limit;
    return before;
}

chsm_deadline chsm_http_limited(const struct chsm_http *h)
{
    return h->limit;
}

void chsm_response_done(struct chsm_response *r)
{
    chsm_headers_forget(r);
    chsm_buf_done(&r->body);
    *r = (struct chsm_response){ .retry_after = -1 };
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;

    n *= size;
    if (n >= 5 && strncasecmp(p, "HTTP/", 5) == 0) {
        chsm_headers_forget(x->response);
        x->header_bytes = 0;
        x->in_headers = true;
    }
    x->header_bytes += n;
    if (x->header_bytes > CHSM_HTTP_HEADERS_MAX)
        x->stopped = chsm_fail(&x->why, CHSM_SERVICE, "the headers of the answer are larger than %u bytes",
                               CHSM_HTTP_HEADERS_MAX) < 0;
    else if (x->in_headers && chsm_headers_take(x->response, p, n, &x->why) < 0)
        x->stopped = true;
    if (n <= 2)
        x->in_headers = false;
    return x->stopped ? 0 : n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;

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
    (void)ctx, (void)dt, (void)dn, (void)ut, (void)un;
    return chsm_interrupted();
}

/* Loopback addresses are never asked for through a proxy: it would be the proxy's own loopback. */
static bool loopback(const char *url)
{
    AUTO_FREE char *origin = chsm_url_origin(url);
    const char *host;

    if (!origin)
        return false;
    host = strstr(origin, "://") + 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (strncmp(host, "localhost", 9) == 0 && (host[9] == ':' || host[9] == '\0'));
}

#define SET(option, value) ((void)(bad = bad ? bad : curl_easy_setopt(c, (option), (value))))

static CURLcode set_transport(const struct chsm_http *h, const struct chsm_request *rq)
{
    CURLcode bad = CURLE_OK;
    CURL *c = h->curl;

    SET(CURLOPT_URL, rq->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, rq->plain_ok ? "http,https" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    if (h->ca_file || h->ca_dir) {
        SET(CURLOPT_CAINFO, h->ca_file);
        SET(CURLOPT_CAPATH, h->ca_dir);
    }
    if (rq->plain_ok || loopback(rq->url))
        SET(CURLOPT_PROXY, "");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_USERAGENT, h->user_agent);
    return bad;
}

/*
 * When a kept connection dies before the first byte of an answer, libcurl sends the request again on a new one, POSTs
 * too. The server may have acted on the first copy, so only GET may use a kept connection.
 */
static CURLcode set_method(const struct chsm_http *h, const struct chsm_request *rq)
{
    bool get = strcmp(rq->method, "GET") == 0;
    CURLcode bad = CURLE_OK;
    CURL *c = h->curl;

    SET(CURLOPT_FRESH_CONNECT, get ? 0L : 1L);
    if (rq->body || strcmp(rq->method, "POST") == 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(rq->body ? rq->body_len : 0));
        SET(CURLOPT_POSTFIELDS, rq->body ? rq->body : "");
    }
    if (!get)
        SET(CURLOPT_CUSTOMREQUEST, rq->method);
    return bad;
}

static CURLcode set_callbacks(const struct chsm_http *h, struct exchange *x, struct curl_slist *headers, char *text)
{
    CURLcode bad = CURLE_OK;
    CURL *c = h->curl;

    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_ERRORBUFFER, text);
    return bad;
}

/*
 * Whether the server may have seen the request. Before the handshake is through it cannot have; after a time-out or an
 * interruption the count of bytes handed to the connection tells; every doubt counts as sent.
 */
static bool was_sent(CURL *c, CURLcode code)
{
    long bytes = 0;

    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
        return false;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_ABORTED_BY_CALLBACK:
        return curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &bytes) != CURLE_OK || bytes > 0;
    default:
        return true;
    }
}

static bool is_hopeless(const struct exchange *x, CURLcode code)
{
    return x->stopped || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
           code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
}

static int transport_error(const struct exchange *x, CURLcode code, const char *text, struct chsm_err *err)
{
    if (x->stopped) {
        if (err)
            *err = x->why;
        return -1;
    }
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
    case CURLE_OPERATION_TIMEDOUT:
        return chsm_fail(err, CHSM_DEADLINE, "no complete answer in time (%s)", *text ? text : curl_easy_strerror(code));
    case CURLE_PARTIAL_FILE:
        return chsm_fail(err, CHSM_SERVICE, "the answer was cut off (%s)", *text ? text : curl_easy_strerror(code));
    case CURLE_PEER_FAILED_VERIFICATION:
        (void)chsm_fail(err, CHSM_SERVICE, "the server's certificate is not trusted (%s)", text);
        return chsm_err_hint(err, "when this server is meant, name its CA's certificate file in SSL_CERT_FILE");
    case CURLE_UNSUPPORTED_PROTOCOL:
        return chsm_fail(err, CHSM_SERVICE, "only https is allowed here");
    default:
        return chsm_fail(err, CHSM_SERVICE, "%s", *text ? text : curl_easy_strerror(code));
    }
}

static void trace(const struct chsm_request *rq, const char *url, const struct chsm_response *r, int64_t began,
                  const char *failure)
{
    long long ms = (long long)(chsm_mono() - began);

    if (failure)
        chsm_log(CHSM_LOG_DEBUG, "%s %s: %s (%lld ms)", rq->method, url, failure, ms);
    else
        chsm_log(CHSM_LOG_DEBUG, "%s %s: %ld (%lld ms, request id %s)", rq->method, url, r->status, ms,
                 r->request_id ? r->request_id : "none");
}

static CURLcode perform(struct chsm_http *h, const struct chsm_request *rq, struct exchange *x, struct curl_slist *headers,
                        char *text)
{
    int64_t left = chsm_deadline_left(h->limit);
    CURLcode code;

    curl_easy_reset(h->curl);
    code = set_transport(h, rq);
    if (code == CURLE_OK)
        code = set_method(h, rq);
    if (code == CURLE_OK)
        code = set_callbacks(h, x, headers, text);
    if (code == CURLE_OK)
        code = curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, (long)(left < h->timeout ? left : h->timeout));
    return code == CURLE_OK ? curl_easy_perform(h->curl) : CURLE_URL_MALFORMAT;
}

int chsm_http_do(struct chsm_http *h, const struct chsm_request *rq, struct chsm_response *ret, struct chsm_err *err)
{
    struct exchange x = { .response = ret };
    char text[CURL_ERROR_SIZE] = "";
    AUTO_FREE char *origin = chsm_url_origin(rq->url);
    AUTO_FREE char *shown = chsm_redact_url(rq->url);
    struct curl_slist *headers;
    int64_t began = chsm_mono();
    CURLcode code;

    *ret = (struct chsm_response){ .retry_after = -1,
                                   .body = { .max = CHSM_HTTP_BODY_MAX, .secret = rq->body_secret } };
    if (!shown)
        return chsm_oom(err);
    if (!origin || (rq->bearer && strncmp(origin, "https://", 8) != 0)) {
        ret->hopeless = true;
        return chsm_fail(err, CHSM_SERVICE, "%s %s: not an address that may be called", rq->method, shown);
    }
    if (chsm_deadline_left(h->limit) == 0)
        return chsm_fail(err, CHSM_DEADLINE, "%s %s: the deadline passed before it was sent", rq->method, shown);
    headers = chsm_headers_build(rq, err);
    if (!headers) {
        ret->hopeless = true;
        return -1;
    }
    code = perform(h, rq, &x, headers, text);
    chsm_headers_free(headers);
    if (code != CURLE_OK) {
        ret->sent = was_sent(h->curl, code);
        ret->hopeless = is_hopeless(&x, code);
        (void)transport_error(&x, code, text, err);
        trace(rq, shown, ret, began, *text ? text : curl_easy_strerror(code));
        return chsm_err_prefix(err, "%s %s", rq->method, shown);
    }
    ret->sent = true;
    (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &ret->status);
    trace(rq, shown, ret, began, NULL);
    return 0;
}
