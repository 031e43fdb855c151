/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-in against scripted servers: caches, challenges, what an Azure Arc agent may have read, tenants. */
#include "tests/unit/azure_world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "azure/credential_managed.h"
#include "azure/login.h"
#include "util/path.h"

#define BAD ANSWER("400 Bad Request", "", "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: expired\"}")
#define OK_BODY ANSWER("200 OK", "", "{}")
#define SHORT(name, more) ANSWER("200 OK", "", "{\"token_type\":\"Bearer\",\"access_token\":\"" name "\"" more "}")
#define CHALLENGE(tenant) ANSWER("401 Unauthorized", "WWW-Authenticate: Bearer authorization=\"https://login.windows.net/" tenant \
                                 "\", resource=\"https://localhost\"\r\n", "OK")
#define CLAIMS ANSWER("401 Unauthorized", "WWW-Authenticate: PoP nonce=\"n\"\r\nWWW-Authenticate: Bearer error=\"insufficient_claims\", " \
                      "claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxMjMifX19\"\r\n", \
                      "{\"error\":{\"code\":\"Revoked\",\"message\":\"revoked\"}}")

static int ask(struct arm_world *w, const char *resource, const struct chsm_secret **ret)
{
    return chsm_credential_ask(w->arm.credential, &(struct chsm_ask){ .resource = resource }, ret, &w->err);
}

static void failed_renewal_keeps_the_token(void **state)
{
    static const char *const script[] = { SHORT("t1", ",\"expires_in\":2"), BAD, TOKEN("t2"), NULL };
    const struct chsm_secret *token = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(ask(&w, "https://a", &token), w.err);
    usleep(1100000);                                /* past half of its life, before its end */
    assert_ok(ask(&w, "https://a", &token), w.err);
    assert_string_equal(token->p, "t1");
    assert_ok(ask(&w, "https://a", &token), w.err);
    assert_int_equal(server_count(w.server), 2);    /* and it is not tried again at once */
    usleep(1000000);
    assert_ok(ask(&w, "https://a", &token), w.err);
    assert_string_equal(token->p, "t2");
    arm_world_close(&w);
}

static void each_resource_and_tenant_has_its_token(void **state)
{
    static const char *const script[] = { TOKEN("t1"), TOKEN("t2"), TOKEN("t3"), NULL };
    const struct chsm_secret *token = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(ask(&w, "https://a", &token), w.err);
    assert_ok(ask(&w, "https://b", &token), w.err);
    assert_string_equal(token->p, "t2");
    assert_ok(ask(&w, "https://a", &token), w.err);
    assert_string_equal(token->p, "t1");
    assert_fails(chsm_credential_ask(w.arm.credential, &(struct chsm_ask){ .resource = "https://a", .tenant = "other" }, &token, &w.err),
                 CHSM_AUTH, w.err);
    assert_contains(w.err.text, "tenant other");
    assert_int_equal(server_count(w.server), 2);
    setenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "x; other", 1);
    assert_ok(chsm_credential_ask(w.arm.credential, &(struct chsm_ask){ .resource = "https://a", .tenant = "other" }, &token, &w.err), w.err);
    assert_string_equal(token->p, "t3");
    assert_contains(server_request(w.server, 2), "POST /other/oauth2/v2.0/token ");
    unsetenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS");
    arm_world_close(&w);
}

static void passing_failures_are_tried_again(void **state)
{
    static const char *const script[] = {
        ANSWER("400 Bad Request", "", "{\"error\":\"temporarily_unavailable\",\"error_description\":\"AADSTS90033: later\"}"),
        ANSWER("503 Busy", "", ""), TOKEN("t1"), NULL };
    const struct chsm_secret *token = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(ask(&w, "https://a", &token), w.err);
    assert_int_equal(server_count(w.server), 3);
    arm_world_close(&w);
}

static int get(struct arm_world *w, struct chsm_response *r)
{
    chsm_response_done(r);
    return chsm_arm_do(&w->arm, "POST", "/x", NULL, CHSM_REPEAT_START, 0, r, NULL, &w->err);
}

static void claims_are_answered_once(void **state)
{
    static const char *const script[] = { TOKEN("t1"), CLAIMS, TOKEN("t2"), OK_BODY, CLAIMS, TOKEN("t3"), CLAIMS, NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "environment", script);
    assert_ok(get(&w, &r), w.err);
    assert_contains(server_request(w.server, 0), "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22");
    assert_contains(server_request(w.server, 2), "%22nbf%22%3A%7B%22essential%22%3Atrue%2C%22value%22%3A%22123%22%7D");
    assert_contains(server_request(w.server, 2), "%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D%7D");
    assert_contains(server_request(w.server, 3), "Bearer t2\r\n");
    assert_fails(get(&w, &r), CHSM_AUTH, w.err);
    assert_contains(w.err.text, "Revoked");
    assert_int_equal(server_count(w.server), 7);
    arm_world_close(&w);
}

static void claims_that_cannot_be_read(void **state)
{
    static const char *const script[] = {
        ANSWER("401 Unauthorized", "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"%%\"\r\n",
               "{\"error\":{\"code\":\"Revoked\",\"message\":\"revoked\"}}"), NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(get(&w, &r), CHSM_AUTH, w.err);
    assert_contains(w.err.text, "Revoked");
    assert_int_equal(server_count(w.server), 1);
    arm_world_close(&w);
}

/* The server's address with another host name in front: it has a certificate for that, too. */
static char *hsm_url(const struct arm_world *w)
{
    return chsm_strf("https://hsm.localhost%s", strrchr(server_url(w->server), ':'));
}

static void vault_challenge(void **state)
{
    static const char *const script[] = { CHALLENGE("tenant-1"), TOKEN("t1"), ANSWER("403 Forbidden", "", "{}"), NULL };
    json_auto_t *shown = NULL;
    struct arm_world w;
    AUTO_FREE char *url = NULL;

    (void)state;
    arm_world_open(&w, "environment", script);
    url = hsm_url(&w);
    assert_ok(chsm_login_show(&w.arm, &(struct chsm_login_ask){ .hsm_url = url }, 0, &shown, &w.err), w.err);
    assert_lacks(server_request(w.server, 0), "Authorization");
    assert_contains(server_request(w.server, 1), "scope=https%3A%2F%2Flocalhost%2F.default");
    assert_contains(server_request(w.server, 2), "Authorization: Bearer t1\r\n");
    assert_int_equal(json_integer_value(chsm_json_get(shown, "hsm.status")), 403);
    assert_string_equal(chsm_json_str(shown, "resource"), "https://localhost");
    assert_string_equal(chsm_json_str(shown, "detail"), "client secret");
    assert_true(json_is_null(json_object_get(shown, "tenant")));    /* "t1" tells nothing */
    arm_world_close(&w);
}

static void vault_that_moved(void **state)
{
    static const char *const script[] = { CHALLENGE("tenant-1"), TOKEN("t1"), CHALLENGE("tenant-2"), TOKEN("t2"), OK_BODY, NULL };
    json_auto_t *shown = NULL;
    struct arm_world w;
    AUTO_FREE char *url = NULL;

    (void)state;
    setenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "*", 1);
    arm_world_open(&w, "environment", script);
    url = hsm_url(&w);
    assert_ok(chsm_login_show(&w.arm, &(struct chsm_login_ask){ .hsm_url = url }, 0, &shown, &w.err), w.err);
    assert_contains(server_request(w.server, 3), "POST /tenant-2/oauth2/v2.0/token ");
    assert_int_equal(server_count(w.server), 5);
    unsetenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS");
    arm_world_close(&w);
}

static void vault_outside_its_domain(void **state)
{
    static const char *const script[] = {
        ANSWER("401 Unauthorized", "WWW-Authenticate: Bearer authorization=\"https://x/tenant-1\", resource=\"https://m.localhost\"\r\n", ""),
        NULL };
    json_t *shown = NULL;
    struct arm_world w;
    AUTO_FREE char *url = NULL;

    (void)state;
    arm_world_open(&w, "environment", script);
    url = hsm_url(&w);
    assert_fails(chsm_login_show(&w.arm, &(struct chsm_login_ask){ .hsm_url = url }, 0, &shown, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "none was sent");
    assert_int_equal(server_count(w.server), 1);
    arm_world_close(&w);
}

static char *arc_folder;

static void key_file(const char *name, const char *text)
{
    AUTO_FREE char *path = chsm_path_join(arc_folder, name);
    struct chsm_err err;

    assert_ok(chsm_file_write(path, text, strlen(text), 0600, &err), err);
}

static int arc(const char *name, struct chsm_err *err)
{
    AUTO_FREE char *challenge = chsm_strf("Basic realm=%s%s%s", *name == '/' ? "" : arc_folder, *name == '/' ? "" : "/", name);
    AUTO_SECRET struct chsm_secret key = { 0 };

    return chsm_arc_key(challenge, arc_folder, &key, err);
}

static void arc_key_files(void **state)
{
    static char folder[] = "/tmp/chsm-arc-XXXXXX";
    AUTO_FREE char *big = calloc(1, CHSM_ARC_KEY_MAX + 2);
    AUTO_FREE char *link = NULL;
    AUTO_FREE char *pipe = NULL;
    AUTO_FREE char *longer = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    arc_folder = mkdtemp(folder);
    key_file("good.key", "secret-key");
    memset(big, 'k', CHSM_ARC_KEY_MAX + 1);
    key_file("big.key", big);
    key_file("other.txt", "x");
    key_file("empty.key", "");
    link = chsm_path_join(arc_folder, "link.key");
    pipe = chsm_path_join(arc_folder, "pipe.key");
    assert_true(symlink("good.key", link) == 0 && mkfifo(pipe, 0600) == 0);
    assert_ok(arc("good.key", &err), err);
    big[CHSM_ARC_KEY_MAX] = '\0';
    key_file("just.key", big);
    assert_ok(arc("just.key", &err), err);
    assert_fails(arc("big.key", &err), CHSM_AUTH, err);
    assert_fails(arc("other.txt", &err), CHSM_AUTH, err);
    assert_contains(err.text, "nothing was read");
    assert_fails(arc("empty.key", &err), CHSM_AUTH, err);
    assert_fails(arc("link.key", &err), CHSM_AUTH, err);
    assert_contains(err.text, "is a link");
    assert_fails(arc("pipe.key", &err), CHSM_AUTH, err);
    assert_fails(arc("../chsm/good.key", &err), CHSM_AUTH, err);
    assert_fails(arc("..good.key", &err), CHSM_AUTH, err);
    assert_fails(arc("/etc/shadow.key", &err), CHSM_AUTH, err);
    assert_fails(arc("missing.key", &err), CHSM_AUTH, err);
    longer = chsm_strf("%s-more/good.key", arc_folder);
    assert_fails(arc(longer, &err), CHSM_AUTH, err);
    assert_contains(err.text, "nothing was read");
    assert_fails(chsm_arc_key("Bearer realm=x", arc_folder, &(struct chsm_secret){ 0 }, &err), CHSM_AUTH, err);
    assert_fails(chsm_arc_key("", arc_folder, &(struct chsm_secret){ 0 }, &err), CHSM_AUTH, err);
    if (geteuid() != 0) {
        AUTO_FREE char *good = chsm_path_join(arc_folder, "good.key");

        assert_int_equal(chmod(good, 0), 0);
        assert_fails(arc("good.key", &err), CHSM_AUTH, err);
        assert_contains(err.hint, "himds");
    }
}

static void arc_exchange(void **state)
{
    AUTO_FREE char *challenge = chsm_strf("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=%s/good.key\r\nContent-Length: 0\r\n\r\n", arc_folder);
    const char *const script[] = { challenge, OK_BODY, challenge, NULL };
    struct server *s = server_new(/* tls= */ false, script);
    AUTO_FREE char *url = chsm_strf("%s/metadata", server_url(s));
    AUTO_FREE char *good = chsm_path_join(arc_folder, "good.key");
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_link l = { .kind = &chsm_link_managed };
    struct chsm_err err = { 0 };

    (void)state;
    (void)chmod(good, 0600);
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &l.http, &err), err);
    assert_ok(chsm_arc_exchange(&l, url, arc_folder, &r, &err), err);
    assert_int_equal(r.status, 200);
    assert_lacks(server_request(s, 0), "Authorization");
    assert_contains(server_request(s, 1), "\r\nAuthorization: Basic secret-key\r\n");
    assert_contains(server_request(s, 1), "\r\nMetadata: true\r\n");
    chsm_response_done(&r);
    assert_fails(chsm_arc_exchange(&l, url, "/var/opt/azcmagent/tokens", &r, &err), CHSM_AUTH, err);
    assert_int_equal(server_count(s), 3);       /* the file of another folder was not sent */
    chsm_http_free(l.http);
    server_free(s);
}

static void probe_of_a_chain(void **state)
{
    static const char *const script[] = { ANSWER("403 Forbidden", "", "connecting to 169.254.169.254: unreachable"), NULL };
    struct server *s = server_new(/* tls= */ false, script);
    struct chsm_link l = { .kind = &chsm_link_managed, .endpoint = (char *)(uintptr_t)server_url(s), .detail = "x" };
    struct chsm_token token = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &l.http, &err), err);
    assert_int_equal(chsm_link_managed.acquire(&l, &(struct chsm_ask){ .resource = "https://a" }, &token, &err), CHSM_LINK_ABSENT);
    assert_lacks(server_request(s, 0), "Metadata");
    assert_int_equal(server_count(s), 1);
    l.endpoint = (char *)(uintptr_t)"http://127.0.0.1:1";
    assert_int_equal(chsm_link_managed.acquire(&l, &(struct chsm_ask){ .resource = "https://a" }, &token, &err), CHSM_LINK_ABSENT);
    assert_contains(err.text, "no metadata service answers");
    chsm_http_free(l.http);
    server_free(s);
}

/* Whoever signed in by a code must not have to do it again because one answer got lost. */
static void lost_renewal_is_tried_again(void **state)
{
    static const char *const script[] = { ANSWER("503 Service Unavailable", "", ""), TOKEN("t1"), NULL };
    static char tenant[] = "organizations", client[] = "client";
    const struct chsm_credential_opts opts = { .name = "device-code" };
    struct chsm_token token = { 0 };
    struct chsm_link l = { .kind = &chsm_link_device, .opts = &opts, .tenant = tenant, .client_id = client };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    l.http = w.arm.http;
    l.cloud = &w.arm.cloud;
    assert_ok(chsm_secret_set(&l.secret, "refresh", 7, &w.err), w.err);
    assert_ok(chsm_link_device.acquire(&l, &(struct chsm_ask){ .resource = "https://a" }, &token, &w.err), w.err);
    assert_string_equal(token.value.p, "t1");
    assert_int_equal(server_count(w.server), 2);
    assert_contains(server_request(w.server, 1), "grant_type=refresh_token");
    chsm_secret_done(&token.value);
    chsm_secret_done(&l.secret);
    arm_world_close(&w);
}

static int given_token(const char *audience, const char *resource, struct chsm_err *err)
{
    static char storage[] = "core.windows.net", storage_resource[] = "https://storage.azure.com", arm[] = "https://management.azure.com";
    const struct chsm_cloud azure = { .arm_resource = arm, .storage_suffix = storage, .storage_resource = storage_resource };
    AUTO_FREE char *claims = audience ? chsm_strf("{\"aud\":\"%s\"}", audience) : strdup("{}");
    AUTO_FREE char *coded = chsm_base64url(claims, strlen(claims));
    AUTO_FREE char *jwt = chsm_strf("e30.%s.c2lnbmF0dXJl", coded);
    struct chsm_link l = { .kind = &chsm_link_static, .cloud = &azure };
    struct chsm_token token = { 0 };
    int rc;

    assert_ok(chsm_secret_set(&l.secret, jwt, strlen(jwt), err), *err);
    rc = chsm_link_static.acquire(&l, &(struct chsm_ask){ .resource = resource }, &token, err);
    assert_true(rc != 0 || strcmp(token.value.p, jwt) == 0);
    chsm_secret_done(&token.value);
    chsm_secret_done(&l.secret);
    return rc;
}

/* Whoever runs a vault, or says that he does, must not get the token for the subscription. */
static void given_token_goes_to_its_audience_only(void **state)
{
    static const struct { const char *audience, *resource; bool good; } cases[] = {
        { "https://management.azure.com/", "https://management.azure.com", true },
        { "https://management.core.windows.net/", "https://management.azure.com", true },
        { "https://management.azure.com/", "https://evil.example", false }, { "https://management.azure.com", "https://storage.azure.com", false },
        { "https://management.core.windows.net/", "https://storage.azure.com", false },
        { "797f4846-ba00-4fd7-ba43-dac1f8f63013", "https://managedhsm.azure.net", false },
        { "https://managedhsm.azure.net", "https://managedhsm.azure.net", true },
        { "https://storage.azure.com/", "https://storage.azure.com", true },
        { "https://mine.blob.core.windows.net", "https://storage.azure.com", true },
        { NULL, "https://vault.azure.net", true },
    };
    struct chsm_err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if ((given_token(cases[i].audience, cases[i].resource, &err) == 0) != cases[i].good)
            fail_msg("%s for %s", cases[i].audience, cases[i].resource);
        if (!cases[i].good)
            assert_contains(err.text, "it was not sent");
    }
}

/* Each of these answers; the last one is a token. How often the endpoint was asked. */
static int managed_answers(enum chsm_managed kind, bool alone, const char *const *script, unsigned *ret_asked, struct chsm_err *err)
{
    struct server *s = server_new(/* tls= */ false, script);
    struct chsm_link l = { .kind = &chsm_link_managed, .endpoint = (char *)(uintptr_t)server_url(s), .detail = "x", .managed = kind,
                           .alone = alone, .probed = true };
    struct chsm_token token = { 0 };
    int rc;

    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &l.http, err), *err);
    *err = (struct chsm_err){ 0 };
    rc = chsm_link_managed.acquire(&l, &(struct chsm_ask){ .resource = "https://a" }, &token, err);
    *ret_asked = server_count(s);
    if (rc == 0)
        assert_string_equal(token.value.p, "t1");
    chsm_secret_done(&token.value);
    chsm_http_free(l.http);
    server_free(s);
    return rc;
}

/* A connection that broke, a gateway's page: the next answer may be the service's. */
static void identity_whose_answer_was_lost_is_asked_again(void **state)
{
    static const char *const mended[] = { "", ANSWER("200 OK", "", "<html>"), TOKEN("t1"), NULL };
    struct chsm_err err;
    unsigned asked;

    (void)state;
    assert_ok(managed_answers(CHSM_MANAGED_SHELL, true, mended, &asked, &err), err);
    assert_int_equal(asked, 3);
}

/* Who is redirected has met no metadata service, and somebody who answered once is there: only the first makes room for the next link. */
static void identity_that_makes_room(void **state)
{
    static const char *const portal[] = { ANSWER("302 Found", "Location: http://portal.test/\r\n", ""), NULL };
    struct chsm_err err;
    unsigned asked;

    (void)state;
    assert_int_equal(managed_answers(CHSM_MANAGED_IMDS, false, portal, &asked, &err), CHSM_LINK_ABSENT);
    assert_int_equal(asked, 1);
    assert_fails(managed_answers(CHSM_MANAGED_IMDS, true, portal, &asked, &err), CHSM_AUTH, err);
}

/* The agent is on this machine, and so is who may read its key. */
static void arc_key_stays_on_this_machine(void **state)
{
    AUTO_FREE char *challenge = chsm_strf("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=%s/good.key\r\nContent-Length: 0\r\n\r\n", arc_folder);
    const char *const script[] = { challenge, OK_BODY, NULL };
    struct server *s = server_new(/* tls= */ false, script);
    AUTO_FREE char *url = chsm_strf("http://0.0.0.0:%u/metadata", server_port(s));     /* the same server, by another address */
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_link l = { .kind = &chsm_link_managed };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &l.http, &err), err);
    assert_fails(chsm_arc_exchange(&l, url, arc_folder, &r, &err), CHSM_AUTH, err);
    assert_contains(err.text, "not sent");
    assert_int_equal(server_count(s), 1);
    chsm_http_free(l.http);
    server_free(s);
}

static void federated_file_is_read_for_each_request(void **state)
{
    static const char *const script[] = { TOKEN("t1"), TOKEN("t2"), NULL };
    char path[] = "/tmp/chsm-federated-XXXXXX";
    const struct chsm_secret *token = NULL;
    struct chsm_err err;
    struct arm_world w;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    setenv("AZURE_FEDERATED_TOKEN_FILE", path, 1);
    assert_ok(chsm_file_write(path, " first.token\n", 13, 0600, &err), err);
    arm_world_open(&w, "workload-identity", script);
    assert_ok(ask(&w, "https://a", &token), w.err);
    assert_ok(chsm_file_write(path, "second.token", 12, 0600, &err), err);
    assert_ok(ask(&w, "https://b", &token), w.err);
    assert_contains(server_request(w.server, 0), "&client_assertion=first.token");
    assert_lacks(server_request(w.server, 0), "client_assertion=first.token%0A");
    assert_contains(server_request(w.server, 1), "&client_assertion=second.token");
    assert_contains(server_request(w.server, 1), "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer");
    arm_world_close(&w);
    unlink(path);
    unsetenv("AZURE_FEDERATED_TOKEN_FILE");
}

static void clear_folder(void)
{
    static const char *const names[] = { "good.key", "big.key", "just.key", "other.txt", "empty.key", "link.key", "pipe.key" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = chsm_path_join(arc_folder, names[i]);

        (void)unlink(path);
    }
    (void)rmdir(arc_folder);
}

static int last(void **state)
{
    (void)state;
    clear_folder();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_renewal_keeps_the_token), cmocka_unit_test(each_resource_and_tenant_has_its_token),
        cmocka_unit_test(passing_failures_are_tried_again), cmocka_unit_test(claims_are_answered_once),
        cmocka_unit_test(claims_that_cannot_be_read), cmocka_unit_test(vault_challenge), cmocka_unit_test(vault_that_moved),
        cmocka_unit_test(vault_outside_its_domain), cmocka_unit_test(arc_key_files), cmocka_unit_test(arc_exchange),
        cmocka_unit_test(probe_of_a_chain), cmocka_unit_test(given_token_goes_to_its_audience_only),
        cmocka_unit_test(lost_renewal_is_tried_again), cmocka_unit_test(identity_whose_answer_was_lost_is_asked_again),
        cmocka_unit_test(identity_that_makes_room), cmocka_unit_test(arc_key_stays_on_this_machine),
        cmocka_unit_test(federated_file_is_read_for_each_request),
    };

    unsetenv("AZURE_AUTHORITY_HOST");
    return cmocka_run_group_tests(tests, NULL, last);
}
