/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of records: what differs, and what that makes of the key. */
#include "config.h"

#include "keys/judge.h"
#include "keys/order.h"
#include "util/json.h"

/* A set that has lost its bounds, or has a member that it had not. */
static bool grows(const json_t *from, const json_t *to)
{
    const json_t *one;
    size_t i, k;

    if (!json_is_array(to))
        return json_is_array(from);
    json_array_foreach(to, i, one) {
        for (k = 0; k < json_array_size(from) && !json_equal(json_array_get(from, k), one); k++)
            ;
        if (json_is_array(from) && k == json_array_size(from))
            return true;
    }
    return false;
}

static bool among(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

/* A change that makes the key weaker protected, more widely usable, or usable for longer. Dates are "YYYY-MM-DD". */
static bool loosens(const char *name, const json_t *from, const json_t *to)
{
    static const char *const good_when_true[] = { "sensitive", "always-sensitive", "never-extractable", "wrap-with-trusted", "private",
                                                  "always-authenticate" };
    const char *before = json_string_value(from), *after = json_string_value(to);

    if (json_is_array(from) || json_is_array(to))
        return grows(from, to);
    if (strcmp(name, "end-date") == 0)
        return before && (!after || strcmp(after, before) > 0);
    if (strcmp(name, "start-date") == 0)
        return before && (!after || strcmp(after, before) < 0);
    return among(name, good_when_true, ARRAY_LEN(good_when_true)) ? json_is_true(from) && !json_is_true(to)
                                                                  : json_is_true(to) && !json_is_true(from);
}

bool chsm_attribute_may_be_ignored(const char *name)
{
    static const char *const material[] = { "id", "check-value", "public-key", "bits", "curve", CHSM_MORE_VALUE_SHA256 };

    return !among(name, material, ARRAY_LEN(material));
}

struct pair {
    struct chsm_finding *f;
    const char *const *ignore;
    size_t counting;            /* changes that are not ignored */
};

static bool ignored(const struct pair *p, const char *name)
{
    for (const char *const *one = p->ignore; one && *one; one++)
        if (strcmp(*one, name) == 0)
            return chsm_attribute_may_be_ignored(name);
    return false;
}

static int add_change(struct pair *p, const char *name, json_t *from, json_t *to, struct chsm_err *err)
{
    bool skip = ignored(p, name);
    json_t *change = json_pack("{s:s, s:b, s:o, s:o}", "attribute", name, "loosened", loosens(name, from, to), "source", from, "destination", to);

    if (change && skip && json_object_set_new(change, "ignored", json_true()) < 0) {
        json_decref(change);
        change = NULL;
    }
    if (!p->f->changes)
        p->f->changes = json_array();
    if (!p->f->changes || json_array_append_new(p->f->changes, change) < 0)
        return chsm_oom(err);
    p->counting += !skip;
    return 0;
}

static json_t *hex_or_null(const struct chsm_bytes *b)
{
    AUTO_FREE char *hex = chsm_hex(b->p, b->len);

    return b->len && hex ? json_string(hex) : json_null();
}

static int compare_bytes(struct pair *p, const char *name, const struct chsm_bytes *a, const struct chsm_bytes *b, struct chsm_err *err)
{
    return chsm_bytes_eq(a, b) ? 0 : add_change(p, name, hex_or_null(a), hex_or_null(b), err);
}

static int compare_label(struct pair *p, struct chsm_err *err)
{
    const struct chsm_bytes *s = &p->f->source->label, *d = &p->f->destination->label;
    AUTO_FREE char *from = NULL, *to = NULL;

    if (chsm_bytes_eq(s, d))
        return 0;
    from = chsm_bytes_text(s);
    to = chsm_bytes_text(d);
    return from && to ? add_change(p, "label", json_string(from), json_string(to), err) : chsm_oom(err);
}

static json_t *flag_json(const struct chsm_record *r, uint32_t bit)
{
    return r->flags_told & bit ? json_boolean(r->flags & bit) : json_null();
}

/* Attributes of both sides; one that only one side answers is a difference too. */
static int compare_attributes(struct pair *p, struct chsm_err *err)
{
    const struct chsm_record *s = p->f->source, *d = p->f->destination;
    uint32_t differs = (s->flags_told ^ d->flags_told) | (s->flags ^ d->flags);
    const char *name;
    json_t *v;

    for (unsigned i = 0; differs && i < CHSM_FLAG_COUNT; i++)
        if (differs & 1u << i && add_change(p, chsm_flag_names[i], flag_json(s, 1u << i), flag_json(d, 1u << i), err) < 0)
            return -1;
    json_object_foreach(s->more, name, v) {
        json_t *other = json_object_get(d->more, name);

        if (!json_equal(v, other) && add_change(p, name, json_incref(v), other ? json_incref(other) : json_null(), err) < 0)
            return -1;
    }
    json_object_foreach(d->more, name, v)
        if (!json_object_get(s->more, name) && add_change(p, name, json_null(), json_incref(v), err) < 0)
            return -1;
    return 0;
}

/* Whether something equal on both sides depends on the key material of this very object. */
static bool witnessed(const struct chsm_record *s, const struct chsm_record *d)
{
    const char *sv = chsm_record_value_digest(s);

    if (chsm_record_tells_own_key(s) && chsm_record_tells_own_key(d))
        return chsm_bytes_eq(&s->spki, &d->spki);
    if (s->check_value.len && chsm_bytes_eq(&s->check_value, &d->check_value))
        return true;
    return sv && chsm_streq(sv, chsm_record_value_digest(d));
}

/* What one side tells of the key and the other does not is a difference, like an attribute. */
static int compare_tellings(struct pair *p, struct chsm_err *err)
{
    const struct chsm_record *s = p->f->source, *d = p->f->destination;

    if ((s->spki_from == CHSM_SPKI_OWN) != (d->spki_from == CHSM_SPKI_OWN) &&
        add_change(p, "public-key", json_boolean(s->spki_from == CHSM_SPKI_OWN), json_boolean(d->spki_from == CHSM_SPKI_OWN), err) < 0)
        return -1;
    if (s->bits != d->bits && add_change(p, "bits", json_integer(s->bits), json_integer(d->bits), err) < 0)
        return -1;
    if (!s->curve != !d->curve && add_change(p, "curve", json_string(s->curve ? s->curve : ""), json_string(d->curve ? d->curve : ""), err) < 0)
        return -1;
    return 0;
}

int chsm_judge(struct chsm_finding *f, const char *const *ignore, struct chsm_err *err)
{
    const char *other = chsm_record_contradiction(f->source, f->destination);
    struct pair p = { .f = f, .ignore = ignore };

    if (compare_bytes(&p, "id", &f->source->id, &f->destination->id, err) < 0 || compare_label(&p, err) < 0 ||
        compare_bytes(&p, "check-value", &f->source->check_value, &f->destination->check_value, err) < 0 ||
        compare_tellings(&p, err) < 0 || compare_attributes(&p, err) < 0)
        return -1;
    if (other) {
        f->verdict = CHSM_V_IMPOSTOR;
        return chsm_finding_reason(f, other, err);
    }
    f->witnessed = witnessed(f->source, f->destination);
    if (p.counting) {
        f->verdict = CHSM_V_CHANGED;
        return 0;
    }
    if (f->witnessed) {
        f->verdict = CHSM_V_INTACT;
        return 0;
    }
    f->verdict = CHSM_V_PRESENT;
    if (f->source->spki.len && f->destination->spki.len && !chsm_bytes_eq(&f->source->spki, &f->destination->spki))
        return chsm_finding_reason(f, "the public key beside it is another one, and nothing that the HSM tells depends on its own material", err);
    return chsm_finding_reason(f, "nothing that the HSM tells of this object depends on its key material", err);
}
