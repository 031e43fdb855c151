/* SPDX-License-Identifier: Apache-2.0 */
/* Searches (PKCS#11 v2.40 §5.7, C_FindObjects*): done at once, handed out in batches. */
#include "config.h"

#include "sim/p11/attributes.h"
#include "sim/p11/gate.h"
#include "sim/p11/listing.h"
#include "sim/p11/state.h"

#define BATCH 1024
#define SHORT_BATCH 3

static CK_RV append(struct sim_session *s, CK_OBJECT_HANDLE seen)
{
    if (s->found_n % BATCH == 0) {
        CK_OBJECT_HANDLE *grown = reallocarray(s->found, s->found_n + BATCH, sizeof *grown);

        if (!grown)
            return CKR_HOST_MEMORY;
        s->found = grown;
    }
    s->found[s->found_n++] = seen;
    return CKR_OK;
}

static CK_RV add(struct sim_session *s, struct sim_handle *h)
{
    CK_RV rv;

    if (sim_quirks()->find_vanishing && !sim_state()->one_has_vanished)
        sim_state()->one_has_vanished = h->vanished = true;
    rv = append(s, sim_quirks()->find_zero && s->found_n == 0 ? 0 : sim_handle_give(h));
    if (rv == CKR_OK && sim_quirks()->find_duplicates)
        rv = append(s, h->seen);
    return rv;
}

static CK_ULONG seen_number(const struct sim_object *o, CK_ATTRIBUTE_TYPE type)
{
    const struct sim_overlay_change *change = sim_overlay_change_of(o->overlay, type);
    CK_ULONG n = type == CKA_CLASS ? o->cls : o->type;

    if (change && change->value.len == sizeof n)
        memcpy(&n, change->value.p, sizeof n);
    return n;
}

/* Class and key type are known of every object; the rest is read. Most searches are for a class. */
static bool matches(const struct sim_object *o, const CK_ATTRIBUTE *template, CK_ULONG n)
{
    for (CK_ULONG i = 0; i < n; i++) {
        CK_ULONG wanted;

        if ((template[i].type != CKA_CLASS && template[i].type != CKA_KEY_TYPE) || template[i].ulValueLen != sizeof wanted)
            continue;
        if (template[i].type == CKA_CLASS && sim_quirks()->find_ignores_class)
            continue;
        memcpy(&wanted, template[i].pValue, sizeof wanted);
        if (wanted != seen_number(o, template[i].type))
            return false;
    }
    for (CK_ULONG i = 0; i < n; i++)
        if (template[i].type != CKA_CLASS && template[i].type != CKA_KEY_TYPE && !sim_attributes_match(o, &template[i], 1))
            return false;
    return true;
}

static CK_RV search_token(struct sim_session *s, size_t token, const CK_ATTRIBUTE *template, CK_ULONG n)
{
    const CK_OBJECT_HANDLE *list = NULL;
    CK_SESSION_HANDLE inner;
    size_t list_n = 0;
    CK_RV rv = sim_session_inner(s, token, &inner);

    if (rv == CKR_OK)
        rv = sim_listing_of(token, inner, &list, &list_n);
    for (size_t i = 0; i < list_n && rv == CKR_OK; i++) {
        struct sim_handle *h = sim_handle_of(token, list[i]);
        struct sim_object o = { .token = token, .session = inner, .object = list[i], .cls = h->cls, .type = h->type,
                                .overlay = h->overlay };

        if (sim_object_visible(&o) && matches(&o, template, n))
            rv = add(s, h);
    }
    return rv;
}

/* No attribute without a value. */
static bool template_ok(const CK_ATTRIBUTE *template, CK_ULONG n)
{
    if (!template)
        return n == 0;
    for (CK_ULONG i = 0; i < n; i++)
        if (!template[i].pValue && template[i].ulValueLen > 0)
            return false;
    return true;
}

/* Quirk find-session-objects: what an application has made for itself, and no backup holds. */
static void make_session_object(struct sim_session *s)
{
    static CK_BBOOL no = CK_FALSE;
    CK_ULONG bytes = 32;
    CK_ATTRIBUTE template[] = { { CKA_TOKEN, &no, sizeof no }, { CKA_VALUE_LEN, &bytes, sizeof bytes } };
    CK_MECHANISM mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
    CK_SESSION_HANDLE inner;
    CK_OBJECT_HANDLE made;

    if (!sim_state()->has_session_object && sim_session_own(s, &inner) == CKR_OK &&
        sim_state()->fl->C_GenerateKey(inner, &mechanism, template, ARRAY_LEN(template), &made) == CKR_OK)
        sim_state()->has_session_object = true;
    sim_listing_forget();
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
    if (!template_ok(template, n))
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (s->searching)
        return sim_leave(CKR_OPERATION_ACTIVE);
    s->found_n = s->found_at = 0;
    if (sim_quirks()->find_session_objects)
        make_session_object(s);
    for (i = 0; i < sim_state()->n && rv == CKR_OK; i++)
        rv = search_token(s, i, template, n);
    s->searching = rv == CKR_OK;
    if (s->searching)
        sim_gate_searches(1);
    if (sim_quirks()->find_truncated && ++sim_state()->searches_done % 2 == 1)
        s->found_n /= 2;
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
    sim_gate_searches(-1);
    free(s->found);
    s->found = NULL;
    s->found_n = s->found_at = 0;
    return sim_leave(CKR_OK);
}
