/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange that all services share, with a service of its own: headers, ids, errors, where a token may go. */
#include "config.h"

#include "tests/unit/azure_world.h"

#define BUSY ANSWER("503 Busy", "Retry-After: 0\r\nx-ms-request-id: rid-503\r\n", "")

static char explained[4096];

/* Says less than the services' own do, and at length. */
static int explain(const struct chsm_response *r, const char *method, const char *url, struct chsm_err *err)
{
    (void)chsm_fail(err, CHSM_SERVICE, "%s %s: %s", method, strrchr(url, '/'), explained);
    err->http = r->status;
    return -1;
}

static struct chsm_channel channel_of(struct arm_world *w)
{
    static const char *const headers[] = { "x-ms-version: 2021-12-02", NULL };

    return (struct chsm_channel){ .http = w->arm.http, .credential = w->arm.credential, .resource = "https://storage.test",
                                  .base = w->arm.cloud.resource_manager, .correlation = w->arm.correlation, .headers = headers,
                                  .explain = explain };
}

static void everything_is_sent(void **state)
{
    static const char *const script[] = { ANSWER("201 Created", "", ""), NULL };
    static const char *const mine[] = { "x-ms-blob-type: BlockBlob", NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO_FREE char *correlation = NULL, *client = NULL;
    struct chsm_channel c;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    c = channel_of(&w);
    assert_ok(chsm_send(&c, &(struct chsm_message){ .method = "PUT", .url = "/c/b?comp=x", .content_type = "text/plain", .body = "abc",
                        .body_len = 3, .headers = mine }, 0, &r, &w.err), w.err);
    assert_int_equal(r.status, 201);
    correlation = chsm_strf("\r\nx-ms-correlation-request-id: %s\r\n", w.arm.correlation);
    client = chsm_strf("\r\nx-ms-client-request-id: %s\r\n", w.arm.correlation);
    assert_int_equal(strlen(w.arm.correlation), 36);
    assert_contains(server_request(w.server, 0), "PUT /c/b?comp=x HTTP/1.1\r\n");
    assert_contains(server_request(w.server, 0), correlation);
    assert_contains(server_request(w.server, 0), client);
    assert_contains(server_request(w.server, 0), "\r\nx-ms-version: 2021-12-02\r\n");
    assert_contains(server_request(w.server, 0), "\r\nx-ms-blob-type: BlockBlob\r\n");
    assert_contains(server_request(w.server, 0), "\r\nAuthorization: Bearer s3cret\r\n");
    assert_contains(server_request(w.server, 0), "\r\n\r\nabc");
    arm_world_close(&w);
}

/* The same id in every try; the ids of the last answer in the error, however long that is. */
static void ids_are_in_every_error(void **state)
{
    static const char *const script[] = { BUSY, BUSY, ANSWER("409 No", "x-ms-request-id: rid-409\r\nx-ms-correlation-request-id: cid-409\r\n", ""),
                                          "", NULL };
    static const size_t lengths[] = { 10, sizeof explained - 1 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        struct chsm_channel c;
        struct arm_world w;

        memset(explained, 'x', sizeof explained);
        explained[lengths[i]] = '\0';
        arm_world_open(&w, "token", script);
        c = channel_of(&w);
        assert_fails(chsm_send(&c, &(struct chsm_message){ .method = "GET", .url = "/x" }, 0, &r, &w.err), CHSM_SERVICE, w.err);
        assert_int_equal(w.err.http, 409);
        assert_contains(w.err.text, "(request id rid-409, correlation id cid-409)");
        for (unsigned k = 0; k < 3; k++)
            assert_contains(server_request(w.server, k), w.arm.correlation);
        chsm_response_done(&r);
        assert_fails(chsm_send(&c, &(struct chsm_message){ .method = "POST", .url = "/x", .repeat = CHSM_REPEAT_START }, 0, &r, &w.err),
                     CHSM_SERVICE, w.err);
        assert_true(r.sent);
        assert_int_equal(r.status, 0);
        assert_contains(w.err.text, w.arm.correlation);     /* lost, but it may have arrived */
        arm_world_close(&w);
    }
}

/* What was never sent has no id that anybody could look for. */
static void nothing_sent_nothing_to_look_for(void **state)
{
    static const char *const script[] = { NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_channel c;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    c = channel_of(&w);
    c.base = "https://localhost:1";
    assert_fails(chsm_send(&c, &(struct chsm_message){ .method = "POST", .url = "/x", .repeat = CHSM_REPEAT_START }, chsm_deadline_in(300), &r,
                           &w.err), CHSM_DEADLINE, w.err);
    assert_false(r.sent);
    assert_lacks(w.err.text, "correlation id");
    arm_world_close(&w);
}

static void token_stays_with_its_service(void **state)
{
    static const char *const away[] = { "https://localhost/x", "http://localhost/x", "https://management.azure.com/", "" };
    static const char *const script[] = { NULL };
    struct chsm_channel c;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    c = channel_of(&w);
    c.base = "https://account.blob.test";
    for (size_t i = 0; i < ARRAY_LEN(away); i++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        struct chsm_err err = { 0 };

        assert_fails(chsm_send(&c, &(struct chsm_message){ .method = "GET", .url = away[i] }, 0, &r, &err), CHSM_SERVICE, err);
        assert_contains(err.text, "nothing was sent there");
    }
    assert_int_equal(server_count(w.server), 0);
    arm_world_close(&w);
}

static void too_many_headers(void **state)
{
    static const char *const script[] = { NULL };
    const char *many[40] = { NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_channel c;
    struct arm_world w;

    (void)state;
    for (size_t i = 0; i + 1 < ARRAY_LEN(many); i++)
        many[i] = "A: b";
    arm_world_open(&w, "token", script);
    c = channel_of(&w);
    assert_fails(chsm_send(&c, &(struct chsm_message){ .method = "GET", .url = "/x", .headers = many }, 0, &r, &w.err), CHSM_SERVICE, w.err);
    assert_int_equal(server_count(w.server), 0);
    arm_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_sent), cmocka_unit_test(ids_are_in_every_error), cmocka_unit_test(nothing_sent_nothing_to_look_for),
        cmocka_unit_test(token_stays_with_its_service), cmocka_unit_test(too_many_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
