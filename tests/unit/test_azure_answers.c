/* SPDX-License-Identifier: Apache-2.0 */
/* What the service's error answers, its metadata and its token answers are read as. */
#include "config.h"

#include "tests/unit/check.h"

#include "azure/arm.h"
#include "azure/credential_kind.h"

static void say(struct chsm_response *r, long status, const char *body)
{
    chsm_response_done(r);
    r->status = status;
    r->body.max = 1u << 20;
    if (body && chsm_buf_adds(&r->body, body, NULL) < 0)
        abort();
}

static void envelope(void **state)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    say(&r, 403,
        "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client\\nhas no right\",\"details\":[{\"code\":\"Inner\","
                 "\"message\":\"deep\",\"details\":[{\"code\":\"Deeper\",\"message\":\"still\"}]}],\"additionalInfo\":[{\"type\":"
                 "\"PolicyViolation\",\"info\":{\"policyDefinitionDisplayName\":\"No HSMs\",\"policyAssignmentId\":\"/p/1\"}}]}}");
    r.request_id = strdup("rid-1");
    r.correlation_id = strdup("cid-1");
    assert_fails(chsm_arm_error(&r, "PUT", "https://management.azure.com/x?api-version=1&s=sssecret", &err), CHSM_SERVICE, err);
    assert_int_equal(err.http, 403);
    assert_string_equal(err.service_code, "AuthorizationFailed");
    assert_contains(err.text, "PUT https://management.azure.com/x?api-version=1");
    assert_contains(err.text, "HTTP 403 AuthorizationFailed: The client has no right");
    assert_contains(err.text, "Inner: deep");
    assert_contains(err.text, "Deeper: still");
    assert_contains(err.text, "\"No HSMs\" assigned by /p/1");
    assert_contains(err.text, "rid-1");
    assert_contains(err.text, "cid-1");
    assert_contains(err.hint, "role");
    assert_lacks(err.text, "sssecret");
}

static void other_shapes(void **state)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    say(&r, 409, "{\"error\":{\"code\":\"Conflict\\u001b[2J\\nbad\",\"message\":\"x\"}}");
    assert_fails(chsm_arm_error(&r, "GET", "https://x/", &err), CHSM_SERVICE, err);
    assert_null(strpbrk(err.text, "\n\x1b"));
    assert_null(strpbrk(err.service_code, "\n\x1b"));
    say(&r, 401, "{\"error\":{\"code\":\"ExpiredAuthenticationToken\",\"message\":\"expired\"}}");
    assert_fails(chsm_arm_error(&r, "GET", "https://x/", &err), CHSM_AUTH, err);
    assert_contains(err.hint, "sign in again");
    say(&r, 409, "{\"code\":\"Conflict\",\"message\":\"busy\",\"innererror\":{\"code\":\"HsmBusy\",\"message\":\"later\"}}");
    assert_fails(chsm_arm_error(&r, "POST", "https://x/", &err), CHSM_SERVICE, err);
    assert_string_equal(err.service_code, "Conflict");
    assert_contains(err.text, "HsmBusy: later");
    say(&r, 502, "<html>bad gateway</html>");
    assert_fails(chsm_arm_error(&r, "GET", "https://x/", &err), CHSM_SERVICE, err);
    assert_int_equal(err.http, 502);
    assert_string_equal(err.service_code, "");
    assert_lacks(err.text, "html");
    say(&r, 500, NULL);
    r.error_code = strdup("FromHeader");
    assert_fails(chsm_arm_error(&r, "GET", "https://x/", &err), CHSM_SERVICE, err);
    assert_string_equal(err.service_code, "FromHeader");
    assert_int_equal(chsm_arm_error(&r, "GET", "https://x/", NULL), -1);
}

static void endless_error(void **state)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_err err = { 0 };
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);

    (void)state;
    for (int i = 0; i < 200; i++)
        assert_int_equal(chsm_buf_adds(&text, "{\"code\":\"C\",\"message\":\"m\",\"details\":[", NULL), 0);
    assert_int_equal(chsm_buf_adds(&text, "{}", NULL), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(chsm_buf_adds(&text, "]}", NULL), 0);
    say(&r, 400, chsm_buf_str(&text));
    assert_fails(chsm_arm_error(&r, "GET", "https://x/", &err), CHSM_SERVICE, err);
}

static void ids(void **state)
{
    (void)state;
    assert_true(chsm_arm_id_eq("/subscriptions/A/resourcegroups/rg", "/Subscriptions/a/resourceGroups/RG/"));
    assert_false(chsm_arm_id_eq("/subscriptions/A", "/subscriptions/AB"));
    assert_false(chsm_arm_id_eq(NULL, NULL));
    assert_false(chsm_arm_id_eq("", ""));
}

#define META(name, rm, login) "{\"name\":\"" name "\",\"resourceManager\":\"" rm "\",\"authentication\":{\"loginEndpoint\":\"" login \
    "\",\"audiences\":[\"https://management.core.windows.net/\",\"" rm "\"]},\"suffixes\":{\"storage\":\"core.example\"}}"

static int cloud(const char *text, const char *name, const char *url, struct chsm_cloud *c, struct chsm_err *err)
{
    json_auto_t *j = json_loads(text, 0, NULL);

    assert_non_null(j);
    return chsm_cloud_read(j, name, url, c, err);
}

static void metadata(void **state)
{
    static const char array[] = "[" META("AzureCloud", "https://management.azure.com/", "https://login.windows.net/") ","
                                META("Mine", "https://localhost:4433/", "https://localhost:4434/") "]";
    AUTO(chsm_cloud_done) struct chsm_cloud c = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(cloud(META("Sim", "https://localhost:1/", "https://localhost:2//"), NULL, "https://localhost:1/metadata", &c, &err),
              err);
    assert_string_equal(c.resource_manager, "https://localhost:1");
    assert_string_equal(c.authority, "https://localhost:2");
    assert_string_equal(c.arm_resource, "https://management.core.windows.net");
    assert_string_equal(c.storage_suffix, "core.example");
    chsm_cloud_done(&c);
    assert_ok(cloud(array, NULL, "https://localhost:4433/metadata/endpoints", &c, &err), err);
    assert_string_equal(c.name, "Mine");
    chsm_cloud_done(&c);
    assert_ok(cloud(array, "azurecloud", "https://x/", &c, &err), err);
    assert_string_equal(c.authority, "https://login.microsoftonline.com");  /* the old name is not used */
    chsm_cloud_done(&c);
    assert_fails(cloud(array, "Other", "https://x/", &c, &err), CHSM_CONFIG, err);
    assert_fails(cloud("[]", NULL, "https://x/", &c, &err), CHSM_CONFIG, err);
    assert_fails(cloud(META("Sim", "http://localhost:1/", "https://localhost:2/"), NULL, "https://x/", &c, &err), CHSM_CONFIG,
                 err);
    assert_fails(cloud(META("Sim", "https://localhost:1/", "http://evil/"), NULL, "https://x/", &c, &err), CHSM_CONFIG, err);
    assert_fails(cloud("{\"galleryEndpoint\":\"https://x\"}", NULL, "https://x/", &c, &err), CHSM_CONFIG, err);
}

static int64_t life(const char *text)
{
    json_auto_t *j = json_loads(text, 0, NULL);

    assert_non_null(j);
    return chsm_token_life(j, /* now= */ 1000000);
}

static void token_life(void **state)
{
    (void)state;
    assert_int_equal(life("{\"expires_in\":3599}"), 3599000);
    assert_int_equal(life("{\"expires_in\":\"86399\"}"), 86399000);
    assert_int_equal(life("{\"expires_on\":\"1600\",\"expires_in\":\"5\"}"), 600000);
    assert_int_equal(life("{\"expires_on\":1600}"), 600000);
    assert_int_equal(life("{\"expires_on\":\"1970-01-01T00:26:40Z\"}"), 600000);
    assert_int_equal(life("{\"expires_on\":\"900\"}"), 0);
    assert_int_equal(life("{\"expires_in\":\"+5\"}"), 0);
    assert_int_equal(life("{\"expires_in\":\"5s\"}"), 0);
    assert_int_equal(life("{\"expires_in\":-5}"), 0);
    assert_int_equal(life("{\"expires_in\":1e300}"), 0);
    assert_int_equal(life("{}"), 0);
}

static void token_answers(void **state)
{
    static const char *const bad[] = { "{}", "{\"access_token\":\"\"}", "{\"access_token\":7}", "{\"access_token\":\"a b\"}",
                                       "not json",
                                       "{\"access_token\":\"a\\r\\nX: y\"}", "{\"access_token\":\"a\",\"token_type\":\"MAC\"}" };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_token t = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    say(&r, 200, "{\"access_token\":\"t0ken\",\"token_type\":\"Bearer\",\"expires_in\":60}");
    assert_ok(chsm_token_read(&r, &t, &err), err);
    assert_string_equal(t.value.p, "t0ken");
    assert_int_equal(t.life, 60000);
    chsm_secret_done(&t.value);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        say(&r, 200, bad[i]);
        assert_fails(chsm_token_read(&r, &t, &err), CHSM_AUTH, err);
    }
}

static void token_errors(void **state)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_secret secret = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_secret_set(&secret, "hunter2!", 8, &err), err);
    say(&r, 401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret hunter2! provided.\\r\\nTrace ID: "
                 "x\\r\\n\",\"trace_id\":\"tid-1\",\"correlation_id\":\"cid-1\"}");
    assert_fails(chsm_token_refused(&r, "https://login/", &secret, &err), CHSM_AUTH, err);
    assert_string_equal(err.service_code, "invalid_client");
    assert_int_equal(err.http, 401);
    assert_contains(err.text, "AADSTS7000215: Invalid client secret");
    assert_contains(err.text, "tid-1");
    assert_contains(err.text, "cid-1");
    assert_contains(err.hint, "secret is wrong");
    assert_lacks(err.text, "hunter2!");
    assert_lacks(err.text, "Trace ID:");
    say(&r, 400, "{\"error\":{\"code\":\"X\",\"message\":\"from App Service\"}}");
    assert_fails(chsm_token_refused(&r, "imds", NULL, &err), CHSM_AUTH, err);
    assert_contains(err.text, "X: from App Service");
    say(&r, 400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}");
    assert_fails(chsm_token_refused(&r, "imds", NULL, &err), CHSM_AUTH, err);
    assert_contains(err.hint, "AZURE_CLIENT_ID");
    say(&r, 502, "<html>");
    assert_fails(chsm_token_refused(&r, "imds", NULL, &err), CHSM_AUTH, err);
    chsm_secret_done(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope), cmocka_unit_test(other_shapes), cmocka_unit_test(endless_error), cmocka_unit_test(ids),
        cmocka_unit_test(metadata), cmocka_unit_test(token_life), cmocka_unit_test(token_answers), cmocka_unit_test(token_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
