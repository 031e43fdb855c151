/* SPDX-License-Identifier: Apache-2.0 */
/* A limit holds wherever an exchange hangs: in the resolver, the connection, the handshake, the answer, between tries. */
#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "tests/unit/azure_world.h"

#define LIMIT_MS 400
#define SLACK_MS 1000           /* "to within a second" */

static atomic_bool released;
static atomic_uint resolving;

/* Stands before the C library's: names under slow.test take until they are released. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict ret)
{
    typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    union { void *p; resolver *f; } next = { .p = dlsym(RTLD_NEXT, "getaddrinfo") };

    if (!node || !strstr(node, "slow.test"))
        return next.f(node, service, hints, ret);
    resolving++;
    for (int i = 0; i < 3000 && !released; i++)
        (void)usleep(10000);
    resolving--;
    return EAI_NONAME;
}

static int listen_with(int backlog, unsigned *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, backlog) == 0 &&
                getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

/* One exchange with a limit: it ends in time, as a deadline. Returns whether it counts as sent. */
static bool ends_in_time(const char *url, const char *ca, const char *method)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_http *h = NULL;
    struct chsm_err err;
    int64_t began;

    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = ca }, &h, &err), err);
    began = chsm_mono();
    (void)chsm_http_limit(h, chsm_deadline_in(LIMIT_MS));
    assert_fails(chsm_http_do(h, &(struct chsm_request){ .method = method, .url = url }, &r, &err), CHSM_DEADLINE, err);
    chsm_http_free(h);          /* this must not wait for the resolver's thread either */
    assert_in_range(chsm_mono() - began, LIMIT_MS - 50, LIMIT_MS + SLACK_MS);
    return r.sent;
}

static void resolver_that_hangs(void **state)
{
    (void)state;
    assert_false(ends_in_time("https://slow.test/x", NULL, "POST"));
    released = true;
    for (int i = 0; i < 300 && resolving; i++)
        (void)usleep(10000);
    (void)usleep(50000);        /* its thread cleans up after us */
}

/* The queue of the listener is full: further connections are not even refused. */
static void connection_that_hangs(void **state)
{
    unsigned port;
    int fd = listen_with(0, &port), held[8];
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    AUTO_FREE char *url = chsm_strf("https://127.0.0.1:%u/x", port);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(held); i++) {
        held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(held[i], (struct sockaddr *)&a, sizeof a);
    }
    assert_false(ends_in_time(url, NULL, "POST"));
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        close(held[i]);
    close(fd);
}

static void handshake_that_hangs(void **state)
{
    unsigned port;
    int fd = listen_with(5, &port);
    AUTO_FREE char *url = chsm_strf("https://127.0.0.1:%u/x", port);

    (void)state;
    assert_false(ends_in_time(url, NULL, "POST"));
    close(fd);
}

static void answers_that_hang(void **state)
{
    static const char *const answers[] = {
        "-", "~HTTP/1.1 200 OK\r\nContent-", "~HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status\":",
        "~HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        const char *const script[] = { answers[i], NULL };
        struct server *s = server_new(/* tls= */ true, script);

        assert_true(ends_in_time(server_url(s), server_ca(s), "POST"));
        server_free(s);
    }
}

/* Tries and the waits between them, and the sign-in before them, share one limit. */
static void tries_and_waits(void **state)
{
    static const char *const busy[] = { ANSWER("503 Busy", "", ""), ANSWER("503 Busy", "", ""), ANSWER("503 Busy", "", ""), NULL };
    static const char *const later[] = { ANSWER("429 Slow", "Retry-After: 600\r\n", ""), NULL };
    static const char *const token[] = { "-", NULL };
    static const struct { const char *const *script; const char *credential; } v[] = {
        { busy, "token" }, { later, "token" }, { token, "environment" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        struct arm_world w;
        int64_t began;

        arm_world_open(&w, v[i].credential, v[i].script);
        began = chsm_mono();
        assert_fails(chsm_arm_do(&w.arm, "GET", "/x", NULL, CHSM_REPEAT_SAFE, chsm_deadline_in(LIMIT_MS), &r, NULL, &w.err),
                     CHSM_DEADLINE, w.err);
        assert_in_range(chsm_mono() - began, 0, LIMIT_MS + SLACK_MS);
        arm_world_close(&w);
    }
}

/* A part of a command that allows itself more time, or any, does not get it. */
static void limit_of_the_command(void **state)
{
    static const char *const script[] = { "-", "-", NULL };
    const chsm_deadline wanted[] = { 0, chsm_deadline_in(60000) };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        struct arm_world w;
        int64_t began = chsm_mono();

        arm_world_open(&w, "token", script);
        (void)chsm_http_limit(w.arm.http, chsm_deadline_in(LIMIT_MS));
        assert_fails(chsm_arm_do(&w.arm, "GET", "/x", NULL, CHSM_REPEAT_SAFE, wanted[i], &r, NULL, &w.err), CHSM_DEADLINE, w.err);
        assert_in_range(chsm_mono() - began, 0, LIMIT_MS + SLACK_MS);
        arm_world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolver_that_hangs), cmocka_unit_test(connection_that_hangs), cmocka_unit_test(handshake_that_hangs),
        cmocka_unit_test(answers_that_hang), cmocka_unit_test(tries_and_waits), cmocka_unit_test(limit_of_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
