/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the resource manager: where the token goes, what is repeated, how a token that expires is survived. */
#include "config.h"

#include "azure/credential_kind.h"
#include "azure/lro.h"
#include "tests/unit/azure_world.h"

#define GET(w, path, r) chsm_arm_do(&(w)->arm, "GET", (path), NULL, CHSM_REPEAT_SAFE, 0, (r), NULL, &(w)->err)
#define E401 ANSWER("401 Unauthorized", "", "{\"error\":{\"code\":\"ExpiredAuthenticationToken\",\"message\":\"expired\"}}")

static void client_secret(void **state)
{
    static const char *const script[] = { TOKEN("t1"), ANSWER("200 OK", "", "{\"a\":1}"), ANSWER("200 OK", "", "{\"a\":2}"),
                                          NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *body = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(chsm_arm_do(&w.arm, "GET", "/x?api-version=1", NULL, CHSM_REPEAT_SAFE, 0, &r, &body, &w.err), w.err);
    assert_int_equal(json_integer_value(json_object_get(body, "a")), 1);
    chsm_response_done(&r);
    assert_ok(GET(&w, "/y", &r), w.err);
    assert_contains(server_request(w.server, 0), "POST /tenant-1/oauth2/v2.0/token HTTP/1.1\r\n");
    assert_contains(server_request(w.server, 0),
                    "grant_type=client_credentials&client_id=client-1&scope=https%3A%2F%2Fmanagement.test%2F.default"
                    "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D%7D%7D%7D"
                    "&client_secret=p%2Bw%3D%26");
    assert_lacks(server_request(w.server, 0), "Authorization");
    assert_contains(server_request(w.server, 1), "Authorization: Bearer t1\r\n");
    assert_contains(server_request(w.server, 2), "Authorization: Bearer t1\r\n");   /* from the cache */
    assert_int_equal(server_count(w.server), 3);
    arm_world_close(&w);
}

static void wrong_secret(void **state)
{
    static const char *const script[] = {
        ANSWER("401 Unauthorized", "",
               "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret\"}"), NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_fails(GET(&w, "/x", &r), CHSM_AUTH, w.err);
    assert_contains(w.err.text, "AADSTS7000215");
    assert_lacks(w.err.text, "p+w=&");
    assert_int_equal(server_count(w.server), 1);
    assert_false(r.sent);
    arm_world_close(&w);
}

static void token_stays_at_home(void **state)
{
    static const char *const away[] = {
        "https://management.azure.com/x", "https://evil.localhost.net/x", "http://localhost/x", "https://u@localhost/x", "x", "",
    };
    static const char *const script[] = { NULL };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    for (size_t i = 0; i < ARRAY_LEN(away); i++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };

        assert_fails(GET(&w, away[i], &r), CHSM_SERVICE, w.err);
        assert_contains(w.err.text, "nothing was sent");
        assert_false(r.sent);
    }
    assert_int_equal(server_count(w.server), 0);    /* not even a token was asked for */
    arm_world_close(&w);
}

static void expired_token_is_renewed_once(void **state)
{
    static const char *const script[] = { TOKEN("t1"), E401, TOKEN("t2"), ANSWER("200 OK", "", "{}"), E401, TOKEN("t3"), E401,
                                          NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(GET(&w, "/x", &r), w.err);
    assert_contains(server_request(w.server, 3), "Authorization: Bearer t2\r\n");
    chsm_response_done(&r);
    assert_fails(GET(&w, "/x", &r), CHSM_AUTH, w.err);
    assert_string_equal(w.err.service_code, "ExpiredAuthenticationToken");
    assert_int_equal(server_count(w.server), 7);
    arm_world_close(&w);
}

static void static_token_cannot_be_renewed(void **state)
{
    static const char *const script[] = { E401, NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(GET(&w, "/x", &r), CHSM_AUTH, w.err);
    assert_contains(w.err.text, "AZURE_ACCESS_TOKEN");
    assert_lacks(w.err.text, "s3cret");
    assert_int_equal(server_count(w.server), 1);
    arm_world_close(&w);
}

static void throttling_is_obeyed(void **state)
{
    static const char *const script[] = { ANSWER("429 Too Many Requests", "Retry-After: 1\r\n", ""), ANSWER("200 OK", "", "{}"),
                                          ANSWER("429 Too Many Requests", "Retry-After: 60\r\n", ""), NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct arm_world w;
    int64_t began = chsm_mono();

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(GET(&w, "/x", &r), w.err);
    assert_true(chsm_mono() - began >= 1000);
    chsm_response_done(&r);
    began = chsm_mono();
    assert_fails(chsm_arm_do(&w.arm, "GET", "/x", NULL, CHSM_REPEAT_SAFE, chsm_deadline_in(3000), &r, NULL, &w.err),
                 CHSM_DEADLINE, w.err);
    assert_true(chsm_mono() - began < 2500);    /* a wait that cannot end in time is not begun */
    assert_contains(w.err.text, "HTTP 429");
    arm_world_close(&w);
}

/* A GET is repeated; a request that starts a job is not, whatever cut its answer off. */
static void lost_answers(void **state)
{
    static const char *const script[] = { "", ANSWER("200 OK", "", "{}"), "",
                                          "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nx",
                                          ANSWER("503 Busy", "Retry-After: 1\r\n", ""), ANSWER("504 Late", "", ""), NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(GET(&w, "/x", &r), w.err);
    assert_int_equal(server_count(w.server), 2);
    for (unsigned i = 3; i <= 6; i++) {
        chsm_response_done(&r);
        assert_fails(chsm_arm_do(&w.arm, "POST", "/backup", NULL, CHSM_REPEAT_START, 0, &r, NULL, &w.err), CHSM_SERVICE, w.err);
        assert_true(r.sent);
        assert_int_equal(server_count(w.server), i);
    }
    arm_world_close(&w);
}

static void bad_json(void **state)
{
    static const char *const script[] = { ANSWER("200 OK", "", "{\"properties\":{\"status\":\"Succ"), NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_t *body = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(chsm_arm_do(&w.arm, "GET", "/x", NULL, CHSM_REPEAT_SAFE, 0, &r, &body, &w.err), CHSM_SERVICE, w.err);
    assert_null(body);
    arm_world_close(&w);
}

static void lists(void **state)
{
    const char *script[] = { NULL, ANSWER("200 OK", "", "{\"value\":[{\"n\":2}],\"nextLink\":null}"),
                             ANSWER("200 OK", "", "{\"value\":[],\"nextLink\":\"https://evil.example/x\"}"), ANSWER("200 OK", "",
                                                                                                                    "{}"),
                             ANSWER("200 OK", "", "{\"value\":[{\"n\":1}],\"nextLink\":{\"href\":\"/more\"}}"), NULL };
    struct arm_world w;
    json_t *all = NULL;
    char *first;

    (void)state;
    arm_world_open(&w, "token", script);
    first = chsm_strf(ANSWER("200 OK", "", "{\"value\":[{\"n\":1}],\"nextLink\":\"%s/p?$skiptoken=a%%%%3D\"}"),
                      server_url(w.server));
    script[0] = first;
    assert_ok(chsm_arm_list(&w.arm, "/list", 0, &all, &w.err), w.err);
    assert_int_equal(json_array_size(all), 2);
    json_decref(all);
    assert_contains(server_request(w.server, 1), "GET /p?$skiptoken=a%%3D HTTP/1.1\r\n");
    assert_fails(chsm_arm_list(&w.arm, "/list", 0, &all, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "nothing was sent");
    assert_fails(chsm_arm_list(&w.arm, "/list", 0, &all, &w.err), CHSM_SERVICE, w.err);
    assert_fails(chsm_arm_list(&w.arm, "/list", 0, &all, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "the list goes on");
    arm_world_close(&w);
    free(first);
}

static void watch(void *ctx, const struct chsm_lro *l, int64_t elapsed)
{
    (void)l;
    assert_true(elapsed >= 0);
    ++*(unsigned *)ctx;
}

/* The token runs out in the middle of polling, and the end is still learnt. */
static void operation_outlives_a_token(void **state)
{
    static const char *const script[] = { TOKEN("t1"), ANSWER("202 Accepted", "", ""), E401, TOKEN("t2"),
                                          ANSWER("200 OK", "", "{\"status\":\"InProgress\"}"), ANSWER("200 OK", "", "{\"status\":\"Succeeded\"}"), NULL };
    AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_LOCATION, .url = strdup("/op"), .wait = -1 };
    unsigned waits = 0;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(chsm_lro_wait(&w.arm, &l, chsm_deadline_in(20000), watch, &waits, &w.err), w.err);
    assert_int_equal(l.state, CHSM_LRO_SUCCEEDED);
    assert_int_equal(waits, 3);
    assert_contains(server_request(w.server, 5), "Bearer t2");
    arm_world_close(&w);
}

static void operation_that_moves_away(void **state)
{
    static const char *const script[] = { ANSWER("202 Accepted", "Location: https://evil.example/op\r\n", ""), NULL };
    AUTO(chsm_lro_done) struct chsm_lro l = { .style = CHSM_LRO_LOCATION, .url = strdup("/op"), .wait = -1 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(chsm_lro_wait(&w.arm, &l, 0, NULL, NULL, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "https://evil.example");
    assert_int_equal(server_count(w.server), 1);
    arm_world_close(&w);
}

static void metadata_service(void **state)
{
    static const char *const script[] = { ANSWER("200 OK", "",
                                                 "{\"access_token\":\"mi\",\"expires_in\":\"86399\",\"token_type\":\"Bearer\"}"),
                                          ANSWER("400 Bad Request", "",
                                                 "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}"),
                                          NULL };
    struct chsm_cloud cloud = { .authority = (char *)(uintptr_t)"https://x" };
    struct server *s = server_new(/* tls= */ false, script);
    const struct chsm_secret *token = NULL;
    struct chsm_credential *c = NULL;
    struct chsm_http *http = NULL;
    struct chsm_err err;

    (void)state;
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server_url(s), 1);
    setenv("AZURE_CLIENT_ID", "client 1", 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &http, &err), err);
    assert_ok(chsm_credential_new("managed-identity", http, &cloud, &c, &err), err);
    assert_ok(chsm_credential_token(c, "https://management.azure.com", false, &token, &err), err);
    assert_string_equal(token->p, "mi");
    assert_contains(server_request(s, 0),
                    "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com"
                                          "&client_id=client%201 HTTP/1.1\r\n");
    assert_contains(server_request(s, 0), "\r\nMetadata: true\r\n");
    assert_fails(chsm_credential_token(c, "https://other", false, &token, &err), CHSM_AUTH, err);
    assert_contains(err.text, "Identity not found");
    assert_int_equal(server_count(s), 2);
    chsm_credential_free(c);
    chsm_http_free(http);
    server_free(s);
    unsetenv("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    unsetenv("http_proxy");
}

static void choosing(void **state)
{
    struct chsm_cloud cloud = { .authority = (char *)(uintptr_t)"https://x" }, plain = { .authority = (char *)(uintptr_t)"http://x" };
    struct chsm_credential *c = NULL;
    struct chsm_err err;

    (void)state;
    setenv("AZURE_ACCESS_TOKEN", "t", 1);
    setenv("AZURE_TENANT_ID", "t", 1);
    setenv("AZURE_CLIENT_ID", "c", 1);
    setenv("AZURE_CLIENT_SECRET", "s", 1);
    assert_ok(chsm_credential_new(NULL, NULL, &cloud, &c, &err), err);
    assert_string_equal(chsm_credential_source(c), "token");
    chsm_credential_free(c);
    unsetenv("AZURE_ACCESS_TOKEN");
    assert_ok(chsm_credential_new(NULL, NULL, &cloud, &c, &err), err);
    assert_string_equal(chsm_credential_source(c), "environment");
    chsm_credential_free(c);
    assert_fails(chsm_credential_new("environment", NULL, &plain, &c, &err), CHSM_CONFIG, err);
    setenv("AZURE_TENANT_ID", "../evil", 1);
    assert_fails(chsm_credential_new(NULL, NULL, &cloud, &c, &err), CHSM_CONFIG, err);
    unsetenv("AZURE_TENANT_ID");
    setenv("PATH", "relative:", 1);
    assert_fails(chsm_credential_new("dev", NULL, &cloud, &c, &err), CHSM_AUTH, err);
    assert_contains(err.text, "azure-cli: az is not installed");
    assert_contains(err.text, "azure-developer-cli: azd is not installed");
    assert_fails(chsm_credential_new("magic", NULL, &cloud, &c, &err), CHSM_CONFIG, err);
    setenv("AZURE_ACCESS_TOKEN", "a\nb", 1);
    assert_fails(chsm_credential_new(NULL, NULL, &cloud, &c, &err), CHSM_CONFIG, err);
    unsetenv("AZURE_ACCESS_TOKEN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_secret), cmocka_unit_test(wrong_secret), cmocka_unit_test(token_stays_at_home),
        cmocka_unit_test(expired_token_is_renewed_once), cmocka_unit_test(static_token_cannot_be_renewed),
        cmocka_unit_test(throttling_is_obeyed), cmocka_unit_test(lost_answers), cmocka_unit_test(bad_json), cmocka_unit_test(lists),
        cmocka_unit_test(operation_outlives_a_token), cmocka_unit_test(operation_that_moves_away), cmocka_unit_test(metadata_service),
        cmocka_unit_test(choosing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
