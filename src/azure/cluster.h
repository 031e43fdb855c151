/* SPDX-License-Identifier: Apache-2.0 */
/* Cloud HSM clusters: read, wait, create, change, delete, and the managed identity (facts: arm.md §3). */
#ifndef CHSM_AZURE_CLUSTER_H
#define CHSM_AZURE_CLUSTER_H

#include "azure/lro.h"

#define CHSM_CLOUDHSM_API "2025-03-31"
#define CHSM_CLUSTER_SKU "Standard_B1"      /* what a cluster gets when none is named, as with az */

struct chsm_cluster_ref { const char *subscription, *group, *name; };

/* "/subscriptions/.../cloudHsmClusters/NAME", malloc()ed; CHSM_USAGE when a part breaks Azure's naming rules. */
CHSM_MUST_CHECK int chsm_cluster_id(const struct chsm_cluster_ref *ref, char **ret, struct chsm_err *err);

CHSM_MUST_CHECK int chsm_cluster_get(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, chsm_deadline d, json_t **ret,
                                     struct chsm_err *err);

/* The same, but a cluster that is not there is no error: *ret is NULL then. A missing group or subscription is one. */
CHSM_MUST_CHECK int chsm_cluster_find(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, chsm_deadline d, json_t **ret,
                                      struct chsm_err *err);

/* group NULL = the whole subscription. *ret = array of resources. */
CHSM_MUST_CHECK int chsm_cluster_list(struct chsm_arm *arm, const char *subscription, const char *group, chsm_deadline d,
                                      json_t **ret, struct chsm_err *err);

/* "Succeeded", "NotActivated", ...: borrowed from the resource, "" when absent. */
const char *chsm_cluster_provisioning(const json_t *cluster);
const char *chsm_cluster_activation(const json_t *cluster);

/*
 * Polls until provisioningState is Succeeded and, when `activation` is given, activationState equals it in any case of letters.
 * Failed and Canceled end it with CHSM_SERVICE and the cluster's statusMessage.
 */
CHSM_MUST_CHECK int chsm_cluster_wait(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, const char *activation,
                                      chsm_deadline d, chsm_lro_watch *watch, void *ctx, json_t **ret, struct chsm_err *err);

/* What everything that changes a cluster has in common; all of it is borrowed. */
struct chsm_cluster_task {
    struct chsm_arm *arm;
    const struct chsm_cluster_ref *ref;
    chsm_deadline deadline;
    chsm_lro_watch *watch;      /* NULL = nobody looks on */
    void *ctx;
    bool no_wait;               /* return when the service has accepted the change: nothing is proven then */
};

struct chsm_cluster_result {
    bool changed;               /* false: it was already so, nothing was sent */
    json_t *cluster;            /* as read last; the caller's */
};

struct chsm_cluster_spec {      /* what a new cluster is to be; NULL = not said */
    const char *location;       /* as chsm_location_normal() gives it */
    const char *sku;            /* NULL: CHSM_CLUSTER_SKU */
    const char *label_scope;    /* chsm_label_scope() */
    const char *identity;       /* id of a user-assigned identity */
    const json_t *tags;
};

/* "tenantreuse" -> "TenantReuse" (SubscriptionReuse, ResourceGroupReuse, NoReuse); NULL when there is no such scope. */
const char *chsm_label_scope(const char *name);

/*
 * PUT, wait until it is Succeeded, and see that it is what was asked for. A cluster that is there and has what is said in
 * `spec` is left alone (and waited for when it is still being made); one that differs is refused (rule cluster-differs).
 * A lost answer is no failure when the cluster that was asked for is there afterwards.
 */
CHSM_MUST_CHECK int chsm_cluster_create(const struct chsm_cluster_task *t, const struct chsm_cluster_spec *spec,
                                        struct chsm_cluster_result *ret, struct chsm_err *err);

/* The body of that PUT; location has to be given. Pure; *ret is a new object. */
CHSM_MUST_CHECK int chsm_cluster_create_body(const struct chsm_cluster_spec *spec, json_t **ret, struct chsm_err *err);

/* How `cluster` differs from what is said in `spec`: array of "what: X instead of Y". Pure. */
CHSM_MUST_CHECK int chsm_cluster_differs(const json_t *cluster, const struct chsm_cluster_spec *spec, json_t **ret,
                                         struct chsm_err *err);

/* Replaces all tags by PATCH, and proves that nothing else changed. Nothing is sent when they are so already. */
CHSM_MUST_CHECK int chsm_cluster_retag(const struct chsm_cluster_task *t, const json_t *tags, struct chsm_cluster_result *ret,
                                       struct chsm_err *err);

/*
 * DELETE, and wait until it is gone. A cluster that may hold keys (its activationState is neither NotActivated nor
 * NotDefined) is deleted only when `confirmed` is its name (rule delete-active); NULL = not confirmed.
 * *ret_was_there: false when there was none, and nothing was sent.
 */
CHSM_MUST_CHECK int chsm_cluster_delete(const struct chsm_cluster_task *t, const char *confirmed, bool *ret_was_there,
                                        struct chsm_err *err);

/* Polls until there is no such cluster any more; CHSM_SERVICE with its statusMessage when its deletion fails. */
CHSM_MUST_CHECK int chsm_cluster_wait_gone(const struct chsm_cluster_task *t, struct chsm_err *err);

/*
 * Makes `identity_id` the cluster's one user-assigned identity: GET, merge, PUT (or PATCH with use_patch), wait, GET, and
 * prove that nothing but the identity has changed (arm.md §2.5, §3.2). Nothing is sent when it is already so. A cluster
 * with another identity is refused (rule second-identity): the service takes one.
 */
CHSM_MUST_CHECK int chsm_cluster_identity_apply(const struct chsm_cluster_task *t, const char *identity_id, bool use_patch,
                                                struct chsm_cluster_result *ret, struct chsm_err *err);

/* The rule second-identity alone, on a cluster as read: for who wants to know before anything else is done. Pure. */
CHSM_MUST_CHECK int chsm_cluster_identity_guard(const json_t *cluster, const char *identity_id, struct chsm_err *err);

/*
 * Takes the cluster's identity away, by the same way with PUT. Nothing is sent when it has none. With `identity_id` only that
 * one: a cluster with another identity is refused (rule other-identity).
 */
CHSM_MUST_CHECK int chsm_cluster_identity_remove(const struct chsm_cluster_task *t, const char *identity_id,
                                                 struct chsm_cluster_result *ret, struct chsm_err *err);

/* The body of that PUT: what may be written, and nothing read-only; identity_id NULL = none. Pure; *ret is a new object. */
CHSM_MUST_CHECK int chsm_cluster_put_body(const json_t *cluster, const char *identity_id, json_t **ret, struct chsm_err *err);

/* What differs between two readings besides identity, systemData and the read-only state: array of "path: old -> new". */
CHSM_MUST_CHECK int chsm_cluster_diff(const json_t *before, const json_t *after, json_t **ret, struct chsm_err *err);

#endif
