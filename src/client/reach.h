/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes as the network of this machine sees them: do their names resolve, to what, and does their port answer. */
#ifndef CHSM_CLIENT_REACH_H
#define CHSM_CLIENT_REACH_H

#include <jansson.h>

#include "client/install.h"
#include "util/clock.h"

#define CHSM_NODE_PORT 2225u /* the one that every output of the client names (facts: cloudhsm-client.md §5) */
#define CHSM_REACH_MAX 16u   /* nodes that are looked at together */

enum chsm_name { CHSM_NAME_RESOLVED, CHSM_NAME_UNKNOWN, CHSM_NAME_NO_ANSWER };

struct chsm_reach {
    char *host;
    enum chsm_name name;
    struct chsm_paths addresses; /* as text */
    bool public;                 /* one of them is no private address */
    bool open;                   /* a connection to the port was made, and closed at once */
    int64_t ms;                  /* that took so long */
    char *why;                   /* what failed; NULL when nothing did */
};
void chsm_reach_done(struct chsm_reach *r);

/* A list for chsm_reach_all(): sets host. */
CHSM_MUST_CHECK int chsm_reach_init(struct chsm_reach *r, const char *host, struct chsm_err *err);

/*
 * Looks at all of them at the same time, and is done by `deadline` (0 = none), whatever the resolver does. What cannot be reached is
 * no error but a finding; errors are CHSM_INTERRUPTED and running out of things.
 */
CHSM_MUST_CHECK int chsm_reach_all(struct chsm_reach *v, size_t n, unsigned port, chsm_deadline deadline, struct chsm_err *err);

/* An address that is not for the internet at large: RFC 1918, RFC 6598, loopback, link-local, RFC 4193. */
bool chsm_reach_private(const char *address);

#endif
