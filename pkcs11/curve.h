/* SPDX-License-Identifier: Apache-2.0 */
/* The curves that most keys are on, made once: OpenSSL's general way costs more for a key than an HSM's answer does. */
#ifndef CHSM_PKCS11_CURVE_H
#define CHSM_PKCS11_CURVE_H

#include "util/enc.h"

/* The field size in bits of a curve (OpenSSL's NID) that OpenSSL can compute with; 0 = it cannot. */
unsigned chsm_curve_bits(int nid);

/*
 * DER SubjectPublicKeyInfo, with the point uncompressed, of a point (X9.62, any form) on a NIST prime curve or secp256k1. Their
 * cofactor is 1, so that each point on the curve but infinity is a public key. 1 and *ret; 0 when this is none of
 * those curves, or no point on it (the general way says why); -1 out of memory.
 */
CHSM_MUST_CHECK int chsm_curve_spki(int nid, const struct chsm_bytes *point, struct chsm_bytes *ret, struct chsm_err *err);

#endif
