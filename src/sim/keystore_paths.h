/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of a cluster's key store lie; for the files of the key store itself. */
#ifndef CHSM_SIM_KEYSTORE_PATHS_H
#define CHSM_SIM_KEYSTORE_PATHS_H

#include "util/err.h"

/*
 * "DIR/clusters/<cluster, lower case>/<leaf>" in fresh memory (leaf "" = the folder itself). NULL with CHSM_USAGE for a name
 * that cannot be a cluster's. The caller frees it.
 */
char *sim_cluster_path(const char *dir, const char *cluster, const char *leaf, struct chsm_err *err);

/* sim_cluster_path() of keys/; NULL with CHSM_CONFIG too when the cluster does not exist. */
char *sim_cluster_keys(const char *dir, const char *cluster, struct chsm_err *err);

#endif
