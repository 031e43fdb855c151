/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an answer is right: decided here, with OpenSSL, against what the source's record says. */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "keys/challenge_ways.h"

/* PKCS#11's raw r||s (v2.40 mechanisms §2.3.1) as the DER that OpenSSL reads; malloc()ed by OpenSSL, 0 when malformed. */
static int ecdsa_der(const struct chsm_bytes *raw, size_t half, unsigned char **ret)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = NULL, *s = NULL;
    int n = 0;

    if (sig && half > 0 && raw->len == 2 * half) {
        r = BN_bin2bn(raw->p, (int)half, NULL);
        s = BN_bin2bn(raw->p + half, (int)half, NULL);
    }
    if (r && s && !BN_is_zero(r) && !BN_is_zero(s) && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        n = i2d_ECDSA_SIG(sig, ret);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return n > 0 ? n : 0;
}

/* 1 valid, 0 not valid, -1 not possible. */
static int verify(EVP_PKEY *key, const EVP_MD *md, bool pss, const struct chsm_bytes *input, const struct chsm_bytes *sig, struct chsm_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    int rc = -1;

    if (!ctx || EVP_DigestVerifyInit(ctx, &pctx, md, NULL, key) != 1 ||
        (pss && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 || EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha256()) != 1 ||
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, CHSM_SHA256_LEN) != 1)))
        (void)chsm_fail(err, CHSM_CONFIG, "OpenSSL cannot check this signature");
    else
        rc = EVP_DigestVerify(ctx, sig->p, sig->len, input->p, input->len) == 1;
    EVP_MD_CTX_free(ctx);
    return rc;
}

static int check_rsa(EVP_PKEY *key, bool pss, const struct chsm_bytes *input, const struct chsm_bytes *sig, struct chsm_err *err)
{
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return chsm_fail(err, CHSM_CONFIG, "the recorded public key is no RSA key");
    if (sig->len != (size_t)EVP_PKEY_get_size(key))
        return 0;
    return verify(key, EVP_sha256(), pss, input, sig, err);
}

static int check_ecdsa(EVP_PKEY *key, const struct chsm_bytes *input, const struct chsm_bytes *raw, struct chsm_err *err)
{
    BIGNUM *order = NULL;
    struct chsm_bytes der = { 0 };
    int n, rc;

    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bn_param(key, "order", &order) != 1)
        return chsm_fail(err, CHSM_CONFIG, "the recorded public key is not on a curve for ECDSA");
    n = ecdsa_der(raw, (size_t)BN_num_bytes(order), &der.p);
    BN_free(order);
    if (n == 0)
        return 0;
    der.len = (size_t)n;
    rc = verify(key, EVP_sha256(), false, input, &der, err);
    OPENSSL_free(der.p);
    return rc;
}

static int check_eddsa(EVP_PKEY *key, const struct chsm_bytes *input, const struct chsm_bytes *sig, struct chsm_err *err)
{
    int id = EVP_PKEY_get_base_id(key);

    if (id != EVP_PKEY_ED25519 && id != EVP_PKEY_ED448)
        return chsm_fail(err, CHSM_CONFIG, "the recorded public key is on no Edwards curve");
    /* RFC 8032 §5.1.6, §5.2.6 */
    if (sig->len != (id == EVP_PKEY_ED25519 ? 64u : 114u))
        return 0;
    return verify(key, NULL, false, input, sig, err);
}

/* *ret_is: the kind is a signature, and the result is its. */
static int check_signature(const struct chsm_record *source, const struct chsm_challenge *c, const struct chsm_bytes *answer, bool *ret_is,
                           struct chsm_err *err)
{
    bool pkcs1 = strcmp(c->kind, CHSM_KIND_RSA_SIGN) == 0, pss = strcmp(c->kind, CHSM_KIND_RSA_PSS) == 0;
    bool ecdsa = strcmp(c->kind, CHSM_KIND_ECDSA_SIGN) == 0, eddsa = strcmp(c->kind, CHSM_KIND_EDDSA_SIGN) == 0;
    EVP_PKEY *key;
    int rc;

    *ret_is = pkcs1 || pss || ecdsa || eddsa;
    if (!*ret_is)
        return 0;
    key = chsm_challenge_key(source, err);
    if (!key)
        return -1;
    rc = ecdsa   ? check_ecdsa(key, &c->input, answer, err)
         : eddsa ? check_eddsa(key, &c->input, answer, err)
                 : check_rsa(key, pss, &c->input, answer, err);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return rc;
}

static int check_recorded(const struct chsm_record *source, const struct chsm_challenge *c, const struct chsm_bytes *answer, struct chsm_err *err)
{
    unsigned char digest[CHSM_SHA256_LEN];

    if (!chsm_streq(source->recorded.kind, c->kind) || !chsm_bytes_eq(&source->recorded.input, &c->input))
        return chsm_fail(err, CHSM_CONFIG, "this is not the question that was recorded");
    /* Should such a digest have come into the inventory, it proves nothing: any HSM could have given it. */
    if (!chsm_challenge_plausible(c->kind, &c->input, answer))
        return 0;
    chsm_sha256(answer->p, answer->len, digest);
    return CRYPTO_memcmp(digest, source->recorded.answer_sha256, sizeof digest) == 0;
}

int chsm_challenge_check(const struct chsm_record *source, const struct chsm_challenge *c, const struct chsm_bytes *answer, struct chsm_err *err)
{
    bool signature;
    int rc;

    if (!c->kind || c->input.len == 0)
        return chsm_fail(err, CHSM_CONFIG, "there was no challenge");
    if (answer->len == 0)
        return 0;
    if (source->cls == CHSM_CLASS_SECRET)
        return check_recorded(source, c, answer, err);
    rc = check_signature(source, c, answer, &signature, err);
    if (rc < 0 || signature)
        return rc;
    if (c->expected.len == 0)
        return chsm_fail(err, CHSM_CONFIG, "the right answer is not known");
    return c->expected.len == answer->len && CRYPTO_memcmp(c->expected.p, answer->p, answer->len) == 0;
}
