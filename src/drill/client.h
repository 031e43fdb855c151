/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of the HSM's client library on this machine (facts: cloudhsm-client.md §4). */
#ifndef CHSM_DRILL_CLIENT_H
#define CHSM_DRILL_CLIENT_H

#include "util/json.h"

#define CHSM_RESOURCE_CFG "azcloudhsm_resource.cfg"

/*
 * The host name in DIRECTORY/azcloudhsm_resource.cfg: which cluster a library that works there will talk to. *ret is
 * NULL, and that is no error, when there is no such file: other tokens have none. CHSM_CONFIG when the file is there and
 * names no server. The caller frees *ret.
 */
CHSM_MUST_CHECK int chsm_client_endpoint(const char *directory, char **ret, struct chsm_err *err);

/* Host names are equal without regard to case and to the "privatelink." label, which the service leaves out in places. */
bool chsm_endpoint_eq(const char *a, const char *b);

/*
 * Whether `endpoint` is one of the nodes that the cluster resource names (properties.hsms[].fqdn). True as well when the
 * resource names none: then nothing is known (facts: arm.md §3).
 */
bool chsm_endpoint_of_cluster(const char *endpoint, const json_t *cluster);

#endif
