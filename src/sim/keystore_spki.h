/* SPDX-License-Identifier: Apache-2.0 */
/* DER SubjectPublicKeyInfo (RFC 5280 §4.1) from PKCS#11 attributes. */
#ifndef CHSM_SIM_KEYSTORE_SPKI_H
#define CHSM_SIM_KEYSTORE_SPKI_H

#include "util/enc.h"

/* CKA_MODULUS and CKA_PUBLIC_EXPONENT, big-endian. */
CHSM_MUST_CHECK int sim_spki_rsa(const struct chsm_bytes *modulus, const struct chsm_bytes *exponent, struct chsm_bytes *ret,
                                 struct chsm_err *err);

/*
 * CKA_EC_PARAMS (DER object identifier, or SoftHSM's PrintableString for an Edwards curve) and CKA_EC_POINT (DER OCTET STRING). That
 * the point lies on the curve is not checked.
 */
CHSM_MUST_CHECK int sim_spki_ec(const struct chsm_bytes *params, const struct chsm_bytes *point, struct chsm_bytes *ret,
                                struct chsm_err *err);

/* The check value of a pair's half: the first 3 bytes of SHA-1 over the SubjectPublicKeyInfo. */
CHSM_MUST_CHECK int sim_spki_check_value(const struct chsm_bytes *spki, unsigned char out[3], struct chsm_err *err);

#endif
