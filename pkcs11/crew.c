/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <signal.h>

#include "pkcs11/crew.h"
#include "pkcs11/wire.h"

static_assert(CHSM_CREW_MAX <= CHSM_WIRE_CALLS, "each session's thread needs a place in the page");

void chsm_crew_init(struct chsm_crew *c, struct chsm_session *s, unsigned long jobs)
{
    memset(c, 0, sizeof *c);
    c->s = s;
    c->measured = jobs == 0;
    c->limit = jobs == 0 ? CHSM_CREW_AUTO_MAX : jobs < CHSM_CREW_MAX ? (unsigned)jobs : CHSM_CREW_MAX;
    if (s->sessions_max > 0 && c->limit > s->sessions_max)
        c->limit = (unsigned)s->sessions_max;
    if (s->one_thread)
        c->limit = 1;
}

static void *run(void *arg)
{
    struct chsm_helper *h = arg;

    if (chsm_session_for_proofs(&h->s) != CK_INVALID_HANDLE || h->crew->patient)
        h->crew->work(h, h->crew->ctx);
    return NULL;
}

/* A view of the main session for thread number i: the same login, another session, another place in the page. */
static void prepare(struct chsm_crew *c, unsigned i)
{
    struct chsm_helper *h = &c->helper[i];
    CK_SESSION_HANDLE mine = h->s.main;

    h->crew = c;
    h->s = *c->s;
    h->s.helper = true;
    h->s.main = mine;
    h->s.proofs = CK_INVALID_HANDLE;
    /* A login for one operation is the main session's to do: failures are counted, and there is one try for all. */
    h->s.pin = (struct chsm_secret){ 0 };
    if (h->s.ck.call)
        h->s.ck.call += i + 1;
}

static int start(struct chsm_helper *h)
{
    sigset_t all, before;
    int rc;

    /* Signals are for the main thread. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    rc = pthread_create(&h->thread, NULL, run, h);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : -1;
}

void chsm_crew_grow(struct chsm_crew *c, unsigned sessions, void (*work)(struct chsm_helper *h, void *ctx), void *ctx)
{
    c->work = work;
    c->ctx = ctx;
    while (c->running + 1 < sessions && c->running + 1 < c->limit) {
        struct chsm_helper *h = &c->helper[c->running];

        prepare(c, c->running);
        if (start(h) < 0)
            return;
        c->running++;
    }
}

void chsm_crew_join(struct chsm_crew *c)
{
    for (unsigned i = 0; i < c->running; i++)
        (void)pthread_join(c->helper[i].thread, NULL);
    c->running = 0;
}

unsigned chsm_crew_sessions(const struct chsm_crew *c)
{
    unsigned n = 1;

    for (unsigned i = 0; i < ARRAY_LEN(c->helper); i++)
        n += c->helper[i].s.main != CK_INVALID_HANDLE;
    return n;
}

void chsm_crew_forget(struct chsm_crew *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(c->helper); i++)
        c->helper[i].s.main = CK_INVALID_HANDLE;
}

void chsm_crew_close(struct chsm_crew *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(c->helper); i++)
        if (c->helper[i].s.main != CK_INVALID_HANDLE)
            chsm_session_reset_proofs(&c->helper[i].s);
}
