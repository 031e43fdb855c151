/* SPDX-License-Identifier: Apache-2.0 */
/* What was not established: incomplete lists, logins that one side lacks, nothing at all. None of it may be verified. */
#include "config.h"

#include "tests/unit/keys_compare.h"

static void incomplete_destination_calls_nothing_missing(void **state)
{
    const struct chsm_record *lost;

    (void)state;
    same_on_both_sides();
    lost = add_aes(section(&src, "cu1"), "03", "k", "xyz");
    section(&dst, "cu1")->complete = false;
    section(&dst, "cu1")->why = strdup("C_FindObjects: CKR_DEVICE_ERROR");
    compare();
    assert_int_equal(of_source(lost)->verdict, CHSM_V_UNPROVEN);
    assert_int_equal(count(CHSM_V_MISSING), 0);
    assert_outcome(&present, CHSM_OPEN);
    assert_true(cmp.n_open > 0);
    assert_contains(cmp.open[0], "CKR_DEVICE_ERROR");
}

/* All that was seen is equal, but not all was seen. */
static void incomplete_lists_are_never_verified(void **state)
{
    (void)state;
    same_on_both_sides();
    section(&dst, "cu1")->complete = false;
    compare();
    assert_outcome(&generous, CHSM_OPEN);
    section(&dst, "cu1")->complete = true;
    section(&src, "cu1")->complete = false;
    compare();
    assert_outcome(&generous, CHSM_OPEN);
}

static void missing_login_leaves_the_run_open(void **state)
{
    const struct chsm_record *r;

    (void)state;
    same_on_both_sides();
    r = add_aes(section(&src, "cu2"), "09", "k", "xyz");
    compare();
    assert_int_equal(of_source(r)->verdict, CHSM_V_UNPROVEN);
    assert_outcome(&generous, CHSM_OPEN);
    assert_contains(cmp.open[0], "cu2");
}

/* A login that the source knew, with no key of its own, and that was not tried at the destination. */
static void missing_empty_login_leaves_the_run_open(void **state)
{
    (void)state;
    same_on_both_sides();
    (void)section(&src, "cu2");
    compare();
    assert_outcome(&generous, CHSM_OPEN);
}

static void additional_login_leaves_the_run_open(void **state)
{
    (void)state;
    same_on_both_sides();
    (void)add_aes(section(&dst, "cu2"), "09", "k", "xyz");
    compare();
    assert_outcome(&generous, CHSM_OPEN);
}

/* The same key seen by another user does not count for the user that lost it. */
static void key_of_another_login_does_not_count(void **state)
{
    const struct chsm_record *lost;

    (void)state;
    lost = add_aes(section(&src, "cu1"), "01", "k", "abc");
    (void)section(&src, "cu2");
    (void)section(&dst, "cu1");
    (void)add_aes(section(&dst, "cu2"), "01", "k", "abc");
    compare();
    assert_int_equal(of_source(lost)->verdict, CHSM_V_MISSING);
    assert_int_equal(count(CHSM_V_UNEXPECTED), 1);
}

static void two_sections_of_one_login_are_no_hiding_place(void **state)
{
    struct chsm_section *second;

    (void)state;
    same_on_both_sides();
    second = chsm_inventory_add(&dst);
    second->login = strdup("cu1");
    second->complete = false;
    (void)add_aes(second, "66", "hidden", "zzz");
    compare();
    assert_never_verified();
}

static void nothing_compared_is_nothing_verified(void **state)
{
    (void)state;
    compare();
    assert_outcome(&generous, CHSM_OPEN);
    (void)section(&src, "cu1");
    (void)section(&dst, "cu1");
    compare();
    assert_outcome(&generous, CHSM_OPEN);
    (void)add_aes(section(&dst, "cu1"), "01", "k", "abc");
    compare();
    assert_outcome(&generous, CHSM_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(incomplete_destination_calls_nothing_missing),
        TEST(incomplete_lists_are_never_verified),
        TEST(missing_login_leaves_the_run_open),
        TEST(missing_empty_login_leaves_the_run_open),
        TEST(additional_login_leaves_the_run_open),
        TEST(key_of_another_login_does_not_count),
        TEST(two_sections_of_one_login_are_no_hiding_place),
        TEST(nothing_compared_is_nothing_verified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
