/* SPDX-License-Identifier: Apache-2.0 */
/* The managed identity of a cluster: merge, put, and prove that nothing else changed (arm.md §2.5, §3.2, §3.3). */
#include "config.h"

#include <strings.h>

#include "azure/cluster.h"
#include "azure/resource.h"
#include "util/safety.h"

static const char *const read_only[] = { "id", "name", "type", "systemData", "etag" };
static const char *const read_only_properties[] = {
    "activationState", "hsms", "privateEndpointConnections", "provisioningState", "statusMessage",
};

struct change {             /* one application of one identity */
    struct chsm_arm *arm;
    const struct chsm_cluster_ref *ref;
    const char *identity_id;
    const char *method;     /* PUT or PATCH */
    chsm_deadline deadline;
    chsm_lro_watch *watch;
    void *ctx;
};

static json_t *identity_object(const char *id)
{
    return json_pack("{s:s, s:{s:{}}}", "type", "UserAssigned", "userAssignedIdentities", id);
}

/* A member that is null says the same as one that is not there, and less room for a misunderstanding is left. */
static void strip(json_t *object, const char *const *names, size_t n)
{
    const char *key;
    json_t *value;
    void *next;

    for (size_t i = 0; i < n; i++)
        (void)json_object_del(object, names[i]);
    json_object_foreach_safe(object, next, key, value)
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
    if (json_object_set_new(body, "identity", identity_object(identity_id)) < 0)
        return chsm_oom(err);
    *ret = TAKE(body);
    return 0;
}

static int refuse_other(const char *what, struct chsm_err *err)
{
    (void)chsm_refuse(err, CHSM_RULE_SECOND_IDENTITY, "the cluster already has %s", what);
    return chsm_err_hint(err, "use that identity, or remove it from the cluster first");
}

/* Whether the cluster has exactly this identity. -1, refused, when it has another one, or a system-assigned one. */
static int examine(const json_t *cluster, const char *identity_id, bool *ret_already, struct chsm_err *err)
{
    json_t *identity = json_object_get(cluster, "identity");
    const char *type = chsm_json_str(identity, "type");
    const char *key;
    json_t *value;
    bool already = false;

    if (type && strcasestr(type, "SystemAssigned"))
        return refuse_other("a system-assigned identity", err);
    json_object_foreach(json_object_get(identity, "userAssignedIdentities"), key, value) {
        if (!chsm_arm_id_eq(key, identity_id)) {
            AUTO_FREE char *what = chsm_strf("the identity %s", key);

            return what ? refuse_other(what, err) : chsm_oom(err);
        }
        already = true;
    }
    *ret_already = already && type && strcasecmp(type, "UserAssigned") == 0;
    return 0;
}

/* Sends the change and follows the operation that it starts to its end. */
static int send_change(const struct change *c, const json_t *body, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO(chsm_lro_done) struct chsm_lro l = { 0 };
    json_auto_t *answer = NULL;
    const char *code, *message;

    if (chsm_cluster_id(c->ref, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_CLOUDHSM_API);
    if (!path)
        return chsm_oom(err);
    if (chsm_arm_do(c->arm, c->method, path, body, CHSM_REPEAT_SAFE, c->deadline, &r, &answer, err) < 0 ||
        chsm_lro_begin(&l, &r, answer, path, err) < 0 || chsm_lro_wait(c->arm, &l, c->deadline, c->watch, c->ctx, err) < 0)
        return -1;
    if (l.state == CHSM_LRO_SUCCEEDED)
        return 0;
    code = json_string_value(chsm_json_get(l.body, "error.code"));
    message = json_string_value(chsm_json_get(l.body, "error.message"));
    message = message ? message : json_string_value(chsm_json_get(l.body, "properties.statusMessage"));
    return chsm_fail(err, CHSM_SERVICE, "%s of the identity ended as %s%s%s: %s", c->method,
                     l.status ? l.status : "not succeeded",
                     code ? ", " : "", code ? code : "", message ? message : "the service says no more");
}

static int join(const json_t *differences, char **ret, struct chsm_err *err)
{
    struct chsm_buf out = CHSM_BUF(16384);
    const json_t *each;
    size_t i;

    json_array_foreach(differences, i, each) {
        if (chsm_buf_addf(&out, err, "%s%s", i ? "; " : "", json_string_value(each)) < 0) {
            chsm_buf_done(&out);
            return -1;
        }
    }
    *ret = chsm_buf_take(&out);
    return *ret ? 0 : chsm_oom(err);
}

/* The proof: the identity is there, alone, and everything else is as it was. */
static int prove(const json_t *before, const json_t *after, const char *identity_id, struct chsm_err *err)
{
    json_auto_t *differences = NULL;
    AUTO_FREE char *list = NULL;
    bool there = false;

    if (examine(after, identity_id, &there, err) < 0) {
        if (err)
            err->code = CHSM_SERVICE;
        return chsm_err_prefix(err, "after the change");
    }
    if (!there)
        return chsm_fail(err, CHSM_SERVICE, "the service accepted the change, but the cluster does not have the identity %s",
                         identity_id);
    if (chsm_cluster_diff(before, after, &differences, err) < 0)
        return -1;
    if (json_array_size(differences) == 0)
        return 0;
    if (join(differences, &list, err) < 0)
        return -1;
    (void)chsm_fail(err, CHSM_SERVICE, "the identity was applied, but more than that changed: %s", list);
    return chsm_err_hint(err, "put these values back; the values before the arrows are what the cluster had");
}

static int apply(const struct change *c, const json_t *before, json_t **ret, struct chsm_err *err)
{
    json_auto_t *body = NULL;
    json_auto_t *after = NULL;

    if (strcmp(c->method, "PATCH") == 0) {
        body = json_pack("{s:o}", "identity", identity_object(c->identity_id));
        if (!body)
            return chsm_oom(err);
    } else if (chsm_cluster_put_body(before, c->identity_id, &body, err) < 0) {
        return -1;
    }
    if (send_change(c, body, err) < 0 ||
        chsm_cluster_wait(c->arm, c->ref, NULL, c->deadline, c->watch, c->ctx, &after, err) < 0 ||
        prove(before, after, c->identity_id, err) < 0)
        return -1;
    *ret = TAKE(after);
    return 0;
}

/*
 * Reads the cluster until it is settled: a change in the middle of another one would end in a conflict, and what was
 * read would be out of date.
 */
static int read_settled(const struct change *c, json_t **ret, bool *ret_already, struct chsm_err *err)
{
    json_auto_t *cluster = NULL;

    if (chsm_cluster_get(c->arm, c->ref, c->deadline, &cluster, err) < 0 ||
        examine(cluster, c->identity_id, ret_already, err) < 0)
        return -1;
    if (!*ret_already && strcmp(chsm_cluster_provisioning(cluster), "Succeeded") != 0) {
        json_decref(TAKE(cluster));
        if (chsm_cluster_wait(c->arm, c->ref, NULL, c->deadline, c->watch, c->ctx, &cluster, err) < 0 ||
            examine(cluster, c->identity_id, ret_already, err) < 0)
            return -1;
    }
    *ret = TAKE(cluster);
    return 0;
}

int chsm_cluster_identity_apply(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, const char *identity_id,
                                bool use_patch, chsm_deadline d, chsm_lro_watch *watch, void *ctx,
                                struct chsm_identity_result *ret, struct chsm_err *err)
{
    const struct change c = { .arm = arm, .ref = ref, .identity_id = identity_id, .method = use_patch ? "PATCH" : "PUT",
                              .deadline = d, .watch = watch, .ctx = ctx };
    json_auto_t *before = NULL;
    json_auto_t *after = NULL;
    bool already = false;

    if (chsm_name_identity(identity_id, err) < 0 || read_settled(&c, &before, &already, err) < 0)
        return -1;
    if (!already && apply(&c, before, &after, err) < 0)
        return -1;
    ret->changed = !already;
    ret->cluster = already ? TAKE(before) : TAKE(after);
    return 0;
}
