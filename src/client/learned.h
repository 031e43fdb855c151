/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster.info: addresses that the daemon has learned and goes on using after its configuration has changed (facts:
 * cloudhsm-client.md §2). Its form is not published; what looks like an address in it counts. Pure.
 */
#ifndef CHSM_CLIENT_LEARNED_H
#define CHSM_CLIENT_LEARNED_H

#include "client/install.h"

/* Every address and every host name of a node in the text, each once, in its order. */
CHSM_MUST_CHECK int chsm_learned_parse(const char *text, size_t n, struct chsm_paths *ret, struct chsm_err *err);

enum chsm_learned { CHSM_LEARNED_OWN, CHSM_LEARNED_UNKNOWN, CHSM_LEARNED_FOREIGN };

/*
 * Whether what was learned is of the cluster that `host` is a node of. Names tell by themselves; addresses are held against
 * `addresses`, those of all nodes (n == 0: not known, and then an address tells nothing). *ret_which is the first that decided, borrowed.
 */
enum chsm_learned chsm_learned_judge(const struct chsm_paths *learned, const char *host, const struct chsm_paths *addresses,
                                     const char **ret_which);

#endif
