/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to RSA keys. What is encrypted to a public key is padded here and not by OpenSSL, so that the padded message can be
 * kept: whoever has it can make the same ciphertext again.
 */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "keys/challenge_ways.h"

#define RSA_MAX 2048u           /* bytes: OpenSSL's own limit */
#define TEXT_LEN 32u
#define REDRAWS 1024u

enum after { TEXT, HMAC_OF, AES_OF };   /* what the HSM answers: the text itself, or something under it as a key */

static const struct way {
    const char *kind;
    const char *flag;           /* the usage that it needs */
    size_t min;                 /* bytes of modulus that it needs (RFC 8017 §7.1.1, §7.2.1, §9.1.1, §9.2) */
    const char *oaep;           /* digest of OAEP; NULL = PKCS#1 v1.5 */
    enum after after;
} ways[] = {
    { CHSM_KIND_RSA_SIGN, "sign", 62, NULL, TEXT },
    { CHSM_KIND_RSA_PSS, "sign", 67, NULL, TEXT },
    { CHSM_KIND_RSA_OAEP, "decrypt", 2 * 20 + 2 + TEXT_LEN, "SHA1", TEXT },
    { CHSM_KIND_RSA_OAEP256, "decrypt", 2 * 32 + 2 + TEXT_LEN, "SHA256", TEXT },
    { CHSM_KIND_RSA_DECRYPT, "decrypt", 11 + TEXT_LEN, NULL, TEXT },
    { CHSM_KIND_RSA_OAEP_UNWRAP, "unwrap", 2 * 20 + 2 + TEXT_LEN, "SHA1", HMAC_OF },
    { CHSM_KIND_RSA_OAEP256_UNWRAP, "unwrap", 2 * 32 + 2 + TEXT_LEN, "SHA256", HMAC_OF },
    { CHSM_KIND_RSA_UNWRAP, "unwrap", 11 + TEXT_LEN, NULL, HMAC_OF },
    { CHSM_KIND_RSA_OAEP_UNWRAP_AES, "unwrap", 2 * 20 + 2 + TEXT_LEN, "SHA1", AES_OF },
    { CHSM_KIND_RSA_OAEP256_UNWRAP_AES, "unwrap", 2 * 32 + 2 + TEXT_LEN, "SHA256", AES_OF },
    { CHSM_KIND_RSA_UNWRAP_AES, "unwrap", 11 + TEXT_LEN, NULL, AES_OF },
};

/* The key cannot be used for this. */
static int unusable(void)
{
    ERR_clear_error();
    return 1;
}

/* p ^= MGF1(seed) (RFC 8017 §B.2.1). */
static bool mask(const EVP_MD *md, const unsigned char *seed, size_t n, unsigned char *p, size_t len)
{
    unsigned char block[EVP_MAX_MD_SIZE], in[RSA_MAX + 4];
    size_t size = (size_t)EVP_MD_get_size(md);

    memcpy(in, seed, n);
    for (size_t i = 0; i * size < len; i++) {
        in[n] = in[n + 1] = 0;
        in[n + 2] = (unsigned char)(i >> 8);
        in[n + 3] = (unsigned char)i;
        if (EVP_Digest(in, n + 4, block, NULL, md, NULL) != 1)
            return false;
        for (size_t k = 0; k < size && i * size + k < len; k++)
            p[i * size + k] ^= block[k];
    }
    return true;
}

/* EME-OAEP with an empty label (RFC 8017 §7.1.1 step 2); em has k bytes, enough for it. */
static int pad_oaep(const char *digest, const unsigned char *text, chsm_random_fn *rnd, unsigned char *em, size_t k, struct chsm_err *err)
{
    EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);
    size_t size = md ? (size_t)EVP_MD_get_size(md) : 0, n = k - size - 1;
    unsigned char *seed = em + 1, *db = seed + size;
    int rc = -1;

    memset(em, 0, k);
    if (!md || EVP_Digest("", 0, db, NULL, md, NULL) != 1) {
        rc = unusable();
        goto done;
    }
    db[n - TEXT_LEN - 1] = 1;
    memcpy(db + n - TEXT_LEN, text, TEXT_LEN);
    if (rnd(seed, size, err) < 0)
        goto done;
    rc = mask(md, seed, size, db, n) && mask(md, db, n, seed, size) ? 0 : unusable();
done:
    EVP_MD_free(md);
    return rc;
}

/* EME-PKCS1-v1_5 (RFC 8017 §7.2.1 step 2). */
static int pad_pkcs1(const unsigned char *text, chsm_random_fn *rnd, unsigned char *em, size_t k, struct chsm_err *err)
{
    size_t n = k - TEXT_LEN - 3;
    unsigned redraws = 0;

    em[0] = 0;
    em[1] = 2;
    if (rnd(em + 2, n, err) < 0)
        return -1;
    for (size_t i = 2; i < n + 2; i++)
        while (em[i] == 0)
            if (redraws++ == REDRAWS || rnd(em + i, 1, err) < 0)
                return chsm_fail(err, CHSM_CONFIG, "there is no randomness for the padding");
    em[n + 2] = 0;
    memcpy(em + n + 3, text, TEXT_LEN);
    return 0;
}

/* The right answer. */
static int expect(enum after after, const unsigned char *text, struct chsm_challenge *c, struct chsm_err *err)
{
    const unsigned char *prefix = (const unsigned char *)CHSM_CHALLENGE_PREFIX;
    unsigned char out[64];
    EVP_CIPHER_CTX *ctx;
    unsigned mac = 0;
    int n = 0, rc = -1;

    if (after == TEXT)
        return chsm_bytes_set(&c->expected, text, TEXT_LEN, err);
    if (after == HMAC_OF)
        return HMAC(EVP_sha256(), text, TEXT_LEN, prefix, CHSM_CHALLENGE_PREFIX_LEN, out, &mac) ? chsm_bytes_set(&c->expected, out, mac, err)
                                                                                               : unusable();
    ctx = EVP_CIPHER_CTX_new();
    if (ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_256_ecb(), text, NULL, NULL) == 1 &&
        EVP_EncryptUpdate(ctx, out, &n, prefix, CHSM_CHALLENGE_PREFIX_LEN) == 1 && n == CHSM_CHALLENGE_PREFIX_LEN)
        rc = chsm_bytes_set(&c->expected, out, (size_t)n, err);
    else
        rc = unusable();
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}

/* em^e mod n */
static int raw(EVP_PKEY *key, const unsigned char *em, size_t k, struct chsm_challenge *c, struct chsm_err *err)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    unsigned char cipher[RSA_MAX];
    size_t n = sizeof cipher;
    int rc = -1;

    if (!ctx || EVP_PKEY_encrypt_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1 ||
        EVP_PKEY_encrypt(ctx, cipher, &n, em, k) != 1)
        rc = unusable();
    else if (chsm_bytes_set(&c->input, cipher, n, err) == 0)
        rc = chsm_bytes_set(&c->opening, em, k, err);
    EVP_PKEY_CTX_free(ctx);
    return rc;
}

static int encrypt_to(EVP_PKEY *key, const struct way *w, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    unsigned char text[TEXT_LEN], em[RSA_MAX];
    size_t k = (size_t)EVP_PKEY_get_size(key);
    int rc;

    c->kind = w->kind;
    if (k > sizeof em)
        return unusable();
    rc = rnd(text, sizeof text, err) < 0 ? -1 : expect(w->after, text, c, err);
    if (rc == 0)
        rc = w->oaep ? pad_oaep(w->oaep, text, rnd, em, k, err) : pad_pkcs1(text, rnd, em, k, err);
    if (rc == 0)
        rc = raw(key, em, k, c, err);
    OPENSSL_cleanse(text, sizeof text);
    OPENSSL_cleanse(em, sizeof em);
    return rc;
}

int chsm_challenge_rsa(const struct chsm_record *s, EVP_PKEY *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    unsigned seen = 0;
    int size = EVP_PKEY_get_size(key);

    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return unusable();
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const struct way *w = &ways[i];

        if (!chsm_record_flag(s, w->flag, false) || size < 0 || (size_t)size < w->min || seen++ != attempt)
            continue;
        return strcmp(w->flag, "sign") == 0 ? chsm_challenge_message(w->kind, rnd, c, err) : encrypt_to(key, w, rnd, c, err);
    }
    c->reason = seen ? CHSM_REASON_NONE_LEFT : "its usage allows neither signing, decryption nor unwrapping";
    return 0;
}
