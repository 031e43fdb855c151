/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signature through libp11 and OpenSSL's EVP: a second stack, independent of the one in session.c, list.c and probe.c, for
 * cross-checks. In a child of its own, for libp11 closes everybody's sessions and finalises the module
 * (facts: pkcs11-stack.md §3).
 */
#ifndef CHSM_PKCS11_EVP_H
#define CHSM_PKCS11_EVP_H

#include "pkcs11/hsm.h"
#include "pkcs11/session.h"

/*
 * Signs `input` with the only private key of this CKA_ID (RSA: PKCS#1 v1.5 with SHA-256; EC: ECDSA with SHA-256, raw r||s).
 * CHSM_PKCS11 when there is no such key or more than one. One login, never repeated. *ret_signature is the caller's.
 */
CHSM_MUST_CHECK int chsm_evp_sign(const struct chsm_hsm_target *target, const struct chsm_secret *pin,
                                  const struct chsm_bytes *id, const struct chsm_bytes *input,
                                  struct chsm_bytes *ret_signature, struct chsm_err *err);

/* One private key of a token, and what is wanted of it. */
struct chsm_evp_key {
    const char *id_hex;             /* CKA_ID; NULL = any */
    const char *object;             /* CKA_LABEL; NULL = any */
    bool pss;                       /* RSA: PSS with a salt of the digest's size, else PKCS#1 v1.5 */
    bool certificate;               /* not a signature but the certificate with the key's CKA_ID, DER */
};

/* As chsm_evp_sign() for the only private key that fits; with key->certificate, input is not used (NULL). */
CHSM_MUST_CHECK int chsm_evp_use(const struct chsm_hsm_target *target, const struct chsm_secret *pin, const struct chsm_evp_key *key,
                                 const struct chsm_bytes *input, struct chsm_bytes *ret, struct chsm_err *err);

/* The same inside the child. */
struct chsm_evp_request {
    const char *module;
    const char *init;               /* NULL = none */
    struct chsm_token_choice choice;
    const struct chsm_secret *pin;
    const struct chsm_bytes *id;    /* NULL = any */
    const char *object;             /* NULL = any */
    bool pss, certificate;
    const struct chsm_bytes *input;
    struct chsm_ck *ck;             /* for the name of the call being made; fl is not used */
};
CHSM_MUST_CHECK int chsm_evp_work(const struct chsm_evp_request *q, struct chsm_bytes *ret_signature, struct chsm_err *err);

#endif
