/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/probe.h"
#include "pkcs11/provers.h"

void chsm_task_done(struct chsm_task *t)
{
    free(t->kind);
    chsm_bytes_done(&t->input);
    *t = (struct chsm_task){ 0 };
}

void chsm_provers_init(struct chsm_provers *p)
{
    memset(p, 0, sizeof *p);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_mutex_init(&p->sending, NULL);
    (void)pthread_cond_init(&p->news, NULL);
}

static int send_frame(struct chsm_provers *p, enum chsm_wire_type type, json_t *body, struct chsm_err *err)
{
    int rc;

    (void)pthread_mutex_lock(&p->sending);
    rc = body ? chsm_wire_send_json(CHSM_WIRE_FD, type, body, err) : chsm_oom(err);
    (void)pthread_mutex_unlock(&p->sending);
    json_decref(body);
    return rc;
}

int chsm_provers_reply(struct chsm_provers *p, unsigned ticket, const struct chsm_bytes *answer, CK_RV rv, struct chsm_err *err)
{
    AUTO_FREE char *hex = answer ? chsm_hex(answer->p, answer->len) : NULL;

    if (answer)
        return send_frame(p, CHSM_WIRE_ANSWER, hex ? json_pack("{s:s, s:i}", "answer", hex, "ticket", (int)ticket) : NULL, err);
    return send_frame(p, CHSM_WIRE_REFUSED, json_pack("{s:o, s:i}", "ck-rv", chsm_wire_from_ulong(rv), "ticket", (int)ticket), err);
}

/* Codes that may have more to do with the helper's session than with the key. */
static bool is_about_the_session(CK_RV rv)
{
    switch (rv) {
    case CKR_USER_NOT_LOGGED_IN:        /* a login for the one operation is the main session's to do */
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_COUNT:
    case CKR_OPERATION_ACTIVE:
    case CKR_OPERATION_NOT_INITIALIZED:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
        return true;
    default:
        return chsm_ck_transient(rv);
    }
}

static void do_task(struct chsm_provers *p, struct chsm_helper *h, const struct chsm_task *t)
{
    struct chsm_bytes answer = { 0 };
    struct chsm_err err = { 0 };
    CK_RV rv = CKR_OK;
    int rc = chsm_probe(&h->s, &p->listing->v[t->index], t->kind, &t->input, &answer, &rv, &err);

    /* When nothing can be sent the program is gone, and this process with it. */
    if (rc < 0 || (rc > 0 && is_about_the_session(rv)))
        (void)!send_frame(p, CHSM_WIRE_LATER, json_pack("{s:i}", "ticket", (int)t->ticket), NULL);
    else
        (void)!chsm_provers_reply(p, t->ticket, rc == 0 ? &answer : NULL, rv, NULL);
    chsm_wipe(answer.p, answer.len);
    chsm_bytes_done(&answer);
}

/* The next task; false when there is none left and none is to come. */
static bool next(struct chsm_provers *p, struct chsm_task *ret)
{
    bool got;

    (void)pthread_mutex_lock(&p->lock);
    while (p->n == 0 && !p->stop)
        (void)pthread_cond_wait(&p->news, &p->lock);
    got = p->n > 0;
    if (got) {
        *ret = p->queue[p->at];
        p->queue[p->at] = (struct chsm_task){ 0 };
        p->at = (p->at + 1) % CHSM_WIRE_TICKETS;
        p->n--;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return got;
}

static void work(struct chsm_helper *h, void *ctx)
{
    struct chsm_provers *p = ctx;
    struct chsm_task t;

    while (next(p, &t)) {
        do_task(p, h, &t);
        chsm_task_done(&t);
    }
}

int chsm_provers_add(struct chsm_provers *p, struct chsm_crew *crew, const struct chsm_listing *listing, struct chsm_task *task,
                     struct chsm_err *err)
{
    bool full;

    if (!p->at_work) {
        p->listing = listing;
        p->stop = false;
        p->at_work = true;
        crew->patient = true;
        chsm_crew_grow(crew, chsm_crew_sessions(crew), work, p);
    }
    (void)pthread_mutex_lock(&p->lock);
    full = p->n == CHSM_WIRE_TICKETS || crew->running == 0;
    if (!full) {
        p->queue[(p->at + p->n++) % CHSM_WIRE_TICKETS] = *task;
        *task = (struct chsm_task){ 0 };
        (void)pthread_cond_signal(&p->news);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return full ? chsm_fail(err, CHSM_PKCS11, "the program asks for too many proofs at once") : 0;
}

void chsm_provers_rest(struct chsm_provers *p, struct chsm_crew *crew)
{
    if (!p->at_work)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_broadcast(&p->news);
    (void)pthread_mutex_unlock(&p->lock);
    chsm_crew_join(crew);
    crew->patient = false;
    p->at_work = false;
}
