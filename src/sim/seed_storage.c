/* SPDX-License-Identifier: Apache-2.0 */
/* Seeding storage accounts with their containers and role assignments, networks, and the state of the subscription. */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "sim/blob.h"
#include "sim/seed_read.h"
#include "util/enc.h"

static const struct {
    const char *name, *id;
} roles[] = {
    { "Storage Blob Data Contributor", SIM_BLOB_CONTRIBUTOR },
    { "Storage Blob Data Reader", SIM_BLOB_READER },
    { "Storage Blob Data Owner", SIM_BLOB_OWNER },
};

/* Puts the members of an optional mapping `properties` into a resource's own. */
static int merge_properties(struct sim_seeding *s, const json_t *item, const char *path, json_t *resource, struct chsm_err *err)
{
    json_t *more = json_object_get(item, "properties");

    if (!more)
        return 0;
    if (!json_is_object(more))
        return sim_seed_bad(s, err, path, "properties must be a mapping");
    return json_object_update(json_object_get(resource, "properties"), more) < 0 ? chsm_oom(err) : 0;
}

/* A container is a name, or a mapping with name and properties. */
static int add_container(struct sim_seeding *s, const json_t *account, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "properties", NULL };
    const char *name = json_string_value(item);
    json_t *made;

    if (!name && (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_str(s, item, path, "name", true, &name, err) < 0))
        return -1;
    if (!sim_container_name_ok(name))
        return sim_seed_bad(s, err, path, "a container's name has 3 to 63 lower-case letters, digits and single hyphens");
    made = sim_container_make(account, name);
    if (!made)
        return chsm_oom(err);
    if (merge_properties(s, item, path, made, err) < 0) {
        json_decref(made);
        return -1;
    }
    return sim_seed_add(s, path, made, err);
}

/* The object id of the identity or the principal that an assignment names; NULL with *err. */
static const char *principal_of(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    const char *identity = NULL, *principal = NULL;
    json_t *each;
    size_t i;

    if (sim_seed_str(s, item, path, "identity", false, &identity, err) < 0 ||
        sim_seed_str(s, item, path, "principal", false, &principal, err) < 0)
        return NULL;
    if (!identity == !principal) {
        (void)sim_seed_bad(s, err, path, "one of 'identity' and 'principal' is needed");
        return NULL;
    }
    if (identity) {
        const char *id =
            json_string_value(chsm_json_get(sim_seed_by_name(s, SIM_IDENTITY_TYPE, identity), "properties.principalId"));

        if (!id)
            (void)sim_seed_bad(s, err, path, "no identity is called '%s'", identity);
        return id;
    }
    json_array_foreach (json_object_get(s->state.root, "principals"), i, each)
        if (chsm_streq(chsm_json_str(each, "name"), principal))
            return chsm_json_str(each, "objectId");
    (void)sim_seed_bad(s, err, path, "no principal is called '%s'", principal);
    return NULL;
}

static int add_role(struct sim_seeding *s, const json_t *account, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "identity", "principal", "role", "container", NULL };
    const char *role = NULL, *container = NULL, *id = chsm_json_str(account, "id"), *who;
    AUTO_FREE char *scope = NULL;
    char guid[37];
    size_t i = 0;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_str(s, item, path, "role", true, &role, err) < 0 ||
        sim_seed_str(s, item, path, "container", false, &container, err) < 0 || chsm_uuid(guid, err) < 0 ||
        !(who = principal_of(s, item, path, err)))
        return -1;
    scope = container ? chsm_strf("%s/blobServices/default/containers/%s", id, container) : chsm_strf("%s", id);
    if (!scope)
        return chsm_oom(err);
    if (!sim_resource(s->state.root, scope))
        return sim_seed_bad(s, err, path, "no container is called '%s'", container);
    while (i < ARRAY_LEN(roles) && !chsm_streq(roles[i].name, role))
        i++;
    if (i == ARRAY_LEN(roles))
        return sim_seed_bad(s, err, path, "role must be '%s', '%s' or '%s'", roles[0].name, roles[1].name, roles[2].name);
    return sim_seed_add(
        s, path,
        json_pack("{s:o,s:s,s:s,s:{s:o,s:s,s:s,s:s}}", "id", json_sprintf("%s/providers/" SIM_ROLE_TYPE "/%s", scope, guid),
                  "name", guid, "type", SIM_ROLE_TYPE, "properties", "roleDefinitionId",
                  json_sprintf("/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/%s", sim_seed_subscription(s),
                               roles[i].id),
                  "principalId", who, "principalType", "ServicePrincipal", "scope", scope),
        err);
}

static int add_account(struct sim_seeding *s, const json_t *item, const char *path, const char *const place[3],
                       struct chsm_err *err)
{
    const json_t *tags = json_object_get(item, "tags");
    json_t *account;

    if (!sim_tags_ok(tags))
        return sim_seed_bad(s, err, path, "tags must be a mapping of strings");
    account = json_pack(
        "{s:o,s:s,s:s,s:s,s:s,s:{s:s,s:s},s:O*,s:{s:s,s:b,s:b,s:s,s:b,s:s,s:{s:s,s:s,s:[],s:[]}},s:{s:O*,s:O*,s:I}}", "id",
        json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_ACCOUNT_TYPE "/%s", sim_seed_subscription(s), place[1],
                     place[0]),
        "name", place[0], "type", SIM_ACCOUNT_TYPE, "location", place[2], "kind", "StorageV2", "sku", "name", "Standard_LRS",
        "tier", "Standard", "tags", tags, "properties", "provisioningState", "Succeeded", "allowSharedKeyAccess", 0,
        "allowBlobPublicAccess", 0, "minimumTlsVersion", "TLS1_2", "supportsHttpsTrafficOnly", 1, "publicNetworkAccess",
        "Enabled", "networkAcls", "bypass", "AzureServices", "defaultAction", "Allow", "ipRules", "virtualNetworkRules", "sim",
        "blobEndpoint", json_object_get(item, "blobEndpoint"), "managementPolicy", json_object_get(item, "managementPolicy"),
        "keyRequests", (json_int_t)json_integer_value(json_object_get(item, "keyRequests")));
    if (!account)
        return chsm_oom(err);
    if (merge_properties(s, item, path, account, err) < 0) {
        json_decref(account);
        return -1;
    }
    return sim_seed_add(s, path, account, err);
}

int sim_seed_account(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name",       "resourceGroup", "location",     "containers",       "roleAssignments",
                                        "properties", "tags",          "blobEndpoint", "managementPolicy", "keyRequests",
                                        NULL };
    const char *place[3] = { NULL }, *endpoint = NULL;
    const json_t *containers = json_object_get(item, "containers"), *assignments = json_object_get(item, "roleAssignments"),
                 *account;
    json_t *one;
    size_t i;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_place(s, item, path, place, err) < 0 ||
        sim_seed_str(s, item, path, "blobEndpoint", false, &endpoint, err) < 0 || add_account(s, item, path, place, err) < 0)
        return -1;
    if ((containers && !json_is_array(containers)) || (assignments && !json_is_array(assignments)))
        return sim_seed_bad(s, err, path, "containers and roleAssignments must be sequences");
    account = sim_seed_by_name(s, SIM_ACCOUNT_TYPE, place[0]);
    json_array_foreach (containers, i, one)
        if (add_container(s, account, one, path, err) < 0)
            return -1;
    json_array_foreach (assignments, i, one) {
        AUTO_FREE char *at = chsm_strf("%s.roleAssignments[%zu]", path, i);

        if (!at || add_role(s, account, one, at, err) < 0)
            return at ? -1 : chsm_oom(err);
    }
    return 0;
}

int sim_seed_network(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "resourceGroup", "location", "subnets", NULL };
    const char *place[3] = { NULL };
    AUTO_FREE char *id = NULL;
    json_auto_t *subnets = json_array();
    json_t *each;
    size_t i;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_place(s, item, path, place, err) < 0)
        return -1;
    id = chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_NETWORK_TYPE "/%s", sim_seed_subscription(s), place[1],
                   place[0]);
    if (!id)
        return chsm_oom(err);
    json_array_foreach (json_object_get(item, "subnets"), i, each) {
        if (!json_is_string(each))
            return sim_seed_bad(s, err, path, "subnets must be a sequence of names");
        if (json_array_append_new(
                subnets, json_pack("{s:o,s:O,s:{s:s}}", "id", json_sprintf("%s/subnets/%s", id, json_string_value(each)), "name",
                                   each, "properties", "provisioningState", "Succeeded")) < 0)
            return chsm_oom(err);
    }
    return sim_seed_add(s, path,
                        json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:O}}", "id", id, "name", place[0], "type", SIM_NETWORK_TYPE,
                                  "location", place[2], "properties", "provisioningState", "Succeeded", "subnets", subnets),
                        err);
}

int sim_seed_subscription_state(struct sim_seeding *s, const json_t *top, struct chsm_err *err)
{
    json_t *providers = json_object_get(top, "providers"), *taken = json_object_get(top, "takenNames");

    if (providers && !sim_tags_ok(providers))
        return sim_seed_bad(s, err, "providers", "must be a mapping of namespaces to Registered or NotRegistered");
    if (taken && !json_is_array(taken))
        return sim_seed_bad(s, err, "takenNames", "must be a sequence of account names");
    if ((providers && json_object_set(s->state.root, "providers", providers) < 0) ||
        (taken && json_object_set(s->state.root, "takenNames", taken) < 0))
        return chsm_oom(err);
    return 0;
}
