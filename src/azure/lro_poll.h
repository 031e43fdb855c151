/* SPDX-License-Identifier: Apache-2.0 */
/* One look at a running operation, with the patience that polls need; for lro_wait.c, cluster.c and job.c. */
#ifndef CHSM_AZURE_LRO_POLL_H
#define CHSM_AZURE_LRO_POLL_H

#include "azure/lro.h"

#define CHSM_POLL_FAILURES_MAX 5    /* polls in a row that may fail for reasons that pass */

struct chsm_poll {
    struct chsm_arm *arm;
    chsm_deadline deadline;
    chsm_lro_watch *watch;
    void *ctx;
    int64_t began;                  /* chsm_mono() */
    unsigned failures;              /* polls in a row that failed */
};

/*
 * Asks once and steps *l. 0: *l is up to date, or the poll failed for a reason that passes and is worth another look.
 * -1: no use in going on; *ret_status (may be NULL) is then the HTTP status.
 */
CHSM_MUST_CHECK int chsm_poll_once(struct chsm_poll *p, struct chsm_lro *l, long *ret_status, struct chsm_err *err);

/* Tells the watcher, then waits as long as the service asks, else the poll interval. */
CHSM_MUST_CHECK int chsm_poll_pause(struct chsm_poll *p, const struct chsm_lro *l, struct chsm_err *err);

#endif
