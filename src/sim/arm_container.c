/* SPDX-License-Identifier: Apache-2.0 */
/* Containers by the control plane: no key, no network path to the account is needed (facts: arm.md §4.4). */
#include "config.h"

#include <ctype.h>

#include "sim/arm.h"
#include "sim/blob.h"

bool sim_container_name_ok(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) &&
            (name[i] != '-' || i == 0 || i + 1 == n || name[i + 1] == '-'))
            return false;
    return n >= 3 && n <= 63;
}

json_t *sim_container_make(const json_t *account, const char *name)
{
    return json_pack("{s:o,s:s,s:s,s:{s:s,s:b,s:b,s:b,s:s},s:{s:o}}", "id",
                     json_sprintf("%s/blobServices/default/containers/%s", chsm_json_str(account, "id"), name), "name", name,
                     "type", SIM_CONTAINER_TYPE, "properties", "publicAccess", "None", "deleted", 0, "hasImmutabilityPolicy", 0,
                     "hasLegalHold", 0, "leaseState", "Available", "sim", "folder",
                     json_sprintf("blobs/%s/%s", chsm_json_str(account, "name"), name));
}

/* The account of the request's path. When there is none the answer is made. */
static json_t *find_account(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id =
        chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_ACCOUNT_TYPE "/%s", c->arg[0], c->arg[1], c->arg[2]);
    json_t *account = id ? sim_resource(c->root, id) : NULL;

    if (!account && sim_arm_fail(c, err, 404, "ResourceNotFound",
                                 "The Resource '" SIM_ACCOUNT_TYPE "/%s' under resource group '%s' was not "
                                 "found.",
                                 c->arg[2], c->arg[1]) < 0)
        c->an->status = 0;
    return account;
}

static int check(struct sim_call *c, const json_t *account, struct chsm_err *err)
{
    const char *access = json_string_value(chsm_json_get(c->body, "properties.publicAccess"));

    if (!sim_container_name_ok(c->arg[3]))
        return sim_arm_fail(c, err, 400, "ContainerOperationFailure", "The specified resource name contains invalid characters.");
    if (access && !chsm_streq(access, "None") && !chsm_streq(access, "Blob") && !chsm_streq(access, "Container"))
        return sim_arm_fail(c, err, 400, "InvalidValuesForRequestParameters",
                            "Values for request parameters are invalid: publicAccess.");
    if (access && !chsm_streq(access, "None") && json_is_false(chsm_json_get(account, "properties.allowBlobPublicAccess")))
        return sim_arm_fail(c, err, 409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.");
    return 0;
}

int sim_arm_container_put(struct sim_call *c, struct chsm_err *err)
{
    const json_t *account = find_account(c, err);
    json_t *container, *p = json_object_get(c->body, "properties");
    bool fresh;

    if (!account)
        return c->an->status ? 0 : -1;
    if (!c->body)
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The request content must not be empty.");
    if (check(c, account, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    container = sim_container_make(account, c->arg[3]);
    if (!container)
        return chsm_oom(err);
    fresh = !sim_resource(c->root, chsm_json_str(container, "id"));
    if (fresh && chsm_streq(c->rq->method, "PATCH")) {
        json_decref(container);
        return sim_arm_fail(c, err, 404, "ContainerNotFound", "The specified container does not exist.");
    }
    if (!fresh) {
        json_t *there = sim_resource(c->root, chsm_json_str(container, "id"));

        json_decref(container);
        container = json_incref(there);
    }
    if (p && json_object_update(json_object_get(container, "properties"), p) < 0)
        return chsm_oom(err);
    c->state->dirty = true;
    if (sim_arm_show(c, fresh ? 201 : 200, container, err) < 0) {
        json_decref(container);
        return -1;
    }
    return sim_resource_put(c->root, container, err);
}

/* A container's 404 has a code of its own. */
int sim_arm_container_get(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const json_t *account = id ? find_account(c, err) : NULL, *container = id ? sim_resource(c->root, id) : NULL;

    if (!id)
        return chsm_oom(err);
    if (!account)
        return c->an->status ? 0 : -1;
    return container ? sim_arm_show(c, 200, container, err)
                     : sim_arm_fail(c, err, 404, "ContainerNotFound", "The specified container does not exist.");
}

/* A container under a legal hold or an immutability policy cannot be deleted. */
int sim_arm_container_delete(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const json_t *container = id ? sim_resource(c->root, id) : NULL;

    if (!id)
        return chsm_oom(err);
    if (container && (json_is_true(chsm_json_get(container, "properties.hasImmutabilityPolicy")) ||
                      json_is_true(chsm_json_get(container, "properties.hasLegalHold"))))
        return sim_arm_fail(c, err, 409, "ContainerProtectedFromDeletion", "The container is protected from deletion.");
    sim_answer_empty(c->an, container ? 200 : 204);
    if (container) {
        sim_resource_drop(c->root, id);
        c->state->dirty = true;
    }
    return 0;
}
