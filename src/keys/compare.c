/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/halves.h"
#include "keys/judge.h"
#include "keys/match.h"
#include "keys/order.h"
#include "util/buf.h"
#include "util/json.h"

static void finding_done(struct chsm_finding *f)
{
    json_decref(f->changes);
    json_decref(f->proof);
    free(f->reason);
    *f = (struct chsm_finding){ 0 };
}

void chsm_comparison_done(struct chsm_comparison *c)
{
    for (size_t i = 0; i < c->n; i++)
        finding_done(&c->findings[i]);
    for (size_t i = 0; i < c->n_open; i++)
        free(c->open[i]);
    for (size_t i = 0; i < c->n_notes; i++)
        free(c->notes[i]);
    free(c->findings);
    free(c->open);
    free(c->notes);
    *c = (struct chsm_comparison){ 0 };
}

/* Appends a text; `text` is taken over, NULL = out of memory. */
static int append(char ***list, size_t *n, char *text, struct chsm_err *err)
{
    char **grown = text ? reallocarray(*list, *n + 1, sizeof *grown) : NULL;

    if (!grown) {
        free(text);
        return chsm_oom(err);
    }
    *list = grown;
    grown[(*n)++] = text;
    return 0;
}

static int add_open(struct chsm_comparison *c, char *text, struct chsm_err *err)
{
    return append(&c->open, &c->n_open, text, err);
}

static struct chsm_finding *add_finding(struct chsm_comparison *c, const char *login, struct chsm_err *err)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 64;
        struct chsm_finding *grown = reallocarray(c->findings, cap, sizeof *grown);

        if (!grown) {
            (void)chsm_oom(err);
            return NULL;
        }
        c->findings = grown;
        c->cap = cap;
    }
    /* Until something better is established, nothing is. */
    c->findings[c->n] = (struct chsm_finding){ .login = login, .verdict = CHSM_V_UNPROVEN };
    return &c->findings[c->n++];
}

static int judge_source(struct chsm_comparison *c, const struct chsm_section *s, const struct chsm_section *d, const struct chsm_match *m,
                        size_t i, struct chsm_err *err)
{
    struct chsm_finding *f = add_finding(c, s->login, err);

    if (!f)
        return -1;
    f->source = &s->records[i];
    f->means = m->means[i];
    /* Until it is known that no proof is possible, a private or secret key that was not asked is open. */
    f->provable = f->source->cls == CHSM_CLASS_PRIVATE || f->source->cls == CHSM_CLASS_SECRET;
    if (m->of_source[i] != CHSM_NO_MATCH) {
        f->destination = &d->records[m->of_source[i]];
        return chsm_judge(f, c->ignore, err);
    }
    if (m->source_ambiguous[i]) {
        f->verdict = CHSM_V_AMBIGUOUS;
        return chsm_finding_reason(f, "several objects of the destination could be this one, and nothing tells them apart", err);
    }
    if (!d->complete) {
        f->verdict = CHSM_V_UNPROVEN;
        return chsm_finding_reason(f, "not found, but the destination's list is not complete", err);
    }
    f->verdict = CHSM_V_MISSING;
    return 0;
}

static int judge_rest(struct chsm_comparison *c, const struct chsm_section *s, const struct chsm_section *d, const struct chsm_match *m,
                      struct chsm_err *err)
{
    for (size_t i = 0; i < d->n; i++) {
        struct chsm_finding *f;

        if (m->destination_used[i])
            continue;
        f = add_finding(c, s->login, err);
        if (!f)
            return -1;
        f->destination = &d->records[i];
        f->verdict = m->destination_ambiguous[i] || !s->complete ? CHSM_V_AMBIGUOUS : CHSM_V_UNEXPECTED;
        if (f->verdict == CHSM_V_AMBIGUOUS &&
            chsm_finding_reason(f, m->destination_ambiguous[i] ? "it could be one of several objects of the source"
                                                               : "the source's list is not complete", err) < 0)
            return -1;
    }
    return 0;
}

static int check_complete(struct chsm_comparison *c, const struct chsm_section *s, const char *side, struct chsm_err *err)
{
    if (s->complete)
        return 0;
    return add_open(c, chsm_strf("login %s: the %s's list is not complete: %s", s->login, side, s->why ? s->why : "no reason given"), err);
}

int chsm_compare_section(struct chsm_comparison *c, const struct chsm_section *s, const struct chsm_section *d, struct chsm_err *err)
{
    AUTO_MATCH struct chsm_match m = { 0 };
    size_t first = c->n;

    if (check_complete(c, s, "source", err) < 0 || check_complete(c, d, "destination", err) < 0)
        return -1;
    if (chsm_match(s, d, &m, err) < 0)
        return -1;
    for (size_t i = 0; i < s->n; i++)
        if (judge_source(c, s, d, &m, i, err) < 0)
            return -1;
    return judge_rest(c, s, d, &m, err) < 0 ? -1 : chsm_remark_halves(c, first, s, d, err);
}

/* The login was not used at the destination: nothing of it is established. */
static int skip_section(struct chsm_comparison *c, const struct chsm_section *s, struct chsm_err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        struct chsm_finding *f = add_finding(c, s->login, err);

        if (!f)
            return -1;
        f->source = &s->records[i];
        if (chsm_finding_reason(f, "the destination was not read with this login", err) < 0)
            return -1;
    }
    return add_open(c, chsm_strf("login %s: the destination was not read with it", s->login), err);
}

/* Only the first section of a login is compared: a second one must not go unseen. */
static int check_logins(struct chsm_comparison *c, const struct chsm_inventory *inv, const char *side, struct chsm_err *err)
{
    for (size_t i = 0; i < inv->n; i++)
        if (chsm_inventory_section(inv, inv->sections[i].login) != &inv->sections[i] &&
            add_open(c, chsm_strf("login %s: the %s has two sections of it", inv->sections[i].login, side), err) < 0)
            return -1;
    return 0;
}

int chsm_compare_rest(struct chsm_comparison *c, const struct chsm_inventory *source, const struct chsm_inventory *destination, struct chsm_err *err)
{
    for (size_t i = 0; i < source->n; i++)
        if (!chsm_inventory_section(destination, source->sections[i].login) && skip_section(c, &source->sections[i], err) < 0)
            return -1;
    for (size_t i = 0; i < destination->n; i++)
        if (!chsm_inventory_section(source, destination->sections[i].login) &&
            add_open(c, chsm_strf("login %s: the source was not read with it", destination->sections[i].login), err) < 0)
            return -1;
    if (check_logins(c, source, "source", err) < 0 || check_logins(c, destination, "destination", err) < 0)
        return -1;
    if (chsm_inventory_count(source) == 0)
        return add_open(c, chsm_strf("the source's inventory holds no key"), err);
    return 0;
}

int chsm_compare(const struct chsm_inventory *source, const struct chsm_inventory *destination, struct chsm_comparison *ret, struct chsm_err *err)
{
    struct chsm_comparison c = { .ignore = ret->ignore };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < source->n; i++) {
        const struct chsm_section *d = chsm_inventory_section(destination, source->sections[i].login);

        rc = d ? chsm_compare_section(&c, &source->sections[i], d, err) : 0;
    }
    if (rc == 0)
        rc = chsm_compare_rest(&c, source, destination, err);
    if (rc < 0) {
        chsm_comparison_done(&c);
        return -1;
    }
    *ret = c;
    return 0;
}

int chsm_comparison_note(struct chsm_comparison *c, const char *text, struct chsm_err *err)
{
    return add_open(c, chsm_strf("%s", text), err);
}

int chsm_comparison_remark(struct chsm_comparison *c, const char *text, struct chsm_err *err)
{
    return append(&c->notes, &c->n_notes, chsm_strf("%s", text), err);
}

bool chsm_finding_candidate(const struct chsm_finding *s, const struct chsm_finding *d)
{
    if (s->verdict != CHSM_V_AMBIGUOUS || !s->source || s->destination || d->verdict != CHSM_V_AMBIGUOUS || d->source || !d->destination)
        return false;
    return chsm_streq(s->login, d->login) && s->source->cls == d->destination->cls && chsm_bytes_eq(&s->source->id, &d->destination->id) &&
           !chsm_record_contradiction(s->source, d->destination);
}

int chsm_comparison_pair(struct chsm_comparison *c, size_t source, size_t destination, struct chsm_err *err)
{
    struct chsm_finding *f = &c->findings[source];

    if (source >= destination || destination >= c->n || !chsm_finding_candidate(f, &c->findings[destination]))
        return chsm_fail(err, CHSM_CONFIG, "these two findings cannot be one key");
    f->destination = c->findings[destination].destination;
    f->means = CHSM_MEANS_PROOF;
    free(f->reason);
    f->reason = NULL;
    finding_done(&c->findings[destination]);
    memmove(&c->findings[destination], &c->findings[destination + 1], (c->n - destination - 1) * sizeof *c->findings);
    c->n--;
    return chsm_judge(f, c->ignore, err);
}

void chsm_comparison_keep(struct chsm_comparison *c, size_t first, bool (*keep)(const struct chsm_finding *f, const void *ctx), const void *ctx)
{
    size_t to = first;

    for (size_t i = first; i < c->n; i++) {
        if (keep(&c->findings[i], ctx))
            c->findings[to++] = c->findings[i];
        else
            finding_done(&c->findings[i]);
    }
    c->n = to;
}
