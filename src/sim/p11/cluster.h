/* SPDX-License-Identifier: Apache-2.0 */
/* Which simulated cluster the client's configuration points at. */
#ifndef CHSM_SIM_P11_CLUSTER_H
#define CHSM_SIM_P11_CLUSTER_H

#include "util/err.h"

/*
 * Reads azcloudhsm_resource.cfg ({"servers": [{"hostname": ..}]}; the file that the environment's CHSM_SIM_RESOURCE_CFG
 * names, else the one in the working directory) and looks for that host name in $CHSM_SIM_DIR/clusters/<name>/address.json.
 * *ret is the cluster's folder; the caller frees it. Any failure is what the real library says without its daemon.
 */
CHSM_MUST_CHECK int sim_cluster_locate(char **ret, struct chsm_err *err);

#endif
