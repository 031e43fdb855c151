/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

#include "drill/report.h"
#include "drill/run_state.h"
#include "evidence/report.h"
#include "util/path.h"

static const struct {
    const char *name;
    chsm_step_run *run;
} steps[] = {
    { "preflight", chsm_step_preflight },
    { "inventory-source", chsm_step_inventory },
    { "identity-source", chsm_step_identity_source },
    { "identity-destination", chsm_step_identity_destination },
    { "backup", chsm_step_backup },
    { "restore", chsm_step_restore },
    { "activation", chsm_step_activation },
    { "verify", chsm_step_verify },
};

static void tell(struct chsm_run *run, enum chsm_step_phase phase, const char *text)
{
    if (run->watch && run->watch->step)
        run->watch->step(run->watch->ctx, run->step + 1, ARRAY_LEN(steps), steps[run->step].name, phase, text);
}

void chsm_run_progress(struct chsm_run *run, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tell(run, CHSM_STEP_PROGRESS, text);
}

int chsm_run_note(struct chsm_run *run, const char *event, json_t *data, struct chsm_err *err)
{
    return chsm_journal_add(run->journal, event, steps[run->step].name, data, err);
}

static int record_step(struct chsm_run *run, int64_t started, const char *result, const char *detail, struct chsm_err *err)
{
    char when[CHSM_TIME_LEN];
    json_t *o;

    chsm_time_format(started, true, when);
    o = json_pack("{s:s, s:s, s:s, s:I, s:s}", "name", steps[run->step].name, "result", result, "started", when, "took_ms",
                  (json_int_t)(chsm_now() - started), "detail", detail);
    if (!o || json_array_append(run->steps, o) < 0) {
        json_decref(o);
        return chsm_oom(err);
    }
    return chsm_run_note(run, "step-end", o, err);
}

static int run_step(struct chsm_run *run, struct chsm_err *err)
{
    int64_t started = chsm_now();

    run->detail[0] = '\0';
    tell(run, CHSM_STEP_BEGIN, "");
    if (chsm_run_note(run, "step-begin", NULL, err) < 0)
        return -1;
    if (steps[run->step].run(run, err) < 0) {
        tell(run, CHSM_STEP_FAILED, err->text);
        /* The step's own error is the one that counts; a journal that fails as well adds nothing to it. */
        if (record_step(run, started, "failed", err->text, NULL) < 0)
            return -1;
        return -1;
    }
    tell(run, CHSM_STEP_OK, run->detail);
    return record_step(run, started, "ok", run->detail, err);
}

static int run_steps(struct chsm_run *run, struct chsm_err *err)
{
    for (run->step = 0; run->step < ARRAY_LEN(steps); run->step++)
        if (run_step(run, err) < 0)
            return -1;
    run->step = ARRAY_LEN(steps) - 1;
    return 0;
}

static int write_report(struct chsm_run *run, const json_t *report, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(256u << 20);

    if (chsm_report_text(report, &text, err) < 0 || chsm_evidence_put_json(run->evidence, "report.json", report, err) < 0 ||
        chsm_evidence_put(run->evidence, "report.txt", chsm_buf_str(&text), text.len, err) < 0)
        return -1;
    if (chsm_journal_add(run->journal, "run-end", NULL, json_pack("{s:O}", "verdict", json_object_get(report, "verdict")), err) < 0)
        return -1;
    return chsm_evidence_seal(run->evidence, err);
}

static int report(struct chsm_run *run, const char *id, int64_t started, const struct chsm_err *failed, json_t **ret, enum chsm_code *ret_code,
                  struct chsm_err *err)
{
    const struct chsm_plan *p = run->plan;
    struct chsm_policy policy = { .require = p->require, .allow_unexpected = p->allow_unexpected };
    struct chsm_report_parts parts = {
        .command = "drill run", .run_id = id, .started = started, .ended = chsm_now(), .plan = p->path,
        .source = { run->source_id, run->source.n ? &run->source : NULL, "inventory-source.json" },
        .destination = { run->destination_id, run->destination.n ? &run->destination : NULL, "inventory-destination.json" },
        .container_uri = p->container_uri,
        .backup = run->backup.id[0] ? &run->backup : NULL, .restore = run->restore.id[0] ? &run->restore : NULL,
        .backup_requested = run->backup_requested, .restore_requested = run->restore_requested, .verified = run->verified,
        .rto = p->rto, .rpo = p->rpo, .objectives_required = p->objectives_required,
        .comparison = run->compared ? &run->comparison : NULL, .policy = &policy, .steps = run->steps, .error = failed,
    };
    json_t *json;

    if (chsm_report_build(&parts, &json, ret_code, err) < 0)
        return -1;
    if (write_report(run, json, err) < 0) {
        json_decref(json);
        return -1;
    }
    *ret = json;
    return 0;
}

/* The evidence directory with a copy of the plan, and the journal in it. */
static int begin(struct chsm_run *run, const char *id, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf plan = CHSM_BUF(1u << 20);
    AUTO_FREE char *journal = NULL;

    if (chsm_file_read(run->plan->path, 1u << 20, &plan, err) < 0 || chsm_evidence_open(run->plan->evidence, &run->evidence, err) < 0)
        return -1;
    journal = chsm_evidence_path(run->evidence, "journal.jsonl");
    if (!journal)
        return chsm_oom(err);
    if (chsm_journal_create(journal, &run->journal, err) < 0 || chsm_evidence_put(run->evidence, "plan.yaml", chsm_buf_str(&plan), plan.len, err) < 0)
        return -1;
    return chsm_journal_add(run->journal, "run-begin", NULL,
                            json_pack("{s:s, s:s, s:s}", "run", id, "plan", run->plan->name, "tool", "chsmctl " PACKAGE_VERSION), err);
}

static void end(struct chsm_run *run)
{
    chsm_comparison_done(&run->comparison);
    chsm_inventory_done(&run->source);
    chsm_inventory_done(&run->destination);
    chsm_job_done(&run->backup);
    chsm_job_done(&run->restore);
    chsm_logins_free(run->logins, run->plan->n_logins);
    free(run->source_id);
    free(run->destination_id);
    json_decref(run->steps);
    chsm_journal_close(run->journal);
    chsm_evidence_free(run->evidence);
}

int chsm_drill_run(const struct chsm_plan *plan, struct chsm_arm *arm, const struct chsm_drill_watch *watch, json_t **ret_report,
                   enum chsm_code *ret_code, struct chsm_err *err_step, struct chsm_err *err)
{
    struct chsm_run run = { .plan = plan, .arm = arm, .watch = watch, .deadline = chsm_deadline_in(plan->deadline), .steps = json_array(),
                            .logins = calloc(plan->n_logins ? plan->n_logins : 1, sizeof *run.logins) };
    int64_t started = chsm_now();
    char id[37];
    int rc = -1;

    if (!run.steps || !run.logins)
        (void)chsm_oom(err);
    else if (chsm_uuid(id, err) == 0 && begin(&run, id, err) == 0) {
        bool failed = run_steps(&run, err_step) < 0;

        rc = report(&run, id, started, failed ? err_step : NULL, ret_report, ret_code, err);
    }
    end(&run);
    return rc;
}
