/* SPDX-License-Identifier: Apache-2.0 */
/* Fault rules and the request log. */
#include "config.h"

#include <unistd.h>

#include "check.h"
#include "sim/fault.h"
#include "sim/reqlog.h"

static int make_dir(void **state)
{
    char *dir = strdup("/tmp/chsm-test-XXXXXX");

    assert_non_null(dir);
    assert_non_null(mkdtemp(dir));
    *state = dir;
    return 0;
}

static int end_dir(void **state)
{
    static const char *const files[] = { "lock", "faults.json" };
    char *dir = *state;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = chsm_strf("%s/%s", dir, files[i]);

        (void)unlink(path);
        free(path);
    }
    assert_int_equal(rmdir(dir), 0);
    free(dir);
    return 0;
}

static void add(const char *dir, json_t *rule)
{
    struct chsm_err err = { 0 };

    assert_ok(sim_fault_add(dir, rule, &err), err);
    json_decref(rule);
}

static enum sim_fault_kind take(const char *dir, const char *method, const char *target)
{
    struct sim_request rq;
    struct sim_fault f = { 0 };
    struct chsm_err err = { 0 };
    enum sim_fault_kind kind;

    assert_ok(sim_request_init(&rq, SIM_ARM, method, target, &err), err);
    assert_ok(sim_fault_take(dir, &rq, &f, &err), err);
    kind = f.kind;
    sim_fault_done(&f);
    sim_request_done(&rq);
    return kind;
}

static void only_the_nth_to_the_last_request_is_hit(void **state)
{
    const char *dir = *state;

    add(dir, json_pack("{s:s,s:s,s:i,s:i,s:s}", "path", "/backup$", "method", "POST", "nth", 2, "count", 2, "kind", "reset"));
    assert_int_equal(take(dir, "POST", "/a/backup?x=y"), SIM_FAULT_NONE);
    assert_int_equal(take(dir, "GET", "/a/backup"), SIM_FAULT_NONE);
    assert_int_equal(take(dir, "POST", "/a/backup/b"), SIM_FAULT_NONE);
    assert_int_equal(take(dir, "POST", "/a//BACKUP/"), SIM_FAULT_RESET);
    assert_int_equal(take(dir, "POST", "/a/backup"), SIM_FAULT_RESET);
    assert_int_equal(take(dir, "POST", "/a/backup"), SIM_FAULT_NONE);
}

static void the_first_rule_that_is_due_wins_and_all_count(void **state)
{
    const char *dir = *state;
    struct chsm_err err = { 0 };
    json_t *rules = NULL;

    add(dir, json_pack("{s:s,s:i,s:i,s:s}", "path", "/two", "nth", 2, "count", 1, "kind", "truncate"));
    add(dir, json_pack("{s:s,s:i,s:i,s:s}", "path", "/tw", "nth", 1, "count", 9, "kind", "drop-answer"));
    assert_int_equal(take(dir, "GET", "/two"), SIM_FAULT_DROP);
    assert_int_equal(take(dir, "GET", "/two"), SIM_FAULT_TRUNCATE);
    assert_ok(sim_fault_list(dir, &rules, &err), err);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rules, 0), "seen")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rules, 1), "seen")), 2);
    json_decref(rules);
    assert_ok(sim_fault_clear(dir, &err), err);
    assert_ok(sim_fault_clear(dir, &err), err);
    assert_int_equal(take(dir, "GET", "/two"), SIM_FAULT_NONE);
}

static void a_bad_pattern_is_refused(void **state)
{
    struct chsm_err err = { 0 };
    json_t *rule = json_pack("{s:s}", "path", "(");

    assert_fails(sim_fault_add(*state, rule, &err), CHSM_USAGE, err);
    json_decref(rule);
}

/* The log entry of one request as text. */
static char *entry(const char *target, const char *type, const char *body, const char *authorization)
{
    struct sim_request rq;
    struct chsm_err err = { 0 };
    json_t *e;
    char *text;

    assert_ok(sim_request_init(&rq, SIM_LOGIN, "POST", target, &err), err);
    assert_ok(sim_request_header(&rq, "Content-Type", type, &err), err);
    assert_ok(sim_request_header(&rq, "Authorization", authorization, &err), err);
    assert_ok(chsm_buf_adds(&rq.body, body, &err), err);
    e = sim_reqlog_entry(&rq, 200, &(struct sim_fault){ 0 }, 0);
    assert_non_null(e);
    text = json_dumps(e, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(e);
    sim_request_done(&rq);
    assert_non_null(text);
    return text;
}

static void secrets_stay_out_of_the_log(void **state)
{
    static const struct { const char *target, *type, *body; } cases[] = {
        { "/x?api-version=1&s=HUSH&c=HUSH&h=HUSH&t=HUSH&sig=HUSH", "application/json", "{}" },
        { "/x", "application/json; charset=utf-8", "{\"a\":[{\"token\":\"HUSH\"}],\"client_secret\":{\"x\":\"HUSH\"}}" },
        { "/x", "application/x-www-form-urlencoded", "grant_type=x&client_secret=HUSH&client_assertion=HUSH" },
        { "/x", "text/plain", "HUSH" },
        { "/x", "application/json", "{\"token\":\"HUSH\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = entry(cases[i].target, cases[i].type, cases[i].body, "Bearer HUSH");

        assert_lacks(text, "HUSH");
        assert_contains(text, "\"authorization\":\"bearer\"");
        free(text);
    }
}

static void the_rest_of_a_request_is_logged(void **state)
{
    char *text = entry("/a//b%2Dc?api-version=1", "application/json", "{\"backupId\":\"cloudhsm-1\"}", "Basic x");

    (void)state;
    assert_string_equal(text, "{\"authorization\":\"none\",\"body\":{\"backupId\":\"cloudhsm-1\"},\"fault\":\"\",\"handled\":true,\"method\":\"POST\","
                              "\"path\":\"/a/b-c\",\"query\":{\"api-version\":\"1\"},\"service\":\"login\",\"status\":200,"
                              "\"time\":\"1970-01-01T00:00:00.000Z\"}");
    free(text);
}

/* A start that was handled in spite of its fault must be countable as one: whoever repeats it starts a second job. */
static void what_gets_through_is_known(void **state)
{
    static const struct { enum sim_fault_kind kind; bool handle, gets_through; } cases[] = {
        { SIM_FAULT_NONE, false, true }, { SIM_FAULT_RESET, false, false }, { SIM_FAULT_STATUS, false, false },
        { SIM_FAULT_STATUS, true, true }, { SIM_FAULT_BODY, false, false }, { SIM_FAULT_BODY, true, true },
        { SIM_FAULT_STALL, false, true }, { SIM_FAULT_DROP, false, true }, { SIM_FAULT_TRUNCATE, false, true },
        { SIM_FAULT_HEADER, false, true }, { SIM_FAULT_TYPE, false, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(sim_fault_handles(&(struct sim_fault){ .kind = cases[i].kind, .handle = cases[i].handle }), cases[i].gets_through);
}

static void a_claims_challenge_is_in_the_header(void **state)
{
    struct sim_fault f = { .kind = SIM_FAULT_STATUS, .status = 401, .retry_after = -1, .claims = strdup("{\"a\":1}") };
    struct sim_answer an = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(sim_fault_answer(&f, SIM_ARM, &an, &err), err);
    assert_int_equal(an.headers, 1);
    assert_string_equal(an.header[0].name, "WWW-Authenticate");
    assert_contains(an.header[0].value, "error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"");
    sim_answer_done(&an);
    sim_fault_done(&f);
}

static void a_handled_answer_is_spoiled(void **state)
{
    struct sim_fault type = { .kind = SIM_FAULT_TYPE, .type = strdup("text/html") };
    const struct sim_fault header = { .kind = SIM_FAULT_HEADER, .size = 70000 };
    struct sim_answer an = { .status = 200, .type = "application/json" };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(sim_fault_spoil(&type, &an, &err), err);
    assert_string_equal(an.type, "text/html");
    assert_ok(sim_fault_spoil(&header, &an, &err), err);
    assert_int_equal(strlen(an.header[0].value), 70000);
    sim_answer_done(&an);
    sim_fault_done(&type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_nth_to_the_last_request_is_hit, make_dir, end_dir),
        cmocka_unit_test_setup_teardown(the_first_rule_that_is_due_wins_and_all_count, make_dir, end_dir),
        cmocka_unit_test_setup_teardown(a_bad_pattern_is_refused, make_dir, end_dir),
        cmocka_unit_test(secrets_stay_out_of_the_log), cmocka_unit_test(the_rest_of_a_request_is_logged),
        cmocka_unit_test(what_gets_through_is_known), cmocka_unit_test(a_claims_challenge_is_in_the_header),
        cmocka_unit_test(a_handled_answer_is_spoiled),
    };

    return cmocka_run_group_tests_name("sim/fault", tests, NULL, NULL);
}
