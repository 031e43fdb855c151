/* SPDX-License-Identifier: Apache-2.0 */
/*
 * azcloudhsm_resource.cfg: JSON, {"servers": [{"hostname": "hsm1..."}]}: the address that the client begins with; it learns the
 * others from there (facts: cloudhsm-client.md §4). Pure: text in, text out.
 */
#ifndef CHSM_CLIENT_RESOURCE_H
#define CHSM_CLIENT_RESOURCE_H

#include "util/json.h"

#define CHSM_RESOURCE_CFG "azcloudhsm_resource.cfg"

/* Parses it; `what` names it in errors. CHSM_CONFIG when it is no JSON, or a server has no host name. The caller owns *ret. */
CHSM_MUST_CHECK int chsm_resource_parse(const char *text, size_t n, const char *what, json_t **ret, struct chsm_err *err);

/* The host name of server i; NULL when there are fewer. Borrowed. */
const char *chsm_resource_host(const json_t *cfg, size_t i);

/*
 * The text with the host names of the cluster that `host` is a node of. The first server becomes `host`; the others become the node
 * of that cluster with the number that they had ("hsm2..." stays hsm2), and CHSM_CONFIG where names do not tell. Nothing else of the
 * text changes, not even a blank. *ret is NULL when it is so already; otherwise the caller frees it.
 */
CHSM_MUST_CHECK int chsm_resource_point(const char *text, size_t n, const char *what, const char *host, char **ret,
                                        struct chsm_err *err);

#endif
