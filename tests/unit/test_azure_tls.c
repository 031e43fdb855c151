/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that are not who they should be, or speak too old a TLS: refused by name, and not one byte is sent to them. */
#include "config.h"

#include "tests/unit/azure_world.h"

static const struct { enum server_tls tls; const char *text, *hint; } flaws[] = {
    { SERVER_EXPIRED, "certificate has expired", "clock" },
    { SERVER_NOT_YET, "certificate is not valid yet", "clock" },
    { SERVER_WRONG_HOST, "certificate is for another host", "check the address" },
    { SERVER_SELF_SIGNED, "it is self-signed", "--ca-file" },
    { SERVER_UNKNOWN_CA, "its CA is unknown here", "--ca-file" },
    { SERVER_TLS_1_1, "does not speak TLS 1.2 or newer", "TLS 1.0 and 1.1 are not used" },
};
static const char *const script[] = { ANSWER("200 OK", "", "{}"), NULL };

static struct chsm_http *gate(struct server *s)
{
    struct chsm_http *h = NULL;
    struct chsm_err err;

    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = server_ca(s), .timeout = 5000 }, &h, &err), err);
    return h;
}

static void check(size_t i, struct server *s, const struct chsm_err *err)
{
    assert_contains(err->text, flaws[i].text);
    assert_contains(err->text, "nothing was sent");
    assert_contains(err->hint, flaws[i].hint);
    assert_int_equal(server_bytes(s), 0);
    assert_int_equal(server_connections(s), 1);     /* asking again would change nothing */
}

/* Each service with each kind of request: what would be the most to lose is a start with a token. */
static void resource_manager(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flaws); i++)
        for (int start = 0; start < 2; start++) {
            AUTO_RESPONSE struct chsm_response r = { 0 };
            json_auto_t *body = json_pack("{s:s}", "a", "b");
            struct arm_world w;

            arm_world_open_tls(&w, flaws[i].tls, "token", script);
            assert_fails(chsm_arm_do(&w.arm, start ? "POST" : "GET", "/x", start ? body : NULL,
                                     start ? CHSM_REPEAT_START : CHSM_REPEAT_SAFE, 0, &r, NULL, &w.err), CHSM_SERVICE, w.err);
            assert_false(r.sent);
            check(i, w.server, &w.err);
            arm_world_close(&w);
        }
}

static void sign_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flaws); i++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        struct arm_world w;

        arm_world_open_tls(&w, flaws[i].tls, "environment", script);
        assert_fails(chsm_arm_do(&w.arm, "GET", "/x", NULL, CHSM_REPEAT_SAFE, 0, &r, NULL, &w.err), CHSM_AUTH, w.err);
        check(i, w.server, &w.err);
        arm_world_close(&w);
    }
}

static void cloud_metadata(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flaws); i++) {
        struct server *s = server_new_tls(flaws[i].tls, script);
        struct chsm_http *h = gate(s);
        struct chsm_cloud cloud;
        struct chsm_err err;

        setenv("ARM_CLOUD_METADATA_URL", server_url(s), 1);
        assert_fails(chsm_cloud_find(NULL, h, &cloud, &err), CHSM_CONFIG, err);
        check(i, s, &err);
        chsm_http_free(h);
        server_free(s);
    }
    unsetenv("ARM_CLOUD_METADATA_URL");
}

/* The other direction: a client that wants TLS finds plain HTTP. */
static void no_tls_at_all(void **state)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO_FREE char *url = NULL;
    struct server *s = server_new(/* tls= */ false, script);
    struct chsm_http *h = gate(s);
    struct chsm_err err;

    (void)state;
    url = chsm_strf("https%s/", server_url(s) + 4);
    assert_fails(chsm_http_do(h, &(struct chsm_request){ .method = "POST", .url = url, .body = "x", .body_len = 1 }, &r, &err),
                 CHSM_SERVICE, err);
    assert_contains(err.text, "nothing was sent");
    assert_false(r.sent);
    assert_lacks(server_request(s, 0), "POST");
    chsm_http_free(h);
    server_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resource_manager), cmocka_unit_test(sign_in), cmocka_unit_test(cloud_metadata),
        cmocka_unit_test(no_tls_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
