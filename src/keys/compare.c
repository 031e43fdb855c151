/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

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
    free(c->findings);
    free(c->open);
    *c = (struct chsm_comparison){ 0 };
}

CHSM_PRINTF(3, 4) static int add_open(struct chsm_comparison *c, struct chsm_err *err, const char *fmt, ...)
{
    char **grown = reallocarray(c->open, c->n_open + 1, sizeof *grown);
    va_list ap;
    int n;

    if (!grown)
        return chsm_oom(err);
    c->open = grown;
    va_start(ap, fmt);
    n = vasprintf(&c->open[c->n_open], fmt, ap);
    va_end(ap);
    if (n < 0)
        return chsm_oom(err);
    c->n_open++;
    return 0;
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

/* A change that makes the key weaker protected or more widely usable. */
static bool loosens(const char *name, const json_t *from, const json_t *to)
{
    static const char *const good_when_true[] = { "sensitive", "always-sensitive", "never-extractable", "wrap-with-trusted", "private" };
    bool guard = false;

    for (size_t i = 0; i < ARRAY_LEN(good_when_true); i++)
        guard = guard || strcmp(name, good_when_true[i]) == 0;
    return guard ? json_is_true(from) && !json_is_true(to) : json_is_true(to) && !json_is_true(from);
}

static int add_change(struct chsm_finding *f, const char *name, json_t *from, json_t *to, struct chsm_err *err)
{
    json_t *change = json_pack("{s:s, s:o, s:o, s:b}", "attribute", name, "source", from, "destination", to, "loosened", loosens(name, from, to));

    if (!f->changes)
        f->changes = json_array();
    if (!f->changes || json_array_append_new(f->changes, change) < 0)
        return chsm_oom(err);
    return 0;
}

static json_t *hex_or_null(const struct chsm_bytes *b)
{
    AUTO_FREE char *hex = chsm_hex(b->p, b->len);

    return b->len && hex ? json_string(hex) : json_null();
}

static int compare_bytes(struct chsm_finding *f, const char *name, const struct chsm_bytes *a, const struct chsm_bytes *b, struct chsm_err *err)
{
    return chsm_bytes_eq(a, b) ? 0 : add_change(f, name, hex_or_null(a), hex_or_null(b), err);
}

static int compare_label(struct chsm_finding *f, struct chsm_err *err)
{
    AUTO_FREE char *a = chsm_bytes_text(&f->source->label);
    AUTO_FREE char *b = chsm_bytes_text(&f->destination->label);

    if (!a || !b)
        return chsm_oom(err);
    if (chsm_bytes_eq(&f->source->label, &f->destination->label))
        return 0;
    return add_change(f, "label", json_string(a), json_string(b), err);
}

static json_t *flag_json(const struct chsm_record *r, uint32_t bit)
{
    return r->flags_told & bit ? json_boolean(r->flags & bit) : json_null();
}

/* Attributes of both sides; one that only one side answers is a difference too. */
static int compare_attributes(struct chsm_finding *f, struct chsm_err *err)
{
    const struct chsm_record *s = f->source, *d = f->destination;
    uint32_t differs = (s->flags_told ^ d->flags_told) | (s->flags ^ d->flags);
    const char *name;
    json_t *v;

    for (unsigned i = 0; differs && i < CHSM_FLAG_COUNT; i++)
        if (differs & 1u << i && add_change(f, chsm_flag_names[i], flag_json(s, 1u << i), flag_json(d, 1u << i), err) < 0)
            return -1;
    json_object_foreach(s->more, name, v) {
        json_t *other = json_object_get(d->more, name);

        if (!json_equal(v, other) && add_change(f, name, json_incref(v), other ? json_incref(other) : json_null(), err) < 0)
            return -1;
    }
    json_object_foreach(d->more, name, v)
        if (!json_object_get(s->more, name) && add_change(f, name, json_null(), json_incref(v), err) < 0)
            return -1;
    return 0;
}

static bool tells_own_key(const struct chsm_record *r)
{
    return r->spki.len && (r->spki_from == CHSM_SPKI_OWN || r->spki_from == CHSM_SPKI_PROVEN);
}

/* Whether something equal on both sides depends on the key material of this very object. */
static bool witnessed(const struct chsm_record *s, const struct chsm_record *d)
{
    const char *sv = chsm_record_value_digest(s);

    if (tells_own_key(s) && tells_own_key(d))
        return chsm_bytes_eq(&s->spki, &d->spki);
    if (s->check_value.len && chsm_bytes_eq(&s->check_value, &d->check_value))
        return true;
    return sv && chsm_streq(sv, chsm_record_value_digest(d));
}

/* What one side tells of the key and the other does not is a difference, like an attribute. */
static int compare_tellings(struct chsm_finding *f, struct chsm_err *err)
{
    const struct chsm_record *s = f->source, *d = f->destination;

    if ((s->spki_from == CHSM_SPKI_OWN) != (d->spki_from == CHSM_SPKI_OWN) &&
        add_change(f, "public-key", json_boolean(s->spki_from == CHSM_SPKI_OWN), json_boolean(d->spki_from == CHSM_SPKI_OWN), err) < 0)
        return -1;
    if (s->bits != d->bits && add_change(f, "bits", json_integer(s->bits), json_integer(d->bits), err) < 0)
        return -1;
    if (!s->curve != !d->curve && add_change(f, "curve", json_string(s->curve ? s->curve : ""), json_string(d->curve ? d->curve : ""), err) < 0)
        return -1;
    return 0;
}

/* A pair of records: impostor, changed, intact or present. */
static int judge(struct chsm_finding *f, struct chsm_err *err)
{
    const char *other = chsm_record_contradiction(f->source, f->destination);

    if (compare_bytes(f, "id", &f->source->id, &f->destination->id, err) < 0 || compare_label(f, err) < 0 ||
        compare_bytes(f, "check-value", &f->source->check_value, &f->destination->check_value, err) < 0 ||
        compare_tellings(f, err) < 0 || compare_attributes(f, err) < 0)
        return -1;
    if (other) {
        f->verdict = CHSM_V_IMPOSTOR;
        return chsm_finding_reason(f, other, err);
    }
    if (f->changes) {
        f->verdict = CHSM_V_CHANGED;
        return 0;
    }
    if (witnessed(f->source, f->destination)) {
        f->verdict = CHSM_V_INTACT;
        return 0;
    }
    f->verdict = CHSM_V_PRESENT;
    return chsm_finding_reason(f, "nothing that the HSM tells of this object depends on its key material", err);
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
        return judge(f, err);
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

int chsm_compare_section(struct chsm_comparison *c, const struct chsm_section *s, const struct chsm_section *d, struct chsm_err *err)
{
    AUTO_MATCH struct chsm_match m = { 0 };

    if (!s->complete && add_open(c, err, "login %s: the source's list is not complete: %s", s->login, s->why ? s->why : "no reason given") < 0)
        return -1;
    if (!d->complete && add_open(c, err, "login %s: the destination's list is not complete: %s", s->login, d->why ? d->why : "no reason given") < 0)
        return -1;
    if (chsm_match(s, d, &m, err) < 0)
        return -1;
    for (size_t i = 0; i < s->n; i++)
        if (judge_source(c, s, d, &m, i, err) < 0)
            return -1;
    return judge_rest(c, s, d, &m, err);
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
    return add_open(c, err, "login %s: the destination was not read with it", s->login);
}

/* Only the first section of a login is compared: a second one must not go unseen. */
static int check_logins(struct chsm_comparison *c, const struct chsm_inventory *inv, const char *side, struct chsm_err *err)
{
    for (size_t i = 0; i < inv->n; i++)
        if (chsm_inventory_section(inv, inv->sections[i].login) != &inv->sections[i] &&
            add_open(c, err, "login %s: the %s has two sections of it", inv->sections[i].login, side) < 0)
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
            add_open(c, err, "login %s: the source was not read with it", destination->sections[i].login) < 0)
            return -1;
    if (check_logins(c, source, "source", err) < 0 || check_logins(c, destination, "destination", err) < 0)
        return -1;
    if (chsm_inventory_count(source) == 0)
        return add_open(c, err, "the source's inventory holds no key");
    return 0;
}

int chsm_compare(const struct chsm_inventory *source, const struct chsm_inventory *destination, struct chsm_comparison *ret, struct chsm_err *err)
{
    struct chsm_comparison c = { 0 };
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
    return add_open(c, err, "%s", text);
}
