/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/cluster.h"
#include "azure/lro_poll.h"
#include "azure/resource.h"

#define CLUSTERS "/providers/Microsoft.HardwareSecurityModules/cloudHsmClusters"

int chsm_cluster_id(const struct chsm_cluster_ref *ref, char **ret, struct chsm_err *err)
{
    char *id;

    if (chsm_name_subscription(ref->subscription, err) < 0 || chsm_name_group(ref->group, err) < 0 ||
        chsm_name_cluster(ref->name, err) < 0)
        return -1;
    id = chsm_strf("/subscriptions/%s/resourceGroups/%s" CLUSTERS "/%s", ref->subscription, ref->group, ref->name);
    if (!id)
        return chsm_oom(err);
    *ret = id;
    return 0;
}

static int read_resource(struct chsm_arm *arm, const char *id, const char *api, chsm_deadline d, json_t **ret,
                         struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_resource_path(id, NULL, api);
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *body = NULL;

    if (!path)
        return chsm_oom(err);
    if (chsm_arm_do(arm, "GET", path, NULL, CHSM_REPEAT_SAFE, d, &r, &body, err) < 0)
        return -1;
    if (!json_is_object(body))
        return chsm_fail(err, CHSM_SERVICE, "GET %s: HTTP %ld without a resource", id, r.status);
    *ret = TAKE(body);
    return 0;
}

int chsm_cluster_get(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, chsm_deadline d, json_t **ret,
                     struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;

    if (chsm_cluster_id(ref, &id, err) < 0)
        return -1;
    return read_resource(arm, id, CHSM_CLOUDHSM_API, d, ret, err);
}

int chsm_cluster_find(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, chsm_deadline d, json_t **ret,
                      struct chsm_err *err)
{
    struct chsm_err why = { 0 };
    json_t *cluster = NULL;

    if (chsm_cluster_get(arm, ref, d, &cluster, &why) < 0 && !chsm_arm_absent(&why)) {
        if (err)
            *err = why;
        return -1;
    }
    *ret = cluster;
    return 0;
}

int chsm_cluster_list(struct chsm_arm *arm, const char *subscription, const char *group, chsm_deadline d, json_t **ret,
                      struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;

    if (chsm_name_subscription(subscription, err) < 0 || (group && chsm_name_group(group, err) < 0))
        return -1;
    id = group ? chsm_strf("/subscriptions/%s/resourceGroups/%s", subscription, group)
               : chsm_strf("/subscriptions/%s", subscription);
    path = id ? chsm_resource_path(id, CLUSTERS, CHSM_CLOUDHSM_API) : NULL;
    if (!path)
        return chsm_oom(err);
    return chsm_arm_list(arm, path, d, ret, err);
}

static const char *property(const json_t *cluster, const char *path)
{
    const char *s = json_string_value(chsm_json_get(cluster, path));

    return s ? s : "";
}

const char *chsm_cluster_provisioning(const json_t *cluster)
{
    return property(cluster, "properties.provisioningState");
}

const char *chsm_cluster_activation(const json_t *cluster)
{
    return property(cluster, "properties.activationState");
}

/* 1: as wanted; 0: not yet; -1: it will not be. */
static int judge(const struct chsm_lro *l, const char *id, const char *activation, struct chsm_err *err)
{
    const char *message = property(l->body, "properties.statusMessage");
    const char *active = chsm_cluster_activation(l->body);

    if (!l->body || l->state == CHSM_LRO_RUNNING)
        return 0;
    if (l->state != CHSM_LRO_SUCCEEDED)
        return chsm_fail(err, CHSM_SERVICE, "cluster %s is %s: %s", id, l->status ? l->status : "not usable",
                         *message ? message : "the service says no more");
    if (!activation || strcasecmp(active, activation) == 0)
        return 1;
    if (strcasecmp(active, "Failed") == 0)
        return chsm_fail(err, CHSM_SERVICE, "the activation of cluster %s has failed: %s", id,
                         *message ? message : "the service says no more");
    return 0;
}

static int watch_cluster(struct chsm_poll *p, struct chsm_lro *l, const char *id, const char *activation, struct chsm_err *err)
{
    for (;;) {
        int verdict;

        /* A state of Succeeded is not the end here: activation may be yet to come. */
        l->style = CHSM_LRO_RESOURCE;
        if (chsm_poll_once(p, l, NULL, err) < 0)
            return -1;
        verdict = judge(l, id, activation, err);
        if (verdict != 0)
            return verdict < 0 ? -1 : 0;
        if (chsm_poll_pause(p, l, err) < 0)
            return chsm_err_prefix(err, "cluster %s is %s, %s", id,
                                   l->body ? chsm_cluster_provisioning(l->body) : "in an unknown state",
                                   l->body ? chsm_cluster_activation(l->body) : "activation unknown");
    }
}

int chsm_cluster_wait(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, const char *activation, chsm_deadline d,
                      chsm_lro_watch *watch, void *ctx, json_t **ret, struct chsm_err *err)
{
    struct chsm_poll p = { .arm = arm, .deadline = d, .watch = watch, .ctx = ctx, .began = chsm_mono() };
    AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_RESOURCE, .wait = -1 };
    AUTO_FREE char *id = NULL;

    if (chsm_cluster_id(ref, &id, err) < 0)
        return -1;
    l.url = chsm_resource_path(id, NULL, CHSM_CLOUDHSM_API);
    if (!l.url)
        return chsm_oom(err);
    if (watch_cluster(&p, &l, id, activation, err) < 0)
        return -1;
    if (ret)
        *ret = TAKE(l.body);
    return 0;
}
