/* SPDX-License-Identifier: Apache-2.0 */
/* A client certificate with its key, in a file or in a token, and the assertions that it signs (entra-auth.md §3). */
#ifndef CHSM_AZURE_CREDENTIAL_CERTIFICATE_H
#define CHSM_AZURE_CREDENTIAL_CERTIFICATE_H

#include "azure/credential.h"

struct chsm_certificate;            /* leaf, the rest of its chain, and the key */

struct chsm_certificate_opts {
    const char *path;               /* PEM (key and certificates in any order), PKCS#12, or a "pkcs11:" URI of the key */
    const char *certificate;        /* PEM with the certificates of a key in a token; NULL = the token holds it */
    const struct chsm_secret *password; /* of the file, or the PIN; NULL = none */
    bool pss;                       /* PS256; else RS256 */
    bool chain;                     /* x5c: the whole chain goes into the assertion */
    chsm_key_open *open_key;        /* NULL = no keys in tokens */
};

/*
 * Reads the file; a key in a token is only opened, its certificate is read with the first assertion. CHSM_CONFIG: not
 * readable, wrong password, no RSA key, no certificate that belongs to the key.
 */
CHSM_MUST_CHECK int chsm_certificate_load(const struct chsm_certificate_opts *opts, struct chsm_certificate **ret,
                                          struct chsm_err *err);
void chsm_certificate_free(struct chsm_certificate *c);

/* "pkcs11:" in any case. */
bool chsm_certificate_in_token(const char *path);

/*
 * A fresh assertion of `client` for one request to `audience` (the token endpoint): 10 minutes, its own jti. It is checked
 * against the certificate before it is given. CHSM_CONFIG when key and certificate do not belong together; the token's own
 * error, CHSM_DEADLINE when it is not done by `until`. After a failure of a token it is not asked again: failed logins are counted.
 * *ret is the caller's.
 */
CHSM_MUST_CHECK int chsm_certificate_assert(struct chsm_certificate *c, const char *client, const char *audience, chsm_deadline until,
                                            char **ret, struct chsm_err *err);

#endif
