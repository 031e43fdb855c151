/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of the tests of the comparison: two inventories, their comparison, and what a run may be called. */
#ifndef CHSM_TESTS_KEYS_COMPARE_H
#define CHSM_TESTS_KEYS_COMPARE_H

#include "tests/unit/keys_build.h"

static const struct chsm_policy best __attribute__((unused)) = { .require = CHSM_REQUIRE_BEST };
static const struct chsm_policy present __attribute__((unused)) = { .require = CHSM_REQUIRE_PRESENT };
static const struct chsm_policy intact __attribute__((unused)) = { .require = CHSM_REQUIRE_INTACT };
static const struct chsm_policy proven __attribute__((unused)) = { .require = CHSM_REQUIRE_PROVEN };
static const struct chsm_policy generous __attribute__((unused)) = { .require = CHSM_REQUIRE_PRESENT, .allow_unexpected = true };

static struct chsm_inventory src, dst;
static struct chsm_comparison cmp;

static inline int begin(void **state)
{
    (void)state;
    src = dst = (struct chsm_inventory){ 0 };
    cmp = (struct chsm_comparison){ 0 };
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    chsm_comparison_done(&cmp);
    chsm_inventory_done(&src);
    chsm_inventory_done(&dst);
    return 0;
}

static inline void compare(void)
{
    struct chsm_err err = { 0 };

    chsm_comparison_done(&cmp);
    assert_ok(chsm_compare(&src, &dst, &cmp, &err), err);
}

static inline const struct chsm_finding *of_source(const struct chsm_record *r)
{
    for (size_t i = 0; i < cmp.n; i++)
        if (cmp.findings[i].source == r)
            return &cmp.findings[i];
    fail_msg("a record of the source has no finding");
    abort();    /* cmocka's fail does not return, but does not say so to the compiler */
}

static inline size_t count(enum chsm_verdict v)
{
    size_t n = 0;

    for (size_t i = 0; i < cmp.n; i++)
        n += cmp.findings[i].verdict == v;
    return n;
}

static inline void assert_outcome(const struct chsm_policy *p, enum chsm_outcome wanted)
{
    enum chsm_outcome got = chsm_comparison_outcome(&cmp, p);

    if (got != wanted)
        fail_msg("%s is %s, not %s", chsm_require_name(p->require), chsm_outcome_name(got), chsm_outcome_name(wanted));
}

/* No policy may call this run verified. */
static inline void assert_never_verified(void)
{
    static const enum chsm_require all[] = { CHSM_REQUIRE_BEST, CHSM_REQUIRE_PRESENT, CHSM_REQUIRE_INTACT, CHSM_REQUIRE_PROVEN };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        assert_int_not_equal(chsm_comparison_outcome(&cmp, &(struct chsm_policy){ .require = all[i] }), CHSM_PASS);
}

/* A pair with one ID, and an AES key, on both sides. */
static inline void same_on_both_sides(void)
{
    struct chsm_inventory *both[] = { &src, &dst };

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct chsm_section *s = section(both[i], "cu1");

        (void)add_rsa(s, CHSM_CLASS_PUBLIC, "01", "pay", "KEY-A");
        (void)add_rsa(s, CHSM_CLASS_PRIVATE, "01", "pay", "KEY-A");
        (void)add_aes(s, "02", "db", "abc");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
