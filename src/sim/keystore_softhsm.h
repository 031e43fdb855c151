/* SPDX-License-Identifier: Apache-2.0 */
/* SoftHSM, loaded into this process: one token folder at a time, one token per crypto user. */
#ifndef CHSM_SIM_KEYSTORE_SOFTHSM_H
#define CHSM_SIM_KEYSTORE_SOFTHSM_H

#include <p11-kit/pkcs11.h>

#include "util/err.h"

/*
 * Loads SoftHSM (configure's --with-softhsm, or the environment's CHSM_SIM_SOFTHSM) and initialises it with the tokens
 * below `keys`/tokens. SoftHSM reads its configuration from a file that an environment variable names: a nameless file is
 * made for it and SOFTHSM2_CONF put back afterwards, so that copies of a cluster never use the original's tokens.
 * The table stays valid until the process ends: the library is never unloaded (OpenSSL's exit handlers live in it too).
 */
CHSM_MUST_CHECK int sim_softhsm_start(const char *keys, CK_FUNCTION_LIST **ret, struct chsm_err *err);

/* C_Finalize, when `fl` is not NULL. */
void sim_softhsm_stop(CK_FUNCTION_LIST *fl);

/* The slot of the token with that label. */
CHSM_MUST_CHECK int sim_softhsm_slot(CK_FUNCTION_LIST *fl, const char *label, CK_SLOT_ID *ret, struct chsm_err *err);

/* Any slot at all (SoftHSM always has one, if only for a token to come). */
CHSM_MUST_CHECK int sim_softhsm_any_slot(CK_FUNCTION_LIST *fl, CK_SLOT_ID *ret, struct chsm_err *err);

/* Initialises a new token with label and user PIN. */
CHSM_MUST_CHECK int sim_softhsm_token(CK_FUNCTION_LIST *fl, const char *label, const char *pin, struct chsm_err *err);

/* Opens a read-write session on the token with that label and logs its user in. */
CHSM_MUST_CHECK int sim_softhsm_login(CK_FUNCTION_LIST *fl, const char *label, const char *pin, CK_SESSION_HANDLE *ret,
                                      struct chsm_err *err);

/* SoftHSM 2.6.1 loses some bytes with each Edwards key it decodes: between `begin` and not, LeakSanitizer counts none as lost. */
void sim_softhsm_leaks(bool begin);

/* An error that names the call and its CK_RV. Always -1. */
int sim_ck_fail(struct chsm_err *err, const char *call, CK_RV rv);

#endif
