/* SPDX-License-Identifier: Apache-2.0 */
/* Open, list, prove against SoftHSM; every proof is checked with OpenSSL, as the drill does. */
#include "config.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "check.h"
#include "keys/challenge.h"
#include "p11_world.h"
#include "pkcs11/evp.h"
#include "util/json.h"

static struct world world;
static const char aes_value[] = "0123456789abcdefFEDCBA9876543210";
static const char generic_value[] = "generic secret of thirty-two byt";

static unsigned char certificate[1024];
static int certificate_len;
static struct chsm_bytes certificate_spki;

/* A self-signed certificate, as short as OpenSSL makes one. */
static void make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    unsigned char *at = certificate, *spki = NULL;
    int n;

    assert_true(key && x && X509_set_pubkey(x, key) && X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
                X509_gmtime_adj(X509_getm_notAfter(x), 3600) && X509_sign(x, key, EVP_sha256()) > 0);
    assert_true(i2d_X509(x, NULL) < (int)sizeof certificate);
    certificate_len = i2d_X509(x, &at);
    n = i2d_PUBKEY(key, &spki);
    assert_true(n > 0);
    assert_int_equal(chsm_bytes_set(&certificate_spki, spki, (size_t)n, NULL), 0);
    OPENSSL_free(spki);
    X509_free(x);
    EVP_PKEY_free(key);
}

static int make_world(void **state)
{
    (void)state;
    /* Without SoftHSM nothing here can be shown: a failure, not a silent pass. */
    assert_true(world_make(&world));
    world_enter(&world);
    world_rsa(&world, "rsa", "rsa-sign", "s");
    world_rsa(&world, "dec", "rsa-decrypt", "d");
    world_ec(&world, world_p256, sizeof world_p256, "twin", "ec-256", "s");
    world_ec(&world, world_p384, sizeof world_p384, "twin2", "ec-384", "s");
    world_ec(&world, world_p521, sizeof world_p521, "p521", "ec-521", "s");
    world_ec(&world, world_p256, sizeof world_p256, "ecdh", "ec-derive", "x");
    world_ec(&world, world_p256, sizeof world_p256, "", "no-id", "s");
    world_ec(&world, world_p256, sizeof world_p256, "same", "same-1", "s");
    world_ec(&world, world_p256, sizeof world_p256, "same", "same-2", "s");
    world_secret(&world, CKK_AES, aes_value, 32, "aes", "aes");
    world_secret(&world, CKK_GENERIC_SECRET, generic_value, 32, "gen", "generic");
    make_certificate();
    world_certificate(&world, certificate, (size_t)certificate_len, "rsa", "certificate");
    world_leave(&world);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    chsm_bytes_done(&certificate_spki);
    world_remove(&world);
    return 0;
}

static void lists_every_object_with_its_material(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);
    const struct chsm_record *r;

    (void)state;
    assert_string_equal(s.login, "cu1");
    if (!s.complete)
        fail_msg("incomplete: %s", s.why);
    assert_null(s.why);
    assert_int_equal(s.n, 9 * 2 + 2 + 1);
    assert_int_equal(s.session_objects, 0);
    assert_string_equal(json_string_value(json_object_get(s.token, "label")), WORLD_LABEL);
    for (size_t i = 0; i < s.n; i++)
        assert_int_equal(s.records[i].index, i);

    r = world_find(&s, CHSM_CLASS_PRIVATE, "rsa-sign");
    assert_int_equal(r->type, CHSM_TYPE_RSA);
    assert_int_equal(r->bits, 2048);
    assert_int_equal(r->id.len, 3);
    assert_true(r->spki.len > 256);
    assert_int_equal(r->spki_from, CHSM_SPKI_OWN);
    assert_true(chsm_record_flag(r, "sign", false));
    assert_false(chsm_record_flag(r, "decrypt", true));
    assert_true(chsm_record_flag(r, "sensitive", false));
    assert_true(chsm_bytes_eq(&r->spki, &world_find(&s, CHSM_CLASS_PUBLIC, "rsa-sign")->spki));

    r = world_find(&s, CHSM_CLASS_PRIVATE, "ec-521");
    assert_string_equal(r->curve, "P-521");
    assert_int_equal(r->bits, 521);
    /* SoftHSM tells no point for a private key: it is linked from the public half, where there is exactly one. */
    assert_int_equal(r->spki_from, CHSM_SPKI_PUBLIC_HALF);
    assert_true(chsm_bytes_eq(&r->spki, &world_find(&s, CHSM_CLASS_PUBLIC, "ec-521")->spki));
    assert_int_equal(world_find(&s, CHSM_CLASS_PRIVATE, "same-1")->spki.len, 0);
    assert_int_equal(world_find(&s, CHSM_CLASS_PRIVATE, "no-id")->id.len, 0);

    r = world_find(&s, CHSM_CLASS_SECRET, "aes");
    assert_int_equal(r->type, CHSM_TYPE_AES);
    assert_int_equal(r->bits, 256);
    assert_int_equal(r->check_value.len, 3);
    assert_null(json_object_get(r->more, "token"));
    chsm_section_done(&s);
}

static void a_certificate_is_known_by_its_digest_and_key(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);
    const struct chsm_record *r = world_find(&s, CHSM_CLASS_CERTIFICATE, "certificate");
    char hex[65];

    (void)state;
    chsm_sha256_hex(certificate, (size_t)certificate_len, hex);
    assert_string_equal(chsm_record_value_digest(r), hex);
    assert_true(chsm_bytes_eq(&r->spki, &certificate_spki));
    assert_true(r->type == CHSM_TYPE_NONE);
    chsm_section_done(&s);
}

/* Asks for the proof that the key's own record leads to, and checks it on the host. */
static void prove(struct chsm_hsm *h, const struct chsm_record *r, const char *kind)
{
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    struct chsm_bytes answer = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;
    int rc;

    if (chsm_challenge_make(r, 0, chsm_random, &c, &e) < 0)
        fail_msg("challenge: %s", e.text);
    assert_non_null(c.kind);
    assert_string_equal(c.kind, kind);
    rc = chsm_hsm_prove(h, r->index, c.kind, &c.input, &answer, &rv, &e);
    if (rc != 0)
        fail_msg("%s: rc %d rv 0x%lx %s", kind, rc, rv, e.text);
    assert_int_equal(chsm_challenge_check(r, &c, &answer, &e), 1);
    answer.p[answer.len / 2] ^= 1;
    assert_int_not_equal(chsm_challenge_check(r, &c, &answer, &e), 1);
    chsm_bytes_done(&answer);
}

static void proves_every_kind_of_private_key(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);

    (void)state;
    prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "rsa-sign"), CHSM_KIND_RSA_SIGN);
    prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "ec-256"), CHSM_KIND_ECDSA_SIGN);
    prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "ec-384"), CHSM_KIND_ECDSA_SIGN);
    prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "ec-521"), CHSM_KIND_ECDSA_SIGN);
    prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "ec-derive"), CHSM_KIND_ECDH);
    chsm_section_done(&s);
}

/* Encrypts on the host to the public key, as a source's record allows; the HSM has to give the text back. */
static void decrypts_what_was_encrypted_to_its_key(void **state)
{
    static const char text[] = CHSM_CHALLENGE_PREFIX " to be decrypted";
    static const struct { const char *kind; int padding; } ways[] = {
        { CHSM_KIND_RSA_DECRYPT, RSA_PKCS1_PADDING }, { CHSM_KIND_RSA_OAEP, RSA_PKCS1_OAEP_PADDING },
    };
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);
    const struct chsm_record *r = world_find(&s, CHSM_CLASS_PRIVATE, "rsa-decrypt");
    const unsigned char *at = r->spki.p;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)r->spki.len);

    (void)state;
    assert_non_null(key);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        unsigned char room[512];
        size_t n = sizeof room;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
        struct chsm_bytes input = { 0 }, answer = { 0 };
        struct chsm_err e = { 0 };
        unsigned long rv = 0;

        assert_true(EVP_PKEY_encrypt_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, ways[i].padding) > 0);
        assert_true(EVP_PKEY_encrypt(ctx, room, &n, (const unsigned char *)text, strlen(text)) > 0);
        input = (struct chsm_bytes){ room, n };
        assert_ok(chsm_hsm_prove(h, r->index, ways[i].kind, &input, &answer, &rv, &e), e);
        assert_int_equal(answer.len, strlen(text));
        assert_memory_equal(answer.p, text, answer.len);
        chsm_bytes_done(&answer);
        EVP_PKEY_CTX_free(ctx);
    }
    EVP_PKEY_free(key);
    chsm_section_done(&s);
}

static struct chsm_bytes ask(struct chsm_hsm *h, const struct chsm_record *r, const char *kind, const void *p, size_t n)
{
    struct chsm_bytes input = { (unsigned char *)(uintptr_t)p, n }, answer = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;

    assert_ok(chsm_hsm_prove(h, r->index, kind, &input, &answer, &rv, &e), e);
    return answer;
}

/* The right answer to every recorded question is known here: the keys were made from known values. */
static void secret_keys_answer_as_openssl_does(void **state)
{
    static const char input[] = CHSM_CHALLENGE_PREFIX "and thirty-two bytes of a nonce.";
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);
    const struct chsm_record *aes = world_find(&s, CHSM_CLASS_SECRET, "aes");
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char blocks[48] = CHSM_CHALLENGE_PREFIX, expected[64];
    struct chsm_bytes answer;
    size_t mac = 0;
    int n = 0;

    (void)state;
    chsm_sha256(input, 48, blocks + 16);
    assert_true(EVP_EncryptInit_ex2(ctx, EVP_aes_256_ecb(), (const unsigned char *)aes_value, NULL, NULL) > 0);
    assert_true(EVP_EncryptUpdate(ctx, expected, &n, blocks, 48) > 0);
    answer = ask(h, aes, CHSM_KIND_AES_ENCRYPT, input, 48);
    assert_int_equal(answer.len, 48);
    assert_memory_equal(answer.p, expected, 48);
    chsm_bytes_done(&answer);

    assert_true(EVP_DecryptInit_ex2(ctx, EVP_aes_256_ecb(), (const unsigned char *)aes_value, NULL, NULL) > 0);
    assert_true(EVP_CIPHER_CTX_set_padding(ctx, 0) > 0 && EVP_DecryptUpdate(ctx, expected, &n, blocks, 48) > 0);
    EVP_CIPHER_CTX_free(ctx);
    answer = ask(h, aes, CHSM_KIND_AES_DECRYPT, input, 48);
    assert_memory_equal(answer.p, expected, 48);
    chsm_bytes_done(&answer);

    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, generic_value, 32, (const unsigned char *)input, 48, expected,
                              sizeof expected, &mac));
    answer = ask(h, world_find(&s, CHSM_CLASS_SECRET, "generic"), CHSM_KIND_HMAC, input, 48);
    assert_int_equal(answer.len, mac);
    assert_memory_equal(answer.p, expected, mac);
    chsm_bytes_done(&answer);
    chsm_section_done(&s);
}

/* A key that may not do it is a refusal with its reason; the session goes on. */
static void a_refused_key_does_not_end_the_session(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);
    struct chsm_bytes input = { (unsigned char *)(uintptr_t)"text", 4 }, answer = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;

    (void)state;
    assert_int_equal(chsm_hsm_prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "rsa-decrypt")->index, CHSM_KIND_RSA_SIGN, &input,
                                    &answer, &rv, &e), 1);
    assert_int_equal(rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_int_equal(chsm_hsm_prove(h, world_find(&s, CHSM_CLASS_PUBLIC, "rsa-sign")->index, CHSM_KIND_RSA_SIGN, &input,
                                    &answer, &rv, &e), 1);
    assert_int_equal(rv, CKR_KEY_TYPE_INCONSISTENT);
    assert_fails(chsm_hsm_prove(h, s.n, CHSM_KIND_RSA_SIGN, &input, &answer, &rv, &e), CHSM_PKCS11, e);
    prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "rsa-sign"), CHSM_KIND_RSA_SIGN);
    chsm_section_done(&s);
}

/* Derived secrets are session objects and are gone; nothing of the token has changed. */
static void proofs_leave_the_token_as_it_was(void **state)
{
    struct chsm_section before, after;
    AUTO_HSM struct chsm_hsm *h = world_open(&world);

    (void)state;
    before = world_list(h);
    for (int i = 0; i < 3; i++)
        prove(h, world_find(&before, CHSM_CLASS_PRIVATE, "ec-derive"), CHSM_KIND_ECDH);
    after = world_list(h);
    assert_true(after.complete);
    assert_int_equal(after.session_objects, 0);
    assert_int_equal(after.n, before.n);
    chsm_section_done(&before);
    chsm_section_done(&after);
    world_enter(&world);
    assert_int_equal(world_count(&world), 21);
    world_leave(&world);
}

static void libp11_gives_signatures_of_the_same_key(void **state)
{
    static const char *const labels[] = { "rsa-sign", "ec-256", "ec-521" };
    static const char *const kinds[] = { CHSM_KIND_RSA_SIGN, CHSM_KIND_ECDSA_SIGN, CHSM_KIND_ECDSA_SIGN };
    struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);
    struct chsm_hsm_target t = world_target(&world);
    AUTO_SECRET struct chsm_secret pin = world_pin();
    struct chsm_err e = { 0 };
    struct chsm_bytes signature = { 0 }, input = { (unsigned char *)(uintptr_t)"text", 4 };

    (void)state;
    chsm_hsm_close(h);
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        const struct chsm_record *r = world_find(&s, CHSM_CLASS_PRIVATE, labels[i]);
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };

        assert_ok(chsm_challenge_make(r, 0, chsm_random, &c, &e), e);
        assert_string_equal(c.kind, kinds[i]);
        assert_ok(chsm_evp_sign(&t, &pin, &r->id, &c.input, &signature, &e), e);
        assert_int_equal(chsm_challenge_check(r, &c, &signature, &e), 1);
        chsm_bytes_done(&signature);
    }
    /* Two keys with one ID: the first one found is as often the wrong one, so neither is taken. */
    assert_fails(chsm_evp_sign(&t, &pin, &world_find(&s, CHSM_CLASS_PRIVATE, "same-1")->id, &input, &signature, &e),
                 CHSM_PKCS11, e);
    assert_contains(e.text, "2 private keys");
    chsm_section_done(&s);
}

static int cmocka_main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_every_object_with_its_material),
        cmocka_unit_test(a_certificate_is_known_by_its_digest_and_key),
        cmocka_unit_test(proves_every_kind_of_private_key),
        cmocka_unit_test(decrypts_what_was_encrypted_to_its_key),
        cmocka_unit_test(secret_keys_answer_as_openssl_does),
        cmocka_unit_test(a_refused_key_does_not_end_the_session),
        cmocka_unit_test(proofs_leave_the_token_as_it_was),
        cmocka_unit_test(libp11_gives_signatures_of_the_same_key),
    };

    return cmocka_run_group_tests_name("pkcs11_hsm", tests, make_world, drop_world);
}

int main(int argc, char **argv)
{
    /* The worker is this same program, as chsmctl is for itself. */
    if (argc == 2 && chsm_streq(argv[1], CHSM_WORKER_ARG))
        return chsm_hsm_worker();
    return cmocka_main();
}
