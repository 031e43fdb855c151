/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may repeat what (facts: arm.md §2.1, §2.4, entra-auth.md §5.3, §12). The decisions are pure functions; a request
 * that starts a job is repeated only when it certainly did not start one.
 */
#ifndef CHSM_AZURE_RETRY_H
#define CHSM_AZURE_RETRY_H

#include "azure/http.h"

/* How a request may be repeated. */
enum chsm_repeat {
    CHSM_REPEAT_SAFE,       /* GET, PUT, PATCH, DELETE: 408, 429, 500, 502, 503, 504 and connection errors, with back-off */
    CHSM_REPEAT_START,      /* starts a job: only when it certainly did not start (refused connection, 429, 401) */
};

#define CHSM_RETRY_TRIES 4              /* exchanges in all, when the service does not say how long to wait */
#define CHSM_RETRY_TRIES_ASKED 10       /* when it does (Retry-After) */

enum chsm_retry {
    CHSM_RETRY_STOP,
    CHSM_RETRY_AGAIN,       /* after chsm_retry_delay() */
    CHSM_RETRY_TOKEN,       /* at once, with a fresh token */
};

struct chsm_attempt {       /* how one exchange ended */
    enum chsm_repeat repeat;
    unsigned tries;         /* exchanges so far, this one included */
    bool renewed;           /* a fresh token has been tried already */
    long status;            /* 0: no complete answer */
    long retry_after;       /* seconds, -1 = none */
    bool sent, hopeless;    /* struct chsm_response */
    enum chsm_code code;    /* of the failure when status is 0 */
};

/* What to do after an exchange that did not end in 2xx. Pure. */
enum chsm_retry chsm_retry_decide(const struct chsm_attempt *a);

/* True when the same question may be answered better later: 408, 429, 5xx (not 501, 505), or no answer. Pure. */
bool chsm_retry_transient(long status);

/*
 * ms to wait after the `tries`th exchange: what the service asked for, else 0.8 s doubling up to 30 s; spread by `dice`
 * (any number) so that a fleet does not come back in one moment. Never less than what the service asked for. Pure.
 */
int64_t chsm_retry_delay(unsigned tries, long retry_after, uint32_t dice);

/* Waits that long. CHSM_INTERRUPTED, or CHSM_DEADLINE at once when the wait would outlast the deadline. */
CHSM_MUST_CHECK int chsm_retry_wait(unsigned tries, long retry_after, chsm_deadline deadline, struct chsm_err *err);

/*
 * ms to wait before asking the managed-identity endpoint again, -1 = give up: 404, 408, 429 and 5xx five times, doubling
 * from 1 s; 410 (it is being updated) until 70 s have passed; everything else never. Pure.
 */
int64_t chsm_retry_imds(long status, long retry_after, unsigned tries, int64_t elapsed_ms);

/*
 * chsm_http_do() with repetition by CHSM_REPEAT_SAFE, within the limit of h: for requests without an ARM token that
 * change nothing. 0 when a complete answer came, whatever its status.
 */
CHSM_MUST_CHECK int chsm_retry_http(struct chsm_http *h, const struct chsm_request *rq, struct chsm_response *ret,
                                    struct chsm_err *err);

#endif
