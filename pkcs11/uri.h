/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11 URIs (RFC 7512) from users: what they may say here. A URI is never printed: there may be a PIN in it. */
#ifndef CHSM_PKCS11_URI_H
#define CHSM_PKCS11_URI_H

#include "util/err.h"

struct chsm_uri {
    char *module_path;          /* NULL = not said */
    char *pin_source;           /* as chsm_secret_read() takes it ("file:/run/pin", "cmd:program"); NULL = not said */
    char *object;               /* of a key: its label; NULL = not said */
    char *id_hex;               /* of a key: its CKA_ID; NULL = not said */
};
void chsm_uri_done(struct chsm_uri *u);
#define AUTO_URI AUTO(chsm_uri_done)

/*
 * CHSM_USAGE when it is no PKCS#11 URI, has a part that p11-kit does not know (that would match more than is meant), names an
 * object, or has a pin-value (it would be in the process list) or a module-name.
 */
CHSM_MUST_CHECK int chsm_uri_parse(const char *text, struct chsm_uri *ret, struct chsm_err *err);

/* The same for the URI of one private key, which may name it by object, id and type=private. */
CHSM_MUST_CHECK int chsm_uri_parse_key(const char *text, struct chsm_uri *ret, struct chsm_err *err);

#endif
