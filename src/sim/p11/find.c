/* SPDX-License-Identifier: Apache-2.0 */
/* Searches (PKCS#11 v2.40 §5.7, C_FindObjects*): done at once, handed out in batches. */
#include "config.h"

#include "sim/p11/gate.h"
#include "sim/p11/state.h"

#define BATCH 256
#define SHORT_BATCH 3

static CK_RV append(struct sim_session *s, CK_OBJECT_HANDLE seen)
{
    /* Grown in steps of BATCH: a search ends with a few thousand objects at most. */
    if (s->found_n % BATCH == 0) {
        CK_OBJECT_HANDLE *grown = reallocarray(s->found, s->found_n + BATCH, sizeof *grown);

        if (!grown)
            return CKR_HOST_MEMORY;
        s->found = grown;
    }
    s->found[s->found_n++] = seen;
    return CKR_OK;
}

static CK_RV add(struct sim_session *s, const struct sim_object *o)
{
    struct sim_handle *h = sim_handle_of(o->token, o->object);
    CK_OBJECT_HANDLE seen;
    CK_RV rv;

    if (!h)
        return CKR_HOST_MEMORY;
    if (sim_quirks()->find_vanishing && !sim_state()->one_has_vanished)
        sim_state()->one_has_vanished = h->vanished = true;
    seen = h->seen;
    rv = append(s, seen);
    if (rv == CKR_OK && sim_quirks()->find_duplicates)
        rv = append(s, seen);
    return rv;
}

static CK_RV collect(struct sim_session *s, size_t token, CK_SESSION_HANDLE inner)
{
    CK_FUNCTION_LIST *fl = sim_state()->fl;
    CK_OBJECT_HANDLE batch[BATCH];
    CK_ULONG n, i;
    CK_RV rv;

    while ((rv = fl->C_FindObjects(inner, batch, BATCH, &n)) == CKR_OK && n > 0)
        for (i = 0; i < n; i++) {
            struct sim_object o = { .token = token, .session = inner, .object = batch[i] };

            if (!sim_object_visible(&o))
                continue;
            rv = add(s, &o);
            if (rv != CKR_OK)
                return rv;
        }
    return rv;
}

static CK_RV search_token(struct sim_session *s, size_t token, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_FUNCTION_LIST *fl = sim_state()->fl;
    CK_SESSION_HANDLE inner;
    CK_RV rv = sim_session_inner(s, token, &inner);

    if (rv != CKR_OK)
        return rv;
    rv = fl->C_FindObjectsInit(inner, template, n);
    if (rv != CKR_OK)
        return rv;
    rv = collect(s, token, inner);
    (void)fl->C_FindObjectsFinal(inner);
    return rv;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *template, CK_ULONG n)
{
    struct sim_session *s;
    CK_RV rv = CKR_OK;
    size_t i;

    ENTER(C_FindObjectsInit);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!template && n > 0)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (s->searching)
        return sim_leave(CKR_OPERATION_ACTIVE);
    s->found_n = s->found_at = 0;
    for (i = 0; i < sim_state()->n && rv == CKR_OK; i++)
        rv = search_token(s, i, template, n);
    s->searching = rv == CKR_OK;
    return sim_leave(rv);
}

CK_RV C_FindObjects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
    struct sim_session *s;
    CK_ULONG n = 0;

    ENTER(C_FindObjects);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!objects || !count || max == 0)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (!s->searching)
        return sim_leave(CKR_OPERATION_NOT_INITIALIZED);
    if (sim_quirks()->find_short_batches && max > SHORT_BATCH)
        max = SHORT_BATCH;
    if (sim_quirks()->find_endless && s->found_at == s->found_n)
        s->found_at = 0;
    while (n < max && s->found_at < s->found_n)
        objects[n++] = s->found[s->found_at++];
    *count = n;
    return sim_leave(CKR_OK);
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle)
{
    struct sim_session *s;

    ENTER(C_FindObjectsFinal);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!s->searching)
        return sim_leave(CKR_OPERATION_NOT_INITIALIZED);
    s->searching = false;
    free(s->found);
    s->found = NULL;
    s->found_n = s->found_at = 0;
    return sim_leave(CKR_OK);
}
