/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several sessions of one login, each with a thread of its own: what costs a round trip to an HSM is then waited for side by
 * side. The main session stays with the thread that called; the others are helpers, and may fail without harm.
 */
#ifndef CHSM_PKCS11_CREW_H
#define CHSM_PKCS11_CREW_H

#include <pthread.h>

#include "pkcs11/session.h"

#define CHSM_CREW_MAX 64u           /* sessions, the main one included; no more than places in the page of wire.h */
#define CHSM_CREW_AUTO_MAX 16u      /* of them when nobody asked for a number */

struct chsm_helper {
    struct chsm_session s;          /* a view with one session of its own */
    struct chsm_crew *crew;
    pthread_t thread;
};

struct chsm_crew {
    struct chsm_session *s;         /* the main view, borrowed */
    unsigned limit;                 /* sessions that may be used */
    bool measured;                  /* nobody asked for that number: more only while it pays */
    void (*work)(struct chsm_helper *h, void *ctx);
    void *ctx;
    struct chsm_helper helper[CHSM_CREW_MAX - 1];
    unsigned running;               /* helpers at work */
    bool patient;                   /* helpers work also while they have no session */
};

/* Prepares for `jobs` sessions (0 = measured); no thread is started. `s` must be open and outlives the crew. */
void chsm_crew_init(struct chsm_crew *c, struct chsm_session *s, unsigned long jobs);

/*
 * Has work(helper, ctx) run by helpers until, with the caller, `sessions` are at work or the limit is reached. Each opens its
 * session itself, in its thread, and goes home when the token has no more of them (CKR_SESSION_COUNT) or any other error stands
 * in the way.
 */
void chsm_crew_grow(struct chsm_crew *c, unsigned sessions, void (*work)(struct chsm_helper *h, void *ctx), void *ctx);

/* Waits for all helpers. Their sessions stay open for the next time. */
void chsm_crew_join(struct chsm_crew *c);

/* How many sessions are open, the main one included: what listing has found to be of use. */
unsigned chsm_crew_sessions(const struct chsm_crew *c);

/* Forgets the helpers' sessions, which the token has ended; no helper may be at work. */
void chsm_crew_forget(struct chsm_crew *c);

/* Closes the helpers' sessions; no helper may be at work. */
void chsm_crew_close(struct chsm_crew *c);

#endif
