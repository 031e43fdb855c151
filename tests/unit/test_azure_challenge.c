/* SPDX-License-Identifier: Apache-2.0 */
/* What WWW-Authenticate is read as, and which vault may have a token; files of other clouds. */
#include "tests/unit/check.h"

#include <jansson.h>

#include "azure/challenge.h"
#include "azure/clouds.h"

#define ARM_401 "Bearer authorization_uri=\"https://login.windows.net/t\", error=\"invalid_token\", error_description=\"a, \\\"b\\\" = c\""

static void parser(void **state)
{
    AUTO_CHALLENGES struct chsm_challenges all = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_challenges_parse(ARM_401, &all, &err), err);
    assert_int_equal(all.n, 1);
    assert_string_equal(all.one[0].scheme, "bearer");
    assert_int_equal(all.one[0].params, 3);
    assert_string_equal(chsm_challenge_get(&all.one[0], "error_description"), "a, \"b\" = c");
    chsm_challenges_done(&all);
    assert_ok(chsm_challenges_parse("Negotiate YWJj==, BASIC Realm = bare , PoP  a=1 b=\"2\"  , ,NTLM", &all, &err), err);
    assert_int_equal(all.n, 4);
    assert_string_equal(all.one[0].token68, "YWJj==");
    assert_string_equal(chsm_challenge_get(&all.one[1], "realm"), "bare");
    assert_string_equal(chsm_challenge_get(&all.one[2], "b"), "2");     /* blanks between parameters, as some services have it */
    assert_string_equal(all.one[3].scheme, "ntlm");
    assert_null(chsm_challenge_get(&all.one[3], "b"));
    chsm_challenges_done(&all);
    assert_ok(chsm_challenges_parse(NULL, &all, &err), err);
    assert_int_equal(all.n, 0);
    assert_fails(chsm_challenges_parse("Bearer a=\"open", &all, &err), CHSM_SERVICE, err);
    assert_fails(chsm_challenges_parse("a=\"b\"", &all, &err), CHSM_SERVICE, err);
    assert_fails(chsm_challenges_parse("\"quoted\"", &all, &err), CHSM_SERVICE, err);
    assert_fails(chsm_challenges_parse("A, B, C, D, E, F, G, H, I", &all, &err), CHSM_SERVICE, err);
}

static void claims(void **state)
{
    static const struct { const char *header; int rc; const char *json; } cases[] = {
        { "Bearer error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"", 0, "{\"a\":1}" },
        { "Bearer error=\"insufficient_claims\", claims=\"eyJhIjoxfQ\"", 0, "{\"a\":1}" },
        { "Bearer claims=eyJhIjoiPz8_In0, error=insufficient_claims", 0, "{\"a\":\"???\"}" },
        { "Bearer claims=\"eyJhIjoiPz8/In0=\" error=\"insufficient_claims\"", 0, "{\"a\":\"???\"}" },
        { "PoP nonce=\"x,y\", bEARER CLAIMS=\"eyJhIjoxfQ\", ERROR=\"insufficient_claims\"", 0, "{\"a\":1}" },
        { "Bearer error=\"insufficient_claims\", claims=\"!!!\"", -1, NULL },
        { "Bearer error=\"insufficient_claims\", claims=\"WzFd\"", -1, NULL },      /* a list */
        { "Bearer error=\"insufficient_claims\"", -1, NULL },
        { "Bearer error=\"invalid_token\", claims=\"eyJhIjoxfQ\"", 1, NULL },
        { "PoP error=\"insufficient_claims\", claims=\"eyJhIjoxfQ\"", 1, NULL },
        { ARM_401, 1, NULL }, { NULL, 1, NULL }, { "Bearer a=\"open", 1, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = NULL;

        assert_int_equal(chsm_challenge_claims(cases[i].header, &text), cases[i].rc);
        assert_int_equal(text != NULL, cases[i].json != NULL);
        if (text)
            assert_string_equal(text, cases[i].json);
    }
}

static void vault(void **state)
{
    static const char good[] = "Bearer authorization=\"https://login.windows.net/tenant-1/\", resource=\"https://managedhsm.azure.net\"";
    static const struct { const char *header, *url; int rc; } cases[] = {
        { good, "https://mine.managedhsm.azure.net/keys", 0 },
        { good, "https://MINE.ManagedHSM.azure.net:443/", 0 },
        { "Bearer scope=https://managedhsm.azure.net/.default authorization_uri=https://x/tenant-1", "https://a.managedhsm.azure.net", 0 },
        { "Bearer resource=\"https://managedhsm.azure.net/\", authorization=\"https://x/tenant-1?q\"", "https://a.b.managedhsm.azure.net", 0 },
        { good, "https://evilmanagedhsm.azure.net/keys", -1 },
        { good, "https://managedhsm.azure.net/keys", -1 },
        { good, "https://mine.managedhsm.azure.net.evil.example/", -1 },
        { good, "http://mine.managedhsm.azure.net/", -1 },
        { "Bearer resource=\"https://managedhsm.azure.net\"", "https://mine.managedhsm.azure.net/", -1 },
        { "Bearer resource=\"https://managedhsm.azure.net\", authorization=\"https://x\"", "https://mine.managedhsm.azure.net/", -1 },
        { "Bearer authorization=\"https://x/t\"", "https://mine.managedhsm.azure.net/", 1 },
        { "Basic realm=x", "https://mine.managedhsm.azure.net/", 1 },
    };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *resource = NULL;
        AUTO_FREE char *tenant = NULL;

        assert_int_equal(chsm_challenge_vault(cases[i].header, cases[i].url, &resource, &tenant, &err), cases[i].rc);
        if (cases[i].rc == 0) {
            assert_string_equal(resource, "https://managedhsm.azure.net");
            assert_string_equal(tenant, "tenant-1");
        } else {
            assert_null(resource);
            assert_null(tenant);
        }
    }
}

static int cloud(const char *text, const char *url, struct chsm_cloud *c, struct chsm_err *err)
{
    json_auto_t *j = json_loads(text, 0, NULL);

    assert_non_null(j);
    return chsm_cloud_read(j, NULL, url, c, err);
}

#define AZURE(name, more) "{\"name\":\"" name "\",\"resourceManager\":\"https://arm.example\",\"authentication\":{\"loginEndpoint\":" \
    "\"https://login.example/\",\"audiences\":[\"https://arm.example/\"]},\"suffixes\":{\"storage\":\".core.example\"" more "}}"

static void domains(void **state)
{
    AUTO(chsm_cloud_done) struct chsm_cloud c = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(cloud(AZURE("Mine", ",\"mhsmDns\":\".managedhsm.example\""), NULL, &c, &err), err);
    assert_string_equal(c.hsm_suffix, "managedhsm.example");
    assert_string_equal(c.hsm_resource, "https://managedhsm.example");
    assert_string_equal(c.storage_suffix, "core.example");
    assert_string_equal(c.storage_resource, "https://storage.azure.com");
    chsm_cloud_done(&c);
    assert_ok(cloud(AZURE("Mine", ",\"mhsmDns\":\"managedhsm.example\""), NULL, &c, &err), err);
    assert_string_equal(c.hsm_suffix, "managedhsm.example");
    chsm_cloud_done(&c);
    assert_ok(cloud(AZURE("AzureUSGovernment", ""), NULL, &c, &err), err);
    assert_string_equal(c.hsm_resource, "https://managedhsm.usgovcloudapi.net");
    chsm_cloud_done(&c);
    assert_ok(cloud(AZURE("Mine", ""), NULL, &c, &err), err);
    assert_null(c.hsm_resource);
    assert_fails(cloud("[" AZURE("A", "") "," AZURE("B", "") "]", NULL, &c, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "several clouds");
}

static void azure_stack(void **state)
{
    static const char text[] = "{\"galleryEndpoint\":\"https://g\",\"graphEndpoint\":\"https://graph\",\"portalEndpoint\":\"https://portal.r.example\","
                               "\"authentication\":{\"loginEndpoint\":\"https://adfs.r.example/adfs\",\"audiences\":[\"https://management.x/1\"]}}";
    AUTO(chsm_cloud_done) struct chsm_cloud c = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(cloud(text, "https://management.r.example//metadata/endpoints?api-version=2015-01-01", &c, &err), err);
    assert_string_equal(c.resource_manager, "https://management.r.example");
    assert_string_equal(c.authority, "https://adfs.r.example");
    assert_string_equal(c.arm_resource, "https://management.x/1");
    assert_string_equal(c.storage_suffix, "r.example");
    assert_fails(cloud(text, NULL, &c, &err), CHSM_CONFIG, err);
}

static void cloud_file(void **state)
{
    char path[] = "/tmp/chsm-cloud-XXXXXX.json";
    int fd = mkstemps(path, 5);
    static const char text[] = "\xef\xbb\xbf" AZURE("Mine", "");
    AUTO(chsm_cloud_done) struct chsm_cloud c = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(fd);
    assert_ok(chsm_cloud_find(path, NULL, &c, &err), err);
    assert_string_equal(c.name, "Mine");
    unlink(path);
    assert_fails(chsm_cloud_find(path, NULL, &c, &err), CHSM_CONFIG, err);
    assert_fails(chsm_cloud_find("Elsewhere", NULL, &c, &err), CHSM_CONFIG, err);
    assert_contains(err.hint, "AzureCloud, AzureUSGovernment or AzureChinaCloud");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parser), cmocka_unit_test(claims), cmocka_unit_test(vault), cmocka_unit_test(domains),
        cmocka_unit_test(azure_stack), cmocka_unit_test(cloud_file),
    };

    unsetenv("ARM_CLOUD_METADATA_URL");
    unsetenv("AZURE_AUTHORITY_HOST");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
