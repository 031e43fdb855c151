/* SPDX-License-Identifier: Apache-2.0 */
/* One look at all nodes of a cluster through the management tool: what each of them said, before anything is concluded. */
#ifndef CHSM_NODES_READING_H
#define CHSM_NODES_READING_H

#include "nodes/mgmt_parse.h"
#include "nodes/mgmt_run.h"

#define CHSM_NODES_CONFIRM_MAX 8        /* keys that look missing and are asked for one by one */

/* findSingleKey of a key that not every node listed. */
struct chsm_nodes_confirmation {
    unsigned long handle;
    struct chsm_mgmt_status status;
};

/* An answer that could not be understood leaves its member empty and its reason in `open`. */
struct chsm_nodes_reading {
    struct chsm_mgmt_servers servers;       /* that the tool's start speaks of, or getClusterInfo says are down */
    struct chsm_mgmt_servers logins;        /* where the crypto officer's login succeeded */
    struct chsm_mgmt_members members;       /* n == 0: not known */
    struct chsm_mgmt_user_lists users;
    struct chsm_mgmt_key_lists keys;        /* findAllKeys 0 0 */
    struct chsm_mgmt_key_lists again;       /* findAllKeys 0 1, with hashes; n == 0: this tool does not give them */
    struct chsm_nodes_confirmation confirmed[CHSM_NODES_CONFIRM_MAX];
    size_t n_confirmed;
    char **open;                            /* why something is not established */
    size_t n_open;
    int64_t taken;                          /* ms since 1970, when the list of keys was asked for */
};

void chsm_nodes_reading_done(struct chsm_nodes_reading *r);
#define AUTO_NODES_READING AUTO(chsm_nodes_reading_done)

/* Adds a reason; the text is made by printf. */
CHSM_MUST_CHECK CHSM_PRINTF(3, 4) int chsm_nodes_open(struct chsm_nodes_reading *r, struct chsm_err *err, const char *fmt, ...);

/*
 * Starts the tool, logs the crypto officer in (once; a login that fails is counted by the HSM and is not tried again), asks
 * getClusterInfo, listUsers and findAllKeys twice, then findSingleKey for a few of the keys that not every node listed, and
 * leaves. Nothing that it asks changes anything. Errors as of chsm_mgmt_open(), and CHSM_AUTH when no server took the login.
 */
CHSM_MUST_CHECK int chsm_nodes_read(const struct chsm_mgmt_tool *tool, struct chsm_nodes_reading *ret, struct chsm_err *err);

#endif
