/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

#include "keys/record.h"
#include "pkcs11/find.h"
#include "pkcs11/hsm.h"
#include "pkcs11/wire.h"

/* Fixed: libraries of this family refuse more than 1,024 and growing batches (facts: pkcs11-stack.md §2). */
#define BATCH 1024u

static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKO_CERTIFICATE, CKO_DATA };

struct search {
    const struct chsm_find *f;
    CK_OBJECT_CLASS cls;                /* or CHSM_FIND_NO_CLASS */
    CK_OBJECT_HANDLE batch[BATCH];
};

/* The search without a class is more than is needed, and not every token can do it: what goes wrong there is no problem. */
CHSM_PRINTF(2, 3) static void problem(const struct search *s, const char *fmt, ...)
{
    char text[512], cls[32];
    va_list ap;
    int n;

    if (s->cls == CHSM_FIND_NO_CLASS)
        return;
    n = snprintf(text, sizeof text, "the search for class %s ", chsm_class_name(s->cls, cls, sizeof cls));
    va_start(ap, fmt);
    (void)vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    s->f->problem(s->f->ctx, text);
}

/* Takes one batch. 1 go on, 0 the search has to end here, -1 out of memory. */
static int take_batch(const struct search *s, CK_ULONG n, struct chsm_err *err)
{
    unsigned fresh = 0;

    for (CK_ULONG i = 0; i < n; i++) {
        int rc = chsm_found_add(s->f->found, s->batch[i], s->cls, err);

        if (rc < 0)
            return -1;
        fresh += (unsigned)rc;
    }
    if (s->f->found->n > CHSM_WIRE_OBJECTS_MAX) {
        problem(s, "finds more than %u objects", CHSM_WIRE_OBJECTS_MAX);
        return 0;
    }
    if (fresh == 0) {
        problem(s, "repeats itself");
        return 0;
    }
    return s->f->tick(s->f->ctx, err) < 0 ? -1 : 1;
}

/* From C_FindObjectsInit to the first empty batch. */
static int walk(struct search *s, struct chsm_err *err)
{
    char text[256];
    int rc;

    do {
        CK_ULONG n = 0;
        CK_RV rv = CHSM_CK(&s->f->s->ck, C_FindObjects, s->f->s->main, s->batch, BATCH, &n);

        if (rv != CKR_OK) {
            problem(s, "broke off: C_FindObjects: %s", chsm_ckr_text(rv, text, sizeof text));
            return 0;
        }
        if (n == 0)
            return 0;
        if (n > BATCH) {
            problem(s, "claims %lu handles where C_FindObjects was asked for %u", n, BATCH);
            return 0;
        }
        rc = take_batch(s, n, err);
    } while (rc > 0);
    return rc;
}

/* A token without certificates or data objects may not know their classes. */
static bool may_refuse(const struct search *s, CK_RV rv)
{
    return (s->cls == CKO_DATA || s->cls == CKO_CERTIFICATE) && (rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_ATTRIBUTE_TYPE_INVALID);
}

static int search(struct search *s, struct chsm_err *err)
{
    CK_ATTRIBUTE t = { CKA_CLASS, &s->cls, sizeof s->cls };
    CK_RV rv = CHSM_CK(&s->f->s->ck, C_FindObjectsInit, s->f->s->main, &t, s->cls == CHSM_FIND_NO_CLASS ? 0 : 1);
    char text[256];
    int rc;

    if (rv != CKR_OK) {
        if (!may_refuse(s, rv))
            problem(s, "does not begin: C_FindObjectsInit: %s", chsm_ckr_text(rv, text, sizeof text));
        return 0;
    }
    rc = walk(s, err);
    (void)CHSM_CK(&s->f->s->ck, C_FindObjectsFinal, s->f->s->main);
    return rc;
}

int chsm_find_all(const struct chsm_find *f, struct chsm_err *err)
{
    AUTO_FREE struct search *s = calloc(1, sizeof *s);
    int rc = s ? 0 : chsm_oom(err);

    for (size_t i = 0; rc == 0 && i <= ARRAY_LEN(classes); i++) {
        s->f = f;
        s->cls = i < ARRAY_LEN(classes) ? classes[i] : CHSM_FIND_NO_CLASS;
        rc = search(s, err);
    }
    return rc;
}
