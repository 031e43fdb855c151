/* SPDX-License-Identifier: Apache-2.0 */
/* The table of safety rules, and the error that a refusal is. */
#include "config.h"

#include "tests/unit/check.h"

#include "util/safety.h"

#define LINE_MAX_ 68    /* what a line of `chsmctl help safety` has room for */

static void rules_are_whole_and_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHSM_RULES; i++) {
        const struct chsm_safety_rule *r = &chsm_safety_rules[i];

        if (!r->id || !r->condition || !r->said || !r->override)
            fail_msg("rule %zu has no row", i);
        assert_int_equal(strspn(r->id, "abcdefghijklmnopqrstuvwxyz-"), strlen(r->id));
        assert_in_range(strlen(r->condition), 10, LINE_MAX_);
        assert_in_range(strlen(r->said), 10, LINE_MAX_);
        if (strcmp(r->override, "none") != 0)
            assert_contains(r->override, "--");
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(r->id, chsm_safety_rules[k].id);
    }
}

static void a_refusal_names_its_rule(void **state)
{
    struct chsm_err err;

    (void)state;
    assert_fails(chsm_refuse(&err, CHSM_RULE_SAS, "%s has one", "it"), CHSM_REFUSED, err);
    assert_string_equal(err.text, "safety rule sas: Cloud HSM does not support SAS, and a SAS is a secret: it has one");
    assert_string_equal(err.hint, "");
    assert_int_equal(chsm_refuse(NULL, CHSM_RULE_SAS, "nothing"), -1);
}

static void an_override_is_the_remedy(void **state)
{
    struct chsm_err err;

    (void)state;
    assert_fails(chsm_refuse(&err, CHSM_RULE_SAME_CLUSTER, "x"), CHSM_REFUSED, err);
    assert_contains(err.hint, "--allow-same-cluster");
}

/* A text that is too long loses its end, not the rule. */
static void the_rule_survives_long_particulars(void **state)
{
    char longest[4096];
    struct chsm_err err;

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_fails(chsm_refuse(&err, CHSM_RULE_DESTINATION_IS_SOURCE, "%s", longest), CHSM_REFUSED, err);
    assert_contains(err.text, "safety rule destination-is-source: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_whole_and_short),
        cmocka_unit_test(a_refusal_names_its_rule),
        cmocka_unit_test(an_override_is_the_remedy),
        cmocka_unit_test(the_rule_survives_long_particulars),
    };

    return cmocka_run_group_tests_name("util/safety", tests, NULL, NULL);
}
