/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/p11/handles.h"
#include "util/enc.h"

/* Two hash tables with open addressing over one list; a slot holds the list's index plus one, 0 is free. */
static struct {
    struct sim_handle *list;
    size_t n;
    size_t cap;                         /* of the list */
    uint32_t *by_seen;
    uint32_t *by_inner;
    size_t slots;                       /* of each table: a power of two, at least twice cap */
} all;

static size_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15u;           /* Knuth's multiplicative hash, 64 bit */
    return (size_t)(x ^ (x >> 29));
}

static size_t hash_inner(size_t token, CK_OBJECT_HANDLE inner)
{
    return mix(((uint64_t)token << 40) ^ inner);
}

static void insert(uint32_t *table, size_t hash, size_t index)
{
    size_t at = hash & (all.slots - 1);

    while (table[at])
        at = (at + 1) & (all.slots - 1);
    table[at] = (uint32_t)index + 1;
}

static bool grow(void)
{
    size_t cap = all.cap ? 2 * all.cap : 256, i;
    struct sim_handle *list = reallocarray(all.list, cap, sizeof *list);
    uint32_t *by_seen = calloc(2 * cap, sizeof *by_seen), *by_inner = calloc(2 * cap, sizeof *by_inner);

    if (list)
        all.list = list;
    if (!list || !by_seen || !by_inner) {
        free(by_seen);
        free(by_inner);
        return false;
    }
    free(all.by_seen);
    free(all.by_inner);
    all.by_seen = by_seen;
    all.by_inner = by_inner;
    all.cap = cap;
    all.slots = 2 * cap;
    for (i = 0; i < all.n; i++) {
        insert(all.by_seen, mix(list[i].seen), i);
        insert(all.by_inner, hash_inner(list[i].token, list[i].inner), i);
    }
    return true;
}

struct sim_handle *sim_handle_of(size_t token, CK_OBJECT_HANDLE inner)
{
    size_t at;

    if (!all.slots)
        return NULL;
    for (at = hash_inner(token, inner) & (all.slots - 1); all.by_inner[at]; at = (at + 1) & (all.slots - 1)) {
        struct sim_handle *h = &all.list[all.by_inner[at] - 1];

        if (h->token == token && h->inner == inner)
            return h;
    }
    return NULL;
}

struct sim_handle *sim_handle_find(CK_OBJECT_HANDLE seen)
{
    size_t at;

    if (!all.slots)
        return NULL;
    for (at = mix(seen) & (all.slots - 1); all.by_seen[at]; at = (at + 1) & (all.slots - 1))
        if (all.list[all.by_seen[at] - 1].seen == seen)
            return &all.list[all.by_seen[at] - 1];
    return NULL;
}

/* CHSM_SIM_HANDLES=FILE: one handle a line, so that a test can see that none comes back. */
static void log_handle(CK_OBJECT_HANDLE seen)
{
    const char *path = getenv("CHSM_SIM_HANDLES");
    FILE *f = path && *path ? fopen(path, "ae") : NULL;

    if (!f)
        return;
    (void)fprintf(f, "%lu\n", seen);
    (void)fclose(f);
}

struct sim_handle *sim_handle_make(size_t token, CK_OBJECT_HANDLE inner, CK_OBJECT_CLASS cls, CK_KEY_TYPE type)
{
    struct sim_handle *h;
    CK_OBJECT_HANDLE seen;
    uint32_t random;

    if (all.n == all.cap && !grow())
        return NULL;
    do {
        if (chsm_random(&random, sizeof random, NULL) < 0)
            return NULL;
        seen = SIM_HANDLE_MIN + random % (SIM_HANDLE_MAX - SIM_HANDLE_MIN + 1);
    } while (sim_handle_find(seen));
    h = &all.list[all.n];
    *h = (struct sim_handle){ .seen = seen, .inner = inner, .token = token, .cls = cls, .type = type };
    insert(all.by_seen, mix(seen), all.n);
    insert(all.by_inner, hash_inner(token, inner), all.n);
    all.n++;
    return h;
}

CK_OBJECT_HANDLE sim_handle_give(struct sim_handle *h)
{
    if (!h->given)
        log_handle(h->seen);
    h->given = true;
    return h->seen;
}

void sim_handles_clear(void)
{
    free(all.list);
    free(all.by_seen);
    free(all.by_inner);
    memset(&all, 0, sizeof all);
}
