/* SPDX-License-Identifier: Apache-2.0 */
/* Storage accounts by the control plane (facts: arm.md §4.3). */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "sim/arm.h"
#include "sim/token.h"
#include "util/clock.h"
#include "util/enc.h"

static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    return n >= 3 && n <= 24 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == n;
}

/* Account names are host names: taken by this subscription's own accounts, or by anybody else's. */
static const json_t *name_taken(const json_t *root, const char *name, bool *ret_elsewhere)
{
    const char *key;
    json_t *each;
    size_t i;

    json_object_foreach (json_object_get(root, "resources"), key, each)
        if (sim_resource_is(each, SIM_ACCOUNT_TYPE) && strcasecmp(chsm_json_str(each, "name"), name) == 0)
            return each;
    json_array_foreach (json_object_get(root, "takenNames"), i, each)
        if (chsm_streq(json_string_value(each), name))
            *ret_elsewhere = true;
    return NULL;
}

static int bad_value(struct sim_call *c, struct chsm_err *err, const char *what)
{
    return sim_arm_fail(c, err, 400, "InvalidValuesForRequestParameters", "Values for request parameters are invalid: %s.", what);
}

static bool one_of(const char *value, const char *const *allowed)
{
    for (; value && *allowed; allowed++)
        if (chsm_streq(value, *allowed))
            return true;
    return false;
}

/* The properties that a body may set, each with its type and values. */
static int check_properties(struct sim_call *c, const json_t *p, struct chsm_err *err)
{
    static const char *const flags[] = { "allowSharedKeyAccess", "allowBlobPublicAccess",        "supportsHttpsTrafficOnly",
                                         "isHnsEnabled",         "defaultToOAuthAuthentication", NULL };
    static const char *const objects[] = {
        "networkAcls", "encryption", "sasPolicy", "keyPolicy", "immutableStorageWithVersioning", NULL
    };
    static const char *const tls[] = { "TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3", NULL },
                             *const open[] = { "Enabled", "Disabled", "SecuredByPerimeter", NULL },
                             *const actions[] = { "Allow", "Deny", NULL };
    const json_t *acls = json_object_get(p, "networkAcls");
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)p, key, value) {
        bool known = one_of(key, flags)                       ? json_is_boolean(value)
                     : one_of(key, objects)                   ? json_is_object(value)
                     : chsm_streq(key, "minimumTlsVersion")   ? one_of(json_string_value(value), tls)
                     : chsm_streq(key, "publicNetworkAccess") ? one_of(json_string_value(value), open)
                                                              : chsm_streq(key, "accessTier");

        if (!known)
            return bad_value(c, err, key);
    }
    if (acls && !one_of(chsm_json_str(acls, "defaultAction"), actions))
        return bad_value(c, err, "networkAcls.defaultAction");
    return 0;
}

static int check_put(struct sim_call *c, struct chsm_err *err)
{
    static const char *const kinds[] = { "Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage", NULL };
    static const char *const skus[] = { "Standard_LRS", "Standard_GRS",  "Standard_RAGRS",
                                        "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS",
                                        "Premium_LRS",  "Premium_ZRS",   NULL };

    if (!name_ok(c->arg[2]))
        return sim_arm_fail(c, err, 400, "AccountNameInvalid",
                            "%s is not a valid storage account name. Storage account name must be between 3 "
                            "and 24 characters in length and use numbers and lower-case letters only.",
                            c->arg[2]);
    if (!c->body)
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The request content must not be empty.");
    if (!chsm_json_str(c->body, "location"))
        return sim_arm_fail(c, err, 400, "LocationRequired", "The location property is required for this definition.");
    if (!one_of(chsm_json_str(c->body, "kind"), kinds))
        return bad_value(c, err, "kind");
    if (!one_of(chsm_json_str(json_object_get(c->body, "sku"), "name"), skus))
        return bad_value(c, err, "sku");
    if (!sim_tags_ok(json_object_get(c->body, "tags")))
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The tags must be an object of strings.");
    return check_properties(c, json_object_get(c->body, "properties"), err);
}

/* What Azure fills in when a body leaves it out. */
static json_t *fresh_properties(const json_t *asked)
{
    json_t *p = json_pack("{s:s,s:s,s:b,s:s,s:{s:s,s:s,s:[],s:[]}}", "provisioningState", "Creating", "minimumTlsVersion",
                          "TLS1_0", "supportsHttpsTrafficOnly", 1, "publicNetworkAccess", "Enabled", "networkAcls", "bypass",
                          "AzureServices", "defaultAction", "Allow", "ipRules", "virtualNetworkRules");

    if (p && asked && json_object_update(p, (json_t *)asked) < 0) {
        json_decref(p);
        return NULL;
    }
    return p;
}

static int create(struct sim_call *c, const char *id, struct chsm_err *err)
{
    char operation[37];
    int64_t retry = sim_timing(c->root, "retryAfter");
    json_t *account;

    if (chsm_uuid(operation, err) < 0)
        return -1;
    account = json_pack("{s:s,s:s,s:s,s:O,s:O,s:O,s:O*,s:o,s:{s:I}}", "id", id, "name", c->arg[2], "type", SIM_ACCOUNT_TYPE,
                        "location", json_object_get(c->body, "location"), "kind", json_object_get(c->body, "kind"), "sku",
                        json_object_get(c->body, "sku"), "tags", json_object_get(c->body, "tags"), "properties",
                        fresh_properties(json_object_get(c->body, "properties")), "sim", "readyAt",
                        (json_int_t)(c->now + sim_timing(c->root, "storage")));
    c->state->dirty = true;
    if (!account || sim_resource_put(c->root, account, err) < 0 || sim_operation_add(c, operation, id, err) < 0)
        return chsm_oom(err);
    sim_answer_empty(c->an, 202);
    if (retry >= 0 && sim_answer_header(c->an, err, "Retry-After", "%lld", (long long)(retry + 999) / 1000) < 0)
        return -1;
    return sim_answer_header(c->an, err, "Location",
                             "%s/subscriptions/%s/providers/Microsoft.Storage/locations/%s/asyncoperations/%s?"
                             "monitor=true&api-version=%s",
                             c->cloud->url[SIM_ARM], c->arg[0], chsm_json_str(c->body, "location"), operation, c->version);
}

/* A PUT over an account sets what it names; tags that it leaves out are gone. */
static int update(struct sim_call *c, json_t *account, bool put, struct chsm_err *err)
{
    json_t *p = json_object_get(c->body, "properties"), *tags = json_object_get(c->body, "tags"),
           *sku = json_object_get(c->body, "sku");

    if (!chsm_streq(json_string_value(chsm_json_get(account, "properties.provisioningState")), "Succeeded"))
        return sim_arm_fail(c, err, 409, "StorageAccountOperationInProgress",
                            "An operation is currently performing on this storage account "
                            "that requires exclusive access.");
    if (put && !tags)
        (void)json_object_del(account, "tags");
    if ((tags && json_object_set(account, "tags", tags) < 0) || (sku && json_object_set(account, "sku", sku) < 0) ||
        (p && json_object_update(json_object_get(account, "properties"), p) < 0))
        return chsm_oom(err);
    c->state->dirty = true;
    return sim_arm_show(c, 200, account, err);
}

int sim_arm_account_put(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    json_t *account = id ? sim_resource(c->root, id) : NULL;
    bool elsewhere = false;
    const char *was;

    if (!id)
        return chsm_oom(err);
    if (check_put(c, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    if (!account && name_taken(c->root, c->arg[2], &elsewhere))
        return sim_arm_fail(c, err, 409, "StorageAccountAlreadyExists",
                            "The storage account named %s already exists under the subscription.", c->arg[2]);
    if (!account && elsewhere)
        return sim_arm_fail(c, err, 409, "StorageAccountAlreadyTaken", "The storage account named %s is already taken.",
                            c->arg[2]);
    if (!account)
        return create(c, id, err);
    was = chsm_json_str(account, "location");
    if (strcasecmp(was, chsm_json_str(c->body, "location")) != 0)
        return sim_arm_fail(c, err, 409, "InvalidResourceLocation",
                            "The resource '%s' already exists in location '%s' in resource group '%s'. A "
                            "resource with the same name cannot be created in location '%s'. Please select a new resource name.",
                            c->arg[2], was, c->arg[1], chsm_json_str(c->body, "location"));
    return update(c, account, /* put= */ true, err);
}

int sim_arm_account_patch(struct sim_call *c, struct chsm_err *err)
{
    static const char *const members[] = { "tags", "properties", "sku", "kind", "identity", NULL };
    AUTO_FREE char *id = sim_arm_id(c);
    json_t *account = id ? sim_resource(c->root, id) : NULL, *value;
    const char *key;

    if (!id)
        return chsm_oom(err);
    if (!account)
        return sim_arm_not_found(c, err);
    if (!c->body)
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The request content must not be empty.");
    json_object_foreach (c->body, key, value)
        if (!one_of(key, members))
            return bad_value(c, err, key);
    if (!sim_tags_ok(json_object_get(c->body, "tags")))
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The tags must be an object of strings.");
    if (check_properties(c, json_object_get(c->body, "properties"), err) < 0)
        return -1;
    return c->an->status ? 0 : update(c, account, /* put= */ false, err);
}

int sim_arm_account_delete(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    AUTO_FREE char *below = id ? chsm_strf("%s/", id) : NULL;
    bool there = id && sim_resource(c->root, id);
    const char *key;
    json_t *each;
    void *next;

    if (!below)
        return chsm_oom(err);
    json_object_foreach_safe (json_object_get(c->root, "resources"), next, key, each)
        if (strncasecmp(key, below, strlen(below)) == 0)
            (void)json_object_del(json_object_get(c->root, "resources"), key);
    sim_resource_drop(c->root, id);
    c->state->dirty = true;
    sim_answer_empty(c->an, there ? 200 : 204);
    return 0;
}

int sim_arm_check_name(struct sim_call *c, struct chsm_err *err)
{
    const char *name = chsm_json_str(c->body, "name");
    bool elsewhere = false;

    if (!name || !chsm_streq(chsm_json_str(c->body, "type"), SIM_ACCOUNT_TYPE))
        return bad_value(c, err, name ? "type" : "name");
    if (!name_ok(name))
        return sim_answer_json(
            c->an, 200,
            json_pack("{s:b,s:s,s:o}", "nameAvailable", 0, "reason", "AccountNameInvalid", "message",
                      json_sprintf("%s is not a valid storage account name. Storage account name must be between 3 "
                                   "and 24 characters in length and use numbers and lower-case letters only.",
                                   name)),
            err);
    if (name_taken(c->root, name, &elsewhere) || elsewhere)
        return sim_answer_json(c->an, 200,
                               json_pack("{s:b,s:s,s:o}", "nameAvailable", 0, "reason", "AlreadyExists", "message",
                                         json_sprintf("The storage account named %s is already taken.", name)),
                               err);
    return sim_answer_json(c->an, 200, json_pack("{s:b}", "nameAvailable", 1), err);
}

/* Keys that open nothing: the blob service here takes tokens only. They are the same each time, as long as nobody renews them. */
int sim_arm_account_keys(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    json_t *keys = json_array();

    if (!id || !sim_resource(c->root, id)) {
        json_decref(keys);
        return id ? sim_arm_not_found(c, err) : chsm_oom(err);
    }
    for (int i = 1; i <= 2; i++) {
        AUTO_FREE char *seed = chsm_strf("key%d of %s", i, id);
        AUTO_FREE char *value = NULL;
        unsigned char digest[64];

        if (!seed)
            break;
        chsm_sha256(seed, strlen(seed), digest);
        chsm_sha256(digest, CHSM_SHA256_LEN, digest + CHSM_SHA256_LEN);
        value = chsm_base64(digest, sizeof digest);
        if (!value || json_array_append_new(keys, json_pack("{s:o,s:s,s:s}", "keyName", json_sprintf("key%d", i), "value", value,
                                                            "permissions", "FULL")) < 0)
            break;
    }
    if (json_array_size(keys) != 2) {
        json_decref(keys);
        return chsm_oom(err);
    }
    return sim_answer_json(c->an, 200, json_pack("{s:o}", "keys", keys), err);
}

/* The one policy of an account is called "default"; accounts have none until one is put there. */
int sim_arm_management_policy(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const json_t *policy = id ? json_object_get(json_object_get(sim_resource(c->root, id), "sim"), "managementPolicy") : NULL;

    if (!id)
        return chsm_oom(err);
    if (!sim_resource(c->root, id))
        return sim_arm_not_found(c, err);
    if (!policy)
        return sim_arm_fail(c, err, 404, "ManagementPolicyNotFound", "No ManagementPolicy found for account %s", c->arg[2]);
    return sim_answer_json(
        c->an, 200,
        json_pack("{s:o,s:s,s:s,s:{s:O}}", "id", json_sprintf("%s/managementPolicies/default", id), "name",
                  "DefaultManagementPolicy", "type", SIM_ACCOUNT_TYPE "/managementPolicies", "properties", "policy", policy),
        err);
}
