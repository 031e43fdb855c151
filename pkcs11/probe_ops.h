/* SPDX-License-Identifier: Apache-2.0 */
/* What the families of operations (pkcs11/probe_*.c) share. Only pkcs11/probe*.c includes this. */
#ifndef CHSM_PKCS11_PROBE_OPS_H
#define CHSM_PKCS11_PROBE_OPS_H

#include "pkcs11/probe.h"
#include "pkcs11/wire.h"

#define CHSM_PROBE_ROOM (CHSM_WIRE_DATA_MAX + 1024u) /* at once: no size query, for modules lie there (pkcs11-stack.md §7) */

struct chsm_probe_op;

struct chsm_probe {
    struct chsm_session *s;
    CK_SESSION_HANDLE session;
    const struct chsm_listed *key;
    const struct chsm_bytes *input;
    const struct chsm_probe_op *op;
    bool wants_login;               /* CKA_ALWAYS_AUTHENTICATE: one login after each C_...Init with this key */
    CK_ULONG n;                     /* bytes of the answer */
    unsigned char room[CHSM_PROBE_ROOM];
};

struct chsm_probe_op {
    const char *kind;
    CK_OBJECT_CLASS cls;
    CK_RV (*run)(struct chsm_probe *p);
    CK_MECHANISM_TYPE mechanism;
    CK_MECHANISM_TYPE hash;         /* of OAEP, of a key derivation; 0 = none */
    CK_KEY_TYPE made;               /* type of the session object that is made on the way */
};

/* The three tables, each ended by a row without kind. */
extern const struct chsm_probe_op chsm_probe_rsa[], chsm_probe_ec[], chsm_probe_secret[];

/* One-part operations with `key`; the answer is in p->room. */
CK_RV chsm_probe_sign(struct chsm_probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n);
CK_RV chsm_probe_encrypt(struct chsm_probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n);
CK_RV chsm_probe_decrypt(struct chsm_probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n);

/* True for a refusal of the mechanism or of its parameters, after which another spelling of it may do. */
bool chsm_probe_other_spelling(CK_RV rv);

/*
 * Session objects (probe_made.c): made, used once, destroyed, whatever happens. Their answer is HMAC-SHA-256 of the prefix
 * under CKK_GENERIC_SECRET, AES-ECB of the prefix under CKK_AES (p->op->made).
 */
CK_RV chsm_probe_unwrap(struct chsm_probe *p, CK_MECHANISM *m, const void *wrapped, size_t n);
/* len = CKA_VALUE_LEN of what is derived. */
CK_RV chsm_probe_derive(struct chsm_probe *p, CK_MECHANISM *m, CK_ULONG len);
/* Wraps a session secret of this value under the key; the answer is the wrapped key. */
CK_RV chsm_probe_wrap(struct chsm_probe *p, CK_MECHANISM *m, const void *value, size_t n);

#endif
