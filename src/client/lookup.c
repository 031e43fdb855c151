/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include "client/lookup.h"
#include "util/buf.h"

#define SLICE         100 /* ms: how late an interruption is noticed */
#define ADDRESSES_MAX 8u  /* of one name */

/* Shared with the threads; the last one to leave frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned users;
    size_t left; /* names without an answer */
    struct name {
        struct lookup *all;
        char *host;
        struct addrinfo *list;
        int rc;
        bool done;
    } name[CHSM_REACH_MAX];
    size_t n;
};

static void leave(struct lookup *l)
{
    bool last;

    (void)pthread_mutex_lock(&l->lock);
    last = --l->users == 0;
    (void)pthread_mutex_unlock(&l->lock);
    if (!last)
        return;
    for (size_t i = 0; i < l->n; i++) {
        free(l->name[i].host);
        if (l->name[i].list)
            freeaddrinfo(l->name[i].list);
    }
    (void)pthread_cond_destroy(&l->changed);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

static void *resolve(void *p)
{
    static const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct name *name = p;
    struct lookup *l = name->all;
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(name->host, NULL, &hints, &list);

    (void)pthread_mutex_lock(&l->lock);
    name->rc = rc;
    name->list = rc == 0 ? list : NULL;
    name->done = true;
    l->left--;
    (void)pthread_cond_signal(&l->changed);
    (void)pthread_mutex_unlock(&l->lock);
    leave(l);
    return NULL;
}

static int make(const struct chsm_reach *v, size_t n, struct lookup **ret, struct chsm_err *err)
{
    struct lookup *l = calloc(1, sizeof *l);
    pthread_condattr_t attr;

    if (!l)
        return chsm_oom(err);
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&l->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    l->users = 1;
    for (size_t i = 0; i < n; i++) {
        l->name[i].all = l;
        l->name[i].host = strdup(v[i].host);
        l->n++;
        if (!l->name[i].host) {
            leave(l);
            return chsm_oom(err);
        }
    }
    *ret = l;
    return 0;
}

/* Signals are for the thread that waits, not for one that resolves. */
static int start(struct lookup *l, struct chsm_err *err)
{
    sigset_t all, before;
    pthread_attr_t attr;
    int rc = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        pthread_t thread;

        rc = pthread_create(&thread, &attr, resolve, &l->name[i]);
        l->users += rc == 0;
        l->left += rc == 0;
    }
    (void)pthread_mutex_unlock(&l->lock);
    (void)pthread_attr_destroy(&attr);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc != 0 ? chsm_fail(err, CHSM_SERVICE, "cannot start a thread: %s", strerrordesc_np(rc)) : 0;
}

static void wait_all(struct lookup *l, chsm_deadline deadline)
{
    (void)pthread_mutex_lock(&l->lock);
    while (l->left > 0 && chsm_deadline_left(deadline) > 0 && !chsm_interrupted()) {
        int64_t left = chsm_deadline_left(deadline), until = chsm_mono() + (left < SLICE ? left : SLICE);
        struct timespec t = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };

        (void)pthread_cond_timedwait(&l->changed, &l->lock, &t);
    }
    (void)pthread_mutex_unlock(&l->lock);
}

static int take_addresses(const struct addrinfo *list, struct chsm_reach *r, struct chsm_err *err)
{
    for (; list && r->addresses.n < ADDRESSES_MAX; list = list->ai_next) {
        char text[INET6_ADDRSTRLEN] = "";
        union {
            struct sockaddr any;
            struct sockaddr_in v4;
            struct sockaddr_in6 v6;
        } a;

        if (list->ai_addrlen > sizeof a)
            continue;
        memcpy(&a, list->ai_addr, list->ai_addrlen);
        if (!inet_ntop(a.any.sa_family, a.any.sa_family == AF_INET6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr, text,
                       sizeof text))
            continue;
        r->public = r->public || !chsm_reach_private(text);
        if (chsm_paths_add(&r->addresses, text, err) < 0)
            return -1;
    }
    return 0;
}

static int take(const struct name *name, struct chsm_reach *r, struct chsm_err *err)
{
    r->name = !name->done || name->rc == EAI_AGAIN ? CHSM_NAME_NO_ANSWER : name->rc == 0 ? CHSM_NAME_RESOLVED : CHSM_NAME_UNKNOWN;
    if (r->name == CHSM_NAME_RESOLVED)
        return take_addresses(name->list, r, err);
    r->why = name->done ? chsm_strf("the name does not resolve: %s", gai_strerror(name->rc))
                        : strdup("the resolver did not answer in time");
    return r->why ? 0 : chsm_oom(err);
}

int chsm_lookup_all(struct chsm_reach *v, size_t n, chsm_deadline deadline, struct chsm_err *err)
{
    struct lookup *l = NULL;
    int rc;

    assert(n <= CHSM_REACH_MAX);
    if (make(v, n, &l, err) < 0)
        return -1;
    rc = start(l, err);
    if (rc == 0) {
        wait_all(l, deadline);
        (void)pthread_mutex_lock(&l->lock);
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = take(&l->name[i], &v[i], err);
        (void)pthread_mutex_unlock(&l->lock);
    }
    leave(l);
    return rc == 0 && chsm_interrupted() ? chsm_fail(err, CHSM_INTERRUPTED, "interrupted") : rc;
}
