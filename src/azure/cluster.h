/* SPDX-License-Identifier: Apache-2.0 */
/* Cloud HSM clusters: read, wait, and the managed identity (facts: arm.md §3). */
#ifndef CHSM_AZURE_CLUSTER_H
#define CHSM_AZURE_CLUSTER_H

#include "azure/lro.h"

#define CHSM_CLOUDHSM_API "2025-03-31"

struct chsm_cluster_ref { const char *subscription, *group, *name; };

/* "/subscriptions/.../cloudHsmClusters/NAME", malloc()ed; CHSM_USAGE when a part breaks Azure's naming rules. */
CHSM_MUST_CHECK int chsm_cluster_id(const struct chsm_cluster_ref *ref, char **ret, struct chsm_err *err);

CHSM_MUST_CHECK int chsm_cluster_get(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, chsm_deadline d, json_t **ret,
                                     struct chsm_err *err);

/* group NULL = the whole subscription. *ret = array of resources. */
CHSM_MUST_CHECK int chsm_cluster_list(struct chsm_arm *arm, const char *subscription, const char *group, chsm_deadline d,
                                      json_t **ret, struct chsm_err *err);

/* "Succeeded", "NotActivated", ...: borrowed from the resource, "" when absent. */
const char *chsm_cluster_provisioning(const json_t *cluster);
const char *chsm_cluster_activation(const json_t *cluster);

/*
 * Polls until provisioningState is Succeeded and, when `activation` is given, activationState equals it. Failed and
 * Canceled end it with CHSM_SERVICE and the cluster's statusMessage.
 */
CHSM_MUST_CHECK int chsm_cluster_wait(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, const char *activation,
                                      chsm_deadline d, chsm_lro_watch *watch, void *ctx, json_t **ret, struct chsm_err *err);

struct chsm_identity_result {
    bool changed;           /* false: it was already so, nothing was sent */
    json_t *cluster;        /* as read last */
};

/*
 * Makes `identity_id` the cluster's one user-assigned identity: GET, merge, PUT (or PATCH with use_patch), wait, GET, and
 * prove that nothing but the identity has changed (arm.md §2.5, §3.2). Nothing is sent when it is already so. A cluster
 * with another identity is refused (rule second-identity): the service takes one.
 */
CHSM_MUST_CHECK int chsm_cluster_identity_apply(struct chsm_arm *arm, const struct chsm_cluster_ref *ref, const char *identity_id,
                                                bool use_patch, chsm_deadline d, chsm_lro_watch *watch, void *ctx,
                                                struct chsm_identity_result *ret, struct chsm_err *err);

/* The body of that PUT: what may be written, and nothing read-only. Pure; *ret is a new object. */
CHSM_MUST_CHECK int chsm_cluster_put_body(const json_t *cluster, const char *identity_id, json_t **ret, struct chsm_err *err);

/* What differs between two readings besides identity, systemData and the read-only state: array of "path: old -> new". */
CHSM_MUST_CHECK int chsm_cluster_diff(const json_t *before, const json_t *after, json_t **ret, struct chsm_err *err);

/* GET of a user-assigned identity resource. */
CHSM_MUST_CHECK int chsm_identity_get(struct chsm_arm *arm, const char *identity_id, chsm_deadline d, json_t **ret,
                                      struct chsm_err *err);

#endif
