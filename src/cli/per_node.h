/* SPDX-License-Identifier: Apache-2.0 */
/* keys verify --per-node: a look at the nodes before the keys are read, and one after the last proof. */
#ifndef CHSM_CLI_PER_NODE_H
#define CHSM_CLI_PER_NODE_H

#include "cli/nodes_options.h"
#include "drill/nodes.h"

struct chsm_per_node {
    bool on;                            /* --per-node was given; otherwise all of this does nothing */
    struct chsm_mgmt_tool tool;
    struct chsm_secret password;
    struct chsm_node_check check;
    json_t *json;                       /* member "nodes" of the report; NULL until the end, and when not on */
    enum chsm_coverage_outcome coverage;
};

void chsm_per_node_done(struct chsm_per_node *p);

/* Reads the options and takes the first look. CHSM_USAGE on a mistake in them; that the look fails is no error here. */
CHSM_MUST_CHECK int chsm_per_node_begin(const struct chsm_args *args, struct chsm_per_node *p, struct chsm_err *err);

/* Takes the second look, and notes in the comparison what is not established. */
CHSM_MUST_CHECK int chsm_per_node_end(struct chsm_per_node *p, const struct chsm_inventory *destination,
                                      struct chsm_comparison *comparison, struct chsm_err *err);

#endif
