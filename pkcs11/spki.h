/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as PKCS#11 tells them, to DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) as OpenSSL writes it. */
#ifndef CHSM_PKCS11_SPKI_H
#define CHSM_PKCS11_SPKI_H

#include "util/enc.h"

/* Big-endian integers of CKA_MODULUS and CKA_PUBLIC_EXPONENT. CHSM_PKCS11 when they are no RSA key. */
CHSM_MUST_CHECK int chsm_spki_rsa(const struct chsm_bytes *modulus, const struct chsm_bytes *exponent, struct chsm_bytes *ret,
                                  struct chsm_err *err);

/*
 * The name ("P-256", "secp256k1", "brainpoolP256r1", "Ed25519", else the dotted OID; "explicit" for parameters that name no
 * curve) and field size in bits (0 = unknown) of CKA_EC_PARAMS: an OID or a PrintableString (RFC 3279 §2.3.5; PKCS#11
 * v3.0 §2.3.10). *ret_curve is the caller's to free.
 */
CHSM_MUST_CHECK int chsm_spki_curve(const struct chsm_bytes *params, char **ret_curve, unsigned *ret_bits, struct chsm_err *err);

/*
 * CKA_EC_PARAMS and CKA_EC_POINT, the point in a DER OCTET STRING (the standard) or bare (seen). CHSM_PKCS11 when the point is
 * not on the curve. For a curve that OpenSSL does not know there is no check, and no key: CHSM_PKCS11, too.
 */
CHSM_MUST_CHECK int chsm_spki_ec(const struct chsm_bytes *params, const struct chsm_bytes *point, struct chsm_bytes *ret,
                                 struct chsm_err *err);

/*
 * CKA_PUBLIC_KEY_INFO: a DER SubjectPublicKeyInfo, as OpenSSL writes it again. CHSM_PKCS11 when it is none, not a key of this
 * CKK_* type (EC and Edwards keys), or not on this curve (a name of chsm_spki_curve()).
 */
CHSM_MUST_CHECK int chsm_spki_parse(const struct chsm_bytes *der, unsigned long type, const char *curve, struct chsm_bytes *ret,
                                    struct chsm_err *err);

/* The key of a DER X.509 certificate; CHSM_PKCS11 when it is none. */
CHSM_MUST_CHECK int chsm_spki_certificate(const struct chsm_bytes *der, struct chsm_bytes *ret, struct chsm_err *err);

#endif
