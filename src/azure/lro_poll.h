/* SPDX-License-Identifier: Apache-2.0 */
/* One look at a running operation, with the patience that polls need; for lro_wait.c, cluster.c and job.c. */
#ifndef CHSM_AZURE_LRO_POLL_H
#define CHSM_AZURE_LRO_POLL_H

#include "azure/lro.h"

/*
 * An outage ends a wait only when so many polls in a row have failed, over so many poll intervals (15 min by default): the
 * operation goes on meanwhile, and whoever waits for it would only have to ask again.
 */
#define CHSM_POLL_FAILURES_MAX 5
#define CHSM_POLL_OUTAGE_INTERVALS 30

struct chsm_poll {
    struct chsm_arm *arm;
    chsm_deadline deadline;
    chsm_lro_watch *watch;
    void *ctx;
    int64_t began;                  /* chsm_mono() */
    /* Takes in what the answer said; -1: it says nothing of use, and counts as a poll that failed. NULL = all is good. */
    int (*accept)(void *ctx, const struct chsm_lro *l, struct chsm_err *err);
    void *accept_ctx;
    bool unseen;                    /* the status address is new: at first the service may not know it yet (404) */
    bool once;                      /* one look, no patience */
    unsigned failures;              /* polls in a row that failed */
    int64_t failing;                /* chsm_mono() of the first of them */
};

/*
 * Asks once and steps *l. 0: *l is up to date, or the poll failed for a reason that passes and is worth another look.
 * -1: no use in going on; *ret_status (may be NULL) is then the HTTP status.
 */
CHSM_MUST_CHECK int chsm_poll_once(struct chsm_poll *p, struct chsm_lro *l, long *ret_status, struct chsm_err *err);

/*
 * Whether a poll that failed is worth another one, and counts it: the reason passes (an outage, an answer that says nothing, a
 * status address that is not known yet) and has not lasted too long. `status` is HTTP's, 0 = no usable answer.
 */
bool chsm_poll_patient(struct chsm_poll *p, const struct chsm_err *why, long status, bool hopeless);

/* Tells the watcher, then waits as long as the service asks, else the poll interval. */
CHSM_MUST_CHECK int chsm_poll_pause(struct chsm_poll *p, const struct chsm_lro *l, struct chsm_err *err);

#endif
