/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/connect.h"

static const struct chsm_column columns[] = {
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
    { "resource-group", NULL, 'g', CHSM_OPT_TEXT, offsetof(struct chsm_args, group), "GROUP", "only this group (default: the subscription)" },
    { 0 },
};
const struct chsm_opt chsm_opts_cluster_wait[] = {
    CHSM_OPTS_CLUSTER,
    { "activation", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, activation), "STATE", "also wait for this activationState, e.g. Active" },
    { 0 },
};

int chsm_cmd_cluster_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *cluster = NULL;

    (void)ret_code;
    if (chsm_connect(args, true, &c, err) < 0 || chsm_cluster_get(c.arm, &c.cluster, c.deadline, &cluster, err) < 0)
        return -1;
    return chsm_out_resource(cluster, columns, err);
}

int chsm_cmd_cluster_list(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *list = NULL;

    (void)ret_code;
    if (chsm_connect(args, false, &c, err) < 0 || chsm_cluster_list(c.arm, c.cluster.subscription, args->group, c.deadline, &list, err) < 0)
        return -1;
    return chsm_out_resource(list, columns, err);
}

int chsm_cmd_cluster_wait(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *cluster = NULL;

    (void)ret_code;
    if (chsm_connect(args, true, &c, err) < 0 ||
        chsm_cluster_wait(c.arm, &c.cluster, args->activation, c.deadline, chsm_connect_watch, (void *)args->name, &cluster, err) < 0)
        return -1;
    return chsm_out_resource(cluster, columns, err);
}
