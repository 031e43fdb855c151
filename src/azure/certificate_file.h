/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys out of PEM and PKCS#12; for credential_certificate.c alone. */
#ifndef CHSM_AZURE_CERTIFICATE_FILE_H
#define CHSM_AZURE_CERTIFICATE_FILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "util/buf.h"
#include "util/secret.h"

/*
 * Reads a file's text: PEM with certificates in any order and, with ret_key, one private key; or PKCS#12, told by its first
 * byte. `what` names the file in errors. CHSM_CONFIG. *ret_key and *ret_all are the caller's.
 */
CHSM_MUST_CHECK int chsm_certificate_read(const struct chsm_buf *text, const char *what, const struct chsm_secret *password,
                                          EVP_PKEY **ret_key, STACK_OF(X509) **ret_all, struct chsm_err *err);

/*
 * The certificate of `all` that has this public key, and after it the certificates that lead to its root, each of them the
 * issuer of the one before. NULL when none has it. The caller's.
 */
STACK_OF(X509) *chsm_certificate_chain(STACK_OF(X509) *all, EVP_PKEY *key);

void chsm_certificates_free(STACK_OF(X509) *all);

#endif
