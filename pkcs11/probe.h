/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of keys/challenge.h, done by the HSM with one of the listed keys. */
#ifndef CHSM_PKCS11_PROBE_H
#define CHSM_PKCS11_PROBE_H

#include "keys/challenge.h"
#include "pkcs11/list.h"

/*
 * 0 and *ret_answer; 1 when the module refused this key or mechanism (*ret_rv); -1 when the session is gone or the request
 * makes no sense. Random device errors are tried again. Nothing that belongs to the token is changed; session objects are
 * destroyed.
 */
CHSM_MUST_CHECK int chsm_probe(struct chsm_session *s, const struct chsm_listed *key, const char *kind,
                               const struct chsm_bytes *input, struct chsm_bytes *ret_answer, CK_RV *ret_rv,
                               struct chsm_err *err);

#endif
