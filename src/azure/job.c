/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a job, and following it to its true end (arm.md §3.6). */
#include "config.h"

#include <strings.h>

#include "azure/job_id.h"
#include "azure/lro_poll.h"
#include "azure/resource.h"

const char *chsm_job_word(enum chsm_job_kind kind)
{
    return kind == CHSM_JOB_BACKUP ? "backup" : "restore";
}

char *chsm_job_path(const char *cluster_id, enum chsm_job_kind kind, const char *job_id)
{
    AUTO_FREE char *suffix = chsm_strf("/%sOperationStatus/%s", chsm_job_word(kind), job_id);

    return suffix ? chsm_resource_path(cluster_id, suffix, CHSM_CLOUDHSM_API) : NULL;
}

static int no_such_job(const struct chsm_cluster_ref *cluster, enum chsm_job_kind kind, const char *id, struct chsm_err *err)
{
    (void)chsm_err_prefix(err, "no such job: %s %s at cluster %s", chsm_job_word(kind), id, cluster->name);
    return chsm_err_hint(err, "check the job id, and that it was a %s of this cluster; the service forgets old jobs",
                         chsm_job_word(kind));
}

/* What the service says about the job by now; 202 without a body says that it runs. */
static int absorb(const struct chsm_lro *l, struct chsm_job *job, struct chsm_err *err)
{
    char *word;

    if (l->body)
        return chsm_job_parse(l->body, job, err);
    if (l->state != CHSM_LRO_RUNNING)
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
                struct chsm_err *err)
{
    long http = 0;

    if (address(cluster, job, &l->url, err) < 0)
        return -1;
    l->style = CHSM_LRO_LOCATION;
    if (chsm_poll_once(p, l, &http, err) < 0) {
        if (http == 404)
            return no_such_job(cluster, job->kind, job->id, err);
        return chsm_err_prefix(err, "%s job %s", chsm_job_word(job->kind), job->id);
    }
    return absorb(l, job, err);
}

int chsm_job_show(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, enum chsm_job_kind kind, const char *job_id,
                  chsm_deadline d,
                  struct chsm_job *ret, struct chsm_err *err)
{
    /* One look is one look: no second one when it fails. */
    struct chsm_poll p = { .arm = arm, .deadline = d, .failures = CHSM_POLL_FAILURES_MAX };
    AUTO(chsm_lro_done) struct chsm_lro l = { .wait = -1 };
    struct chsm_job job = { .kind = kind };

    if (!job_id || !chsm_job_id_copy(job_id, strlen(job_id), job.id))
        return chsm_fail(err, CHSM_USAGE, "\"%s\" is no job id (32 hexadecimal digits)", job_id ? job_id : "");
    if (look(&p, cluster, &l, &job, err) < 0) {
        chsm_job_done(&job);
        return -1;
    }
    *ret = job;
    return 0;
}

static int still_running(const struct chsm_cluster_ref *cluster, const struct chsm_job *job, struct chsm_err *err)
{
    (void)chsm_err_prefix(err, "%s job %s is still running", chsm_job_word(job->kind), job->id);
    return chsm_err_hint(err, "it goes on without chsmctl: look at it with `chsmctl %s show -g %s -n %s --job-id %s`",
                         chsm_job_word(job->kind), cluster->group, cluster->name, job->id);
}

/* Only the word "Succeeded" in the job's own body is a success. */
static int verdict(const struct chsm_job *job, struct chsm_err *err)
{
    if (job->status && strcasecmp(job->status, "Succeeded") == 0)
        return 0;
    (void)chsm_fail(err, CHSM_SERVICE, "%s job %s ended as %s: %s%s%s%s%s", chsm_job_word(job->kind), job->id,
                    job->status ? job->status : "unknown", job->error_code ? job->error_code : "",
                    job->error_code ? ": " : "", job->error_message ? job->error_message : "the service gives no reason",
                    job->details ? "; " : "", job->details ? job->details : "");
    if (err && job->error_code)
        (void)snprintf(err->service_code, sizeof err->service_code, "%s", job->error_code);
    return -1;
}

static int follow(struct chsm_poll *p, const struct chsm_cluster_ref *cluster, struct chsm_lro *l, struct chsm_job *job,
                  struct chsm_err *err)
{
    for (;;) {
        if (look(p, cluster, l, job, err) < 0)
            return -1;
        if (l->state != CHSM_LRO_RUNNING)
            return verdict(job, err);
        if (chsm_poll_pause(p, l, err) < 0)
            return -1;
    }
}

int chsm_job_wait(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, struct chsm_job *job, chsm_deadline d,
                  chsm_lro_watch *watch,
                  void *ctx, struct chsm_err *err)
{
    struct chsm_poll p = { .arm = arm, .deadline = d, .watch = watch, .ctx = ctx, .began = chsm_mono() };
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
