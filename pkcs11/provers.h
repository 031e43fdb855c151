/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs on the helpers' sessions, several at once. What goes wrong there in a way that says nothing of the key is asked again, alone. */
#ifndef CHSM_PKCS11_PROVERS_H
#define CHSM_PKCS11_PROVERS_H

#include "pkcs11/crew.h"
#include "pkcs11/list.h"
#include "pkcs11/wire.h"

struct chsm_task {
    size_t index;               /* in the listing */
    unsigned ticket;            /* by which the program knows the answer */
    char *kind;
    struct chsm_bytes input;
};
void chsm_task_done(struct chsm_task *t);

struct chsm_provers {
    pthread_mutex_t lock;       /* of the queue */
    pthread_cond_t news;
    pthread_mutex_t sending;    /* one frame at a time */
    struct chsm_task queue[CHSM_WIRE_TICKETS];
    unsigned at, n;
    bool stop;
    bool at_work;               /* helpers are running */
    const struct chsm_listing *listing;
};

void chsm_provers_init(struct chsm_provers *p);

/* Takes the task over (it is empty afterwards); the answer is sent by a helper. CHSM_PKCS11 when there are too many. */
CHSM_MUST_CHECK int chsm_provers_add(struct chsm_provers *p, struct chsm_crew *crew, const struct chsm_listing *listing,
                                     struct chsm_task *task, struct chsm_err *err);

/* Waits for all answers, and for the helpers to go home. */
void chsm_provers_rest(struct chsm_provers *p, struct chsm_crew *crew);

/* Sends an answer, or the refusal `rv` when it is NULL. */
CHSM_MUST_CHECK int chsm_provers_reply(struct chsm_provers *p, unsigned ticket, const struct chsm_bytes *answer, CK_RV rv,
                                       struct chsm_err *err);

#endif
