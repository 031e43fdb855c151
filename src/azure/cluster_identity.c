/* SPDX-License-Identifier: Apache-2.0 */
/* The managed identity of a cluster: merge, put, and prove that nothing else changed (arm.md §2.5, §3.2, §3.3). */
#include "config.h"

#include <strings.h>

#include "azure/cluster_change.h"
#include "azure/resource.h"
#include "util/safety.h"

static const char *const read_only[] = { "id", "name", "type", "systemData", "etag" };
static const char *const read_only_properties[] = {
    "activationState", "hsms", "privateEndpointConnections", "provisioningState", "statusMessage",
};

/* A member that is null says the same as one that is not there, and less room for a misunderstanding is left. */
static void strip(json_t *object, const char *const *names, size_t n)
{
    const char *key;
    json_t *value;
    void *next;

    for (size_t i = 0; i < n; i++)
        (void)json_object_del(object, names[i]);
    json_object_foreach_safe (object, next, key, value)
        if (json_is_null(value))
            (void)json_object_del(object, key);
}

int chsm_cluster_put_body(const json_t *cluster, const char *identity_id, json_t **ret, struct chsm_err *err)
{
    json_auto_t *body = json_deep_copy(cluster);

    if (!chsm_json_str(cluster, "location") || !json_is_object(json_object_get(cluster, "sku")))
        return chsm_fail(err, CHSM_SERVICE, "the cluster as read has no location or no sku: a PUT would not keep them");
    if (!body)
        return chsm_oom(err);
    strip(body, read_only, ARRAY_LEN(read_only));
    strip(json_object_get(body, "properties"), read_only_properties, ARRAY_LEN(read_only_properties));
    if (json_object_set_new(body, "identity", chsm_cluster_identity_object(identity_id)) < 0)
        return chsm_oom(err);
    *ret = TAKE(body);
    return 0;
}

/* What stands in the way of `identity_id` being the only identity: "a system-assigned identity", an id; NULL = nothing. */
static const char *in_the_way(const json_t *cluster, const char *identity_id)
{
    json_t *identity = json_object_get(cluster, "identity");
    const char *type = chsm_json_str(identity, "type"), *key;
    json_t *value;

    if (type && strcasestr(type, "SystemAssigned"))
        return "a system-assigned identity";
    json_object_foreach (json_object_get(identity, "userAssignedIdentities"), key, value)
        if (!chsm_arm_id_eq(key, identity_id))
            return key;
    return NULL;
}

int chsm_cluster_identity_guard(const json_t *cluster, const char *identity_id, struct chsm_err *err)
{
    const char *other = in_the_way(cluster, identity_id);

    if (!other)
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_SECOND_IDENTITY, "the cluster already has %s", other);
    return chsm_err_hint(err, "use that identity, or take it from the cluster first (`chsmctl identity remove`)");
}

static int refuse_other(const json_t *cluster, const char *identity_id, struct chsm_err *err)
{
    const char *other = identity_id ? in_the_way(cluster, identity_id) : NULL;

    if (!other)
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_OTHER_IDENTITY, "the cluster has %s", other);
    return chsm_err_hint(err, "name that one, or leave --identity off to take away whatever the cluster has");
}

/* The proof: the identity is there, alone, or none is; and everything else is as it was. */
static int prove(const json_t *before, const json_t *after, const char *identity_id, struct chsm_err *err)
{
    if (!chsm_cluster_has_identity(after, identity_id))
        return chsm_fail(err, CHSM_SERVICE, "the service accepted the change, but the cluster %s %s",
                         identity_id ? "does not have the identity" : "still has an identity", identity_id ? identity_id : "");
    return chsm_cluster_prove_rest(before, after, identity_id ? "the identity was applied" : "the identity was removed", err);
}

/* Sends the identity, NULL = none, and proves it; *ret is the cluster afterwards. */
static int set_identity(const struct chsm_cluster_task *t, const json_t *before, const char *identity_id, bool use_patch,
                        json_t **ret, struct chsm_err *err)
{
    json_auto_t *body = NULL;
    json_auto_t *after = NULL;

    if (use_patch)
        body = json_pack("{s:o}", "identity", chsm_cluster_identity_object(identity_id));
    else if (chsm_cluster_put_body(before, identity_id, &body, err) < 0)
        return -1;
    if (!body)
        return chsm_oom(err);
    if (chsm_cluster_send(t, use_patch ? "PATCH" : "PUT", body, &after, err) < 0 ||
        (!t->no_wait && prove(before, after, identity_id, err) < 0))
        return -1;
    *ret = TAKE(after);
    return 0;
}

/*
 * Reads, and returns at once when it is so already, also in the middle of another change. Refused is what was read first,
 * and again what was read when the cluster had settled.
 */
static int read_for(const struct chsm_cluster_task *t, const char *identity_id, const char *only, json_t **ret,
                    struct chsm_err *err)
{
    json_auto_t *cluster = NULL;

    for (int look = 0; look < 2; look++) {
        json_decref(TAKE(cluster));
        if ((look == 0 ? chsm_cluster_get(t->arm, t->ref, t->deadline, &cluster, err) : chsm_cluster_settled(t, &cluster, err)) <
            0)
            return -1;
        if ((identity_id ? chsm_cluster_identity_guard(cluster, identity_id, err) : refuse_other(cluster, only, err)) < 0)
            return -1;
        if (chsm_cluster_has_identity(cluster, identity_id) || strcmp(chsm_cluster_provisioning(cluster), "Succeeded") == 0)
            break;
    }
    *ret = TAKE(cluster);
    return 0;
}

/*
 * Something else goes on at the cluster: our own try, whose answer was lost, or the change of somebody else. What was read
 * before is not sent over that: it is read again when the cluster has settled.
 */
static int after_conflict(const struct chsm_cluster_task *t, const json_t *before, const char *identity_id, const char *only,
                          bool use_patch, json_t **ret, struct chsm_err *err)
{
    json_auto_t *now = NULL;

    if (chsm_cluster_wait(t->arm, t->ref, NULL, t->deadline, t->watch, t->ctx, &now, err) < 0)
        return chsm_cluster_goes_on(t, "", err);
    if (chsm_cluster_has_identity(now, identity_id)) {
        if (prove(before, now, identity_id, err) < 0)
            return -1;
        *ret = TAKE(now);
        return 0;
    }
    if ((identity_id ? chsm_cluster_identity_guard(now, identity_id, err) : refuse_other(now, only, err)) < 0)
        return -1;
    return set_identity(t, now, identity_id, use_patch, ret, err);
}

static int change(const struct chsm_cluster_task *t, const char *identity_id, const char *only, bool use_patch,
                  struct chsm_cluster_result *ret, struct chsm_err *err)
{
    json_auto_t *before = NULL;
    json_auto_t *after = NULL;
    struct chsm_err why = { 0 };
    bool already;
    int rc = 0;

    if (read_for(t, identity_id, only, &before, err) < 0)
        return -1;
    already = chsm_cluster_has_identity(before, identity_id);
    if (!already)
        rc = set_identity(t, before, identity_id, use_patch, &after, &why);
    if (rc < 0 && why.http == 409)
        rc = after_conflict(t, before, identity_id, only, use_patch, &after, &why);
    if (rc < 0) {
        if (err)
            *err = why;
        return -1;
    }
    ret->changed = !already;
    ret->cluster = already ? TAKE(before) : TAKE(after);
    return 0;
}

int chsm_cluster_identity_apply(const struct chsm_cluster_task *t, const char *identity_id, bool use_patch,
                                struct chsm_cluster_result *ret, struct chsm_err *err)
{
    if (chsm_name_identity(identity_id, err) < 0)
        return -1;
    return change(t, identity_id, NULL, use_patch, ret, err);
}

int chsm_cluster_identity_remove(const struct chsm_cluster_task *t, const char *identity_id, struct chsm_cluster_result *ret,
                                 struct chsm_err *err)
{
    if (identity_id && chsm_name_identity(identity_id, err) < 0)
        return -1;
    return change(t, NULL, identity_id, /* use_patch= */ false, ret, err);
}
