/* SPDX-License-Identifier: Apache-2.0 */
/* Role assignments: who may do what with blobs (facts: arm.md §4.5). */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "util/clock.h"

#define PROVIDER "/providers/" SIM_ROLE_TYPE

/* Whether `scope` is `id` or lies above it. */
static bool covers(const char *scope, const char *id)
{
    size_t n = strlen(scope);

    return strncasecmp(scope, id, n) == 0 && (id[n] == '\0' || id[n] == '/');
}

/* The id in "principalId eq '...'" or "assignedTo('...')"; *ret_n is its length. NULL when the filter names none. */
static const char *filter_principal(const char *filter, size_t *ret_n)
{
    const char *at = filter ? strchr(filter, '\'') : NULL;
    const char *end = at ? strchr(at + 1, '\'') : NULL;

    if (!end)
        return NULL;
    *ret_n = (size_t)(end - at - 1);
    return at + 1;
}

/* The path of the request up to the provider of role assignments, in the spelling of the resource; the caller frees it. */
static char *asked_scope(const struct sim_call *c)
{
    AUTO_FREE char *scope = strdup(c->rq->path), *lower = scope ? sim_lower(scope) : NULL;
    char *at = lower ? strstr(lower, "/providers/microsoft.authorization/") : NULL;
    const char *id;

    if (!at)
        return NULL;
    scope[at - lower] = '\0';
    id = chsm_json_str(sim_resource(c->root, scope), "id");
    return id ? strdup(id) : TAKE(scope);
}

int sim_arm_roles_list(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *scope = asked_scope(c);
    const char *filter = sim_query(c->rq, "$filter"), *key;
    size_t n = 0;
    const char *principal = filter_principal(filter, &n);
    bool above_only = principal || (filter && strstr(filter, "atScope()"));
    json_t *list = json_array(), *role;

    json_object_foreach (json_object_get(c->root, "resources"), key, role) {
        const json_t *p = json_object_get(role, "properties");
        const char *at = chsm_json_str(p, "scope"), *who = chsm_json_str(p, "principalId");

        if (!scope || !sim_resource_is(role, SIM_ROLE_TYPE) || !(covers(at, scope) || (!above_only && covers(scope, at))) ||
            (principal && (strlen(who) != n || strncasecmp(who, principal, n) != 0)))
            continue;
        if (json_array_append_new(list, sim_resource_public(role)) < 0) {
            json_decref(list);
            return chsm_oom(err);
        }
    }
    return sim_answer_json(c->an, 200, json_pack("{s:o}", "value", list), err);
}

static const char *role_of(const json_t *properties)
{
    const char *definition = chsm_json_str(properties, "roleDefinitionId"), *last = definition ? strrchr(definition, '/') : NULL;

    return last ? last + 1 : "";
}

/* Who may write blobs may read them. */
static bool role_includes(const char *has, const char *wanted)
{
    static const char *const rank[] = { SIM_BLOB_READER, SIM_BLOB_CONTRIBUTOR, SIM_BLOB_OWNER };
    size_t h = 0, w = 0;

    while (h < ARRAY_LEN(rank) && strcasecmp(rank[h], has) != 0)
        h++;
    while (w < ARRAY_LEN(rank) && strcasecmp(rank[w], wanted) != 0)
        w++;
    return h < ARRAY_LEN(rank) && h >= w;
}

bool sim_role_has(const json_t *root, const char *principal_id, const char *role, const char *scope)
{
    const char *key;
    json_t *assignment;

    json_object_foreach (json_object_get(root, "resources"), key, assignment) {
        const json_t *p = json_object_get(assignment, "properties");

        if (sim_resource_is(assignment, SIM_ROLE_TYPE) && role_includes(role_of(p), role) &&
            strcasecmp(chsm_json_str(p, "principalId"), principal_id) == 0 && covers(chsm_json_str(p, "scope"), scope) &&
            sim_when(json_object_get(assignment, "sim"), "effectiveAt") <= chsm_now())
            return true;
    }
    return false;
}

/* The managed identity or application that a principal id belongs to; NULL when the directory has none. */
static const json_t *find_principal(const struct sim_call *c, const char *id)
{
    const char *key;
    json_t *each;
    size_t i;

    json_object_foreach (json_object_get(c->root, "resources"), key, each) {
        const char *principal = chsm_json_str(json_object_get(each, "properties"), "principalId");

        if (sim_resource_is(each, SIM_IDENTITY_TYPE) && principal && strcasecmp(principal, id) == 0)
            return each;
    }
    json_array_foreach (json_object_get(c->root, "principals"), i, each)
        if (strcasecmp(sim_root_str(each, "objectId"), id) == 0)
            return each;
    return NULL;
}

/* The directory learns of a new identity with a delay; a principalType in the request makes up for it, mostly. */
static int check_principal(struct sim_call *c, const char *id, const char *type, struct chsm_err *err)
{
    const json_t *who = find_principal(c, id);
    int64_t born = sim_when(json_object_get(who, "sim"), "bornAt");
    int64_t delay = sim_timing(c->root, type ? "principalTyped" : "principal");

    if (!who || (born && born + delay > c->now))
        return sim_arm_fail(
            c, err, 400, "PrincipalNotFound",
            "Principal %s does not exist in the directory %s. Check that you have the correct "
            "principal ID. If you are creating this principal and then immediately assigning a role, this error might be "
            "related to a replication delay. In this case, set the role assignment principalType property to a value, such as "
            "ServicePrincipal, User, or Group.",
            id, sim_root_str(c->root, "tenant"));
    if (type && !chsm_streq(type, "ServicePrincipal"))
        return sim_arm_fail(c, err, 400, "UnmatchedPrincipalType",
                            "The PrincipalId '%s' has type 'ServicePrincipal', which is different from "
                            "specified PrincipalType '%s'.",
                            id, type);
    return 0;
}

static bool same(const json_t *assignment, const json_t *wanted, const char *scope)
{
    const json_t *p = json_object_get(assignment, "properties");

    return strcasecmp(chsm_json_str(p, "scope"), scope) == 0 && strcasecmp(role_of(p), role_of(wanted)) == 0 &&
           strcasecmp(chsm_json_str(p, "principalId"), chsm_json_str(wanted, "principalId")) == 0;
}

/* A name is taken in the whole tenant; what it assigns cannot be changed. Answers when there is nothing to make. */
static int check_others(struct sim_call *c, const char *guid, const json_t *wanted, const char *scope, struct chsm_err *err)
{
    const char *key;
    json_t *other;

    json_object_foreach (json_object_get(c->root, "resources"), key, other) {
        bool named = sim_resource_is(other, SIM_ROLE_TYPE) && strcasecmp(chsm_json_str(other, "name"), guid) == 0;

        if (!sim_resource_is(other, SIM_ROLE_TYPE) || (!named && !same(other, wanted, scope)))
            continue;
        if (named && same(other, wanted, scope))
            return sim_arm_show(c, 200, other, err);
        if (named)
            return sim_arm_fail(c, err, 409, "RoleAssignmentUpdateNotPermitted",
                                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.");
        return sim_arm_fail(c, err, 409, "RoleAssignmentExists", "The role assignment already exists.");
    }
    return 0;
}

static int check_put(struct sim_call *c, const char *guid, const json_t *p, struct chsm_err *err)
{
    const char *principal = chsm_json_str(p, "principalId");

    if (!sim_is_uuid(guid))
        return sim_arm_fail(c, err, 400, "InvalidRoleAssignmentId",
                            "The role assignment ID '%s' is not valid. It must be a GUID.", guid);
    if (!principal || !chsm_json_str(p, "roleDefinitionId"))
        return sim_arm_fail(c, err, 400, "BadRequestFormat", "The request was incorrectly formatted.");
    if (!role_includes(role_of(p), role_of(p)))
        return sim_arm_fail(c, err, 400, "RoleDefinitionDoesNotExist",
                            "The specified role definition with ID '%s' does not exist.", role_of(p));
    return check_principal(c, principal, chsm_json_str(p, "principalType"), err);
}

int sim_arm_role_put(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *scope = asked_scope(c);
    const char *guid = c->rq->seg[c->rq->segs - 1];
    const json_t *p = json_object_get(c->body, "properties");
    AUTO_FREE char *id = scope ? chsm_strf("%s" PROVIDER "/%s", scope, guid) : NULL;
    json_t *made;

    if (!id)
        return chsm_oom(err);
    if (c->rq->segs > 6 && !sim_resource(c->root, scope))
        return sim_arm_fail(c, err, 404, "ResourceNotFound", "The Resource '%s' was not found.", scope);
    if (check_put(c, guid, p, err) < 0 || (!c->an->status && check_others(c, guid, p, scope, err) < 0))
        return -1;
    if (c->an->status)
        return 0;
    made = json_pack("{s:s,s:s,s:s,s:{s:O,s:O,s:s,s:s,s:n},s:{s:I}}", "id", id, "name", guid, "type", SIM_ROLE_TYPE, "properties",
                     "roleDefinitionId", json_object_get(p, "roleDefinitionId"), "principalId", json_object_get(p, "principalId"),
                     "principalType", "ServicePrincipal", "scope", scope, "condition", "sim", "effectiveAt",
                     (json_int_t)(c->now + sim_timing(c->root, "roleDelay")));
    c->state->dirty = true;
    if (!made || sim_resource_put(c->root, made, err) < 0)
        return chsm_oom(err);
    return sim_arm_show(c, 201, sim_resource(c->root, id), err);
}

int sim_arm_role_get(struct sim_call *c, struct chsm_err *err)
{
    const json_t *role = sim_resource(c->root, c->rq->path);

    if (!role)
        return sim_arm_fail(c, err, 404, "RoleAssignmentNotFound", "The role assignment '%s' is not found.",
                            c->rq->seg[c->rq->segs - 1]);
    return sim_arm_show(c, 200, role, err);
}

int sim_arm_role_delete(struct sim_call *c, struct chsm_err *err)
{
    const json_t *role = sim_resource(c->root, c->rq->path);

    if (!role) {
        sim_answer_empty(c->an, 204);
        return 0;
    }
    if (sim_arm_show(c, 200, role, err) < 0)
        return -1;
    sim_resource_drop(c->root, c->rq->path);
    c->state->dirty = true;
    return 0;
}
