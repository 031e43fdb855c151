/* SPDX-License-Identifier: Apache-2.0 */
/* What it means when an exchange ended without an answer: whether the server saw the request, and what to do. */
#include "config.h"

#include <openssl/x509_vfy.h>

#include "azure/http_exchange.h"
#include "util/log.h"

static long connect_code(CURL *c)
{
    long code = 0;

    return curl_easy_getinfo(c, CURLINFO_HTTP_CONNECTCODE, &code) == CURLE_OK ? code : 0;
}

/* On a connection of its own a request cannot leave before the handshake with the server is through. */
static bool never_shook_hands(const struct chsm_exchange *x)
{
    curl_off_t us = 0;

    return strncmp(x->rq->url, "https:", 6) == 0 && !chsm_http_may_reuse(x->rq) &&
           curl_easy_getinfo(x->http->curl, CURLINFO_APPCONNECT_TIME_T, &us) == CURLE_OK && us == 0;
}

/*
 * Whether the server may have seen the request. Before the handshake is through it cannot have; after a time-out or an
 * interruption the count of bytes handed to the connection tells; every doubt counts as sent.
 */
static bool was_sent(const struct chsm_exchange *x, CURLcode code)
{
    CURL *c = x->http->curl;
    long bytes = 0;

    if (never_shook_hands(x))
        return false;
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

/* The server has no TLS version that we accept, or none at all: OpenSSL says it in one of these ways. */
static bool wrong_version(const char *text)
{
    static const char *const ways[] = {
        "protocol version", "unsupported protocol", "wrong version number", "packet length too long",
    };

    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if (strstr(text, ways[i]))
            return true;
    return false;
}

static bool proxy_refused(const struct chsm_exchange *x)
{
    long code = connect_code(x->http->curl);

    return code >= 400 && code < 500 && code != 408 && code != 429;
}

/* What went beyond a bound is not: the next answer may come without the gateway that made this one. */
static bool is_hopeless(const struct chsm_exchange *x, CURLcode code)
{
    return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
           code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_BAD_CONTENT_ENCODING ||
           (code == CURLE_SSL_CONNECT_ERROR && wrong_version(x->text)) || proxy_refused(x);
}

static int untrusted(const struct chsm_exchange *x, const char *text, struct chsm_err *err)
{
    static const char ca[] = "when this server is meant, name its CA's certificate file with --ca-file or SSL_CERT_FILE";
    static const struct { long result; const char *what, *hint; } ways[] = {
        { X509_V_ERR_CERT_HAS_EXPIRED, "has expired", "the server needs a new one; check this machine's clock, too" },
        { X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet", "check this machine's clock" },
        { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is not trusted: it is self-signed", ca },
        { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "is not trusted: its CA is unknown here", ca },
        { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "is not trusted: its CA is unknown here", ca },
        { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "is not trusted: its CA is unknown here", ca },
        { X509_V_ERR_CERT_REVOKED, "is revoked", "do not go on: somebody may be posing as the server" },
    };
    long result = 0;

    (void)curl_easy_getinfo(x->http->curl, CURLINFO_SSL_VERIFYRESULT, &result);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if (ways[i].result == result) {
            (void)chsm_fail(err, CHSM_SERVICE, "the server's certificate %s (%s); nothing was sent", ways[i].what, text);
            return chsm_err_hint(err, "%s", ways[i].hint);
        }
    if (strstr(text, "match")) {        /* libcurl compares the names itself, before it asks OpenSSL for the result */
        (void)chsm_fail(err, CHSM_SERVICE, "the server's certificate is for another host (%s); nothing was sent", text);
        return chsm_err_hint(err, "check the address; a proxy or a wrong DNS entry may lead to another server");
    }
    (void)chsm_fail(err, CHSM_SERVICE, "the server's certificate is not trusted (%s); nothing was sent", text);
    return chsm_err_hint(err, "%s", ca);
}

static int proxy_failure(const struct chsm_exchange *x, struct chsm_err *err)
{
    long code = connect_code(x->http->curl);

    (void)chsm_fail(err, CHSM_SERVICE, "the proxy refused the connection with HTTP %ld; nothing was sent", code);
    return chsm_err_hint(err, code == 407 ? "put user and password into https_proxy (http://USER:PASSWORD@HOST:PORT)"
                                          : "have the proxy allow this host, or name the host in no_proxy");
}

static int describe(const struct chsm_exchange *x, CURLcode code, const char *text, struct chsm_err *err)
{
    long proxy = connect_code(x->http->curl);

    if (proxy >= 300 && code != CURLE_ABORTED_BY_CALLBACK && code != CURLE_OPERATION_TIMEDOUT)
        return proxy_failure(x, err);
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
    case CURLE_OPERATION_TIMEDOUT:
        return chsm_fail(err, CHSM_DEADLINE, "no complete answer in time (%s)", text);
    case CURLE_PARTIAL_FILE:
        return chsm_fail(err, CHSM_SERVICE, "the answer was cut off (%s)", text);
    case CURLE_PEER_FAILED_VERIFICATION:
        return untrusted(x, text, err);
    case CURLE_UNSUPPORTED_PROTOCOL:
        return chsm_fail(err, CHSM_SERVICE, "only https is allowed here");
    case CURLE_COULDNT_RESOLVE_PROXY:
        (void)chsm_fail(err, CHSM_SERVICE, "%s", text);
        return chsm_err_hint(err, "check https_proxy, all_proxy and no_proxy");
    case CURLE_COULDNT_RESOLVE_HOST:
        (void)chsm_fail(err, CHSM_SERVICE, "%s", text);
        return chsm_err_hint(err, "check the name, this machine's DNS, and whether a proxy is needed (https_proxy)");
    case CURLE_SSL_CACERT_BADFILE:
        return chsm_fail(err, CHSM_CONFIG, "the trusted certificates cannot be used (%s)", text);
    case CURLE_SSL_CONNECT_ERROR:
        if (!wrong_version(text))
            break;
        (void)chsm_fail(err, CHSM_SERVICE, "the server does not speak TLS 1.2 or newer (%s); nothing was sent", text);
        return chsm_err_hint(err, "TLS 1.0 and 1.1 are not used: the server, or the proxy before it, must be updated");
    default:
        break;
    }
    return chsm_fail(err, CHSM_SERVICE, "%s", text);
}

int chsm_http_failed(const struct chsm_exchange *x, CURLcode code, struct chsm_err *err)
{
    AUTO_FREE char *text = chsm_redact_text(*x->text ? x->text : curl_easy_strerror(code), NULL);

    x->response->sent = was_sent(x, code);
    x->response->hopeless = is_hopeless(x, code);
    if (!text)
        return chsm_oom(err);
    if (!x->stopped)
        return describe(x, code, text, err);
    if (err)
        *err = x->why;
    return -1;
}
