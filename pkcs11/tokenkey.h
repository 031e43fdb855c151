/* SPDX-License-Identifier: Apache-2.0 */
/* A private key in a token that an RFC 7512 URI names, for signatures of our own (sign-in): through libp11, in a child. */
#ifndef CHSM_PKCS11_TOKENKEY_H
#define CHSM_PKCS11_TOKENKEY_H

#include "util/clock.h"
#include "util/enc.h"
#include "util/secret.h"

struct chsm_tokenkey;

/*
 * Reads URI and PIN; asks nothing of the token. The library is the URI's module-path, else CHSMCTL_MODULE; the PIN comes from
 * the URI's pin-source, else it is `pin` (NULL = none). CHSM_CONFIG.
 */
CHSM_MUST_CHECK int chsm_tokenkey_open(const char *uri, const struct chsm_secret *pin, struct chsm_tokenkey **ret, struct chsm_err *err);
void chsm_tokenkey_close(struct chsm_tokenkey *k);

/* The certificate with the key's CKA_ID, DER; and RSA with SHA-256 (PSS or PKCS#1 v1.5). One login each, never repeated.
   CHSM_DEADLINE when a step takes longer than the module's own time, or `until` passes (0 = never). */
CHSM_MUST_CHECK int chsm_tokenkey_certificate(const struct chsm_tokenkey *k, chsm_deadline until, struct chsm_bytes *ret,
                                              struct chsm_err *err);
CHSM_MUST_CHECK int chsm_tokenkey_sign(const struct chsm_tokenkey *k, bool pss, const struct chsm_bytes *input, chsm_deadline until,
                                       struct chsm_bytes *ret, struct chsm_err *err);

#endif
