/* SPDX-License-Identifier: Apache-2.0 */
/* Host names of a cluster's nodes, and which cluster a client folder points to (facts: cloudhsm-client.md §4, §5). */
#ifndef CHSM_CLIENT_ENDPOINT_H
#define CHSM_CLIENT_ENDPOINT_H

#include "client/resource.h"

#define CHSM_CLUSTER_HOSTS 3u /* nodes of a cluster: hsm1, hsm2, hsm3 */

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

/* The number of the node in "hsm2.chsm-...": 1 to 9; 0 = a name that is not of that form, or an address. */
unsigned chsm_endpoint_number(const char *host);

/* The name of node `number` of the cluster that `host` is a node of; *ret NULL when its name does not tell. The caller frees it. */
CHSM_MUST_CHECK int chsm_endpoint_node(const char *host, unsigned number, char **ret, struct chsm_err *err);

/* Whether the two are names of nodes of one cluster. False where the names do not tell. */
bool chsm_endpoint_siblings(const char *a, const char *b);

/* The same host, or names of two nodes of one cluster. False where the names do not tell. */
bool chsm_endpoint_same_cluster(const char *a, const char *b);

/* With "privatelink." before "cloudhsm.", where the private DNS zone has its names; others as they are. NULL when out of memory. */
char *chsm_endpoint_private(const char *host);

/* An IPv4 or IPv6 address. */
bool chsm_endpoint_is_address(const char *text);

/* A host name (RFC 1123) or an address: what may go into a configuration file. CHSM_USAGE, with what is wrong. */
CHSM_MUST_CHECK int chsm_endpoint_check(const char *host, struct chsm_err *err);

/* The first node that the cluster resource names, in its private form; *ret NULL when it names none. The caller frees it. */
CHSM_MUST_CHECK int chsm_endpoint_first(const json_t *cluster, char **ret, struct chsm_err *err);

#endif
