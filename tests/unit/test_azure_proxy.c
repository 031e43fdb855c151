/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies as curl has them, never for loopback and identity endpoints, their passwords never shown; whom to trust. */
#include "config.h"

#include <sys/stat.h>

#include "azure/http.h"
#include "tests/unit/azure_proxy.h"
#include "tests/unit/azure_server.h"
#include "tests/unit/check.h"
#include "util/log.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define VARIABLES "https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", \
                  "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"

static const char *const script[] = { OK, OK, OK, OK, NULL };

struct world {
    struct server *server;
    struct proxy *proxy;
    struct chsm_http *http;
    struct chsm_response r;
    struct chsm_err err;
    char url[128];
};

static void forget_environment(void)
{
    static const char *const names[] = { VARIABLES };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
}

/* A server, a proxy before it, and `variable` naming it; host is who the request is for. */
static void open_world(struct world *w, const char *answer, const char *variable, const char *userinfo, const char *host)
{
    AUTO_FREE char *address = NULL;

    forget_environment();
    *w = (struct world){ .server = server_new(/* tls= */ true, script) };
    w->proxy = proxy_new(server_port(w->server), answer);
    address = chsm_strf("http://%s127.0.0.1:%u", userinfo, proxy_port(w->proxy));
    setenv(variable, address, 1);
    (void)snprintf(w->url, sizeof w->url, "https://%s:%u/x", host, server_port(w->server));
}

static int ask(struct world *w, const char *method)
{
    if (!w->http)
        assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = server_ca(w->server), .timeout = 5000 }, &w->http, &w->err), w->err);
    chsm_response_done(&w->r);
    return chsm_http_do(w->http, &(struct chsm_request){ .method = method, .url = w->url }, &w->r, &w->err);
}

static void close_world(struct world *w)
{
    chsm_response_done(&w->r);
    chsm_http_free(w->http);
    proxy_free(w->proxy);
    server_free(w->server);
    forget_environment();
}

static void variables_of_curl(void **state)
{
    static const struct { const char *name; bool used; } v[] = {
        { "https_proxy", true }, { "HTTPS_PROXY", true }, { "all_proxy", true }, { "ALL_PROXY", true },
        { "http_proxy", false }, { "HTTP_PROXY", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        AUTO_FREE char *wanted = NULL;
        struct world w;

        open_world(&w, NULL, v[i].name, "", "arm.test");
        wanted = chsm_strf("CONNECT arm.test:%u HTTP/1.1\r\n", server_port(w.server));
        if (v[i].used) {
            assert_ok(ask(&w, "GET"), w.err);
            assert_int_equal(strncmp(proxy_head(w.proxy), wanted, strlen(wanted)), 0);
            assert_lacks(proxy_head(w.proxy), "Proxy-Authorization");
            assert_contains(server_request(w.server, 0), "GET /x HTTP/1.1\r\n");
        } else {
            assert_fails(ask(&w, "GET"), CHSM_SERVICE, w.err);      /* nobody but the proxy knows arm.test */
            assert_int_equal(proxy_count(w.proxy), 0);
        }
        close_world(&w);
    }
}

static void password_reaches_the_proxy_alone(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, NULL, "https_proxy", "user:p%40ss-word@", "arm.test");
    assert_ok(ask(&w, "GET"), w.err);
    assert_contains(proxy_head(w.proxy), "\r\nProxy-Authorization: Basic dXNlcjpwQHNzLXdvcmQ=\r\n");
    assert_lacks(server_request(w.server, 0), "dXNlcjpw");
    close_world(&w);
}

static void exceptions(void **state)
{
    static const struct { const char *no_proxy, *host; bool used; } v[] = {
        { "arm.test", "arm.test", false }, { "test", "arm.test", false }, { ".test", "arm.test", false }, { "*", "arm.test", false },
        { "rm.test", "arm.test", true }, { "other.test,localhost", "arm.test", true },
        { "192.0.2.0/24", "192.0.2.7", false }, { "198.51.100.0/24", "192.0.2.7", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct world w;

        open_world(&w, NULL, "https_proxy", "", v[i].host);
        setenv("no_proxy", v[i].no_proxy, 1);
        assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = server_ca(w.server), .timeout = 700 }, &w.http, &w.err), w.err);
        if (ask(&w, "GET") != (v[i].used ? 0 : -1) || proxy_count(w.proxy) != v[i].used)
            fail_msg("no_proxy=%s and %s: %s", v[i].no_proxy, v[i].host, w.err.text);
        close_world(&w);
    }
}

static void never_for_loopback(void **state)
{
    static const char *const hosts[] = { "localhost", "127.0.0.1" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct world w;

        open_world(&w, NULL, "all_proxy", "", hosts[i]);
        assert_ok(ask(&w, "GET"), w.err);
        assert_int_equal(proxy_count(w.proxy), 0);
        close_world(&w);
    }
}

/* A proxy would receive the identity header, or answer for a machine that is not ours. */
static void never_for_identity_endpoints(void **state)
{
    static const char *const variables[] = { "http_proxy", "all_proxy", "ALL_PROXY" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        struct world w;

        open_world(&w, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", variables[i], "", "arm.test");
        assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 200 }, &w.http, &w.err), w.err);
        /* Where the tests run there may be such a service, or none. */
        if (chsm_http_do(w.http, &(struct chsm_request){ .method = "GET", .url = "http://169.254.169.254/x", .plain_ok = true },
                         &w.r, &w.err) == 0)
            assert_int_not_equal(w.r.status, 0);
        assert_int_equal(proxy_count(w.proxy), 0);
        close_world(&w);
    }
}

static void refusals(void **state)
{
    static const struct { const char *answer, *text, *hint; bool hopeless; } v[] = {
        { "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n", "HTTP 407", "https_proxy", true },
        { "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "HTTP 403", "no_proxy", true },
        { "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "HTTP 502", "no_proxy", false },
        { "", "", "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct world w;

        open_world(&w, v[i].answer, "https_proxy", "user:hunter22hunter@", "arm.test");
        assert_fails(ask(&w, "POST"), CHSM_SERVICE, w.err);
        assert_contains(w.err.text, v[i].text);
        assert_contains(w.err.hint, v[i].hint);
        assert_lacks(w.err.text, "hunter22");
        assert_false(w.r.sent);                 /* a request that starts a job may be sent again */
        assert_int_equal(w.r.hopeless, v[i].hopeless);
        assert_int_equal(w.r.status, 0);
        assert_int_equal(server_count(w.server), 0);
        close_world(&w);
    }
}

static void silent_proxy(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, "-", "https_proxy", "", "arm.test");
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 300 }, &w.http, &w.err), w.err);
    assert_fails(ask(&w, "POST"), CHSM_DEADLINE, w.err);
    assert_false(w.r.sent);
    close_world(&w);
}

/* What libcurl says of an address that it does not understand is the whole address. */
static void bad_addresses_do_not_show_their_password(void **state)
{
    static const char *const addresses[] = {
        "foo://user:hunter22hunter@127.0.0.1:1", "http://user:hunter22hunter@127.0.0.1:port", "http://user:hunter22hunter@no-such-host.invalid:1",
        "user:hunter22hunter@no-such-host.invalid:1", "user:hunter22hunter@127.0.0.1:1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct world w;

        open_world(&w, NULL, "https_proxy", "", "arm.test");
        setenv("https_proxy", addresses[i], 1);
        assert_fails(ask(&w, "POST"), CHSM_SERVICE, w.err);
        assert_lacks(w.err.text, "hunter22");
        assert_false(w.r.sent);
        close_world(&w);
    }
}

/* --ca-file before SSL_CERT_FILE before CURL_CA_BUNDLE before SSL_CERT_DIR. */
static void trust(void **state)
{
    struct server *s = server_new(/* tls= */ true, script), *other = server_new(/* tls= */ true, script);
    const char *good = server_ca(s), *bad = server_ca(other);
    const struct { const char *option, *bundle, *file, *dir; int rc; } v[] = {
        { good, bad, bad, NULL, 0 }, { bad, good, good, NULL, -1 }, { NULL, good, bad, NULL, -1 }, { NULL, bad, good, NULL, 0 },
        { NULL, good, NULL, "/nowhere", 0 }, { NULL, bad, NULL, NULL, -1 },
        { NULL, NULL, good, NULL, 0 }, { NULL, NULL, bad, NULL, -1 }, { NULL, "", good, "", 0 }, { NULL, NULL, good, "/nowhere", 0 },
        { NULL, NULL, NULL, NULL, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        struct chsm_http *h = NULL;
        struct chsm_err err;

        forget_environment();
        (void)(v[i].bundle && setenv("CURL_CA_BUNDLE", v[i].bundle, 1));
        (void)(v[i].file && setenv("SSL_CERT_FILE", v[i].file, 1));
        (void)(v[i].dir && setenv("SSL_CERT_DIR", v[i].dir, 1));
        assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = v[i].option, .timeout = 5000 }, &h, &err), err);
        if (chsm_http_do(h, &(struct chsm_request){ .method = "GET", .url = server_url(s) }, &r, &err) != v[i].rc)
            fail_msg("case %zu", i);
        chsm_http_free(h);
    }
    forget_environment();
    server_free(s);
    server_free(other);
}

static void trust_that_cannot_be_read(void **state)
{
    static const char *const names[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR" };
    struct chsm_http *h = NULL;
    struct chsm_err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        forget_environment();
        setenv(names[i], "/nowhere/ca.pem", 1);
        assert_fails(chsm_http_new(&(struct chsm_http_opts){ 0 }, &h, &err), CHSM_CONFIG, err);
        assert_contains(err.text, "/nowhere/ca.pem");
        assert_contains(err.text, names[i]);
    }
    forget_environment();
    assert_fails(chsm_http_new(&(struct chsm_http_opts){ .ca_file = "/nowhere" }, &h, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "--ca-file");
}

static void trust_that_is_no_certificate(void **state)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct server *s = server_new(/* tls= */ true, script);
    struct chsm_http *h = NULL;
    struct chsm_err err;

    (void)state;
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = "/etc/hostname", .timeout = 5000 }, &h, &err), err);
    assert_fails(chsm_http_do(h, &(struct chsm_request){ .method = "GET", .url = server_url(s) }, &r, &err), CHSM_CONFIG, err);
    assert_true(r.hopeless);
    assert_false(r.sent);
    chsm_http_free(h);
    server_free(s);
}

/* A folder of certificates by hash, as OpenSSL has it. */
static void trust_in_a_folder(void **state)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    char dir[] = "/tmp/chsm-test-certs-XXXXXX";
    struct server *s = server_new(/* tls= */ true, script);
    AUTO_FREE char *link = NULL, *hash = NULL;
    struct chsm_http *h = NULL;
    struct chsm_err err;

    (void)state;
    forget_environment();
    assert_non_null(mkdtemp(dir));
    hash = server_ca_hash(s);
    link = chsm_strf("%s/%s.0", dir, hash);
    assert_int_equal(symlink(server_ca(s), link), 0);
    setenv("SSL_CERT_DIR", dir, 1);
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .timeout = 5000 }, &h, &err), err);
    assert_ok(chsm_http_do(h, &(struct chsm_request){ .method = "GET", .url = server_url(s) }, &r, &err), err);
    chsm_http_free(h);
    server_free(s);
    forget_environment();
    (void)unlink(link);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_of_curl), cmocka_unit_test(password_reaches_the_proxy_alone), cmocka_unit_test(exceptions),
        cmocka_unit_test(never_for_loopback), cmocka_unit_test(never_for_identity_endpoints), cmocka_unit_test(refusals),
        cmocka_unit_test(silent_proxy), cmocka_unit_test(bad_addresses_do_not_show_their_password), cmocka_unit_test(trust),
        cmocka_unit_test(trust_that_cannot_be_read), cmocka_unit_test(trust_that_is_no_certificate), cmocka_unit_test(trust_in_a_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
