/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: show, list, wait. What changes clusters is in cmd_cluster_change.c. */
#include "config.h"

#include <strings.h>

#include "cli/cluster_columns.h"
#include "cli/commands.h"
#include "cli/connect.h"

const struct chsm_column chsm_cluster_columns[] = {
    { "NAME", "name" },
    { "LOCATION", "location" },
    { "SKU", "sku.name" },
    { "PROVISIONING", "properties.provisioningState" },
    { "ACTIVATION", "properties.activationState" },
    { "ID", "id" },
    { 0 },
};

const struct chsm_opt chsm_opts_cluster_show[] = { CHSM_OPTS_CLUSTER, { 0 } };
const struct chsm_opt chsm_opts_cluster_list[] = {
    { "resource-group", NULL, 'g', CHSM_OPT_TEXT, offsetof(struct chsm_args, group), "GROUP",
      "only this group (default: the subscription)" },
    { 0 },
};
const struct chsm_opt chsm_opts_cluster_wait[] = {
    CHSM_OPTS_CLUSTER,
    { "activation", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, activation), "STATE",
      "also wait for this activationState, e.g. Active" },
    { "deleted", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, deleted), NULL, "wait until the cluster is gone" },
    { 0 },
};

int chsm_cmd_cluster_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *cluster = NULL;

    (void)ret_code;
    if (chsm_connect(args, true, &c, err) < 0 || chsm_cluster_get(c.arm, &c.cluster, c.deadline, &cluster, err) < 0)
        return -1;
    return chsm_out_resource(cluster, chsm_cluster_columns, err);
}

static int by_id(const void *a, const void *b)
{
    const char *x = chsm_json_str(*(const json_t *const *)a, "id"), *y = chsm_json_str(*(const json_t *const *)b, "id");

    return strcasecmp(x ? x : "", y ? y : "");
}

/* The service's order is nobody's; a list that is read twice has to be the same twice. */
static json_t *sorted(const json_t *list)
{
    size_t n = json_array_size(list);
    AUTO_FREE json_t **rows = calloc(n + 1, sizeof *rows);
    json_auto_t *out = json_array();

    if (!rows || !out)
        return NULL;
    for (size_t i = 0; i < n; i++)
        rows[i] = json_array_get(list, i);
    qsort(rows, n, sizeof *rows, by_id);
    for (size_t i = 0; i < n; i++)
        if (json_array_append(out, rows[i]) < 0)
            return NULL;
    return TAKE(out);
}

int chsm_cmd_cluster_list(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *list = NULL;
    json_auto_t *rows = NULL;

    (void)ret_code;
    if (chsm_connect(args, false, &c, err) < 0 ||
        chsm_cluster_list(c.arm, c.cluster.subscription, args->group, c.deadline, &list, err) < 0)
        return -1;
    rows = sorted(list);
    return rows ? chsm_out_resource(rows, chsm_cluster_columns, err) : chsm_oom(err);
}

int chsm_cmd_cluster_wait(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_task task;
    json_auto_t *cluster = NULL;

    (void)ret_code;
    if (args->deleted && args->activation)
        return chsm_fail(err, CHSM_USAGE, "--deleted and --activation do not go together");
    if (chsm_connect(args, true, &c, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    if (args->deleted) {
        if (chsm_cluster_wait_gone(&task, err) < 0)
            return -1;
        chsm_out_note("%s: there is no such cluster", args->name);
        return 0;
    }
    if (chsm_cluster_wait(c.arm, &c.cluster, args->activation, c.deadline, task.watch, task.ctx, &cluster, err) < 0)
        return -1;
    return chsm_out_resource(cluster, chsm_cluster_columns, err);
}
