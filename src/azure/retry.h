/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may repeat what (facts: arm.md §2.1, §2.4, entra-auth.md §5.3, §12): one table and pure functions that read it. A
 * request that starts a job is repeated only when it certainly did not start one.
 */
#ifndef CHSM_AZURE_RETRY_H
#define CHSM_AZURE_RETRY_H

#include "azure/http.h"

/* How a request may be repeated. */
enum chsm_repeat {
    CHSM_REPEAT_SAFE,       /* GET, PUT, PATCH, DELETE, and a POST that changes nothing */
    CHSM_REPEAT_START,      /* starts a job: only when it certainly did not start */
    CHSM_REPEAT_IMDS,       /* a question to the instance metadata service of a virtual machine */
    CHSM_REPEAT_ENDPOINT,   /* to any other identity endpoint of the machine (App Service, Arc, ...) */
};
#define CHSM_REPEATS 4

#define CHSM_RETRY_TRIES 4              /* exchanges in all, when the service does not say how long to wait */
#define CHSM_RETRY_TRIES_ASKED 10       /* when it does (Retry-After) */
#define CHSM_RETRY_TRIES_IMDS 6
#define CHSM_RETRY_TRIES_ENDPOINT 4
#define CHSM_RETRY_FIRST_MS 800         /* the first wait; then doubling up to the longest */
#define CHSM_RETRY_LONGEST_MS 30000
#define CHSM_RETRY_GONE_MS 70000        /* how long the instance metadata service may be gone (410), asked every 10 s */
#define CHSM_RETRY_GONE_STEP_MS 10000

enum chsm_retry {
    CHSM_RETRY_STOP,
    CHSM_RETRY_AGAIN,       /* after chsm_retry_delay() */
    CHSM_RETRY_TOKEN,       /* at once, with a fresh token */
};

/*
 * The table that decides; `chsmctl help retries` and chsmctl(1) show the same one. The first row that fits counts; the
 * last fits everything.
 */
struct chsm_retry_rule {
    const char *when;                   /* for people; NULL ends the table */
    struct { short from, to; } is[4];   /* statuses, or the kinds of failure below; all 0 = everything */
    enum chsm_retry act[CHSM_REPEATS];  /* by enum chsm_repeat */
};
extern const struct chsm_retry_rule chsm_retry_rules[];

enum {                                  /* beside the statuses, how an exchange without an answer ended */
    CHSM_OUTCOME_UNSENT = -1,           /* the server cannot have seen the request */
    CHSM_OUTCOME_LOST = -2,             /* it may have */
    CHSM_OUTCOME_HOPELESS = -3,         /* nothing will change by itself: certificate, bounds */
    CHSM_OUTCOME_INTERRUPTED = -4,
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

/* True when the same question may be answered better later; 0 = no answer came. Pure. */
bool chsm_retry_transient(long status);

/*
 * ms to wait after the `tries`th exchange: what the service asked for, else 0.8 s doubling up to 30 s; spread by `dice`
 * (any number) so that a fleet does not come back in one moment. Never less than what the service asked for. Pure.
 */
int64_t chsm_retry_delay(unsigned tries, long retry_after, uint32_t dice);

/* Waits that long. CHSM_INTERRUPTED, or CHSM_DEADLINE at once when the wait would outlast the deadline. */
CHSM_MUST_CHECK int chsm_retry_wait(unsigned tries, long retry_after, chsm_deadline deadline, struct chsm_err *err);

/*
 * ms to wait before asking the managed-identity endpoint again, -1 = give up: 404, 408, 429, 5xx and an answer that was lost
 * five times, doubling from 1 s; 410 (it is being updated) until 70 s have passed; everything else never. Pure.
 */
int64_t chsm_retry_imds(const struct chsm_attempt *a, int64_t elapsed_ms);

/* The same for the other identity endpoints (entra-auth.md §5.3): 1 s, or what the service asks for if that is more. Pure. */
int64_t chsm_retry_endpoint(const struct chsm_attempt *a);

/*
 * chsm_http_do() with repetition by CHSM_REPEAT_SAFE, within the limit of h: for requests without an ARM token that
 * change nothing, and are answered with JSON: a 2xx answer that is none is asked for again. 0 when a complete answer came,
 * whatever its status.
 */
CHSM_MUST_CHECK int chsm_retry_http(struct chsm_http *h, const struct chsm_request *rq, struct chsm_response *ret,
                                    struct chsm_err *err);

#endif
