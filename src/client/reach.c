/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "client/lookup.h"
#include "util/buf.h"

#define SLICE     100 /* ms: how late an interruption is noticed */
#define TRIES_MAX 64u /* connections that are tried at the same time */

struct
try {
    struct chsm_reach *node;
    const char *address; /* borrowed from the node */
    int fd;              /* -1 = over */
};

void chsm_reach_done(struct chsm_reach *r)
{
    free(r->host);
    free(r->why);
    chsm_paths_done(&r->addresses);
    *r = (struct chsm_reach){ 0 };
}

int chsm_reach_init(struct chsm_reach *r, const char *host, struct chsm_err *err)
{
    *r = (struct chsm_reach){ .host = strdup(host), .name = CHSM_NAME_NO_ANSWER };
    return r->host ? 0 : chsm_oom(err);
}

static bool private_v4(uint32_t a)
{
    return a >> 24 == 10 || a >> 24 == 127 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe ||
           a >> 22 == 0x64400000u >> 22;
}

bool chsm_reach_private(const char *address)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, address, &v4) == 1)
        return private_v4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, address, &v6) != 1)
        return false;
    return (v6.s6_addr[0] & 0xfe) == 0xfc || (v6.s6_addr[0] == 0xfe && (v6.s6_addr[1] & 0xc0) == 0x80) ||
           IN6_IS_ADDR_LOOPBACK(&v6);
}

/* The reason that is shown is the last one: what was said of an address does not matter when another one answers. */
static int note_why(struct chsm_reach *r, const char *address, int why, struct chsm_err *err)
{
    free(r->why);
    r->why = chsm_strf("%s: %s", address, why ? strerrordesc_np(why) : "no answer in time");
    return r->why ? 0 : chsm_oom(err);
}

static int start(struct chsm_reach *r, const char *address, unsigned port, struct try *t, struct chsm_err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = { 0 };
    socklen_t n = sizeof a.v4;
    int why;

    *t = (struct try){ .node = r, .address = address, .fd = -1 };
    if (inet_pton(AF_INET, address, &a.v4.sin_addr) == 1) {
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons((uint16_t)port);
    } else {
        n = sizeof a.v6;
        a.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
        if (inet_pton(AF_INET6, address, &a.v6.sin6_addr) != 1)
            return 0;
    }
    t->fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (t->fd >= 0 && (connect(t->fd, &a.any, n) == 0 || errno == EINPROGRESS))
        return 0;
    why = errno;
    chsm_auto_close_(&t->fd);
    return note_why(r, address, why, err);
}

static int finish(struct try *t, int64_t ms, struct chsm_err *err)
{
    socklen_t n = sizeof(int);
    int why = 0, rc = 0;

    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0)
        why = errno;
    if (why == 0 && !t->node->open) {
        t->node->open = true;
        t->node->ms = ms;
    }
    if (why != 0)
        rc = note_why(t->node, t->address, why, err);
    chsm_auto_close_(&t->fd);
    return rc;
}

/* One turn of waiting; *ret_left = tries that are not over. */
static int turn(struct try *tries, size_t n, int64_t began, chsm_deadline deadline, size_t *ret_left, struct chsm_err *err)
{
    struct pollfd fds[TRIES_MAX];
    int64_t left = chsm_deadline_left(deadline);

    *ret_left = 0;
    for (size_t i = 0; i < n; i++) {
        if (tries[i].fd >= 0 && tries[i].node->open)
            chsm_auto_close_(&tries[i].fd);
        fds[i] = (struct pollfd){ .fd = tries[i].fd, .events = POLLOUT };
        *ret_left += tries[i].fd >= 0;
    }
    if (*ret_left == 0)
        return 0;
    if (poll(fds, n, (int)(left < SLICE ? left : SLICE)) <= 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (tries[i].fd >= 0 && fds[i].revents && finish(&tries[i], chsm_mono() - began, err) < 0)
            return -1;
    return 0;
}

static int connect_all(struct try *tries, size_t n, chsm_deadline deadline, struct chsm_err *err)
{
    int64_t began = chsm_mono();
    size_t left = n;

    while (left > 0 && chsm_deadline_left(deadline) > 0) {
        if (chsm_interrupted())
            return chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
        if (turn(tries, n, began, deadline, &left, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < n; i++)
        if (tries[i].fd >= 0 && !tries[i].node->open && !tries[i].node->why &&
            note_why(tries[i].node, tries[i].node->host, 0, err) < 0)
            return -1;
    return 0;
}

int chsm_reach_all(struct chsm_reach *v, size_t n, unsigned port, chsm_deadline deadline, struct chsm_err *err)
{
    struct try tries[TRIES_MAX];
    size_t tried = 0;
    int rc;

    if (chsm_lookup_all(v, n, deadline, err) < 0)
        return -1;
    rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        for (size_t k = 0; k < v[i].addresses.n && tried < TRIES_MAX && rc == 0; k++)
            rc = start(&v[i], v[i].addresses.v[k], port, &tries[tried++], err);
    if (rc == 0)
        rc = connect_all(tries, tried, deadline, err);
    for (size_t i = 0; i < tried; i++)
        chsm_auto_close_(&tries[i].fd);
    for (size_t i = 0; i < n; i++)
        if (v[i].open)
            chsm_auto_free_(&v[i].why);
    return rc;
}
