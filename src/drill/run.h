/* SPDX-License-Identifier: Apache-2.0 */
/* One drill from its plan to its evidence (design §8). */
#ifndef CHSM_DRILL_RUN_H
#define CHSM_DRILL_RUN_H

#include "azure/arm.h"
#include "drill/plan.h"

enum chsm_step_phase { CHSM_STEP_BEGIN, CHSM_STEP_PROGRESS, CHSM_STEP_OK, CHSM_STEP_FAILED };

/* Called as the drill goes on; text is what the step has to say ("" at its begin). */
typedef void chsm_step_fn(void *ctx, size_t number, size_t count, const char *name, enum chsm_step_phase phase, const char *text);

struct chsm_drill_watch {
    chsm_step_fn *step;     /* may be NULL */
    void *ctx;
};

/*
 * Runs the plan. 0 when there is a report, whatever its verdict: *ret_report (the caller's) is what was written as
 * report.json, *ret_code the exit status. A step that fails ends the drill; the report then says which and why, and
 * *err_step (not NULL) holds its error. -1 when not even a report could be written.
 */
CHSM_MUST_CHECK int chsm_drill_run(const struct chsm_plan *plan, struct chsm_arm *arm, const struct chsm_drill_watch *watch, json_t **ret_report,
                                   enum chsm_code *ret_code, struct chsm_err *err_step, struct chsm_err *err);

#endif
