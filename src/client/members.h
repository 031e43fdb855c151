/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of a cluster resource, each as Azure has it (state) and as this machine reaches it. What may be said:
 *   fine             Azure says Started, or says nothing of its state, and its port answers
 *   down             Azure gives another state, or the name resolves and the port does not answer
 *   not established  Azure says Unknown, or the name does not resolve here: that tells of this machine's network, not of the node
 */
#ifndef CHSM_CLIENT_MEMBERS_H
#define CHSM_CLIENT_MEMBERS_H

#include "client/reach.h"

enum chsm_member { CHSM_MEMBER_FINE, CHSM_MEMBER_DOWN, CHSM_MEMBER_OPEN };
const char *chsm_member_name(enum chsm_member m); /* "fine", "down", "not established" */

/* Pure; `state` may be NULL. */
enum chsm_member chsm_member_judge(const char *state, const struct chsm_reach *r);

/*
 * Looks at all nodes that the resource names (properties.hsms) at the same time. *ret is {"nodes": [...], "named": N, "expected": 3,
 * "outcome": ...}; the outcome is that of the worst node, and no better than "not established" when Azure names fewer than three. It is the
 * caller's. Errors as of chsm_reach_all().
 */
CHSM_MUST_CHECK int chsm_members_look(const json_t *cluster, unsigned port, chsm_deadline deadline, enum chsm_member *ret_outcome,
                                      json_t **ret, struct chsm_err *err);

#endif
