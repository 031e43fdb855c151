/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata, subscriptions, groups, and reading any resource. */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "sim/arm.h"
#include "util/clock.h"

#define DOCUMENT "{s:s,s:s,s:s,s:s,s:{s:s,s:[s,s],s:s,s:s},s:{s:o,s:s,s:s,s:s}}"

static json_t *metadata_document(const struct sim_cloud *cloud)
{
    const char *port = strrchr(cloud->url[SIM_BLOB], ':');

    return json_pack(DOCUMENT, "name", "AzureCloud", "portal", "https://portal.azure.com", "resourceManager", cloud->url[SIM_ARM],
                     "microsoftGraphResourceId", "https://graph.microsoft.com/", "authentication", "loginEndpoint", cloud->url[SIM_LOGIN],
                     "audiences", "https://management.core.windows.net/", "https://management.azure.com/", "tenant", "common",
                     "identityProvider", "AAD", "suffixes", "storage", json_sprintf("localhost%s", port), "keyVaultDns", "vault.azure.net",
                     "mhsmDns", "managedhsm.azure.net", "acrLoginServer", "azurecr.io");
}

/* What Azure Stack answers, and what "az cloud register" asks for. */
static json_t *stack_document(const struct sim_cloud *cloud)
{
    return json_pack("{s:s,s:s,s:s,s:{s:s,s:[s]}}", "galleryEndpoint", cloud->url[SIM_ARM], "graphEndpoint", "https://graph.windows.net/",
                     "portalEndpoint", "https://portal.azure.com/", "authentication", "loginEndpoint", cloud->url[SIM_LOGIN], "audiences",
                     "https://management.core.windows.net/");
}

/* 2019-05-01 answers an array of clouds, 2022-09-01 the one cloud (facts: entra-auth.md §9). */
int sim_arm_metadata(struct sim_call *c, struct chsm_err *err)
{
    json_t *document;

    if (chsm_streq(c->version, "1.0") || chsm_streq(c->version, "2015-01-01"))
        return sim_answer_json(c->an, 200, stack_document(c->cloud), err);
    document = metadata_document(c->cloud);
    return sim_answer_json(c->an, 200, chsm_streq(c->version, "2019-05-01") ? json_pack("[o]", document) : document, err);
}

char *sim_arm_id(const struct sim_call *c)
{
    const char *const *a = c->arg;

    if (chsm_streq(c->type->name, SIM_GROUP_TYPE))
        return chsm_strf("/subscriptions/%s/resourceGroups/%s", a[0], a[1]);
    if (chsm_streq(c->type->name, SIM_CONTAINER_TYPE))
        return chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_ACCOUNT_TYPE "/%s/blobServices/default/containers/%s",
                         a[0], a[1], a[2], a[3]);
    return chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", a[0], a[1], c->type->name, a[2]);
}

int sim_arm_not_found(struct sim_call *c, struct chsm_err *err)
{
    return sim_arm_fail(c, err, 404, "ResourceNotFound",
                        "The Resource '%s/%s' under resource group '%s' was not found. For more details please go to "
                        "https://aka.ms/ARMResourceNotFoundFix", c->type->name, c->arg[2], c->arg[1]);
}

/* Storage accounts announce endpoints; where they are depends on the ports of this run. */
static int add_endpoints(const struct sim_call *c, json_t *account, struct chsm_err *err)
{
    const char *port = strrchr(c->cloud->url[SIM_BLOB], ':'), *name = chsm_json_str(account, "name");
    const json_t *kept = sim_resource(c->root, chsm_json_str(account, "id"));
    json_t *p = json_object_get(account, "properties"), *blob = json_object_get(json_object_get(kept, "sim"), "blobEndpoint");

    /* A seed can point an account to another blob service, such as an emulator. */
    blob = blob ? json_incref(blob) : json_sprintf("https://%s.blob.localhost%s/", name, port);
    return json_object_set_new(p, "primaryEndpoints", json_pack("{s:o}", "blob", blob)) < 0 ? chsm_oom(err) : 0;
}

/* A resource as it is shown; NULL when out of memory. */
static json_t *shown(const struct sim_call *c, const json_t *resource)
{
    json_t *copy = sim_resource_public(resource);

    if (copy && sim_resource_is(copy, SIM_ACCOUNT_TYPE) && add_endpoints(c, copy, NULL) < 0) {
        json_decref(copy);
        return NULL;
    }
    return copy;
}

int sim_arm_show(struct sim_call *c, unsigned status, const json_t *resource, struct chsm_err *err)
{
    return sim_answer_json(c->an, status, shown(c, resource), err);
}

/* The one subscription of this cloud; NULL when out of memory. */
static json_t *subscription(const struct sim_call *c)
{
    const char *id = sim_root_str(c->root, "subscription");

    return json_pack("{s:o,s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s}}", "id", json_sprintf("/subscriptions/%s", id), "subscriptionId", id,
                     "displayName", "chsm-sim", "state", "Enabled", "tenantId", sim_root_str(c->root, "tenant"), "subscriptionPolicies",
                     "locationPlacementId", "Public_2014-09-01", "quotaId", "PayAsYouGo_2014-09-01", "spendingLimit", "Off");
}

int sim_arm_subscription(struct sim_call *c, struct chsm_err *err)
{
    return sim_answer_json(c->an, 200, subscription(c), err);
}

int sim_arm_subscriptions(struct sim_call *c, struct chsm_err *err)
{
    return sim_answer_json(c->an, 200, json_pack("{s:[o],s:{s:s,s:i}}", "value", subscription(c), "count", "type", "Total", "value", 1), err);
}

int sim_arm_resource_get(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const json_t *resource = id ? sim_resource(c->root, id) : NULL;

    if (!id)
        return chsm_oom(err);
    return resource ? sim_arm_show(c, 200, resource, err) : sim_arm_not_found(c, err);
}

int sim_arm_resource_delete(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    bool there = id && sim_resource(c->root, id);

    if (!id)
        return chsm_oom(err);
    if (there) {
        sim_resource_drop(c->root, id);
        c->state->dirty = true;
    }
    sim_answer_empty(c->an, there ? 200 : 204);
    return 0;
}

/* Whether an id lies below the path of the request up to its type: its group, subscription or account. */
static bool in_scope(const struct sim_call *c, const char *id)
{
    AUTO_FREE char *scope = chsm_streq(c->type->name, SIM_CONTAINER_TYPE) ?
        chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_ACCOUNT_TYPE "/%s/", c->arg[0], c->arg[1], c->arg[2]) :
        c->arg[1] ? chsm_strf("/subscriptions/%s/resourceGroups/%s/", c->arg[0], c->arg[1]) : chsm_strf("/subscriptions/%s/", c->arg[0]);

    return scope && strncasecmp(scope, id, strlen(scope)) == 0;
}

int sim_arm_resource_list(struct sim_call *c, struct chsm_err *err)
{
    json_t *list = json_array(), *resource;
    const char *key;

    json_object_foreach(json_object_get(c->root, "resources"), key, resource)
        if (sim_resource_is(resource, c->type->name) && in_scope(c, key) && json_array_append_new(list, shown(c, resource)) < 0) {
            json_decref(list);
            return chsm_oom(err);
        }
    return sim_answer_json(c->an, 200, json_pack("{s:o}", "value", list), err);
}

bool sim_tags_ok(const json_t *tags)
{
    const char *key;
    json_t *value;

    if (!tags || json_is_null(tags))
        return true;
    if (!json_is_object(tags))
        return false;
    json_object_foreach((json_t *)tags, key, value)
        if (!json_is_string(value))
            return false;
    return true;
}

json_t *sim_system_data(const json_t *before, int64_t now)
{
    json_t *created = json_object_get(before, "createdAt");

    return json_pack("{s:s,s:s,s:o,s:s,s:s,s:o}", "createdBy", "chsm-sim", "createdByType", "Application",
                     "createdAt", created ? json_incref(created) : sim_time(now), "lastModifiedBy", "chsm-sim",
                     "lastModifiedByType", "Application", "lastModifiedAt", sim_time(now));
}
