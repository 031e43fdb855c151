/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a key, question after question, until it answers or there is no question left. */
#ifndef CHSM_DRILL_ASK_H
#define CHSM_DRILL_ASK_H

#include "keys/challenge.h"
#include "pkcs11/hsm.h"

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

#endif
