/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The comparison, attacked: each test builds two inventories by hand and tries to have the run called verified although
 * something is wrong or was not established.
 */
#include "config.h"

#include "tests/unit/keys_compare.h"

static bool changed_attribute(const struct chsm_finding *f, const char *name, bool *loosened)
{
    const json_t *change;
    size_t i;

    json_array_foreach(f->changes, i, change) {
        if (strcmp(json_string_value(json_object_get(change, "attribute")), name) != 0)
            continue;
        *loosened = json_is_true(json_object_get(change, "loosened"));
        return true;
    }
    return false;
}

static void equal_inventories_are_intact(void **state)
{
    (void)state;
    same_on_both_sides();
    compare();
    assert_int_equal(cmp.n, 3);
    assert_int_equal(count(CHSM_V_INTACT), 3);
    for (size_t i = 0; i < cmp.n; i++)
        assert_int_equal(cmp.findings[i].means, CHSM_MEANS_ID);
    assert_outcome(&intact, CHSM_PASS);
    assert_outcome(&proven, CHSM_OPEN);
}

/* "Proven where the key can": equal modulus says nothing about the private half, so nobody may forget to ask. */
static void unasked_private_key_is_open_by_default(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "pay", "KEY-A");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "pay", "KEY-A");
    compare();
    assert_outcome(&best, CHSM_OPEN);
}

static void unasked_secret_key_with_a_question_is_open_by_default(void **state)
{
    (void)state;
    set_recorded(add_aes(section(&src, "cu1"), "01", "db", "abc"), "question", "answer");
    (void)add_aes(section(&dst, "cu1"), "01", "db", "abc");
    compare();
    assert_outcome(&best, CHSM_OPEN);
}

static void lost_key_is_missing(void **state)
{
    const struct chsm_record *lost;

    (void)state;
    same_on_both_sides();
    lost = add_aes(section(&src, "cu1"), "03", "lost", "xyz");
    compare();
    assert_int_equal(of_source(lost)->verdict, CHSM_V_MISSING);
    assert_null(of_source(lost)->destination);
    assert_outcome(&present, CHSM_FAIL);
    assert_outcome(&generous, CHSM_FAIL);
}

static void lost_private_half_is_missing_although_the_public_half_is_there(void **state)
{
    const struct chsm_record *lost;

    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PUBLIC, "01", "pay", "KEY-A");
    lost = add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "pay", "KEY-A");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PUBLIC, "01", "pay", "KEY-A");
    compare();
    assert_int_equal(of_source(lost)->verdict, CHSM_V_MISSING);
    assert_outcome(&generous, CHSM_FAIL);
}

static void everything_lost_is_missing(void **state)
{
    (void)state;
    same_on_both_sides();
    chsm_inventory_done(&dst);
    (void)section(&dst, "cu1");
    compare();
    assert_int_equal(count(CHSM_V_MISSING), 3);
    assert_outcome(&generous, CHSM_FAIL);
}

static void other_public_key_under_the_same_id_is_an_impostor(void **state)
{
    const struct chsm_record *r = add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "pay", "KEY-A");

    (void)state;
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "pay", "KEY-B");
    compare();
    assert_int_equal(of_source(r)->verdict, CHSM_V_IMPOSTOR);
    assert_non_null(of_source(r)->reason);
    assert_false(chsm_finding_wants_proof(of_source(r)));
    assert_outcome(&generous, CHSM_FAIL);
}

static void other_check_value_under_the_same_id_is_an_impostor(void **state)
{
    const struct chsm_record *r = add_aes(section(&src, "cu1"), "01", "db", "abc");

    (void)state;
    (void)add_aes(section(&dst, "cu1"), "01", "db", "abd");
    compare();
    assert_int_equal(of_source(r)->verdict, CHSM_V_IMPOSTOR);
    assert_outcome(&generous, CHSM_FAIL);
}

static void other_size_type_or_curve_is_an_impostor(void **state)
{
    struct chsm_record *a = add_aes(section(&src, "cu1"), "01", "a", NULL), *b, *c;

    (void)state;
    a->bits = 128;
    b = add_record(section(&src, "cu1"), CHSM_CLASS_SECRET, CHSM_TYPE_AES, "02", "b");
    c = add_record(section(&src, "cu1"), CHSM_CLASS_PRIVATE, CHSM_TYPE_EC, "03", "c");
    c->curve = strdup("P-256");
    (void)add_aes(section(&dst, "cu1"), "01", "a", NULL);
    (void)add_record(section(&dst, "cu1"), CHSM_CLASS_SECRET, CHSM_TYPE_DES3, "02", "b");
    add_record(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, CHSM_TYPE_EC, "03", "c")->curve = strdup("P-384");
    /* Growing sections move their records. */
    a = &section(&src, "cu1")->records[0];
    b = a + 1;
    c = a + 2;
    compare();
    assert_int_equal(of_source(a)->verdict, CHSM_V_IMPOSTOR);
    assert_int_equal(of_source(b)->verdict, CHSM_V_IMPOSTOR);
    assert_int_equal(of_source(c)->verdict, CHSM_V_IMPOSTOR);
}

/* Two keys have exchanged their IDs: every key is "there", none is where its users look for it. */
static void swapped_ids_are_impostors(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "02", "k", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "02", "k", "KEY-A");
    compare();
    assert_int_equal(count(CHSM_V_IMPOSTOR), 2);
    assert_outcome(&generous, CHSM_FAIL);
}

static void other_class_under_the_same_id_is_no_match(void **state)
{
    const struct chsm_record *r = add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");

    (void)state;
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PUBLIC, "01", "k", "KEY-A");
    compare();
    assert_int_equal(of_source(r)->verdict, CHSM_V_MISSING);
    assert_int_equal(count(CHSM_V_UNEXPECTED), 1);
}

static void changed_attribute_is_named_with_both_values(void **state)
{
    struct chsm_record *a = add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    struct chsm_record *b = add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    bool loosened = false;

    (void)state;
    set_flag(a, "extractable", false);
    set_flag(b, "extractable", true);
    set_flag(a, "sensitive", true);
    set_flag(b, "sensitive", false);
    set_flag(a, "decrypt", true);
    set_flag(b, "decrypt", false);
    compare();
    assert_int_equal(of_source(a)->verdict, CHSM_V_CHANGED);
    assert_int_equal(json_array_size(of_source(a)->changes), 3);
    assert_true(changed_attribute(of_source(a), "extractable", &loosened));
    assert_true(loosened);
    assert_true(changed_attribute(of_source(a), "sensitive", &loosened));
    assert_true(loosened);
    assert_true(changed_attribute(of_source(a), "decrypt", &loosened));
    assert_false(loosened);
    assert_outcome(&generous, CHSM_FAIL);
}

static void attribute_of_one_side_only_is_a_change(void **state)
{
    struct chsm_record *a = add_aes(section(&src, "cu1"), "01", "k", "abc"), *b;

    (void)state;
    set_flag(a, "sensitive", true);
    (void)add_aes(section(&dst, "cu1"), "01", "k", "abc");
    (void)add_aes(section(&src, "cu1"), "02", "k", "xyz");
    set_flag(add_aes(section(&dst, "cu1"), "02", "k", "xyz"), "wrap", true);
    a = &section(&src, "cu1")->records[0];
    b = a + 1;
    compare();
    assert_int_equal(of_source(a)->verdict, CHSM_V_CHANGED);
    assert_int_equal(of_source(b)->verdict, CHSM_V_CHANGED);
}

static void changed_label_is_a_change(void **state)
{
    const struct chsm_record *a = add_aes(section(&src, "cu1"), "01", "old", "abc");
    bool loosened;

    (void)state;
    (void)add_aes(section(&dst, "cu1"), "01", "new", "abc");
    compare();
    assert_int_equal(of_source(a)->verdict, CHSM_V_CHANGED);
    assert_true(changed_attribute(of_source(a), "label", &loosened));
}

static void changed_id_is_found_by_fingerprint_and_is_a_change(void **state)
{
    const struct chsm_record *a = add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");

    (void)state;
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "99", "k", "KEY-A");
    compare();
    assert_int_equal(of_source(a)->verdict, CHSM_V_CHANGED);
    assert_int_equal(of_source(a)->means, CHSM_MEANS_FINGERPRINT);
    assert_int_equal(cmp.n, 1);
    assert_outcome(&generous, CHSM_FAIL);
}

/* What the HSM told of a key before and no longer tells, or the other way round, is not "equal". */
static void vanished_check_value_is_no_pass(void **state)
{
    (void)state;
    (void)add_aes(section(&src, "cu1"), "01", "k", "abc");
    (void)add_aes(section(&dst, "cu1"), "01", "k", NULL);
    compare();
    assert_never_verified();
}

static void vanished_public_key_is_no_pass(void **state)
{
    struct chsm_record *b;

    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    b = add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    chsm_bytes_done(&b->spki);
    b->spki_from = CHSM_SPKI_NONE;
    compare();
    assert_never_verified();
}

/* No check value, no public key: that it is "there" proves nothing of its material. */
static void key_without_a_witness_is_only_present(void **state)
{
    const struct chsm_record *a = add_aes(section(&src, "cu1"), "01", "k", NULL);

    (void)state;
    (void)add_aes(section(&dst, "cu1"), "01", "k", NULL);
    compare();
    assert_int_equal(of_source(a)->verdict, CHSM_V_PRESENT);
    assert_non_null(of_source(a)->reason);
    assert_outcome(&best, CHSM_OPEN);
    assert_outcome(&intact, CHSM_OPEN);
    assert_outcome(&proven, CHSM_OPEN);
    assert_outcome(&present, CHSM_PASS);
}

/* The public half beside a private EC key is no witness of the private key. */
static void borrowed_public_key_is_no_witness(void **state)
{
    struct chsm_inventory *both[] = { &src, &dst };
    const struct chsm_record *a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct chsm_record *r = add_record(section(both[i], "cu1"), CHSM_CLASS_PRIVATE, CHSM_TYPE_EC, "01", "k");

        r->curve = strdup("P-256");
        set_bytes(&r->spki, "POINT");
        r->spki_from = CHSM_SPKI_PUBLIC_HALF;
    }
    a = &src.sections[0].records[0];
    compare();
    assert_int_equal(of_source(a)->verdict, CHSM_V_PRESENT);
    assert_true(chsm_finding_wants_proof(of_source(a)));
    assert_outcome(&intact, CHSM_OPEN);
}

/* The public half was replaced, the private key was not: it is not to be blamed, and is asked. */
static void replaced_public_half_does_not_blame_the_private_key(void **state)
{
    struct chsm_inventory *both[] = { &src, &dst };
    const struct chsm_record *priv, *pub;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct chsm_section *s = section(both[i], "cu1");

        for (int k = 0; k < 2; k++) {
            struct chsm_record *r = add_record(s, k ? CHSM_CLASS_PUBLIC : CHSM_CLASS_PRIVATE, CHSM_TYPE_EC, "01", "k");

            r->curve = strdup("P-256");
            set_bytes(&r->spki, i ? "OTHER" : "POINT");
            r->spki_from = k ? CHSM_SPKI_OWN : CHSM_SPKI_PUBLIC_HALF;
        }
    }
    priv = &src.sections[0].records[0];
    pub = &src.sections[0].records[1];
    compare();
    assert_int_equal(of_source(pub)->verdict, CHSM_V_IMPOSTOR);
    assert_int_equal(of_source(priv)->verdict, CHSM_V_PRESENT);
    assert_non_null(strstr(of_source(priv)->reason, "the public key beside it is another one"));
    assert_true(chsm_finding_wants_proof(of_source(priv)));
    assert_never_verified();
}

static void foreign_key_is_unexpected(void **state)
{
    (void)state;
    same_on_both_sides();
    (void)add_aes(section(&dst, "cu1"), "77", "foreign", "zzz");
    compare();
    assert_int_equal(count(CHSM_V_UNEXPECTED), 1);
    assert_outcome(&present, CHSM_FAIL);
    assert_outcome(&generous, CHSM_PASS);
}

static void duplicate_at_the_destination_is_unexpected(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    compare();
    assert_int_equal(count(CHSM_V_UNEXPECTED), 1);
    assert_outcome(&present, CHSM_FAIL);
}

/* Two keys shared an ID, one of them is gone: "the ID is there" is not enough. */
static void lost_twin_is_missing(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    compare();
    assert_int_equal(count(CHSM_V_MISSING), 1);
    assert_int_equal(of_source(&src.sections[0].records[0])->verdict, CHSM_V_MISSING);
    assert_outcome(&generous, CHSM_FAIL);
}

static void replaced_twin_is_caught(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-C");
    compare();
    assert_int_equal(of_source(&src.sections[0].records[0])->verdict, CHSM_V_IMPOSTOR);
    assert_int_equal(of_source(&src.sections[0].records[1])->verdict, CHSM_V_INTACT);
    assert_outcome(&generous, CHSM_FAIL);
}

/* The same twin twice is not two twins. */
static void doubled_twin_does_not_stand_for_the_other(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-B");
    compare();
    assert_never_verified();
    assert_int_equal(chsm_comparison_outcome(&cmp, &generous), CHSM_FAIL);
}

static void empty_ids_are_matched_by_material_in_any_order(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "", "a", "KEY-A");
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "", "b", "KEY-B");
    (void)add_aes(section(&src, "cu1"), "", "c", "xyz");
    (void)add_aes(section(&dst, "cu1"), "", "c", "xyz");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "", "b", "KEY-B");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "", "a", "KEY-A");
    compare();
    assert_int_equal(cmp.n, 3);
    assert_int_equal(count(CHSM_V_INTACT), 3);
    for (size_t i = 0; i < cmp.n; i++)
        assert_int_not_equal(cmp.findings[i].means, CHSM_MEANS_ID);
    assert_outcome(&intact, CHSM_PASS);
}

static void empty_id_with_other_material_is_no_pass(void **state)
{
    (void)state;
    (void)add_rsa(section(&src, "cu1"), CHSM_CLASS_PRIVATE, "", "a", "KEY-A");
    (void)add_rsa(section(&dst, "cu1"), CHSM_CLASS_PRIVATE, "", "a", "KEY-B");
    compare();
    assert_int_equal(chsm_comparison_outcome(&cmp, &generous), CHSM_FAIL);
}

static void keys_that_nothing_tells_apart_are_ambiguous(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        (void)add_aes(section(&src, "cu1"), "", "same", NULL);
        (void)add_aes(section(&dst, "cu1"), "", "same", NULL);
    }
    compare();
    assert_int_equal(count(CHSM_V_PRESENT) + count(CHSM_V_INTACT) + count(CHSM_V_PROVEN), 0);
    assert_never_verified();
    assert_int_not_equal(chsm_comparison_outcome(&cmp, &generous), CHSM_PASS);
}

static void ambiguous_surplus_is_no_pass(void **state)
{
    (void)state;
    (void)add_aes(section(&src, "cu1"), "01", "same", NULL);
    (void)add_aes(section(&dst, "cu1"), "01", "same", NULL);
    (void)add_aes(section(&dst, "cu1"), "01", "same", NULL);
    compare();
    assert_never_verified();
    assert_int_not_equal(chsm_comparison_outcome(&cmp, &generous), CHSM_PASS);
}

static void report_agrees_with_the_findings(void **state)
{
    struct chsm_err err = { 0 };
    json_t *o = NULL;

    (void)state;
    same_on_both_sides();
    (void)add_aes(section(&src, "cu1"), "0c", "lost \x1b[31m", "xyz");
    (void)add_aes(section(&dst, "cu1"), "77", "foreign", "zzz");
    compare();
    assert_ok(chsm_comparison_to_json(&cmp, &best, &o, &err), err);
    assert_string_equal(json_string_value(json_object_get(o, "verdict")), "failed");
    assert_int_equal(json_array_size(json_object_get(o, "keys")), cmp.n);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "totals"), "missing")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "totals"), "unexpected")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "totals"), "intact")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "totals"), "proven")), 0);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_inventories_are_intact),
        TEST(unasked_private_key_is_open_by_default),
        TEST(unasked_secret_key_with_a_question_is_open_by_default),
        TEST(lost_key_is_missing),
        TEST(lost_private_half_is_missing_although_the_public_half_is_there),
        TEST(everything_lost_is_missing),
        TEST(other_public_key_under_the_same_id_is_an_impostor),
        TEST(other_check_value_under_the_same_id_is_an_impostor),
        TEST(other_size_type_or_curve_is_an_impostor),
        TEST(swapped_ids_are_impostors),
        TEST(other_class_under_the_same_id_is_no_match),
        TEST(changed_attribute_is_named_with_both_values),
        TEST(attribute_of_one_side_only_is_a_change),
        TEST(changed_label_is_a_change),
        TEST(changed_id_is_found_by_fingerprint_and_is_a_change),
        TEST(vanished_check_value_is_no_pass),
        TEST(vanished_public_key_is_no_pass),
        TEST(key_without_a_witness_is_only_present),
        TEST(borrowed_public_key_is_no_witness),
        TEST(replaced_public_half_does_not_blame_the_private_key),
        TEST(foreign_key_is_unexpected),
        TEST(duplicate_at_the_destination_is_unexpected),
        TEST(lost_twin_is_missing),
        TEST(replaced_twin_is_caught),
        TEST(doubled_twin_does_not_stand_for_the_other),
        TEST(empty_ids_are_matched_by_material_in_any_order),
        TEST(empty_id_with_other_material_is_no_pass),
        TEST(keys_that_nothing_tells_apart_are_ambiguous),
        TEST(ambiguous_surplus_is_no_pass),
        TEST(report_agrees_with_the_findings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
