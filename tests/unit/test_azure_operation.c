/* SPDX-License-Identifier: Apache-2.0 */
/* Whole operations in every polling style of Resource Manager, with its traps, against a scripted one (arm.md §2.2). */
#include "config.h"

#include "azure/lro_poll.h"
#include "tests/unit/azure_world.h"

#define PATH "/subscriptions/x/things/t?api-version=1"
#define EMPTY(status, headers) ANSWER(status, headers, "")
#define OK(body) ANSWER("200 OK", "", body)
#define STATUS(word) OK("{\"status\":\"" word "\"}")
#define THING(word) "{\"id\":\"/subscriptions/x/things/t\",\"type\":\"x/things\",\"properties\":{\"provisioningState\":\"" word "\"}}"
#define ASYNC "Azure-AsyncOperation: /async/1?s=a%2Fb==&t=1\r\n"
#define LOCATION "Location: /location/1?s=a%2Fb==&t=1\r\n"
#define GONE ANSWER("404 Not Found", "", "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"gone\"}}")
#define SCRIPT_MAX 10

struct trial {
    const char *what, *method;
    const char *script[SCRIPT_MAX];
    const char *failure;            /* in the error's text; NULL = success */
    const char *asked[SCRIPT_MAX];  /* how each request begins */
};

static int run(struct arm_world *w, const char *method, json_t **ret)
{
    const struct chsm_lro_follow follow = { .deadline = chsm_deadline_in(20000) };
    json_auto_t *body = json_pack("{s:s}", "location", "ukwest");

    return chsm_lro_run(&w->arm, method, PATH, strcmp(method, "DELETE") == 0 ? NULL : body, &follow, ret, &w->err);
}

static void check(const struct trial *t)
{
    json_t *thing = NULL;
    struct arm_world w;
    unsigned n = 0;
    int rc;

    arm_world_open(&w, "token", t->script);
    rc = run(&w, t->method, &thing);
    if (t->failure ? rc == 0 || !strstr(w.err.text, t->failure) : rc < 0)
        fail_msg("%s: %d, \"%s\"", t->what, rc, rc < 0 ? w.err.text : "");
    if (t->failure && w.err.code != CHSM_SERVICE)
        fail_msg("%s: code %d", t->what, (int)w.err.code);
    for (; n < SCRIPT_MAX && t->asked[n]; n++)
        if (strncmp(server_request(w.server, n), t->asked[n], strlen(t->asked[n])) != 0)
            fail_msg("%s: request %u is %.80s instead of %s", t->what, n, server_request(w.server, n), t->asked[n]);
    if (server_count(w.server) != n)
        fail_msg("%s: %u requests instead of %u", t->what, server_count(w.server), n);
    if (rc == 0 && strcmp(t->method, "PUT") == 0 && !chsm_json_str(thing, "id"))
        fail_msg("%s: not the resource", t->what);
    json_decref(thing);
    arm_world_close(&w);
}

#define PUT "PUT " PATH " "
#define GET "GET " PATH " "
#define DELETE "DELETE " PATH " "
#define GET_ASYNC "GET /async/1?s=a%2Fb==&t=1 "
#define GET_LOCATION "GET /location/1?s=a%2Fb==&t=1 "

static void styles(void **state)
{
    static const struct trial trials[] = {
        { "done at once", "PUT", { OK(THING("Succeeded")) }, NULL, { PUT } },
        { "provisioningState alone, as recorded", "PUT", { OK(THING("Provisioning")), OK(THING("Provisioning")), OK(THING("Succeeded")) }, NULL,
          { PUT, GET, GET } },
        { "Azure-AsyncOperation alone, then the resource", "PUT",
          { ANSWER("201 Created", ASYNC, THING("Provisioning")), STATUS("InProgress"), STATUS("Succeeded"), OK(THING("Succeeded")) }, NULL,
          { PUT, GET_ASYNC, GET_ASYNC, GET } },
        { "a body that looks settled, and an operation", "PUT",
          { ANSWER("200 OK", ASYNC, THING("Succeeded")), STATUS("Running"), STATUS("Succeeded"), OK(THING("Succeeded")) }, NULL,
          { PUT, GET_ASYNC, GET_ASYNC, GET } },
        { "a resource that settles after its operation", "PATCH",
          { EMPTY("202 Accepted", ASYNC LOCATION), STATUS("Succeeded"), OK(THING("Updating")), OK(THING("Succeeded")) }, NULL,
          { "PATCH " PATH " ", GET_ASYNC, GET, GET } },
        { "Location alone, 202 with an empty body, then the resource", "PUT",
          { EMPTY("202 Accepted", LOCATION), EMPTY("202 Accepted", ""), OK(THING("Succeeded")) }, NULL, { PUT, GET_LOCATION, GET_LOCATION } },
        { "Location that ends empty", "PUT", { EMPTY("202 Accepted", LOCATION), EMPTY("200 OK", ""), OK(THING("Succeeded")) }, NULL,
          { PUT, GET_LOCATION, GET } },
        { "202 without any address", "PUT", { EMPTY("202 Accepted", ""), OK(THING("Succeeded")) }, NULL, { PUT, GET } },
        { "an address that moves", "POST",
          { EMPTY("202 Accepted", LOCATION), EMPTY("202 Accepted", "Location: /moved?x=1\r\n"), EMPTY("202 Accepted", ASYNC), STATUS("Succeeded") },
          NULL, { "POST " PATH " ", GET_LOCATION, "GET /moved?x=1 ", GET_ASYNC } },
        { "the result of a Location has a status of its own", "PUT",
          { EMPTY("202 Accepted", LOCATION), OK("{\"id\":\"/x\",\"type\":\"y\",\"properties\":{\"status\":\"Enabled\"}}") }, NULL,
          { PUT, GET_LOCATION } },
        { "a status that is not known yet", "PUT", { ANSWER("201 Created", ASYNC, ""), GONE, GONE, STATUS("Succeeded"), OK(THING("Succeeded")) },
          NULL, { PUT, GET_ASYNC, GET_ASYNC, GET_ASYNC, GET } },
        { "polls that say nothing", "PUT",
          { ANSWER("201 Created", ASYNC, ""), EMPTY("200 OK", ""), OK("{}"), EMPTY("204 No Content", ""), STATUS("Succeeded"),
            OK(THING("Succeeded")) }, NULL, { PUT, GET_ASYNC, GET_ASYNC, GET_ASYNC, GET_ASYNC, GET } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trials); i++)
        check(&trials[i]);
}

static void deletions(void **state)
{
    static const struct trial trials[] = {
        { "absent", "DELETE", { EMPTY("204 No Content", "") }, NULL, { DELETE } },
        { "not found", "DELETE", { GONE }, NULL, { DELETE } },
        { "by Location, as recorded", "DELETE", { EMPTY("202 Accepted", LOCATION), EMPTY("202 Accepted", LOCATION), EMPTY("200 OK", "") }, NULL,
          { DELETE, GET_LOCATION, GET_LOCATION } },
        { "the status goes with the resource", "DELETE", { EMPTY("202 Accepted", LOCATION), GONE, GONE }, NULL, { DELETE, GET_LOCATION, GET } },
        { "the status goes before the resource", "DELETE",
          { EMPTY("202 Accepted", ASYNC), GONE, OK(THING("Deleting")), OK(THING("Succeeded")), GONE }, NULL, { DELETE, GET_ASYNC, GET, GET, GET } },
        { "no address at all", "DELETE", { EMPTY("202 Accepted", ""), OK(THING("Deleting")), GONE }, NULL, { DELETE, GET, GET } },
        { "a deletion that fails", "DELETE", { EMPTY("202 Accepted", ""), OK(THING("Deleting")), OK(THING("Failed")) }, "ended as Failed",
          { DELETE, GET, GET } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trials); i++)
        check(&trials[i]);
}

/* 200 is no success, and each service keeps its error somewhere else. */
static void failures(void **state)
{
    static const struct trial trials[] = {
        { "200 and Failed", "PUT",
          { ANSWER("201 Created", ASYNC, ""), OK("{\"status\":\"Failed\",\"endTime\":\"2025-01-01T00:00:00Z\",\"error\":{\"code\":\"Quota\","
            "\"message\":\"too many\",\"details\":[{\"code\":\"Inner\",\"message\":\"really\"}]}}") },
          "PUT /subscriptions/x/things/t ended as Failed, Quota: too many; Inner: really", { PUT, GET_ASYNC } },
        { "an end time while it runs", "PUT",
          { ANSWER("201 Created", ASYNC, ""), OK("{\"status\":\"InProgress\",\"endTime\":\"2025-01-01T00:00:00Z\"}"), STATUS("Canceled") },
          "ended as Canceled", { PUT, GET_ASYNC, GET_ASYNC } },
        { "two l's", "POST", { EMPTY("202 Accepted", LOCATION), OK("{\"properties\":{\"status\":\"Cancelled\"}}") }, "ended as Cancelled",
          { "POST " PATH " ", GET_LOCATION } },
        { "an error without a wrapper", "POST",
          { EMPTY("202 Accepted", LOCATION),
            OK("{\"properties\":{\"status\":\"Failed\",\"error\":{\"code\":\"Denied\",\"message\":\"no access\"}}}") },
          "ended as Failed, Denied: no access", { "POST " PATH " ", GET_LOCATION } },
        { "code and message in the body itself", "POST",
          { EMPTY("202 Accepted", ASYNC), OK("{\"status\":\"Failed\",\"code\":\"Bare\",\"message\":\"just so\"}") },
          "ended as Failed, Bare: just so", { "POST " PATH " ", GET_ASYNC } },
        { "a resource that says why", "PUT",
          { OK(THING("Provisioning")), OK("{\"properties\":{\"provisioningState\":\"Failed\",\"statusMessage\":\"no room\"}}") },
          "ended as Failed: no room", { PUT, GET } },
        { "refused", "PUT", { ANSWER("403 Forbidden", "", "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}") },
          "AuthorizationFailed", { PUT } },
        { "a status that may not be read", "PUT",
          { ANSWER("201 Created", ASYNC, ""), ANSWER("403 Forbidden", "", "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}") },
          "was accepted and goes on", { PUT, GET_ASYNC } },
        { "a conflict, perhaps with a try whose answer was lost, is for the caller to judge", "PUT",
          { "", ANSWER("409 Conflict", "", "{\"error\":{\"code\":\"Conflict\",\"message\":\"busy\"}}") }, "HTTP 409 Conflict: busy", { PUT, PUT } },
        { "an address elsewhere", "PUT", { EMPTY("202 Accepted", "Location: https://evil.example/x\r\n") }, "nothing was sent there", { PUT } },
        { "an address that moves elsewhere", "PUT",
          { EMPTY("202 Accepted", LOCATION), EMPTY("202 Accepted", "Location: https://evil.example/x\r\n") }, "nothing was sent there",
          { PUT, GET_LOCATION } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trials); i++)
        check(&trials[i]);
}

/* 4 kB of signature go back as they came, to a front end of the region. */
static void long_addresses(void **state)
{
    AUTO_FREE char *signature = malloc(5001);
    AUTO_FREE char *first = NULL, *asked = NULL;
    const char *script[] = { NULL, OK("{\"properties\":{\"status\":\"Succeeded\"}}"), NULL };
    json_t *ret = NULL;
    struct arm_world w;

    (void)state;
    assert_non_null(signature);
    for (size_t i = 0; i < 5000; i++)
        signature[i] = "aZ09-_~.%2B+/=:@"[i % 16];
    signature[5000] = '\0';
    first = chsm_strf("HTTP/1.1 202 Accepted\r\nLocation: /l?c=%s&s=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", signature);
    asked = chsm_strf("GET /l?c=%s&s=x HTTP/1.1\r\n", signature);
    script[0] = first;
    arm_world_open(&w, "token", script);
    assert_ok(run(&w, "POST", &ret), w.err);
    assert_int_equal(strncmp(server_request(w.server, 1), asked, strlen(asked)), 0);
    json_decref(ret);
    arm_world_close(&w);
    assert_true(chsm_url_within("https://centraluseuap.management.azure.com/l?c=x", "https://management.azure.com"));
    assert_false(chsm_url_within("https://management.azure.com.evil.example/l", "https://management.azure.com"));
}

static void waits_asked_for(void **state)
{
    static const struct { const char *header; long wait; } cases[] = {
        { "Retry-After: 5\r\n", 5 }, { "Retry-After: 0\r\n", 1 }, { "Retry-After: 86400\r\n", 600 }, { "Retry-After: -5\r\n", -1 },
        { "Retry-After: 2.5\r\n", -1 }, { "Retry-After: soon\r\n", -1 }, { "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 1 }, { "", -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *answer = chsm_strf("HTTP/1.1 202 Accepted\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n", cases[i].header);
        const char *const script[] = { answer, NULL };
        AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_LOCATION, .url = strdup(PATH), .wait = 7 };
        struct arm_world w;

        arm_world_open(&w, "token", script);
        {
            struct chsm_poll p = { .arm = &w.arm, .deadline = chsm_deadline_in(20000) };

            assert_ok(chsm_poll_once(&p, &l, NULL, &w.err), w.err);
        }
        if (l.wait != cases[i].wait)
            fail_msg("%s: %ld", cases[i].header, l.wait);
        arm_world_close(&w);
    }
}

/* An outage that lasts ends the wait, and the error says that the operation does not end with it. */
static void patience_ends(void **state)
{
    static const struct chsm_err outage = { .code = CHSM_SERVICE }, refused = { .code = CHSM_AUTH, .http = 400 }, unreachable = { .code = CHSM_AUTH };
    struct chsm_arm arm = { .poll_interval = 10 };
    struct chsm_poll p = { .arm = &arm };
    unsigned n = 0;

    (void)state;
    while (chsm_poll_patient(&p, &outage, 503, false) && n < 1000) {
        assert_int_equal(chsm_sleep(10, 0, NULL), 0);
        n++;
    }
    assert_in_range(n, CHSM_POLL_FAILURES_MAX - 1, 40);
    p.failures = 0;
    assert_true(chsm_poll_patient(&p, &outage, 0, false));
    assert_true(chsm_poll_patient(&p, &outage, 200, false));            /* an answer that says nothing */
    assert_true(chsm_poll_patient(&p, &unreachable, 0, false));
    p.unseen = true;
    assert_true(chsm_poll_patient(&p, &outage, 404, false));
    p.unseen = false;
    assert_false(chsm_poll_patient(&p, &outage, 404, false));
    assert_false(chsm_poll_patient(&p, &outage, 403, false));
    assert_false(chsm_poll_patient(&p, &outage, 0, true));
    assert_false(chsm_poll_patient(&p, &refused, 0, false));
    assert_false(chsm_poll_patient(&p, &(struct chsm_err){ .code = CHSM_INTERRUPTED }, 0, false));
    p.once = true;
    assert_false(chsm_poll_patient(&p, &outage, 503, false));
}

static void expired_in_mid_poll(void **state)
{
    static const char *const script[] = { TOKEN("first"), EMPTY("202 Accepted", LOCATION),
                                          ANSWER("401 Unauthorized", "", "{\"error\":{\"code\":\"ExpiredAuthenticationToken\",\"message\":\"x\"}}"),
                                          TOKEN("second"), OK(THING("Succeeded")), NULL };
    json_t *thing = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(run(&w, "PUT", &thing), w.err);
    assert_contains(server_request(w.server, 4), "Authorization: Bearer second\r\n");
    json_decref(thing);
    arm_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(styles), cmocka_unit_test(deletions), cmocka_unit_test(failures),
        cmocka_unit_test(long_addresses), cmocka_unit_test(waits_asked_for), cmocka_unit_test(patience_ends),
        cmocka_unit_test(expired_in_mid_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
