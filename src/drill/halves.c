/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "drill/ask.h"
#include "drill/count.h"
#include "drill/reader.h"

#define AGREEMENTS 16u      /* candidates that are asked one by one: each costs an operation of the HSM */
#define SIGNATURES 4096u    /* candidates that one signature is checked against */

/* A private key on a curve whose public key is not certain, and which can show it. */
static bool wants_half(const struct chsm_record *r)
{
    bool curve = r->type == CHSM_TYPE_EC || r->type == CHSM_TYPE_EC_EDWARDS || r->type == CHSM_TYPE_EC_MONTGOMERY;

    return r->cls == CHSM_CLASS_PRIVATE && curve && r->spki.len == 0 &&
           (chsm_record_flag(r, "sign", false) || chsm_record_flag(r, "derive", false));
}

/* The likeliest come first: the public key with the same label, then those that belong to no other key yet. 3 = none. */
static unsigned rank(const struct chsm_record *priv, const struct chsm_record *pub, bool taken)
{
    if (!chsm_record_halves(priv, pub))
        return 3;
    return taken ? 2 : chsm_bytes_eq(&priv->label, &pub->label) ? 0 : 1;
}

/* The private key as if this were its public key. Borrows from both. */
static struct chsm_record with_half(const struct chsm_record *priv, const struct chsm_record *pub)
{
    struct chsm_record r = *priv;

    r.spki = pub->spki;
    return r;
}

struct tying {
    struct chsm_hsm *hsm;
    struct chsm_section *s;
    bool *taken;                /* for each record: the public half of a key that has been tied */
    struct chsm_asked asked;    /* the question that is being answered */
    unsigned tries;
};

/* 1 when the candidate is the other half, 0 when it is not, 2 when there is no point in going on, -1 */
static int try_one(struct tying *t, const struct chsm_record *priv, const struct chsm_record *pub, struct chsm_err *err)
{
    struct chsm_record candidate = with_half(priv, pub);
    bool signature = t->asked.c.kind && t->asked.c.expected.len == 0;
    int rc;

    if (t->tries++ >= (signature ? SIGNATURES : AGREEMENTS))
        return 2;
    /* One signature tells for all candidates; an agreement is one with this very public key. */
    if (!signature) {
        chsm_asked_done(&t->asked);
        rc = chsm_ask(t->hsm, priv->index, &candidate, chsm_challenge_make, &t->asked, err);
        if (rc != 0)
            return rc < 0 ? -1 : 2;
    }
    return chsm_challenge_check(&candidate, &t->asked.c, &t->asked.answer, NULL) == 1;
}

static int tie(struct tying *t, struct chsm_record *priv, struct chsm_err *err)
{
    for (unsigned want = 0; want < 3; want++)
        for (size_t i = 0; i < t->s->n; i++) {
            int rc;

            if (rank(priv, &t->s->records[i], t->taken[i]) != want)
                continue;
            rc = try_one(t, priv, &t->s->records[i], err);
            if (rc == 0)
                continue;
            if (rc != 1)
                return rc < 0 ? -1 : 0;
            t->taken[i] = true;
            priv->spki_from = CHSM_SPKI_PROVEN;
            return chsm_bytes_set(&priv->spki, t->s->records[i].spki.p, t->s->records[i].spki.len, err);
        }
    return 0;
}

/* Agreements make session objects; a list of a token in which one was left is not to be trusted. */
static int count_again(struct chsm_hsm *hsm, struct chsm_section *s, struct chsm_count *count, struct chsm_err *err)
{
    if (chsm_count_after(hsm, count) || !s->complete)
        return 0;
    s->why = strdup(count->why);
    s->complete = false;
    return s->why ? 0 : chsm_oom(err);
}

int chsm_reader_halves(const struct chsm_reader *r, struct chsm_hsm *hsm, struct chsm_section *s, struct chsm_err *err)
{
    AUTO_FREE bool *taken = calloc(s->n + 1, sizeof *taken);
    struct chsm_count count = { 0 };
    bool agrees = false;
    int rc = 0;

    if (!taken)
        return chsm_oom(err);
    for (size_t i = 0; i < s->n; i++)
        agrees = agrees || (wants_half(&s->records[i]) && chsm_reader_wants(r, &s->records[i]) && chsm_record_flag(&s->records[i], "derive", false));
    if (agrees)
        chsm_count_before(hsm, &count);
    for (size_t i = 0; rc == 0 && i < s->n; i++) {
        struct tying t = { .hsm = hsm, .s = s, .taken = taken };

        if (!wants_half(&s->records[i]) || !chsm_reader_wants(r, &s->records[i]))
            continue;
        rc = tie(&t, &s->records[i], err);
        chsm_asked_done(&t.asked);
    }
    return rc == 0 && agrees ? count_again(hsm, s, &count, err) : rc;
}
