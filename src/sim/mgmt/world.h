/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated management tool sees of a cluster: its nodes, users and the handles of its keys. */
#ifndef CHSM_SIM_MGMT_WORLD_H
#define CHSM_SIM_MGMT_WORLD_H

#include <jansson.h>

#include "util/err.h"

#define SIM_MGMT_HANDLE 262150      /* of the first key; the others follow */

struct sim_mgmt_world {
    json_t *users;          /* of users.json */
    json_t *hosts;          /* the nodes' names, as the service shows them (without "privatelink") */
    size_t servers;
    size_t keys;            /* objects of classes public, private and secret key, of all users */
};

void sim_mgmt_world_done(struct sim_mgmt_world *w);

/*
 * Finds the cluster as the client library does (sim/p11/cluster.h; the file is the tool's argument), and counts its keys.
 * Loads SoftHSM.
 */
CHSM_MUST_CHECK int sim_mgmt_world_load(struct sim_mgmt_world *ret, struct chsm_err *err);

#endif
