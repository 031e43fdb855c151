/* SPDX-License-Identifier: Apache-2.0 */
/* YAML: each value with its place, and each mistake with its place. */
#include "config.h"

#include "tests/unit/check.h"

#include "util/yaml.h"

static int parse(const char *text, struct chsm_yaml **ret, struct chsm_err *err)
{
    return chsm_yaml_parse(text, strlen(text), "plan.yaml", ret, err);
}

static void assert_tree(const char *text, const char *canonical)
{
    AUTO_YAML struct chsm_yaml *y = NULL;
    AUTO_FREE char *got = NULL;
    struct chsm_err err = { 0 };

    assert_ok(parse(text, &y, &err), err);
    got = chsm_json_canonical(chsm_yaml_root(y));
    assert_string_equal(got, canonical);
}

/* The message begins with the place where a person has to look. */
static void assert_wrong(const char *text, const char *place)
{
    struct chsm_yaml *y = NULL;
    struct chsm_err err = { 0 };

    assert_fails(parse(text, &y, &err), CHSM_CONFIG, err);
    assert_null(y);
    if (strncmp(err.text, place, strlen(place)) != 0) {
        print_error("\"%s\" should begin with \"%s\"\n", err.text, place);
        fail();
    }
}

static void scalars_follow_the_core_schema(void **state)
{
    (void)state;
    assert_tree("[null, ~, Null, NULL]", "[null,null,null,null]");
    assert_tree("a:\nb: x\n", "{\"a\":null,\"b\":\"x\"}");
    assert_tree("[true, True, FALSE, yes, no, on, off]", "[true,true,false,\"yes\",\"no\",\"on\",\"off\"]");
    assert_tree("[0, 12, -7, +3, 0x1F, 0o17, 017]", "[0,12,-7,3,31,15,17]");
    assert_tree("[1.5, -0.25, 1e3, .5]", "[1.5,-0.25,1000.0,0.5]");
    assert_tree("['1', \"true\", '~', \"0x1F\"]", "[\"1\",\"true\",\"~\",\"0x1F\"]");
    assert_tree("[1.2.3, 12ab, 0x, 2026-11-23, 1:20, cu1:user1234, '']", "[\"1.2.3\",\"12ab\",\"0x\",\"2026-11-23\",\"1:20\",\"cu1:user1234\",\"\"]");
    assert_tree("|\n  line one\n  line two\n", "\"line one\\nline two\\n\"");
    assert_tree(">-\n  folded\n  text\n", "\"folded text\"");
    assert_tree("\"\\u00e9\\t\"", "\"\xc3\xa9\\t\"");
}

/* A number that does not fit must not quietly become another number. */
static void number_out_of_range_stays_text(void **state)
{
    (void)state;
    assert_tree("[9223372036854775807, 9223372036854775808]", "[9223372036854775807,\"9223372036854775808\"]");
    assert_tree("1e999", "\"1e999\"");
}

/* libfyaml reads two of them in a row as three, and memory that nobody has filled. */
static void quotes_in_quotes_are_read_or_refused(void **state)
{
    (void)state;
    assert_tree("['it''s', '''', 'x''', '''x''y''', \"''''\"]", "[\"it's\",\"'\",\"x'\",\"'x'y'\",\"''''\"]");
    assert_tree("\"\\\"\\\"\\\\\\\\x\"", "\"\\\"\\\"\\\\\\\\x\"");
    assert_wrong("a: 'x''''y'", "plan.yaml:1:5: two quotes in a row");
    assert_wrong("a: ''''''''''''", "plan.yaml:1:5: two quotes in a row");
    assert_wrong("'x''''y': a", "plan.yaml:1:2: two quotes in a row");
}

static void collections_nest(void **state)
{
    (void)state;
    assert_tree("spec:\n  logins:\n    - name: cu1\n      pin: env:X\n    - {name: cu2, pin: 'file:/y'}\n  empty: {}\n  none: []\n",
                "{\"spec\":{\"empty\":{},\"logins\":[{\"name\":\"cu1\",\"pin\":\"env:X\"},{\"name\":\"cu2\",\"pin\":\"file:/y\"}],\"none\":[]}}");
    assert_tree("# only a comment\n---\na: 1\n...\n", "{\"a\":1}");
}

static void places_of_values(void **state)
{
    static const char text[] = "apiVersion: v1\nspec:\n  logins:\n    - name: cu1\n      pin: x\n    - name: cu2\n  rto: 90s\n";
    static const struct { const char *path; unsigned line, column; } at[] = {
        { "apiVersion", 1, 13 }, { "spec.logins", 4, 5 }, { "spec.logins[0].name", 4, 13 }, { "spec.logins[0].pin", 5, 12 },
        { "spec.logins[1].name", 6, 13 }, { "spec.rto", 7, 8 },
        { "spec.logins[1].pin", 6, 7 },     /* missing: its parent */
        { "spec.rpo.more", 3, 3 }, { "nothing", 1, 1 }, { "", 1, 1 },
    };
    AUTO_YAML struct chsm_yaml *y = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(parse(text, &y, &err), err);
    assert_string_equal(chsm_yaml_name(y), "plan.yaml");
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        struct chsm_mark m = chsm_yaml_mark(y, at[i].path);

        if (m.line != at[i].line || m.column != at[i].column) {
            print_error("%s is at %u:%u, not at %u:%u\n", at[i].path, m.line, m.column, at[i].line, at[i].column);
            fail();
        }
    }
}

static void repeated_key_is_an_error(void **state)
{
    (void)state;
    assert_wrong("a: 1\nb: 2\na: 3\n", "plan.yaml:3:1:");
    assert_wrong("x:\n  destination: a\n  destination: b\n", "plan.yaml:3:3:");
    assert_wrong("{a: 1, 'a': 2}", "plan.yaml:1:");
}

static void aliases_tags_and_more_documents_are_errors(void **state)
{
    (void)state;
    assert_wrong("a: &x 1\nb: *x\n", "plan.yaml:");
    assert_wrong("a: 1\nb: *x\n", "plan.yaml:");
    assert_wrong("a: &x {b: 1}\nc:\n  <<: *x\n", "plan.yaml:");
    assert_wrong("a: !!str 1\n", "plan.yaml:1:");
    assert_wrong("a: !secret x\n", "plan.yaml:1:");
    assert_wrong("a: 1\n---\nb: 2\n", "plan.yaml:");
    assert_wrong("a: 1\n...\nb: 2\n", "plan.yaml:");
}

static void broken_text_is_placed(void **state)
{
    (void)state;
    assert_wrong("a: [1, 2\nb: 3\n", "plan.yaml:");
    assert_wrong("a: 1\n b: 2\n", "plan.yaml:");
    assert_wrong("a: 'open\n", "plan.yaml:");
    assert_wrong("a: \"\\q\"\n", "plan.yaml:1:");
    assert_wrong("\ta: 1\n", "plan.yaml:");
    assert_wrong("{a: 1", "plan.yaml:");
    assert_wrong("a: \xff\n", "plan.yaml");
    assert_wrong("? [a, b]\n: 1\n", "plan.yaml:1:");
}

static void empty_text_is_no_document(void **state)
{
    struct chsm_yaml *y = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    assert_fails(parse("", &y, &err), CHSM_CONFIG, err);
    assert_fails(parse("# nothing\n", &y, &err), CHSM_CONFIG, err);
    assert_fails(chsm_yaml_parse("a: \"b\0c\"\n", 9, "plan.yaml", &y, &err), CHSM_CONFIG, err);
    assert_null(y);
}

static void depth_and_size_are_bounded(void **state)
{
    AUTO_FREE char *big = malloc((1u << 20) + 2);
    struct chsm_yaml *y = NULL;
    struct chsm_err err = { 0 };
    char deep[131];

    (void)state;
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    deep[130] = '\0';
    assert_fails(parse(deep, &y, &err), CHSM_CONFIG, err);
    assert_tree("[[[[[[[[[[1]]]]]]]]]]", "[[[[[[[[[[1]]]]]]]]]]");
    assert_non_null(big);
    memset(big, '#', (1u << 20) + 1);
    big[(1u << 20) + 1] = '\0';
    assert_fails(parse(big, &y, &err), CHSM_CONFIG, err);
    assert_fails(chsm_yaml_load("/nonexistent/plan.yaml", &y, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "/nonexistent/plan.yaml");
    assert_null(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_follow_the_core_schema),
        cmocka_unit_test(number_out_of_range_stays_text),
        cmocka_unit_test(quotes_in_quotes_are_read_or_refused),
        cmocka_unit_test(collections_nest),
        cmocka_unit_test(places_of_values),
        cmocka_unit_test(repeated_key_is_an_error),
        cmocka_unit_test(aliases_tags_and_more_documents_are_errors),
        cmocka_unit_test(broken_text_is_placed),
        cmocka_unit_test(empty_text_is_no_document),
        cmocka_unit_test(depth_and_size_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
