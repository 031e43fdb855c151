/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of storage and of what belongs to it. */
#include "config.h"

#include "sim/arm.h"

static const char *const storage_versions[] = { "2023-05-01", "2024-01-01", "2025-06-01", "2025-08-01", NULL };
static const char *const role_versions[] = { "2022-04-01", NULL };

static const struct sim_type account_type = { SIM_ACCOUNT_TYPE, storage_versions };
static const struct sim_type container_type = { SIM_CONTAINER_TYPE, storage_versions };
static const struct sim_type role_type = { SIM_ROLE_TYPE, role_versions };

#define SUB "/subscriptions/{}"
#define GROUP SUB "/resourceGroups/{}"
#define STORAGE "/providers/Microsoft.Storage/storageAccounts"
#define ACCOUNT GROUP STORAGE "/{}"
#define CONTAINERS ACCOUNT "/blobServices/default/containers"
#define ROLES "/providers/Microsoft.Authorization/roleAssignments"

#define ROLES_AT(scope)                                         \
    { "GET", scope ROLES, &role_type, sim_arm_roles_list },     \
    { "GET", scope ROLES "/{}", &role_type, sim_arm_role_get }, \
    { "PUT", scope ROLES "/{}", &role_type, sim_arm_role_put }, \
    { "DELETE", scope ROLES "/{}", &role_type, sim_arm_role_delete }

const struct sim_route sim_storage_routes[] = {
    { "GET", GROUP STORAGE, &account_type, sim_arm_resource_list },
    { "GET", SUB STORAGE, &account_type, sim_arm_resource_list },
    { "GET", ACCOUNT, &account_type, sim_arm_resource_get },
    { "GET", CONTAINERS, &container_type, sim_arm_resource_list },
    { "GET", CONTAINERS "/{}", &container_type, sim_arm_container_get },
    { "PUT", CONTAINERS "/{}", &container_type, sim_arm_container_put },
    { "PATCH", CONTAINERS "/{}", &container_type, sim_arm_container_put },
    { "DELETE", CONTAINERS "/{}", &container_type, sim_arm_container_delete },
    ROLES_AT(SUB),
    ROLES_AT(GROUP),
    ROLES_AT(ACCOUNT),
    ROLES_AT(CONTAINERS "/{}"),
    { 0 },
};
