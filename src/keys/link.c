/* SPDX-License-Identifier: Apache-2.0 */
/* Which public key is the other half of a private key that tells none of its own. */
#include "config.h"

#include "keys/order.h"

#define PAIR_CHECK_LEN 3

/* First bytes of SHA-1 over the DER SubjectPublicKeyInfo (facts: cloudhsm-client.md §9). */
static void pair_check_value(const struct chsm_bytes *spki, unsigned char out[PAIR_CHECK_LEN])
{
    unsigned char digest[CHSM_SHA1_LEN];

    chsm_sha1(spki->p, spki->len, digest);
    memcpy(out, digest, PAIR_CHECK_LEN);
}

static bool check_value_fits(const struct chsm_bytes *check_value, const struct chsm_bytes *spki)
{
    unsigned char wanted[PAIR_CHECK_LEN];

    if (check_value->len != PAIR_CHECK_LEN || spki->len == 0)
        return false;
    pair_check_value(spki, wanted);
    return memcmp(check_value->p, wanted, sizeof wanted) == 0;
}

enum chsm_pair_rule chsm_section_pair_rule(const struct chsm_section *s)
{
    size_t fitting = 0;

    for (size_t i = 0; i < s->n; i++) {
        const struct chsm_record *r = &s->records[i];

        if ((r->cls != CHSM_CLASS_PUBLIC && r->cls != CHSM_CLASS_PRIVATE) || r->spki_from != CHSM_SPKI_OWN || r->check_value.len == 0)
            continue;
        if (!check_value_fits(&r->check_value, &r->spki))
            return CHSM_PAIR_RULE_OTHER;
        fitting++;
    }
    return fitting ? CHSM_PAIR_RULE_SHA1 : CHSM_PAIR_RULE_UNTESTED;
}

/* A half of a pair, with the check value that its public key gives where it is one. */
struct half {
    struct chsm_record *record;
    unsigned char check_value[PAIR_CHECK_LEN];
};

struct group {                  /* halves of one ID, private ones first, public ones in the order of their check values */
    struct half *v;
    size_t n, privates;
};

static int in_groups(const void *a, const void *b)
{
    const struct half *x = a, *y = b;
    int c = chsm_bytes_order(&x->record->id, &y->record->id);

    c = c ? c : (x->record->cls == CHSM_CLASS_PUBLIC) - (y->record->cls == CHSM_CLASS_PUBLIC);
    return c ? c : memcmp(x->check_value, y->check_value, PAIR_CHECK_LEN);
}

static int borrow(struct chsm_record *priv, const struct chsm_record *pub, enum chsm_spki_from from, struct chsm_err *err)
{
    if (chsm_bytes_set(&priv->spki, pub->spki.p, pub->spki.len, err) < 0)
        return -1;
    priv->spki_from = from;
    return 0;
}

static int by_check_value(const void *key, const void *half)
{
    return memcmp(key, ((const struct half *)half)->check_value, PAIR_CHECK_LEN);
}

/* The only public key of the group that fits in everything, its check value too; NULL when there is none or more than one. */
static const struct chsm_record *half_by_check_value(const struct chsm_record *priv, const struct group *g)
{
    const struct half *first = g->v + g->privates, *end = g->v + g->n, *at;
    const struct chsm_record *found = NULL;

    if (priv->check_value.len != PAIR_CHECK_LEN)
        return NULL;
    at = bsearch(priv->check_value.p, first, g->n - g->privates, sizeof *first, by_check_value);
    while (at && at > first && by_check_value(priv->check_value.p, at - 1) == 0)
        at--;
    for (; at && at < end && by_check_value(priv->check_value.p, at) == 0; at++) {
        if (!chsm_record_halves(priv, at->record))
            continue;
        if (found && !chsm_bytes_eq(&found->spki, &at->record->spki))
            return NULL;
        found = at->record;
    }
    return found;
}

/*
 * Without check values: the only public key that fits the only private key of an ID. With two private keys of one ID the
 * public key could belong to either.
 */
static const struct chsm_record *half_by_id(const struct chsm_record *priv, const struct group *g)
{
    const struct chsm_record *found = NULL;

    if (g->privates != 1 || priv->id.len == 0)
        return NULL;
    for (size_t i = g->privates; i < g->n; i++) {
        if (!chsm_record_halves(priv, g->v[i].record))
            continue;
        if (found)
            return NULL;
        found = g->v[i].record;
    }
    return found;
}

/*
 * The halves of one ID. Where check values are known to be those of public keys, they decide: one that fits no public key of
 * its ID has lost its half, whatever else has the ID.
 */
static int link_group(const struct group *g, bool check_values_tell, struct chsm_err *err)
{
    for (size_t i = 0; i < g->privates; i++) {
        struct chsm_record *priv = g->v[i].record;
        bool told = check_values_tell && priv->check_value.len;
        const struct chsm_record *pub = NULL;

        if (priv->spki.len)
            continue;
        pub = told ? half_by_check_value(priv, g) : half_by_id(priv, g);
        if (pub && borrow(priv, pub, told ? CHSM_SPKI_CHECK_VALUE : CHSM_SPKI_PUBLIC_HALF, err) < 0)
            return -1;
    }
    return 0;
}

int chsm_section_link(struct chsm_section *s, struct chsm_err *err)
{
    AUTO_FREE struct half *halves = calloc(s->n + 1, sizeof *halves);
    size_t n = 0;

    if (!halves)
        return chsm_oom(err);
    s->pair_rule = chsm_section_pair_rule(s);
    for (size_t i = 0; i < s->n; i++) {
        struct chsm_record *r = &s->records[i];

        if (r->cls != CHSM_CLASS_PRIVATE && r->cls != CHSM_CLASS_PUBLIC)
            continue;
        if (r->cls == CHSM_CLASS_PUBLIC && r->spki.len && s->pair_rule == CHSM_PAIR_RULE_SHA1)
            pair_check_value(&r->spki, halves[n].check_value);
        halves[n++].record = r;
    }
    qsort(halves, n, sizeof *halves, in_groups);
    for (size_t from = 0; from < n;) {
        struct group g = { .v = halves + from };

        while (from < n && chsm_bytes_eq(&halves[from].record->id, &g.v[0].record->id)) {
            g.privates += halves[from++].record->cls == CHSM_CLASS_PRIVATE;
            g.n++;
        }
        if (link_group(&g, s->pair_rule == CHSM_PAIR_RULE_SHA1, err) < 0)
            return -1;
    }
    return 0;
}
