/* SPDX-License-Identifier: Apache-2.0 */
/* backup and restore: start, show, wait. */
#include "config.h"

#include "cli/commands.h"
#include "cli/connect.h"

#define OPT_CONTAINER                                                                                                              \
    { "blob-container-uri", "container-uri", 'u', CHSM_OPT_TEXT, offsetof(struct chsm_args, container), "URI", "https URI of the container, no SAS" }
#define OPT_NO_WAIT { "no-wait", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, no_wait), NULL, "print the job's id and return at once" }

const struct chsm_opt chsm_opts_backup_start[] = { CHSM_OPTS_CLUSTER, OPT_CONTAINER, OPT_NO_WAIT, { 0 } };
const struct chsm_opt chsm_opts_restore_start[] = {
    CHSM_OPTS_CLUSTER,
    OPT_CONTAINER,
    { "backup-id", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, backup_id), "ID", "cloudhsm-UUID-DIGITS, as backup printed it" },
    { "source-cluster", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, source_name), "NAME", "the cluster backed up: refused as destination" },
    { "source-group", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, source_group), "GROUP", "its resource group (default: the destination's)" },
    OPT_NO_WAIT,
    { 0 },
};
const struct chsm_opt chsm_opts_job[] = {
    CHSM_OPTS_CLUSTER,
    { "job-id", NULL, 'j', CHSM_OPT_TEXT, offsetof(struct chsm_args, job_id), "ID", "the job, as start printed it" },
    { 0 },
};

static json_t *job_json(const struct chsm_job *j)
{
    char snapshot[CHSM_TIME_LEN];

    if (j->snapshot)
        chsm_time_format(j->snapshot, false, snapshot);
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "jobId", j->id, "status", j->status, "backupId", j->backup_id,
                     "statusDetails", j->details, "startTime", j->started, "endTime", j->ended, "snapshotTime", j->snapshot ? snapshot : NULL,
                     "errorCode", j->error_code, "errorMessage", j->error_message);
}

static int print(const struct chsm_job *j, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "JOB", "jobId" }, { "STATUS", "status" }, { "BACKUP", "backupId" }, { "SNAPSHOT", "snapshotTime" }, { "ERROR", "errorMessage" }, { 0 },
    };
    json_auto_t *json = job_json(j);

    return json ? chsm_out_resource(json, columns, err) : chsm_oom(err);
}

static int wait_and_print(const struct chsm_connection *c, struct chsm_job *j, struct chsm_err *err)
{
    struct chsm_err ignored;

    if (chsm_job_wait(c->arm, &c->cluster, j, c->deadline, chsm_connect_watch, j->id, err) == 0)
        return print(j, err);
    /* A job that failed still has a result to show; the error says the rest. */
    if (err->code == CHSM_SERVICE && j->status && print(j, &ignored) < 0)
        return -1;
    return -1;
}

/* After a start: the id is on stderr before anything else can go wrong. */
static int started(const struct chsm_args *args, const struct chsm_connection *c, struct chsm_job *j, struct chsm_err *err)
{
    chsm_out_note("job %s", j->id);
    return args->no_wait ? print(j, err) : wait_and_print(c, j, err);
}

int chsm_cmd_backup_start(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_job j = { 0 };
    int rc;

    (void)ret_code;
    if (chsm_args_need(args->container, "--blob-container-uri", err) < 0 || chsm_connect(args, true, &c, err) < 0)
        return -1;
    rc = chsm_backup_start(c.arm, &c.cluster, args->container, c.deadline, &j, err);
    if (rc == 0)
        rc = started(args, &c, &j, err);
    chsm_job_done(&j);
    return rc;
}

int chsm_cmd_restore_start(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_ref source;
    struct chsm_job j = { 0 };
    int rc;

    (void)ret_code;
    if (chsm_args_need(args->container, "--blob-container-uri", err) < 0 || chsm_args_need(args->backup_id, "--backup-id", err) < 0 ||
        chsm_connect(args, true, &c, err) < 0)
        return -1;
    source = (struct chsm_cluster_ref){ c.cluster.subscription, args->source_group ? args->source_group : args->group, args->source_name };
    rc = chsm_restore_start(c.arm, &c.cluster, args->source_name ? &source : NULL, args->container, args->backup_id, c.deadline, &j, err);
    if (rc == 0)
        rc = started(args, &c, &j, err);
    chsm_job_done(&j);
    return rc;
}

static int look(const struct chsm_args *args, enum chsm_job_kind kind, bool wait, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_job j = { 0 };
    int rc;

    if (chsm_args_need(args->job_id, "--job-id", err) < 0 || chsm_connect(args, true, &c, err) < 0)
        return -1;
    rc = chsm_job_show(c.arm, &c.cluster, kind, args->job_id, c.deadline, &j, err);
    if (rc == 0)
        rc = wait ? wait_and_print(&c, &j, err) : print(&j, err);
    chsm_job_done(&j);
    return rc;
}

int chsm_cmd_backup_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    (void)ret_code;
    return look(args, CHSM_JOB_BACKUP, false, err);
}

int chsm_cmd_backup_wait(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    (void)ret_code;
    return look(args, CHSM_JOB_BACKUP, true, err);
}

int chsm_cmd_restore_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    (void)ret_code;
    return look(args, CHSM_JOB_RESTORE, false, err);
}

int chsm_cmd_restore_wait(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    (void)ret_code;
    return look(args, CHSM_JOB_RESTORE, true, err);
}
