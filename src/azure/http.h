/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one gate to libcurl: TLS >= 1.2 verified, no redirects, bounded bodies and headers, secrets out of every message.
 * HTTP/2 where the server offers it, kept connections, gzip. It does one exchange; who may repeat what is decided in
 * retry.h.
 */
#ifndef CHSM_AZURE_HTTP_H
#define CHSM_AZURE_HTTP_H

#include "util/buf.h"
#include "util/clock.h"
#include "util/secret.h"

#define CHSM_HTTP_BODY_MAX (8u << 20)       /* ARM answers up to 8 MB (facts: arm.md §2.5) */
#define CHSM_HTTP_HEADER_MAX (64u << 10)    /* one header line; Location URLs are 3.6 kB (arm.md §2.2) */
#define CHSM_RETRY_AFTER_MAX 600            /* s; a service that asks for more is not believed (arm.md §2.2) */

struct chsm_http;                           /* connections, CA, time-outs */

struct chsm_http_opts {
    const char *ca_file;                    /* NULL: SSL_CERT_FILE, else CURL_CA_BUNDLE, else SSL_CERT_DIR, else the system's */
    const char *user_agent;                 /* NULL: "chsmctl/VERSION" */
    int64_t timeout;                        /* ms for one exchange; 0 = 100 s */
    const char *record;                     /* a file to make, with every exchange as a JSON line, redacted; NULL = none */
    chsm_deadline limit;                    /* as chsm_http_limit(), from the start */
};
CHSM_MUST_CHECK int chsm_http_new(const struct chsm_http_opts *opts, struct chsm_http **ret, struct chsm_err *err);
void chsm_http_free(struct chsm_http *h);

/*
 * Bounds every exchange until it is set again (0 = by the time-out alone), also those that a credential makes on its own.
 * Returns what was set before.
 */
chsm_deadline chsm_http_limit(struct chsm_http *h, chsm_deadline limit);
chsm_deadline chsm_http_limited(const struct chsm_http *h);

/* One random id for all requests of a command (x-ms-correlation-request-id); borrowed. */
const char *chsm_http_correlation(const struct chsm_http *h);

struct chsm_request {
    const char *method;                     /* "GET", "PUT", ... */
    const char *url;                        /* sent byte for byte, never re-encoded */
    const struct chsm_secret *bearer;       /* NULL = no Authorization header */
    const char *content_type;               /* NULL = no body */
    const void *body;
    size_t body_len;
    const char *const *headers;             /* "Name: value", ended by NULL; NULL = none */
    bool plain_ok;                          /* http:// allowed: managed-identity endpoints only; then never through a proxy */
    bool twice_ok;                          /* may reach the server twice: a kept connection will do, as always for GET */
    bool to_the_end;                        /* an interruption does not end it: its answer matters more (the id of a job) */
    bool body_secret;                       /* the answer holds a secret: its buffer is wiped */
};

struct chsm_response {
    long status;                            /* 0 when no answer came */
    struct chsm_buf body;
    char *location, *async_operation, *content_type, *request_id, *correlation_id, *error_code, *www_authenticate;
    long retry_after;                       /* s, 0..CHSM_RETRY_AFTER_MAX, the longest that was asked; -1 = none usable */
    bool hopeless;                          /* no answer, and another try cannot change that (certificate not trusted, ...) */
    bool sent;                              /* the request may have reached the server: no blind repetition of a start */
};
void chsm_response_done(struct chsm_response *r);
#define AUTO_RESPONSE AUTO(chsm_response_done)

/*
 * One exchange. 0 when a complete answer came, whatever its status. -1: CHSM_SERVICE for a connection, TLS or framing
 * error, CHSM_DEADLINE for a time-out, CHSM_INTERRUPTED; ret->sent is valid in every case. The caller runs
 * chsm_response_done() always.
 */
CHSM_MUST_CHECK int chsm_http_do(struct chsm_http *h, const struct chsm_request *rq, struct chsm_response *ret,
                                 struct chsm_err *err);

/* "https://host:port" of an absolute http(s) URL, lower case, default port removed; NULL when it is none. malloc()ed. */
char *chsm_url_origin(const char *url);

/*
 * Whether a token that was got for `base` may be sent to `url`: https, same port, and the same host or a subdomain of it
 * (regional front ends: arm.md §2.2).
 */
bool chsm_url_within(const char *url, const char *base);

/* Whether the host of an http(s) URL is this machine by itself: 127.0.0.0/8, [::1], localhost. */
bool chsm_url_loopback(const char *url);

/* RFC 3986 percent-encoding of one path segment or query value. malloc()ed. */
char *chsm_url_encode(const char *s);

#endif
