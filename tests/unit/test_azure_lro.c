/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of long-running operations, answer by answer. */
#include "config.h"

#include "tests/unit/check.h"

#include "azure/lro.h"

#define ARM "https://management.azure.com"
#define RESOURCE "/subscriptions/x/clusters/c?api-version=1"

struct answer { long status; const char *body, *location, *async; long retry_after; };

static struct chsm_response response(const struct answer *a)
{
    return (struct chsm_response){ .status = a->status, .location = (char *)(uintptr_t)a->location,
                                   .async_operation = (char *)(uintptr_t)a->async, .retry_after = a->retry_after ? a->retry_after : -1 };
}

static json_t *body_of(const struct answer *a)
{
    json_t *j = a->body ? json_loads(a->body, JSON_DECODE_ANY, NULL) : NULL;

    assert_true(!a->body || j);
    return j;
}

static int begin(struct chsm_lro *l, const struct answer *a, struct chsm_err *err)
{
    struct chsm_response r = response(a);
    json_auto_t *body = body_of(a);

    return chsm_lro_begin(l, &r, body, RESOURCE, err);
}

static int step(struct chsm_lro *l, const struct answer *a, struct chsm_err *err)
{
    struct chsm_response r = response(a);
    json_auto_t *body = body_of(a);

    return chsm_lro_step(l, &r, body, err);
}

static void beginnings(void **state)
{
    static const struct { struct answer a; enum chsm_lro_style style; enum chsm_lro_state state; const char *url; } cases[] = {
        { { .status = 202, .location = ARM "/l" }, CHSM_LRO_LOCATION, CHSM_LRO_RUNNING, ARM "/l" },
        { { .status = 202, .location = ARM "/l", .async = ARM "/a" }, CHSM_LRO_ASYNC, CHSM_LRO_RUNNING, ARM "/a" },
        { { .status = 201, .async = ARM "/a", .body = "{\"properties\":{\"provisioningState\":\"Provisioning\"}}" },
          CHSM_LRO_ASYNC,
          CHSM_LRO_RUNNING, ARM "/a" },
        { { .status = 201, .async = ARM "/a" }, CHSM_LRO_ASYNC, CHSM_LRO_RUNNING, ARM "/a" },
        /* As recorded: create answers 200 + Provisioning without any header. */
        { { .status = 200, .body = "{\"properties\":{\"provisioningState\":\"Provisioning\"}}" }, CHSM_LRO_RESOURCE,
          CHSM_LRO_RUNNING, RESOURCE },
        { { .status = 200, .body = "{\"properties\":{\"provisioningState\":\"Succeeded\"}}" }, CHSM_LRO_DONE, CHSM_LRO_SUCCEEDED,
          NULL },
        { { .status = 200, .body = "{\"properties\":{\"provisioningState\":\"Failed\"}}" }, CHSM_LRO_DONE, CHSM_LRO_FAILED,
          NULL },
        { { .status = 200, .body = "{\"location\":\"x\"}" }, CHSM_LRO_DONE, CHSM_LRO_SUCCEEDED, NULL },
        { { .status = 200, .body = "{\"properties\":{\"status\":\"InProgress\"}}" }, CHSM_LRO_RESOURCE, CHSM_LRO_RUNNING,
          RESOURCE },
        { { .status = 202 }, CHSM_LRO_RESOURCE, CHSM_LRO_RUNNING, RESOURCE },
        { { .status = 204 }, CHSM_LRO_DONE, CHSM_LRO_SUCCEEDED, NULL },
    };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(chsm_lro_done) struct chsm_lro l = { 0 };

        assert_ok(begin(&l, &cases[i].a, &err), err);
        if (l.style != cases[i].style || l.state != cases[i].state)
            fail_msg("case %zu: style %d, state %d", i, (int)l.style, (int)l.state);
        if (cases[i].url)
            assert_string_equal(l.url, cases[i].url);
        assert_int_equal(l.wait, -1);
    }
}

static void bad_beginnings(void **state)
{
    struct chsm_response r = { .status = 202, .retry_after = -1 };
    AUTO(chsm_lro_done) struct chsm_lro l = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_fails(chsm_lro_begin(&l, &r, NULL, NULL, &err), CHSM_SERVICE, err);  /* nowhere to ask */
    assert_fails(begin(&l, &(struct answer){ .status = 409 }, &err), CHSM_SERVICE, err);
    assert_fails(begin(&l, &(struct answer){ .status = 302, .location = ARM "/l" }, &err), CHSM_SERVICE, err);
}

#define S(word) "{\"status\":\"" word "\"}"
#define PS(word) "{\"properties\":{\"status\":\"" word "\",\"endTime\":\"2022-09-12T12:00:00Z\"}}"
#define PP(word) "{\"properties\":{\"provisioningState\":\"" word "\",\"status\":\"Failed\"}}"

static void steps(void **state)
{
    static const struct { enum chsm_lro_style style; struct answer a; enum chsm_lro_state wanted; } cases[] = {
        { CHSM_LRO_ASYNC, { .status = 200, .body = S("InProgress") }, CHSM_LRO_RUNNING },
        { CHSM_LRO_ASYNC, { .status = 200, .body = S("Accepted") }, CHSM_LRO_RUNNING },
        { CHSM_LRO_ASYNC, { .status = 200, .body = S("Succeeded") }, CHSM_LRO_SUCCEEDED },
        { CHSM_LRO_ASYNC, { .status = 200, .body = S("Failed") }, CHSM_LRO_FAILED },
        { CHSM_LRO_ASYNC, { .status = 200, .body = S("Canceled") }, CHSM_LRO_CANCELED },
        { CHSM_LRO_ASYNC, { .status = 200, .body = PS("Succeeded") }, CHSM_LRO_SUCCEEDED },
        { CHSM_LRO_ASYNC, { .status = 202 }, CHSM_LRO_RUNNING },
        { CHSM_LRO_LOCATION, { .status = 202, .location = ARM "/plain" }, CHSM_LRO_RUNNING },
        { CHSM_LRO_LOCATION, { .status = 200, .body = PS("InProgress") }, CHSM_LRO_RUNNING },
        { CHSM_LRO_LOCATION, { .status = 200, .body = PS("Waiting for the moon") }, CHSM_LRO_RUNNING },
        { CHSM_LRO_LOCATION, { .status = 200, .body = PS("Succeeded") }, CHSM_LRO_SUCCEEDED },
        { CHSM_LRO_LOCATION, { .status = 200, .body = PS("Failed") }, CHSM_LRO_FAILED },
        { CHSM_LRO_LOCATION, { .status = 200, .body = PS("Cancelled") }, CHSM_LRO_CANCELED },
        { CHSM_LRO_LOCATION, { .status = 202, .body = PS("Failed") }, CHSM_LRO_FAILED },
        { CHSM_LRO_LOCATION, { .status = 200, .body = "{\"properties\":{\"provisioningState\":\"Updating\"}}" },
          CHSM_LRO_RUNNING },
        { CHSM_LRO_LOCATION, { .status = 200 }, CHSM_LRO_SUCCEEDED },
        { CHSM_LRO_LOCATION, { .status = 204 }, CHSM_LRO_SUCCEEDED },
        { CHSM_LRO_RESOURCE, { .status = 200, .body = PP("Provisioning") }, CHSM_LRO_RUNNING },
        { CHSM_LRO_RESOURCE, { .status = 200, .body = PP("Succeeded") }, CHSM_LRO_SUCCEEDED },
        { CHSM_LRO_RESOURCE, { .status = 200, .body = PP("Canceled") }, CHSM_LRO_CANCELED },
        { CHSM_LRO_RESOURCE, { .status = 200, .body = "{\"name\":\"x\"}" }, CHSM_LRO_SUCCEEDED },
    };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(chsm_lro_done) struct chsm_lro l = { .style = cases[i].style, .url = strdup(ARM "/first"), .wait = -1 };

        assert_ok(step(&l, &cases[i].a, &err), err);
        if (l.state != cases[i].wanted)
            fail_msg("case %zu: state %d", i, (int)l.state);
    }
}

/* A poll that says nothing, or fails, leaves the operation where it was. */
static void failed_polls(void **state)
{
    static const struct answer cases[] = {
        { .status = 404, .body = "{\"error\":{\"code\":\"NotFound\",\"message\":\"x\"}}" }, { .status = 500 }, { .status = 302, .location = ARM "/x" },
        { .status = 200 }, { .status = 200, .body = "[]" }, { .status = 200, .body = "{\"status\":7}" }, { .status = 204 },
    };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_ASYNC, .url = strdup(ARM "/first"), .wait = -1 };

        assert_fails(step(&l, &cases[i], &err), CHSM_SERVICE, err);
        assert_int_equal(l.state, CHSM_LRO_RUNNING);
        assert_string_equal(l.url, ARM "/first");
    }
}

static void addresses_move(void **state)
{
    AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_LOCATION, .url = strdup(ARM "/signed"), .wait = -1 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(step(&l, &(struct answer){ .status = 202, .location = ARM "/plain" }, &err), err);
    assert_string_equal(l.url, ARM "/plain");
    assert_ok(step(&l, &(struct answer){ .status = 202 }, &err), err);
    assert_string_equal(l.url, ARM "/plain");
    assert_ok(step(&l, &(struct answer){ .status = 202, .location = ARM "/l", .async = ARM "/a" }, &err), err);
    assert_string_equal(l.url, ARM "/a");
    /* From here a Location names the result, not the status. */
    assert_ok(step(&l, &(struct answer){ .status = 200, .body = S("Running"), .location = ARM "/result" }, &err), err);
    assert_string_equal(l.url, ARM "/a");
    assert_string_equal(l.status, "Running");
    assert_ok(step(&l, &(struct answer){ .status = 200, .body = S("Succeeded"), .location = ARM "/result" }, &err), err);
    assert_int_equal(l.state, CHSM_LRO_SUCCEEDED);
}

static void waits(void **state)
{
    AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_LOCATION, .url = strdup(ARM "/l"), .wait = -1 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(step(&l, &(struct answer){ .status = 202, .retry_after = 5 }, &err), err);
    assert_int_equal(l.wait, 5);
    assert_ok(step(&l, &(struct answer){ .status = 202, .retry_after = 6000 }, &err), err);
    assert_int_equal(l.wait, 600);
    assert_ok(step(&l, &(struct answer){ .status = 202 }, &err), err);
    assert_int_equal(l.wait, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beginnings), cmocka_unit_test(bad_beginnings), cmocka_unit_test(steps), cmocka_unit_test(failed_polls),
        cmocka_unit_test(addresses_move), cmocka_unit_test(waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
