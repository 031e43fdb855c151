/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching in passes. Each pass gives the records that are still free a key, sorts them, and looks at every run of equal
 * keys: what may be paired depends on how many of the run are at the source and how many at the destination.
 */
#include "config.h"

#include "keys/match.h"
#include "util/json.h"

struct item {
    char *key;          /* what this pass compares; never NULL */
    char *content;      /* canonical record: orders the members of a run, so that the input's order does not matter */
    size_t index;
    bool destination;
};

struct state {
    const struct chsm_section *source, *destination;
    struct chsm_match *m;
    char **content[2];  /* canonical records of source and destination */
};

struct run {            /* items of one key, source items first */
    struct item *items;
    size_t n, sources;
};

/* A key in fresh memory; NULL with *skip when the record takes no part in the pass, NULL without it when out of memory. */
typedef char *key_fn(const struct chsm_record *r, bool *skip);
typedef void run_fn(struct state *st, const struct run *run);

bool chsm_record_has_material(const struct chsm_record *r)
{
    return r->spki.len || r->check_value.len || chsm_record_value_digest(r);
}

/* Everything that depends on key material, as text; "" when nothing does. */
static char *material(const struct chsm_record *r)
{
    AUTO_FREE char *kcv = chsm_hex(r->check_value.p, r->check_value.len);
    const char *value = chsm_record_value_digest(r);
    char fp[65] = "";

    /* The check value takes part only where there is no public key: some tokens have it on one side only. */
    if (!kcv)
        return NULL;
    if (chsm_record_fingerprint(r, fp))
        return strdup(fp);
    return chsm_strf("%s%s", kcv, value ? value : "");
}

static char *key_id(const struct chsm_record *r, bool *skip)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len);

    *skip = r->id.len == 0;
    return *skip || !id ? NULL : chsm_strf("%lx:%s", r->cls, id);
}

static char *key_id_material(const struct chsm_record *r, bool *skip)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len);
    AUTO_FREE char *mat = material(r);

    *skip = !chsm_record_has_material(r);
    return *skip || !id || !mat ? NULL : chsm_strf("%lx:%lx:%u:%s:%s", r->cls, r->type, r->bits, id, mat);
}

static char *key_material(const struct chsm_record *r, bool *skip)
{
    AUTO_FREE char *mat = material(r);

    *skip = !chsm_record_has_material(r);
    return *skip || !mat ? NULL : chsm_strf("%lx:%lx:%u:%s", r->cls, r->type, r->bits, mat);
}

static char *key_descriptor(const struct chsm_record *r, bool *skip)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len);
    AUTO_FREE char *label = chsm_hex(r->label.p, r->label.len);

    *skip = false;
    return !id || !label ? NULL : chsm_strf("%lx:%s:%lx:%u:%s:%s", r->cls, id, r->type, r->bits, r->curve ? r->curve : "", label);
}

static void pair(struct state *st, size_t source, size_t destination, enum chsm_means means)
{
    st->m->of_source[source] = destination;
    st->m->means[source] = means;
    st->m->destination_used[destination] = true;
}

/* One on each side, or nothing. */
static void pair_only(struct state *st, const struct run *run, enum chsm_means means)
{
    if (run->sources == 1 && run->n == 2)
        pair(st, run->items[0].index, run->items[1].index, means);
}

static void run_id(struct state *st, const struct run *run)
{
    pair_only(st, run, CHSM_MEANS_ID);
}

static enum chsm_means means_here(const struct state *st, const struct item *source)
{
    return st->source->records[source->index].id.len ? CHSM_MEANS_ID : CHSM_MEANS_FINGERPRINT;
}

/*
 * Equal ID and equal material: they are the same key however many there are. Records that are equal in everything pair
 * first; the rest pair in the order of their content. What is left over on one side is missing or unexpected.
 */
static void run_same_key(struct state *st, const struct run *run)
{
    for (size_t i = 0; i < run->sources; i++)
        for (size_t k = run->sources; k < run->n; k++)
            if (!st->m->destination_used[run->items[k].index] && strcmp(run->items[i].content, run->items[k].content) == 0) {
                pair(st, run->items[i].index, run->items[k].index, means_here(st, &run->items[i]));
                break;
            }
    for (size_t i = 0; i < run->sources; i++)
        for (size_t k = run->sources; k < run->n && st->m->of_source[run->items[i].index] == CHSM_NO_MATCH; k++)
            if (!st->m->destination_used[run->items[k].index])
                pair(st, run->items[i].index, run->items[k].index, means_here(st, &run->items[i]));
}

static void run_moved(struct state *st, const struct run *run)
{
    pair_only(st, run, CHSM_MEANS_FINGERPRINT);
}

/*
 * Same ID (or both without), same outside. One on each side is that pair; the comparison says what became of it. Several:
 * where all of them tell their material, none of them is the same key (an earlier pass would have paired it) and they stay
 * missing and unexpected; otherwise nothing tells them apart.
 */
static void run_descriptor(struct state *st, const struct run *run)
{
    bool telling = true;

    if (run->sources == 1 && run->n == 2) {
        bool named = st->source->records[run->items[0].index].id.len > 0;

        pair_only(st, run, named ? CHSM_MEANS_ID : CHSM_MEANS_DESCRIPTOR);
        return;
    }
    if (run->sources == 0 || run->sources == run->n)
        return;
    for (size_t i = 0; i < run->n; i++) {
        const struct chsm_section *s = run->items[i].destination ? st->destination : st->source;

        telling = telling && chsm_record_has_material(&s->records[run->items[i].index]);
    }
    for (size_t i = 0; !telling && i < run->n; i++) {
        if (run->items[i].destination)
            st->m->destination_ambiguous[run->items[i].index] = true;
        else
            st->m->source_ambiguous[run->items[i].index] = true;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int c = strcmp(x->key, y->key);

    if (c == 0)
        c = (int)x->destination - (int)y->destination;
    return c ? c : strcmp(x->content, y->content);
}

static int collect(const struct state *st, bool destination, key_fn *key, struct item *items, size_t *n, struct chsm_err *err)
{
    const struct chsm_section *s = destination ? st->destination : st->source;

    for (size_t i = 0; i < s->n; i++) {
        bool skip = false;
        bool taken = destination ? st->m->destination_used[i] || st->m->destination_ambiguous[i]
                                 : st->m->of_source[i] != CHSM_NO_MATCH || st->m->source_ambiguous[i];
        char *k = taken ? NULL : key(&s->records[i], &skip);

        if (taken || skip)
            continue;
        if (!k)
            return chsm_oom(err);
        items[(*n)++] = (struct item){ .key = k, .content = st->content[destination][i], .index = i, .destination = destination };
    }
    return 0;
}

static void each_run(struct state *st, struct item *items, size_t n, run_fn *fn)
{
    for (size_t i = 0; i < n;) {
        struct run run = { .items = items + i };

        while (i < n && strcmp(items[i].key, run.items[0].key) == 0) {
            run.sources += !items[i++].destination;
            run.n++;
        }
        fn(st, &run);
    }
}

static int pass(struct state *st, key_fn *key, run_fn *fn, struct chsm_err *err)
{
    size_t n = 0, most = st->source->n + st->destination->n;
    struct item *items = calloc(most ? most : 1, sizeof *items);
    int rc;

    if (!items)
        return chsm_oom(err);
    rc = collect(st, false, key, items, &n, err);
    if (rc == 0)
        rc = collect(st, true, key, items, &n, err);
    if (rc == 0) {
        qsort(items, n, sizeof *items, by_key);
        each_run(st, items, n, fn);
    }
    for (size_t i = 0; i < n; i++)
        free(items[i].key);
    free(items);
    return rc;
}

static void free_contents(char **contents, size_t n)
{
    for (size_t i = 0; contents && i < n; i++)
        free(contents[i]);
    free(contents);
}

/* Canonical text of each record without its recorded question, which differs from reading to reading. */
static char **contents_of(const struct chsm_section *s)
{
    char **all = calloc(s->n ? s->n : 1, sizeof *all);

    for (size_t i = 0; all && i < s->n; i++) {
        json_auto_t *o = chsm_record_to_json(&s->records[i]);

        if (o)
            (void)json_object_del(o, "recorded");
        all[i] = o ? chsm_json_canonical(o) : NULL;
        if (!all[i]) {
            free_contents(all, s->n);
            return NULL;
        }
    }
    return all;
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
    static const struct { key_fn *key; run_fn *run; } passes[] = {
        { key_id, run_id },                 /* the ID is there once on each side */
        { key_id_material, run_same_key },  /* repeated and empty IDs: told apart by their material */
        { key_material, run_moved },        /* the ID itself has changed */
        { key_descriptor, run_descriptor }, /* nothing but the outside is left */
        { key_id, run_id },                 /* what remains of a repeated ID after that */
    };
    struct chsm_match m = { 0 };
    struct state st = { .source = source, .destination = destination, .m = &m };
    int rc = 0;

    st.content[0] = contents_of(source);
    st.content[1] = contents_of(destination);
    if (!alloc_match(&m, source->n, destination->n) || !st.content[0] || !st.content[1])
        rc = chsm_oom(err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(passes); i++)
        rc = pass(&st, passes[i].key, passes[i].run, err);
    free_contents(st.content[0], source->n);
    free_contents(st.content[1], destination->n);
    if (rc < 0) {
        chsm_match_done(&m);
        return -1;
    }
    *ret = m;
    return 0;
}
