/* SPDX-License-Identifier: Apache-2.0 */
/* Sending a change of a cluster, following it to its end, and proving what it left alone (arm.md §2.2, §2.5, §3). */
#include "config.h"

#include <strings.h>

#include "azure/cluster_change.h"
#include "azure/job.h"
#include "azure/resource.h"

#define LIST_MAX 16384

/* The request alone; what it starts goes on by itself. */
static int send_only(const struct chsm_cluster_task *t, const char *method, const char *path, const json_t *body, json_t **ret,
                     struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *answer = NULL;

    if (chsm_arm_do(t->arm, method, path, body, CHSM_REPEAT_SAFE, t->deadline, &r, &answer, err) < 0)
        return r.sent ? chsm_cluster_goes_on(t, "", err) : -1;
    if (!chsm_json_str(answer, "id"))
        return chsm_cluster_get(t->arm, t->ref, t->deadline, ret, err);
    *ret = TAKE(answer);
    return 0;
}

int chsm_cluster_send(const struct chsm_cluster_task *t, const char *method, const json_t *body, json_t **ret,
                      struct chsm_err *err)
{
    const struct chsm_lro_follow follow = { t->deadline, t->watch, t->ctx };
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;

    if (chsm_cluster_id(t->ref, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_CLOUDHSM_API);
    if (!path)
        return chsm_oom(err);
    if (t->no_wait)
        return send_only(t, method, path, body, ret, err);
    if (chsm_lro_run(t->arm, method, path, body, &follow, NULL, err) < 0) {
        (void)chsm_err_prefix(err, "cluster %s", t->ref->name);
        return chsm_cluster_goes_on(t, "", err);
    }
    if (chsm_cluster_wait(t->arm, t->ref, NULL, t->deadline, t->watch, t->ctx, ret, err) < 0)
        return chsm_cluster_goes_on(t, "", err);
    return 0;
}

int chsm_cluster_goes_on(const struct chsm_cluster_task *t, const char *flag, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    if (!err || (err->code != CHSM_DEADLINE && err->code != CHSM_INTERRUPTED))
        return -1;
    chsm_cluster_options(t->ref, options);
    return chsm_err_hint(err, "what the service has accepted goes on: `chsmctl cluster wait %s%s` waits for its end", options, flag);
}

/* The wait for the change of somebody else was all that happened. */
static int nothing_sent(const struct chsm_cluster_task *t, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    if (!err || (err->code != CHSM_DEADLINE && err->code != CHSM_INTERRUPTED))
        return -1;
    chsm_cluster_options(t->ref, options);
    (void)chsm_err_prefix(err, "nothing was changed: another change goes on");
    return chsm_err_hint(err, "wait for its end (`chsmctl cluster wait %s`), then run this again", options);
}

int chsm_cluster_settled(const struct chsm_cluster_task *t, json_t **ret, struct chsm_err *err)
{
    json_auto_t *cluster = NULL;

    if (chsm_cluster_get(t->arm, t->ref, t->deadline, &cluster, err) < 0)
        return -1;
    if (strcmp(chsm_cluster_provisioning(cluster), "Succeeded") != 0)
        return chsm_cluster_wait(t->arm, t->ref, NULL, t->deadline, t->watch, t->ctx, ret, err) < 0 ? nothing_sent(t, err) : 0;
    *ret = TAKE(cluster);
    return 0;
}

bool chsm_cluster_has_identity(const json_t *cluster, const char *identity_id)
{
    const json_t *identity = json_object_get(cluster, "identity");
    const char *type = chsm_json_str(identity, "type");
    json_t *ids = json_object_get(identity, "userAssignedIdentities");

    if (!identity_id)
        return json_object_size(ids) == 0 && (!type || strcasecmp(type, "None") == 0);
    return type && strcasecmp(type, "UserAssigned") == 0 && json_object_size(ids) == 1 &&
           chsm_arm_id_eq(json_object_iter_key(json_object_iter(ids)), identity_id);
}

json_t *chsm_cluster_identity_object(const char *identity_id)
{
    if (!identity_id)
        return json_pack("{s:s}", "type", "None");
    return json_pack("{s:s, s:{s:{}}}", "type", "UserAssigned", "userAssignedIdentities", identity_id);
}

int chsm_cluster_join(const json_t *list, char **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(LIST_MAX);
    const json_t *each;
    size_t i;

    json_array_foreach (list, i, each)
        if (chsm_buf_addf(&out, err, "%s%s", i ? "; " : "", json_string_value(each)) < 0)
            return -1;
    *ret = chsm_buf_take(&out);
    return *ret ? 0 : chsm_oom(err);
}

int chsm_cluster_prove_rest(const json_t *before, const json_t *after, const char *what, struct chsm_err *err)
{
    json_auto_t *differences = NULL;
    AUTO_FREE char *list = NULL;

    if (chsm_cluster_diff(before, after, &differences, err) < 0)
        return -1;
    if (json_array_size(differences) == 0)
        return 0;
    if (chsm_cluster_join(differences, &list, err) < 0)
        return -1;
    (void)chsm_fail(err, CHSM_SERVICE, "%s, but more than that changed: %s", what, list);
    return chsm_err_hint(err, "put these values back; the values before the arrows are what the cluster had");
}
