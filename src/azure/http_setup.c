/* SPDX-License-Identifier: Apache-2.0 */
/* How libcurl is told what to do: transport, trust, proxy, method. */
#include "config.h"

#include "azure/http_exchange.h"

#define CONNECT_MS 30000

#define SET(option, value) ((void)(bad = bad ? bad : curl_easy_setopt(c, (option), (value))))

static CURLcode set_trust(const struct chsm_http *h, CURL *c)
{
    CURLcode bad = CURLE_OK;

    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    if (h->ca_file || h->ca_dir) {
        SET(CURLOPT_CAINFO, h->ca_file);
        SET(CURLOPT_CAPATH, h->ca_dir);
        SET(CURLOPT_PROXY_CAINFO, h->ca_file);
        SET(CURLOPT_PROXY_CAPATH, h->ca_dir);
    }
    return bad;
}

static CURLcode set_transport(const struct chsm_http *h, const struct chsm_request *rq, CURL *c)
{
    CURLcode bad = CURLE_OK;

    SET(CURLOPT_URL, rq->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, rq->plain_ok ? "http,https" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Loopback addresses are never asked for through a proxy: it would be the proxy's own loopback. */
    if (rq->plain_ok || chsm_url_loopback(rq->url))
        SET(CURLOPT_PROXY, "");
    if (!rq->plain_ok)
        SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);    /* a resolver that hangs must not hold us beyond our own deadline */
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_USERAGENT, h->user_agent);
    return bad;
}

bool chsm_http_may_reuse(const struct chsm_request *rq)
{
    return rq->twice_ok || strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
}

/*
 * When a kept connection dies before the first byte of an answer, libcurl sends the request again on a new one, POSTs
 * too. The server may have acted on the first copy, so only what may happen twice goes over a kept connection.
 */
static CURLcode set_method(const struct chsm_request *rq, CURL *c)
{
    CURLcode bad = CURLE_OK;

    SET(CURLOPT_FRESH_CONNECT, chsm_http_may_reuse(rq) ? 0L : 1L);
    if (strcmp(rq->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
        return bad;
    }
    if (rq->body || strcmp(rq->method, "POST") == 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(rq->body ? rq->body_len : 0));
        SET(CURLOPT_POSTFIELDS, rq->body ? rq->body : "");
    }
    if (strcmp(rq->method, "GET") != 0)
        SET(CURLOPT_CUSTOMREQUEST, rq->method);
    return bad;
}

CURLcode chsm_http_setup(struct chsm_exchange *x)
{
    const struct chsm_http *h = x->http;
    int64_t left = chsm_deadline_left(h->limit);
    CURL *c = h->curl;
    CURLcode bad = set_trust(h, c);

    bad = bad ? bad : set_transport(h, x->rq, c);
    bad = bad ? bad : set_method(x->rq, c);
    SET(CURLOPT_HTTPHEADER, x->headers);
    SET(CURLOPT_ERRORBUFFER, x->text);
    SET(CURLOPT_TIMEOUT_MS, (long)(left < h->timeout ? left : h->timeout));
    return bad;
}
