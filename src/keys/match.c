/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching in passes. Each pass groups the records that are still free by what it compares; what may be paired depends on
 * how many of a group are at the source and how many at the destination.
 */
#include "config.h"

#include "keys/assign.h"
#include "keys/match.h"
#include "keys/order.h"

struct item {
    uint64_t hash;              /* of what the pass compares: most comparisons end here */
    const struct chsm_record *record;
    uint32_t index;
    bool destination;
};

struct state {
    const struct chsm_section *source, *destination;
    struct chsm_match *m;
};

struct run {                    /* items that are equal in what the pass compares, source items first, each side in a fixed order */
    const struct item *items;
    size_t n, sources;
};

struct pass {
    bool (*takes)(const struct chsm_record *r);                                         /* whether the record takes part */
    uint64_t (*hash)(const struct chsm_record *r);
    int (*order)(const struct chsm_record *a, const struct chsm_record *b);             /* 0 = one group */
    void (*run)(struct state *st, const struct run *run);
};

static uint64_t hash_number(uint64_t seed, unsigned long n)
{
    return chsm_hash(seed, &n, sizeof n);
}

static bool has_id(const struct chsm_record *r)
{
    return r->id.len > 0;
}

static bool anything(const struct chsm_record *r)
{
    (void)r;
    return true;
}

static uint64_t hash_id(const struct chsm_record *r)
{
    return chsm_hash(hash_number(CHSM_HASH_SEED, r->cls), r->id.p, r->id.len);
}

static int order_id(const struct chsm_record *a, const struct chsm_record *b)
{
    int c = (a->cls > b->cls) - (a->cls < b->cls);

    return c ? c : chsm_bytes_order(&a->id, &b->id);
}

static uint64_t hash_material(const struct chsm_record *r)
{
    return chsm_record_material_hash(r, hash_number(hash_number(CHSM_HASH_SEED, r->cls), r->type));
}

static int order_material(const struct chsm_record *a, const struct chsm_record *b)
{
    int c = (a->cls > b->cls) - (a->cls < b->cls);

    c = c ? c : (a->type > b->type) - (a->type < b->type);
    c = c ? c : (a->bits > b->bits) - (a->bits < b->bits);
    return c ? c : chsm_record_material_order(a, b);
}

static uint64_t hash_id_material(const struct chsm_record *r)
{
    return chsm_hash(hash_material(r), r->id.p, r->id.len);
}

static int order_id_material(const struct chsm_record *a, const struct chsm_record *b)
{
    int c = order_material(a, b);

    return c ? c : chsm_bytes_order(&a->id, &b->id);
}

/* Records without an ID are of one group only when they look alike. */
static uint64_t hash_outside(const struct chsm_record *r)
{
    return r->id.len ? hash_id(r) : chsm_hash(hash_number(hash_id(r), r->type), r->label.p, r->label.len);
}

static int order_outside(const struct chsm_record *a, const struct chsm_record *b)
{
    int c = order_id(a, b);

    if (c || a->id.len)
        return c;
    c = (a->type > b->type) - (a->type < b->type);
    c = c ? c : (a->bits > b->bits) - (a->bits < b->bits);
    c = c ? c : strcmp(a->curve ? a->curve : "", b->curve ? b->curve : "");
    return c ? c : chsm_bytes_order(&a->label, &b->label);
}

static void pair(struct state *st, const struct item *source, const struct item *destination, enum chsm_means means)
{
    st->m->of_source[source->index] = destination->index;
    st->m->means[source->index] = means;
    st->m->destination_used[destination->index] = true;
}

/* One on each side, or nothing. */
static void pair_only(struct state *st, const struct run *run, enum chsm_means means)
{
    if (run->sources == 1 && run->n == 2)
        pair(st, &run->items[0], &run->items[1], means);
}

static void run_id(struct state *st, const struct run *run)
{
    pair_only(st, run, CHSM_MEANS_ID);
}

static void run_moved(struct state *st, const struct run *run)
{
    pair_only(st, run, CHSM_MEANS_FINGERPRINT);
}

/*
 * Equal ID and equal material: they are the same key however many there are. Records that are equal in everything pair
 * first; the rest pair in the order of their content. What is left over on one side is missing or unexpected.
 */
static void run_same_key(struct state *st, const struct run *run)
{
    enum chsm_means means = run->items[0].record->id.len ? CHSM_MEANS_ID : CHSM_MEANS_FINGERPRINT;
    size_t s = 0, d = run->sources;

    /* Both sides are in the order of their content: one walk finds the equal ones. */
    while (s < run->sources && d < run->n) {
        int c = chsm_record_order(run->items[s].record, run->items[d].record);

        if (c == 0)
            pair(st, &run->items[s], &run->items[d], means);
        s += c <= 0;
        d += c >= 0;
    }
    s = 0;
    d = run->sources;
    while (s < run->sources && d < run->n) {
        if (st->m->of_source[run->items[s].index] != CHSM_NO_MATCH)
            s++;
        else if (st->m->destination_used[run->items[d].index])
            d++;
        else
            pair(st, &run->items[s++], &run->items[d++], means);
    }
}

static void doubt(struct state *st, const struct item *item)
{
    if (item->destination)
        st->m->destination_ambiguous[item->index] = true;
    else
        st->m->source_ambiguous[item->index] = true;
}

/* Takes over a solution: pairs that are possible for both only are certain, all other possible ones are ambiguous. */
static void settle(struct state *st, const struct run *run, const struct chsm_assign *a, bool possible[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX],
                   enum chsm_means means)
{
    size_t of_row[CHSM_ASSIGN_MAX] = { 0 }, of_column[CHSM_ASSIGN_MAX] = { 0 };

    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < a->m; j++) {
            of_row[i] += possible[i][j];
            of_column[j] += possible[i][j];
        }
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < a->m; j++) {
            if (!possible[i][j])
                continue;
            if (of_row[i] == 1 && of_column[j] == 1) {
                pair(st, &run->items[i], &run->items[a->n + j], means);
                continue;
            }
            doubt(st, &run->items[i]);
            doubt(st, &run->items[a->n + j]);
        }
}

/*
 * Several with one ID (or without one, looking alike): who is who is the assignment with the fewest differences. Records whose
 * material is told and differs are never paired. Where several assignments are equally good, nothing tells the records apart.
 */
static void run_outside(struct state *st, const struct run *run)
{
    enum chsm_means means = run->items[0].record->id.len ? CHSM_MEANS_ID : CHSM_MEANS_DESCRIPTOR;
    struct chsm_assign a = { .n = run->sources, .m = run->n - run->sources };
    bool possible[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX];

    if (a.n == 0 || a.m == 0)
        return;
    if (a.n == 1 && a.m == 1) {
        /* The comparison says what became of it. */
        pair(st, &run->items[0], &run->items[1], means);
        return;
    }
    if (a.n > CHSM_ASSIGN_MAX || a.m > CHSM_ASSIGN_MAX) {
        for (size_t i = 0; i < run->n; i++)
            doubt(st, &run->items[i]);
        return;
    }
    for (size_t i = 0; i < a.n; i++)
        for (size_t j = 0; j < a.m; j++) {
            const struct chsm_record *s = run->items[i].record, *d = run->items[a.n + j].record;

            a.cost[i][j] = chsm_record_contradiction(s, d) ? CHSM_ASSIGN_NEVER : chsm_record_distance(s, d);
        }
    chsm_assign_solve(&a, possible);
    settle(st, run, &a, possible, means);
}

static int in_groups(const void *a, const void *b, void *ctx)
{
    const struct item *x = a, *y = b;
    const struct pass *pass = ctx;
    int c = (x->hash > y->hash) - (x->hash < y->hash);

    c = c ? c : pass->order(x->record, y->record);
    c = c ? c : (int)x->destination - (int)y->destination;
    c = c ? c : chsm_record_order(x->record, y->record);
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

static size_t collect(const struct state *st, bool destination, const struct pass *pass, struct item *items)
{
    const struct chsm_section *s = destination ? st->destination : st->source;
    const struct chsm_match *m = st->m;
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        const struct chsm_record *r = &s->records[i];
        bool taken = destination ? m->destination_used[i] || m->destination_ambiguous[i] : m->of_source[i] != CHSM_NO_MATCH || m->source_ambiguous[i];

        if (!taken && pass->takes(r))
            items[n++] = (struct item){ .hash = pass->hash(r), .record = r, .index = (uint32_t)i, .destination = destination };
    }
    return n;
}

static void do_pass(struct state *st, const struct pass *pass, struct item *items)
{
    size_t n = collect(st, false, pass, items);

    n += collect(st, true, pass, items + n);
    qsort_r(items, n, sizeof *items, in_groups, (void *)(uintptr_t)pass);
    for (size_t i = 0; i < n;) {
        struct run run = { .items = items + i };

        while (i < n && items[i].hash == run.items[0].hash && pass->order(items[i].record, run.items[0].record) == 0) {
            run.sources += !items[i++].destination;
            run.n++;
        }
        pass->run(st, &run);
    }
}

static bool alloc_match(struct chsm_match *m, size_t ns, size_t nd)
{
    m->of_source = calloc(ns + 1, sizeof *m->of_source);
    m->means = calloc(ns + 1, sizeof *m->means);
    m->source_ambiguous = calloc(ns + 1, sizeof *m->source_ambiguous);
    m->destination_used = calloc(nd + 1, sizeof *m->destination_used);
    m->destination_ambiguous = calloc(nd + 1, sizeof *m->destination_ambiguous);
    for (size_t i = 0; m->of_source && i < ns; i++)
        m->of_source[i] = CHSM_NO_MATCH;
    return m->of_source && m->means && m->source_ambiguous && m->destination_used && m->destination_ambiguous;
}

void chsm_match_done(struct chsm_match *m)
{
    free(m->of_source);
    free(m->means);
    free(m->source_ambiguous);
    free(m->destination_used);
    free(m->destination_ambiguous);
    *m = (struct chsm_match){ 0 };
}

int chsm_match(const struct chsm_section *source, const struct chsm_section *destination, struct chsm_match *ret, struct chsm_err *err)
{
    static const struct pass passes[] = {
        { has_id, hash_id, order_id, run_id },                                              /* the ID is there once on each side */
        { chsm_record_has_material, hash_id_material, order_id_material, run_same_key },    /* repeated and empty IDs */
        { chsm_record_has_material, hash_material, order_material, run_moved },             /* the ID itself has changed */
        { anything, hash_outside, order_outside, run_outside },                             /* nothing but the outside is left */
        { has_id, hash_id, order_id, run_id },                  /* what remains of a repeated ID after that */
    };
    struct chsm_match m = { 0 };
    struct state st = { .source = source, .destination = destination, .m = &m };
    AUTO_FREE struct item *items = calloc(source->n + destination->n + 1, sizeof *items);

    if (source->n > UINT32_MAX || destination->n > UINT32_MAX)
        return chsm_fail(err, CHSM_CONFIG, "too many records");
    if (!items || !alloc_match(&m, source->n, destination->n)) {
        chsm_match_done(&m);
        return chsm_oom(err);
    }
    for (size_t i = 0; i < ARRAY_LEN(passes); i++)
        do_pass(&st, &passes[i], items);
    *ret = m;
    return 0;
}
