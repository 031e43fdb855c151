/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "tests/unit/azure_proxy.h"
#include "util/compat.h"

#define CONNECTIONS_MAX 32

struct tunnel { struct proxy *proxy; int fd; pthread_t thread; };

struct proxy {
    int fd;
    unsigned port, target;
    const char *answer;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint count;
    char head[8192];
    struct tunnel tunnel[CONNECTIONS_MAX];
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static bool readable(const struct proxy *p, int fd)
{
    struct pollfd f = { .fd = fd, .events = POLLIN };

    while (!p->stop)
        if (poll(&f, 1, 20) > 0)
            return true;
    return false;
}

static bool read_head(struct proxy *p, int fd)
{
    size_t n = 0;

    memset(p->head, 0, sizeof p->head);
    while (!strstr(p->head, "\r\n\r\n")) {
        ssize_t got = n + 1 < sizeof p->head && readable(p, fd) ? recv(fd, p->head + n, sizeof p->head - 1 - n, 0) : -1;

        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    return true;
}

/* Bytes in both directions until one side ends. */
static void lead(struct proxy *p, int client)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)p->target) };
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd f[2] = { { .fd = client, .events = POLLIN }, { .fd = server, .events = POLLIN } };
    char bytes[16384];

    must(server >= 0 && connect(server, (struct sockaddr *)&a, sizeof a) == 0, "proxy target");
    while (!p->stop) {
        if (poll(f, 2, 20) <= 0)
            continue;
        for (int i = 0; i < 2; i++) {
            ssize_t n = f[i].revents ? recv(f[i].fd, bytes, sizeof bytes, 0) : 0;

            if (f[i].revents && (n <= 0 || send(f[1 - i].fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)) {
                close(server);
                return;
            }
        }
    }
    close(server);
}

static void *tunnel_main(void *ctx)
{
    static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct tunnel *t = ctx;
    struct proxy *p = t->proxy;
    const char *answer = p->answer ? p->answer : yes;

    if (read_head(p, t->fd)) {
        if (strcmp(answer, "-") == 0)
            while (!p->stop && readable(p, t->fd) && recv(t->fd, &(char){ 0 }, 1, 0) > 0)
                ;
        else
            (void)send(t->fd, answer, strlen(answer), MSG_NOSIGNAL);
        if (!p->answer)
            lead(p, t->fd);
    }
    shutdown(t->fd, SHUT_RDWR);
    close(t->fd);
    return NULL;
}

static void *proxy_main(void *ctx)
{
    struct proxy *p = ctx;

    while (readable(p, p->fd)) {
        struct tunnel *t = &p->tunnel[p->count];

        must(p->count < CONNECTIONS_MAX, "too many connections");
        t->proxy = p;
        t->fd = accept(p->fd, NULL, NULL);
        must(t->fd >= 0 && pthread_create(&t->thread, NULL, tunnel_main, t) == 0, "tunnel");
        p->count++;
    }
    for (unsigned i = 0; i < p->count; i++)
        pthread_join(p->tunnel[i].thread, NULL);
    return NULL;
}

struct proxy *proxy_new(unsigned port, const char *answer)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    struct proxy *p = calloc(1, sizeof *p);

    must(p, "memory");
    (void)signal(SIGPIPE, SIG_IGN);
    p->target = port;
    p->answer = answer;
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    must(p->fd >= 0 && bind(p->fd, (struct sockaddr *)&a, n) == 0 && listen(p->fd, 16) == 0 &&
         getsockname(p->fd, (struct sockaddr *)&a, &n) == 0, "proxy");
    p->port = ntohs(a.sin_port);
    must(pthread_create(&p->thread, NULL, proxy_main, p) == 0, "thread");
    return p;
}

void proxy_free(struct proxy *p)
{
    p->stop = true;
    pthread_join(p->thread, NULL);
    close(p->fd);
    free(p);
}

unsigned proxy_port(const struct proxy *p)
{
    return p->port;
}

unsigned proxy_count(struct proxy *p)
{
    return p->count;
}

const char *proxy_head(struct proxy *p)
{
    return p->head;
}
