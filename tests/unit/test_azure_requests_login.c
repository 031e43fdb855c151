/* SPDX-License-Identifier: Apache-2.0 */
/* Every request that sign-in sends, by each link, held against the table of requests. */
#include "config.h"

#include "azure/credential_managed.h"
#include "azure/login.h"
#include "tests/unit/azure_requests.h"
#include "tests/unit/azure_world.h"
#include "util/path.h"

#define GIVEN ANSWER("200 OK", "", "{\"token_type\":\"Bearer\",\"expires_in\":\"3599\",\"expires_on\":\"4102444800\"," \
                     "\"access_token\":\"t\"}")

static void check(struct server *s, const char *const *script)
{
    unsigned n = 0;

    while (script[n])
        n++;
    assert_int_equal(server_count(s), n);
    requests_check(s);
}

/* A token by the link of this name, with the client secret of the world left out of the environment. */
static void sign_in(const char *credential, const char *const *script)
{
    struct arm_world w;
    const struct chsm_secret *token = NULL;

    arm_world_open(&w, credential, script);
    assert_ok(chsm_credential_ask(w.arm.credential, &(struct chsm_ask){ .resource = "https://a" }, &token, &w.err), w.err);
    check(w.server, script);
    arm_world_close(&w);
}

static void secrets(void **state)
{
    static const char *const script[] = { TOKEN("t"), NULL };

    (void)state;
    sign_in("environment", script);
}

static void federated(void **state)
{
    static const char *const script[] = { TOKEN("t"), NULL };
    char path[] = "/tmp/chsm-federated-XXXXXX";
    struct chsm_err err;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_ok(chsm_file_write(path, "a.b.c", 5, 0600, &err), err);
    setenv("AZURE_FEDERATED_TOKEN_FILE", path, 1);
    sign_in("workload-identity", script);
    unsetenv("AZURE_FEDERATED_TOKEN_FILE");
    unlink(path);
}

static void told(const char *message)
{
    assert_non_null(message);
}

static void device_code(void **state)
{
    static const char *const script[] = {
        ANSWER("200 OK", "", "{\"device_code\":\"d\",\"user_code\":\"u\",\"verification_uri\":\"https://login.test/device\","
               "\"expires_in\":900,\"interval\":1,\"message\":\"go there\"}"), TOKEN("t"), NULL };
    const struct chsm_credential_opts opts = { .name = "device-code", .tell = told };
    const struct chsm_secret *token = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    chsm_credential_free(w.arm.credential);
    assert_ok(chsm_credential_open(&opts, w.arm.http, &w.arm.cloud, &w.arm.credential, &w.err), w.err);
    assert_ok(chsm_credential_ask(w.arm.credential, &(struct chsm_ask){ .resource = "https://a" }, &token, &w.err), w.err);
    check(w.server, script);
    arm_world_close(&w);
}

/* One kind of managed identity: the variables that make it, "URL" standing for the server's address. */
static void managed(const char *const (*env)[2], bool with_client, const char *const *script)
{
    struct server *s = server_new(/* tls= */ false, script);
    struct chsm_cloud cloud = { .authority = (char *)(uintptr_t)"https://login.test" };
    struct chsm_credential *credential = NULL;
    const struct chsm_secret *token = NULL;
    struct chsm_http *http = NULL;
    struct chsm_err err = { 0 };

    for (size_t i = 0; env[i][0]; i++) {
        AUTO_FREE char *value = *env[i][1] == '/' ? chsm_strf("%s%s", server_url(s), env[i][1]) : strdup(env[i][1]);

        setenv(env[i][0], value, 1);
    }
    if (with_client)
        setenv("AZURE_CLIENT_ID", "55555555-5555-4555-8555-555555555555", 1);
    else
        unsetenv("AZURE_CLIENT_ID");
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &http, &err), err);
    assert_ok(chsm_credential_new("managed-identity", http, &cloud, &credential, &err), err);
    assert_ok(chsm_credential_ask(credential, &(struct chsm_ask){ .resource = "https://a" }, &token, &err), err);
    check(s, script);
    chsm_credential_free(credential);
    chsm_http_free(http);
    server_free(s);
    for (size_t i = 0; env[i][0]; i++)
        unsetenv(env[i][0]);
    unsetenv("AZURE_CLIENT_ID");
}

static void managed_identities(void **state)
{
    static const char *const script[] = { GIVEN, NULL };
    static const char *const imds[][2] = { { "AZURE_POD_IDENTITY_AUTHORITY_HOST", "/" }, { 0 } };
    static const char *const app[][2] = { { "IDENTITY_ENDPOINT", "/MSI/token" }, { "IDENTITY_HEADER", "proof" }, { 0 } };
    static const char *const app_2017[][2] = { { "MSI_ENDPOINT", "/MSI/token" }, { "MSI_SECRET", "proof" }, { 0 } };
    static const char *const arc[][2] = { { "IDENTITY_ENDPOINT", "/arc/metadata/identity/oauth2/token" }, { "IMDS_ENDPOINT", "x" }, { 0 } };
    static const char *const shell[][2] = { { "MSI_ENDPOINT", "/shell/oauth2/token" }, { 0 } };

    (void)state;
    for (int client = 0; client < 2; client++) {
        managed(imds, client, script);
        managed(app, client, script);
        managed(app_2017, client, script);
    }
    managed(arc, false, script);
    managed(shell, false, script);
}

/* As a link of a chain it first asks whether anybody is there. */
static void probe(void **state)
{
    static const char *const script[] = { ANSWER("403 Forbidden", "", "unreachable"), NULL };
    struct server *s = server_new(/* tls= */ false, script);
    AUTO_FREE char *url = chsm_strf("%s/metadata/identity/oauth2/token", server_url(s));
    struct chsm_link l = { .kind = &chsm_link_managed, .endpoint = url, .detail = "x" };
    struct chsm_token token = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &l.http, &err), err);
    assert_int_equal(chsm_link_managed.acquire(&l, &(struct chsm_ask){ .resource = "https://a" }, &token, &err), CHSM_LINK_ABSENT);
    check(s, script);
    chsm_http_free(l.http);
    server_free(s);
}

static void managed_hsm(void **state)
{
    static const char *const script[] = {
        ANSWER("401 Unauthorized", "WWW-Authenticate: Bearer authorization=\"https://login.windows.net/tenant-1\", "
               "resource=\"https://localhost\"\r\n", "OK"),
        TOKEN("t"), ANSWER("200 OK", "", "{}"), NULL };
    json_auto_t *shown = NULL;
    AUTO_FREE char *url = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    url = chsm_strf("https://hsm.localhost%s", strrchr(server_url(w.server), ':'));
    assert_ok(chsm_login_show(&w.arm, &(struct chsm_login_ask){ .hsm_url = url }, 0, &shown, &w.err), w.err);
    check(w.server, script);
    arm_world_close(&w);
}

static void every_row_was_sent(void **state)
{
    (void)state;
    requests_all_seen("login");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets), cmocka_unit_test(federated), cmocka_unit_test(device_code), cmocka_unit_test(managed_identities),
        cmocka_unit_test(probe), cmocka_unit_test(managed_hsm), cmocka_unit_test(every_row_was_sent),
    };

    return cmocka_run_group_tests_name("azure/requests-login", tests, NULL, NULL);
}
