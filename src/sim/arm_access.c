/* SPDX-License-Identifier: Apache-2.0 */
/* Identities, and which container a URI means. */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "sim/arm.h"
#include "util/enc.h"

static bool identity_name_ok(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && (i == 0 || !strchr("-_", name[i])))
            return false;
    return n >= 3 && n <= 128;
}

/* A new identity with fresh principal and client ids, or the old one's. */
static json_t *make_identity(struct sim_call *c, const char *id, const json_t *before, struct chsm_err *err)
{
    json_t *properties = json_object_get(before, "properties"), *tags = json_object_get(c->body, "tags");
    char principal[37], client[37];

    if (chsm_uuid(principal, err) < 0 || chsm_uuid(client, err) < 0)
        return NULL;
    properties = properties ? json_incref(properties) :
        json_pack("{s:s,s:s,s:s,s:s}", "isolationScope", "None", "principalId", principal, "clientId", client,
                  "tenantId", sim_root_str(c->root, "tenant"));
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:{s:I}}", "id", id, "name", c->arg[2], "type", SIM_IDENTITY_TYPE,
                     "location", chsm_json_str(c->body, "location"), "tags", tags ? json_incref(tags) : json_object(),
                     "properties", properties, "sim", "bornAt", before ? (json_int_t)sim_when(json_object_get(before, "sim"), "bornAt") :
                     (json_int_t)c->now);
}

int sim_arm_identity_put(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id = sim_arm_id(c);
    const json_t *before = id ? sim_resource(c->root, id) : NULL;
    json_t *identity;

    if (!id)
        return chsm_oom(err);
    if (!identity_name_ok(c->arg[2]))
        return sim_arm_fail(c, err, 400, "InvalidResourceName", "The resource name '%s' is invalid.", c->arg[2]);
    if (!chsm_json_str(c->body, "location"))
        return sim_arm_fail(c, err, 400, "LocationRequired", "The location property is required for this definition.");
    if (!sim_tags_ok(json_object_get(c->body, "tags")))
        return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The tags must be an object of strings.");
    identity = make_identity(c, id, before, err);
    c->state->dirty = true;
    if (!identity || sim_resource_put(c->root, identity, err) < 0)
        return chsm_oom(err);
    return sim_arm_show(c, before ? 200 : 201, sim_resource(c->root, id), err);
}

/* Cuts "prefix" off the front of *text; false when it does not begin so (in any case). */
static bool skip(const char **text, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncasecmp(*text, prefix, n) != 0)
        return false;
    *text += n;
    return true;
}

/* Splits a container URI; both results point into it. */
static bool split_uri(const struct sim_call *c, const char *uri, const char **ret_account, size_t *ret_n, const char **ret_container)
{
    const char *p = uri, *port = strrchr(c->cloud->url[SIM_BLOB], ':');

    if (skip(&p, c->cloud->url[SIM_BLOB])) {
        if (*p++ != '/')
            return false;
        *ret_account = p;
        *ret_n = strcspn(p, "/");
        p += *ret_n;
    } else {
        if (!skip(&p, "https://"))
            return false;
        *ret_account = p;
        *ret_n = strcspn(p, "./");
        p += *ret_n;
        if (!skip(&p, ".blob.core.windows.net") && !(skip(&p, ".blob.localhost") && skip(&p, port)))
            return false;
    }
    if (*p++ != '/')
        return false;
    *ret_container = p;
    return *ret_n > 0 && *p && !strpbrk(p, "/?#");
}

char *sim_container_id(const struct sim_call *c, const char *uri)
{
    const char *account, *container, *key;
    size_t n;
    json_t *resource;

    if (!split_uri(c, uri, &account, &n, &container))
        return NULL;
    json_object_foreach(json_object_get(c->root, "resources"), key, resource) {
        const char *name = chsm_json_str(resource, "name"), *id = chsm_json_str(resource, "id");
        AUTO_FREE char *wanted = NULL;

        if (!sim_resource_is(resource, SIM_ACCOUNT_TYPE) || strlen(name) != n || strncasecmp(name, account, n) != 0)
            continue;
        wanted = chsm_strf("%s/blobServices/default/containers/%s", id, container);
        return wanted && sim_resource(c->root, wanted) ? TAKE(wanted) : NULL;
    }
    return NULL;
}
