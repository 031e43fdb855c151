/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/connect.h"

const struct chsm_opt chsm_opts_identity_apply[] = {
    CHSM_OPTS_CLUSTER,
    { "identity", "mi-user-assigned", 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, identity), "ID", "resource id of the managed identity" },
    { "method", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, method), "METHOD", "put (default) or patch" },
    { 0 },
};

/* One row for each identity: the cluster's own reading, with what the identity resource itself says. */
static int describe(const struct chsm_connection *c, const json_t *cluster, json_t **ret, struct chsm_err *err)
{
    json_auto_t *list = json_array();
    json_t *ids = chsm_json_get(cluster, "identity.userAssignedIdentities"), *v;
    const char *id;

    json_object_foreach(ids, id, v) {
        json_auto_t *resource = NULL;
        json_t *row;

        /* principalId is null in the cluster even when all is well; the identity resource has it (facts: arm.md §3). */
        if (chsm_identity_get(c->arm, id, c->deadline, &resource, err) < 0)
            return -1;
        row = json_pack("{s:s*, s:s, s:s*, s:s*}", "cluster", chsm_json_str(cluster, "name"), "id", id, "principalId",
                        json_string_value(chsm_json_get(resource, "properties.principalId")), "clientId",
                        json_string_value(chsm_json_get(resource, "properties.clientId")));
        if (!row || json_array_append_new(list, row) < 0)
            return chsm_oom(err);
    }
    *ret = json_incref(list);
    return 0;
}

static int print(const struct chsm_connection *c, const json_t *cluster, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "CLUSTER", "cluster" }, { "PRINCIPAL", "principalId" }, { "CLIENT", "clientId" }, { "ID", "id" }, { 0 },
    };
    json_auto_t *list = NULL;

    if (describe(c, cluster, &list, err) < 0)
        return -1;
    return chsm_out_resource(list, columns, err);
}

int chsm_cmd_identity_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *cluster = NULL;

    (void)ret_code;
    if (chsm_connect(args, true, &c, err) < 0 || chsm_cluster_get(c.arm, &c.cluster, c.deadline, &cluster, err) < 0)
        return -1;
    return print(&c, cluster, err);
}

int chsm_cmd_identity_apply(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_identity_result result = { 0 };
    bool patch = chsm_streq(args->method, "patch");
    int rc;

    (void)ret_code;
    if (args->method && !patch && strcmp(args->method, "put") != 0)
        return chsm_fail(err, CHSM_USAGE, "--method %s is not known: put or patch", args->method);
    if (chsm_args_need(args->identity, "--identity", err) < 0 || chsm_connect(args, true, &c, err) < 0)
        return -1;
    if (chsm_cluster_identity_apply(c.arm, &c.cluster, args->identity, patch, c.deadline, chsm_connect_watch, (void *)args->name, &result, err) < 0)
        return -1;
    chsm_out_note(result.changed ? "%s: identity applied; nothing else of the cluster changed" : "%s: the identity is there already; nothing was sent",
                  args->name);
    rc = print(&c, result.cluster, err);
    json_decref(result.cluster);
    return rc;
}
