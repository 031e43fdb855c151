/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures at the edge: what a broken or lying HSM might give instead of one is never taken for one. */
#include "config.h"

#include "tests/unit/keys_build.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define ROOM 1024u

/* A source's record of a key that signs, and a question to it. */
struct asked {
    EVP_PKEY *key;
    struct chsm_record source;
    struct chsm_challenge c;
};

static struct asked ask(EVP_PKEY *key, unsigned long type, unsigned attempt)
{
    struct asked a = { .key = key, .source = { .cls = CHSM_CLASS_PRIVATE, .type = type, .spki_from = CHSM_SPKI_OWN } };
    struct chsm_err err = { 0 };
    unsigned char *der = NULL;
    int n = key ? i2d_PUBKEY(key, &der) : 0;

    assert_true(n > 0);
    assert_ok(chsm_bytes_set(&a.source.spki, der, (size_t)n, &err), err);
    OPENSSL_free(der);
    set_flag(&a.source, "sign", true);
    assert_ok(chsm_challenge_make(&a.source, attempt, chsm_random, &a.c, &err), err);
    assert_non_null(a.c.kind);
    return a;
}

static void asked_done(struct asked *a)
{
    EVP_PKEY_free(a->key);
    chsm_record_done(&a->source);
    chsm_challenge_done(&a->c);
}

/* Signs as OpenSSL does; salt < 0: no PSS. */
static size_t sign(EVP_PKEY *key, const char *digest, int salt, const struct chsm_bytes *input, unsigned char out[ROOM])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    size_t n = ROOM;

    assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, key, NULL), 1);
    if (salt >= 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt), 1);
    }
    assert_int_equal(EVP_DigestSign(ctx, out, &n, input->p, input->len), 1);
    EVP_MD_CTX_free(ctx);
    return n;
}

static int check(const struct asked *a, unsigned char *p, size_t n)
{
    return chsm_challenge_check(&a->source, &a->c, &(struct chsm_bytes){ p, n }, NULL);
}

static void pss_with_exactly_these_parameters(void **state)
{
    struct asked a = ask(EVP_RSA_gen(2048), CHSM_TYPE_RSA, 1);
    unsigned char sig[ROOM];

    (void)state;
    assert_string_equal(a.c.kind, CHSM_KIND_RSA_PSS);
    assert_int_equal(check(&a, sig, sign(a.key, "SHA256", 32, &a.c.input, sig)), 1);
    assert_int_equal(check(&a, sig, sign(a.key, "SHA256", 20, &a.c.input, sig)), 0);
    assert_int_equal(check(&a, sig, sign(a.key, "SHA1", 32, &a.c.input, sig)), 0);
    assert_int_equal(check(&a, sig, sign(a.key, "SHA256", -1, &a.c.input, sig)), 0);
    asked_done(&a);
}

static void rsa_signatures_have_the_length_of_the_modulus(void **state)
{
    struct asked a = ask(EVP_RSA_gen(2048), CHSM_TYPE_RSA, 0);
    unsigned char sig[ROOM] = { 0 }, zero_first[ROOM] = { 0 };
    size_t n = sign(a.key, "SHA256", -1, &a.c.input, sig);

    (void)state;
    assert_string_equal(a.c.kind, CHSM_KIND_RSA_SIGN);
    assert_int_equal(n, 256);
    assert_int_equal(check(&a, sig, n), 1);
    assert_int_equal(check(&a, sig, n - 1), 0);
    assert_int_equal(check(&a, sig, n + 1), 0);
    memcpy(zero_first + 1, sig, n);
    assert_int_equal(check(&a, zero_first, n + 1), 0);
    memset(sig, 0, n);
    assert_int_equal(check(&a, sig, n), 0);
    /* s = 1 is the signature of nothing that is padded. */
    sig[n - 1] = 1;
    assert_int_equal(check(&a, sig, n), 0);
    asked_done(&a);
}

static void ecdsa_halves_have_the_length_of_the_curve(void **state)
{
    static const struct { const char *curve; size_t half; } curves[] = { { "P-256", 32 }, { "P-521", 66 }, { "P-224", 28 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct asked a = ask(EVP_EC_gen(curves[i].curve), CHSM_TYPE_EC, 0);
        unsigned char der[ROOM], raw[ROOM] = { 0 }, other[ROOM] = { 0 };
        size_t half = curves[i].half, n = sign(a.key, "SHA256", -1, &a.c.input, der);
        const unsigned char *at = der;
        ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)n);

        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)half), half);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, (int)half), half);
        assert_int_equal(check(&a, raw, 2 * half), 1);
        /* DER is not what PKCS#11 gives. */
        assert_int_equal(check(&a, der, n), 0);
        assert_int_equal(check(&a, raw, 2 * half - 1), 0);
        assert_int_equal(check(&a, raw, 2 * half - 2), 0);
        /* The same numbers, one byte wider. */
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), other, (int)half + 1), half + 1);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), other + half + 1, (int)half + 1), half + 1);
        assert_int_equal(check(&a, other, 2 * half + 2), 0);
        ECDSA_SIG_free(sig);

        /* r = 0, s = 0, both, and the order of the curve, which is 0 once more. */
        for (int k = 1; k < 4; k++) {
            memcpy(other, raw, 2 * half);
            memset(other + (k & 1 ? 0 : half), 0, k == 3 ? 2 * half : half);
            assert_int_equal(check(&a, other, 2 * half), 0);
        }
        memcpy(other, raw, 2 * half);
        memset(other, 0xff, half);
        assert_int_equal(check(&a, other, 2 * half), 0);
        asked_done(&a);
    }
}

static void eddsa_signatures_are_of_their_curve(void **state)
{
    static const struct { const char *curve; size_t len; } curves[] = { { "ED25519", 64 }, { "ED448", 114 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct asked a = ask(EVP_PKEY_Q_keygen(NULL, NULL, curves[i].curve), CHSM_TYPE_EC_EDWARDS, 0);
        struct asked b = ask(EVP_PKEY_Q_keygen(NULL, NULL, curves[i].curve), CHSM_TYPE_EC_EDWARDS, 0);
        unsigned char sig[ROOM] = { 0 };
        size_t n = sign(a.key, NULL, -1, &a.c.input, sig);

        assert_string_equal(a.c.kind, CHSM_KIND_EDDSA_SIGN);
        assert_int_equal(n, curves[i].len);
        assert_int_equal(check(&a, sig, n), 1);
        assert_int_equal(check(&b, sig, n), 0);
        assert_int_equal(check(&a, sig, n - 1), 0);
        assert_int_equal(check(&a, sig, n + 1), 0);
        /* All zeros is a signature under some weak keys; it is none under this one. */
        memset(sig, 0, sizeof sig);
        assert_int_equal(check(&a, sig, n), 0);
        assert_int_equal(check(&a, sig, sign(a.key, NULL, -1, &b.c.input, sig)), 0);
        asked_done(&a);
        asked_done(&b);
    }
}

/* A record that was mixed up: the question is for one type of key, the public key is of another. */
static void a_signature_is_not_checked_under_a_key_of_another_type(void **state)
{
    struct asked rsa = ask(EVP_RSA_gen(2048), CHSM_TYPE_RSA, 0), ec = ask(EVP_EC_gen("P-256"), CHSM_TYPE_EC, 0);
    struct asked ed = ask(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), CHSM_TYPE_EC_EDWARDS, 0);
    struct asked *all[] = { &rsa, &ec, &ed };
    unsigned char sig[ROOM] = { 1 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        for (size_t k = 0; k < ARRAY_LEN(all); k++)
            if (i != k)
                assert_int_equal(chsm_challenge_check(&all[i]->source, &all[k]->c, &(struct chsm_bytes){ sig, 64 }, NULL), -1);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        struct chsm_err err = { 0 };

        all[i]->source.type = i == 0 ? CHSM_TYPE_EC : CHSM_TYPE_RSA;
        assert_ok(chsm_challenge_make(&all[i]->source, 0, chsm_random, &c, &err), err);
        /* Not asked, and not excused. */
        assert_null(c.kind);
        assert_true(c.possible);
        asked_done(all[i]);
    }
}

/* X25519 and X448 do not sign: a signing flag on them leads to no question that could not be checked. */
static void keys_for_agreement_are_not_asked_to_sign(void **state)
{
    static const char *const curves[] = { "X25519", "X448" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        for (int derive = 0; derive < 2; derive++) {
            struct chsm_record r = { .cls = CHSM_CLASS_PRIVATE, .type = CHSM_TYPE_EC_MONTGOMERY };
            EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, curves[i]);
            AUTO_CHALLENGE struct chsm_challenge c = { 0 };
            struct chsm_err err = { 0 };
            unsigned char *der = NULL;
            int n = i2d_PUBKEY(key, &der);

            assert_ok(chsm_bytes_set(&r.spki, der, (size_t)n, &err), err);
            set_flag(&r, "sign", true);
            set_flag(&r, "derive", derive);
            assert_ok(chsm_challenge_make(&r, 0, chsm_random, &c, &err), err);
            if (derive)
                assert_string_equal(c.kind, CHSM_KIND_ECDH);
            else
                assert_null(c.kind);
            chsm_record_done(&r);
            EVP_PKEY_free(key);
            OPENSSL_free(der);
        }
}

/* u = 0 is a point of low order: every agreement with it gives zeros, whatever the private key (RFC 7748 §6.1). */
static void a_point_of_low_order_is_not_asked(void **state)
{
    struct chsm_record r = { .cls = CHSM_CLASS_PRIVATE, .type = CHSM_TYPE_EC_MONTGOMERY };
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, (unsigned char[32]){ 0 }, 32);
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    struct chsm_err err = { 0 };
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);

    (void)state;
    assert_ok(chsm_bytes_set(&r.spki, der, (size_t)n, &err), err);
    set_flag(&r, "derive", true);
    assert_ok(chsm_challenge_make(&r, 0, chsm_random, &c, &err), err);
    assert_null(c.kind);
    assert_true(c.possible);
    chsm_record_done(&r);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pss_with_exactly_these_parameters),
        cmocka_unit_test(rsa_signatures_have_the_length_of_the_modulus),
        cmocka_unit_test(ecdsa_halves_have_the_length_of_the_curve),
        cmocka_unit_test(eddsa_signatures_are_of_their_curve),
        cmocka_unit_test(a_signature_is_not_checked_under_a_key_of_another_type),
        cmocka_unit_test(keys_for_agreement_are_not_asked_to_sign),
        cmocka_unit_test(a_point_of_low_order_is_not_asked),
    };

    return cmocka_run_group_tests_name("keys_check", tests, NULL, NULL);
}
