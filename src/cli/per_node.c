/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/output.h"
#include "cli/per_node.h"

void chsm_per_node_done(struct chsm_per_node *p)
{
    json_decref(p->json);
    chsm_node_check_done(&p->check);
    chsm_secret_done(&p->password);
    p->json = NULL;
}

int chsm_per_node_begin(const struct chsm_args *args, struct chsm_per_node *p, struct chsm_err *err)
{
    p->on = args->per_node;
    if (!p->on && (args->mgmt_util || args->mgmt_user || args->mgmt_pin || args->mgmt_config || args->mgmt_directory ||
                   args->mgmt_timeout || args->mgmt_inline))
        return chsm_fail(err, CHSM_USAGE, "the --mgmt options have no meaning without --per-node");
    if (!p->on)
        return 0;
    if (chsm_nodes_options(args, &p->password, &p->tool, err) < 0)
        return -1;
    chsm_out_progress("nodes: before the verification");
    return chsm_node_check_look(&p->check, &p->tool, err);
}

int chsm_per_node_end(struct chsm_per_node *p, const struct chsm_inventory *destination, struct chsm_comparison *comparison,
                      struct chsm_err *err)
{
    if (!p->on)
        return 0;
    chsm_out_progress("nodes: after the verification");
    if (chsm_node_check_look(&p->check, &p->tool, err) < 0)
        return -1;
    return chsm_node_check_result(&p->check, destination, comparison, &p->coverage, &p->json, err);
}
