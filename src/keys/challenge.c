/* SPDX-License-Identifier: Apache-2.0 */
/* What a key is asked. */
#include "config.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "keys/challenge.h"

#define NONCE_LEN 32
#define AES_BLOCK 16
#define CKR_MECHANISM_INVALID_ 0x70UL
#define CKR_MECHANISM_PARAM_INVALID_ 0x71UL

static_assert(sizeof CHSM_CHALLENGE_PREFIX - 1 == CHSM_CHALLENGE_PREFIX_LEN, "the prefix is one AES block");

void chsm_challenge_done(struct chsm_challenge *c)
{
    chsm_bytes_done(&c->input);
    if (c->expected.p)
        OPENSSL_cleanse(c->expected.p, c->expected.len);
    chsm_bytes_done(&c->expected);
    *c = (struct chsm_challenge){ 0 };
}

bool chsm_challenge_try_next(unsigned long ck_rv)
{
    return ck_rv == CKR_MECHANISM_INVALID_ || ck_rv == CKR_MECHANISM_PARAM_INVALID_;
}

static EVP_PKEY *public_key(const struct chsm_record *r, struct chsm_err *err)
{
    const unsigned char *p = r->spki.p;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)r->spki.len);

    if (!key || p != r->spki.p + r->spki.len) {
        EVP_PKEY_free(key);
        (void)chsm_fail(err, CHSM_CONFIG, "the recorded public key cannot be read");
        return NULL;
    }
    return key;
}

/* Prefix and n random bytes. */
static int message(struct chsm_challenge *c, size_t n, chsm_random_fn *rnd, struct chsm_err *err)
{
    unsigned char m[CHSM_CHALLENGE_PREFIX_LEN + NONCE_LEN];

    memcpy(m, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN);
    if (rnd(m + CHSM_CHALLENGE_PREFIX_LEN, n, err) < 0)
        return -1;
    return chsm_bytes_set(&c->input, m, CHSM_CHALLENGE_PREFIX_LEN + n, err);
}

/* A random plaintext, encrypted here to the source's public key. */
static int encrypt_to(const struct chsm_record *source, int padding, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    unsigned char plain[NONCE_LEN], cipher[2048];
    EVP_PKEY *key = public_key(source, err);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    size_t n = sizeof cipher;
    int rc = -1;

    if (!key || rnd(plain, sizeof plain, err) < 0)
        goto done;
    /* OAEP's default digest is SHA-1 with MGF1-SHA-1, which every HSM has. */
    if (!ctx || EVP_PKEY_encrypt_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1 ||
        EVP_PKEY_encrypt(ctx, cipher, &n, plain, sizeof plain) != 1) {
        (void)chsm_fail(err, CHSM_CONFIG, "OpenSSL cannot encrypt to the recorded public key");
        goto done;
    }
    if (chsm_bytes_set(&c->input, cipher, n, err) == 0 && chsm_bytes_set(&c->expected, plain, sizeof plain, err) == 0)
        rc = 0;
done:
    OPENSSL_cleanse(plain, sizeof plain);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return rc;
}

/* Input = our ephemeral point; expected = HMAC-SHA-256 of the prefix under the shared x coordinate. */
static int agree_with(const struct chsm_record *source, struct chsm_challenge *c, struct chsm_err *err)
{
    unsigned char point[256], shared[128], mac[CHSM_SHA256_LEN];
    EVP_PKEY *key = public_key(source, err), *mine = NULL;
    EVP_PKEY_CTX *gen = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL, *dh = NULL;
    size_t point_len = 0, n = sizeof shared;
    unsigned mac_len = 0;
    int rc = -1;

    if (!key)
        return -1;
    if (gen && EVP_PKEY_keygen_init(gen) == 1 && EVP_PKEY_generate(gen, &mine) == 1)
        dh = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
    if (dh && EVP_PKEY_derive_init(dh) == 1 && EVP_PKEY_derive_set_peer(dh, key) == 1 && EVP_PKEY_derive(dh, shared, &n) == 1 &&
        EVP_PKEY_get_octet_string_param(mine, "encoded-pub-key", point, sizeof point, &point_len) == 1 &&
        HMAC(EVP_sha256(), shared, (int)n, (const unsigned char *)CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN, mac, &mac_len))
        rc = chsm_bytes_set(&c->input, point, point_len, err) < 0 ? -1 : chsm_bytes_set(&c->expected, mac, mac_len, err);
    else
        (void)chsm_fail(err, CHSM_CONFIG, "OpenSSL cannot agree on a key with the recorded public key");
    OPENSSL_cleanse(shared, sizeof shared);
    EVP_PKEY_CTX_free(dh);
    EVP_PKEY_CTX_free(gen);
    EVP_PKEY_free(mine);
    EVP_PKEY_free(key);
    return rc;
}

static int make_rsa(const struct chsm_record *s, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    bool sign = chsm_record_flag(s, "sign", false), decrypt = chsm_record_flag(s, "decrypt", false);

    if (sign && attempt-- == 0) {
        c->kind = CHSM_KIND_RSA_SIGN;
        return message(c, NONCE_LEN, rnd, err);
    }
    if (decrypt && attempt-- == 0) {
        c->kind = CHSM_KIND_RSA_OAEP;
        return encrypt_to(s, RSA_PKCS1_OAEP_PADDING, rnd, c, err);
    }
    if (decrypt && attempt-- == 0) {
        c->kind = CHSM_KIND_RSA_DECRYPT;
        return encrypt_to(s, RSA_PKCS1_PADDING, rnd, c, err);
    }
    c->reason = sign || decrypt ? "the HSM has no mechanism for it" : "its usage allows neither signing nor decryption";
    return 0;
}

static int make_ec(const struct chsm_record *s, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    bool sign = chsm_record_flag(s, "sign", false), derive = chsm_record_flag(s, "derive", false);

    if (sign && attempt-- == 0) {
        c->kind = CHSM_KIND_ECDSA_SIGN;
        return message(c, NONCE_LEN, rnd, err);
    }
    if (derive && attempt-- == 0) {
        c->kind = CHSM_KIND_ECDH;
        return agree_with(s, c, err);
    }
    c->reason = sign || derive ? "the HSM has no mechanism for it" : "its usage allows neither signing nor derivation";
    return 0;
}

static int make_secret(const struct chsm_record *s, unsigned attempt, struct chsm_challenge *c, struct chsm_err *err)
{
    static const char *const kinds[] = { CHSM_KIND_AES_ENCRYPT, CHSM_KIND_AES_DECRYPT, CHSM_KIND_HMAC };

    if (!s->recorded.kind || attempt) {
        c->reason = attempt ? "the HSM has no mechanism for it" : "no challenge was recorded at the source";
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i], s->recorded.kind) == 0)
            c->kind = kinds[i];
    if (!c->kind) {
        c->reason = "this version does not know the recorded kind of challenge";
        return 0;
    }
    return chsm_bytes_set(&c->input, s->recorded.input.p, s->recorded.input.len, err);
}

int chsm_challenge_make(const struct chsm_record *source, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err)
{
    struct chsm_challenge c = { 0 };
    int rc = 0;

    if (source->cls == CHSM_CLASS_SECRET)
        rc = make_secret(source, attempt, &c, err);
    else if (source->cls != CHSM_CLASS_PRIVATE)
        c.reason = "it is neither a private nor a secret key";
    else if (source->spki.len == 0)
        c.reason = "its public key is not known from the source";
    else if (source->type == CHSM_TYPE_RSA)
        rc = make_rsa(source, attempt, rnd, &c, err);
    else if (source->type == CHSM_TYPE_EC)
        rc = make_ec(source, attempt, rnd, &c, err);
    else
        c.reason = "there is no proof for this key type";
    if (rc < 0) {
        chsm_challenge_done(&c);
        return -1;
    }
    *ret = c;
    return 0;
}

int chsm_challenge_record(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err)
{
    struct chsm_challenge c = { 0 };
    int rc = 0;

    if (attempt > 0)
        c.reason = "the HSM has no mechanism for it";
    else if (key->cls != CHSM_CLASS_SECRET)
        c.reason = "it is no secret key";
    else if (key->type == CHSM_TYPE_AES && (chsm_record_flag(key, "encrypt", false) || chsm_record_flag(key, "decrypt", false))) {
        c.kind = chsm_record_flag(key, "encrypt", false) ? CHSM_KIND_AES_ENCRYPT : CHSM_KIND_AES_DECRYPT;
        rc = message(&c, AES_BLOCK, rnd, err);
    } else if (key->type == CHSM_TYPE_GENERIC && chsm_record_flag(key, "sign", false)) {
        c.kind = CHSM_KIND_HMAC;
        rc = message(&c, NONCE_LEN, rnd, err);
    } else
        c.reason = "its type and usage allow no question with a repeatable answer";
    if (rc < 0)
        return -1;
    *ret = c;
    return 0;
}

int chsm_challenge_keep(struct chsm_record *key, const struct chsm_challenge *c, const struct chsm_bytes *answer, struct chsm_err *err)
{
    char *kind = strdup(c->kind);

    if (!kind || chsm_bytes_set(&key->recorded.input, c->input.p, c->input.len, err) < 0) {
        free(kind);
        return chsm_oom(err);
    }
    free(key->recorded.kind);
    key->recorded.kind = kind;
    free(key->recorded.why);
    key->recorded.why = NULL;
    chsm_sha256(answer->p, answer->len, key->recorded.answer_sha256);
    return 0;
}
