/* SPDX-License-Identifier: Apache-2.0 */
/* How many keys a token shows: proofs make session objects, and none of them may be left. */
#ifndef CHSM_PKCS11_LEFTOVERS_H
#define CHSM_PKCS11_LEFTOVERS_H

#include "pkcs11/session.h"

/*
 * Counts the handles of public, private and secret keys, session objects included, class by class; no attribute is read.
 * CHSM_PKCS11 when a search fails, repeats itself or does not end.
 */
CHSM_MUST_CHECK int chsm_leftovers_count(struct chsm_session *s, size_t *ret, struct chsm_err *err);

#endif
