/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <jansson.h>

#include "tests/unit/check.h"

static void fail_fills_and_clears(void **state)
{
    struct chsm_err err = { .code = CHSM_AUTH, .ck_rv = 5, .http = 404, .service_code = "X", .hint = "old" };

    (void)state;
    assert_int_equal(chsm_fail(&err, CHSM_REFUSED, "no %s", "way"), -1);
    assert_int_equal(err.code, CHSM_REFUSED);
    assert_string_equal(err.text, "no way");
    assert_int_equal(err.ck_rv, 0);
    assert_int_equal(err.http, 0);
    assert_string_equal(err.service_code, "");
    assert_string_equal(err.hint, "");
}

static void nobody_listening_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(chsm_fail(NULL, CHSM_USAGE, "x"), -1);
    assert_int_equal(chsm_fail_errno(NULL, CHSM_USAGE, "x"), -1);
    assert_int_equal(chsm_err_prefix(NULL, "x"), -1);
    assert_int_equal(chsm_err_hint(NULL, "x"), -1);
    assert_int_equal(chsm_oom(NULL), -1);
}

/* Whatever is cut or foreign: the text stays UTF-8, for JSON takes nothing else. */
static void texts_are_utf8(void **state)
{
    static const char *const odd[] = { "a\xff" "b", "a\xc3(b", "\xe4" "b", "a\xed\xa0\x80" "b", "a\xf4\x90\x80\x80" "b",
                                      "\xc0\xaf" "b", "a\xe2\x82" "b" };
    struct chsm_err err = { 0 };
    char many[2048];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        json_auto_t *json = NULL;

        (void)chsm_fail(&err, CHSM_SERVICE, "%s", odd[i]);
        json = json_string(err.text);
        assert_non_null(json);
        assert_int_equal(err.text[strlen(err.text) - 1], 'b');
    }
    for (size_t i = 0; i + 3 < sizeof many; i += 3)
        memcpy(many + i, "\xe2\x82\xac", 4);
    for (size_t i = 0; i < 3; i++) {
        json_auto_t *text = NULL;
        json_auto_t *hint = NULL;

        (void)chsm_fail(&err, CHSM_SERVICE, "%s", many + 3 * 300);
        (void)chsm_err_prefix(&err, "%s", "xxx" + i);
        (void)chsm_err_suffix(&err, " (%s)", many + 3 * 600);
        (void)chsm_err_hint(&err, "%s%s", "xxx" + i, many);
        text = json_string(err.text);
        hint = json_string(err.hint);
        assert_non_null(text);
        assert_non_null(hint);
        assert_true(strlen(err.hint) > sizeof err.hint - 5);
    }
    (void)chsm_fail(&err, CHSM_SERVICE, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91");
    assert_string_equal(err.text, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91");
}

static void errno_is_explained(void **state)
{
    struct chsm_err err = { 0 };

    (void)state;
    errno = ENOENT;
    assert_int_equal(chsm_fail_errno(&err, CHSM_CONFIG, "cannot open %s", "a"), -1);
    assert_string_equal(err.text, "cannot open a: No such file or directory");
}

static void prefix_keeps_the_rest(void **state)
{
    struct chsm_err err = { 0 };

    (void)state;
    (void)chsm_fail(&err, CHSM_PKCS11, "C_Login");
    err.ck_rv = 0xa0;
    (void)chsm_err_hint(&err, "try %d", 2);
    assert_int_equal(chsm_err_prefix(&err, "login %s", "cu1"), -1);
    assert_string_equal(err.text, "login cu1: C_Login");
    assert_string_equal(err.hint, "try 2");
    assert_int_equal(err.ck_rv, 0xa0);
    assert_int_equal(err.code, CHSM_PKCS11);
}

/* Foreign text of any length must neither overflow nor lose the beginning. */
static void long_text_stays_inside(void **state)
{
    char big[5000];
    struct chsm_err err = { 0 };

    (void)state;
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    (void)chsm_fail(&err, CHSM_SERVICE, "begin %s", big);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    (void)chsm_err_prefix(&err, "place");
    assert_int_equal(strncmp(err.text, "place: begin xxx", 16), 0);
    (void)chsm_err_prefix(&err, "%s", big);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    errno = EACCES;
    (void)chsm_fail_errno(&err, CHSM_SERVICE, "%s", big);
    (void)chsm_err_hint(&err, "%s", big);
    assert_int_equal(strlen(err.hint), sizeof err.hint - 1);
}

/* Exit codes are an interface: scripts depend on these numbers. */
static void exit_codes_are_fixed(void **state)
{
    static const struct { enum chsm_code code; int number; const char *name; } all[] = {
        { CHSM_OK, 0, "ok" }, { CHSM_FAILED, 1, "failed" }, { CHSM_USAGE, 2, "usage" }, { CHSM_CONFIG, 3, "config" },
        { CHSM_AUTH, 4, "auth" }, { CHSM_SERVICE, 5, "service" }, { CHSM_PKCS11, 6, "pkcs11" }, { CHSM_REFUSED, 7, "refused" },
        { CHSM_DEADLINE, 8, "deadline" }, { CHSM_EVIDENCE, 9, "evidence" }, { CHSM_INCONCLUSIVE, 10, "inconclusive" },
        { CHSM_INTERRUPTED, 130, "interrupted" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(all[i].code, all[i].number);
        assert_string_equal(chsm_code_name(all[i].code), all[i].name);
    }
    assert_non_null(chsm_code_name((enum chsm_code)77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_fills_and_clears),
        cmocka_unit_test(nobody_listening_is_allowed),
        cmocka_unit_test(texts_are_utf8), cmocka_unit_test(errno_is_explained),
        cmocka_unit_test(prefix_keeps_the_rest),
        cmocka_unit_test(long_text_stays_inside),
        cmocka_unit_test(exit_codes_are_fixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
