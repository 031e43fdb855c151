/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with keys on elliptic curves (PKCS#11 v2.40 mechanisms §2.3, v3.0 §2.3). */
#include "config.h"

#include "pkcs11/probe_ops.h"

#define CKM_ECDSA_SHA256_ 0x1044UL     /* since v2.30; not in every header */
#define CKD_SHA256_KDF_ 0x06UL         /* v2.40 §2.3.7; not in every header */
#define POINT_ROOM 0x110u

/* CK_EDDSA_PARAMS of v3.0 §2.3.5. */
struct eddsa_params {
    CK_BBOOL prehash;
    CK_ULONG context_len;
    CK_BYTE *context;
};

static CK_RV ecdsa(struct chsm_probe *p)
{
    CK_MECHANISM bare = { CKM_ECDSA, NULL, 0 }, whole = { CKM_ECDSA_SHA256_, NULL, 0 };
    unsigned char digest[CHSM_SHA256_LEN];
    size_t field = (p->key->bits + 7) / 8;
    CK_RV rv;

    chsm_sha256(p->input->p, p->input->len, digest);
    rv = chsm_probe_sign(p, &bare, p->key->handle, digest, sizeof digest);
    /* ECDSA uses no more of a digest than the curve has bits; some modules want it cut before (FIPS 186-4 §6.4). */
    if (rv == CKR_DATA_LEN_RANGE && field > 0 && field < sizeof digest)
        rv = chsm_probe_sign(p, &bare, p->key->handle, digest, field);
    return chsm_probe_other_spelling(rv) ? chsm_probe_sign(p, &whole, p->key->handle, p->input->p, p->input->len) : rv;
}

static CK_RV eddsa(struct chsm_probe *p)
{
    struct eddsa_params pure = { CK_FALSE, 0, NULL };
    CK_MECHANISM without = { CKM_EDDSA, NULL, 0 }, with = { CKM_EDDSA, &pure, sizeof pure };
    /* Ed25519 is pure without parameters; Ed448 wants them (v3.0 §2.3.14). Not every module keeps to either. */
    bool first = p->key->bits > 256;
    CK_RV rv = chsm_probe_sign(p, first ? &with : &without, p->key->handle, p->input->p, p->input->len);

    return chsm_probe_other_spelling(rv) ? chsm_probe_sign(p, first ? &without : &with, p->key->handle, p->input->p, p->input->len) : rv;
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

static CK_RV derive(struct chsm_probe *p, const struct chsm_bytes *point)
{
    bool kdf = p->op->hash == CKM_SHA256;
    CK_ECDH1_DERIVE_PARAMS params = { kdf ? CKD_SHA256_KDF_ : CKD_NULL, 0, NULL, point->len, point->p };
    CK_MECHANISM m = { CKM_ECDH1_DERIVE, &params, sizeof params };

    return chsm_probe_derive(p, &m, kdf ? CHSM_SHA256_LEN : (p->key->bits + 7) / 8);
}

static CK_RV ecdh(struct chsm_probe *p)
{
    unsigned char room[POINT_ROOM];
    struct chsm_bytes wrapped;
    CK_RV rv;

    if (p->key->bits == 0 || wrap_point(p->input, room, sizeof room, &wrapped) < 0)
        return CKR_DATA_LEN_RANGE;
    rv = derive(p, &wrapped);
    if (chsm_probe_other_spelling(rv) || rv == CKR_GENERAL_ERROR || rv == CKR_PUBLIC_KEY_INVALID || rv == CKR_FUNCTION_FAILED)
        rv = derive(p, p->input);
    return rv;
}

const struct chsm_probe_op chsm_probe_ec[] = {
    { CHSM_KIND_ECDSA_SIGN, CKO_PRIVATE_KEY, ecdsa, CKM_ECDSA, 0, 0 },
    { CHSM_KIND_EDDSA_SIGN, CKO_PRIVATE_KEY, eddsa, CKM_EDDSA, 0, 0 },
    { CHSM_KIND_ECDH, CKO_PRIVATE_KEY, ecdh, CKM_ECDH1_DERIVE, 0, CKK_GENERIC_SECRET },
    { CHSM_KIND_ECDH_KDF, CKO_PRIVATE_KEY, ecdh, CKM_ECDH1_DERIVE, CKM_SHA256, CKK_GENERIC_SECRET },
    { NULL, 0, NULL, 0, 0, 0 },
};
