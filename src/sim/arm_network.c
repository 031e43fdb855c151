/* SPDX-License-Identifier: Apache-2.0 */
/* Networks and private endpoints (facts: arm.md §4.6), providers, and what the operations of all of them came to. */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "util/clock.h"
#include "util/enc.h"

int sim_operation_add(struct sim_call *c, const char *operation, const char *id, struct chsm_err *err)
{
    json_t *all = json_object_get(c->root, "operations");

    if (!all) {
        all = json_object();
        if (json_object_set_new(c->root, "operations", all) < 0)
            return chsm_oom(err);
    }
    c->state->dirty = true;
    return json_object_set_new(all, operation, json_string(id)) < 0 ? chsm_oom(err) : 0;
}

/* A private endpoint to an account shows in the account, too. */
static int connect(struct sim_call *c, json_t *endpoint, struct chsm_err *err)
{
    json_t *p = json_object_get(endpoint, "properties"), *manual = json_object_get(p, "manualPrivateLinkServiceConnections");
    bool by_hand = json_array_size(manual) > 0;
    json_t *link =
        json_object_get(json_array_get(by_hand ? manual : json_object_get(p, "privateLinkServiceConnections"), 0), "properties");
    json_t *account = sim_resource(c->root, chsm_json_str(link, "privateLinkServiceId")), *list;
    json_t *state = json_pack("{s:s,s:s,s:s}", "status", by_hand ? "Pending" : "Approved", "description",
                              by_hand ? "Please approve." : "Auto-approved", "actionsRequired", "None");

    if (json_object_set_new(link, "privateLinkServiceConnectionState", state) < 0)
        return chsm_oom(err);
    if (!account)
        return 0;
    list = json_object_get(json_object_get(account, "properties"), "privateEndpointConnections");
    if (!list) {
        list = json_array();
        if (json_object_set_new(json_object_get(account, "properties"), "privateEndpointConnections", list) < 0)
            return chsm_oom(err);
    }
    return json_array_append_new(list, json_pack("{s:o,s:o,s:{s:{s:O},s:O,s:s}}", "id",
                                                 json_sprintf("%s/privateEndpointConnections/%s", chsm_json_str(account, "id"),
                                                              chsm_json_str(endpoint, "name")),
                                                 "name", json_sprintf("%s", chsm_json_str(endpoint, "name")), "properties",
                                                 "privateEndpoint", "id", json_object_get(endpoint, "id"),
                                                 "privateLinkServiceConnectionState", state, "provisioningState", "Succeeded")) <
                   0
               ? chsm_oom(err)
               : 0;
}

int sim_arm_settle(struct sim_call *c, struct chsm_err *err)
{
    const char *key;
    json_t *each;

    json_object_foreach (json_object_get(c->root, "resources"), key, each) {
        json_t *sim = json_object_get(each, "sim");
        int64_t ready = sim_when(sim, "readyAt");
        bool endpoint = sim_resource_is(each, SIM_ENDPOINT_TYPE);

        if (!ready || ready > c->now || (!endpoint && !sim_resource_is(each, SIM_ACCOUNT_TYPE)))
            continue;
        (void)json_object_del(sim, "readyAt");
        c->state->dirty = true;
        if (json_object_set_new(json_object_get(each, "properties"), "provisioningState", json_string("Succeeded")) < 0 ||
            (endpoint && connect(c, each, err) < 0))
            return chsm_oom(err);
    }
    return 0;
}

/* Storage's way: Location answers 202, then what the PUT would have answered. */
int sim_arm_storage_operation(struct sim_call *c, struct chsm_err *err)
{
    const char *id = chsm_json_str(json_object_get(c->root, "operations"), c->arg[2]);
    const json_t *account = id ? sim_resource(c->root, id) : NULL;

    if (!account)
        return sim_arm_fail(c, err, 404, "OperationNotFound", "The operation '%s' was not found.", c->arg[2]);
    if (!sim_when(json_object_get(account, "sim"), "readyAt"))
        return sim_arm_show(c, 200, account, err);
    sim_answer_empty(c->an, 202);
    return sim_answer_header(c->an, err, "Location", "%s%s", c->cloud->url[SIM_ARM], c->rq->target);
}

/* The network's way: always 200, the status in the body. */
int sim_arm_network_operation(struct sim_call *c, struct chsm_err *err)
{
    const char *id = chsm_json_str(json_object_get(c->root, "operations"), c->arg[2]);
    const json_t *endpoint = id ? sim_resource(c->root, id) : NULL;

    if (!id)
        return sim_arm_fail(c, err, 404, "OperationNotFound", "The operation '%s' was not found.", c->arg[2]);
    return sim_answer_json(
        c->an, 200,
        json_pack("{s:s}", "status", sim_when(json_object_get(endpoint, "sim"), "readyAt") ? "InProgress" : "Succeeded"), err);
}

/* The network that a subnet's id lies in, when it has that subnet; NULL otherwise. */
static const json_t *network_of(const json_t *root, const char *subnet)
{
    const char *at = subnet ? strcasestr(subnet, "/subnets/") : NULL;
    AUTO_FREE char *id = at ? strndup(subnet, (size_t)(at - subnet)) : NULL;
    const json_t *network = id ? sim_resource(root, id) : NULL;
    json_t *each;
    size_t i;

    json_array_foreach (json_object_get(json_object_get(network, "properties"), "subnets"), i, each)
        if (strcasecmp(chsm_json_str(each, "id"), subnet) == 0)
            return network;
    return NULL;
}

static int check_link(struct sim_call *c, const json_t *links, struct chsm_err *err)
{
    static const char *const groups[] = { "blob", "file", "queue", "table", "web", "dfs" };
    const json_t *link = json_object_get(json_array_get(links, 0), "properties");
    const char *target = chsm_json_str(link, "privateLinkServiceId"),
               *group = json_string_value(json_array_get(json_object_get(link, "groupIds"), 0));
    size_t i = 0;

    if (json_array_size(links) != 1 || !target || !sim_resource(c->root, target))
        return sim_arm_fail(c, err, 400, "InvalidResourceReference",
                            "Resource %s referenced by the private endpoint was not found.", target ? target : "(none)");
    while (group && i < ARRAY_LEN(groups) && !chsm_streq(groups[i], group))
        i++;
    if (!group || i == ARRAY_LEN(groups) || json_array_size(json_object_get(link, "groupIds")) != 1)
        return sim_arm_fail(c, err, 400, "PrivateEndpointInvalidGroupId",
                            "The private link resource does not have the group id '%s'.", group ? group : "");
    return 0;
}

static int check_endpoint(struct sim_call *c, struct chsm_err *err)
{
    const json_t *p = json_object_get(c->body, "properties"), *links = json_object_get(p, "privateLinkServiceConnections");
    const char *subnet = json_string_value(chsm_json_get(p, "subnet.id")), *location = chsm_json_str(c->body, "location");
    const json_t *network = network_of(c->root, subnet);

    if (!location)
        return sim_arm_fail(c, err, 400, "LocationRequired", "The location property is required for this definition.");
    if (!network)
        return sim_arm_fail(c, err, 400, "InvalidResourceReference",
                            "Resource %s referenced by resource %s was not found. Please make sure that "
                            "the referenced resource exists, and that both resources are in the same region.",
                            subnet ? subnet : "(none)", c->arg[2]);
    if (strcasecmp(chsm_json_str(network, "location"), location) != 0)
        return sim_arm_fail(c, err, 400, "InvalidPrivateEndpointLocation",
                            "The private endpoint must be in the region of its virtual network "
                            "(%s).",
                            chsm_json_str(network, "location"));
    return check_link(c, json_array_size(links) ? links : json_object_get(p, "manualPrivateLinkServiceConnections"), err);
}

int sim_arm_endpoint_put(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const json_t *before = id ? sim_resource(c->root, id) : NULL;
    char operation[37];
    json_t *made, *p;

    if (!id || chsm_uuid(operation, err) < 0)
        return chsm_oom(err);
    if (check_endpoint(c, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    p = json_deep_copy(json_object_get(c->body, "properties"));
    made = json_pack("{s:s,s:s,s:s,s:O,s:O*,s:o,s:{s:I}}", "id", id, "name", c->arg[2], "type", SIM_ENDPOINT_TYPE, "location",
                     json_object_get(c->body, "location"), "tags", json_object_get(c->body, "tags"), "properties", p, "sim",
                     "readyAt", (json_int_t)(c->now + sim_timing(c->root, "endpoint")));
    if (!made || json_object_set_new(p, "provisioningState", json_string("Updating")) < 0 ||
        sim_resource_put(c->root, made, err) < 0 || sim_operation_add(c, operation, id, err) < 0 ||
        sim_arm_show(c, before ? 200 : 201, sim_resource(c->root, id), err) < 0)
        return chsm_oom(err);
    return sim_answer_header(c->an, err, "Azure-AsyncOperation",
                             "%s/subscriptions/%s/providers/Microsoft.Network/locations/%s/operations/%s?"
                             "api-version=%s",
                             c->cloud->url[SIM_ARM], c->arg[0], chsm_json_str(c->body, "location"), operation, c->version);
}

/* "Registered" unless the seed, or a registration that goes on, says otherwise. */
static const char *registration(const struct sim_call *c, const char *namespace)
{
    const char *key;
    json_t *state;

    json_object_foreach (json_object_get(c->root, "providers"), key, state)
        if (strcasecmp(key, namespace) == 0) {
            if (json_is_integer(state))
                return json_integer_value(state) > c->now ? "Registering" : "Registered";
            return json_string_value(state);
        }
    return "Registered";
}

int sim_arm_check_provider(struct sim_call *c, const char *type, struct chsm_err *err)
{
    AUTO_FREE char *namespace = strndup(type, strcspn(type, "/"));

    if (!namespace)
        return chsm_oom(err);
    if (chsm_streq(c->rq->method, "GET") || chsm_streq(registration(c, namespace), "Registered"))
        return 0;
    return sim_arm_fail(c, err, 409, "MissingSubscriptionRegistration",
                        "The subscription is not registered to use namespace '%s'. See "
                        "https://aka.ms/rps-not-found for how to register subscriptions.",
                        namespace);
}

int sim_arm_provider(struct sim_call *c, struct chsm_err *err)
{
    bool registers = chsm_streq(c->rq->method, "POST") && !chsm_streq(registration(c, c->arg[1]), "Registered");
    json_t *all = json_object_get(c->root, "providers");

    if (registers) {
        const char *key;
        json_t *state;

        json_object_foreach (all, key, state)
            if (strcasecmp(key, c->arg[1]) == 0 &&
                json_object_set_new(all, key, json_integer(c->now + sim_timing(c->root, "register"))) < 0)
                return chsm_oom(err);
        c->state->dirty = true;
    }
    return sim_answer_json(c->an, 200,
                           json_pack("{s:o,s:s,s:s}", "id", json_sprintf("/subscriptions/%s/providers/%s", c->arg[0], c->arg[1]),
                                     "namespace", c->arg[1], "registrationState", registration(c, c->arg[1])),
                           err);
}
