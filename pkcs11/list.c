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
    problem(w->l, "%s", lost.text);
    return 1;
}

static int each(void *ctx, const struct chsm_gathered *one, struct chsm_err *err)
{
    struct work *w = ctx;
    const struct chsm_record *r = one->record;
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
    if (remember(w->l, &(struct chsm_listed){ one->found->handle, r->cls, r->bits }, err) < 0)
        return -1;
    return w->sink->record(w->sink->ctx, r, err);
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
    if (chsm_session_check(crew->s, &lost) < 0)
        problem(&l, "%s", lost.text);
    if (crew->s->private_hidden)
        problem(&l, "not logged in: the token's private objects are not shown");
    rc = chsm_find_all(&find, err);
    if (rc == 0)
        rc = chsm_gather(crew, &found, each, &w, err);
    if (rc == 0 && chsm_session_check(crew->s, &lost) < 0)
        problem(&l, "%s", lost.text);
    chsm_found_done(&found);
    if (rc < 0) {
        chsm_listing_done(&l);
        return -1;
    }
    *ret = l;
    return 0;
}
