/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/identity.h"
#include "azure/job.h"
#include "azure/location.h"
#include "azure/tags.h"
#include "cli/commands.h"
#include "cli/connect.h"

#define OPT_IDENTITY(text)                                                                                                       \
    {                                                                                                                            \
        "identity", "mi-user-assigned", 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, identity), "ID", text                       \
    }
#define OPT_NO_WAIT                                                                                                              \
    {                                                                                                                            \
        "no-wait", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, no_wait), NULL, "return when the service has accepted it"  \
    }

const struct chsm_opt chsm_opts_identity_create[] = {
    { "resource-group", NULL, 'g', CHSM_OPT_TEXT, offsetof(struct chsm_args, group), "GROUP", "resource group of the identity" },
    { "name", NULL, 'n', CHSM_OPT_TEXT, offsetof(struct chsm_args, name), "NAME", "name of the identity" },
    { "location", NULL, 'l', CHSM_OPT_TEXT, offsetof(struct chsm_args, location), "REGION",
      "where (default: where the resource group is)" },
    { "tags", NULL, 0, CHSM_OPT_WORDS, offsetof(struct chsm_args, tags), "NAME=VALUE ...", "tags" },
    { 0 },
};
const struct chsm_opt chsm_opts_identity_show[] = {
    CHSM_OPTS_CLUSTER,
    { "identity", "ids", 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, identity), "ID",
      "an identity itself instead of a cluster's" },
    { 0 },
};
const struct chsm_opt chsm_opts_identity_apply[] = {
    CHSM_OPTS_CLUSTER,
    OPT_IDENTITY("resource id of the managed identity"),
    { "method", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, method), "METHOD", "put (default) or patch" },
    OPT_NO_WAIT,
    { 0 },
};
const struct chsm_opt chsm_opts_identity_remove[] = {
    CHSM_OPTS_CLUSTER, OPT_IDENTITY("only when it is this one"), OPT_NO_WAIT, { 0 }
};

/* One row for each identity: the cluster's own reading, with what the identity resource itself says. */
static int describe(const struct chsm_connection *c, const json_t *cluster, json_t **ret, struct chsm_err *err)
{
    json_auto_t *list = json_array();
    json_t *ids = chsm_json_get(cluster, "identity.userAssignedIdentities"), *v;
    const char *id;

    json_object_foreach (ids, id, v) {
        json_auto_t *resource = NULL;
        json_t *row;

        /* principalId is null in the cluster even when all is well; the identity resource has it (facts: arm.md §3). */
        if (chsm_identity_get(c->arm, id, c->deadline, &resource, err) < 0)
            return -1;
        row = json_pack("{s:s*, s:s, s:s*, s:s*, s:s*}", "cluster", chsm_json_str(cluster, "name"), "id", id, "principalId",
                        json_string_value(chsm_json_get(resource, "properties.principalId")), "clientId",
                        json_string_value(chsm_json_get(resource, "properties.clientId")), "tenantId",
                        json_string_value(chsm_json_get(resource, "properties.tenantId")));
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

static int print_resource(const json_t *identity, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "NAME", "name" },
        { "LOCATION", "location" },
        { "PRINCIPAL", "properties.principalId" },
        { "CLIENT", "properties.clientId" },
        { "ID", "id" },
        { 0 },
    };

    return chsm_out_resource(identity, columns, err);
}

static int show_resource(const struct chsm_args *args, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *identity = NULL;

    if (args->group || args->name)
        return chsm_fail(err, CHSM_USAGE, "--identity names one by itself: leave out --resource-group and --name");
    if (chsm_connect_bare(args, &c, err) < 0 || chsm_identity_get(c.arm, args->identity, c.deadline, &identity, err) < 0)
        return -1;
    return print_resource(identity, err);
}

int chsm_cmd_identity_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *cluster = NULL;

    (void)ret_code;
    if (args->identity)
        return show_resource(args, err);
    if (chsm_connect(args, true, &c, err) < 0 || chsm_cluster_get(c.arm, &c.cluster, c.deadline, &cluster, err) < 0)
        return -1;
    return print(&c, cluster, err);
}

int chsm_cmd_identity_create(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_identity_created result = { 0 };
    struct chsm_identity_ref ref;
    AUTO_FREE char *location = NULL;
    json_auto_t *tags = NULL;
    int rc;

    (void)ret_code;
    if ((args->location && chsm_location_normal(args->location, &location, err) < 0) ||
        (args->tags.n > 0 && chsm_tags_parse(args->tags.item, &tags, err) < 0) || chsm_connect(args, true, &c, err) < 0)
        return -1;
    ref = (struct chsm_identity_ref){ c.cluster.subscription, args->group, args->name };
    if (chsm_identity_create(c.arm, &ref, &(struct chsm_identity_spec){ location, tags }, c.deadline, &result, err) < 0)
        return -1;
    chsm_out_note(result.created ? "%s: created; a role for it may take minutes to work"
                                 : "%s: the identity is there already; nothing was sent",
                  args->name);
    rc = print_resource(result.identity, err);
    json_decref(result.identity);
    return rc;
}

/* What became of a change; the result is freed. */
static int print_change(const struct chsm_args *args, const struct chsm_connection *c, struct chsm_cluster_result *r,
                        const char *done, const char *already, struct chsm_err *err)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];
    int rc;

    chsm_cluster_options(&c->cluster, options);
    if (!r->changed)
        chsm_out_note("%s: %s; nothing was sent", args->name, already);
    else if (args->no_wait)
        chsm_out_note("%s: accepted; `chsmctl cluster wait %s` waits for its end, `chsmctl identity show %s` looks", args->name,
                      options, options);
    else
        chsm_out_note("%s: %s; nothing else of the cluster changed", args->name, done);
    rc = print(c, r->cluster, err);
    json_decref(r->cluster);
    return rc;
}

int chsm_cmd_identity_apply(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_result result = { 0 };
    struct chsm_cluster_task task;
    bool patch = chsm_streq(args->method, "patch");

    (void)ret_code;
    if (args->method && !patch && strcmp(args->method, "put") != 0)
        return chsm_fail(err, CHSM_USAGE, "--method %s is not known: put or patch", args->method);
    if (chsm_args_need(args->identity, "--identity", err) < 0 || chsm_connect(args, true, &c, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    if (chsm_cluster_identity_apply(&task, args->identity, patch, &result, err) < 0)
        return -1;
    return print_change(args, &c, &result, "identity applied", "the identity is there already", err);
}

int chsm_cmd_identity_remove(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_result result = { 0 };
    struct chsm_cluster_task task;

    (void)ret_code;
    if (chsm_connect(args, true, &c, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    if (chsm_cluster_identity_remove(&task, args->identity, &result, err) < 0)
        return -1;
    return print_change(args, &c, &result, "identity removed", "it has no identity", err);
}
