/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an answer is right: decided here, with OpenSSL, against what the source's record says. */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "keys/challenge.h"

/* PKCS#11's raw r||s (v2.40 mechanisms §2.3.1) as the DER that OpenSSL reads; malloc()ed by OpenSSL, 0 when malformed. */
static int ecdsa_der(const struct chsm_bytes *raw, unsigned char **ret)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = NULL, *s = NULL;
    int n = 0;

    if (sig && raw->len && raw->len % 2 == 0 && raw->len <= 512) {
        r = BN_bin2bn(raw->p, (int)(raw->len / 2), NULL);
        s = BN_bin2bn(raw->p + raw->len / 2, (int)(raw->len / 2), NULL);
    }
    if (r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        n = i2d_ECDSA_SIG(sig, ret);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return n > 0 ? n : 0;
}

/* 1 valid, 0 not valid, -1 not possible. RSA is PKCS#1 v1.5, both with SHA-256. */
static int signature_ok(const struct chsm_record *source, int type, const struct chsm_bytes *input, const unsigned char *sig, size_t n,
                        struct chsm_err *err)
{
    const unsigned char *p = source->spki.p;
    EVP_PKEY *key = source->spki.len ? d2i_PUBKEY(NULL, &p, (long)source->spki.len) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc = -1;

    if (!key || p != source->spki.p + source->spki.len || EVP_PKEY_get_base_id(key) != type)
        (void)chsm_fail(err, CHSM_CONFIG, "the recorded public key cannot be used");
    else if (!ctx || EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) != 1)
        (void)chsm_fail(err, CHSM_CONFIG, "OpenSSL cannot check this signature");
    else
        rc = EVP_DigestVerify(ctx, sig, n, input->p, input->len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return rc;
}

static int check_ecdsa(const struct chsm_record *source, const struct chsm_bytes *input, const struct chsm_bytes *answer, struct chsm_err *err)
{
    unsigned char *der = NULL;
    int n = ecdsa_der(answer, &der), rc;

    if (n == 0)
        return 0;
    rc = signature_ok(source, EVP_PKEY_EC, input, der, (size_t)n, err);
    OPENSSL_free(der);
    return rc;
}

static int check_recorded(const struct chsm_record *source, const struct chsm_challenge *c, const struct chsm_bytes *answer, struct chsm_err *err)
{
    unsigned char digest[CHSM_SHA256_LEN];

    if (!chsm_streq(source->recorded.kind, c->kind) || !chsm_bytes_eq(&source->recorded.input, &c->input))
        return chsm_fail(err, CHSM_CONFIG, "this is not the question that was recorded");
    chsm_sha256(answer->p, answer->len, digest);
    return CRYPTO_memcmp(digest, source->recorded.answer_sha256, sizeof digest) == 0;
}

int chsm_challenge_check(const struct chsm_record *source, const struct chsm_challenge *c, const struct chsm_bytes *answer, struct chsm_err *err)
{
    if (!c->kind || c->input.len == 0)
        return chsm_fail(err, CHSM_CONFIG, "there was no challenge");
    if (answer->len == 0)
        return 0;
    if (strcmp(c->kind, CHSM_KIND_RSA_SIGN) == 0)
        return signature_ok(source, EVP_PKEY_RSA, &c->input, answer->p, answer->len, err);
    if (strcmp(c->kind, CHSM_KIND_ECDSA_SIGN) == 0)
        return check_ecdsa(source, &c->input, answer, err);
    if (source->cls == CHSM_CLASS_SECRET)
        return check_recorded(source, c, answer, err);
    if (c->expected.len == 0)
        return chsm_fail(err, CHSM_CONFIG, "the right answer is not known");
    return c->expected.len == answer->len && CRYPTO_memcmp(c->expected.p, answer->p, answer->len) == 0;
}
