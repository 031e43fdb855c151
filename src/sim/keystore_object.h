/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a SoftHSM token: found, read, and generated from a description. */
#ifndef CHSM_SIM_KEYSTORE_OBJECT_H
#define CHSM_SIM_KEYSTORE_OBJECT_H

#include <p11-kit/pkcs11.h>

#include "util/enc.h"

/* What a key may be used for; of a pair each half gets the flags that it can have. */
enum {
    SIM_SIGN = 1 << 0, SIM_VERIFY = 1 << 1, SIM_ENCRYPT = 1 << 2, SIM_DECRYPT = 1 << 3, SIM_WRAP = 1 << 4,
    SIM_UNWRAP = 1 << 5, SIM_DERIVE = 1 << 6,
};

/* A logged-in session on a token. */
struct sim_token {
    CK_FUNCTION_LIST *fl;
    CK_SESSION_HANDLE session;
};

/* All that makes a key but its material. */
struct sim_key {
    CK_KEY_TYPE type;           /* CKK_RSA, _EC, _EC_EDWARDS, _DSA, _DH, _AES, _DES3, _GENERIC_SECRET */
    unsigned bits;              /* all but the curves' and DES3 */
    struct chsm_bytes params;   /* curves: CKA_EC_PARAMS */
    struct chsm_bytes id;
    struct chsm_bytes label;
    unsigned usage;             /* SIM_* */
    bool extractable;
    bool always_authenticate;   /* a private key that wants the PIN for each use */
    struct chsm_bytes mechanisms;       /* CKA_ALLOWED_MECHANISMS: CK_MECHANISM_TYPEs, empty = all */
    bool in_the_clear;          /* CKA_PRIVATE is false inside SoftHSM, which then stores the object as it is (keystore_clone.h) */
};
void sim_key_done(struct sim_key *k);
#define AUTO_SIM_KEY AUTO(sim_key_done)

/* Whether keys of that type come as pairs. */
bool sim_type_is_pair(CK_KEY_TYPE type);

/* Generates a pair inside the token; both handles are given back. */
CHSM_MUST_CHECK int sim_token_pair(const struct sim_token *t, const struct sim_key *key, CK_OBJECT_HANDLE *ret_public,
                                   CK_OBJECT_HANDLE *ret_private, struct chsm_err *err);

/* Generates a secret key inside the token. */
CHSM_MUST_CHECK int sim_token_secret(const struct sim_token *t, const struct sim_key *key, CK_OBJECT_HANDLE *ret, struct chsm_err *err);

/* Stores a certificate object. */
CHSM_MUST_CHECK int sim_token_certificate(const struct sim_token *t, const struct sim_key *key, const struct chsm_bytes *der,
                                          const struct chsm_bytes *subject, struct chsm_err *err);

/* Stores a data object: random bytes under the label. */
CHSM_MUST_CHECK int sim_token_data(const struct sim_token *t, const struct sim_key *key, struct chsm_err *err);

/* The handles of a class, of those with the ID when it is not NULL; the caller frees *ret. */
CHSM_MUST_CHECK int sim_token_find(const struct sim_token *t, CK_OBJECT_CLASS cls, const struct chsm_bytes *id,
                                   CK_OBJECT_HANDLE **ret, size_t *ret_n, struct chsm_err *err);

/* One attribute as bytes; one that the object does not have is an error. */
CHSM_MUST_CHECK int sim_token_read(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                                   struct chsm_bytes *ret, struct chsm_err *err);
CHSM_MUST_CHECK int sim_token_ulong(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_ULONG *ret,
                                    struct chsm_err *err);

/* A boolean attribute; false when the object does not have it. */
bool sim_token_flag(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

/* The description of a present key; `other` is the pair's other half, 0 when there is none. */
CHSM_MUST_CHECK int sim_token_describe(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_OBJECT_HANDLE other,
                                       struct sim_key *ret, struct chsm_err *err);

/* DER SubjectPublicKeyInfo of a public key, or of an RSA private key. */
CHSM_MUST_CHECK int sim_token_spki(const struct sim_token *t, CK_OBJECT_HANDLE object, struct chsm_bytes *ret,
                                   struct chsm_err *err);

#endif
