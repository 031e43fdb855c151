/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of possession: the right key's answer is accepted, and no other answer is. */
#include "config.h"

#include "tests/unit/keys_build.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* Frozen randomness: counts up, so that two questions differ. */
static int counting(void *p, size_t n, struct chsm_err *err)
{
    static unsigned char next;

    (void)err;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = next++;
    return 0;
}

static EVP_PKEY *rsa(void)
{
    EVP_PKEY *k = EVP_RSA_gen(2048);

    assert_non_null(k);
    return k;
}

static EVP_PKEY *ec(const char *curve)
{
    EVP_PKEY *k = EVP_EC_gen(curve);

    assert_non_null(k);
    return k;
}

/* The source's record of a private key with one usage. */
static void record_of(struct chsm_record *r, EVP_PKEY *key, unsigned long type, const char *usage)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);

    *r = (struct chsm_record){ .cls = CHSM_CLASS_PRIVATE, .type = type, .spki_from = CHSM_SPKI_OWN };
    assert_true(n > 0);
    assert_int_equal(chsm_bytes_set(&r->spki, der, (size_t)n, NULL), 0);
    if (usage)
        set_flag(r, usage, true);
    OPENSSL_free(der);
}

static void sign_with(EVP_PKEY *key, const EVP_MD *md, bool pss, const struct chsm_bytes *input, struct chsm_bytes *ret)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    unsigned char sig[1024];
    size_t n = sizeof sig;

    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
    if (pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, 32), 1);
    }
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, input->p, input->len), 1);
    EVP_MD_CTX_free(ctx);
    assert_int_equal(chsm_bytes_set(ret, sig, n, NULL), 0);
}

static void sign(EVP_PKEY *key, const struct chsm_bytes *input, struct chsm_bytes *ret)
{
    sign_with(key, EVP_sha256(), false, input, ret);
}

/* DER to the raw r||s that PKCS#11 gives. */
static void raw_ecdsa(struct chsm_bytes *sig, int field)
{
    const unsigned char *p = sig->p;
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)sig->len);
    unsigned char raw[160];

    assert_non_null(s);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, field), field);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + field, field), field);
    ECDSA_SIG_free(s);
    assert_int_equal(chsm_bytes_set(sig, raw, 2 * (size_t)field, NULL), 0);
}

static void signature_of_the_key_alone_is_accepted(void **state)
{
    static const struct { const char *curve; int field; } curves[] = {
        { NULL, 0 }, { "P-192", 24 }, { "P-224", 28 }, { "P-256", 32 }, { "P-384", 48 }, { "P-521", 66 }, { "secp256k1", 32 }, { "brainpoolP512r1", 64 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        bool is_rsa = !curves[i].curve;
        EVP_PKEY *mine = is_rsa ? rsa() : ec(curves[i].curve), *other = is_rsa ? rsa() : ec(curves[i].curve);
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        AUTO_BYTES struct chsm_bytes right = { 0 };
        AUTO_BYTES struct chsm_bytes wrong = { 0 };
        struct chsm_record r;
        struct chsm_err err = { 0 };

        record_of(&r, mine, is_rsa ? CHSM_TYPE_RSA : CHSM_TYPE_EC, "sign");
        assert_ok(chsm_challenge_make(&r, 0, counting, &c, &err), err);
        assert_string_equal(c.kind, is_rsa ? CHSM_KIND_RSA_SIGN : CHSM_KIND_ECDSA_SIGN);
        assert_memory_equal(c.input.p, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN);
        assert_true(c.input.len <= 64);
        sign(mine, &c.input, &right);
        sign(other, &c.input, &wrong);
        if (!is_rsa) {
            raw_ecdsa(&right, curves[i].field);
            raw_ecdsa(&wrong, curves[i].field);
        }
        assert_int_equal(chsm_challenge_check(&r, &c, &right, &err), 1);
        assert_int_equal(chsm_challenge_check(&r, &c, &wrong, &err), 0);
        right.p[right.len / 3] ^= 1;
        assert_int_equal(chsm_challenge_check(&r, &c, &right, &err), 0);
        right.p[right.len / 3] ^= 1;
        /* The same signature under another question is a replay. */
        c.input.p[c.input.len - 1] ^= 1;
        assert_int_equal(chsm_challenge_check(&r, &c, &right, &err), 0);
        chsm_record_done(&r);
        EVP_PKEY_free(mine);
        EVP_PKEY_free(other);
    }
}

static void an_empty_answer_is_never_right(void **state)
{
    EVP_PKEY *key = rsa();
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    const struct chsm_bytes empty = { 0 };
    struct chsm_record r;
    struct chsm_err err = { 0 };

    (void)state;
    record_of(&r, key, CHSM_TYPE_RSA, "sign");
    assert_ok(chsm_challenge_make(&r, 0, counting, &c, &err), err);
    assert_int_equal(chsm_challenge_check(&r, &c, &empty, &err), 0);
    c.kind = NULL;
    assert_int_equal(chsm_challenge_check(&r, &c, &empty, &err), -1);
    chsm_record_done(&r);
    EVP_PKEY_free(key);
}

static void decrypt_with(EVP_PKEY *key, int padding, const char *digest, const struct chsm_bytes *input, struct chsm_bytes *ret)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    unsigned char plain[512];
    size_t n = sizeof plain;

    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    if (digest)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, digest, NULL), 1);
    assert_int_equal(EVP_PKEY_decrypt(ctx, plain, &n, input->p, input->len), 1);
    EVP_PKEY_CTX_free(ctx);
    assert_int_equal(chsm_bytes_set(ret, plain, n, NULL), 0);
}

/* The padding is our own: OpenSSL must find the text in it, and the opening must lead to the ciphertext again. */
static void decryption_is_proven_by_the_plaintext(void **state)
{
    static const struct { const char *kind; int padding; const char *digest; } ways[] = {
        { CHSM_KIND_RSA_OAEP, RSA_PKCS1_OAEP_PADDING, "SHA1" },
        { CHSM_KIND_RSA_OAEP256, RSA_PKCS1_OAEP_PADDING, "SHA256" },
        { CHSM_KIND_RSA_DECRYPT, RSA_PKCS1_PADDING, NULL },
    };
    EVP_PKEY *key = rsa();
    struct chsm_record r;

    (void)state;
    record_of(&r, key, CHSM_TYPE_RSA, "decrypt");
    for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        AUTO_BYTES struct chsm_bytes answer = { 0 };
        AUTO_BYTES struct chsm_bytes padded = { 0 };
        struct chsm_err err = { 0 };

        assert_ok(chsm_challenge_make(&r, i, chsm_random, &c, &err), err);
        assert_string_equal(c.kind, ways[i].kind);
        decrypt_with(key, ways[i].padding, ways[i].digest, &c.input, &answer);
        assert_int_equal(answer.len, 32);
        decrypt_with(key, RSA_NO_PADDING, NULL, &c.input, &padded);
        assert_true(chsm_bytes_eq(&padded, &c.opening));
        assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), 1);
        answer.len--;
        assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), 0);
        answer.len++;
        answer.p[0] ^= 1;
        assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), 0);
    }
    chsm_record_done(&r);
    EVP_PKEY_free(key);
}

/* What an HSM does with the secret that it unwraps. */
static void unwrapping_is_proven_by_the_use_of_the_secret(void **state)
{
    EVP_PKEY *key = rsa();
    struct chsm_record r;

    (void)state;
    record_of(&r, key, CHSM_TYPE_RSA, "unwrap");
    for (unsigned i = 0; i < 6; i++) {
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        AUTO_BYTES struct chsm_bytes secret = { 0 };
        AUTO_BYTES struct chsm_bytes answer = { 0 };
        unsigned char out[32];
        struct chsm_err err = { 0 };
        int n = 16;

        assert_ok(chsm_challenge_make(&r, i, chsm_random, &c, &err), err);
        assert_non_null(c.kind);
        assert_non_null(strstr(c.kind, i < 3 ? "-unwrap-hmac" : "-unwrap-aes"));
        decrypt_with(key, i % 3 == 2 ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING, i % 3 == 2 ? NULL : i % 3 == 1 ? "SHA256" : "SHA1", &c.input, &secret);
        if (i < 3) {
            assert_non_null(HMAC(EVP_sha256(), secret.p, (int)secret.len, (const unsigned char *)CHSM_CHALLENGE_PREFIX, 16, out, NULL));
            n = 32;
        } else {
            EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

            assert_int_equal(EVP_EncryptInit_ex2(ctx, EVP_aes_256_ecb(), secret.p, NULL, NULL), 1);
            assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, (const unsigned char *)CHSM_CHALLENGE_PREFIX, 16), 1);
            EVP_CIPHER_CTX_free(ctx);
        }
        assert_int_equal(chsm_bytes_set(&answer, out, (size_t)n, NULL), 0);
        assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), 1);
        /* The secret itself is no answer: it must not come out of the HSM. */
        assert_int_equal(chsm_challenge_check(&r, &c, &secret, &err), 0);
    }
    chsm_record_done(&r);
    EVP_PKEY_free(key);
}

/* What an HSM does: agree with the peer's point, then HMAC the prefix under the shared secret. */
static void agree(EVP_PKEY *key, const struct chsm_bytes *point, struct chsm_bytes *ret)
{
    EVP_PKEY *peer = EVP_PKEY_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    unsigned char shared[128], mac[32];
    size_t n = sizeof shared;

    assert_int_equal(EVP_PKEY_copy_parameters(peer, key), 1);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(peer, point->p, point->len), 1);
    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
    assert_int_equal(EVP_PKEY_derive(ctx, shared, &n), 1);
    assert_non_null(HMAC(EVP_sha256(), shared, (int)n, (const unsigned char *)CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN, mac, NULL));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    assert_int_equal(chsm_bytes_set(ret, mac, sizeof mac, NULL), 0);
}

/* What anybody can do later: our ephemeral key and the source's public key give the same answer. */
static void agree_from_the_files(const struct chsm_challenge *c, EVP_PKEY *source, struct chsm_bytes *ret)
{
    const unsigned char *p = c->opening.p;
    EVP_PKEY *ephemeral = d2i_AutoPrivateKey(NULL, &p, (long)c->opening.len);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ephemeral, NULL);
    unsigned char shared[128], mac[32];
    size_t n = sizeof shared;

    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, source), 1);
    assert_int_equal(EVP_PKEY_derive(ctx, shared, &n), 1);
    assert_non_null(HMAC(EVP_sha256(), shared, (int)n, (const unsigned char *)CHSM_CHALLENGE_PREFIX, 16, mac, NULL));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(ephemeral);
    assert_int_equal(chsm_bytes_set(ret, mac, sizeof mac, NULL), 0);
}

static void derivation_is_proven_by_agreement(void **state)
{
    EVP_PKEY *mine = ec("P-384"), *other = ec("P-384");
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    struct chsm_record r;
    struct chsm_err err = { 0 };

    (void)state;
    record_of(&r, mine, CHSM_TYPE_EC, "derive");
    assert_ok(chsm_challenge_make(&r, 0, counting, &c, &err), err);
    assert_string_equal(c.kind, CHSM_KIND_ECDH);
    agree(mine, &c.input, &answer);
    assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), 1);
    agree_from_the_files(&c, mine, &answer);
    assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), 1);
    agree(other, &c.input, &answer);
    assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), 0);
    chsm_record_done(&r);
    EVP_PKEY_free(mine);
    EVP_PKEY_free(other);
}

static void what_cannot_be_proven_has_a_reason(void **state)
{
    EVP_PKEY *key = rsa();
    struct chsm_record r;
    struct chsm_err err = { 0 };

    (void)state;
    record_of(&r, key, CHSM_TYPE_RSA, NULL);
    for (int i = 0; i < 4; i++) {
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };

        if (i == 1)
            r.type = CHSM_TYPE_DSA;
        if (i == 2)
            r.spki.len = 0;
        if (i == 3)
            r.cls = CHSM_CLASS_PUBLIC;
        assert_ok(chsm_challenge_make(&r, 0, counting, &c, &err), err);
        assert_null(c.kind);
        assert_true(strlen(c.reason) > 10);
    }
    chsm_record_done(&r);
    EVP_PKEY_free(key);
}

static void a_broken_public_key_proves_nothing(void **state)
{
    EVP_PKEY *key = rsa();
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    struct chsm_record r;
    struct chsm_err err = { 0 };

    (void)state;
    record_of(&r, key, CHSM_TYPE_RSA, "sign");
    assert_ok(chsm_challenge_make(&r, 0, counting, &c, &err), err);
    sign(key, &c.input, &answer);
    r.spki.p[0] ^= 0xff;
    assert_int_equal(chsm_challenge_check(&r, &c, &answer, &err), -1);
    chsm_record_done(&r);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_of_the_key_alone_is_accepted),
        cmocka_unit_test(an_empty_answer_is_never_right),
        cmocka_unit_test(decryption_is_proven_by_the_plaintext),
        cmocka_unit_test(unwrapping_is_proven_by_the_use_of_the_secret),
        cmocka_unit_test(derivation_is_proven_by_agreement),
        cmocka_unit_test(what_cannot_be_proven_has_a_reason),
        cmocka_unit_test(a_broken_public_key_proves_nothing),
    };

    return cmocka_run_group_tests_name("keys_challenge", tests, NULL, NULL);
}
