/* SPDX-License-Identifier: Apache-2.0 */
/* Azure Resource Manager, simulated: what its parts share. */
#ifndef CHSM_SIM_ARM_H
#define CHSM_SIM_ARM_H

#include "sim/cloud.h"
#include "sim/jobs.h"

#define SIM_GROUP_TYPE "Microsoft.Resources/resourceGroups"
#define SIM_IDENTITY_TYPE "Microsoft.ManagedIdentity/userAssignedIdentities"
#define SIM_ACCOUNT_TYPE "Microsoft.Storage/storageAccounts"
#define SIM_CONTAINER_TYPE "Microsoft.Storage/storageAccounts/blobServices/containers"
#define SIM_NETWORK_TYPE "Microsoft.Network/virtualNetworks"
#define SIM_ENDPOINT_TYPE "Microsoft.Network/privateEndpoints"
#define SIM_ROLE_TYPE "Microsoft.Authorization/roleAssignments"
#define SIM_BLOB_CONTRIBUTOR "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
#define SIM_BLOB_OWNER "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
#define SIM_BLOB_READER "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"

struct sim_type {
    const char *name;               /* "Microsoft.Storage/storageAccounts" */
    const char *const *versions;    /* NULL-terminated */
};

/* Handlers: 0 = answered, -1 = the simulator failed. The route table is in arm.c. */
typedef int sim_arm_handler(struct sim_call *c, struct chsm_err *err);
sim_arm_handler sim_arm_subscription, sim_arm_subscriptions, sim_arm_group_get, sim_arm_group_put, sim_arm_resource_get, sim_arm_resource_list,
    sim_arm_resource_delete, sim_arm_identity_put;
sim_arm_handler sim_arm_group_patch, sim_arm_group_delete, sim_arm_group_operation;
sim_arm_handler sim_arm_account_put, sim_arm_account_patch, sim_arm_account_delete, sim_arm_account_keys, sim_arm_check_name,
    sim_arm_management_policy, sim_arm_storage_operation, sim_arm_metrics;
sim_arm_handler sim_arm_endpoint_put, sim_arm_network_operation, sim_arm_provider;
sim_arm_handler sim_arm_container_get, sim_arm_container_put, sim_arm_container_delete;
sim_arm_handler sim_arm_roles_list, sim_arm_role_put, sim_arm_role_get, sim_arm_role_delete;
sim_arm_handler sim_arm_cluster_put, sim_arm_cluster_patch, sim_arm_cluster_delete, sim_arm_cluster_delete_status;
sim_arm_handler sim_arm_backup, sim_arm_restore, sim_arm_validate_backup, sim_arm_validate_restore, sim_arm_job_status;

struct sim_route {
    const char *method, *pattern;   /* "/subscriptions/{}": each {} is one of sim_call.arg */
    const struct sim_type *type;
    sim_arm_handler *handler;
};
extern const struct sim_route sim_storage_routes[];     /* storage, roles, networks, providers; ended by a row without method */

/* The metadata document; needs no token. */
sim_arm_handler sim_arm_metadata;

/* The full id of what the request's path names, with ARM's spelling of the fixed parts; the caller frees it. NULL: no memory. */
char *sim_arm_id(const struct sim_call *c);

/* Answers with a resource, without what only the simulator knows. */
CHSM_MUST_CHECK int sim_arm_show(struct sim_call *c, unsigned status, const json_t *resource, struct chsm_err *err);

/* 404 ResourceNotFound for what the path names. */
CHSM_MUST_CHECK int sim_arm_not_found(struct sim_call *c, struct chsm_err *err);

/*
 * A container URI as it stands in a request: gives the container's ARM id; the caller frees it. NULL when the URI names no
 * container of this cloud, or memory is out. Accounts answer to https://ACCOUNT.blob.core.windows.net/CONTAINER and to this
 * simulator's own addresses (https://ACCOUNT.blob.localhost:PORT/CONTAINER and https://127.0.0.1:PORT/ACCOUNT/CONTAINER).
 */
char *sim_container_id(const struct sim_call *c, const char *uri);

/*
 * Whether a principal has `role`, or one that includes it, on a scope or anything above it, in effect by now: a new
 * assignment takes the timing "roleDelay".
 */
bool sim_role_has(const json_t *root, const char *principal_id, const char *role, const char *scope);

/* createdBy ... of a resource that is made or changed now by the caller; NULL when out of memory. */
json_t *sim_system_data(const json_t *before, int64_t now);

/* Remembers which resource an operation is about. */
CHSM_MUST_CHECK int sim_operation_add(struct sim_call *c, const char *operation, const char *id, struct chsm_err *err);

/* Ends one deletion of a group that was due by now. */
CHSM_MUST_CHECK int sim_arm_groups_settle(struct sim_call *c, struct chsm_err *err);

/* Ends what was due by now: new accounts and private endpoints. */
CHSM_MUST_CHECK int sim_arm_settle(struct sim_call *c, struct chsm_err *err);

/* Answers 409 to a change when the provider of this type is not registered with the subscription. */
CHSM_MUST_CHECK int sim_arm_check_provider(struct sim_call *c, const char *type, struct chsm_err *err);

/* 36 hexadecimal digits and hyphens. */
bool sim_is_uuid(const char *s);

/* Two JSON tag objects are well-formed: an object of strings. */
bool sim_tags_ok(const json_t *tags);

#endif
