/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator's certificates and keys: made on first start, kept over restarts. */
#ifndef CHSM_SIM_CERTS_H
#define CHSM_SIM_CERTS_H

#include <openssl/evp.h>

#include "util/buf.h"

#define SIM_PEM_MAX 65536

/*
 * Makes, unless they are there: DIR/ca.pem (the CA's own key is thrown away), DIR/server.pem and DIR/server.key (P-256; for
 * 127.0.0.1, localhost and *.blob.localhost) and DIR/signing.key (RSA-2048: tokens and signed URLs).
 */
CHSM_MUST_CHECK int sim_certs_make(const char *dir, struct chsm_err *err);

/* Makes FOLDER/PO.crt, a partition owner's self-signed certificate; its key is thrown away. */
CHSM_MUST_CHECK int sim_certs_owner(const char *folder, const char *name, struct chsm_err *err);

/* Reads DIR/signing.key; EVP_PKEY_free() it. */
CHSM_MUST_CHECK int sim_signing_key(const char *dir, EVP_PKEY **ret, struct chsm_err *err);

#endif
