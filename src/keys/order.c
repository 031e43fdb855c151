/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/order.h"
#include "util/json.h"

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

int chsm_bytes_order(const struct chsm_bytes *a, const struct chsm_bytes *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int c = n ? memcmp(a->p, b->p, n) : 0;

    return c ? c : ORDER(a->len, b->len);
}

/* NULL comes first. */
static int text_order(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : ORDER(a != NULL, b != NULL);
}

int chsm_record_report_order(const struct chsm_record *a, const struct chsm_record *b)
{
    int c = ORDER(a->cls, b->cls);

    c = c ? c : chsm_bytes_order(&a->id, &b->id);
    return c ? c : chsm_bytes_order(&a->label, &b->label);
}

/* Rare, and for ties only, so that its cost does not matter. Out of memory gives some order, which is no lie. */
static int more_order(const json_t *a, const json_t *b)
{
    AUTO_FREE char *x = a ? chsm_json_canonical(a) : NULL;
    AUTO_FREE char *y = b ? chsm_json_canonical(b) : NULL;

    return text_order(x, y);
}

int chsm_record_order(const struct chsm_record *a, const struct chsm_record *b)
{
    int c = chsm_record_report_order(a, b);

    c = c ? c : ORDER(a->type, b->type);
    c = c ? c : ORDER(a->bits, b->bits);
    c = c ? c : text_order(a->curve, b->curve);
    c = c ? c : chsm_bytes_order(&a->spki, &b->spki);
    c = c ? c : ORDER(a->spki_from, b->spki_from);
    c = c ? c : chsm_bytes_order(&a->check_value, &b->check_value);
    c = c ? c : ORDER(a->flags_told, b->flags_told);
    c = c ? c : ORDER(a->flags, b->flags);
    return c || (!a->more && !b->more) ? c : more_order(a->more, b->more);
}

bool chsm_record_has_material(const struct chsm_record *r)
{
    return r->spki.len || r->check_value.len || chsm_record_value_digest(r);
}

int chsm_record_material_order(const struct chsm_record *a, const struct chsm_record *b)
{
    int c;

    if (a->spki.len || b->spki.len)
        return chsm_bytes_order(&a->spki, &b->spki);
    c = chsm_bytes_order(&a->check_value, &b->check_value);
    return c ? c : text_order(chsm_record_value_digest(a), chsm_record_value_digest(b));
}

uint64_t chsm_hash(uint64_t seed, const void *p, size_t n)
{
    const unsigned char *at = p;

    for (size_t i = 0; i < n; i++)
        seed = (seed ^ at[i]) * 0x100000001b3u;
    return seed;
}

uint64_t chsm_record_material_hash(const struct chsm_record *r, uint64_t seed)
{
    const char *value = chsm_record_value_digest(r);

    if (r->spki.len)
        return chsm_hash(seed, r->spki.p, r->spki.len);
    seed = chsm_hash(seed, r->check_value.p, r->check_value.len);
    return value ? chsm_hash(seed, value, strlen(value)) : seed;
}

bool chsm_record_tells_own_key(const struct chsm_record *r)
{
    return r->spki.len && (r->spki_from == CHSM_SPKI_OWN || r->spki_from == CHSM_SPKI_PROVEN);
}

const char *chsm_record_contradiction(const struct chsm_record *a, const struct chsm_record *b)
{
    const char *av = chsm_record_value_digest(a), *bv = chsm_record_value_digest(b);

    if (a->type != b->type)
        return "the key type differs";
    if (a->bits && b->bits && a->bits != b->bits)
        return "the key size differs";
    if (a->curve && b->curve && strcmp(a->curve, b->curve) != 0)
        return "the curve differs";
    if (chsm_record_tells_own_key(a) && chsm_record_tells_own_key(b) && !chsm_bytes_eq(&a->spki, &b->spki))
        return "the public key differs";
    if (a->check_value.len && b->check_value.len && !chsm_bytes_eq(&a->check_value, &b->check_value))
        return "the check value differs";
    if (av && bv && strcmp(av, bv) != 0)
        return "the value differs";
    return NULL;
}

static unsigned more_distance(const json_t *a, const json_t *b)
{
    const char *name;
    unsigned n = 0;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)a, name, v)
        n += !json_equal(v, json_object_get(b, name));
    json_object_foreach((json_t *)(uintptr_t)b, name, v)
        n += !json_object_get(a, name);
    return n;
}

unsigned chsm_record_distance(const struct chsm_record *a, const struct chsm_record *b)
{
    uint32_t flags = (a->flags_told ^ b->flags_told) | (a->flags ^ b->flags);

    return (unsigned)__builtin_popcount(flags) + more_distance(a->more, b->more) + !chsm_bytes_eq(&a->id, &b->id) +
           !chsm_bytes_eq(&a->label, &b->label) + (a->type != b->type) + (a->bits != b->bits) + (text_order(a->curve, b->curve) != 0) +
           !chsm_bytes_eq(&a->spki, &b->spki) + (a->spki_from != b->spki_from) + !chsm_bytes_eq(&a->check_value, &b->check_value);
}
