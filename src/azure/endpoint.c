/* SPDX-License-Identifier: Apache-2.0 */
/* A private endpoint to the account's blobs (arm.md §4.6). No DNS zone is made: it may be shared with other endpoints. */
#include "config.h"

#include <strings.h>

#include "azure/resource.h"
#include "azure/storage.h"
#include "util/safety.h"

json_t *chsm_endpoint_body(const struct chsm_storage_plan *p, const char *account_id, const char *location)
{
    const char *links = p->manual_request ? "manualPrivateLinkServiceConnections" : "privateLinkServiceConnections";

    return json_pack("{s:s,s:O*,s:{s:{s:s},s:[{s:o,s:{s:s,s:[s],s:s*}}]}}", "location", location, "tags", p->tags, "properties",
                     "subnet", "id", p->subnet, links, "name", json_sprintf("%s-connection", p->ref.account), "properties",
                     "privateLinkServiceId", account_id, "groupIds", "blob", "requestMessage",
                     p->manual_request ? "backups of Cloud HSM" : NULL);
}

/* The one connection of an endpoint, of either kind. */
static const json_t *connection(const json_t *endpoint)
{
    const json_t *p = json_object_get(endpoint, "properties");
    const json_t *first = json_array_get(json_object_get(p, "privateLinkServiceConnections"), 0);

    return json_object_get(first ? first : json_array_get(json_object_get(p, "manualPrivateLinkServiceConnections"), 0),
                           "properties");
}

static bool is_for_blobs(const json_t *connection)
{
    json_t *each;
    size_t i;

    json_array_foreach (json_object_get(connection, "groupIds"), i, each)
        if (json_is_string(each) && strcasecmp(json_string_value(each), "blob") == 0)
            return true;
    return false;
}

/* An endpoint of this name must be the one that is meant. */
static int check_existing(const struct chsm_storage_plan *p, const char *name, const char *account_id, const json_t *endpoint,
                          struct chsm_err *err)
{
    const json_t *c = connection(endpoint);
    const char *to = chsm_json_str(c, "privateLinkServiceId");
    const char *subnet = json_string_value(chsm_json_get(endpoint, "properties.subnet.id"));

    if (!chsm_arm_id_eq(to, account_id) || !is_for_blobs(c))
        (void)chsm_refuse(err, CHSM_RULE_OTHER_RESOURCE, "the private endpoint %s leads to %s, not to the blobs of %s", name,
                          to ? to : "nowhere", p->ref.account);
    else if (!chsm_arm_id_eq(subnet, p->subnet))
        (void)chsm_refuse(err, CHSM_RULE_OTHER_RESOURCE, "the private endpoint %s is in the subnet %s", name,
                          subnet ? subnet : "(none)");
    else
        return 0;
    return chsm_err_hint(err, "give another name with --private-endpoint");
}

/* An endpoint is in the region of its network, wherever the account is. */
static int network_location(struct chsm_steps *s, const char *subnet, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    json_auto_t *network = NULL;
    const char *location;
    json_t *each;
    size_t i;

    if (chsm_subnet_network(subnet, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_NETWORK_API);
    if (!path)
        return chsm_oom(err);
    if (chsm_steps_read(s, path, &network, err) < 0)
        return -1;
    json_array_foreach (chsm_json_get(network, "properties.subnets"), i, each) {
        location = chsm_json_str(network, "location");
        if (chsm_arm_id_eq(chsm_json_str(each, "id"), subnet) && location) {
            *ret = strdup(location);
            return *ret ? 0 : chsm_oom(err);
        }
    }
    (void)chsm_fail(err, CHSM_SERVICE, "the subnet %s is not there", subnet);
    return chsm_err_hint(err, "check the id; `az network vnet subnet list` shows them");
}

static int say(struct chsm_steps *s, const char *name, const char *id, const json_t *endpoint, enum chsm_outcome outcome,
               struct chsm_err *err)
{
    const char *state = json_string_value(chsm_json_get(connection(endpoint), "privateLinkServiceConnectionState.status"));
    const char *note = NULL;

    if (state && strcasecmp(state, "Pending") == 0)
        note = "somebody who may has to approve the connection in the account";
    else if (state && strcasecmp(state, "Approved") != 0)
        note = "the connection is not approved: nothing gets through";
    else if (outcome == CHSM_STEP_CREATED && endpoint)
        note = "its name resolves once the network has the zone privatelink.blob";
    return chsm_steps_say(s, "endpoint", name, id, outcome, json_pack("{s:s*,s:s*}", "connection", state, "note", note), err);
}

int chsm_endpoint_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, const char *account_id, struct chsm_err *err)
{
    AUTO_FREE char *name = p->endpoint ? strdup(p->endpoint) : chsm_strf("%s-blob", p->ref.account);
    AUTO_FREE char *id = name ? chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/privateEndpoints/%s",
                                          p->ref.subscription, p->ref.group, name)
                              : NULL;
    AUTO_FREE char *path = id ? chsm_resource_path(id, NULL, CHSM_NETWORK_API) : NULL;
    AUTO_FREE char *location = NULL;
    json_auto_t *endpoint = NULL;
    json_auto_t *body = NULL;
    bool there;

    if (!path)
        return chsm_oom(err);
    if (chsm_steps_read(s, path, &endpoint, err) < 0)
        return -1;
    there = endpoint != NULL;
    if (there && check_existing(p, name, account_id, endpoint, err) < 0)
        return -1;
    if (!there) {
        if (network_location(s, p->subnet, &location, err) < 0)
            return -1;
        body = chsm_endpoint_body(p, account_id, location);
        if (!body)
            return chsm_oom(err);
        if (chsm_steps_write(s, "PUT", path, body, name, &endpoint, err) < 0)
            return -1;
    }
    if (endpoint && !s->dry_run && chsm_steps_settle(s, path, name, &endpoint, err) < 0)
        return -1;
    return say(s, name, id, endpoint, there ? CHSM_STEP_EXISTS : CHSM_STEP_CREATED, err);
}
