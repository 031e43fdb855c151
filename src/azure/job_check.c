/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the service whether a backup or a restore would work: validateBackupProperties, validateRestoreProperties (arm.md §3.8). */
#include "config.h"

#include <strings.h>

#include "azure/job_id.h"
#include "azure/resource.h"
#include "util/log.h"
#include "util/safety.h"

#define AGAIN_MS 30000 /* between two tries while a role may be on its way */

struct check {
    const struct chsm_cluster_task *task;
    enum chsm_job_kind kind;
    const json_t *body;
};

/*
 * What an identity may not do yet, because its role is new. The caller's own missing right is told apart by ARM's words: it
 * is no new assignment that this program has made.
 */
static bool may_be_a_new_role(const struct chsm_err *e)
{
    if (strstr(e->text, "does not have authorization to perform action"))
        return false;
    return e->http == 403 || strcasestr(e->service_code, "authoriz") || strcasestr(e->service_code, "forbidden") ||
           strcasestr(e->service_code, "permission");
}

static int judge(const struct check *c, const struct chsm_lro *l, struct chsm_job *job, struct chsm_err *err)
{
    bool good = l->state == CHSM_LRO_SUCCEEDED && (l->status || !l->body);
    const char *code, *message;

    /* An empty answer is ARM's plain yes (arm.md §2.2); one with a body has to say it. */
    if (l->state == CHSM_LRO_SUCCEEDED && !good && !json_is_object(json_object_get(l->body, "error"))) {
        (void)chsm_fail(err, CHSM_INCONCLUSIVE, "the service answered, but not whether a %s of %s would work",
                        chsm_job_word(c->kind), c->task->ref->name);
        return chsm_err_hint(err, "--debug shows the answer; nothing was started");
    }
    if (l->body && (chsm_json_str(l->body, "status") || chsm_json_get(l->body, "properties.status")) &&
        chsm_job_parse(l->body, job, err) < 0)
        return -1;
    if (!job->status) {
        job->status = strdup(good ? "Succeeded" : "Failed");
        if (!job->status)
            return chsm_oom(err);
    }
    if (good)
        return 0;
    code = job->error_code ? job->error_code : json_string_value(chsm_json_get(l->body, "error.code"));
    message = job->error_message ? job->error_message : json_string_value(chsm_json_get(l->body, "error.message"));
    (void)chsm_fail(err, CHSM_SERVICE, "a %s of %s would not work: %s%s%s", chsm_job_word(c->kind), c->task->ref->name,
                    code ? code : "", code ? ": " : "", message ? message : "the service says no more");
    if (err)
        (void)snprintf(err->service_code, sizeof err->service_code, "%s", code ? code : "");
    return chsm_arm_error_hint(err);
}

/* Where to ask when a 200 says InProgress and names no address: at the job that it speaks of. */
static char *job_address(const struct check *c, const char *cluster_id, const json_t *answer)
{
    const char *id = json_string_value(chsm_json_get(answer, "properties.jobId"));
    char copy[33];

    return id && chsm_job_id_copy(id, strlen(id), copy) ? chsm_job_path(cluster_id, c->kind, copy) : NULL;
}

static int try_once(const struct check *c, struct chsm_job *ret, struct chsm_err *err)
{
    const struct chsm_cluster_task *t = c->task;
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *at = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO(chsm_lro_done) struct chsm_lro l = { 0 };
    json_auto_t *answer = NULL;

    chsm_job_done(ret);
    ret->kind = c->kind;
    if (chsm_cluster_id(t->ref, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, c->kind == CHSM_JOB_BACKUP ? "/validateBackupProperties" : "/validateRestoreProperties",
                              CHSM_CLOUDHSM_API);
    if (!path)
        return chsm_oom(err);
    /* It changes nothing, so that it may be repeated. */
    if (chsm_arm_do(t->arm, "POST", path, c->body, CHSM_REPEAT_SAFE, t->deadline, &r, &answer, err) < 0)
        return -1;
    at = job_address(c, id, answer);
    if (chsm_lro_begin(&l, &r, answer, at, err) < 0 || chsm_lro_wait(t->arm, &l, t->deadline, t->watch, t->ctx, err) < 0)
        return -1;
    return judge(c, &l, ret, err);
}

static int try_until(const struct check *c, int64_t role_delay, struct chsm_job *ret, struct chsm_err *err)
{
    int64_t until = chsm_mono() + role_delay;
    int64_t pause = c->task->arm->poll_interval > 0 ? c->task->arm->poll_interval : AGAIN_MS;
    struct chsm_err why = { 0 }, stop = { 0 };

    while (try_once(c, ret, &why) < 0) {
        if (!may_be_a_new_role(&why) || chsm_mono() + pause > until) {
            if (err)
                *err = why;
            return -1;
        }
        chsm_log(CHSM_LOG_NOTE, "%s; a new role takes up to 10 minutes to work, asking again in %lld s", why.text,
                 (long long)((pause + 999) / 1000));
        if (chsm_sleep(pause, c->task->deadline, &stop) < 0) {
            if (err)
                *err = stop;
            return chsm_err_prefix(err, "%s", why.text);
        }
    }
    return 0;
}

static int guard_source(const struct chsm_cluster_task *t, struct chsm_err *err)
{
    json_auto_t *cluster = NULL;
    const char *p, *a;

    if (chsm_cluster_get(t->arm, t->ref, t->deadline, &cluster, err) < 0)
        return -1;
    p = chsm_cluster_provisioning(cluster);
    a = chsm_cluster_activation(cluster);
    if (strcasecmp(p, "Succeeded") == 0 && strcasecmp(a, "Active") == 0)
        return 0;
    return chsm_refuse(err, CHSM_RULE_SOURCE_NOT_ACTIVE, "%s is %s and %s", t->ref->name, *p ? p : "in an unknown state",
                       *a ? a : "in an unknown activation state");
}

int chsm_backup_check(const struct chsm_cluster_task *t, const char *container_uri, int64_t role_delay, struct chsm_job *ret,
                      struct chsm_err *err)
{
    json_auto_t *body = NULL;

    if (chsm_container_check(container_uri, err) < 0 || guard_source(t, err) < 0)
        return -1;
    body = json_pack("{s:s}", "azureStorageBlobContainerUri", container_uri);
    if (!body)
        return chsm_oom(err);
    return try_until(&(struct check){ .task = t, .kind = CHSM_JOB_BACKUP, .body = body }, role_delay, ret, err);
}

int chsm_restore_check(const struct chsm_cluster_task *t, const struct chsm_restore_request *q, int64_t role_delay,
                       struct chsm_job *ret, struct chsm_err *err)
{
    json_auto_t *body = NULL;

    if (chsm_restore_guard(t->arm, q, t->deadline, err) < 0)
        return -1;
    body = json_pack("{s:s, s:s}", "azureStorageBlobContainerUri", q->container_uri, "backupId", q->backup_id);
    if (!body)
        return chsm_oom(err);
    return try_until(&(struct check){ .task = t, .kind = CHSM_JOB_RESTORE, .body = body }, role_delay, ret, err);
}
