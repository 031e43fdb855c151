/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of a drill share. Private to src/drill. */
#ifndef CHSM_DRILL_RUN_STATE_H
#define CHSM_DRILL_RUN_STATE_H

#include "azure/job.h"
#include "drill/journal.h"
#include "drill/reader.h"
#include "drill/run.h"
#include "evidence/store.h"

struct chsm_run {
    const struct chsm_plan *plan;
    struct chsm_arm *arm;
    const struct chsm_drill_watch *watch;
    struct chsm_journal *journal;
    struct chsm_evidence *evidence;
    chsm_deadline deadline;
    size_t step;                        /* number of the running step, from 0 */
    char detail[512];                   /* what the running step has to say at its end */

    struct chsm_cluster_ref source_ref, destination_ref;
    char *source_id, *destination_id;
    struct chsm_login *logins;
    struct chsm_inventory source, destination;
    struct chsm_job backup, restore;
    int64_t backup_requested, restore_requested, verified;
    struct chsm_comparison comparison;
    bool compared;
    json_t *steps;                      /* array for the report */
};

/* A step: 0 with run->detail filled, or -1 with *err. */
typedef int chsm_step_run(struct chsm_run *run, struct chsm_err *err);

chsm_step_run chsm_step_preflight, chsm_step_inventory, chsm_step_identity_source, chsm_step_identity_destination, chsm_step_backup,
    chsm_step_restore, chsm_step_activation, chsm_step_verify;

/* Reports progress of the running step. */
CHSM_PRINTF(2, 3) void chsm_run_progress(struct chsm_run *run, const char *fmt, ...);

/* A journal line of the running step; data is stolen. */
CHSM_MUST_CHECK int chsm_run_note(struct chsm_run *run, const char *event, json_t *data, struct chsm_err *err);

#endif
