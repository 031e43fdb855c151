/* SPDX-License-Identifier: Apache-2.0 */
/* backup, restore, their validation and their status (facts: arm.md §3.5-§3.8). */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "sim/token.h"

struct asked {                      /* what a backup or restore asks for, checked */
    json_t *cluster;
    const char *container_uri, *folder, *backup_id;
};

/*
 * The cluster's identity must exist and may write the container's blobs. Which codes the service uses here is not
 * published; these are the simulator's own words in ARM's envelope.
 */
static int check_access(struct sim_call *c, const json_t *cluster, const char *container_id, struct chsm_err *err)
{
    json_t *ids = chsm_json_get(cluster, "identity.userAssignedIdentities");
    const char *id = json_object_iter_key(json_object_iter(ids));
    const json_t *identity = id ? sim_resource(c->root, id) : NULL;
    const char *principal = identity ? chsm_json_str(json_object_get(identity, "properties"), "principalId") : NULL;

    if (!id)
        return sim_arm_fail(c, err, 400, "ManagedIdentityNotFound", "The cluster '%s' has no user-assigned managed identity.", c->arg[2]);
    if (!principal)
        return sim_arm_fail(c, err, 400, "ManagedIdentityNotFound", "The managed identity '%s' does not exist any more.", id);
    if (!sim_role_has(c->root, principal, SIM_BLOB_CONTRIBUTOR, container_id))
        return sim_arm_fail(c, err, 403, "AuthorizationPermissionMismatch",
                            "The managed identity '%s' is not authorized to perform this operation on the storage container.", id);
    return 0;
}

static int check_container(struct sim_call *c, struct asked *ret, struct chsm_err *err)
{
    const char *uri = chsm_json_str(c->body, "azureStorageBlobContainerUri");
    AUTO_FREE char *id = NULL;

    if (!uri)
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The property 'azureStorageBlobContainerUri' is required.");
    if (json_object_get(c->body, "token"))
        return sim_arm_fail(c, err, 400, "SasTokenNotSupported", "A shared access signature is not supported; use a managed identity.");
    id = sim_container_id(c, uri);
    if (!id)
        return sim_arm_fail(c, err, 400, "StorageContainerNotFound", "The storage container '%s' was not found.", uri);
    ret->container_uri = uri;
    ret->folder = chsm_json_str(json_object_get(sim_resource(c->root, id), "sim"), "folder");
    return check_access(c, ret->cluster, id, err);
}

/* Checks a request up to the point where a job would start; the answer is made (an->status) when it will not do. */
static int check(struct sim_call *c, bool restore, struct asked *ret, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const char *state, *activation;

    ret->cluster = id ? sim_resource(c->root, id) : NULL;
    if (!id)
        return chsm_oom(err);
    if (!ret->cluster)
        return sim_arm_not_found(c, err);
    if (!c->body)
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The request content must not be empty.");
    if (check_container(c, ret, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    ret->backup_id = chsm_json_str(c->body, "backupId");
    if (restore && (!ret->backup_id || !*ret->backup_id))
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The property 'backupId' is required.");
    if (sim_jobs_running(c->root, id))
        return sim_arm_fail(c, err, 409, "Conflict", "Another backup or restore operation is in progress on '%s'.", c->arg[2]);
    state = sim_cluster_get(ret->cluster, "provisioningState");
    activation = sim_cluster_get(ret->cluster, "activationState");
    if (!restore && (!chsm_streq(state, "Succeeded") || !chsm_streq(activation, "Active")))
        return sim_arm_fail(c, err, 409, "Conflict", "The cluster '%s' cannot be backed up: it is %s and %s.", c->arg[2], state, activation);
    return 0;
}

/* 202, no body, Location only: no Azure-AsyncOperation, no Retry-After unless it was set (arm.md §3.5). */
static int accepted(struct sim_call *c, const json_t *cluster, const char *collection, const char *job, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_strf("%s/%s/%s", chsm_json_str(cluster, "id"), collection, job);
    AUTO_FREE char *url = NULL;
    int64_t retry = sim_timing(c->root, "retryAfter");

    if (!path)
        return chsm_oom(err);
    if (sim_url_sign(c->cloud->signing, path, c->version, c->now, &url, err) < 0)
        return -1;
    sim_answer_empty(c->an, 202);
    if (retry >= 0 && sim_answer_header(c->an, err, "Retry-After", "%lld", (long long)(retry + 999) / 1000) < 0)
        return -1;
    return sim_answer_header(c->an, err, "Location", "%s%s", c->cloud->url[SIM_ARM], url);
}

int sim_arm_backup(struct sim_call *c, struct chsm_err *err)
{
    struct asked a = { 0 };
    char job[33];

    if (check(c, false, &a, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    if (sim_job_backup(c->state, a.cluster, a.container_uri, a.folder, c->now, job, err) < 0)
        return -1;
    return accepted(c, a.cluster, "backupOperationStatus", job, err);
}

int sim_arm_restore(struct sim_call *c, struct chsm_err *err)
{
    struct asked a = { 0 };
    char job[33];

    if (check(c, true, &a, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    if (sim_job_restore(c->state, a.cluster, a.container_uri, a.folder, a.backup_id, c->now, job, err) < 0)
        return -1;
    return accepted(c, a.cluster, "restoreOperationStatus", job, err);
}

/* Validation answers at once with the result of a job that never was; no recording of the real form exists. */
static int validated(struct sim_call *c, const char *kind, const char *container_uri, json_t *error, struct chsm_err *err)
{
    json_auto_t *job = json_pack("{s:s,s:s,s:I,s:I,s:s,s:o*}", "kind", kind, "status", error ? "Failed" : "Succeeded", "start",
                                 (json_int_t)c->now, "end", (json_int_t)c->now, "container", container_uri, "error", error);

    return job ? sim_answer_json(c->an, 200, sim_job_result("00000000000000000000000000000000", job), err) : chsm_oom(err);
}

int sim_arm_validate_backup(struct sim_call *c, struct chsm_err *err)
{
    struct asked a = { 0 };

    if (check(c, false, &a, err) < 0)
        return -1;
    return c->an->status ? 0 : validated(c, "backup", a.container_uri, NULL, err);
}

int sim_arm_validate_restore(struct sim_call *c, struct chsm_err *err)
{
    struct asked a = { 0 };

    if (check(c, true, &a, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    return validated(c, "restore", a.container_uri, sim_restore_error(c->state, a.cluster, a.folder, a.backup_id), err);
}

int sim_arm_job_status(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    AUTO_FREE char *key = c->arg[3] ? sim_lower(c->arg[3]) : NULL;
    const char *kind = strcasecmp(c->rq->seg[8], "backupOperationStatus") == 0 ? "backup" : "restore";
    const json_t *job = key ? json_object_get(json_object_get(c->root, "jobs"), key) : NULL;
    int64_t retry = sim_timing(c->root, "retryAfter");

    if (!id || !key)
        return chsm_oom(err);
    if (!job || !chsm_streq(chsm_json_str(job, "kind"), kind) || strcasecmp(chsm_json_str(job, "cluster"), id) != 0)
        return sim_arm_fail(c, err, 404, "JobNotFound", "The %s job '%s' was not found.", kind, c->arg[3]);
    if (!chsm_streq(chsm_json_str(job, "status"), "InProgress"))
        return sim_answer_json(c->an, 200, sim_job_result(key, job), err);
    sim_answer_empty(c->an, 202);
    if (retry >= 0 && sim_answer_header(c->an, err, "Retry-After", "%lld", (long long)(retry + 999) / 1000) < 0)
        return -1;
    return sim_answer_header(c->an, err, "Location", "%s%s/%sOperationStatus/%s?api-version=%s", c->cloud->url[SIM_ARM],
                             chsm_json_str(job, "cluster"), kind, key, c->version);
}
