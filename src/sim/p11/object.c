/* SPDX-License-Identifier: Apache-2.0 */
/* Object management (PKCS#11 v2.40 §5.7) but searches. */
#include "config.h"

#include "sim/p11/gate.h"
#include "sim/p11/lies.h"
#include "sim/p11/listing.h"
#include "sim/p11/own.h"

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n)
{
    struct sim_session *s;
    struct sim_object o;
    CK_RV rv;

    ENTER_FOR(C_GetAttributeValue, SIM_USES);
    s = sim_session_hold(handle);
    if (!s)
        return sim_session_leave(s, CKR_SESSION_HANDLE_INVALID);
    if (!template && n > 0)
        return sim_session_leave(s, CKR_ARGUMENTS_BAD);
    rv = sim_object_find(s, object, CKR_OBJECT_HANDLE_INVALID, &o);
    return sim_session_leave(s, rv == CKR_OK ? sim_lies_read(&o, template, n) : rv);
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n)
{
    struct sim_session *s;
    struct sim_object o;
    CK_ULONG i;
    CK_RV rv;

    ENTER(C_SetAttributeValue);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!template && n > 0)
        return sim_leave(CKR_ARGUMENTS_BAD);
    rv = sim_object_find(s, object, CKR_OBJECT_HANDLE_INVALID, &o);
    if (rv != CKR_OK)
        return sim_leave(rv);
    /* Of all attributes only the label can be changed after creation, and only by the owner. */
    for (i = 0; i < n; i++)
        if (template[i].type != CKA_LABEL)
            return sim_leave(CKR_ATTRIBUTE_READ_ONLY);
    if (o.token != sim_state()->me)
        return sim_leave(CKR_ACTION_PROHIBITED);
    return sim_leave(sim_state()->fl->C_SetAttributeValue(o.session, o.object, template, n));
}

CK_RV C_CreateObject(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *ret)
{
    CK_SESSION_HANDLE inner;
    CK_OBJECT_HANDLE made;
    struct sim_session *s;
    CK_RV rv;

    ENTER(C_CreateObject);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!ret || (!template && n > 0))
        return sim_leave(CKR_ARGUMENTS_BAD);
    rv = sim_session_own(s, &inner);
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_CreateObject(inner, template, n, &made);
    if (rv == CKR_OK)
        rv = sim_object_give(sim_state()->me, inner, made, ret);
    return sim_leave(rv);
}

CK_RV C_CopyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *ret)
{
    CK_OBJECT_HANDLE made;
    struct sim_session *s;
    struct sim_object o;
    CK_RV rv;

    ENTER(C_CopyObject);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!ret || (!template && n > 0))
        return sim_leave(CKR_ARGUMENTS_BAD);
    rv = sim_object_find(s, object, CKR_OBJECT_HANDLE_INVALID, &o);
    if (rv == CKR_OK && o.token != sim_state()->me)
        rv = CKR_ACTION_PROHIBITED;
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_CopyObject(o.session, o.object, template, n, &made);
    if (rv == CKR_OK)
        rv = sim_object_give(o.token, o.session, made, ret);
    return sim_leave(rv);
}

/* Session objects may lie in another user's token: whatever a shared key derived or unwrapped. */
static bool may_destroy(const struct sim_object *o)
{
    CK_BBOOL on_token = CK_TRUE;
    CK_ATTRIBUTE a = { CKA_TOKEN, &on_token, sizeof on_token };

    return o->token == sim_state()->me ||
           (sim_state()->fl->C_GetAttributeValue(o->session, o->object, &a, 1) == CKR_OK && !on_token);
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object)
{
    struct sim_session *s;
    struct sim_object o;
    CK_RV rv;

    ENTER(C_DestroyObject);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    rv = sim_object_find(s, object, CKR_OBJECT_HANDLE_INVALID, &o);
    sim_listing_forget();
    if (rv == CKR_OK)
        rv = may_destroy(&o) ? sim_state()->fl->C_DestroyObject(o.session, o.object) : CKR_ACTION_PROHIBITED;
    return sim_leave(rv);
}
