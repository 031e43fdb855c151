/* SPDX-License-Identifier: Apache-2.0 */
/* What a cluster looks like in a table; for cmd_cluster*.c. */
#ifndef CHSM_CLI_CLUSTER_COLUMNS_H
#define CHSM_CLI_CLUSTER_COLUMNS_H

#include "cli/output.h"

extern const struct chsm_column chsm_cluster_columns[];

#endif
