/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "drill/ask.h"
#include "util/buf.h"

#define WHY_MAX 4096u
#define ALLOWED_SHOWN 4u
#define CKR_USER_NOT_LOGGED_IN_ 0x101UL

void chsm_asked_done(struct chsm_asked *a)
{
    chsm_challenge_done(&a->c);
    chsm_bytes_done(&a->answer);
    free(a->why);
    *a = (struct chsm_asked){ 0 };
}

/* "the HSM answers CKR_A (0x..) to kind-1, kind-2; CKR_B (0x..) to kind-3" */
static int add_refusal(struct chsm_buf *why, unsigned long rv, unsigned long *last, const char *kind, struct chsm_err *err)
{
    char text[256];

    if (why->len && rv == *last)
        return chsm_buf_addf(why, err, ", %s", kind);
    *last = rv;
    /* The login of the session is checked after each refusal: this one is about the key. */
    if (rv == CKR_USER_NOT_LOGGED_IN_)
        return chsm_buf_addf(why, err, "%sthe key wants a login for each use, and had none that counted, for %s", why->len ? "; " : "", kind);
    return chsm_buf_addf(why, err, "%s%s to %s", why->len ? "; " : "the HSM answers ", chsm_ckr_text(rv, text, sizeof text), kind);
}

/* " (the key allows 0x00000003 only)", where the key itself limits what can be asked. */
static int add_allowed(struct chsm_buf *why, const struct chsm_record *key, struct chsm_err *err)
{
    const json_t *allowed = json_object_get(key->more, "allowed-mechanisms");
    size_t n = json_array_size(allowed);

    for (size_t i = 0; i < n && i < ALLOWED_SHOWN; i++) {
        const char *name = json_string_value(json_array_get(allowed, i));

        if (name && chsm_buf_addf(why, err, "%s%s", i ? ", " : " (the key allows ", name) < 0)
            return -1;
    }
    return n ? chsm_buf_adds(why, n > ALLOWED_SHOWN ? " ... only)" : " only)", err) : 0;
}

/* There is no (further) question. */
static int give_up(struct chsm_asked *a, const struct chsm_record *key, struct chsm_buf *why, struct chsm_err *err)
{
    a->refused = why->len > 0;
    a->possible = a->refused || a->c.possible;
    if (!a->refused && (chsm_buf_adds(why, a->c.reason, err) < 0 ||
                        (key->recorded.why && chsm_buf_addf(why, err, ": %s", key->recorded.why) < 0)))
        return -1;
    if (a->refused && add_allowed(why, key, err) < 0)
        return -1;
    a->why = chsm_buf_take(why);
    return a->why ? 1 : chsm_oom(err);
}

/* What is left behind of a question that is over. */
static void asking_done(struct chsm_asking *a)
{
    chsm_buf_done(&a->refusals);
}

/* Asks the next question there is. 1 it is under way, 0 there is none (a->rc, a->asked), -1 */
static int pose(struct chsm_hsm *hsm, struct chsm_asking *a, unsigned *ret_ticket, struct chsm_err *err)
{
    chsm_asked_done(&a->asked);
    if (a->question(a->key, a->attempt++, chsm_random, &a->asked.c, err) < 0)
        return -1;
    if (a->asked.c.kind)
        return chsm_hsm_submit(hsm, a->index, a->asked.c.kind, &a->asked.c.input, ret_ticket, err) < 0 ? -1 : 1;
    a->rc = give_up(&a->asked, a->key, &a->refusals, err);
    return a->rc < 0 ? -1 : 0;
}

/* What the HSM said: 1 the next question is worth asking, 0 that was it, -1 */
static int hear(struct chsm_asking *a, int rc, unsigned long rv, struct chsm_err *err)
{
    a->rc = rc;
    if (rc == 0)
        return 0;
    if (add_refusal(&a->refusals, rv, &a->last, a->asked.c.kind, err) < 0)
        return -1;
    if (chsm_challenge_try_next(rv))
        return 1;
    a->rc = give_up(&a->asked, a->key, &a->refusals, err);
    return a->rc < 0 ? -1 : 0;
}

/* All that are asked, and which of them is meant by a ticket. */
struct asking_all {
    struct chsm_hsm *hsm;
    struct chsm_asking *by_ticket[CHSM_HSM_WINDOW_MAX];
    unsigned under_way;
    chsm_asked_fn *done;
    void *ctx;
};

/* Poses a's next question; when there is none, a is done. */
static int go_on(struct asking_all *all, struct chsm_asking *a, struct chsm_err *err)
{
    unsigned ticket = 0;
    int rc = pose(all->hsm, a, &ticket, err);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return all->done(all->ctx, a, err);
    all->by_ticket[ticket] = a;
    all->under_way++;
    return 0;
}

static int take_answer(struct asking_all *all, struct chsm_err *err)
{
    struct chsm_bytes answer = { 0 };
    struct chsm_asking *a;
    unsigned long rv = 0;
    unsigned ticket = 0;
    int rc = chsm_hsm_collect(all->hsm, &ticket, &answer, &rv, err);

    if (rc < 0)
        return -1;
    a = all->by_ticket[ticket];
    all->under_way--;
    a->asked.answer = answer;
    rc = hear(a, rc, rv, err);
    if (rc < 0)
        return -1;
    return rc > 0 ? go_on(all, a, err) : all->done(all->ctx, a, err);
}

int chsm_ask_all(struct chsm_hsm *hsm, struct chsm_asking *v, size_t n, chsm_asked_fn *done, void *ctx, struct chsm_err *err)
{
    struct asking_all all = { .hsm = hsm, .done = done, .ctx = ctx };
    size_t next = 0;
    int rc = 0;

    for (size_t i = 0; i < n; i++)
        v[i].refusals = CHSM_BUF(WHY_MAX);
    while (rc == 0 && (next < n || all.under_way > 0)) {
        if (next < n && all.under_way < chsm_hsm_window(hsm))
            rc = go_on(&all, &v[next++], err);
        else
            rc = take_answer(&all, err);
    }
    for (size_t i = 0; i < n; i++)
        asking_done(&v[i]);
    return rc;
}

static int nothing_more(void *ctx, struct chsm_asking *a, struct chsm_err *err)
{
    (void)ctx, (void)a, (void)err;
    return 0;
}

int chsm_ask(struct chsm_hsm *hsm, size_t index, const struct chsm_record *key, chsm_question_fn *question, struct chsm_asked *ret, struct chsm_err *err)
{
    struct chsm_asking a = { .index = index, .key = key, .question = question };

    if (chsm_ask_all(hsm, &a, 1, nothing_more, NULL, err) < 0) {
        chsm_asked_done(&a.asked);
        return -1;
    }
    *ret = a.asked;
    return a.rc;
}
