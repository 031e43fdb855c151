/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: strict about what comes in, canonical in what goes out, and silent about what it said. */
#include "config.h"

#include <sys/stat.h>

#include "tests/unit/check.h"

#include "util/json.h"
#include "util/path.h"

static int parse(const char *text, json_t **ret, struct chsm_err *err)
{
    return chsm_json_parse(text, strlen(text), "answer", CHSM_SERVICE, ret, err);
}

static void one_text_and_nothing_else(void **state)
{
    static const char *const wrong[] = {
        "", " ", "{", "{\"a\":1", "{\"a\":1,}", "{\"a\":1} x", "{\"a\":1}{}", "{'a':1}", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"b\":1}}",
        "[1,]", "nul", "\"\\ud800\"", "{\"a\":\"\xff\"}", "01", "[1e999]", "{\"a\":99999999999999999999}", "\"a\nb\"", "{\"a\":NaN}",
        "// note\n{}",
    };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        json_t *v = json_true();

        assert_fails(parse(wrong[i], &v, &err), CHSM_SERVICE, err);
        assert_contains(err.text, "answer");
        assert_ptr_equal(v, json_true());
    }
}

static void every_kind_of_value(void **state)
{
    static const char *const right[] = { "{}", "[]", "null", "true", "\"x\"", "1", "-0.5", " {\"a\":[1,{\"b\":null}]}\n" };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        json_t *v = NULL;

        assert_ok(parse(right[i], &v, &err), err);
        json_decref(v);
    }
}

static void nul_byte_is_no_end(void **state)
{
    struct chsm_err err = { 0 };
    json_t *v = NULL;

    (void)state;
    assert_fails(chsm_json_parse("{}\0{}", 5, "answer", CHSM_CONFIG, &v, &err), CHSM_CONFIG, err);
    assert_fails(chsm_json_parse("{\"a\":\"\\u0000\"}", 14, "answer", CHSM_CONFIG, &v, &err), CHSM_CONFIG, err);
    assert_null(v);
}

/* Ten thousand brackets must be an error, not the end of the stack. */
static void depth_is_bounded(void **state)
{
    char deep[20001];
    struct chsm_err err = { 0 };
    json_t *v = NULL;

    (void)state;
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    deep[20000] = '\0';
    assert_fails(parse(deep, &v, &err), CHSM_SERVICE, err);
}

static void error_names_the_place_and_quotes_nothing(void **state)
{
    struct chsm_err err = { 0 };
    json_t *v = NULL;

    (void)state;
    assert_fails(parse("{\n  \"access_token\": \"eyJhbGciOi\" oops\n}", &v, &err), CHSM_SERVICE, err);
    assert_contains(err.text, "line 2");
    assert_lacks(err.text, "eyJ");
    assert_lacks(err.text, "oops");
    assert_fails(parse("{\"secretmember\":1,\"secretmember\":2}", &v, &err), CHSM_SERVICE, err);
    assert_contains(err.text, "twice");
    assert_lacks(err.text, "secretmember");
}

static void canonical_form_depends_on_the_value_only(void **state)
{
    static const char *const same[] = {
        "{\"b\":[1,2],\"a\":{\"y\":\"\\u00e9\",\"x\":null}}",
        " { \"a\" : { \"x\" : null , \"y\" : \"\xc3\xa9\" }, \n\"b\":[ 1, 2 ] }",
    };
    static const char wanted[] = "{\"a\":{\"x\":null,\"y\":\"\xc3\xa9\"},\"b\":[1,2]}";
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        AUTO_FREE char *text = NULL;
        json_t *v = NULL;

        assert_ok(parse(same[i], &v, &err), err);
        text = chsm_json_canonical(v);
        assert_string_equal(text, wanted);
        json_decref(v);
    }
}

static void members_sort_by_byte(void **state)
{
    AUTO_FREE char *text = NULL;
    struct chsm_err err = { 0 };
    json_t *v = NULL;

    (void)state;
    assert_ok(parse("{\"b\":1,\"B\":2,\"\xc3\xa9\":3,\"a.b\":4,\"a\":5,\"\":6}", &v, &err), err);
    text = chsm_json_canonical(v);
    assert_string_equal(text, "{\"\":6,\"B\":2,\"a\":5,\"a.b\":4,\"b\":1,\"\xc3\xa9\":3}");
    json_decref(v);
}

static void file_round_trip_is_private(void **state)
{
    char folder[] = "/tmp/chsm-json-XXXXXX";
    AUTO_FREE char *path = NULL;
    struct chsm_err err = { 0 };
    json_t *v = NULL, *again = NULL;
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = chsm_path_join(folder, "x.json");
    assert_ok(parse("{\"b\":[1,\"two\"],\"a\":{\"c\":true}}", &v, &err), err);
    assert_ok(chsm_json_save(path, v, &err), err);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_ok(chsm_json_load(path, 1000, &again, &err), err);
    assert_true(json_equal(v, again));
    assert_fails(chsm_json_load(path, 10, &again, &err), CHSM_CONFIG, err);
    json_decref(again);
    json_decref(v);
    assert_ok(chsm_file_write(path, "{\"a\":", 5, 0600, &err), err);
    assert_fails(chsm_json_load(path, 1000, &again, &err), CHSM_CONFIG, err);
    assert_contains(err.text, path);
    (void)unlink(path);
    assert_fails(chsm_json_load(path, 1000, &again, &err), CHSM_CONFIG, err);
    (void)rmdir(folder);
}

static void members_by_path(void **state)
{
    struct chsm_err err = { 0 };
    json_t *v = NULL;

    (void)state;
    assert_ok(parse("{\"properties\":{\"status\":\"Succeeded\",\"n\":1},\"name\":\"x\"}", &v, &err), err);
    assert_string_equal(json_string_value(chsm_json_get(v, "properties.status")), "Succeeded");
    assert_null(chsm_json_get(v, "properties.status.more"));
    assert_null(chsm_json_get(v, "properties.absent"));
    assert_null(chsm_json_get(v, "prop"));
    assert_null(chsm_json_get(NULL, "a"));
    assert_string_equal(chsm_json_str(v, "name"), "x");
    assert_null(chsm_json_str(v, "properties"));
    assert_null(chsm_json_str(v, "absent"));
    assert_null(chsm_json_str(NULL, "name"));
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_text_and_nothing_else),
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(nul_byte_is_no_end),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(error_names_the_place_and_quotes_nothing),
        cmocka_unit_test(canonical_form_depends_on_the_value_only),
        cmocka_unit_test(members_sort_by_byte),
        cmocka_unit_test(file_round_trip_is_private),
        cmocka_unit_test(members_by_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
