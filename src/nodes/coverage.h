/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coverage: is every key and every user on every node? Pure: from one reading, no I/O.
 *
 * What may be concluded:
 *   full             every one of the cluster's members, three at least, was reached at an address of its own, encrypted and
 *                    logged in to, listed its keys and users in an answer that was understood to the last line, and all lists
 *                    are equal and not empty.
 *   partial          a key, or a user, that one node lists is not in the list of another that answered as well. That stays so
 *                    when yet another node did not answer.
 *   not established  anything else, with the reasons. It is no statement about a key: neither that it is there nor that it is
 *                    not.
 *
 * What may not be concluded: that the keys are the right ones. The tool lists handles, and a handle means something inside one
 * cluster at one moment only; two nodes are compared by it, a key is never identified by it, and no two clusters are compared
 * by it. Which key it is, and whether it works, is shown by PKCS#11 on the one node that happened to answer: coverage then says
 * that the other nodes list the same set. Nor does it show that a key works on the other nodes, or that a user's password is
 * the same there.
 */
#ifndef CHSM_NODES_COVERAGE_H
#define CHSM_NODES_COVERAGE_H

#include <jansson.h>

#include "nodes/reading.h"

#define CHSM_CLUSTER_NODES 3        /* of a Cloud HSM cluster (facts: overview); one that names fewer has lost one */

enum chsm_coverage_outcome { CHSM_COVERAGE_FULL, CHSM_COVERAGE_PARTIAL, CHSM_COVERAGE_OPEN };
const char *chsm_coverage_outcome_name(enum chsm_coverage_outcome o);       /* "full", "partial", "not established" */

struct chsm_coverage_node {
    struct chsm_mgmt_server server;
    enum chsm_node_state state;
    bool login;
    bool told;                              /* everything that it should tell, it told */
    const struct chsm_mgmt_keys *keys;      /* borrowed from the reading; NULL = not established */
    const struct chsm_mgmt_keys *again;
    const struct chsm_mgmt_users *users;
    unsigned long *missing;                 /* handles that others list and this node, in an answer of its own, does not */
    size_t n_missing, users_missing;
};

struct chsm_coverage_user {
    const struct chsm_mgmt_user *user;      /* borrowed, as the first node lists it */
    bool on[CHSM_MGMT_SERVERS_MAX];         /* by node */
    bool ids_differ;
};

struct chsm_coverage {
    enum chsm_coverage_outcome outcome;
    struct chsm_coverage_node node[CHSM_MGMT_SERVERS_MAX];
    size_t n;
    unsigned long *handles;                 /* of all nodes together, sorted */
    size_t n_handles, on_every_node;        /* on every node that answered */
    struct chsm_coverage_user *users;
    size_t n_users;
    struct chsm_nodes_reading *reading;     /* borrowed; its reasons are added to */
};

void chsm_coverage_done(struct chsm_coverage *c);
#define AUTO_COVERAGE AUTO(chsm_coverage_done)

/* The reading must outlive the coverage, and gets the reasons for what is not established. */
CHSM_MUST_CHECK int chsm_coverage_make(struct chsm_nodes_reading *reading, struct chsm_coverage *ret, struct chsm_err *err);

/* A reason from outside, which makes full coverage "not established". */
CHSM_MUST_CHECK CHSM_PRINTF(3, 4) int chsm_coverage_open(struct chsm_coverage *c, struct chsm_err *err, const char *fmt, ...);

/*
 * The coverage as JSON (cfg/report.schema.json, "coverage"). Handles of missing keys are in it, at most 32 a node, for who
 * repairs that cluster at that moment. The caller owns *ret.
 */
CHSM_MUST_CHECK int chsm_coverage_to_json(const struct chsm_coverage *c, json_t **ret, struct chsm_err *err);

#endif
