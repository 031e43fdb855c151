/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/probe.h"
#include "pkcs11/wire.h"

#define TRIES 3u
#define ANSWER_ROOM (CHSM_WIRE_DATA_MAX + 1024u)   /* at once: no size query, for modules lie there (pkcs11-stack.md §7) */

struct probe {
    struct chsm_session *s;
    CK_SESSION_HANDLE session;
    const struct chsm_listed *key;
    const struct chsm_bytes *input;
    CK_ULONG n;
    unsigned char room[ANSWER_ROOM];
};

/* DigestInfo of SHA-256 without the digest (RFC 8017 §9.2, note 1). */
static const unsigned char digest_info[] = {
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20
};

static CK_RV sign(struct probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n)
{
    CK_RV rv = CHSM_CK(&p->s->ck, C_SignInit, p->session, m, key);

    if (rv != CKR_OK)
        return rv;
    p->n = sizeof p->room;
    return CHSM_CK(&p->s->ck, C_Sign, p->session, (CK_BYTE *)(uintptr_t)data, n, p->room, &p->n);
}

static CK_RV rsa_sign(struct probe *p)
{
    CK_MECHANISM whole = { CKM_SHA256_RSA_PKCS, NULL, 0 }, bare = { CKM_RSA_PKCS, NULL, 0 };
    unsigned char block[sizeof digest_info + CHSM_SHA256_LEN];
    CK_RV rv = sign(p, &whole, p->key->handle, p->input->p, p->input->len);

    if (rv != CKR_MECHANISM_INVALID)
        return rv;
    memcpy(block, digest_info, sizeof digest_info);
    chsm_sha256(p->input->p, p->input->len, block + sizeof digest_info);
    return sign(p, &bare, p->key->handle, block, sizeof block);
}

static CK_RV ecdsa_sign(struct probe *p)
{
    CK_MECHANISM m = { CKM_ECDSA, NULL, 0 };
    unsigned char digest[CHSM_SHA256_LEN];

    chsm_sha256(p->input->p, p->input->len, digest);
    return sign(p, &m, p->key->handle, digest, sizeof digest);
}

static CK_RV hmac(struct probe *p)
{
    CK_MECHANISM m = { CKM_SHA256_HMAC, NULL, 0 };

    return sign(p, &m, p->key->handle, p->input->p, p->input->len);
}

static CK_RV decrypt(struct probe *p, CK_MECHANISM *m)
{
    CK_RV rv = CHSM_CK(&p->s->ck, C_DecryptInit, p->session, m, p->key->handle);

    if (rv != CKR_OK)
        return rv;
    p->n = sizeof p->room;
    return CHSM_CK(&p->s->ck, C_Decrypt, p->session, p->input->p, p->input->len, p->room, &p->n);
}

static CK_RV rsa_decrypt(struct probe *p)
{
    CK_MECHANISM m = { CKM_RSA_PKCS, NULL, 0 };

    return decrypt(p, &m);
}

static CK_RV rsa_oaep(struct probe *p)
{
    CK_RSA_PKCS_OAEP_PARAMS params = { CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0 };
    CK_MECHANISM m = { CKM_RSA_PKCS_OAEP, &params, sizeof params };

    return decrypt(p, &m);
}

static CK_RV aes_encrypt(struct probe *p)
{
    CK_MECHANISM m = { CKM_AES_ECB, NULL, 0 };
    CK_RV rv = CHSM_CK(&p->s->ck, C_EncryptInit, p->session, &m, p->key->handle);

    if (rv != CKR_OK)
        return rv;
    p->n = sizeof p->room;
    return CHSM_CK(&p->s->ck, C_Encrypt, p->session, p->input->p, p->input->len, p->room, &p->n);
}

static CK_RV aes_decrypt(struct probe *p)
{
    CK_MECHANISM m = { CKM_AES_ECB, NULL, 0 };

    return decrypt(p, &m);
}

/* The shared secret as a session object that can do nothing but HMAC, and never leaves the HSM. */
static CK_RV derive(struct probe *p, const struct chsm_bytes *point, CK_OBJECT_HANDLE *ret)
{
    CK_ECDH1_DERIVE_PARAMS params = { CKD_NULL, 0, NULL, point->len, point->p };
    CK_MECHANISM m = { CKM_ECDH1_DERIVE, &params, sizeof params };
    CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ULONG len = (p->key->bits + 7) / 8;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE t[] = {
        { CKA_CLASS, &cls, sizeof cls },        { CKA_KEY_TYPE, &type, sizeof type }, { CKA_TOKEN, &no, sizeof no },
        { CKA_PRIVATE, &yes, sizeof yes },      { CKA_SIGN, &yes, sizeof yes },       { CKA_SENSITIVE, &yes, sizeof yes },
        { CKA_EXTRACTABLE, &no, sizeof no },    { CKA_VALUE_LEN, &len, sizeof len },
    };

    return CHSM_CK(&p->s->ck, C_DeriveKey, p->session, &m, p->key->handle, t, ARRAY_LEN(t), ret);
}

/* The point in a DER OCTET STRING (PKCS#11 v2.40 allows both forms; not every module takes both). */
static int wrap_point(const struct chsm_bytes *raw, unsigned char *out, size_t size, struct chsm_bytes *ret)
{
    size_t head = raw->len < 0x80 ? 2 : 3;

    if (raw->len > 0xff || raw->len + head > size)
        return -1;
    out[0] = 0x04;
    out[1] = raw->len < 0x80 ? (unsigned char)raw->len : 0x81;
    out[head - 1] = (unsigned char)raw->len;
    memcpy(out + head, raw->p, raw->len);
    *ret = (struct chsm_bytes){ out, raw->len + head };
    return 0;
}

static CK_RV ecdh(struct probe *p)
{
    CK_MECHANISM m = { CKM_SHA256_HMAC, NULL, 0 };
    CK_OBJECT_HANDLE shared = CK_INVALID_HANDLE;
    unsigned char room[0x110];
    struct chsm_bytes wrapped;
    CK_RV rv;

    if (p->key->bits == 0 || wrap_point(p->input, room, sizeof room, &wrapped) < 0)
        return CKR_DATA_LEN_RANGE;
    rv = derive(p, &wrapped, &shared);
    if (rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_ARGUMENTS_BAD || rv == CKR_GENERAL_ERROR ||
        rv == CKR_PUBLIC_KEY_INVALID || rv == CKR_FUNCTION_FAILED)
        rv = derive(p, p->input, &shared);
    if (rv != CKR_OK)
        return rv;
    rv = sign(p, &m, shared, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN);
    /* A session object that cannot be destroyed ends with its session. */
    if (CHSM_CK(&p->s->ck, C_DestroyObject, p->session, shared) != CKR_OK)
        chsm_session_reset_proofs(p->s);
    return rv;
}

static const struct operation {
    const char *kind;
    CK_OBJECT_CLASS cls;
    CK_RV (*run)(struct probe *p);
} operations[] = {
    { CHSM_KIND_RSA_SIGN, CKO_PRIVATE_KEY, rsa_sign },
    { CHSM_KIND_RSA_DECRYPT, CKO_PRIVATE_KEY, rsa_decrypt },
    { CHSM_KIND_RSA_OAEP, CKO_PRIVATE_KEY, rsa_oaep },
    { CHSM_KIND_ECDSA_SIGN, CKO_PRIVATE_KEY, ecdsa_sign },
    { CHSM_KIND_ECDH, CKO_PRIVATE_KEY, ecdh },
    { CHSM_KIND_AES_ENCRYPT, CKO_SECRET_KEY, aes_encrypt },
    { CHSM_KIND_AES_DECRYPT, CKO_SECRET_KEY, aes_decrypt },
    { CHSM_KIND_HMAC, CKO_SECRET_KEY, hmac },
};

static const struct operation *operation_of(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (chsm_streq(operations[i].kind, kind))
            return &operations[i];
    return NULL;
}

static CK_RV run(struct probe *p, const struct operation *op)
{
    CK_RV rv = CKR_GENERAL_ERROR;

    for (unsigned i = 0; i < TRIES; i++) {
        p->session = chsm_session_for_proofs(p->s);
        p->n = 0;
        rv = op->run(p);
        if (rv == CKR_OK && p->n > sizeof p->room)
            rv = CKR_BUFFER_TOO_SMALL;
        if (rv == CKR_OK)
            return rv;
        /* After an error the operation may still be active, which would spoil the next proof. */
        chsm_session_reset_proofs(p->s);
        if (!chsm_ck_transient(rv))
            return rv;
        (void)usleep(25000u << i);
    }
    return rv;
}

int chsm_probe(struct chsm_session *s, const struct chsm_listed *key, const char *kind, const struct chsm_bytes *input,
               struct chsm_bytes *ret_answer, CK_RV *ret_rv, struct chsm_err *err)
{
    const struct operation *op = operation_of(kind);
    struct probe p = { .s = s, .key = key, .input = input };
    CK_RV rv;
    int rc;

    if (!op)
        return chsm_fail(err, CHSM_PKCS11, "there is no proof of kind \"%s\"", kind);
    if (op->cls != key->cls) {
        *ret_rv = CKR_KEY_TYPE_INCONSISTENT;
        return 1;
    }
    rv = run(&p, op);
    if (rv == CKR_OK) {
        rc = chsm_bytes_set(ret_answer, p.room, p.n, err);
        chsm_wipe(p.room, sizeof p.room);
        return rc;
    }
    chsm_wipe(p.room, sizeof p.room);
    /* The same number can mean a lost session or a refusal by the HSM's policy (0xb3): the session itself decides. */
    if (chsm_session_check(s, err) < 0)
        return -1;
    *ret_rv = rv;
    return 1;
}
