/* SPDX-License-Identifier: Apache-2.0 */
/* What every PKCS#11 call passes on its way in and out: it is counted, suffers the quirks, and is locked. */
#ifndef CHSM_SIM_P11_GATE_H
#define CHSM_SIM_P11_GATE_H

#include "sim/p11/quirks.h"

/* The quirks in force. */
const struct sim_quirks *sim_quirks(void);

/* Reads CHSM_SIM_QUIRKS again; called by C_Initialize while nothing runs. */
CHSM_MUST_CHECK int sim_gate_open(struct chsm_err *err);

/* What a call does to the module's state (state.h): calls that only use it run beside each other. */
enum sim_access { SIM_USES, SIM_CHANGES };

/*
 * Counts the call, waits, hangs, aborts or fails as the quirks want, and takes the module's one lock. Unless CKR_OK is
 * returned the lock is not held and the caller returns the value. sim_leave() gives the lock back and passes its argument.
 */
CK_RV sim_enter(enum sim_fn fn, enum sim_access access);
CK_RV sim_leave(CK_RV rv);

/* sim_enter(), which also fails with CKR_CRYPTOKI_NOT_INITIALIZED outside C_Initialize..C_Finalize. */
#define ENTER_FOR(name, access) \
    do { \
        CK_RV enter_rv_ = sim_enter_initialised(FN_##name, access); \
        if (enter_rv_ != CKR_OK) \
            return enter_rv_; \
    } while (0)
#define ENTER(name) ENTER_FOR(name, SIM_CHANGES)
CK_RV sim_enter_initialised(enum sim_fn fn, enum sim_access access);

/* A search was opened (1) or ended (-1); for the quirk search-busy. */
void sim_gate_searches(int more);

/* Prints when the quirk `noise` is on: to stdout, or to stderr. */
CHSM_PRINTF(2, 3) void sim_noise(bool to_stderr, const char *fmt, ...);

/*
 * Appends the calls since the last time as one line of JSON, {"C_Login": 1, ...}, to the file that the environment's
 * CHSM_SIM_CALLS names; nothing when there is none. Run at C_Finalize, and again when the process ends without it.
 */
void sim_calls_write(void);

#endif
