/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs with modules of other manners: the right key still proves itself, and nothing else does. */
#include "config.h"

#include "check.h"
#include "keys/challenge.h"
#include "p11_world.h"

static struct world world;
static char module[4096];
static char odd_env[64];

static void make_keys(struct world *w)
{
    static const char p192[] = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01", ed25519[] = "\x13\x0c" "edwards25519";
    static const char value[] = "0123456789abcdefFEDCBA9876543210", another[] = "0123456789abcdefFEDCBA9876543211";

    world_rsa(w, "sign", "rsa-sign", "s");
    world_rsa(w, "unwrap", "rsa-unwrap", "u");
    world_rsa(w, "always", "always-1", "sa");
    world_rsa(w, "always2", "always-2", "sa");
    world_ec(w, p192, sizeof p192 - 1, "p192", "p192", "s");
    world_ec(w, world_p256, sizeof world_p256, "p256", "p256", "s");
    world_ec(w, world_p256, sizeof world_p256, "ecdh", "ecdh", "x");
    world_ec_by(w, 0x1055UL, ed25519, sizeof ed25519 - 1, "ed25519", "s");
    world_secret_for(w, CKK_AES, value, 32, "aes", "edu");
    world_secret_for(w, CKK_AES, another, 32, "aes-other", "edu");
}

static int make_world(void **state)
{
    char self[2048] = { 0 };

    (void)state;
    /* libtool builds the module into .libs beside this program. */
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    *strrchr(self, '/') = '\0';
    (void)snprintf(module, sizeof module, "%s/.libs/p11_odd.so", self);
    assert_int_equal(access(module, R_OK), 0);
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

static struct chsm_hsm *open_odd(const char *odd)
{
    struct chsm_hsm_target t = world_target(&world);
    AUTO_SECRET struct chsm_secret pin = world_pin();
    struct chsm_hsm *h = NULL;
    struct chsm_err e = { 0 };

    (void)snprintf(odd_env, sizeof odd_env, "P11_ODD=%s", odd);
    world.env[1] = odd_env;
    t.module = module;
    assert_ok(chsm_hsm_open(&t, &pin, &h, &e), e);
    return h;
}

typedef int question_fn(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err);

/* Question after question until there is an answer. 0 answered, 1 refused for good (*rv). */
static int ask(struct chsm_hsm *h, const struct chsm_record *r, question_fn *question, struct chsm_challenge *c, struct chsm_bytes *answer,
               unsigned long *rv)
{
    struct chsm_err e = { 0 };

    for (unsigned i = 0;; i++) {
        int rc;

        chsm_challenge_done(c);
        assert_ok(question(r, i, chsm_random, c, &e), e);
        if (!c->kind)
            return 1;
        rc = chsm_hsm_prove(h, r->index, c->kind, &c->input, answer, rv, &e);
        if (rc < 0)
            fail_msg("%s: %s", c->kind, e.text);
        if (rc == 0 || !chsm_challenge_try_next(*rv))
            return rc;
    }
}

static void private_key_proves(struct chsm_hsm *h, const struct chsm_section *s, const char *label, const char *kind)
{
    const struct chsm_record *r = world_find(s, CHSM_CLASS_PRIVATE, label);
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;

    if (ask(h, r, chsm_challenge_make, &c, &answer, &rv) != 0)
        fail_msg("%s gives no answer: 0x%lx", label, rv);
    assert_string_equal(c.kind, kind);
    assert_int_equal(chsm_challenge_check(r, &c, &answer, &e), 1);
}

static void other_spellings_of_the_same_question(void **state)
{
    struct chsm_hsm *h = open_odd("strict");
    struct chsm_section s = world_list(h);

    (void)state;
    private_key_proves(h, &s, "p192", CHSM_KIND_ECDSA_SIGN);
    private_key_proves(h, &s, "p256", CHSM_KIND_ECDSA_SIGN);
    private_key_proves(h, &s, "ed25519", CHSM_KIND_EDDSA_SIGN);
    private_key_proves(h, &s, "ecdh", CHSM_KIND_ECDH);
    private_key_proves(h, &s, "rsa-unwrap", CHSM_KIND_RSA_OAEP_UNWRAP);
    chsm_section_done(&s);
    chsm_hsm_close(h);

    h = open_odd("whole");
    s = world_list(h);
    private_key_proves(h, &s, "p192", CHSM_KIND_ECDSA_SIGN);
    private_key_proves(h, &s, "p256", CHSM_KIND_ECDSA_SIGN);
    private_key_proves(h, &s, "rsa-sign", CHSM_KIND_RSA_SIGN);
    chsm_section_done(&s);
    chsm_hsm_close(h);
}

static void an_agreement_with_a_key_derivation(void **state)
{
    AUTO_HSM struct chsm_hsm *h = open_odd("kdf");
    struct chsm_section s = world_list(h);

    (void)state;
    private_key_proves(h, &s, "ecdh", CHSM_KIND_ECDH_KDF);
    chsm_section_done(&s);
}

/* Recorded in one session and asked again in another one: the key, and another one. */
static void secret_key_proves(const char *at_source, const char *at_destination, const char *kind)
{
    struct chsm_hsm *h = open_odd(at_source);
    struct chsm_section s = world_list(h), t;
    struct chsm_record *r = (struct chsm_record *)(uintptr_t)world_find(&s, CHSM_CLASS_SECRET, "aes");
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_CHALLENGE struct chsm_challenge again = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;

    assert_int_equal(ask(h, r, chsm_challenge_record, &c, &answer, &rv), 0);
    assert_string_equal(c.kind, kind);
    assert_ok(chsm_challenge_keep(r, &c, &answer, &e), e);
    chsm_hsm_close(h);

    h = open_odd(at_destination);
    t = world_list(h);
    assert_ok(chsm_challenge_make(r, 0, chsm_random, &again, &e), e);
    for (int i = 0; i < 2; i++) {
        const struct chsm_record *at = world_find(&t, CHSM_CLASS_SECRET, i ? "aes-other" : "aes");

        assert_ok(chsm_hsm_prove(h, at->index, again.kind, &again.input, &answer, &rv, &e), e);
        assert_int_equal(chsm_challenge_check(r, &again, &answer, &e), i == 0);
    }
    chsm_section_done(&s);
    chsm_section_done(&t);
    chsm_hsm_close(h);
}

static void a_counter_of_another_width_gives_the_same_answer(void **state)
{
    (void)state;
    secret_key_proves("strict", "", CHSM_KIND_AES_CTR);
}

static void a_key_that_only_unwraps_proves_itself_where_that_is_unchecked(void **state)
{
    (void)state;
    secret_key_proves("unwrap", "unwrap", CHSM_KIND_AES_CBC_UNWRAP);
}

/* Failures are counted by HSMs: one, and no more, whatever the number of keys. */
static void a_refused_login_for_one_use_is_not_repeated(void **state)
{
    AUTO_HSM struct chsm_hsm *h = open_odd("context");
    struct chsm_section s = world_list(h);
    static const unsigned long codes[] = { CKR_PIN_INCORRECT, CKR_USER_NOT_LOGGED_IN, CKR_USER_NOT_LOGGED_IN };
    static const char *const labels[] = { "always-1", "always-2", "always-1" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        AUTO_BYTES struct chsm_bytes answer = { 0 };
        unsigned long rv = 0;

        assert_int_equal(ask(h, world_find(&s, CHSM_CLASS_PRIVATE, labels[i]), chsm_challenge_make, &c, &answer, &rv), 1);
        assert_int_equal(rv, codes[i]);
    }
    private_key_proves(h, &s, "rsa-sign", CHSM_KIND_RSA_SIGN);
    chsm_section_done(&s);
}

static void what_a_proof_leaves_behind_is_counted(void **state)
{
    static const char *const odd[] = { "", "keep" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        AUTO_HSM struct chsm_hsm *h = open_odd(odd[i]);
        struct chsm_section s = world_list(h);
        struct chsm_err e = { 0 };
        size_t before = 0, after = 0;

        assert_ok(chsm_hsm_count(h, &before, &e), e);
        private_key_proves(h, &s, "ecdh", CHSM_KIND_ECDH);
        assert_ok(chsm_hsm_count(h, &after, &e), e);
        assert_int_equal(after - before, i);
        chsm_section_done(&s);
    }
}

static void answers_that_say_nothing_prove_nothing(void **state)
{
    static const char *const odd[] = { "empty", "constant" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        AUTO_HSM struct chsm_hsm *h = open_odd(odd[i]);
        struct chsm_section s = world_list(h);
        struct chsm_record *aes = (struct chsm_record *)(uintptr_t)world_find(&s, CHSM_CLASS_SECRET, "aes");
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        AUTO_BYTES struct chsm_bytes answer = { 0 };
        struct chsm_err e = { 0 };
        unsigned long rv = 0;

        assert_int_equal(ask(h, aes, chsm_challenge_record, &c, &answer, &rv), 0);
        assert_ok(chsm_challenge_keep(aes, &c, &answer, &e), e);
        assert_null(aes->recorded.kind);
        assert_non_null(aes->recorded.why);
        if (i == 0) {
            assert_int_equal(ask(h, world_find(&s, CHSM_CLASS_PRIVATE, "p256"), chsm_challenge_make, &c, &answer, &rv), 0);
            assert_int_equal(chsm_challenge_check(world_find(&s, CHSM_CLASS_PRIVATE, "p256"), &c, &answer, &e), 0);
        }
        chsm_section_done(&s);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_spellings_of_the_same_question),
        cmocka_unit_test(an_agreement_with_a_key_derivation),
        cmocka_unit_test(a_counter_of_another_width_gives_the_same_answer),
        cmocka_unit_test(a_key_that_only_unwraps_proves_itself_where_that_is_unchecked),
        cmocka_unit_test(a_refused_login_for_one_use_is_not_repeated),
        cmocka_unit_test(what_a_proof_leaves_behind_is_counted),
        cmocka_unit_test(answers_that_say_nothing_prove_nothing),
    };

    /* The worker is this same program, as chsmctl is for itself. */
    if (argc == 2 && chsm_streq(argv[1], CHSM_WORKER_ARG))
        return chsm_hsm_worker();
    return cmocka_run_group_tests_name("pkcs11_odd", tests, make_world, drop_world);
}
