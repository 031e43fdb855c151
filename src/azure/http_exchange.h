/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the gate share; for http*.c alone. */
#ifndef CHSM_AZURE_HTTP_EXCHANGE_H
#define CHSM_AZURE_HTTP_EXCHANGE_H

#include <curl/curl.h>

#include "azure/http.h"

#define CHSM_HTTP_PROXIES 5     /* variables that may name one */

struct chsm_trace;               /* trace.h */

struct chsm_http {
    CURL *curl;
    char *ca_file, *ca_dir;     /* NULL: what libcurl was built with */
    char *user_agent;
    int64_t timeout;
    chsm_deadline limit;
    char correlation[37];
    struct chsm_trace *trace;
    struct chsm_secret hidden[2 * CHSM_HTTP_PROXIES];   /* passwords of proxies, so that they are known as secrets */
    size_t hidden_n;
};

struct chsm_exchange {          /* one request and its answer, while libcurl works on them */
    struct chsm_http *http;
    const struct chsm_request *rq;
    struct chsm_response *response;
    struct curl_slist *headers; /* of the request */
    struct chsm_buf lines;      /* of the answer's header, when somebody looks */
    size_t header_bytes;
    bool in_headers;            /* trailers after the body are not headers */
    bool packed;                /* the answer has a Content-Encoding */
    bool stopped;               /* a callback ended it; `why` says why */
    struct chsm_err why;
    char text[CURL_ERROR_SIZE]; /* libcurl's own words for a failure */
};

/* Whether the request may use a kept connection, on which libcurl may send it twice. */
bool chsm_http_may_reuse(const struct chsm_request *rq);

/* Every option of the exchange, on a handle that was reset. */
CHSM_MUST_CHECK CURLcode chsm_http_setup(struct chsm_exchange *x);

/* An exchange without an answer: fills response->sent and ->hopeless, and *err. Always -1. */
int chsm_http_failed(const struct chsm_exchange *x, CURLcode code, struct chsm_err *err);

#endif
