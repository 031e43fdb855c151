/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in the tokens, kept between searches: SoftHSM walks through all objects for each search, and opens each one's file
 * on the way. Runs with the lock of gate.h held for changes.
 */
#ifndef CHSM_SIM_P11_LISTING_H
#define CHSM_SIM_P11_LISTING_H

#include "sim/p11/state.h"

/* For `n` tokens below `keys`/tokens. */
CHSM_MUST_CHECK int sim_listing_open(const char *keys, size_t n, struct chsm_err *err);
void sim_listing_close(void);

/* Something was made, destroyed, shown or hidden: the next search asks SoftHSM again. It also notices what others change. */
void sim_listing_forget(void);

/* SoftHSM's handles of all objects of a token, lent until the next call; each of them has its struct sim_handle. */
CK_RV sim_listing_of(size_t token, CK_SESSION_HANDLE inner, const CK_OBJECT_HANDLE **ret, size_t *ret_n);

/* The handle of an object, made when it has none; NULL when it cannot be made. */
struct sim_handle *sim_listing_handle(size_t token, CK_SESSION_HANDLE inner, CK_OBJECT_HANDLE object);

#endif
