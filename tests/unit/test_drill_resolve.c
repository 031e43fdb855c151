/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys are asked when nothing but their answers tells them apart. */
#include "config.h"

#include "tests/unit/keys_compare.h"

#include "drill/reader.h"

/* There is no HSM here: a question to a key would end the test. */
static void keys_outside_the_sample_are_not_asked(void **state)
{
    struct chsm_reader r = { .proofs = { .mode = CHSM_PROOF_SAMPLE, .n = 1 } };
    struct chsm_inventory *both[] = { &src, &dst };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++)
        for (int k = 0; k < 2; k++)
            set_recorded(add_aes(section(both[i], "cu1"), "", "twin", NULL), "0123456789abcdef", "fedcba9876543210");
    compare();
    assert_int_equal(count(CHSM_V_AMBIGUOUS), 4);
    /* No rank is below a limit of zeros: the sample has other keys than these. */
    assert_ok(chsm_reader_resolve(&r, NULL, &cmp, 0, &err), err);
    assert_int_equal(count(CHSM_V_AMBIGUOUS), 4);
    assert_never_verified();
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(keys_outside_the_sample_are_not_asked) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
