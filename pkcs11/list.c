/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

#include "pkcs11/find.h"
#include "pkcs11/gather.h"
#include "pkcs11/list.h"

struct work {
    struct chsm_session *s;
    const struct chsm_list_sink *sink;
    struct chsm_listing *l;
};

void chsm_listing_done(struct chsm_listing *l)
{
    free(l->v);
    *l = (struct chsm_listing){ 0 };
}

CHSM_PRINTF(2, 3) static void problem(struct chsm_listing *l, const char *fmt, ...)
{
    va_list ap;

    if (l->problems++ > 0)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(l->why, sizeof l->why, fmt, ap);
    va_end(ap);
}

static void search_problem(void *ctx, const char *text)
{
    struct work *w = ctx;

    problem(w->l, "%s", text);
}

static int search_tick(void *ctx, struct chsm_err *err)
{
    struct work *w = ctx;

    return w->sink->tick(w->sink->ctx, err);
}

static int remember(struct chsm_listing *l, const struct chsm_listed *one, struct chsm_err *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 256;
        struct chsm_listed *v = realloc(l->v, cap * sizeof *v);

        if (!v)
            return chsm_oom(err);
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = *one;
    return 0;
}

/* 1: against a removed device every further read would fail, too, each after its retries. */
static int unreadable(struct work *w, const struct chsm_gathered *one, struct chsm_err *err)
{
    struct chsm_err lost = { 0 };
    char cls[32];

    if (one->found->first < CHSM_FIND_NO_CLASS)
        (void)chsm_class_name(one->found->first, cls, sizeof cls);
    else
        (void)snprintf(cls, sizeof cls, "unknown");
    problem(w->l, "an object of class %s%s%.64s cannot be read: %s", cls, *one->label ? ", label " : "", one->label, one->err->text);
    if (w->sink->tick(w->sink->ctx, err) < 0)
        return -1;
    if (chsm_session_check(w->s, &lost) == 0)
        return 0;
    w->l->lost = lost.ck_rv != CKR_OK;
    problem(w->l, "%s", lost.text);
    return 1;
}

static int each(void *ctx, const struct chsm_gathered *one, struct chsm_err *err)
{
    struct work *w = ctx;
    const struct chsm_record *r = one->record;
    struct chsm_listed one_more;
    char cls[32];

    if (one->differs)
        problem(w->l, "two sessions at once were told different things of one object; read with one session only (--jobs 1)");
    if (one->got == CHSM_GOT_UNREADABLE)
        return unreadable(w, one, err);
    if (one->got == CHSM_GOT_SESSION_OBJECT) {
        w->l->session_objects++;
        return 0;
    }
    if (one->missed)
        problem(w->l, "the search for class %s did not find all of them", chsm_class_name(r->cls, cls, sizeof cls));
    one_more = (struct chsm_listed){ .handle = one->found->handle, .cls = r->cls, .bits = r->bits };
    return w->sink->record(w->sink->ctx, r, one_more.digest, err) < 0 ? -1 : remember(w->l, &one_more, err);
}

int chsm_list(struct chsm_crew *crew, const struct chsm_list_sink *sink, struct chsm_listing *ret, struct chsm_err *err)
{
    struct chsm_listing l = { 0 };
    struct chsm_found found = { 0 };
    struct work w = { crew->s, sink, &l };
    struct chsm_find find = { crew->s, &found, search_tick, search_problem, &w };
    struct chsm_err lost = { 0 };
    int rc;

    /* Without this, a token that ended the login would show its public objects only, and call that all. */
    if (chsm_session_check(crew->s, &lost) < 0) {
        l.lost = lost.ck_rv != CKR_OK;
        problem(&l, "%s", lost.text);
    }
    if (crew->s->private_hidden)
        problem(&l, "not logged in: the token's private objects are not shown");
    rc = chsm_find_all(&find, err);
    if (rc == 0)
        rc = chsm_gather(crew, &found, each, &w, err);
    if (rc == 0 && chsm_session_check(crew->s, &lost) < 0) {
        l.lost = lost.ck_rv != CKR_OK;
        problem(&l, "%s", lost.text);
    }
    chsm_found_done(&found);
    if (rc < 0) {
        chsm_listing_done(&l);
        return -1;
    }
    *ret = l;
    return 0;
}

static int by_digest(const void *x, const void *y)
{
    const struct chsm_listed *const *a = x, *const *b = y;

    return memcmp((*a)->digest, (*b)->digest, CHSM_SHA256_LEN);
}

/* The records in the order of their digests; NULL when out of memory. */
static struct chsm_listed **sorted(const struct chsm_listing *l)
{
    struct chsm_listed **v = calloc(l->n + 1, sizeof *v);

    for (size_t i = 0; v && i < l->n; i++)
        v[i] = &l->v[i];
    if (v)
        qsort(v, l->n, sizeof *v, by_digest);
    return v;
}

/* How many from `at` on have the digest of the first of them. */
static size_t run_of(struct chsm_listed **v, size_t n, size_t at)
{
    size_t end = at + 1;

    while (end < n && by_digest(&v[at], &v[end]) == 0)
        end++;
    return end - at;
}

int chsm_listing_renew(struct chsm_listing *old, const struct chsm_listing *now, struct chsm_err *err)
{
    AUTO_FREE struct chsm_listed **a = sorted(old);
    AUTO_FREE struct chsm_listed **b = sorted(now);
    size_t k = 0;

    if (!a || !b)
        return chsm_oom(err);
    for (size_t i = 0, n; i < old->n; i += n) {
        bool known;

        n = run_of(a, old->n, i);
        while (k < now->n && by_digest(&b[k], &a[i]) < 0)
            k++;
        known = n == 1 && k < now->n && by_digest(&b[k], &a[i]) == 0 && run_of(b, now->n, k) == 1;
        for (size_t j = i; j < i + n; j++)
            a[j]->handle = known ? b[k]->handle : CK_INVALID_HANDLE;
    }
    return 0;
}
