/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with RSA keys (PKCS#11 v2.40 mechanisms §2.1). */
#include "config.h"

#include "pkcs11/probe_ops.h"

/* DigestInfo of SHA-256 without the digest (RFC 8017 §9.2, note 1). */
static const unsigned char digest_info[] = {
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20
};

static CK_RV sign(struct chsm_probe *p)
{
    CK_MECHANISM whole = { CKM_SHA256_RSA_PKCS, NULL, 0 }, bare = { CKM_RSA_PKCS, NULL, 0 };
    unsigned char block[sizeof digest_info + CHSM_SHA256_LEN];
    CK_RV rv = chsm_probe_sign(p, &whole, p->key->handle, p->input->p, p->input->len);

    if (!chsm_probe_other_spelling(rv))
        return rv;
    memcpy(block, digest_info, sizeof digest_info);
    chsm_sha256(p->input->p, p->input->len, block + sizeof digest_info);
    return chsm_probe_sign(p, &bare, p->key->handle, block, sizeof block);
}

static CK_RV pss(struct chsm_probe *p)
{
    CK_RSA_PKCS_PSS_PARAMS params = { CKM_SHA256, CKG_MGF1_SHA256, CHSM_SHA256_LEN };
    CK_MECHANISM whole = { CKM_SHA256_RSA_PKCS_PSS, &params, sizeof params }, bare = { CKM_RSA_PKCS_PSS, &params, sizeof params };
    unsigned char digest[CHSM_SHA256_LEN];
    CK_RV rv = chsm_probe_sign(p, &whole, p->key->handle, p->input->p, p->input->len);

    if (!chsm_probe_other_spelling(rv))
        return rv;
    chsm_sha256(p->input->p, p->input->len, digest);
    return chsm_probe_sign(p, &bare, p->key->handle, digest, sizeof digest);
}

/* The mechanism of the operation; params are used for OAEP. */
static CK_MECHANISM mechanism(const struct chsm_probe *p, CK_RSA_PKCS_OAEP_PARAMS *params)
{
    if (p->op->mechanism != CKM_RSA_PKCS_OAEP)
        return (CK_MECHANISM){ p->op->mechanism, NULL, 0 };
    *params = (CK_RSA_PKCS_OAEP_PARAMS){ p->op->hash, p->op->hash == CKM_SHA_1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0 };
    return (CK_MECHANISM){ p->op->mechanism, params, sizeof *params };
}

static CK_RV decrypt(struct chsm_probe *p)
{
    CK_RSA_PKCS_OAEP_PARAMS params;
    CK_MECHANISM m = mechanism(p, &params);

    return chsm_probe_decrypt(p, &m, p->key->handle, p->input->p, p->input->len);
}

static CK_RV unwrap(struct chsm_probe *p)
{
    CK_RSA_PKCS_OAEP_PARAMS params;
    CK_MECHANISM m = mechanism(p, &params);

    return chsm_probe_unwrap(p, &m, p->input->p, p->input->len);
}

const struct chsm_probe_op chsm_probe_rsa[] = {
    { CHSM_KIND_RSA_SIGN, CKO_PRIVATE_KEY, sign, CKM_SHA256_RSA_PKCS, 0, 0 },
    { CHSM_KIND_RSA_PSS, CKO_PRIVATE_KEY, pss, CKM_SHA256_RSA_PKCS_PSS, 0, 0 },
    { CHSM_KIND_RSA_DECRYPT, CKO_PRIVATE_KEY, decrypt, CKM_RSA_PKCS, 0, 0 },
    { CHSM_KIND_RSA_OAEP, CKO_PRIVATE_KEY, decrypt, CKM_RSA_PKCS_OAEP, CKM_SHA_1, 0 },
    { CHSM_KIND_RSA_OAEP256, CKO_PRIVATE_KEY, decrypt, CKM_RSA_PKCS_OAEP, CKM_SHA256, 0 },
    { CHSM_KIND_RSA_UNWRAP, CKO_PRIVATE_KEY, unwrap, CKM_RSA_PKCS, 0, CKK_GENERIC_SECRET },
    { CHSM_KIND_RSA_OAEP_UNWRAP, CKO_PRIVATE_KEY, unwrap, CKM_RSA_PKCS_OAEP, CKM_SHA_1, CKK_GENERIC_SECRET },
    { CHSM_KIND_RSA_OAEP256_UNWRAP, CKO_PRIVATE_KEY, unwrap, CKM_RSA_PKCS_OAEP, CKM_SHA256, CKK_GENERIC_SECRET },
    { CHSM_KIND_RSA_UNWRAP_AES, CKO_PRIVATE_KEY, unwrap, CKM_RSA_PKCS, 0, CKK_AES },
    { CHSM_KIND_RSA_OAEP_UNWRAP_AES, CKO_PRIVATE_KEY, unwrap, CKM_RSA_PKCS_OAEP, CKM_SHA_1, CKK_AES },
    { CHSM_KIND_RSA_OAEP256_UNWRAP_AES, CKO_PRIVATE_KEY, unwrap, CKM_RSA_PKCS_OAEP, CKM_SHA256, CKK_AES },
    { NULL, 0, NULL, 0, 0, 0 },
};
