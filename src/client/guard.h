/* SPDX-License-Identifier: Apache-2.0 */
/* Which cluster the library of this machine talks to, before its answers count for anything. */
#ifndef CHSM_CLIENT_GUARD_H
#define CHSM_CLIENT_GUARD_H

#include "client/endpoint.h"

/*
 * Applications use the cluster of the machine's daemon, whatever the folder says that they work in (facts: cloudhsm-client.md §2, §4):
 * a folder that points to the destination, and a daemon that still serves the source, would have the source verified against itself.
 * CHSM_REFUSED when the daemon certainly serves another cluster than `endpoint` (its own file names nodes of another one, or was
 * changed after the daemon had read it). Of several daemons all have to. 0 as well when that cannot be told: no daemon, a file that cannot
 * be read, addresses in place of names. `root` stands for "/"; NULL: CHSMCTL_CLIENT_ROOT, else "/".
 */
CHSM_MUST_CHECK int chsm_client_guard(const char *root, const char *endpoint, struct chsm_err *err);

#endif
