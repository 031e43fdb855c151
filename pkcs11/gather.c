/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <time.h>

#include "pkcs11/gather.h"
#include "pkcs11/object.h"
#include "pkcs11/wire.h"

#define RETRIES 40u             /* of one listing, so that a dead device costs seconds, not minutes */
#define STRIKES 3u              /* reads that fail in a helper's session before it goes home: not every module likes threads */
#define SAMPLE 256u             /* one in so many that helpers have read is read again by the main session */
#define NONE SIZE_MAX

/* How many sessions, where nobody has said it: twice as many while that gives a fifth more, and one where calls are so fast. */
#define MEASURE_SECONDS 0.02
#define MEASURE_CALLS 8u        /* times the sessions */
#define WORTH_IT 1.2
#define FAST_ENOUGH 5000.0      /* calls per second of one session */

/* An object that was read. */
struct result {
    enum chsm_got got;
    struct chsm_record record;
    CK_OBJECT_CLASS cls;
    struct chsm_calibration *kind;      /* not NULL: counts only when the kind has come to be trusted */
    bool helped;                        /* read in a helper's session */
    bool first;                         /* and the first that was read there */
    char *label;
    struct chsm_err *err;               /* CHSM_GOT_UNREADABLE; NULL = out of memory */
};

struct slot {
    bool taken;
    bool done;
    struct result *res;                 /* NULL: the helper had no memory left */
};

struct gather {
    struct chsm_crew *crew;
    const struct chsm_found *found;
    struct chsm_reads reads;
    struct slot *slot;                  /* by place in found */
    size_t ahead[CHSM_FOUND_CLASSES + 1];   /* the first of each class: taken before all others, so that they are compared at once */
    size_t nahead;
    size_t next;                        /* the first of the others that nobody has taken */
    bool stop;
    pthread_mutex_t lock;               /* of all above */
    pthread_cond_t news;                /* something was put into a slot */
    /* How fast it goes, where the number of sessions is ours to choose. */
    bool measuring;
    unsigned sessions;
    double rate;                        /* calls per second with half as many */
    double since;
    unsigned long calls;
};

static void result_free(struct result *r)
{
    if (!r)
        return;
    chsm_record_done(&r->record);
    free(r->label);
    free(r->err);
    free(r);
}

/* Reads the object as what it says that it is: a module may have ignored the class in the search. */
static int read_as_is(struct chsm_reader *reader, const struct chsm_found_one *f, struct chsm_object *o, struct result *res,
                      struct chsm_err *err)
{
    CK_OBJECT_CLASS told;

    res->cls = f->first;
    if (chsm_read_object(reader, f->handle, res->cls, o, &res->kind, err) < 0)
        return -1;
    if (!o->have[CHSM_A_CLASS])
        return res->cls < CHSM_ATTR_OTHER ? 0 : chsm_fail(err, CHSM_PKCS11, "it does not tell its class");
    told = chsm_object_ulong(o, CHSM_A_CLASS);
    if (told == res->cls || (told >= CHSM_ATTR_OTHER && res->cls >= CHSM_ATTR_OTHER)) {
        res->cls = told;
        return 0;
    }
    res->cls = told;
    chsm_object_done(o);
    return chsm_read_object(reader, f->handle, told, o, &res->kind, err);
}

static struct result *read_one(struct chsm_reader *reader, const struct chsm_found_one *f, bool helped)
{
    AUTO_OBJECT struct chsm_object o = { 0 };
    struct result *res = calloc(1, sizeof *res);
    struct chsm_err e = { 0 };

    if (!res)
        return NULL;
    res->helped = helped;
    res->got = CHSM_GOT_UNREADABLE;
    if (read_as_is(reader, f, &o, res, &e) == 0) {
        if (o.have[CHSM_A_TOKEN] && o.v[CHSM_A_TOKEN].p[0] == CK_FALSE)
            res->got = CHSM_GOT_SESSION_OBJECT;
        else if (chsm_object_record(&o, res->cls, &res->record, &e) == 0)
            res->got = CHSM_GOT_RECORD;
        else
            res->label = chsm_bytes_text(&o.v[CHSM_A_LABEL]);
    }
    if (res->got == CHSM_GOT_UNREADABLE && (res->err = malloc(sizeof e)))
        *res->err = e;
    return res;
}

/* The next object that nobody has taken; NONE when there is none left. */
static size_t take(struct gather *g)
{
    size_t i = NONE;

    (void)pthread_mutex_lock(&g->lock);
    while (g->next < g->found->n && g->slot[g->next].taken)
        g->next++;
    if (!g->stop && g->nahead > 0)
        i = g->ahead[--g->nahead];
    else if (!g->stop && g->next < g->found->n)
        i = g->next;
    if (i != NONE)
        g->slot[i].taken = true;
    (void)pthread_mutex_unlock(&g->lock);
    return i;
}

static void put(struct gather *g, size_t i, struct result *res)
{
    (void)pthread_mutex_lock(&g->lock);
    g->slot[i] = (struct slot){ true, true, res };
    (void)pthread_cond_signal(&g->news);
    (void)pthread_mutex_unlock(&g->lock);
}

/* A helper's work. What it cannot read is left to the main session. */
static void help(struct chsm_helper *h, void *ctx)
{
    struct gather *g = ctx;
    struct chsm_reader reader = { &h->s.ck, h->s.main, &g->reads };
    unsigned strikes = 0;
    bool first = true;
    size_t i;

    while (strikes < STRIKES && (i = take(g)) != NONE) {
        struct result *res = read_one(&reader, &g->found->v[i], true);

        strikes += !res || res->got == CHSM_GOT_UNREADABLE;
        if (res)
            res->first = first;
        first = false;
        put(g, i, res);
    }
}

/* Another thread is just finding out whether answers of that kind can be trusted. With g->lock held. */
static bool is_pending(struct gather *g, const struct result *res)
{
    return res && res->kind && chsm_reads_trust(&g->reads, res->kind) == CHSM_TRUST_PENDING;
}

/* Whether number i can be handed on; waits for that when `wait`. */
static bool is_ready(struct gather *g, size_t i, bool wait)
{
    bool ready;

    (void)pthread_mutex_lock(&g->lock);
    while (!(ready = g->slot[i].done && !is_pending(g, g->slot[i].res)) && wait)
        (void)pthread_cond_wait(&g->news, &g->lock);
    (void)pthread_mutex_unlock(&g->lock);
    return ready;
}

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Twice as many sessions, as long as that is worth it. */
static void tune(struct gather *g)
{
    double elapsed = seconds() - g->since, rate;
    unsigned long calls = g->reads.calls - g->calls;

    if (!g->measuring || elapsed < MEASURE_SECONDS || calls < MEASURE_CALLS * g->sessions)
        return;
    rate = (double)calls / elapsed;
    if (g->sessions == 1 ? rate > FAST_ENOUGH : rate < g->rate * WORTH_IT) {
        g->measuring = false;
        return;
    }
    g->sessions *= 2;
    chsm_crew_grow(g->crew, g->sessions, help, g);
    g->measuring = g->crew->running + 1 >= g->sessions;
    g->rate = rate;
    g->since = seconds();
    g->calls = g->reads.calls;
}

/* True when the record is another one than `other`; both as they would go to the program. */
static bool differ(const struct result *a, const struct result *b)
{
    json_t *x, *y;
    bool equal;

    if (a->got != CHSM_GOT_RECORD || b->got != CHSM_GOT_RECORD)
        return a->got != b->got;
    x = chsm_wire_record(&a->record);
    y = chsm_wire_record(&b->record);
    equal = x && y && json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return !equal;
}

/* What counts for number i: the helper's answer, or the main session's. *ret_differs: the two were not the same. */
static struct result *confirm(struct gather *g, struct chsm_reader *reader, size_t i, bool *ret_differs)
{
    struct result *res = g->slot[i].res, *mine;
    bool trusted = res && (!res->kind || chsm_reads_trust(&g->reads, res->kind) == CHSM_TRUST_FULL);
    bool sample = res && res->helped && (res->first || i % SAMPLE == SAMPLE - 1);

    g->slot[i].res = NULL;
    *ret_differs = false;
    if (trusted && !sample && !(res->helped && res->got == CHSM_GOT_UNREADABLE))
        return res;
    mine = read_one(reader, &g->found->v[i], false);
    *ret_differs = trusted && mine && res->got != CHSM_GOT_UNREADABLE && mine->got != CHSM_GOT_UNREADABLE && differ(res, mine);
    result_free(res);
    return mine;
}

static int hand_on(struct gather *g, struct chsm_reader *reader, size_t i, chsm_gather_fn *each, void *ctx, struct chsm_err *err)
{
    struct chsm_err none = { .text = "out of memory" };
    const struct chsm_found_one *f = &g->found->v[i];
    struct chsm_gathered one = { .found = f };
    struct result *res = confirm(g, reader, i, &one.differs);
    int rc;

    if (!res)
        return chsm_oom(err);
    one.got = res->got;
    one.record = &res->record;
    one.missed = f->first == CHSM_FOUND_CLASSES && res->got != CHSM_GOT_UNREADABLE && res->cls < CHSM_FOUND_CLASSES;
    one.label = res->label ? res->label : "";
    one.err = res->err ? res->err : &none;
    rc = each(ctx, &one, err);
    result_free(res);
    return rc;
}

/* The main session reads, too; between two reads it hands on what is ready. */
static int work(struct gather *g, chsm_gather_fn *each, void *ctx, struct chsm_err *err)
{
    struct chsm_reader reader = { &g->crew->s->ck, g->crew->s->main, &g->reads };
    int rc = 0;

    for (size_t at = 0; at < g->found->n && rc == 0;) {
        if (is_ready(g, at, false)) {
            rc = hand_on(g, &reader, at++, each, ctx, err);
        } else {
            size_t i = take(g);

            if (i != NONE)
                put(g, i, read_one(&reader, &g->found->v[i], false));
            else
                (void)is_ready(g, at, true);
            tune(g);
        }
    }
    return rc < 0 ? -1 : 0;
}

static void finish(struct gather *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->stop = true;
    (void)pthread_mutex_unlock(&g->lock);
    chsm_crew_join(g->crew);
    for (size_t i = 0; i < g->found->n; i++)
        result_free(g->slot[i].res);
    free(g->slot);
    (void)pthread_mutex_destroy(&g->lock);
    chsm_reads_done(&g->reads);
    (void)pthread_cond_destroy(&g->news);
}

/* Which objects come first. The very first of all is the last one here, as it is the first to be handed on. */
static void look_ahead(struct gather *g)
{
    bool seen[CHSM_FOUND_CLASSES + 1] = { 0 };

    for (size_t i = 0; i < g->found->n; i++) {
        if (!seen[g->found->v[i].first])
            g->ahead[g->nahead++] = i;
        seen[g->found->v[i].first] = true;
    }
    for (size_t i = 0; i < g->nahead / 2; i++) {
        size_t other = g->ahead[i];

        g->ahead[i] = g->ahead[g->nahead - 1 - i];
        g->ahead[g->nahead - 1 - i] = other;
    }
}

int chsm_gather(struct chsm_crew *crew, const struct chsm_found *found, chsm_gather_fn *each, void *ctx, struct chsm_err *err)
{
    struct gather g = { .crew = crew, .found = found, .sessions = 1, .measuring = crew->measured, .since = seconds() };
    int rc;

    g.slot = calloc(found->n + 1, sizeof *g.slot);
    if (!g.slot)
        return chsm_oom(err);
    (void)pthread_mutex_init(&g.lock, NULL);
    chsm_reads_init(&g.reads, RETRIES, found->shared == 0);
    (void)pthread_cond_init(&g.news, NULL);
    look_ahead(&g);
    if (!crew->measured)
        chsm_crew_grow(crew, found->n < crew->limit ? (unsigned)found->n : crew->limit, help, &g);
    rc = work(&g, each, ctx, err);
    finish(&g);
    return rc;
}
