/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of storage and of what belongs to it. */
#include "config.h"

#include "sim/arm.h"

static const char *const storage_versions[] = { "2023-05-01", "2024-01-01", "2025-06-01", "2025-08-01", NULL };
static const char *const metric_versions[] = { "2018-01-01", "2023-10-01", "2024-02-01", NULL };
static const char *const network_versions[] = { "2023-09-01", "2024-01-01", "2024-05-01", "2025-07-01", NULL };
static const char *const provider_versions[] = { "2021-04-01", "2022-09-01", "2024-03-01", "2025-04-01", NULL };
static const char *const role_versions[] = { "2022-04-01", NULL };

static const struct sim_type group_type = { SIM_GROUP_TYPE, provider_versions };
static const struct sim_type account_type = { SIM_ACCOUNT_TYPE, storage_versions };
static const struct sim_type container_type = { SIM_CONTAINER_TYPE, storage_versions };
static const struct sim_type metric_type = { "Microsoft.Insights/metrics", metric_versions };
static const struct sim_type network_type = { SIM_NETWORK_TYPE, network_versions };
static const struct sim_type endpoint_type = { SIM_ENDPOINT_TYPE, network_versions };
static const struct sim_type provider_type = { "Microsoft.Resources/providers", provider_versions };
static const struct sim_type role_type = { SIM_ROLE_TYPE, role_versions };

#define SUB        "/subscriptions/{}"
#define GROUP      SUB "/resourceGroups/{}"
#define STORAGE    "/providers/Microsoft.Storage/storageAccounts"
#define ACCOUNT    GROUP STORAGE "/{}"
#define CONTAINERS ACCOUNT "/blobServices/default/containers"
#define NETWORKS   "/providers/Microsoft.Network/virtualNetworks"
#define ENDPOINTS  "/providers/Microsoft.Network/privateEndpoints"
#define ROLES      "/providers/Microsoft.Authorization/roleAssignments"

#define ROLES_AT(scope)                                                                                                          \
    { "GET", scope ROLES, &role_type, sim_arm_roles_list }, { "GET", scope ROLES "/{}", &role_type, sim_arm_role_get },          \
        { "PUT", scope ROLES "/{}", &role_type, sim_arm_role_put },                                                              \
    {                                                                                                                            \
        "DELETE", scope ROLES "/{}", &role_type, sim_arm_role_delete                                                             \
    }

const struct sim_route sim_storage_routes[] = {
    { "PATCH", GROUP, &group_type, sim_arm_group_patch },
    { "DELETE", GROUP, &group_type, sim_arm_group_delete },
    { "GET", SUB "/operationresults/{}", &group_type, sim_arm_group_operation },
    { "GET", GROUP STORAGE, &account_type, sim_arm_resource_list },
    { "GET", SUB STORAGE, &account_type, sim_arm_resource_list },
    { "GET", ACCOUNT, &account_type, sim_arm_resource_get },
    { "PUT", ACCOUNT, &account_type, sim_arm_account_put },
    { "PATCH", ACCOUNT, &account_type, sim_arm_account_patch },
    { "DELETE", ACCOUNT, &account_type, sim_arm_account_delete },
    { "POST", ACCOUNT "/listKeys", &account_type, sim_arm_account_keys },
    { "GET", ACCOUNT "/managementPolicies/default", &account_type, sim_arm_management_policy },
    { "POST", SUB "/providers/Microsoft.Storage/checkNameAvailability", &account_type, sim_arm_check_name },
    { "GET", SUB "/providers/Microsoft.Storage/locations/{}/asyncoperations/{}", &account_type, sim_arm_storage_operation },
    { "GET", ACCOUNT "/providers/Microsoft.Insights/metrics", &metric_type, sim_arm_metrics },
    { "GET", GROUP NETWORKS "/{}", &network_type, sim_arm_resource_get },
    { "GET", GROUP ENDPOINTS, &endpoint_type, sim_arm_resource_list },
    { "GET", GROUP ENDPOINTS "/{}", &endpoint_type, sim_arm_resource_get },
    { "PUT", GROUP ENDPOINTS "/{}", &endpoint_type, sim_arm_endpoint_put },
    { "DELETE", GROUP ENDPOINTS "/{}", &endpoint_type, sim_arm_resource_delete },
    { "GET", SUB "/providers/Microsoft.Network/locations/{}/operations/{}", &endpoint_type, sim_arm_network_operation },
    { "GET", SUB "/providers/{}", &provider_type, sim_arm_provider },
    { "POST", SUB "/providers/{}/register", &provider_type, sim_arm_provider },
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
