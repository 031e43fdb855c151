/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP gate against a server that misbehaves on purpose. */
#include "config.h"

#include "azure/http.h"
#include "azure/http_headers.h"
#include "tests/unit/azure_server.h"
#include "tests/unit/check.h"
#include "util/log.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

struct world {
    struct server *server;
    struct chsm_http *http;
    struct chsm_response r;
    struct chsm_err err;
    char url[128];
};

static void open_world(struct world *w, bool tls, const char *const *script)
{
    *w = (struct world){ .server = server_new(tls, script) };
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = server_ca(w->server), .timeout = 5000 }, &w->http, &w->err),
              w->err);
    (void)snprintf(w->url, sizeof w->url, "%s/a//b%%2Dc/../d?x=%%41&s=secret", server_url(w->server));
}

static void close_world(struct world *w)
{
    chsm_response_done(&w->r);
    chsm_http_free(w->http);
    server_free(w->server);
}

static int get(struct world *w)
{
    chsm_response_done(&w->r);
    return chsm_http_do(w->http, &(struct chsm_request){ .method = "GET", .url = w->url, .plain_ok = true }, &w->r, &w->err);
}

static int post(struct world *w)
{
    chsm_response_done(&w->r);
    return chsm_http_do(w->http, &(struct chsm_request){ .method = "POST", .url = w->url, .plain_ok = true,
                        .content_type = "application/json", .body = "{}", .body_len = 2 }, &w->r, &w->err);
}

static void answer_is_read(void **state)
{
    static const char *const script[] = {
        "HTTP/1.1 202 Accepted\r\nlocation: https://x/y?s=1\r\nAzure-AsyncOperation:https://x/z \r\nRetry-After: 7\r\n"
        "x-ms-request-id: rid\r\nX-MS-Correlation-Request-Id: cid\r\nContent-Length: 0\r\n\r\n", NULL };
    struct world w;

    (void)state;
    open_world(&w, false, script);
    assert_ok(get(&w), w.err);
    assert_int_equal(w.r.status, 202);
    assert_string_equal(w.r.location, "https://x/y?s=1");
    assert_string_equal(w.r.async_operation, "https://x/z");
    assert_string_equal(w.r.request_id, "rid");
    assert_string_equal(w.r.correlation_id, "cid");
    assert_int_equal(w.r.retry_after, 7);
    assert_true(w.r.sent);
    /* Byte for byte: no dots resolved, no escapes rewritten. */
    assert_contains(server_request(w.server, 0), "GET /a//b%2Dc/../d?x=%41&s=secret HTTP/1.1\r\n");
    close_world(&w);
}

static void long_location(void **state)
{
    char location[60000];
    const char *script[] = { NULL, NULL };
    char *text = NULL;
    struct world w;

    (void)state;
    memset(location, 'c', sizeof location - 1);
    location[sizeof location - 1] = '\0';
    assert_true(asprintf(&text, "HTTP/1.1 202 Accepted\r\nLocation: https://x/%s\r\nContent-Length: 0\r\n\r\n", location) > 0);
    script[0] = text;
    open_world(&w, false, script);
    assert_ok(get(&w), w.err);
    assert_int_equal(strlen(w.r.location), strlen("https://x/") + sizeof location - 1);
    close_world(&w);
    free(text);
}

static void header_too_long(void **state)
{
    const char *script[] = { NULL, NULL };
    char *text = malloc(CHSM_HTTP_HEADER_MAX + 200);
    struct world w;

    (void)state;
    assert_non_null(text);
    memset(text, 'c', CHSM_HTTP_HEADER_MAX + 200);
    memcpy(text, "HTTP/1.1 200 OK\r\nLocation: https://x/", 37);
    memcpy(text + CHSM_HTTP_HEADER_MAX + 100, "\r\nContent-Length: 0\r\n\r\n", 24);
    script[0] = text;
    open_world(&w, false, script);
    assert_fails(get(&w), CHSM_SERVICE, w.err);
    assert_false(w.r.hopeless);
    close_world(&w);
    free(text);
}

static void body_too_large(void **state)
{
    size_t n = CHSM_HTTP_BODY_MAX + 1;
    const char *script[] = { NULL, NULL };
    char *text = malloc(n + 128);
    struct world w;
    int head;

    (void)state;
    assert_non_null(text);
    head = snprintf(text, 128, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
    memset(text + head, 'x', n);
    text[(size_t)head + n] = '\0';
    script[0] = text;
    open_world(&w, false, script);
    assert_fails(get(&w), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "more than 8388608 bytes");
    assert_true(w.r.sent);
    assert_false(w.r.hopeless);
    assert_int_equal(w.r.status, 0);
    close_world(&w);
    free(text);
}

static void cut_answers(void **state)
{
    static const char *const script[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status\":\"Succeeded\"}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200", "", NULL };
    struct world w;

    (void)state;
    open_world(&w, false, script);
    for (size_t i = 0; script[i]; i++) {
        assert_fails(get(&w), CHSM_SERVICE, w.err);
        assert_true(w.r.sent);
        assert_int_equal(w.r.status, 0);
        assert_lacks(w.err.text, "secret");
    }
    close_world(&w);
}

static void redirects_are_answers(void **state)
{
    static const char *const script[] = { "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", OK, NULL };
    struct world w;

    (void)state;
    open_world(&w, false, script);
    assert_ok(get(&w), w.err);
    assert_int_equal(w.r.status, 302);
    assert_int_equal(server_count(w.server), 1);
    close_world(&w);
}

/* libcurl would send the POST a second time on a new connection here, and both might start a job. */
static void post_is_never_repeated(void **state)
{
    static const char *const script[] = { "+" OK, "", OK, OK, NULL };
    struct world w;

    (void)state;
    open_world(&w, false, script);
    assert_ok(get(&w), w.err);
    assert_fails(post(&w), CHSM_SERVICE, w.err);
    assert_true(w.r.sent);
    assert_int_equal(server_count(w.server), 2);
    close_world(&w);
}

static int put(struct world *w)
{
    chsm_response_done(&w->r);
    return chsm_http_do(w->http, &(struct chsm_request){ .method = "PUT", .url = w->url, .plain_ok = true, .twice_ok = true,
                        .content_type = "application/json", .body = "{}", .body_len = 2 }, &w->r, &w->err);
}

/* What may happen twice uses the kept connection, and survives its end; what may not gets one of its own. */
static void connections_are_kept(void **state)
{
    static const char *const script[] = { "+" OK, "+" OK, "+" OK, "+" OK, "+" OK, "", OK, NULL };
    struct world w;

    (void)state;
    open_world(&w, true, script);
    assert_ok(get(&w), w.err);
    assert_ok(put(&w), w.err);
    assert_ok(put(&w), w.err);
    assert_int_equal(server_connections(w.server), 1);
    assert_ok(post(&w), w.err);
    assert_int_equal(server_connections(w.server), 2);
    assert_ok(get(&w), w.err);
    assert_int_equal(server_connections(w.server), 2);
    assert_ok(put(&w), w.err);      /* the connection dies under it; libcurl asks again */
    assert_int_equal(server_count(w.server), 7);
    close_world(&w);
}

#define PACKED(encoding, hex) "HTTP/1.1 200 OK\r\nContent-Encoding: " encoding "\r\nConnection: close\r\n\r\n#" hex
#define SUCCEEDED_GZ "1f8b0800000000000203ab562a2e492c292d56b2520a2e4d4e4e4d4d494d51aa050020887be416000000"
/* 9 MiB of zeros, packed twice. */
#define BOMB_GZ_GZ \
        "1f8b0800000000000203edd8bd11c1701c80e15fc49d50300266b0431a8d46ad50650ab9536ab2883343a6c8d9216ce0eb3f" \
        "86dcf354ef0ceff2524432cafb36cb7e5137efdbb398050000003070f5fd9ca71910ab4f57eef6000000c0d0558bf934bd80" \
        "f1ebf4986ccc11f84787eb767d8c68e20b1335bff0f4230000" 

static int get_packed(struct world *w)
{
    chsm_response_done(&w->r);
    return chsm_http_do(w->http, &(struct chsm_request){ .method = "GET", .url = w->url }, &w->r, &w->err);
}

static void compressed_answers(void **state)
{
    static const char *const script[] = {
        PACKED("gzip", SUCCEEDED_GZ), PACKED("gzip, gzip", BOMB_GZ_GZ), PACKED("gzip", "1f8b0800000000000203"),
        PACKED("gzip", "1f8b08ff"), PACKED("rot13", "7b7d"), PACKED("gzip", "7b7d"), PACKED("gzip", ""), NULL };
    struct world w;

    (void)state;
    open_world(&w, true, script);
    assert_ok(get_packed(&w), w.err);
    assert_contains(server_request(w.server, 0), "Accept-Encoding: gzip\r\n");
    assert_string_equal(chsm_buf_str(&w.r.body), "{\"status\":\"Succeeded\"}");
    assert_fails(get_packed(&w), CHSM_SERVICE, w.err);      /* the bound is that of the unpacked body */
    assert_contains(w.err.text, "more than 8388608 bytes");
    assert_fails(get_packed(&w), CHSM_SERVICE, w.err);      /* cut off before the first byte of the body */
    assert_fails(get_packed(&w), CHSM_SERVICE, w.err);
    assert_fails(get_packed(&w), CHSM_SERVICE, w.err);
    assert_fails(get_packed(&w), CHSM_SERVICE, w.err);
    assert_ok(get_packed(&w), w.err);                       /* nothing at all is an empty body */
    assert_int_equal(w.r.body.len, 0);
    close_world(&w);
}

/* 70 headers that are fine one by one. */
static void headers_too_large_together(void **state)
{
    const char *script[] = { NULL, NULL };
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    struct world w;

    (void)state;
    open_world(&w, false, script);
    assert_ok(chsm_buf_adds(&text, "HTTP/1.1 200 OK\r\n", &w.err), w.err);
    for (int i = 0; i < 70; i++)
        assert_ok(chsm_buf_addf(&text, &w.err, "X-%d: %04000d\r\n", i, 0), w.err);
    assert_ok(chsm_buf_adds(&text, "Content-Length: 0\r\n\r\n", &w.err), w.err);
    script[0] = chsm_buf_str(&text);
    assert_fails(get(&w), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "headers of the answer are larger than 262144 bytes");
    assert_false(w.r.hopeless);
    close_world(&w);
}

static void not_sent(void **state)
{
    static const char *const script[] = { NULL };
    struct world w;

    (void)state;
    open_world(&w, false, script);
    (void)snprintf(w.url, sizeof w.url, "http://127.0.0.1:1/");     /* nobody listens there */
    assert_fails(post(&w), CHSM_SERVICE, w.err);
    assert_false(w.r.sent);
    (void)snprintf(w.url, sizeof w.url, "http://no-such-host.invalid/");
    assert_fails(post(&w), CHSM_SERVICE, w.err);
    assert_false(w.r.sent);
    close_world(&w);
}

static void time_out(void **state)
{
    static const char *const script[] = { "-", NULL };
    struct world w;

    (void)state;
    open_world(&w, false, script);
    (void)chsm_http_limit(w.http, chsm_deadline_in(300));
    assert_fails(get(&w), CHSM_DEADLINE, w.err);
    assert_true(w.r.sent);
    assert_ok(chsm_sleep(20, 0, &w.err), w.err);   /* the exchange may end a millisecond before the deadline */
    assert_fails(get(&w), CHSM_DEADLINE, w.err);    /* nothing is sent any more */
    assert_false(w.r.sent);
    assert_int_equal(server_count(w.server), 1);
    close_world(&w);
}

static void tls(void **state)
{
    static const char *const script[] = { OK, OK, NULL };
    struct chsm_secret token = { 0 };
    struct world w;

    (void)state;
    open_world(&w, true, script);
    assert_ok(chsm_secret_set(&token, "t0ken", 5, &w.err), w.err);
    assert_ok(chsm_http_do(w.http, &(struct chsm_request){ .method = "GET", .url = w.url, .bearer = &token }, &w.r, &w.err),
              w.err);
    assert_contains(server_request(w.server, 0), "\r\nAuthorization: Bearer t0ken\r\n");
    chsm_secret_done(&token);
    close_world(&w);
}

static void untrusted_certificate(void **state)
{
    static const char *const script[] = { OK, NULL };
    struct world w, other;

    (void)state;
    open_world(&w, true, script);
    open_world(&other, true, script);
    (void)snprintf(w.url, sizeof w.url, "%s/", server_url(other.server));
    assert_fails(post(&w), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "not trusted");
    assert_contains(w.err.hint, "SSL_CERT_FILE");
    assert_false(w.r.sent);
    assert_true(w.r.hopeless);
    assert_int_equal(server_count(other.server), 0);
    close_world(&other);
    close_world(&w);
}

static void plain_http_is_refused(void **state)
{
    static const char *const script[] = { OK, NULL };
    struct chsm_secret token = { 0 };
    struct world w;

    (void)state;
    open_world(&w, false, script);
    assert_fails(chsm_http_do(w.http, &(struct chsm_request){ .method = "GET", .url = w.url }, &w.r, &w.err), CHSM_SERVICE,
                 w.err);
    assert_ok(chsm_secret_set(&token, "t0ken", 5, &w.err), w.err);
    chsm_response_done(&w.r);
    assert_fails(chsm_http_do(w.http, &(struct chsm_request){ .method = "GET", .url = w.url, .bearer = &token, .plain_ok = true },
                              &w.r,
                              &w.err), CHSM_SERVICE, w.err);
    chsm_secret_set(&token, "a\r\nX: y", 7, &w.err) == 0 ? (void)0 : fail();
    (void)snprintf(w.url, sizeof w.url, "https://localhost:1/");
    chsm_response_done(&w.r);
    assert_fails(chsm_http_do(w.http, &(struct chsm_request){ .method = "GET", .url = w.url, .bearer = &token }, &w.r, &w.err),
                 CHSM_SERVICE,
                 w.err);
    assert_contains(w.err.text, "control character");
    assert_int_equal(server_count(w.server), 0);
    chsm_secret_done(&token);
    close_world(&w);
}

static void proxy_is_bypassed(void **state)
{
    static const char *const script[] = { OK, NULL };
    struct world w;

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    open_world(&w, true, script);
    assert_ok(get(&w), w.err);
    close_world(&w);
    unsetenv("http_proxy");
    unsetenv("https_proxy");
}

static void collect(void *ctx, enum chsm_level level, const char *line)
{
    (void)level;
    if (chsm_buf_addf(ctx, NULL, "%s\n", line) < 0)
        abort();
}

static void log_shows_no_secret(void **state)
{
    static const char *const script[] = {
        "HTTP/1.1 200 OK\r\nx-ms-request-id: rid\r\nContent-Length: 22\r\n\r\n{\"access_token\":\"b0dy\"}", NULL };
    AUTO_BUF struct chsm_buf seen = CHSM_BUF(65536);
    struct chsm_secret token = { 0 };
    struct world w;

    (void)state;
    open_world(&w, true, script);
    assert_ok(chsm_secret_set(&token, "t0ken", 5, &w.err), w.err);
    chsm_log_open(collect, &seen, CHSM_LOG_DEBUG);
    assert_ok(chsm_http_do(w.http, &(struct chsm_request){ .method = "GET", .url = w.url, .bearer = &token }, &w.r, &w.err),
              w.err);
    chsm_log_open(NULL, NULL, CHSM_LOG_NOTE);
    assert_contains(chsm_buf_str(&seen), "GET https://localhost:");
    assert_contains(chsm_buf_str(&seen), ": 200 (");
    assert_contains(chsm_buf_str(&seen), "rid");
    assert_lacks(chsm_buf_str(&seen), "secret");
    assert_lacks(chsm_buf_str(&seen), "t0ken");
    assert_lacks(chsm_buf_str(&seen), "b0dy");
    chsm_secret_done(&token);
    close_world(&w);
}

static void retry_after(void **state)
{
    int64_t now = 1445412480000;    /* Wed, 21 Oct 2015 07:28:00 GMT */

    (void)state;
    assert_int_equal(chsm_retry_after_parse("5", now), 5);
    assert_int_equal(chsm_retry_after_parse("0", now), 0);
    assert_int_equal(chsm_retry_after_parse("100000", now), 600);
    assert_int_equal(chsm_retry_after_parse("99999999999999999999999", now), 600);
    assert_int_equal(chsm_retry_after_parse("Wed, 21 Oct 2015 07:28:30 GMT", now), 30);
    assert_int_equal(chsm_retry_after_parse("Wed, 21 Oct 2015 07:00:00 GMT", now), 0);
    assert_int_equal(chsm_retry_after_parse("5 minutes", now), -1);
    assert_int_equal(chsm_retry_after_parse("-1", now), -1);
    assert_int_equal(chsm_retry_after_parse("", now), -1);
    assert_int_equal(chsm_retry_after_ms("0"), 0);
    assert_int_equal(chsm_retry_after_ms("1"), 1);      /* never earlier than asked */
    assert_int_equal(chsm_retry_after_ms("2000"), 2);
    assert_int_equal(chsm_retry_after_ms("2001"), 3);
    assert_int_equal(chsm_retry_after_ms("99999999999999999999999"), 600);
    assert_int_equal(chsm_retry_after_ms("1.5"), -1);
    assert_int_equal(chsm_retry_after_ms("-1"), -1);
    assert_int_equal(chsm_retry_after_ms(""), -1);
}

static void retry_after_headers(void **state)
{
    static const struct { const char *headers; long wanted; } cases[] = {
        { "retry-after-ms: 1500\r\n", 2 }, { "X-MS-Retry-After-Ms: 3000\r\n", 3 },
        { "Retry-After: 1\r\nretry-after-ms: 9000\r\n", 9 },
        { "Retry-After: 20\r\nx-ms-retry-after-ms: 300\r\n", 20 }, { "Retry-After: 4\r\nRetry-After: soon\r\n", 4 },
        { "Retry-After: soon\r\n", -1 }, { "x-retry-after: 5\r\n", -1 }, { "Retry-After: 86400\r\n", 600 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = chsm_strf("HTTP/1.1 429 Slow\r\n%sContent-Length: 0\r\n\r\n", cases[i].headers);
        const char *const script[] = { text, NULL };
        struct world w;

        open_world(&w, false, script);
        assert_ok(get(&w), w.err);
        assert_int_equal(w.r.retry_after, cases[i].wanted);
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_is_read), cmocka_unit_test(long_location), cmocka_unit_test(header_too_long),
        cmocka_unit_test(body_too_large), cmocka_unit_test(cut_answers), cmocka_unit_test(redirects_are_answers),
        cmocka_unit_test(post_is_never_repeated), cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(compressed_answers), cmocka_unit_test(headers_too_large_together),
        cmocka_unit_test(not_sent), cmocka_unit_test(time_out), cmocka_unit_test(tls),
        cmocka_unit_test(untrusted_certificate), cmocka_unit_test(plain_http_is_refused), cmocka_unit_test(proxy_is_bypassed),
        cmocka_unit_test(log_shows_no_secret), cmocka_unit_test(retry_after),
        cmocka_unit_test(retry_after_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
