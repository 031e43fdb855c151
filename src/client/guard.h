/* SPDX-License-Identifier: Apache-2.0 */
/* Which cluster the library of this machine talks to, before its answers count for anything. */
#ifndef CHSM_CLIENT_GUARD_H
#define CHSM_CLIENT_GUARD_H

#include "client/endpoint.h"

/*
 * Applications use the cluster of the machine's daemon, whatever the folder says that they work in (facts: cloudhsm-client.md §2, §4):
 * a folder that points to the destination, and a daemon that still serves the source, would have the source verified against itself.
 * CHSM_REFUSED when the daemon's own file names other hosts than nodes of the cluster of `endpoint` (an address only fits itself), or was
 * changed after the daemon had read it. Of several daemons all have to. 0 when there is no daemon; 0 and a warning in the log when its
 * files cannot be read or do not tell. `root` stands for "/"; NULL: CHSMCTL_CLIENT_ROOT, else "/".
 */
CHSM_MUST_CHECK int chsm_client_guard(const char *root, const char *endpoint, struct chsm_err *err);

#endif
