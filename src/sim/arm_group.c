/* SPDX-License-Identifier: Apache-2.0 */
/* Resource groups (facts: arm.md §4.1). */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "sim/arm.h"
#include "util/enc.h"

int sim_arm_group_get(struct sim_call *c, struct chsm_err *err)
{
    return sim_arm_resource_get(c, err);
}

static bool group_name_ok(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !(name[i] & 0x80) && !strchr("_-.()", name[i]))
            return false;
    return n >= 1 && n <= 90 && name[n - 1] != '.';
}

int sim_arm_group_put(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const char *location = chsm_json_str(c->body, "location"), *was = NULL;
    json_t *tags = json_object_get(c->body, "tags"), *group;
    const json_t *before = id ? sim_resource(c->root, id) : NULL;

    if (!id)
        return chsm_oom(err);
    if (!group_name_ok(c->arg[1]))
        return sim_arm_fail(c, err, 400, "InvalidResourceGroup", "The provided resource group name '%s' is invalid.", c->arg[1]);
    if (!location || !*location)
        return sim_arm_fail(c, err, 400, "LocationRequired", "The location property is required for this definition.");
    if (!sim_tags_ok(tags))
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The tags must be an object of strings.");
    was = before ? chsm_json_str(before, "location") : location;
    if (strcasecmp(was, location) != 0)
        return sim_arm_fail(c, err, 409, "InvalidResourceGroupLocation",
                            "Invalid resource group location '%s'. The Resource group already "
                            "exists in location '%s'.",
                            location, was);
    group = json_pack("{s:s,s:s,s:s,s:s,s:O*,s:{s:s}}", "id", id, "name", c->arg[1], "type", SIM_GROUP_TYPE, "location", location,
                      "tags", tags, "properties", "provisioningState", "Succeeded");
    c->state->dirty = true;
    if (!group || sim_resource_put(c->root, group, err) < 0)
        return chsm_oom(err);
    return sim_arm_show(c, before ? 200 : 201, sim_resource(c->root, id), err);
}

/* Tags are replaced as a whole; nothing else of a group can be changed. */
int sim_arm_group_patch(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    json_t *group = id ? sim_resource(c->root, id) : NULL, *tags = json_object_get(c->body, "tags");

    if (!id)
        return chsm_oom(err);
    if (!tags || !sim_tags_ok(tags))
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The tags must be an object of strings.");
    c->state->dirty = true;
    if (json_object_set(group, "tags", tags) < 0)
        return chsm_oom(err);
    return sim_arm_show(c, 200, group, err);
}

/* 202 and Location, at subscription scope; all that is in the group goes with it. */
int sim_arm_group_delete(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    json_t *group = id ? sim_resource(c->root, id) : NULL;
    char operation[37];

    if (!id || chsm_uuid(operation, err) < 0)
        return chsm_oom(err);
    if (json_object_set_new(group, "sim", json_pack("{s:I}", "goneAt", (json_int_t)(c->now + sim_timing(c->root, "storage")))) <
            0 ||
        json_object_set_new(json_object_get(group, "properties"), "provisioningState", json_string("Deleting")) < 0 ||
        sim_operation_add(c, operation, id, err) < 0)
        return chsm_oom(err);
    sim_answer_empty(c->an, 202);
    return sim_answer_header(c->an, err, "Location", "%s/subscriptions/%s/operationresults/%s?api-version=%s",
                             c->cloud->url[SIM_ARM], c->arg[0], operation, c->version);
}

int sim_arm_group_operation(struct sim_call *c, struct chsm_err *err)
{
    const char *id = chsm_json_str(json_object_get(c->root, "operations"), c->arg[1]);

    if (!id)
        return sim_arm_fail(c, err, 404, "OperationNotFound", "The operation '%s' was not found.", c->arg[1]);
    sim_answer_empty(c->an, sim_resource(c->root, id) ? 202 : 200);
    return c->an->status == 200 ? 0 : sim_answer_header(c->an, err, "Location", "%s%s", c->cloud->url[SIM_ARM], c->rq->target);
}

/* What is in the group goes at once, but for clusters: their keys go with them, by the clock of clusters (jobs.c). */
static void empty_group(struct sim_call *c, const char *group, bool *ret_left)
{
    AUTO_FREE char *below = chsm_strf("%s/", group);
    json_t *each;
    const char *key;
    void *next;

    json_object_foreach_safe (json_object_get(c->root, "resources"), next, key, each) {
        if (!below || strncasecmp(key, below, strlen(below)) != 0)
            continue;
        if (!sim_resource_is(each, SIM_CLUSTER_TYPE)) {
            (void)json_object_del(json_object_get(c->root, "resources"), key);
            continue;
        }
        *ret_left = true;
        (void)json_object_set_new(json_object_get(each, "sim"), "goneAt", json_integer(c->now));
    }
}

int sim_arm_groups_settle(struct sim_call *c, struct chsm_err *err)
{
    json_t *each;
    const char *key;
    AUTO_FREE char *due = NULL;
    bool left = false;

    json_object_foreach (json_object_get(c->root, "resources"), key, each) {
        int64_t gone = sim_when(json_object_get(each, "sim"), "goneAt");

        if (!due && gone && gone <= c->now && sim_resource_is(each, SIM_GROUP_TYPE) && !(due = strdup(key)))
            return chsm_oom(err);
    }
    if (!due)
        return 0;
    c->state->dirty = true;
    empty_group(c, due, &left);
    if (!left)
        sim_resource_drop(c->root, due);
    return 0;
}
