/* SPDX-License-Identifier: Apache-2.0 */
/* Making a simulated cluster: its ARM resource and its folder of keys together. */
#ifndef CHSM_SIM_CLUSTER_H
#define CHSM_SIM_CLUSTER_H

#include "sim/state.h"

struct sim_cluster_spec {
    const char *id, *name, *location;
    const char *sku;            /* NULL: "Standard_B1" */
    const char *label_scope;    /* NULL: "TenantReuse" */
    const char *activation;     /* NULL: not there yet, becomes NotActivated at ready_at */
    const json_t *tags;         /* NULL: none */
    const json_t *nodes;        /* [{host, state}], at most 3, as ARM lists them; NULL: three of its own making, Started */
    json_t *identity;           /* as it is shown; NULL: none; borrowed */
    int64_t ready_at, now;      /* ready_at 0: provisioned already */
};

/* Adds the cluster to the state and makes its folder, which is a client's folder as well: PO.crt and azcloudhsm_application.cfg. */
CHSM_MUST_CHECK int sim_cluster_create(struct sim_state *s, const struct sim_cluster_spec *spec, struct chsm_err *err);

#endif
