/* SPDX-License-Identifier: Apache-2.0 */
/* The file of waivers: every mistake is named with its place, and nothing half understood counts. */
#include "config.h"

#include "drill/waivers.h"
#include "tests/unit/check.h"

#define HEAD "apiVersion: chsmctl/v1\nkind: Waivers\nwaivers:\n"

static int parse(const char *text, struct chsm_waivers *w, struct chsm_buf *problems, struct chsm_err *err)
{
    return chsm_waivers_parse(text, strlen(text), "w.yaml", w, problems, err);
}

static void file_is_read(void **state)
{
    static const char text[] = HEAD
        "  - { login: cu1, class: private-key, id: \"0101\", verdict: changed, attributes: [label, extractable], reason: renamed, expires: 2027-01-31 }\n"
        "  - { id: \"\", label: spare, verdict: missing, reason: retired, expires: \"2027-01-31T12:00:00Z\" }\n";
    AUTO_BUF struct chsm_buf problems = CHSM_BUF(4096);
    AUTO_WAIVERS struct chsm_waivers w = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(parse(text, &w, &problems, &err), err);
    assert_int_equal(w.n, 2);
    assert_string_equal(w.v[0].login, "cu1");
    assert_int_equal(w.v[0].cls, CHSM_CLASS_PRIVATE);
    assert_string_equal(w.v[0].id, "0101");
    assert_int_equal(w.v[0].verdict, CHSM_V_CHANGED);
    assert_string_equal(w.v[0].attributes[1], "extractable");
    assert_null(w.v[0].attributes[2]);
    /* A day counts to its end. */
    assert_int_equal(w.v[0].expires / 1000, 1801440000);
    assert_string_equal(w.v[1].id, "");
    assert_int_equal(w.v[1].expires / 1000, 1801396800);
}

static void mistakes_are_named_with_their_place(void **state)
{
    static const struct { const char *item, *problem; } table[] = {
        { "{ id: \"01\", verdict: impostor, reason: r, expires: 2027-01-31 }", "w.yaml:4:26: waivers[0].verdict: other key material" },
        { "{ id: \"01\", verdict: proven, reason: r, expires: 2027-01-31 }", "\"proven\" needs no waiver" },
        { "{ id: \"01\", verdict: lost, reason: r, expires: 2027-01-31 }", "\"lost\" is no verdict" },
        { "{ id: \"01\", verdict: missing, expires: 2027-01-31 }", "\"reason\" is missing" },
        { "{ id: \"01\", verdict: missing, reason: r }", "\"expires\" is missing" },
        { "{ id: \"01\", verdict: missing, reason: r, expires: soon }", "\"soon\" is no day" },
        { "{ id: \"01\", verdict: missing, reason: r, expires: 2027-13-31 }", "is no day" },
        { "{ id: \"01\", verdict: missing, reason: r, expires: 20270131 }", "expected" },
        { "{ id: 0101, verdict: missing, reason: r, expires: 2027-01-31 }", "CKA_ID in lower-case hexadecimal" },
        { "{ id: \"0G\", verdict: missing, reason: r, expires: 2027-01-31 }", "CKA_ID in lower-case hexadecimal" },
        { "{ id: \"010\", verdict: missing, reason: r, expires: 2027-01-31 }", "CKA_ID in lower-case hexadecimal" },
        { "{ fingerprint: \"0101\", verdict: missing, reason: r, expires: 2027-01-31 }", "64 hexadecimal digits" },
        { "{ login: cu1, verdict: missing, reason: r, expires: 2027-01-31 }", "which key?" },
        { "{ id: \"01\", class: key, verdict: missing, reason: r, expires: 2027-01-31 }", "class \"key\" is not known" },
        { "{ id: \"01\", verdict: changed, reason: r, expires: 2027-01-31 }", "which attributes may differ?" },
        { "{ id: \"01\", verdict: changed, attributes: [], reason: r, expires: 2027-01-31 }", "at least one item" },
        { "{ id: \"01\", verdict: changed, attributes: [7], reason: r, expires: 2027-01-31 }", "names of attributes" },
        { "{ id: \"01\", verdict: missing, attributes: [label], reason: r, expires: 2027-01-31 }", "verdict changed only" },
        { "{ id: \"01\", verdict: missing, reasons: r, reason: r, expires: 2027-01-31 }", "did you mean \"reason\"?" },
        { "7", "a mapping (name: value) is expected" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        AUTO_BUF struct chsm_buf problems = CHSM_BUF(65536);
        AUTO_FREE char *text = chsm_strf(HEAD "  - %s\n", table[i].item);
        AUTO_WAIVERS struct chsm_waivers w = { 0 };
        struct chsm_err err = { 0 };

        assert_fails(parse(text, &w, &problems, &err), CHSM_CONFIG, err);
        assert_int_equal(w.n, 0);
        if (!strstr(chsm_buf_str(&problems), table[i].problem))
            fail_msg("%s gives: %s", table[i].item, chsm_buf_str(&problems));
    }
}

static void other_documents_are_refused(void **state)
{
    static const char *const wrong[] = {
        "", "[]", "waivers: []", "apiVersion: chsmctl/v2\nkind: Waivers\nwaivers: [{ id: \"01\", verdict: missing, reason: r, expires: 2027-01-31 }]",
        "apiVersion: chsmctl/v1\nkind: Drill\nwaivers: [{ id: \"01\", verdict: missing, reason: r, expires: 2027-01-31 }]", HEAD "  []\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO_BUF struct chsm_buf problems = CHSM_BUF(65536);
        AUTO_WAIVERS struct chsm_waivers w = { 0 };
        struct chsm_err err = { 0 };

        assert_fails(parse(wrong[i], &w, &problems, &err), CHSM_CONFIG, err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_is_read),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(other_documents_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
