/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated management tool: its state, and its answers. */
#ifndef CHSM_SIM_MGMT_TOOL_H
#define CHSM_SIM_MGMT_TOOL_H

#include "sim/mgmt/quirks.h"
#include "sim/mgmt/world.h"

#define SIM_MGMT_OFFICER "admin"
#define SIM_MGMT_OFFICER_PASSWORD "adminpassword"

struct sim_mgmt {
    struct sim_mgmt_world world;
    struct sim_mgmt_quirks quirks;
    bool logged_in, officer;            /* officer: as CO, which findAllKeys asks for */
};

/* Whether the server answers at all. */
bool sim_mgmt_up(const struct sim_mgmt *m, size_t server);

/* "server 0(10.0.2.4)" as answers have it. */
const char *sim_mgmt_name(const struct sim_mgmt *m, size_t server, char *out, size_t size);

/* What is printed before the first prompt, and the prompt. */
void sim_mgmt_start(const struct sim_mgmt *m);
void sim_mgmt_prompt(const struct sim_mgmt *m);

/* The answers to commands that are read from a line. */
void sim_mgmt_cluster_info(const struct sim_mgmt *m);
void sim_mgmt_list_users(const struct sim_mgmt *m);
void sim_mgmt_find_all(const struct sim_mgmt *m, bool hash);
void sim_mgmt_find_single(const struct sim_mgmt *m, unsigned long handle);

#endif
