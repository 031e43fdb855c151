/* SPDX-License-Identifier: Apache-2.0 */
/* Azure Arc's part of managed identity; for credential_managed*.c and its test. */
#ifndef CHSM_AZURE_CREDENTIAL_MANAGED_H
#define CHSM_AZURE_CREDENTIAL_MANAGED_H

#include "azure/credential_kind.h"

#define CHSM_ARC_TOKENS "/var/opt/azcmagent/tokens"
#define CHSM_ARC_KEY_MAX 4096

/*
 * The key file that an Arc agent's challenge names ("Basic realm=PATH"), read. The agent is asked over plain http, so the
 * file has to lie in `directory` itself, end in ".key", be a regular file (no link) of at most CHSM_ARC_KEY_MAX bytes:
 * anything else would let whoever answers read a file of his choice (entra-auth.md §5.4). CHSM_AUTH.
 */
CHSM_MUST_CHECK int chsm_arc_key(const char *challenge, const char *directory, struct chsm_secret *ret, struct chsm_err *err);

/*
 * Asks the agent at l->endpoint: a request, its challenge, the request with the file's content. r gets the last answer,
 * whatever its status. -1 when there was none, or the challenge is not good.
 */
CHSM_MUST_CHECK int chsm_arc_exchange(struct chsm_link *l, const char *url, const char *directory, struct chsm_response *r,
                                      struct chsm_err *err);

#endif
