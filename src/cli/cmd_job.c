/* SPDX-License-Identifier: Apache-2.0 */
/* backup and restore: check, start, show, wait. */
#include "config.h"

#include "cli/commands.h"
#include "cli/connect.h"

#define ROLE_DELAY_MS (10 * 60 * 1000)  /* what Azure says that an assignment may take */

#define OPT_CONTAINER                                                                                                              \
    { "blob-container-uri", "container-uri", 'u', CHSM_OPT_TEXT, offsetof(struct chsm_args, container), "URI", "https URI of the container, no SAS" }
#define OPT_NO_WAIT { "no-wait", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, no_wait), NULL, "print the job's id and return at once" }

#define OPTS_RESTORE                                                                                                                  \
    OPT_CONTAINER,                                                                                                                    \
    { "backup-id", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, backup_id), "ID", "cloudhsm-UUID-DIGITS, as backup printed it" }, \
    { "source-cluster", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, source_name), "NAME", "the cluster backed up: refused as destination" }, \
    { "source-group", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, source_group), "GROUP", "its resource group (default: the destination's)" }, \
    { "source-uuid", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, source_uuid), "UUID", "refuse a backup of any other source" },   \
    { "max-age", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, max_age), "TIME", "refuse a backup that is older" }
#define OPT_ROLE_DELAY                                                                                                                \
    { "role-delay", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, role_delay), "TIME", "how long a missing right may be new (10m)" }

const struct chsm_opt chsm_opts_backup_start[] = { CHSM_OPTS_CLUSTER, OPT_CONTAINER, OPT_NO_WAIT, { 0 } };
const struct chsm_opt chsm_opts_backup_check[] = { CHSM_OPTS_CLUSTER, OPT_CONTAINER, OPT_ROLE_DELAY, { 0 } };
const struct chsm_opt chsm_opts_restore_start[] = { CHSM_OPTS_CLUSTER, OPTS_RESTORE, OPT_NO_WAIT, { 0 } };
const struct chsm_opt chsm_opts_restore_check[] = { CHSM_OPTS_CLUSTER, OPTS_RESTORE, OPT_ROLE_DELAY, { 0 } };
#define OPT_JOB { "job-id", NULL, 'j', CHSM_OPT_TEXT, offsetof(struct chsm_args, job_id), "ID", "the job, as start printed it" }
const struct chsm_opt chsm_opts_job[] = { CHSM_OPTS_CLUSTER, OPT_JOB, { 0 } };
const struct chsm_opt chsm_opts_restore_wait[] = {
    CHSM_OPTS_CLUSTER,
    OPT_JOB,
    { "activation", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, activation), "STATE", "then for this activationState, e.g. Active" },
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

static int wait_and_print(const struct chsm_connection *c, struct chsm_job *j, bool from_start, struct chsm_err *err)
{
    struct chsm_job_watch watch = { j->kind, j->id, from_start };
    struct chsm_err ignored;

    if (chsm_job_wait(c->arm, &c->cluster, j, c->deadline, chsm_connect_watch_job, &watch, err) == 0)
        return print(j, err);
    /* A job that failed still has a result to show; the error says the rest. */
    if (err->code == CHSM_SERVICE && j->status && print(j, &ignored) < 0)
        return -1;
    return -1;
}

/* After a start: the id is on stderr before anything else can go wrong. */
static int started(const struct chsm_args *args, const struct chsm_connection *c, struct chsm_job *j, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_out_note("job %s", j->id);
    if (!args->no_wait)
        return wait_and_print(c, j, /* from_start= */ true, err);
    chsm_cluster_options(&c->cluster, options);
    chsm_out_note("follow it: chsmctl %s wait %s --job-id %s", chsm_job_word(j->kind), options, j->id);
    return print(j, err);
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

/* What a restore is asked to be; *source is filled when it is named. Borrows from all of them. */
static int read_request(const struct chsm_args *args, const struct chsm_connection *c, struct chsm_cluster_ref *source,
                        struct chsm_restore_request *ret, struct chsm_err *err)
{
    *source = (struct chsm_cluster_ref){ c->cluster.subscription, args->source_group ? args->source_group : args->group, args->source_name };
    *ret = (struct chsm_restore_request){
        .destination = &c->cluster, .source = args->source_name ? source : NULL, .container_uri = args->container,
        .backup_id = args->backup_id, .source_uuid = args->source_uuid,
    };
    if (args->max_age && chsm_duration_parse(args->max_age, &ret->max_age, err) < 0)
        return chsm_err_prefix(err, "--max-age");
    if (args->max_age && ret->max_age <= 0) /* 0 means "any" from here on */
        return chsm_fail(err, CHSM_USAGE, "--max-age %s would refuse every backup: it has to be more than nothing", args->max_age);
    return 0;
}

static int need_request(const struct chsm_args *args, struct chsm_err *err)
{
    return chsm_args_need(args->container, "--blob-container-uri", err) < 0 || chsm_args_need(args->backup_id, "--backup-id", err) < 0 ? -1 : 0;
}

int chsm_cmd_restore_start(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_restore_request request;
    struct chsm_cluster_ref source;
    struct chsm_job j = { 0 };
    int rc;

    (void)ret_code;
    if (need_request(args, err) < 0 || chsm_connect(args, true, &c, err) < 0 || read_request(args, &c, &source, &request, err) < 0)
        return -1;
    rc = chsm_restore_start(c.arm, &request, c.deadline, &j, err);
    if (rc == 0)
        rc = started(args, &c, &j, err);
    chsm_job_done(&j);
    return rc;
}

static int read_role_delay(const struct chsm_args *args, int64_t *ret, struct chsm_err *err)
{
    *ret = ROLE_DELAY_MS;
    if (args->role_delay && chsm_duration_parse(args->role_delay, ret, err) < 0)
        return chsm_err_prefix(err, "--role-delay");
    return 0;
}

/* The service's answer is shown when it says that it would not work, too; the error says the rest. */
static int checked(int rc, struct chsm_job *j, const char *name, struct chsm_err *err)
{
    struct chsm_err ignored;

    if (rc == 0) {
        chsm_out_note("%s: the service says that it would work; nothing was started", name);
        rc = print(j, err);
    } else if (j->status && print(j, &ignored) < 0) {
        rc = -1;
    }
    chsm_job_done(j);
    return rc;
}

int chsm_cmd_backup_check(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_task task;
    struct chsm_job j = { 0 };
    int64_t delay;

    (void)ret_code;
    if (chsm_args_need(args->container, "--blob-container-uri", err) < 0 || read_role_delay(args, &delay, err) < 0 ||
        chsm_connect(args, true, &c, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    return checked(chsm_backup_check(&task, args->container, delay, &j, err), &j, args->name, err);
}

int chsm_cmd_restore_check(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_restore_request request;
    struct chsm_cluster_task task;
    struct chsm_cluster_ref source;
    struct chsm_job j = { 0 };
    int64_t delay;

    (void)ret_code;
    if (need_request(args, err) < 0 || read_role_delay(args, &delay, err) < 0 || chsm_connect(args, true, &c, err) < 0 ||
        read_request(args, &c, &source, &request, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    return checked(chsm_restore_check(&task, &request, delay, &j, err), &j, args->name, err);
}

static int show(const struct chsm_args *args, enum chsm_job_kind kind, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    AUTO(chsm_job_done) struct chsm_job j = { .kind = kind };

    if (chsm_args_need(args->job_id, "--job-id", err) < 0 || chsm_connect(args, true, &c, err) < 0 ||
        chsm_job_show(c.arm, &c.cluster, kind, args->job_id, c.deadline, &j, err) < 0)
        return -1;
    return print(&j, err);
}

/* Without a look before the wait: an outage at its begin is ridden out like any other. */
static int follow(const struct chsm_args *args, enum chsm_job_kind kind, const struct chsm_connection *c, struct chsm_err *err)
{
    AUTO(chsm_job_done) struct chsm_job j = { .kind = kind };

    if (chsm_job_named(args->job_id, kind, &j, err) < 0)
        return -1;
    return wait_and_print(c, &j, /* from_start= */ false, err);
}

int chsm_cmd_backup_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    (void)ret_code;
    return show(args, CHSM_JOB_BACKUP, err);
}

int chsm_cmd_backup_wait(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };

    (void)ret_code;
    if (chsm_args_need(args->job_id, "--job-id", err) < 0 || chsm_connect(args, true, &c, err) < 0)
        return -1;
    return follow(args, CHSM_JOB_BACKUP, &c, err);
}

int chsm_cmd_restore_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    (void)ret_code;
    return show(args, CHSM_JOB_RESTORE, err);
}

/* A restored cluster can be used when it is Active, some time after its job has succeeded. */
int chsm_cmd_restore_wait(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    char name[64];

    (void)ret_code;
    if (chsm_args_need(args->job_id, "--job-id", err) < 0 || chsm_connect(args, true, &c, err) < 0 ||
        follow(args, CHSM_JOB_RESTORE, &c, err) < 0)
        return -1;
    if (!args->activation)
        return 0;
    (void)snprintf(name, sizeof name, "%s", c.cluster.name);
    return chsm_cluster_wait(c.arm, &c.cluster, args->activation, c.deadline, chsm_connect_watch, name, NULL, err);
}
