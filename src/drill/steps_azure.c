/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that talk to Azure. */
#include "config.h"

#include "azure/identity.h"
#include "client/guard.h"
#include "drill/run_state.h"
#include "util/safety.h"

static void on_poll(void *ctx, const struct chsm_lro *l, int64_t elapsed_ms)
{
    char elapsed[32];

    chsm_duration_format(elapsed_ms, elapsed, sizeof elapsed);
    chsm_run_progress(ctx, "%s after %s", l->status ? l->status : "running", elapsed);
}

static void on_job(void *ctx, const struct chsm_lro *l, int64_t elapsed_ms)
{
    const struct chsm_run *run = ctx;
    char elapsed[32], expected[96];

    chsm_duration_format(elapsed_ms, elapsed, sizeof elapsed);
    chsm_job_expected(run->restore_requested ? CHSM_JOB_RESTORE : CHSM_JOB_BACKUP, elapsed_ms, expected, sizeof expected);
    chsm_run_progress(ctx, "%s after %s; %s", l->status ? l->status : "running", elapsed, expected);
}

static int read_pins(struct chsm_run *run, struct chsm_err *err)
{
    for (size_t i = 0; i < run->plan->n_logins; i++) {
        const struct chsm_plan_login *from = &run->plan->logins[i];
        AUTO_FREE char *what = chsm_strf("PIN of %s", from->name);

        run->logins[i].name = strdup(from->name);
        if (!what || !run->logins[i].name)
            return chsm_oom(err);
        if (chsm_secret_read(from->pin, what, &run->logins[i].pin, err) < 0)
            return -1;
    }
    return 0;
}

/* To point the one daemon elsewhere would only have the other side refused. */
#define ONE_DAEMON                                                                                                             \
    "a drill reads two clusters, and a daemon serves one: run keys inventory, backup start, restore start, client point and keys verify " \
    "one by one, or on two machines"

/* The library must talk to the cluster that the plan means: verifying the source against itself would prove nothing. */
static int check_endpoints(struct chsm_run *run, const json_t *source, const json_t *destination, struct chsm_err *err)
{
    const struct chsm_plan_side *side[2] = { &run->plan->source, &run->plan->destination };
    const json_t *cluster[2] = { source, destination };
    AUTO_FREE char *from = NULL;
    AUTO_FREE char *to = NULL;
    char **endpoint[2] = { &from, &to };

    for (int i = 0; i < 2; i++)
        if (chsm_client_endpoint(side[i]->directory, endpoint[i], err) < 0)
            return -1;
    if (from && to && chsm_endpoint_same_cluster(from, to))
        return chsm_refuse(err, CHSM_RULE_CLIENTS_OF_ONE_CLUSTER, "the client directories of source and destination both point to %s", from);
    for (int i = 0; i < 2; i++) {
        if (!*endpoint[i])
            continue;
        if (!chsm_endpoint_of_cluster(*endpoint[i], cluster[i])) {
            (void)chsm_refuse(err, CHSM_RULE_CLIENT_OF_OTHER_CLUSTER, "%s/%s points to %s, which is no node of cluster %s",
                              side[i]->directory, CHSM_RESOURCE_CFG, *endpoint[i], side[i]->cluster);
            return chsm_err_hint(err, "put the host name of a node of %s there", side[i]->cluster);
        }
        if (chsm_client_guard(NULL, *endpoint[i], err) < 0) {
            (void)chsm_err_prefix(err, "%s", side[i]->directory);
            return chsm_err_hint(err, ONE_DAEMON);
        }
    }
    return 0;
}

static int check_source(const json_t *cluster, struct chsm_err *err)
{
    const char *p = chsm_cluster_provisioning(cluster), *a = chsm_cluster_activation(cluster);

    if (strcasecmp(p, "Succeeded") == 0 && strcasecmp(a, "Active") == 0)
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_SOURCE_NOT_ACTIVE, "the source is %s and %s; a backup needs Succeeded and Active", p, a);
    return chsm_err_hint(err, "activate the source, or correct the plan");
}

static int check_destination(const json_t *cluster, struct chsm_err *err)
{
    const char *p = chsm_cluster_provisioning(cluster), *a = chsm_cluster_activation(cluster);

    if (strcasecmp(p, "Succeeded") == 0 && strcasecmp(a, "NotActivated") == 0)
        return 0;
    (void)chsm_refuse(err, strcasecmp(p, "Succeeded") == 0 ? CHSM_RULE_DESTINATION_ACTIVATED : CHSM_RULE_DESTINATION_NOT_READY,
                      "the destination is %s and %s; a restore needs Succeeded and NotActivated", p, a);
    return chsm_err_hint(err, "a restore into an active cluster fails and leaves it unusable: create a new cluster for the restore");
}

int chsm_step_preflight(struct chsm_run *run, struct chsm_err *err)
{
    const struct chsm_plan *p = run->plan;
    json_auto_t *source = NULL, *destination = NULL, *identity = NULL;

    run->source_ref = (struct chsm_cluster_ref){ p->subscription, p->source.group, p->source.cluster };
    run->destination_ref = (struct chsm_cluster_ref){ p->subscription, p->destination.group, p->destination.cluster };
    if (chsm_cluster_id(&run->source_ref, &run->source_id, err) < 0 || chsm_cluster_id(&run->destination_ref, &run->destination_id, err) < 0)
        return -1;
    if (chsm_arm_id_eq(run->source_id, run->destination_id))
        return chsm_refuse(err, CHSM_RULE_DESTINATION_IS_SOURCE, "the plan names %s as both", run->source_id);
    if (access(p->module, R_OK) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "PKCS#11 module %s", p->module);
    if (read_pins(run, err) < 0)
        return -1;
    if (chsm_cluster_get(run->arm, &run->source_ref, run->deadline, &source, err) < 0 || check_source(source, err) < 0)
        return chsm_err_prefix(err, "source");
    if (chsm_cluster_get(run->arm, &run->destination_ref, run->deadline, &destination, err) < 0 || check_destination(destination, err) < 0)
        return chsm_err_prefix(err, "destination");
    if (check_endpoints(run, source, destination, err) < 0)
        return -1;
    /* Now, and not when the source has been given its identity already. */
    if (chsm_cluster_identity_guard(source, p->identity, err) < 0)
        return chsm_err_prefix(err, "source");
    if (chsm_cluster_identity_guard(destination, p->identity, err) < 0)
        return chsm_err_prefix(err, "destination");
    if (chsm_identity_get(run->arm, p->identity, run->deadline, &identity, err) < 0)
        return chsm_err_prefix(err, "identity");
    (void)snprintf(run->detail, sizeof run->detail, "%s is Active, %s is NotActivated", p->source.cluster, p->destination.cluster);
    return 0;
}

static int apply_identity(struct chsm_run *run, const struct chsm_cluster_ref *ref, struct chsm_err *err)
{
    struct chsm_cluster_task task = { .arm = run->arm, .ref = ref, .deadline = run->deadline, .watch = on_poll, .ctx = run };
    struct chsm_cluster_result result = { 0 };

    if (chsm_run_note(run, "intent", json_pack("{s:s, s:s}", "action", "identity apply", "cluster", ref->name), err) < 0)
        return -1;
    if (chsm_cluster_identity_apply(&task, run->plan->identity, /* use_patch= */ false, &result, err) < 0)
        return chsm_err_prefix(err, "cluster %s", ref->name);
    json_decref(result.cluster);
    (void)snprintf(run->detail, sizeof run->detail, result.changed ? "applied to %s; nothing else of it changed" : "%s has it already", ref->name);
    return 0;
}

int chsm_step_identity_source(struct chsm_run *run, struct chsm_err *err)
{
    return apply_identity(run, &run->source_ref, err);
}

int chsm_step_identity_destination(struct chsm_run *run, struct chsm_err *err)
{
    return apply_identity(run, &run->destination_ref, err);
}

static json_t *job_note(const struct chsm_job *j)
{
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "job_id", j->id, "status", j->status, "backup_id", j->backup_id, "details", j->details,
                     "error", j->error_message);
}

/* A start that failed: its text says whether a job may run all the same, and its hint how to go on. */
static int start_failed(struct chsm_run *run, const struct chsm_err *err)
{
    /* The failed start is what counts; a journal that fails as well adds nothing to it. */
    if (chsm_run_note(run, "start-failed", json_pack("{s:s, s:s, s:s}", "code", chsm_code_name(err->code), "text", err->text, "hint", err->hint),
                      NULL) < 0)
        return -1;
    return -1;
}

/* Notes the job's id before anything else can happen, then follows it to its end. */
static int follow(struct chsm_run *run, const struct chsm_cluster_ref *ref, struct chsm_job *job, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];
    int rc;

    chsm_run_progress(run, "job %s", job->id);
    if (chsm_run_note(run, "job-started", job_note(job), err) < 0) { /* a full disk must not cost the id */
        chsm_cluster_options(ref, options);
        (void)chsm_err_prefix(err, "%s job %s was started", chsm_job_word(job->kind), job->id);
        return chsm_err_hint(err, "it goes on: `chsmctl %s wait %s --job-id %s`", chsm_job_word(job->kind), options, job->id);
    }
    rc = chsm_job_wait(run->arm, ref, job, run->deadline, on_job, run, err);
    if (chsm_run_note(run, "job-ended", job_note(job), rc < 0 ? NULL : err) < 0)
        return -1;
    return rc;
}

int chsm_step_backup(struct chsm_run *run, struct chsm_err *err)
{
    const struct chsm_plan *p = run->plan;
    char age[32] = "not said";

    if (chsm_run_note(run, "intent", json_pack("{s:s, s:s, s:s}", "action", "backup", "cluster", p->source.cluster, "container", p->container_uri), err) < 0)
        return -1;
    run->backup_requested = chsm_now();
    if (chsm_backup_start(run->arm, &run->source_ref, p->container_uri, run->deadline, &run->backup, err) < 0)
        return start_failed(run, err);
    if (follow(run, &run->source_ref, &run->backup, err) < 0)
        return -1;
    if (!run->backup.backup_id || !chsm_backup_id_ok(run->backup.backup_id))
        return chsm_fail(err, CHSM_SERVICE, "the backup job %s succeeded and named no backup", run->backup.id);
    if (run->backup.snapshot)
        chsm_duration_format(run->backup_requested - run->backup.snapshot, age, sizeof age);
    (void)snprintf(run->detail, sizeof run->detail, "%s; the snapshot's age at the request: %s", run->backup.backup_id, age);
    return 0;
}

int chsm_step_restore(struct chsm_run *run, struct chsm_err *err)
{
    const struct chsm_plan *p = run->plan;
    const struct chsm_restore_request request = {
        .destination = &run->destination_ref, .source = &run->source_ref, .container_uri = p->container_uri, .backup_id = run->backup.backup_id,
    };

    if (chsm_run_note(run, "intent",
                      json_pack("{s:s, s:s, s:s}", "action", "restore", "cluster", p->destination.cluster, "backup_id", run->backup.backup_id), err) < 0)
        return -1;
    run->restore_requested = chsm_now();
    if (chsm_restore_start(run->arm, &request, run->deadline, &run->restore, err) < 0)
        return start_failed(run, err);
    if (follow(run, &run->destination_ref, &run->restore, err) < 0)
        return -1;
    (void)snprintf(run->detail, sizeof run->detail, "job %s %s", run->restore.id, run->restore.status ? run->restore.status : "");
    return 0;
}

int chsm_step_activation(struct chsm_run *run, struct chsm_err *err)
{
    json_auto_t *cluster = NULL;

    if (chsm_cluster_wait(run->arm, &run->destination_ref, "Active", run->deadline, on_poll, run, &cluster, err) < 0)
        return -1;
    (void)snprintf(run->detail, sizeof run->detail, "%s is Active", run->plan->destination.cluster);
    return 0;
}
