/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a backup or a restore: the one request (restore.c has the guards before it), and what its answer, or the lack of one, means
 * (arm.md §3.5, §3.7; cloudhsm-client.md §2). The request is never sent twice unless the service certainly did not take it.
 */
#include "config.h"

#include "azure/job_id.h"
#include "azure/resource.h"

struct start {
    struct chsm_arm *arm;
    const struct chsm_cluster_ref *cluster;
    enum chsm_job_kind kind;
    const json_t *body;
    chsm_deadline deadline;
};

static void hint_look(const struct start *s, const char *job_id, struct chsm_err *err)
{
    if (*job_id)
        (void)chsm_err_hint(err, "look at it with `chsmctl %s show -g %s -n %s --job-id %s`", chsm_job_word(s->kind),
                            s->cluster->group,
                            s->cluster->name, job_id);
    else
        (void)chsm_err_hint(err, "do not start another one before you know: look with `chsmctl cluster show -g %s -n %s` (and, "
                                 "when its job id is known, `chsmctl %s show --job-id`), and at the cluster's activity log",
                            s->cluster->group, s->cluster->name, chsm_job_word(s->kind));
}

/* The request left, and no answer settles what became of it. */
static int unknown(const struct start *s, const char *job_id, struct chsm_err *err)
{
    if (!err)
        return -1;
    if (err->code != CHSM_INTERRUPTED)
        err->code = CHSM_SERVICE;
    (void)chsm_err_prefix(err, "it is unknown whether the %s job started%s%s", chsm_job_word(s->kind), *job_id ? " as " : "",
                          job_id);
    hint_look(s, job_id, err);
    return -1;
}

static bool settled(const struct chsm_response *r)
{
    return !r->sent || (r->status >= 300 && r->status < 500 && r->status != 408);
}

static bool at_home(const struct start *s, const char *url)
{
    return *url == '/' || chsm_url_within(url, s->arm->cloud.resource_manager);
}

/* The status address is used for its job id alone, and only when it lies where ARM lies. */
static int id_from_headers(const struct start *s, const struct chsm_response *r, char id[33], struct chsm_err *err)
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
            hint_look(s, "", err);
            return -1;
        }
        if (!*id)
            (void)chsm_job_id_from_url(urls[i], s->kind, id);
    }
    return 0;
}

static int read_answer(const struct start *s, const struct chsm_response *r, struct chsm_job *job, struct chsm_err *err)
{
    json_auto_t *body = NULL;
    struct chsm_err why = { 0 };
    bool bad;

    if (id_from_headers(s, r, job->id, err) < 0)
        return -1;
    bad = r->body.len > 0 && (chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "the answer", CHSM_SERVICE, &body, &why) < 0 ||
                              chsm_job_parse(body, job, &why) < 0);
    if (bad && !*job->id) {     /* with the id from the headers, the job itself can be asked */
        if (err)
            *err = why;
        return unknown(s, "", err);
    }
    if (!*job->id) {
        (void)chsm_fail(err, CHSM_SERVICE, "the service accepted the %s (HTTP %ld), but named no job", chsm_job_word(s->kind),
                        r->status);
        hint_look(s, "", err);
        return -1;
    }
    if (!job->status)
        job->status = strdup("InProgress");
    return job->status ? 0 : chsm_oom(err);
}

static int send_start(const struct start *s, struct chsm_job *ret, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_job job = { .kind = s->kind };

    if (chsm_cluster_id(s->cluster, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, s->kind == CHSM_JOB_BACKUP ? "/backup" : "/restore", CHSM_CLOUDHSM_API);
    if (!path)
        return chsm_oom(err);
    if (chsm_arm_do(s->arm, "POST", path, s->body, CHSM_REPEAT_START, s->deadline, &r, NULL, err) < 0) {
        /* The headers of an answer whose body was cut off may still name the job. */
        if (r.location && at_home(s, r.location))
            (void)chsm_job_id_from_url(r.location, s->kind, job.id);
        return settled(&r) ? -1 : unknown(s, job.id, err);
    }
    if (read_answer(s, &r, &job, err) < 0) {
        chsm_job_done(&job);
        return -1;
    }
    *ret = job;
    return 0;
}

int chsm_backup_start(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, const char *container_uri, chsm_deadline d,
                      struct chsm_job *ret, struct chsm_err *err)
{
    struct start s = { .arm = arm, .cluster = cluster, .kind = CHSM_JOB_BACKUP, .deadline = d };
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
    struct start s = { .arm = arm, .cluster = q->destination, .kind = CHSM_JOB_RESTORE, .deadline = d };
    json_auto_t *body = NULL;

    if (chsm_restore_guard(arm, q, d, err) < 0)
        return -1;
    body = json_pack("{s:s, s:s}", "azureStorageBlobContainerUri", q->container_uri, "backupId", q->backup_id);
    if (!body)
        return chsm_oom(err);
    s.body = body;
    return send_start(&s, ret, err);
}
