/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a backup or a restore: the one request (restore.c has the guards before it), and what its answer, or the lack of
 * one, means (arm.md §3.5, §3.7; cloudhsm-client.md §2). The request is never sent twice unless the service certainly did not
 * take it.
 */
#include "config.h"

#include "azure/job_start.h"
#include "azure/resource.h"

/* The service took the request, and its answer is of no use. */
static void hint_look(const struct chsm_job_start *s, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_cluster_options(s->cluster, options);
    (void)chsm_err_hint(
        err,
        "do not start another one before you know: look with `chsmctl cluster show %s`, and at the cluster's activity "
        "log",
        options);
}

static bool settled(const struct chsm_response *r)
{
    return !r->sent || (r->status >= 300 && r->status < 500 && r->status != 408);
}

static bool at_home(const struct chsm_job_start *s, const char *url)
{
    return *url == '/' || chsm_url_within(url, s->arm->cloud.resource_manager);
}

/* The status address is used for its job id alone, and only when it lies where ARM lies. */
static int id_from_headers(const struct chsm_job_start *s, const struct chsm_response *r, char id[33], struct chsm_err *err)
{
    const char *const urls[] = { r->location, r->async_operation };

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        if (!urls[i] || !*urls[i])
            continue;
        if (!at_home(s, urls[i])) {
            AUTO_FREE char *origin = chsm_url_origin(urls[i]);

            (void)chsm_fail(err, CHSM_SERVICE,
                            "the service accepted the %s, but named an address outside %s for its status (%s); nothing was "
                            "sent there",
                            chsm_job_word(s->kind), s->arm->cloud.resource_manager, origin ? origin : "no usable address");
            hint_look(s, err);
            return -1;
        }
        if (!*id)
            (void)chsm_job_id_from_url(urls[i], s->kind, id);
    }
    return 0;
}

/* Another job, most likely: a cluster does one at a time. */
static int conflict(const struct chsm_job_start *s, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_cluster_options(s->cluster, options);
    (void)chsm_err_prefix(err, "no %s was started: the cluster is busy or not in a state for it", chsm_job_word(s->kind));
    return chsm_err_hint(
        err,
        "another backup or restore of %s may be running: its state is in `chsmctl cluster show %s`, its job in the "
        "cluster's activity log; start again when it is over",
        s->cluster->name, options);
}

/* 1: the answer names no job, and says nothing that can be read: as good as lost. */
static int read_answer(const struct chsm_job_start *s, const struct chsm_response *r, struct chsm_job *job, struct chsm_err *err)
{
    json_auto_t *body = NULL;
    bool bad;

    if (id_from_headers(s, r, job->id, err) < 0)
        return -1;
    bad = r->body.len > 0 && (chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "the answer", CHSM_SERVICE, &body, err) < 0 ||
                              chsm_job_parse(body, job, err) < 0);
    if (bad && !*job->id) /* with the id from the headers, the job itself can be asked */
        return 1;
    if (!*job->id) {
        (void)chsm_fail(err, CHSM_SERVICE, "the service accepted the %s (HTTP %ld), but named no job", chsm_job_word(s->kind),
                        r->status);
        return 1;
    }
    return 0;
}

/* A wait before a repetition may be minutes long: time enough for somebody else to use the destination. */
static int still_allowed(void *ctx, struct chsm_err *err)
{
    const struct chsm_job_start *s = ctx;

    return s->restore ? chsm_restore_guard(s->arm, s->restore, s->deadline, err) : 0;
}

/* Sends the request. 1: it is unknown whether it started anything; job->id is then what the answer's headers named, or "". */
static int ask(struct chsm_job_start *s, const char *path, struct chsm_job *job, struct chsm_err *err)
{
    const struct chsm_arm_guard guard = { still_allowed, s };
    AUTO_RESPONSE struct chsm_response r = { 0 };

    if (chsm_arm_start(s->arm, path, s->body, &guard, s->deadline, &r, err) == 0)
        return read_answer(s, &r, job, err);
    /* The headers of an answer whose body was cut off may still name the job. */
    if (r.location && at_home(s, r.location))
        (void)chsm_job_id_from_url(r.location, s->kind, job->id);
    if (r.status == 409)
        return conflict(s, err);
    return settled(&r) ? -1 : 1;
}

static int send_start(struct chsm_job_start *s, struct chsm_job *ret, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO(chsm_job_done) struct chsm_job job = { .kind = s->kind };
    struct chsm_err why = { 0 };
    int rc;

    if (chsm_cluster_id(s->cluster, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, s->kind == CHSM_JOB_BACKUP ? "/backup" : "/restore", CHSM_CLOUDHSM_API);
    if (!path)
        return chsm_oom(err);
    s->requested = chsm_now();
    rc = ask(s, path, &job, &why);
    if (rc == 1)
        rc = chsm_job_lost(s, job.id, &why);
    if (rc == 0 && !job.status && !(job.status = strdup("InProgress")))
        rc = chsm_oom(&why);
    if (rc < 0) {
        if (err)
            *err = why;
        return -1;
    }
    *ret = job;
    job = (struct chsm_job){ .kind = s->kind };
    return 0;
}

int chsm_backup_start(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, const char *container_uri, chsm_deadline d,
                      struct chsm_job *ret, struct chsm_err *err)
{
    struct chsm_job_start s = {
        .arm = arm, .cluster = cluster, .kind = CHSM_JOB_BACKUP, .container_uri = container_uri, .deadline = d
    };
    AUTO_FREE char *id = NULL;
    json_auto_t *body = NULL;

    if (chsm_cluster_id(cluster, &id, err) < 0 || chsm_container_check(container_uri, err) < 0)
        return -1;
    body = json_pack("{s:s}", "azureStorageBlobContainerUri", container_uri);
    if (!body)
        return chsm_oom(err);
    s.body = body;
    return send_start(&s, ret, err);
}

int chsm_restore_start(struct chsm_arm *arm, const struct chsm_restore_request *q, chsm_deadline d, struct chsm_job *ret,
                       struct chsm_err *err)
{
    struct chsm_job_start s = { .arm = arm,
                                .cluster = q->destination,
                                .kind = CHSM_JOB_RESTORE,
                                .container_uri = q->container_uri,
                                .restore = q,
                                .deadline = d };
    json_auto_t *body = NULL;

    if (chsm_restore_guard(arm, q, d, err) < 0)
        return -1;
    body = json_pack("{s:s, s:s}", "azureStorageBlobContainerUri", q->container_uri, "backupId", q->backup_id);
    if (!body)
        return chsm_oom(err);
    s.body = body;
    return send_start(&s, ret, err);
}
