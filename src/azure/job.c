/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a job, and following it to its true end (arm.md §3.6). */
#include "config.h"

#include <strings.h>

#include "azure/job_id.h"
#include "azure/lro_poll.h"
#include "azure/resource.h"

char *chsm_job_path(const char *cluster_id, enum chsm_job_kind kind, const char *job_id)
{
    AUTO_FREE char *suffix = chsm_strf("/%sOperationStatus/%s", chsm_job_word(kind), job_id);

    return suffix ? chsm_resource_path(cluster_id, suffix, CHSM_CLOUDHSM_API) : NULL;
}

/* What the service says about the job by now; 202 without a body says that it runs. */
static int absorb(void *ctx, const struct chsm_lro *l, struct chsm_err *err)
{
    struct chsm_job *job = ctx;
    char *word;

    if (l->body && chsm_job_parse(l->body, job, err) < 0)
        return -1;
    if (l->state != CHSM_LRO_RUNNING && (!job->status || strcasecmp(job->status, l->status ? l->status : "") != 0))
        return chsm_fail(err, CHSM_SERVICE, "the answer about %s job %s is empty", chsm_job_word(job->kind), job->id);
    if (job->status)
        return 0;
    word = strdup("InProgress");
    if (!word)
        return chsm_oom(err);
    job->status = word;
    return 0;
}

/*
 * A job's status address from nothing but its id. It is asked every time, whatever address the last answer named: only
 * this one gives the whole result, backupId included.
 */
static int address(const struct chsm_cluster_ref *cluster, const struct chsm_job *job, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *cluster_id = NULL;
    char *path;

    if (chsm_cluster_id(cluster, &cluster_id, err) < 0)
        return -1;
    path = chsm_job_path(cluster_id, job->kind, job->id);
    if (!path)
        return chsm_oom(err);
    free(*ret);
    *ret = path;
    return 0;
}

static int look(struct chsm_poll *p, const struct chsm_cluster_ref *cluster, struct chsm_lro *l, struct chsm_job *job,
                long *ret_http, struct chsm_err *err)
{
    if (address(cluster, job, &l->url, err) < 0)
        return -1;
    l->style = CHSM_LRO_ASYNC; /* the answer is about the operation, and says nothing without a status */
    p->accept = absorb;
    p->accept_ctx = job;
    return chsm_poll_once(p, l, ret_http, err);
}

/* One look is one look: no second one when it fails. */
static int look_once(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, chsm_deadline d, struct chsm_job *job,
                     long *ret_http, struct chsm_err *err)
{
    struct chsm_poll p = { .arm = arm, .deadline = d, .once = true };
    AUTO(chsm_lro_done) struct chsm_lro l = { .wait = -1 };

    return look(&p, cluster, &l, job, ret_http, err);
}

/* A job that is not known may be one of the other kind: then that is said. */
static int no_such_job(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, const struct chsm_job *job, chsm_deadline d,
                       struct chsm_err *err)
{
    enum chsm_job_kind kind = job->kind == CHSM_JOB_BACKUP ? CHSM_JOB_RESTORE : CHSM_JOB_BACKUP;
    struct chsm_job other = { .kind = kind };
    char options[CHSM_CLUSTER_OPTIONS_LEN];
    long http = 0;
    bool found;

    chsm_cluster_options(cluster, options);
    memcpy(other.id, job->id, sizeof other.id);
    found = look_once(arm, cluster, d, &other, &http, NULL) == 0;
    chsm_job_done(&other);
    (void)chsm_err_prefix(err, "no such job: %s %s at cluster %s", chsm_job_word(job->kind), job->id, cluster->name);
    if (found)
        return chsm_err_hint(err, "it is a %s of this cluster: `chsmctl %s show %s --job-id %s`", chsm_job_word(kind),
                             chsm_job_word(kind), options, job->id);
    return chsm_err_hint(err, "check the job id, and that it was a %s of this cluster; the service forgets old jobs",
                         chsm_job_word(job->kind));
}

/* The text of a look that failed for good. */
static int explain(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, const struct chsm_job *job, chsm_deadline d,
                   long http, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_cluster_options(cluster, options);
    if (err->code == CHSM_DEADLINE || err->code == CHSM_INTERRUPTED)
        return -1;
    if (http == 404)
        return no_such_job(arm, cluster, job, d, err);
    (void)chsm_err_prefix(err, "%s job %s", chsm_job_word(job->kind), job->id);
    if (err->code == CHSM_SERVICE || err->code == CHSM_AUTH)
        return chsm_err_hint(err, "the job goes on without chsmctl; ask again: `chsmctl %s wait %s --job-id %s`",
                             chsm_job_word(job->kind), options, job->id);
    return -1;
}

int chsm_job_named(const char *job_id, enum chsm_job_kind kind, struct chsm_job *ret, struct chsm_err *err)
{
    struct chsm_job job = { .kind = kind };

    if (!job_id || !chsm_job_id_copy(job_id, strlen(job_id), job.id)) {
        (void)chsm_fail(err, CHSM_USAGE, "\"%s\" is no job id (32 hexadecimal digits)", job_id ? job_id : "");
        return chsm_err_hint(err, "the command that started the job printed it");
    }
    *ret = job;
    return 0;
}

int chsm_job_show(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, enum chsm_job_kind kind, const char *job_id,
                  chsm_deadline d, struct chsm_job *ret, struct chsm_err *err)
{
    struct chsm_job job = { .kind = kind };
    struct chsm_err why = { 0 };
    long http = 0;

    if (chsm_job_named(job_id, kind, &job, err) < 0)
        return -1;
    if (look_once(arm, cluster, d, &job, &http, &why) < 0) {
        (void)explain(arm, cluster, &job, d, http, &why);
        chsm_job_done(&job);
        if (err)
            *err = why;
        return -1;
    }
    *ret = job;
    return 0;
}

static int still_running(const struct chsm_cluster_ref *cluster, const struct chsm_job *job, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_cluster_options(cluster, options);
    (void)chsm_err_prefix(err, "%s job %s is still running", chsm_job_word(job->kind), job->id);
    return chsm_err_hint(err, "it goes on without chsmctl: pick it up with `chsmctl %s wait %s --job-id %s`",
                         chsm_job_word(job->kind), options, job->id);
}

/* Only the word "Succeeded" in the job's own body is a success. */
static int verdict(const struct chsm_job *job, struct chsm_err *err)
{
    if (job->status && strcasecmp(job->status, "Succeeded") == 0)
        return 0;
    (void)chsm_fail(err, CHSM_SERVICE, "%s job %s ended as %s: %s%s%s%s%s", chsm_job_word(job->kind), job->id,
                    job->status ? job->status : "unknown", job->error_code ? job->error_code : "", job->error_code ? ": " : "",
                    job->error_message ? job->error_message : "the service gives no reason", job->details ? "; " : "",
                    job->details ? job->details : "");
    if (err && job->error_code)
        (void)snprintf(err->service_code, sizeof err->service_code, "%s", job->error_code);
    (void)chsm_arm_error_hint(err);
    if (err && !*err->hint && job->kind == CHSM_JOB_RESTORE)
        return chsm_err_hint(err,
                             "a restore that failed leaves its destination unusable: delete it, and restore into a new cluster");
    if (err && !*err->hint)
        return chsm_err_hint(err,
                             "check the cluster's identity, its role on the container and the storage account's network rules");
    return -1;
}

static int follow(struct chsm_poll *p, const struct chsm_cluster_ref *cluster, struct chsm_lro *l, struct chsm_job *job,
                  struct chsm_err *err)
{
    for (;;) {
        long http = 0;

        if (look(p, cluster, l, job, &http, err) < 0)
            return explain(p->arm, cluster, job, p->deadline, http, err);
        if (l->state != CHSM_LRO_RUNNING)
            return verdict(job, err);
        if (chsm_poll_pause(p, l, err) < 0)
            return -1;
    }
}

int chsm_job_wait(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, struct chsm_job *job, chsm_deadline d,
                  chsm_lro_watch *watch, void *ctx, struct chsm_err *err)
{
    struct chsm_poll p = { .arm = arm,
                           .deadline = d,
                           .watch = watch,
                           .ctx = ctx,
                           .began = chsm_mono(),
                           .unseen = job->status != NULL /* just started */ };
    AUTO(chsm_lro_done) struct chsm_lro l = { .wait = -1 };
    struct chsm_err why = { 0 };
    int rc;

    if (!*job->id)
        return chsm_fail(err, CHSM_USAGE, "the job to wait for has no id");
    rc = follow(&p, cluster, &l, job, &why);
    if (rc < 0 && (why.code == CHSM_DEADLINE || why.code == CHSM_INTERRUPTED))
        (void)still_running(cluster, job, &why);
    if (rc < 0 && err)
        *err = why;
    return rc;
}
