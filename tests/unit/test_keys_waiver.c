/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator may accept: waivers, ignored attributes, samples; and what they must never let pass. */
#include "config.h"

#include "keys/sample.h"
#include "keys/waiver.h"
#include "tests/unit/keys_compare.h"
#include "util/buf.h"

#define NOW 1000000

/* A waiver of key "01" for a verdict, good until one ms after NOW. */
static struct chsm_waiver good(enum chsm_verdict v)
{
    return (struct chsm_waiver){ .cls = ULONG_MAX, .id = (char *)(uintptr_t)"3031", .verdict = v, .reason = (char *)(uintptr_t)"ticket", .expires = NOW + 1 };
}

static enum chsm_outcome outcome_with(const struct chsm_finding *f, struct chsm_waiver *w, enum chsm_require bar, int64_t now)
{
    struct chsm_waivers list = { .v = w, .n = w ? 1 : 0 };

    return chsm_finding_outcome(f, &(struct chsm_policy){ .require = bar, .waivers = &list, .now = now });
}

/* Every verdict x every waiver: only the waiver of that verdict helps, none helps an impostor, an expired one none. */
static void waiver_covers_its_own_verdict_until_it_expires(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_rsa(section(&inv, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");

    (void)state;
    for (int v = 0; v < CHSM_V_COUNT_; v++)
        for (int w = 0; w < CHSM_V_COUNT_; w++) {
            struct chsm_finding f = { .login = "cu1", .source = r, .destination = r, .verdict = (enum chsm_verdict)v, .provable = true };
            struct chsm_waiver waiver = good((enum chsm_verdict)w);
            enum chsm_outcome strict = outcome_with(&f, NULL, CHSM_REQUIRE_PROVEN, NOW);
            enum chsm_outcome wanted = v != w || v == CHSM_V_IMPOSTOR ? strict : v == CHSM_V_CHANGED ? CHSM_OPEN : CHSM_PASS;

            assert_int_equal(outcome_with(&f, &waiver, CHSM_REQUIRE_PROVEN, NOW), wanted);
            assert_int_equal(outcome_with(&f, &waiver, CHSM_REQUIRE_PROVEN, NOW + 1), strict);
        }
}

/* A waived change is a change, and nothing else: the key still has to prove itself. */
static void waived_change_still_needs_its_proof(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_rsa(section(&inv, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    struct chsm_finding f = { .login = "cu1", .source = r, .destination = r, .verdict = CHSM_V_CHANGED, .provable = true, .witnessed = true };
    struct chsm_waiver waiver = good(CHSM_V_CHANGED);
    json_auto_t *proof = json_object();

    (void)state;
    assert_int_equal(outcome_with(&f, NULL, CHSM_REQUIRE_BEST, NOW), CHSM_FAIL);
    assert_int_equal(outcome_with(&f, &waiver, CHSM_REQUIRE_BEST, NOW), CHSM_OPEN);
    assert_int_equal(outcome_with(&f, &waiver, CHSM_REQUIRE_INTACT, NOW), CHSM_PASS);
    f.witnessed = false;
    assert_int_equal(outcome_with(&f, &waiver, CHSM_REQUIRE_INTACT, NOW), CHSM_OPEN);
    f.proof = proof;
    assert_int_equal(outcome_with(&f, &waiver, CHSM_REQUIRE_PROVEN, NOW), CHSM_PASS);
}

static void waived_change_covers_the_named_attributes_only(void **state)
{
    char *label[] = { (char *)(uintptr_t)"label", NULL };
    struct chsm_record *a = add_aes(section(&src, "cu1"), "01", "old", "abc"), *b = add_aes(section(&dst, "cu1"), "01", "new", "abc");
    struct chsm_waiver w = good(CHSM_V_CHANGED);
    struct chsm_waivers list = { .v = &w, .n = 1 };
    struct chsm_policy policy = { .require = CHSM_REQUIRE_INTACT, .waivers = &list, .now = NOW };

    (void)state;
    w.attributes = label;
    compare();
    assert_outcome(&policy, CHSM_PASS);
    set_flag(a, "extractable", false);
    set_flag(b, "extractable", true);
    compare();
    assert_outcome(&policy, CHSM_FAIL);
}

static void waiver_of_another_key_does_not_count(void **state)
{
    struct chsm_waiver w = good(CHSM_V_MISSING);
    struct chsm_waivers list = { .v = &w, .n = 1 };
    struct chsm_policy policy = { .require = CHSM_REQUIRE_PRESENT, .waivers = &list, .now = NOW };

    (void)state;
    (void)add_aes(section(&src, "cu1"), "01", "k", "abc");
    (void)add_aes(section(&src, "cu1"), "02", "k", "abd");
    (void)add_aes(section(&dst, "cu1"), "02", "k", "abd");
    compare();
    assert_outcome(&policy, CHSM_PASS);
    w.login = (char *)(uintptr_t)"cu2";
    assert_outcome(&policy, CHSM_FAIL);
    w.login = NULL;
    w.cls = CHSM_CLASS_PRIVATE;
    assert_outcome(&policy, CHSM_FAIL);
    w.cls = CHSM_CLASS_SECRET;
    w.label = (char *)(uintptr_t)"other";
    assert_outcome(&policy, CHSM_FAIL);
    w.label = (char *)(uintptr_t)"k";
    assert_outcome(&policy, CHSM_PASS);
    w.id = (char *)(uintptr_t)"3032";
    assert_outcome(&policy, CHSM_FAIL);
}

/* Waivers are for keys. That a list is not complete is nobody's to waive. */
static void waivers_do_not_close_what_is_open(void **state)
{
    struct chsm_waiver w = good(CHSM_V_MISSING);
    struct chsm_waivers list = { .v = &w, .n = 1 };

    (void)state;
    same_on_both_sides();
    dst.sections[0].complete = false;
    compare();
    assert_outcome(&(struct chsm_policy){ .require = CHSM_REQUIRE_PRESENT, .waivers = &list, .now = NOW }, CHSM_OPEN);
}

static void ignored_attribute_is_noted_and_does_not_count(void **state)
{
    static const char *const ignore[] = { "label", "extractable", NULL };
    struct chsm_record *a = add_aes(section(&src, "cu1"), "01", "old", "abc"), *b = add_aes(section(&dst, "cu1"), "01", "new", "abc");
    struct chsm_err err = { 0 };

    (void)state;
    set_flag(a, "extractable", false);
    set_flag(b, "extractable", true);
    cmp.ignore = ignore;
    assert_ok(chsm_compare(&src, &dst, &cmp, &err), err);
    assert_int_equal(of_source(a)->verdict, CHSM_V_INTACT);
    assert_int_equal(json_array_size(of_source(a)->changes), 2);
    assert_true(json_is_true(json_object_get(json_array_get(of_source(a)->changes, 0), "ignored")));
    set_flag(b, "wrap", true);
    chsm_comparison_done(&cmp);
    cmp.ignore = ignore;
    assert_ok(chsm_compare(&src, &dst, &cmp, &err), err);
    assert_int_equal(of_source(a)->verdict, CHSM_V_CHANGED);
}

/* What tells one key from another cannot be ignored, however it is asked for. */
static void key_material_cannot_be_ignored(void **state)
{
    static const char *const ignore[] = { "id", "check-value", "public-key", "bits", "curve", "value-sha256", NULL };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; ignore[i]; i++)
        assert_false(chsm_attribute_may_be_ignored(ignore[i]));
    (void)add_aes(section(&src, "cu1"), "01", "k", "abc");
    (void)add_aes(section(&dst, "cu1"), "01", "k", "abd");
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "02", "k", "KEY-A");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "09", "k", "KEY-A");
    cmp.ignore = ignore;
    assert_ok(chsm_compare(&src, &dst, &cmp, &err), err);
    assert_int_equal(count(CHSM_V_IMPOSTOR), 1);
    assert_int_equal(count(CHSM_V_CHANGED), 1);
}

/* {attribute, source, destination, is the key more widely usable now?} */
static void loosening_is_told_from_tightening(void **state)
{
    static const struct { const char *name, *from, *to; bool loosened; } table[] = {
        { "allowed-mechanisms", "[\"a\",\"b\"]", "[\"a\",\"b\",\"c\"]", true }, { "allowed-mechanisms", "[\"a\",\"b\"]", "[\"a\"]", false },
        { "allowed-mechanisms", "[\"a\"]", "[\"b\"]", true },                   { "allowed-mechanisms", "[\"a\"]", NULL, true },
        { "allowed-mechanisms", NULL, "[\"a\"]", false },                       { "end-date", "\"2027-01-01\"", "\"2028-01-01\"", true },
        { "end-date", "\"2027-01-01\"", "\"2026-01-01\"", false },              { "end-date", "\"2027-01-01\"", NULL, true },
        { "start-date", "\"2027-01-01\"", "\"2026-01-01\"", true },             { "start-date", "\"2027-01-01\"", "\"2028-01-01\"", false },
        { "extractable", "false", "true", true },                               { "extractable", "true", "false", false },
        { "extractable", NULL, "true", true },                                  { "sensitive", "true", "false", true },
        { "sensitive", "true", NULL, true },                                    { "never-extractable", "false", "true", false },
        { "wrap-with-trusted", "true", "false", true },                         { "decrypt", "false", "true", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct chsm_record *a = add_aes(section(&src, "cu1"), "01", "k", "abc"), *b = add_aes(section(&dst, "cu1"), "01", "k", "abc");
        struct chsm_err err = { 0 };

        if (table[i].from)
            assert_ok(chsm_record_set(a, table[i].name, json_loads(table[i].from, JSON_DECODE_ANY, NULL), &err), err);
        if (table[i].to)
            assert_ok(chsm_record_set(b, table[i].name, json_loads(table[i].to, JSON_DECODE_ANY, NULL), &err), err);
        compare();
        assert_int_equal(of_source(a)->verdict, CHSM_V_CHANGED);
        if (json_is_true(json_object_get(json_array_get(of_source(a)->changes, 0), "loosened")) != table[i].loosened)
            fail_msg("%s: %s -> %s", table[i].name, table[i].from ? table[i].from : "none", table[i].to ? table[i].to : "none");
        (void)end(NULL);
    }
}

/* The ambiguous one of the source and the right one of the destination become a pair; the rest stays as it was. */
static void proof_pairs_what_nothing_else_tells_apart(void **state)
{
    struct chsm_err err = { 0 };
    size_t before;

    (void)state;
    for (int i = 0; i < 2; i++) {
        (void)add_aes(section(&src, "cu1"), "", "same", NULL);
        (void)add_aes(section(&dst, "cu1"), "", "same", NULL);
    }
    compare();
    before = cmp.n;
    assert_int_equal(before, 4);
    assert_true(chsm_finding_candidate(&cmp.findings[0], &cmp.findings[3]));
    assert_false(chsm_finding_candidate(&cmp.findings[0], &cmp.findings[1]));
    assert_fails(chsm_comparison_pair(&cmp, 0, 1, &err), CHSM_CONFIG, err);
    assert_ok(chsm_comparison_pair(&cmp, 0, 3, &err), err);
    assert_int_equal(cmp.n, 3);
    assert_int_equal(cmp.findings[0].verdict, CHSM_V_PRESENT);
    assert_int_equal(cmp.findings[0].means, CHSM_MEANS_PROOF);
    assert_int_equal(count(CHSM_V_AMBIGUOUS), 2);
    assert_false(chsm_finding_candidate(&cmp.findings[0], &cmp.findings[2]));
    assert_never_verified();
}

static void only_half_of_a_pair_is_said(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PUBLIC, "01", "k", "KEY-A");
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PUBLIC, "01", "k", "KEY-A");
    compare();
    assert_int_equal(of_source(&src.sections[0].records[1])->verdict, CHSM_V_MISSING);
    assert_non_null(strstr(of_source(&src.sections[0].records[1])->reason, "only the private half is missing"));
    assert_int_equal(cmp.n_notes, 1);
    assert_non_null(strstr(cmp.notes[0], "destination: 1 public without private half"));
}

static int counting(void *p, size_t n, struct chsm_err *err)
{
    (void)err;
    memset(p, 0x5a, n);
    return 0;
}

static size_t taken(const struct chsm_proofs *p)
{
    size_t n = 0;

    for (size_t i = 0; i < src.sections[0].n; i++)
        n += chsm_proofs_take(p, "cu1", &src.sections[0].records[i]);
    return n;
}

static void sample_is_as_large_as_asked_for_and_can_be_drawn_again(void **state)
{
    struct chsm_proofs p, again, other;
    struct chsm_err err = { 0 };
    AUTO_FREE char *text = NULL;
    bool differs = false;

    (void)state;
    for (int i = 0; i < 40; i++) {
        char id[16];

        (void)snprintf(id, sizeof id, "%d", i);
        (void)add_aes(section(&src, "cu1"), id, "k", "abc");
    }
    assert_ok(chsm_proofs_parse("sample:7", counting, &p, &err), err);
    assert_ok(chsm_proofs_draw(&p, &src, &err), err);
    assert_int_equal(taken(&p), 7);
    text = chsm_proofs_text(&p);
    assert_string_equal(text, "sample:7:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a");
    assert_ok(chsm_proofs_parse(text, counting, &again, &err), err);
    assert_ok(chsm_proofs_draw(&again, &src, &err), err);
    assert_ok(chsm_proofs_parse("sample:7:000102030405060708090a0b0c0d0e0f", counting, &other, &err), err);
    assert_ok(chsm_proofs_draw(&other, &src, &err), err);
    for (size_t i = 0; i < 40; i++) {
        const struct chsm_record *r = &src.sections[0].records[i];

        assert_int_equal(chsm_proofs_take(&p, "cu1", r), chsm_proofs_take(&again, "cu1", r));
        differs = differs || chsm_proofs_take(&p, "cu1", r) != chsm_proofs_take(&other, "cu1", r);
    }
    assert_true(differs);
    assert_ok(chsm_proofs_parse("sample:1000", counting, &p, &err), err);
    assert_ok(chsm_proofs_draw(&p, &src, &err), err);
    assert_int_equal(taken(&p), 40);
}

static void wrong_samples_are_refused(void **state)
{
    static const char *const wrong[] = { "", "some", "sample", "sample:", "sample:0", "sample:-1", "sample: 3", "sample:3x", "sample:3:", "sample:3:12",
                                         "sample:99999999999999999999", "sample:3:000102030405060708090a0b0c0d0e0f00" };
    struct chsm_proofs p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct chsm_err err = { 0 };

        assert_fails(chsm_proofs_parse(wrong[i], counting, &p, &err), CHSM_USAGE, err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(waiver_covers_its_own_verdict_until_it_expires),
        TEST(waived_change_still_needs_its_proof),
        TEST(waived_change_covers_the_named_attributes_only),
        TEST(waiver_of_another_key_does_not_count),
        TEST(waivers_do_not_close_what_is_open),
        TEST(ignored_attribute_is_noted_and_does_not_count),
        TEST(key_material_cannot_be_ignored),
        TEST(loosening_is_told_from_tightening),
        TEST(proof_pairs_what_nothing_else_tells_apart),
        TEST(only_half_of_a_pair_is_said),
        TEST(sample_is_as_large_as_asked_for_and_can_be_drawn_again),
        TEST(wrong_samples_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
