/* SPDX-License-Identifier: Apache-2.0 */
/* How the outcome of a challenge enters a finding, and what each verdict is worth under each bar. */
#include "config.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/unit/keys_build.h"

static int no_random(void *p, size_t n, struct chsm_err *err)
{
    memset(p, 0, n);
    return chsm_fail(err, CHSM_CONFIG, "no randomness");
}

/* Without randomness there is no challenge: a question that somebody could foresee proves nothing. */
static void no_randomness_no_challenge(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    struct chsm_section *s = section(&inv, "cu1");
    struct chsm_challenge c = { 0 };
    struct chsm_err err = { 0 };
    struct chsm_record *rsa = add_rsa(s, CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    EVP_PKEY *key = EVP_RSA_gen(2048);
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);

    (void)state;
    assert_true(n > 0);
    assert_ok(chsm_bytes_set(&rsa->spki, der, (size_t)n, &err), err);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    assert_fails(chsm_challenge_make(rsa, 0, no_random, &c, &err), CHSM_CONFIG, err);
    assert_fails(chsm_challenge_record(add_aes(s, "01", "k", NULL), 0, no_random, &c, &err), CHSM_CONFIG, err);
    assert_null(c.kind);
    assert_null(c.input.p);
}

/* Takes an outcome into a finding of this verdict and returns the new verdict and its outcome by default. */
static enum chsm_verdict after(enum chsm_verdict before, int checked, enum chsm_outcome *ret_outcome)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_rsa(section(&inv, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    struct chsm_finding f = { .login = "cu1", .source = r, .destination = r, .verdict = before };
    struct chsm_challenge c = { .kind = CHSM_KIND_RSA_SIGN, .input = { (unsigned char *)"question", 8 } };
    struct chsm_bytes answer = { (unsigned char *)"answer", 6 };
    struct chsm_err err = { 0 };

    assert_ok(chsm_finding_prove(&f, &c, &answer, checked, "the HSM refused", &err), err);
    *ret_outcome = chsm_finding_outcome(&f, &(struct chsm_policy){ .require = CHSM_REQUIRE_BEST });
    if (checked >= 0) {
        /* Whoever checks the proof again needs exactly what was asked and answered. */
        assert_string_equal(json_string_value(json_object_get(f.proof, "kind")), CHSM_KIND_RSA_SIGN);
        assert_string_equal(json_string_value(json_object_get(f.proof, "input")), "7175657374696f6e");
        assert_string_equal(json_string_value(json_object_get(f.proof, "answer")), "616e73776572");
    }
    json_decref(f.proof);
    free(f.reason);
    return f.verdict;
}

static void right_answer_proves_an_unchanged_key_only(void **state)
{
    enum chsm_outcome outcome;

    (void)state;
    for (int v = 0; v < CHSM_V_COUNT_; v++) {
        bool unchanged = v == CHSM_V_PROVEN || v == CHSM_V_INTACT || v == CHSM_V_PRESENT;

        assert_int_equal(after((enum chsm_verdict)v, 1, &outcome) == CHSM_V_PROVEN, unchanged);
        assert_int_equal(outcome == CHSM_PASS, unchanged);
    }
}

static void wrong_answer_is_an_impostor_whatever_it_looked_like(void **state)
{
    enum chsm_outcome outcome;

    (void)state;
    for (int v = 0; v < CHSM_V_COUNT_; v++) {
        assert_int_equal(after((enum chsm_verdict)v, 0, &outcome), CHSM_V_IMPOSTOR);
        assert_int_equal(outcome, CHSM_FAIL);
    }
}

static void no_answer_is_never_a_pass(void **state)
{
    enum chsm_outcome outcome;

    (void)state;
    for (int v = 0; v < CHSM_V_COUNT_; v++) {
        bool wrong = v == CHSM_V_MISSING || v == CHSM_V_CHANGED || v == CHSM_V_IMPOSTOR || v == CHSM_V_UNEXPECTED;

        /* What is known to be wrong does not become merely open. */
        assert_int_equal(after((enum chsm_verdict)v, -1, &outcome), wrong ? (enum chsm_verdict)v : CHSM_V_UNPROVEN);
        assert_int_equal(outcome, wrong ? CHSM_FAIL : CHSM_OPEN);
    }
}

/* The table of doc/EVIDENCE.md for a private key: P pass, F fail, O open; columns best, present, intact, proven. */
static void each_verdict_under_each_bar(void **state)
{
    static const struct { enum chsm_verdict verdict; bool provable; const char *outcomes; } table[] = {
        { CHSM_V_PROVEN, true, "PPPP" },     { CHSM_V_INTACT, true, "OPPO" },    { CHSM_V_INTACT, false, "PPPO" },
        { CHSM_V_PRESENT, true, "OPOO" },    { CHSM_V_PRESENT, false, "OPOO" },  { CHSM_V_MISSING, false, "FFFF" },
        { CHSM_V_CHANGED, false, "FFFF" },   { CHSM_V_IMPOSTOR, false, "FFFF" }, { CHSM_V_UNEXPECTED, false, "FFFF" },
        { CHSM_V_AMBIGUOUS, false, "OOOO" }, { CHSM_V_UNPROVEN, true, "OOOO" },
    };
    static const enum chsm_require bars[] = { CHSM_REQUIRE_BEST, CHSM_REQUIRE_PRESENT, CHSM_REQUIRE_INTACT, CHSM_REQUIRE_PROVEN };
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_rsa(section(&inv, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        for (size_t k = 0; k < ARRAY_LEN(bars); k++) {
            struct chsm_finding f = { .source = r, .destination = r, .verdict = table[i].verdict, .provable = table[i].provable };
            enum chsm_outcome got = chsm_finding_outcome(&f, &(struct chsm_policy){ .require = bars[k] });

            if ("PFO"[got] != table[i].outcomes[k])
                fail_msg("%s under %s is %s", chsm_verdict_name(f.verdict), chsm_require_name(bars[k]), chsm_outcome_name(got));
        }
}

/* A check value has 24 bits: under the default bar a secret key that has not proven itself is open, whether it could have or not. */
static void check_value_alone_is_not_the_default_bar(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_aes(section(&inv, "cu1"), "01", "k", "abc");

    (void)state;
    for (int provable = 0; provable < 2; provable++) {
        struct chsm_finding f = { .source = r, .destination = r, .verdict = CHSM_V_INTACT, .witnessed = true, .provable = provable };

        assert_int_equal(chsm_finding_outcome(&f, &(struct chsm_policy){ .require = CHSM_REQUIRE_BEST }), CHSM_OPEN);
        assert_int_equal(chsm_finding_outcome(&f, &(struct chsm_policy){ .require = CHSM_REQUIRE_INTACT }), CHSM_PASS);
        f.verdict = CHSM_V_PROVEN;
        assert_int_equal(chsm_finding_outcome(&f, &(struct chsm_policy){ .require = CHSM_REQUIRE_BEST }), CHSM_PASS);
    }
}

/* "allow unexpected" forgives what is only at the destination, and nothing else. */
static void allowing_the_unexpected_forgives_nothing_else(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_rsa(section(&inv, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");

    (void)state;
    for (int v = 0; v < CHSM_V_COUNT_; v++) {
        struct chsm_finding f = { .source = r, .destination = r, .verdict = (enum chsm_verdict)v, .provable = true };
        enum chsm_outcome strict = chsm_finding_outcome(&f, &(struct chsm_policy){ .require = CHSM_REQUIRE_BEST });
        enum chsm_outcome loose = chsm_finding_outcome(&f, &(struct chsm_policy){ .require = CHSM_REQUIRE_BEST, .allow_unexpected = true });

        assert_int_equal(loose, v == CHSM_V_UNEXPECTED ? CHSM_PASS : strict);
    }
}

/* One bad finding among good ones, in any place, decides the run. */
static void one_finding_decides_the_run(void **state)
{
    static const struct { enum chsm_verdict verdict; enum chsm_outcome outcome; } odd[] = {
        { CHSM_V_PROVEN, CHSM_PASS }, { CHSM_V_MISSING, CHSM_FAIL }, { CHSM_V_UNPROVEN, CHSM_OPEN }, { CHSM_V_AMBIGUOUS, CHSM_OPEN },
    };
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_rsa(section(&inv, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    const struct chsm_policy best = { .require = CHSM_REQUIRE_BEST };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        for (size_t at = 0; at < 3; at++) {
            struct chsm_finding f[3];
            struct chsm_comparison cmp = { .findings = f, .n = 3 };

            for (size_t k = 0; k < 3; k++)
                f[k] = (struct chsm_finding){ .source = r, .destination = r, .verdict = k == at ? odd[i].verdict : CHSM_V_PROVEN };
            assert_int_equal(chsm_comparison_outcome(&cmp, &best), odd[i].outcome);
            cmp.n_open = 1;
            assert_int_equal(chsm_comparison_outcome(&cmp, &best), odd[i].outcome == CHSM_FAIL ? CHSM_FAIL : CHSM_OPEN);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_randomness_no_challenge),
        cmocka_unit_test(right_answer_proves_an_unchanged_key_only),
        cmocka_unit_test(wrong_answer_is_an_impostor_whatever_it_looked_like),
        cmocka_unit_test(no_answer_is_never_a_pass),
        cmocka_unit_test(each_verdict_under_each_bar),
        cmocka_unit_test(check_value_alone_is_not_the_default_bar),
        cmocka_unit_test(allowing_the_unexpected_forgives_nothing_else),
        cmocka_unit_test(one_finding_decides_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
