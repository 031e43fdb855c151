/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

#include "pkcs11/found.h"
#include "pkcs11/hsm.h"
#include "pkcs11/list.h"
#include "pkcs11/object.h"
#include "pkcs11/wire.h"

/* Fixed and small: libraries of this family refuse more than 1,024 and growing batches (facts: pkcs11-stack.md §2). */
#define BATCH 256u
#define RETRIES 40u                 /* of one listing, so that a dead device costs seconds, not minutes */

struct work {
    struct chsm_session *s;
    const struct chsm_list_sink *sink;
    struct chsm_listing *l;
    struct chsm_found found;
    struct chsm_reader reader;
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

static const char *class_text(CK_OBJECT_CLASS cls)
{
    static char name[32];

    return chsm_class_name(cls, name, sizeof name);
}

/* Takes one batch. 1 go on, 0 the search has to end here, -1 out of memory. */
static int take_batch(struct work *w, CK_OBJECT_CLASS cls, const CK_OBJECT_HANDLE *batch, CK_ULONG n, struct chsm_err *err)
{
    unsigned fresh = 0;

    for (CK_ULONG i = 0; i < n; i++) {
        int rc = chsm_found_add(&w->found, batch[i], cls, err);

        if (rc < 0)
            return -1;
        fresh += (unsigned)rc;
    }
    if (w->found.n > CHSM_WIRE_OBJECTS_MAX) {
        problem(w->l, "more than %u objects", CHSM_WIRE_OBJECTS_MAX);
        return 0;
    }
    if (fresh == 0) {
        problem(w->l, "the search for class %s repeats itself", class_text(cls));
        return 0;
    }
    return w->sink->tick(w->sink->ctx, err) < 0 ? -1 : 1;
}

/* From C_FindObjectsInit to the first empty batch. */
static int walk(struct work *w, CK_OBJECT_CLASS cls, struct chsm_err *err)
{
    CK_OBJECT_HANDLE batch[BATCH];
    char text[256];
    int rc;

    do {
        CK_ULONG n = 0;
        CK_RV rv = CHSM_CK(&w->s->ck, C_FindObjects, w->s->main, batch, BATCH, &n);

        if (rv != CKR_OK) {
            problem(w->l, "the search for class %s broke off: C_FindObjects: %s", class_text(cls),
                    chsm_ckr_text(rv, text, sizeof text));
            return 0;
        }
        if (n == 0)
            return 0;
        if (n > BATCH) {
            problem(w->l, "C_FindObjects claims %lu handles where %u were asked for", n, BATCH);
            return 0;
        }
        rc = take_batch(w, cls, batch, n, err);
    } while (rc > 0);
    return rc;
}

static int find_class(struct work *w, CK_OBJECT_CLASS cls, struct chsm_err *err)
{
    CK_ATTRIBUTE t = { CKA_CLASS, &cls, sizeof cls };
    CK_RV rv = CHSM_CK(&w->s->ck, C_FindObjectsInit, w->s->main, &t, 1);
    bool key = cls != CKO_DATA && cls != CKO_CERTIFICATE;
    char text[256];
    int rc;

    /* A token without certificates or data objects may not know their classes. */
    if (!key && (rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_ATTRIBUTE_TYPE_INVALID))
        return 0;
    if (rv != CKR_OK) {
        problem(w->l, "no search for class %s: C_FindObjectsInit: %s", class_text(cls), chsm_ckr_text(rv, text, sizeof text));
        return 0;
    }
    rc = walk(w, cls, err);
    (void)CHSM_CK(&w->s->ck, C_FindObjectsFinal, w->s->main);
    return rc;
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

/* Reads the object as what it says that it is: a module may have ignored the class in the search. 0 = it is none of ours. */
static int read_as_is(struct work *w, const struct chsm_found_one *f, struct chsm_object *o, CK_OBJECT_CLASS *ret_cls,
                      struct chsm_err *err)
{
    CK_OBJECT_CLASS cls = f->first;

    if (chsm_read_object(&w->reader, f->handle, cls, o, err) < 0)
        return -1;
    if (o->have[CHSM_A_CLASS] && chsm_object_ulong(o, CHSM_A_CLASS) != cls) {
        cls = chsm_object_ulong(o, CHSM_A_CLASS);
        chsm_object_done(o);
        if (cls > CKO_SECRET_KEY)
            return 0;
        if (chsm_read_object(&w->reader, f->handle, cls, o, err) < 0)
            return -1;
    }
    *ret_cls = cls;
    return 1;
}

/* Hands one object to the sink. 0 also when it was left out or could not be read (a problem then); *ret_read tells. */
static int read_one(struct work *w, const struct chsm_found_one *f, bool *ret_read, struct chsm_err *err)
{
    AUTO_OBJECT struct chsm_object o = { 0 };
    struct chsm_record r = { 0 };
    struct chsm_err e = { 0 };
    CK_OBJECT_CLASS cls = f->first;
    int rc = read_as_is(w, f, &o, &cls, &e);

    *ret_read = true;
    if (rc == 0)
        return 0;
    if (rc > 0 && o.have[CHSM_A_TOKEN] && o.v[CHSM_A_TOKEN].p[0] == CK_FALSE) {
        w->l->session_objects++;
        return 0;
    }
    if (rc < 0 || chsm_object_record(&o, cls, &r, &e) < 0) {
        AUTO_FREE char *label = chsm_bytes_text(&o.v[CHSM_A_LABEL]);

        problem(w->l, "an object of class %s%s%.64s cannot be read: %s", class_text(cls), rc > 0 ? ", label " : "",
                rc > 0 && label ? label : "", e.text);
        *ret_read = false;
        return 0;
    }
    rc = remember(w->l, &(struct chsm_listed){ f->handle, cls, r.bits }, err);
    if (rc == 0)
        rc = w->sink->record(w->sink->ctx, &r, err);
    chsm_record_done(&r);
    return rc;
}

static int read_all(struct work *w, struct chsm_err *err)
{
    for (size_t i = 0; i < w->found.n; i++) {
        struct chsm_err lost = { 0 };
        bool read = false;

        if (read_one(w, &w->found.v[i], &read, err) < 0 || (!read && w->sink->tick(w->sink->ctx, err) < 0))
            return -1;
        /* Against a removed device every further read would fail, too, each after its retries. */
        if (!read && chsm_session_check(w->s, &lost) < 0) {
            problem(w->l, "%s", lost.text);
            return 0;
        }
    }
    return 0;
}

int chsm_list(struct chsm_session *s, const struct chsm_list_sink *sink, struct chsm_listing *ret, struct chsm_err *err)
{
    static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKO_CERTIFICATE, CKO_DATA };
    struct chsm_listing l = { 0 };
    struct work w = { .s = s, .sink = sink, .l = &l, .reader = { .ck = &s->ck, .session = s->main, .retries_left = RETRIES } };
    struct chsm_err lost = { 0 };
    int rc = 0;

    /* Without this, a token that ended the login would show its public objects only, and call that all. */
    if (chsm_session_check(s, &lost) < 0)
        problem(&l, "%s", lost.text);
    if (s->private_hidden)
        problem(&l, "not logged in: the token's private objects are not shown");
    for (size_t i = 0; i < ARRAY_LEN(classes) && rc == 0; i++)
        rc = find_class(&w, classes[i], err);
    if (rc == 0)
        rc = read_all(&w, err);
    if (rc == 0 && chsm_session_check(s, &lost) < 0)
        problem(&l, "%s", lost.text);
    chsm_found_done(&w.found);
    if (rc < 0) {
        chsm_listing_done(&l);
        return -1;
    }
    *ret = l;
    return 0;
}
