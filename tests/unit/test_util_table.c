/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/check.h"

#include "util/table.h"

static const char *const headers[] = { "Key", "Verdict", "Why", NULL };

static void columns_align(void **state)
{
    AUTO_TABLE struct chsm_table *t = chsm_table_new(headers);
    AUTO_BUF struct chsm_buf out = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_table_row(t, (const char *const[]){ "0a", "proven", NULL }, &err), err);
    assert_ok(chsm_table_row(t, (const char *const[]){ "0b0c0d", "changed", "sign" }, &err), err);
    assert_ok(chsm_table_render(t, 2, &out, &err), err);
    assert_string_equal(chsm_buf_str(&out),
                        "  Key     Verdict  Why\n"
                        "  ------  -------  ----\n"
                        "  0a      proven\n"
                        "  0b0c0d  changed  sign\n");
}

static void width_is_counted_in_characters(void **state)
{
    AUTO_TABLE struct chsm_table *t = chsm_table_new((const char *const[]){ "A", "B", NULL });
    AUTO_BUF struct chsm_buf out = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_table_row(t, (const char *const[]){ "\xc3\xa9\xc3\xa9", "x" }, &err), err);
    assert_ok(chsm_table_row(t, (const char *const[]){ "ab", "y" }, &err), err);
    assert_ok(chsm_table_render(t, 0, &out, &err), err);
    assert_string_equal(chsm_buf_str(&out), "A   B\n--  -\n\xc3\xa9\xc3\xa9  x\nab  y\n");
}

/* Labels of keys are foreign bytes: they may neither move the cursor nor break a row or a tab-separated field. */
static void control_characters_are_escaped(void **state)
{
    AUTO_TABLE struct chsm_table *t = chsm_table_new((const char *const[]){ "L", "M", NULL });
    AUTO_BUF struct chsm_buf out = CHSM_BUF(4096), tsv = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_table_row(t, (const char *const[]){ "a\nb\tc\x1b[1m", "z" }, &err), err);
    assert_ok(chsm_table_tsv(t, &tsv, &err), err);
    assert_string_equal(chsm_buf_str(&tsv), "a\\x0ab\\x09c\\x1b[1m\tz\n");
    assert_ok(chsm_table_render(t, 0, &out, &err), err);
    assert_null(strpbrk(chsm_buf_str(&out), "\t\x1b"));
}

static void empty_table_has_its_headers(void **state)
{
    AUTO_TABLE struct chsm_table *t = chsm_table_new(headers);
    AUTO_BUF struct chsm_buf out = CHSM_BUF(4096), tsv = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_table_render(t, 0, &out, &err), err);
    assert_string_equal(chsm_buf_str(&out), "Key  Verdict  Why\n---  -------  ---\n");
    assert_ok(chsm_table_tsv(t, &tsv, &err), err);
    assert_string_equal(chsm_buf_str(&tsv), "");
}

static void many_rows_in_order(void **state)
{
    AUTO_TABLE struct chsm_table *t = chsm_table_new((const char *const[]){ "N", NULL });
    AUTO_BUF struct chsm_buf tsv = CHSM_BUF(1 << 20), wanted = CHSM_BUF(1 << 20);
    struct chsm_err err = { 0 };
    char n[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(n, sizeof n, "%d", i);
        assert_ok(chsm_table_row(t, (const char *const[]){ n }, &err), err);
        assert_ok(chsm_buf_addf(&wanted, &err, "%d\n", i), err);
    }
    assert_ok(chsm_table_tsv(t, &tsv, &err), err);
    assert_string_equal(chsm_buf_str(&tsv), chsm_buf_str(&wanted));
}

static void output_that_does_not_fit_is_an_error(void **state)
{
    AUTO_TABLE struct chsm_table *t = chsm_table_new(headers);
    AUTO_BUF struct chsm_buf small = CHSM_BUF(10);
    struct chsm_err err = { 0 };

    (void)state;
    assert_fails(chsm_table_render(t, 0, &small, &err), CHSM_SERVICE, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_align),
        cmocka_unit_test(width_is_counted_in_characters),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(empty_table_has_its_headers),
        cmocka_unit_test(many_rows_in_order),
        cmocka_unit_test(output_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
