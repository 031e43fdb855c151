/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "check.h"
#include "sim/http.h"

static void target_is_taken_apart(void **state)
{
    struct sim_request rq;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(sim_request_init(&rq, SIM_ARM, "GET", "//a/b%2Dc///d%2Fe/?api-version=1&$filter=a%20eq+%27b%27&empty=&flag", &err), err);
    assert_int_equal(rq.segs, 3);
    assert_string_equal(rq.seg[0], "a");
    assert_string_equal(rq.seg[1], "b-c");
    assert_string_equal(rq.seg[2], "d/e");
    assert_string_equal(rq.path, "/a/b-c/d/e");
    assert_string_equal(sim_query(&rq, "API-Version"), "1");
    assert_string_equal(sim_query(&rq, "$filter"), "a eq 'b'");
    assert_string_equal(sim_query(&rq, "empty"), "");
    assert_string_equal(sim_query(&rq, "flag"), "");
    assert_null(sim_query(&rq, "none"));
    sim_request_done(&rq);
}

static void plus_is_a_blank_in_queries_only(void **state)
{
    struct sim_request rq;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(sim_request_init(&rq, SIM_ARM, "GET", "/a+b?c=d+e", &err), err);
    assert_string_equal(rq.seg[0], "a+b");
    assert_string_equal(sim_query(&rq, "c"), "d e");
    sim_request_done(&rq);
}

static void root_has_no_segments(void **state)
{
    struct sim_request rq;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(sim_request_init(&rq, SIM_BLOB, "GET", "/?restype=service", &err), err);
    assert_int_equal(rq.segs, 0);
    assert_string_equal(rq.path, "/");
    sim_request_done(&rq);
}

static void malformed_targets_are_refused(void **state)
{
    static const char *const targets[] = {
        "/a%", "/a%2", "/a%zz", "/a%00b", "/?x=%0", "/?x=%00", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct sim_request rq;
        struct chsm_err err = { 0 };

        assert_fails(sim_request_init(&rq, SIM_ARM, "GET", targets[i], &err), CHSM_SERVICE, err);
        sim_request_done(&rq);
    }
}

static void headers_in_any_case(void **state)
{
    struct sim_request rq;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(sim_request_init(&rq, SIM_ARM, "GET", "/", &err), err);
    assert_ok(sim_request_header(&rq, "Content-Type", "text/plain", &err), err);
    assert_string_equal(sim_header(&rq, "content-type"), "text/plain");
    for (int i = 1; i < SIM_PAIRS; i++)
        assert_ok(sim_request_header(&rq, "x", "y", &err), err);
    assert_fails(sim_request_header(&rq, "x", "y", &err), CHSM_SERVICE, err);
    sim_request_done(&rq);
}

static void forms(void **state)
{
    struct chsm_err err = { 0 };
    json_t *form = NULL;

    (void)state;
    assert_ok(sim_form_parse("grant_type=client_credentials&client_secret=a%2Bb%2Fc%3D%26+d&x=", &form, &err), err);
    assert_string_equal(chsm_json_str(form, "grant_type"), "client_credentials");
    assert_string_equal(chsm_json_str(form, "client_secret"), "a+b/c=& d");
    assert_string_equal(chsm_json_str(form, "x"), "");
    json_decref(form);
    form = NULL;
    assert_fails(sim_form_parse("a=%ff", &form, &err), CHSM_SERVICE, err);
    assert_fails(sim_form_parse("a=%f", &form, &err), CHSM_SERVICE, err);
    assert_null(form);
}

static void an_answer_replaces_the_one_before(void **state)
{
    struct sim_answer an = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(sim_answer_json(&an, 200, json_pack("{s:i}", "a", 1), &err), err);
    assert_string_equal(an.body, "{\"a\":1}");
    assert_int_equal(an.len, 7);
    assert_ok(sim_answer_text(&an, 404, "text/plain", "no", &err), err);
    assert_int_equal(an.status, 404);
    sim_answer_empty(&an, 202);
    assert_int_equal(an.status, 202);
    assert_null(an.type);
    assert_int_equal(an.len, 0);
    assert_ok(sim_answer_header(&an, &err, "Location", "%s/%d", "x", 7), err);
    assert_string_equal(an.header[0].value, "x/7");
    assert_fails(sim_answer_json(&an, 200, NULL, &err), CHSM_SERVICE, err);
    sim_answer_done(&an);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(target_is_taken_apart), cmocka_unit_test(plus_is_a_blank_in_queries_only), cmocka_unit_test(root_has_no_segments),
        cmocka_unit_test(malformed_targets_are_refused), cmocka_unit_test(headers_in_any_case), cmocka_unit_test(forms),
        cmocka_unit_test(an_answer_replaces_the_one_before),
    };

    return cmocka_run_group_tests_name("sim/http", tests, NULL, NULL);
}
