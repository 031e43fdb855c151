/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/connect.h"
#include "drill/run.h"
#include "evidence/report.h"

#define PROBLEMS_MAX (1u << 20)
#define REPORT_MAX (256u << 20)

static void on_step(void *ctx, size_t number, size_t count, const char *name, enum chsm_step_phase phase, const char *text)
{
    char line[512];

    (void)ctx;
    switch (phase) {
    case CHSM_STEP_BEGIN:
        break;
    case CHSM_STEP_PROGRESS:
        (void)snprintf(line, sizeof line, "[%zu/%zu] %s: %s", number, count, name, text);
        /* In place on a terminal; in a log the result of the step is enough. */
        if (isatty(STDERR_FILENO))
            chsm_out_progress(line);
        break;
    case CHSM_STEP_OK:
        chsm_out_note("[%zu/%zu] %-21s %s", number, count, name, text);
        break;
    case CHSM_STEP_FAILED:
        chsm_out_note("[%zu/%zu] %-21s FAILED: %s", number, count, name, text);
        break;
    }
}

static int print_report(const struct chsm_plan *plan, const json_t *report, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(REPORT_MAX);

    if (chsm_report_text(report, &text, err) < 0 || chsm_buf_addf(&text, err, "\n%s: %s/report.txt\n", chsm_json_str(report, "verdict"), plan->evidence) < 0)
        return -1;
    return chsm_out_report(report, chsm_buf_str(&text), err);
}

int chsm_cmd_drill_run(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_PLAN struct chsm_plan plan = { 0 };
    AUTO_BUF struct chsm_buf problems = CHSM_BUF(PROBLEMS_MAX);
    AUTO_ARM struct chsm_arm *arm = NULL;
    const struct chsm_drill_watch watch = { .step = on_step };
    struct chsm_err why = { 0 };
    struct chsm_arm_opts opts;
    json_auto_t *report = NULL;

    if (chsm_args_need(args->positional, "a PLAN", err) < 0)
        return -1;
    if (chsm_plan_load(args->positional, &plan, &problems, err) < 0) {
        chsm_out_problems(chsm_buf_str(&problems));
        return -1;
    }
    if (chsm_connect_opts(args, &opts, err) < 0)
        return -1;
    if (!args->poll_interval)
        opts.poll_interval = plan.poll_interval;
    if (args->timeout && chsm_duration_parse(args->timeout, &plan.deadline, err) < 0)
        return chsm_err_prefix(err, "--timeout");
    if (!args->timeout)
        opts.http.limit = chsm_deadline_in(plan.deadline);
    if (chsm_arm_open(&opts, &arm, err) < 0)
        return -1;
    (void)chsm_http_limit(arm->http, 0);        /* from here on the drill watches its own time */
    if (chsm_drill_run(&plan, arm, &watch, &report, ret_code, &why, err) < 0)
        return -1;
    if (why.code != CHSM_OK)
        chsm_out_error(&why);
    return print_report(&plan, report, err);
}
