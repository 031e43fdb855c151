/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting a cluster, and seeing that it is gone (arm.md §3.4). */
#include "config.h"

#include <strings.h>

#include "azure/cluster_change.h"
#include "azure/lro_poll.h"
#include "azure/resource.h"
#include "util/log.h"
#include "util/safety.h"

#define LOOKS_MAX 20 /* at a cluster that is neither gone nor Deleting after its deletion was accepted */

bool chsm_cluster_may_hold_keys(const json_t *cluster)
{
    const char *activation = chsm_cluster_activation(cluster);

    return strcasecmp(activation, "NotActivated") != 0 && strcasecmp(activation, "NotDefined") != 0;
}

static int guard(const struct chsm_cluster_task *t, const json_t *cluster, const char *confirmed, struct chsm_err *err)
{
    const char *activation = chsm_cluster_activation(cluster);

    if (!chsm_cluster_may_hold_keys(cluster) || (confirmed && strcasecmp(confirmed, t->ref->name) == 0))
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_DELETE_ACTIVE, "%s is %s%s%s", t->ref->name,
                      *activation ? activation : "in an unknown state", confirmed ? ", and what was confirmed is " : "",
                      confirmed ? confirmed : "");
    return chsm_err_hint(err, "its keys are lost with it, but for backups; if that is meant, say --confirm %s", t->ref->name);
}

/* 1: gone; 0: not yet; -1: it will not be. */
static int look(struct chsm_poll *p, struct chsm_lro *l, unsigned *idle, struct chsm_err *err)
{
    struct chsm_err why = { 0 };
    const char *message;

    l->style = CHSM_LRO_RESOURCE;
    if (chsm_poll_once(p, l, NULL, &why) < 0) {
        if (chsm_arm_absent(&why))
            return 1;
        if (err)
            *err = why;
        return -1;
    }
    message = json_string_value(chsm_json_get(l->body, "properties.statusMessage"));
    if (l->state == CHSM_LRO_FAILED || l->state == CHSM_LRO_CANCELED)
        return chsm_fail(err, CHSM_SERVICE, "the deletion ended as %s: %s", l->status,
                         message ? message : "the service says no more");
    if (l->state == CHSM_LRO_SUCCEEDED && ++*idle == LOOKS_MAX)
        return chsm_fail(err, CHSM_SERVICE, "the cluster is still there, and is not being deleted");
    return 0;
}

int chsm_cluster_wait_gone(const struct chsm_cluster_task *t, struct chsm_err *err)
{
    struct chsm_poll p = { .arm = t->arm, .deadline = t->deadline, .watch = t->watch, .ctx = t->ctx, .began = chsm_mono() };
    AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_RESOURCE, .wait = -1 };
    AUTO_FREE char *id = NULL;
    unsigned idle = 0;

    if (chsm_cluster_id(t->ref, &id, err) < 0)
        return -1;
    l.url = chsm_resource_path(id, NULL, CHSM_CLOUDHSM_API);
    if (!l.url)
        return chsm_oom(err);
    for (;;) {
        int gone = look(&p, &l, &idle, err);

        if (gone != 0)
            return gone < 0 ? chsm_err_prefix(err, "cluster %s", t->ref->name) : 0;
        if (chsm_poll_pause(&p, &l, err) < 0)
            return chsm_err_prefix(err, "cluster %s is not gone yet", t->ref->name);
    }
}

/*
 * The status of a deletion lies at the scope of the subscription (arm.md §3.4): who may only see the group may not read it, and it
 * is forgotten sooner or later. Then the cluster itself tells, too.
 */
static int follow(const struct chsm_cluster_task *t, struct chsm_lro *l, struct chsm_err *err)
{
    AUTO_FREE char *what = chsm_strf("the deletion of cluster %s", t->ref->name);
    struct chsm_err why = { 0 };

    if (!what)
        return chsm_oom(err);
    if (chsm_lro_wait(t->arm, l, t->deadline, t->watch, t->ctx, &why) == 0)
        return l->state == CHSM_LRO_SUCCEEDED ? 0 : chsm_lro_failed(l, what, err);
    if (why.http == 403 || why.http == 404) {
        chsm_log(CHSM_LOG_NOTE, "%s; looking at the cluster instead", why.text);
        return 0;
    }
    if (err)
        *err = why;
    return chsm_err_prefix(err, "%s was accepted and goes on", what);
}

static int send_delete(const struct chsm_cluster_task *t, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO(chsm_lro_done) struct chsm_lro l = { 0 };
    json_auto_t *answer = NULL;
    struct chsm_err why = { 0 };

    if (chsm_cluster_id(t->ref, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_CLOUDHSM_API);
    if (!path)
        return chsm_oom(err);
    if (chsm_arm_do(t->arm, "DELETE", path, NULL, CHSM_REPEAT_SAFE, t->deadline, &r, &answer, &why) < 0 &&
        !chsm_arm_absent(&why)) {
        if (err)
            *err = why;
        return -1;
    }
    /* Without an address for the operation the cluster itself tells when it is gone. */
    if (t->no_wait || ((!r.location || !*r.location) && (!r.async_operation || !*r.async_operation)))
        return 0;
    if (chsm_lro_begin(&l, &r, answer, NULL, err) < 0)
        return -1;
    return follow(t, &l, err);
}

int chsm_cluster_delete(const struct chsm_cluster_task *t, const char *confirmed, bool *ret_was_there, struct chsm_err *err)
{
    json_auto_t *cluster = NULL;
    bool deleting;

    if (chsm_cluster_find(t->arm, t->ref, t->deadline, &cluster, err) < 0)
        return -1;
    if (!cluster) {
        *ret_was_there = false;
        return 0;
    }
    deleting = strcasecmp(chsm_cluster_provisioning(cluster), "Deleting") == 0;
    if (!deleting && guard(t, cluster, confirmed, err) < 0)
        return -1;
    if ((!deleting && send_delete(t, err) < 0) || (!t->no_wait && chsm_cluster_wait_gone(t, err) < 0))
        return chsm_cluster_goes_on(t, " --deleted", err);
    *ret_was_there = true;
    return 0;
}
