/* SPDX-License-Identifier: Apache-2.0 */
/* Private and public halves that have lost each other. */
#include "config.h"

#include "keys/halves.h"
#include "keys/order.h"
#include "util/buf.h"

/* The private or the public keys of a section, by what holds the halves of a pair together. */
struct halves {
    const struct chsm_record **v;
    size_t n;
};

static void halves_done(struct halves *h)
{
    free(h->v);
}

/* The ID, or without one the public key; empty when there is neither. */
static const struct chsm_bytes *tie(const struct chsm_record *r)
{
    return r->id.len ? &r->id : &r->spki;
}

static int by_tie(const void *a, const void *b)
{
    const struct chsm_record *x = *(const struct chsm_record *const *)a, *y = *(const struct chsm_record *const *)b;

    return chsm_bytes_order(tie(x), tie(y));
}

static int collect(const struct chsm_section *s, unsigned long cls, struct halves *ret, struct chsm_err *err)
{
    ret->n = 0;
    ret->v = calloc(s->n + 1, sizeof *ret->v);
    if (!ret->v)
        return chsm_oom(err);
    for (size_t i = 0; i < s->n; i++)
        if (s->records[i].cls == cls)
            ret->v[ret->n++] = &s->records[i];
    qsort(ret->v, ret->n, sizeof *ret->v, by_tie);
    return 0;
}

static bool has(const struct halves *h, const struct chsm_record *r)
{
    return tie(r)->len && bsearch(&r, h->v, h->n, sizeof *h->v, by_tie) != NULL;
}

/* How many of `of` have no other half. */
static size_t alone(const struct halves *of, const struct halves *others)
{
    size_t n = 0;

    for (size_t i = 0; i < of->n; i++)
        n += !has(others, of->v[i]);
    return n;
}

/* "login cu1, source: 2 public without private half (normal ...)"; nothing when there is none. */
static int remark_some(struct chsm_comparison *c, const struct chsm_section *s, const char *side, size_t n, const char *what, struct chsm_err *err)
{
    AUTO_FREE char *text = NULL;

    if (n == 0)
        return 0;
    text = chsm_strf("login %s, %s: %zu %s", s->login, side, n, what);
    return text ? chsm_comparison_remark(c, text, err) : chsm_oom(err);
}

static int remark(struct chsm_comparison *c, const struct chsm_section *s, const char *side, const struct halves *priv, const struct halves *pub,
                  struct chsm_err *err)
{
    if (remark_some(c, s, side, alone(priv, pub), "private without public half (normal on tokens that keep no public keys)", err) < 0)
        return -1;
    return remark_some(c, s, side, alone(pub, priv), "public without private half (normal where every user sees the public keys of all)", err);
}

/* A missing key of which the other half is there. */
static int explain(struct chsm_comparison *c, size_t first, const struct halves *priv, const struct halves *pub, struct chsm_err *err)
{
    for (size_t i = first; i < c->n; i++) {
        struct chsm_finding *f = &c->findings[i];
        const char *why = NULL;

        if (f->verdict != CHSM_V_MISSING)
            continue;
        if (f->source->cls == CHSM_CLASS_PRIVATE && has(pub, f->source))
            why = "only the private half is missing; the public half that is there can sign nothing";
        else if (f->source->cls == CHSM_CLASS_PUBLIC && has(priv, f->source))
            why = "only the public half is missing; the private half is there";
        if (why && chsm_finding_reason(f, why, err) < 0)
            return -1;
    }
    return 0;
}

int chsm_remark_halves(struct chsm_comparison *c, size_t first, const struct chsm_section *source, const struct chsm_section *destination,
                       struct chsm_err *err)
{
    AUTO(halves_done) struct halves priv = { 0 }, pub = { 0 };
    AUTO(halves_done) struct halves priv_there = { 0 }, pub_there = { 0 };

    if (collect(source, CHSM_CLASS_PRIVATE, &priv, err) < 0 || collect(source, CHSM_CLASS_PUBLIC, &pub, err) < 0 ||
        collect(destination, CHSM_CLASS_PRIVATE, &priv_there, err) < 0 || collect(destination, CHSM_CLASS_PUBLIC, &pub_there, err) < 0)
        return -1;
    if (explain(c, first, &priv_there, &pub_there, err) < 0 || remark(c, source, "source", &priv, &pub, err) < 0)
        return -1;
    return remark(c, destination, "destination", &priv_there, &pub_there, err);
}
