/* SPDX-License-Identifier: Apache-2.0 */
/* The one request that starts a job, as its parts see it; for job_start.c and job_lost.c. */
#ifndef CHSM_AZURE_JOB_START_H
#define CHSM_AZURE_JOB_START_H

#include "azure/job_id.h"

struct chsm_job_start {
    struct chsm_arm *arm;
    const struct chsm_cluster_ref *cluster;
    enum chsm_job_kind kind;
    const char *container_uri;
    const struct chsm_restore_request *restore; /* NULL = a backup */
    const json_t *body;
    chsm_deadline deadline;
    int64_t requested;          /* chsm_now() before it was sent */
};

/*
 * Pauses of a poll interval (30 s) between the looks for a job. The gateway lets a request run for 60 s; a backup then takes 10,
 * a restore 90, and it may show only when the cluster becomes active.
 */
#define CHSM_LOST_PAUSES_BACKUP 5
#define CHSM_LOST_PAUSES_RESTORE 10

/*
 * The request left, and no answer settles what became of it: looks for the job without starting anything. `id` is what the
 * headers of a broken answer named, or "". 0 when the job with that id exists: it is the one. -1 otherwise: *err, which comes
 * with the cause, then says what was found and how to go on; whoever reads "most likely no" may rely on the whole time having
 * been looked through. An interruption is not followed by a search.
 */
CHSM_MUST_CHECK int chsm_job_lost(const struct chsm_job_start *s, const char *id, struct chsm_err *err);

#endif
