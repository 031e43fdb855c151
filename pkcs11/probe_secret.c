/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations with secret keys. Each has exactly one mechanism: another one with another output would make an impostor of the
 * right key.
 */
#include "config.h"

#include "pkcs11/probe_ops.h"

#define CKM_AES_KEY_WRAP_KWP_ 0x210bUL /* v3.0; not in every header */
#define CKM_CLOUDHSM_KEY_WRAP_NO_PAD (CKM_VENDOR_DEFINED | CKM_AES_KEY_WRAP) /* of the vendor's family of libraries */
#define BLOCKS (CHSM_CHALLENGE_PREFIX_LEN + CHSM_SHA256_LEN)

/* What is encrypted, decrypted or wrapped: nobody can choose it, not even who writes the inventory. */
static void blocks(const struct chsm_probe *p, unsigned char out[BLOCKS])
{
    memcpy(out, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN);
    chsm_sha256(p->input->p, p->input->len, out + CHSM_CHALLENGE_PREFIX_LEN);
}

/* A zero IV where the mechanism has one, which lives as long as this process. */
static CK_MECHANISM mechanism(const struct chsm_probe *p)
{
    static CK_BYTE iv[16];

    switch (p->op->mechanism) {
    case CKM_AES_CBC:
        return (CK_MECHANISM){ p->op->mechanism, iv, 16 };
    case CKM_DES3_CBC:
        return (CK_MECHANISM){ p->op->mechanism, iv, 8 };
    default:
        return (CK_MECHANISM){ p->op->mechanism, NULL, 0 };
    }
}

static CK_RV encrypt(struct chsm_probe *p)
{
    CK_MECHANISM m = mechanism(p);
    unsigned char data[BLOCKS];

    blocks(p, data);
    return chsm_probe_encrypt(p, &m, p->key->handle, data, sizeof data);
}

static CK_RV decrypt(struct chsm_probe *p)
{
    CK_MECHANISM m = mechanism(p);
    unsigned char data[BLOCKS];

    blocks(p, data);
    return chsm_probe_decrypt(p, &m, p->key->handle, data, sizeof data);
}

typedef CK_RV crypt_fn(struct chsm_probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n);

/* The counter begins at the prefix, and never gets far enough for its width to matter. */
static CK_RV count(struct chsm_probe *p, crypt_fn *crypt)
{
    CK_AES_CTR_PARAMS params = { .ulCounterBits = 128 };
    CK_MECHANISM m = { CKM_AES_CTR, &params, sizeof params };
    unsigned char data[BLOCKS];
    CK_RV rv;

    static_assert(sizeof params.cb == CHSM_CHALLENGE_PREFIX_LEN, "a counter is a block");
    memcpy(params.cb, CHSM_CHALLENGE_PREFIX, sizeof params.cb);
    blocks(p, data);
    rv = crypt(p, &m, p->key->handle, data, sizeof data);
    if (rv != CKR_MECHANISM_PARAM_INVALID && rv != CKR_ARGUMENTS_BAD)
        return rv;
    params.ulCounterBits = 32;
    return crypt(p, &m, p->key->handle, data, sizeof data);
}

static CK_RV encrypt_counted(struct chsm_probe *p) { return count(p, chsm_probe_encrypt); }
static CK_RV decrypt_counted(struct chsm_probe *p) { return count(p, chsm_probe_decrypt); }

static CK_RV sign(struct chsm_probe *p)
{
    CK_MECHANISM m = mechanism(p);

    return chsm_probe_sign(p, &m, p->key->handle, p->input->p, p->input->len);
}

static CK_RV wrap(struct chsm_probe *p)
{
    CK_MECHANISM m = mechanism(p);
    unsigned char data[BLOCKS];

    blocks(p, data);
    return chsm_probe_wrap(p, &m, data, sizeof data);
}

/* Without an integrity check in it, any blocks are a wrapped key. */
static CK_RV unwrap(struct chsm_probe *p)
{
    CK_MECHANISM m = mechanism(p);
    unsigned char data[BLOCKS];

    blocks(p, data);
    return chsm_probe_unwrap(p, &m, data, sizeof data);
}

static CK_RV derive(struct chsm_probe *p)
{
    unsigned char data[BLOCKS];
    CK_KEY_DERIVATION_STRING_DATA params = { data, sizeof data };
    CK_MECHANISM m = { p->op->mechanism, &params, sizeof params };

    blocks(p, data);
    return chsm_probe_derive(p, &m, sizeof data);
}

#define ROW(kind, run, mechanism, made) { kind, CKO_SECRET_KEY, run, mechanism, 0, made }

const struct chsm_probe_op chsm_probe_secret[] = {
    ROW(CHSM_KIND_AES_ENCRYPT, encrypt, CKM_AES_ECB, 0),
    ROW(CHSM_KIND_AES_CBC, encrypt, CKM_AES_CBC, 0),
    ROW(CHSM_KIND_AES_CTR, encrypt_counted, CKM_AES_CTR, 0),
    ROW(CHSM_KIND_AES_KW, encrypt, CKM_AES_KEY_WRAP, 0),
    ROW(CHSM_KIND_AES_DECRYPT, decrypt, CKM_AES_ECB, 0),
    ROW(CHSM_KIND_AES_CBC_DEC, decrypt, CKM_AES_CBC, 0),
    ROW(CHSM_KIND_AES_CTR_DEC, decrypt_counted, CKM_AES_CTR, 0),
    ROW(CHSM_KIND_AES_CMAC, sign, CKM_AES_CMAC, 0),
    ROW(CHSM_KIND_AES_KW_WRAP, wrap, CKM_AES_KEY_WRAP, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_KWP_WRAP, wrap, CKM_AES_KEY_WRAP_KWP_, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_PAD_WRAP, wrap, CKM_AES_KEY_WRAP_PAD, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_NOPAD_WRAP, wrap, CKM_CLOUDHSM_KEY_WRAP_NO_PAD, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_CBC_WRAP, wrap, CKM_AES_CBC, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_ECB_WRAP, wrap, CKM_AES_ECB, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_DERIVE, derive, CKM_AES_ECB_ENCRYPT_DATA, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_CBC_UNWRAP, unwrap, CKM_AES_CBC, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_AES_ECB_UNWRAP, unwrap, CKM_AES_ECB, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_DES3_ENCRYPT, encrypt, CKM_DES3_ECB, 0),
    ROW(CHSM_KIND_DES3_CBC, encrypt, CKM_DES3_CBC, 0),
    ROW(CHSM_KIND_DES3_DECRYPT, decrypt, CKM_DES3_ECB, 0),
    ROW(CHSM_KIND_DES3_CBC_DEC, decrypt, CKM_DES3_CBC, 0),
    ROW(CHSM_KIND_DES3_CMAC, sign, CKM_DES3_CMAC, 0),
    ROW(CHSM_KIND_DES3_CBC_WRAP, wrap, CKM_DES3_CBC, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_DES3_ECB_WRAP, wrap, CKM_DES3_ECB, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_DES3_CBC_UNWRAP, unwrap, CKM_DES3_CBC, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_DES3_ECB_UNWRAP, unwrap, CKM_DES3_ECB, CKK_GENERIC_SECRET),
    ROW(CHSM_KIND_HMAC, sign, CKM_SHA256_HMAC, 0),
    ROW(CHSM_KIND_HMAC1, sign, CKM_SHA_1_HMAC, 0),
    ROW(CHSM_KIND_HMAC224, sign, CKM_SHA224_HMAC, 0),
    ROW(CHSM_KIND_HMAC384, sign, CKM_SHA384_HMAC, 0),
    ROW(CHSM_KIND_HMAC512, sign, CKM_SHA512_HMAC, 0),
    { NULL, 0, NULL, 0, 0, 0 },
};
