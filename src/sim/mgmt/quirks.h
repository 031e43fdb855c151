/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the simulated management tool misbehaves, by the environment's CHSM_SIM_MGMT, a list separated by commas. N is a server
 * (0, 1, 2), WORD the first word of a command or "start":
 *   down=N           the server is not connected
 *   unencrypted=N    the server is in unencrypted mode
 *   login-fails=N    the login fails there, whatever the password
 *   lost-keys=N[:K]  the server lacks K keys (1)
 *   lost-user=N      the server lacks its last user
 *   other-hash=N     the server's key hash is another one
 *   number=N:M       answers call server N number M
 *   count-less       numbers of keys and users are one less than what is listed; count-more: one more
 *   aws              prompts and start of the other dialect
 *   findkey          findAllKeys answers as findKey does, with "Handles of matching keys: "
 *   no-hash          findAllKeys takes no hash
 *   no-hpswd         "-hpswd" is a password like any other
 *   echo             what is typed is repeated, passwords too
 *   hang=WORD        that command never ends; die=WORD: it ends the tool; endless=WORD: it prints without end
 *   garbage=WORD     its answer has a line that means nothing; empty=WORD: it has no answer
 *   ask=WORD         it asks whether to continue
 */
#ifndef CHSM_SIM_MGMT_QUIRKS_H
#define CHSM_SIM_MGMT_QUIRKS_H

#include "util/err.h"

#define SIM_MGMT_SERVERS 8

struct sim_mgmt_quirks {
    bool down[SIM_MGMT_SERVERS], unencrypted[SIM_MGMT_SERVERS], login_fails[SIM_MGMT_SERVERS], lost_user[SIM_MGMT_SERVERS],
        other_hash[SIM_MGMT_SERVERS];
    unsigned lost_keys[SIM_MGMT_SERVERS];
    int number[SIM_MGMT_SERVERS];       /* what answers call it */
    int count;                          /* added to numbers */
    bool aws, findkey, no_hash, no_hpswd, echo;
    char hang[32], die[32], endless[32], garbage[32], empty[32], ask[32];
};

/* CHSM_USAGE that quotes what is unknown: a typo must not make a test pass. NULL = none. */
CHSM_MUST_CHECK int sim_mgmt_quirks_parse(const char *list, struct sim_mgmt_quirks *ret, struct chsm_err *err);

#endif
