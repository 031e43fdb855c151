/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a key, question after question, until it answers or there is no question left. */
#ifndef CHSM_DRILL_ASK_H
#define CHSM_DRILL_ASK_H

#include "keys/challenge.h"
#include "pkcs11/hsm.h"
#include "util/buf.h"

/* chsm_challenge_make() or chsm_challenge_record(). */
typedef int chsm_question_fn(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err);

struct chsm_asked {
    struct chsm_challenge c;    /* the question that was answered */
    struct chsm_bytes answer;   /* not checked yet */
    bool refused;               /* no answer: something was asked, and the HSM refused all of it */
    bool possible;              /* no answer: nothing was asked, though a proof could have been had */
    char *why;                  /* no answer: the reason, for people */
};
void chsm_asked_done(struct chsm_asked *a);
#define AUTO_ASKED AUTO(chsm_asked_done)

/*
 * Asks key `index` of the list what `question` thinks of for `key` (its own record, or the source's). 0 with question and
 * answer, 1 with the reason why there is no answer, -1 when the session is gone. A refusal leads to the next question only
 * when chsm_challenge_try_next() says so.
 */
CHSM_MUST_CHECK int chsm_ask(struct chsm_hsm *hsm, size_t index, const struct chsm_record *key, chsm_question_fn *question,
                             struct chsm_asked *ret, struct chsm_err *err);

/* One of many keys that are asked: filled by the caller as the arguments of chsm_ask(), the rest 0. */
struct chsm_asking {
    size_t index;
    const struct chsm_record *key;
    chsm_question_fn *question;
    void *user;                 /* the caller's */
    /* When it is done: */
    int rc;                     /* what chsm_ask() would return, never -1 */
    struct chsm_asked asked;    /* the caller runs chsm_asked_done() */
    /* Inside: */
    unsigned attempt;
    struct chsm_buf refusals;
    unsigned long last;
};

/* -1 ends it all. */
typedef int chsm_asked_fn(void *ctx, struct chsm_asking *a, struct chsm_err *err);

/*
 * Asks all n keys, several at once where the session has room for that; done() is called for each when it is, in no order. -1 when the
 * session is gone, or done() said so; then some have not been asked.
 */
CHSM_MUST_CHECK int chsm_ask_all(struct chsm_hsm *hsm, struct chsm_asking *v, size_t n, chsm_asked_fn *done, void *ctx, struct chsm_err *err);

#endif
