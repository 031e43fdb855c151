/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of proof against SoftHSM: the right key proves itself, and another key of the same kind, asked the same, does not.
 * Nothing is left in the token.
 */
#include "config.h"

#include "check.h"
#include "keys/challenge.h"
#include "p11_world.h"

#define EDWARDS 0x1055UL        /* CKM_EC_EDWARDS_KEY_PAIR_GEN, not in every header */
#define ATTEMPTS 40u

static struct world world;

static const struct curve {
    const char *label, *params, *name;
    size_t n;
    CK_MECHANISM_TYPE mechanism;
    const char *usage;
    const char *kind;
} curves[] = {
#define CURVE(label, params, name, usage, kind) { label, params, name, sizeof params - 1, CKM_EC_KEY_PAIR_GEN, usage, kind }
    CURVE("p192", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01", "P-192", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("p224", "\x06\x05\x2b\x81\x04\x00\x21", "P-224", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("p256", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", "P-256", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("p384", "\x06\x05\x2b\x81\x04\x00\x22", "P-384", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("p521", "\x06\x05\x2b\x81\x04\x00\x23", "P-521", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("k256", "\x06\x05\x2b\x81\x04\x00\x0a", "secp256k1", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("b256", "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07", "brainpoolP256r1", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("b384", "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", "brainpoolP384r1", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("b512", "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", "brainpoolP512r1", "s", CHSM_KIND_ECDSA_SIGN),
    CURVE("x256", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", "P-256", "x", CHSM_KIND_ECDH),
    CURVE("x384", "\x06\x05\x2b\x81\x04\x00\x22", "P-384", "x", CHSM_KIND_ECDH),
    CURVE("x521", "\x06\x05\x2b\x81\x04\x00\x23", "P-521", "x", CHSM_KIND_ECDH),
    { "ed25519", "\x13\x0c" "edwards25519", "Ed25519", 14, EDWARDS, "s", CHSM_KIND_EDDSA_SIGN },
    { "ed448", "\x13\x0a" "edwards448", "Ed448", 12, EDWARDS, "s", CHSM_KIND_EDDSA_SIGN },
    { "x25519", "\x13\x0a" "curve25519", "X25519", 12, EDWARDS, "x", CHSM_KIND_ECDH },
    { "x448", "\x13\x08" "curve448", "X448", 10, EDWARDS, "x", CHSM_KIND_ECDH },
};

static const struct secret {
    const char *label;
    CK_KEY_TYPE type;
    size_t n;
    const char *usage;
    const char *kinds;      /* that SoftHSM can do with it, in order */
    const char *refused;    /* that it cannot */
} secrets[] = {
    { "aes-e", CKK_AES, 32, "e", "aes-ecb-encrypt aes-cbc-encrypt aes-ctr-encrypt", "aes-kw-encrypt" },
    { "aes-d", CKK_AES, 16, "d", "aes-ecb-decrypt aes-cbc-decrypt aes-ctr-decrypt", "" },
    { "aes-s", CKK_AES, 24, "s", "aes-cmac", "" },
    { "aes-w", CKK_AES, 32, "w", "aes-kw-wrap aes-kw-pad-wrap", "aes-kwp-wrap aes-kw-nopad-wrap aes-ecb-wrap" },
    { "aes-x", CKK_AES, 32, "x", "aes-ecb-derive-hmac", "" },
    { "aes-u", CKK_AES, 32, "u", "", "aes-cbc-unwrap-hmac aes-ecb-unwrap-hmac" },
    { "des-e", CKK_DES3, 24, "e", "des3-ecb-encrypt des3-cbc-encrypt", "" },
    { "des-d", CKK_DES3, 24, "d", "des3-ecb-decrypt des3-cbc-decrypt", "" },
    { "des-s", CKK_DES3, 24, "s", "des3-cmac", "" },
    { "gen", CKK_GENERIC_SECRET, 64, "s", "hmac-sha256 hmac-sha512 hmac-sha384 hmac-sha224 hmac-sha1", "" },
    { "gen-short", CKK_GENERIC_SECRET, 20, "s", "hmac-sha1", "hmac-sha256 hmac-sha224" },
    { "mac-1", CKK_SHA_1_HMAC, 20, "s", "hmac-sha1", "" },
    { "mac-224", CKK_SHA224_HMAC, 28, "s", "hmac-sha224", "" },
    { "mac-256", CKK_SHA256_HMAC, 32, "s", "hmac-sha256", "" },
    { "mac-384", CKK_SHA384_HMAC, 48, "s", "hmac-sha384", "" },
    { "mac-512", CKK_SHA512_HMAC, 64, "s", "hmac-sha512", "" },
};

static const char *other(const char *label)
{
    static char text[64];

    (void)snprintf(text, sizeof text, "%s/other", label);
    return text;
}

static void fill(unsigned char *p, size_t n, unsigned char first)
{
    /* DES keys have odd parity; these bytes all have. */
    static const unsigned char odd[] = { 0x01, 0x02, 0x04, 0x07, 0x08, 0x0b, 0x0d, 0x0e, 0x10, 0x13, 0x15, 0x16, 0x19, 0x1a, 0x1c, 0x1f };

    for (size_t i = 0; i < n; i++)
        p[i] = odd[(i * 5 + first) % sizeof odd];
}

static void make_secret(const struct secret *k)
{
    unsigned char value[64];

    fill(value, k->n, 1);
    world_secret_for(&world, k->type, value, k->n, k->label, k->usage);
    fill(value, k->n, 2);
    world_secret_for(&world, k->type, value, k->n, other(k->label), k->usage);
}

static void make_keys(struct world *w)
{
    static const char *const rsa[][2] = { { "rsa-s", "s" }, { "rsa-d", "d" }, { "rsa-u", "u" }, { "rsa-a", "sa" }, { "rsa-da", "da" } };

    (void)w;
    for (size_t i = 0; i < ARRAY_LEN(rsa); i++) {
        world_rsa(&world, rsa[i][0], rsa[i][0], rsa[i][1]);
        world_rsa(&world, other(rsa[i][0]), other(rsa[i][0]), rsa[i][1]);
    }
    world_rsa_only(&world, "pss", "s", CKM_SHA256_RSA_PKCS_PSS);
    world_rsa_only(&world, "pss/other", "s", CKM_SHA256_RSA_PKCS_PSS);
    world_rsa_only(&world, "bare-pss", "s", CKM_RSA_PKCS_PSS);
    world_rsa_only(&world, "bare-pss/other", "s", CKM_RSA_PKCS_PSS);
    world_rsa_only(&world, "none", "sd", CKM_RSA_X_509);
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        world_ec_by(&world, curves[i].mechanism, curves[i].params, curves[i].n, curves[i].label, curves[i].usage);
        world_ec_by(&world, curves[i].mechanism, curves[i].params, curves[i].n, other(curves[i].label), curves[i].usage);
    }
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        make_secret(&secrets[i]);
}

static int make_world(void **state)
{
    (void)state;
    assert_true(world_make(&world));
    world_apart(&world, make_keys);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    world_remove(&world);
    return 0;
}

/* The HSM's answer of a key to a question; false when it refuses. */
static bool ask(struct chsm_hsm *h, const struct chsm_record *r, const struct chsm_challenge *c, struct chsm_bytes *answer, unsigned long *rv)
{
    struct chsm_err e = { 0 };
    int rc = chsm_hsm_prove(h, r->index, c->kind, &c->input, answer, rv, &e);

    if (rc < 0)
        fail_msg("%s: %s", c->kind, e.text);
    return rc == 0;
}

typedef int question_fn(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err);

/* The question of a kind that the ladder of this key leads to. */
static void question_of(const struct chsm_record *r, question_fn *question, const char *kind, struct chsm_challenge *ret)
{
    struct chsm_err e = { 0 };

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        chsm_challenge_done(ret);
        assert_ok(question(r, i, chsm_random, ret, &e), e);
        if (!ret->kind)
            fail_msg("there is no way to %s", kind);
        if (strcmp(ret->kind, kind) == 0)
            return;
    }
    fail_msg("the ladder does not end");
}

static void private_key_proves(struct chsm_hsm *h, const struct chsm_section *s, const char *label, const char *kind)
{
    const struct chsm_record *right = world_find(s, CHSM_CLASS_PRIVATE, label), *wrong = world_find(s, CHSM_CLASS_PRIVATE, other(label));
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    AUTO_BYTES struct chsm_bytes forged = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;

    question_of(right, chsm_challenge_make, kind, &c);
    if (!ask(h, right, &c, &answer, &rv))
        fail_msg("%s refuses %s: 0x%lx", label, kind, rv);
    assert_ok(chsm_challenge_check(right, &c, &answer, &e) - 1, e);
    if (c.expected.len == 0)
        assert_int_equal(chsm_challenge_check(wrong, &c, &answer, &e), 0);
    if (ask(h, wrong, &c, &forged, &rv))
        assert_int_equal(chsm_challenge_check(right, &c, &forged, &e), 0);
}

static void rsa_keys_prove_themselves(void **state)
{
    static const char *const cases[][2] = {
        { "rsa-s", CHSM_KIND_RSA_SIGN },   { "rsa-s", CHSM_KIND_RSA_PSS },          { "rsa-d", CHSM_KIND_RSA_OAEP },
        { "rsa-d", CHSM_KIND_RSA_DECRYPT }, { "rsa-u", CHSM_KIND_RSA_OAEP_UNWRAP }, { "rsa-u", CHSM_KIND_RSA_UNWRAP },
        { "rsa-u", CHSM_KIND_RSA_OAEP_UNWRAP_AES }, { "rsa-u", CHSM_KIND_RSA_UNWRAP_AES },
        { "pss", CHSM_KIND_RSA_PSS }, { "bare-pss", CHSM_KIND_RSA_PSS },
    };
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        private_key_proves(h, &s, cases[i][0], cases[i][1]);
    chsm_section_done(&s);
}

static void keys_on_curves_prove_themselves(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        assert_string_equal(world_find(&s, CHSM_CLASS_PRIVATE, curves[i].label)->curve, curves[i].name);
        private_key_proves(h, &s, curves[i].label, curves[i].kind);
    }
    chsm_section_done(&s);
}

static void secret_key_proves(struct chsm_hsm *h, const struct chsm_section *s, const char *label, const char *kind)
{
    struct chsm_record *right = (struct chsm_record *)(uintptr_t)world_find(s, CHSM_CLASS_SECRET, label);
    const struct chsm_record *wrong = world_find(s, CHSM_CLASS_SECRET, other(label));
    AUTO_CHALLENGE struct chsm_challenge asked = { 0 };
    AUTO_CHALLENGE struct chsm_challenge again = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    AUTO_BYTES struct chsm_bytes forged = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;

    question_of(right, chsm_challenge_record, kind, &asked);
    if (!ask(h, right, &asked, &answer, &rv))
        fail_msg("%s refuses %s: 0x%lx", label, kind, rv);
    assert_ok(chsm_challenge_keep(right, &asked, &answer, &e), e);
    assert_non_null(right->recorded.kind);
    question_of(right, chsm_challenge_make, kind, &again);
    if (!ask(h, right, &again, &answer, &rv) || !ask(h, wrong, &again, &forged, &rv))
        fail_msg("%s refuses %s: 0x%lx", label, kind, rv);
    assert_ok(chsm_challenge_check(right, &again, &answer, &e) - 1, e);
    assert_int_equal(chsm_challenge_check(right, &again, &forged, &e), 0);
}

/* A refusal of what SoftHSM has not leads to the next question. */
static void secret_key_goes_on(struct chsm_hsm *h, const struct chsm_section *s, const char *label, const char *kind)
{
    const struct chsm_record *r = world_find(s, CHSM_CLASS_SECRET, label);
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    unsigned long rv = 0;

    question_of(r, chsm_challenge_record, kind, &c);
    if (ask(h, r, &c, &answer, &rv))
        fail_msg("SoftHSM can %s: prove it", kind);
    if (!chsm_challenge_try_next(rv))
        fail_msg("%s: 0x%lx ends the questions", kind, rv);
}

typedef void secret_fn(struct chsm_hsm *h, const struct chsm_section *s, const char *label, const char *kind);

static void each(struct chsm_hsm *h, const struct chsm_section *s, const char *label, const char *kinds, secret_fn *fn)
{
    AUTO_FREE char *list = strdup(kinds);
    char *at = list, *kind;

    while ((kind = strsep(&at, " ")) != NULL)
        if (*kind)
            fn(h, s, label, kind);
}

static void secret_keys_prove_themselves(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        each(h, &s, secrets[i].label, secrets[i].kinds, secret_key_proves);
        each(h, &s, secrets[i].label, secrets[i].refused, secret_key_goes_on);
    }
    chsm_section_done(&s);
}

static void a_key_that_wants_a_login_for_each_use_gets_it(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);

    (void)state;
    for (int i = 0; i < 2; i++) {
        private_key_proves(h, &s, "rsa-a", CHSM_KIND_RSA_SIGN);
        private_key_proves(h, &s, "rsa-da", CHSM_KIND_RSA_OAEP);
    }
    chsm_section_done(&s);
}

/* Each refusal is named, and there is an end. */
static void a_key_without_a_mechanism_runs_out_of_questions(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h);
    const struct chsm_record *r = world_find(&s, CHSM_CLASS_PRIVATE, "none");
    struct chsm_err e = { 0 };
    unsigned attempt = 0;

    (void)state;
    for (;; attempt++) {
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        AUTO_BYTES struct chsm_bytes answer = { 0 };
        unsigned long rv = 0;

        assert_ok(chsm_challenge_make(r, attempt, chsm_random, &c, &e), e);
        if (!c.kind)
            break;
        assert_false(ask(h, r, &c, &answer, &rv));
        assert_true(chsm_challenge_try_next(rv));
    }
    assert_int_equal(attempt, 5);
    chsm_section_done(&s);
}

static void proofs_leave_nothing_in_the_token(void **state)
{
    AUTO_HSM struct chsm_hsm *h = world_open(&world);
    struct chsm_section s = world_list(h), after;
    struct chsm_err e = { 0 };
    size_t before = 0, now = 0;

    (void)state;
    assert_ok(chsm_hsm_count(h, &before, &e), e);
    assert_int_equal(before, s.n);
    private_key_proves(h, &s, "rsa-u", CHSM_KIND_RSA_UNWRAP);
    private_key_proves(h, &s, "x25519", CHSM_KIND_ECDH);
    secret_key_proves(h, &s, "aes-w", CHSM_KIND_AES_KW_WRAP);
    secret_key_proves(h, &s, "aes-x", CHSM_KIND_AES_DERIVE);
    secret_key_goes_on(h, &s, "aes-u", CHSM_KIND_AES_CBC_UNWRAP);
    secret_key_goes_on(h, &s, "aes-w", CHSM_KIND_AES_KWP_WRAP);
    assert_ok(chsm_hsm_count(h, &now, &e), e);
    assert_int_equal(now, before);
    after = world_list(h);
    assert_int_equal(after.session_objects, 0);
    assert_int_equal(after.n, s.n);
    chsm_section_done(&s);
    chsm_section_done(&after);
}

static int cmocka_main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_keys_prove_themselves),
        cmocka_unit_test(keys_on_curves_prove_themselves),
        cmocka_unit_test(secret_keys_prove_themselves),
        cmocka_unit_test(a_key_that_wants_a_login_for_each_use_gets_it),
        cmocka_unit_test(a_key_without_a_mechanism_runs_out_of_questions),
        cmocka_unit_test(proofs_leave_nothing_in_the_token),
    };

    return cmocka_run_group_tests_name("pkcs11_proofs", tests, make_world, drop_world);
}

int main(int argc, char **argv)
{
    /* The worker is this same program, as chsmctl is for itself. */
    if (argc == 2 && chsm_streq(argv[1], CHSM_WORKER_ARG))
        return chsm_hsm_worker();
    return cmocka_main();
}
