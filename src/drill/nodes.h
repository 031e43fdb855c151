/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of the destination, looked at before and after the keys are read and proven over PKCS#11, which answers from one
 * node of them: what is true at both times of every node is the frame that the verification stands in.
 */
#ifndef CHSM_DRILL_NODES_H
#define CHSM_DRILL_NODES_H

#include "keys/compare.h"
#include "nodes/coverage.h"

struct chsm_node_check {
    struct { bool done; struct chsm_nodes_reading reading; struct chsm_coverage coverage; } look[2];
    size_t looks;               /* how many were tried */
    char *failure;              /* why a look failed; there is none after it: a failed login is not repeated. NULL = none */
};

void chsm_node_check_done(struct chsm_node_check *c);
#define AUTO_NODE_CHECK AUTO(chsm_node_check_done)

/*
 * One look, the first before and the second after. That a look fails is kept for the result; -1 only when interrupted or out
 * of memory.
 */
CHSM_MUST_CHECK int chsm_node_check_look(struct chsm_node_check *c, const struct chsm_mgmt_tool *tool, struct chsm_err *err);

/*
 * The result: member "nodes" of the report (the caller's), and its outcome, "partial" when a look found something missing,
 * "full" when both are full, are of the cluster that the inventory was taken from, list the same keys, and no fewer than a
 * login saw. Each reason for "not established" is noted in the comparison as well, which makes the run inconclusive.
 */
CHSM_MUST_CHECK int chsm_node_check_result(struct chsm_node_check *c, const struct chsm_inventory *destination,
                                           struct chsm_comparison *comparison, enum chsm_coverage_outcome *ret_outcome,
                                           json_t **ret, struct chsm_err *err);

#endif
