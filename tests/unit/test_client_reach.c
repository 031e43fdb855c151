/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ports of nodes: all at once, by a deadline, whatever the resolver does. getaddrinfo() is this file's own. */
#include "config.h"

#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include "client/members.h"

#define LIMIT 400 /* ms; a resolver that hangs has to cost no more than this and a little */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static bool release;
static unsigned hanging;

static struct addrinfo *address_of(const char *text, struct addrinfo *next)
{
    struct addrinfo *one = calloc(1, sizeof *one);
    struct sockaddr_in *v4 = calloc(1, sizeof *v4);

    *v4 = (struct sockaddr_in){ .sin_family = AF_INET };
    (void)inet_pton(AF_INET, text, &v4->sin_addr);
    *one = (struct addrinfo){ .ai_family = AF_INET, .ai_addrlen = sizeof *v4, .ai_addr = (struct sockaddr *)v4, .ai_next = next };
    return one;
}

/* In place of the C library's, since it stands in the program itself. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    (void)service;
    (void)hints;
    if (strcmp(name, "hangs") == 0) {
        (void)pthread_mutex_lock(&lock);
        hanging++;
        while (!release)
            (void)pthread_cond_wait(&released, &lock);
        hanging--;
        (void)pthread_cond_broadcast(&released);
        (void)pthread_mutex_unlock(&lock);
        *ret = address_of("127.0.0.1", NULL);
        return 0;
    }
    if (strcmp(name, "unknown") == 0)
        return EAI_NONAME;
    if (strcmp(name, "later") == 0)
        return EAI_AGAIN;
    *ret = strcmp(name, "two") == 0      ? address_of("127.0.0.99", address_of("127.0.0.1", NULL))
           : strcmp(name, "public") == 0 ? address_of("127.0.0.1", address_of("192.0.2.1", NULL))
                                         : address_of(name, NULL);
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;

        free(list->ai_addr);
        free(list);
        list = next;
    }
}

/* A port at which 127.0.0.1 listens; the socket stays open. */
static unsigned listening_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.sin_port);
}

static void each_node_tells_its_own(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "127.0.0.98", "unknown", "later", "two", "public" };
    struct chsm_reach node[ARRAY_LEN(hosts)] = { { 0 } };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        assert_ok(chsm_reach_init(&node[i], hosts[i], &err), err);
    assert_ok(chsm_reach_all(node, ARRAY_LEN(hosts), listening_port(), chsm_deadline_in(LIMIT), &err), err);
    assert_true(node[0].open && node[0].name == CHSM_NAME_RESOLVED && !node[0].why && !node[0].public);
    assert_true(!node[1].open && node[1].name == CHSM_NAME_RESOLVED);
    assert_contains(node[1].why, "127.0.0.98: Connection refused");
    assert_true(!node[2].open && node[2].name == CHSM_NAME_UNKNOWN);
    assert_contains(node[2].why, "does not resolve");
    assert_true(!node[3].open && node[3].name == CHSM_NAME_NO_ANSWER);
    assert_true(node[4].open && node[4].addresses.n == 2 && !node[4].why);
    assert_true(node[5].open && node[5].public);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        chsm_reach_done(&node[i]);
}

static void a_resolver_that_hangs_costs_the_deadline_and_no_more(void **state)
{
    struct chsm_reach node[3] = { { 0 } };
    int64_t began = chsm_mono();
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_reach_init(&node[0], "hangs", &err), err);
    assert_ok(chsm_reach_init(&node[1], "unknown", &err), err);
    assert_ok(chsm_reach_init(&node[2], "hangs", &err), err);
    assert_ok(chsm_reach_all(node, 3, 1, chsm_deadline_in(LIMIT), &err), err);
    assert_in_range(chsm_mono() - began, LIMIT - 50, LIMIT + 5000);
    assert_true(node[0].name == CHSM_NAME_NO_ANSWER && node[2].name == CHSM_NAME_NO_ANSWER && node[1].name == CHSM_NAME_UNKNOWN);
    assert_contains(node[0].why, "did not answer in time");
    for (size_t i = 0; i < ARRAY_LEN(node); i++)
        chsm_reach_done(&node[i]);
    /* The threads that were left behind come back, find that nobody wants their answers, and leave nothing. */
    (void)pthread_mutex_lock(&lock);
    assert_int_equal(hanging, 2);
    release = true;
    (void)pthread_cond_broadcast(&released);
    while (hanging > 0)
        (void)pthread_cond_wait(&released, &lock);
    (void)pthread_mutex_unlock(&lock);
    (void)usleep(50000);
}

static void members_of_a_cluster(void **state)
{
    json_auto_t *cluster = json_pack("{s:{s:[{s:s,s:s},{s:s},{s:s},{s:n}]}}", "properties", "hsms", "fqdn", "127.0.0.1", "state",
                                     "Started", "fqdn", "127.0.0.1", "fqdn", "127.0.0.1", "fqdn");
    json_auto_t *result = NULL, *crowd = json_pack("{s:{s:[]}}", "properties", "hsms"), *none = NULL;
    enum chsm_member outcome;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_members_look(cluster, listening_port(), chsm_deadline_in(LIMIT), &outcome, &result, &err), err);
    assert_int_equal(outcome, CHSM_MEMBER_FINE);
    assert_int_equal(json_array_size(json_object_get(result, "nodes")), 3);
    for (unsigned i = 0; i < CHSM_REACH_MAX + 1; i++)
        assert_int_equal(
            json_array_append_new(json_object_get(json_object_get(crowd, "properties"), "hsms"), json_pack("{s:s}", "fqdn", "h")),
            0);
    assert_fails(chsm_members_look(crowd, 1, chsm_deadline_in(LIMIT), &outcome, &none, &err), CHSM_SERVICE, err);
    json_array_clear(json_object_get(json_object_get(crowd, "properties"), "hsms"));
    assert_int_equal(
        json_array_append_new(json_object_get(json_object_get(crowd, "properties"), "hsms"), json_pack("{s:s}", "fqdn", "a b")),
        0);
    assert_fails(chsm_members_look(crowd, 1, chsm_deadline_in(LIMIT), &outcome, &none, &err), CHSM_USAGE, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_node_tells_its_own),
        cmocka_unit_test(a_resolver_that_hangs_costs_the_deadline_and_no_more),
        cmocka_unit_test(members_of_a_cluster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
