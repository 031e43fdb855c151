/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer's promise: too much is an error, never a cut. */
#include "config.h"

#include "tests/unit/check.h"

#include "util/buf.h"

static void empty_is_a_string(void **state)
{
    struct chsm_buf b = CHSM_BUF(10);

    (void)state;
    assert_string_equal(chsm_buf_str(&b), "");
    assert_null(b.p);
    chsm_buf_done(&b);
}

static void maximum_is_reached_and_not_passed(void **state)
{
    struct chsm_buf b = CHSM_BUF(5);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_buf_adds(&b, "12345", &err), err);
    assert_fails(chsm_buf_adds(&b, "6", &err), CHSM_SERVICE, err);
    assert_string_equal(chsm_buf_str(&b), "12345");
    assert_int_equal(b.len, 5);
    assert_ok(chsm_buf_add(&b, "", 0, &err), err);
    assert_fails(chsm_buf_addf(&b, &err, "%d", 7), CHSM_SERVICE, err);
    assert_string_equal(chsm_buf_str(&b), "12345");
    chsm_buf_done(&b);
}

static void size_that_overflows_is_refused(void **state)
{
    struct chsm_buf b = CHSM_BUF(SIZE_MAX);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_buf_adds(&b, "x", &err), err);
    assert_fails(chsm_buf_add(&b, "y", SIZE_MAX, &err), CHSM_SERVICE, err);
    assert_string_equal(chsm_buf_str(&b), "x");
    chsm_buf_done(&b);
}

static void binary_data_grows_through_many_sizes(void **state)
{
    struct chsm_buf b = CHSM_BUF(100000);
    struct chsm_err err = { 0 };

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        char c = (char)(i % 251);

        assert_ok(chsm_buf_add(&b, &c, 1, &err), err);
    }
    assert_int_equal(b.len, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal((unsigned char)b.p[i], i % 251);
    assert_int_equal(b.p[b.len], 0);
    chsm_buf_done(&b);
}

static void formatted_text_is_whole(void **state)
{
    struct chsm_buf b = CHSM_BUF(2000);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_buf_addf(&b, &err, "%s-%1000d", "a", 7), err);
    assert_int_equal(b.len, 1002);
    assert_int_equal(b.p[1001], '7');
    chsm_buf_done(&b);
}

static void take_hands_over(void **state)
{
    struct chsm_buf b = CHSM_BUF(10);
    struct chsm_err err = { 0 };
    char *s;

    (void)state;
    assert_ok(chsm_buf_adds(&b, "abc", &err), err);
    s = chsm_buf_take(&b);
    assert_string_equal(s, "abc");
    free(s);
    assert_string_equal(chsm_buf_str(&b), "");
    assert_ok(chsm_buf_adds(&b, "0123456789", &err), err);
    assert_string_equal(chsm_buf_str(&b), "0123456789");
    chsm_buf_done(&b);
    s = chsm_buf_take(&b);
    assert_string_equal(s, "");
    free(s);
}

static void cleared_secret_is_gone_from_memory(void **state)
{
    struct chsm_buf b = CHSM_BUF_SECRET(64);
    struct chsm_err err = { 0 };
    const char *p;
    size_t cap;

    (void)state;
    assert_ok(chsm_buf_adds(&b, "user1234", &err), err);
    p = b.p;
    cap = b.cap;
    chsm_buf_clear(&b);
    assert_ptr_equal(b.p, p);
    assert_int_equal(b.len, 0);
    assert_null(memmem(p, cap, "user", 4));
    assert_null(memmem(p, cap, "234", 3));
    assert_true(b.secret);
    chsm_buf_done(&b);
    assert_true(b.secret);
    assert_int_equal(b.max, 64);
}

static void strf_makes_text(void **state)
{
    char *s = chsm_strf("%s/%03d", "x", 5);

    (void)state;
    assert_string_equal(s, "x/005");
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_is_a_string),
        cmocka_unit_test(maximum_is_reached_and_not_passed),
        cmocka_unit_test(size_that_overflows_is_refused),
        cmocka_unit_test(binary_data_grows_through_many_sizes),
        cmocka_unit_test(formatted_text_is_whole),
        cmocka_unit_test(take_hands_over),
        cmocka_unit_test(cleared_secret_is_gone_from_memory),
        cmocka_unit_test(strf_makes_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
