/* SPDX-License-Identifier: Apache-2.0 */
/* Key management and random numbers (PKCS#11 v2.40 §5.13, §5.14). */
#include "config.h"

#include "sim/p11/gate.h"
#include "sim/p11/listing.h"
#include "sim/p11/own.h"

CK_RV sim_object_give(size_t token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE inner, CK_OBJECT_HANDLE *ret)
{
    struct sim_handle *h;

    sim_listing_forget();
    h = sim_listing_handle(token, session, inner);
    if (!h)
        return CKR_HOST_MEMORY;
    *ret = sim_handle_give(h);
    return CKR_OK;
}

bool sim_object_place_ok(size_t token, const CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_ULONG i;

    if (token == sim_state()->me)
        return true;
    for (i = 0; i < n; i++)
        if (template[i].type == CKA_TOKEN && template[i].pValue && template[i].ulValueLen == sizeof(CK_BBOOL) &&
            *(const CK_BBOOL *)template[i].pValue)
            return false;
    return true;
}

/* Session and mechanism of a generation. */
static CK_RV begin(CK_SESSION_HANDLE handle, const CK_MECHANISM *mechanism, CK_SESSION_HANDLE *ret_inner)
{
    struct sim_session *s = sim_session_find(handle);

    if (!s)
        return CKR_SESSION_HANDLE_INVALID;
    if (!mechanism)
        return CKR_ARGUMENTS_BAD;
    return sim_mechanism_known(mechanism->mechanism) ? sim_session_own(s, ret_inner) : CKR_MECHANISM_INVALID;
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *ret)
{
    CK_SESSION_HANDLE inner;
    CK_OBJECT_HANDLE made;
    CK_RV rv;

    ENTER(C_GenerateKey);
    rv = ret ? begin(handle, mechanism, &inner) : CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_GenerateKey(inner, mechanism, template, n, &made);
    if (rv == CKR_OK)
        rv = sim_object_give(sim_state()->me, inner, made, ret);
    return sim_leave(rv);
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public, CK_ULONG public_n,
                        CK_ATTRIBUTE *private, CK_ULONG private_n, CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    CK_OBJECT_HANDLE made_public, made_private;
    CK_SESSION_HANDLE inner;
    CK_RV rv;

    ENTER(C_GenerateKeyPair);
    rv = ret_public && ret_private ? begin(handle, mechanism, &inner) : CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_GenerateKeyPair(inner, mechanism, public, public_n, private, private_n, &made_public,
                                                &made_private);
    if (rv == CKR_OK)
        rv = sim_object_give(sim_state()->me, inner, made_public, ret_public);
    if (rv == CKR_OK)
        rv = sim_object_give(sim_state()->me, inner, made_private, ret_private);
    return sim_leave(rv);
}

/* Session, mechanism and key of an operation that is done in one call. */
static CK_RV begin_with(CK_SESSION_HANDLE handle, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_RV bad,
                        struct sim_object *ret)
{
    struct sim_session *s = sim_session_find(handle);

    if (!s)
        return CKR_SESSION_HANDLE_INVALID;
    if (!mechanism)
        return CKR_ARGUMENTS_BAD;
    if (!sim_mechanism_known(mechanism->mechanism))
        return CKR_MECHANISM_INVALID;
    return sim_object_find(s, key, bad, ret);
}

CK_RV C_WrapKey(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
                CK_BYTE *wrapped, CK_ULONG *wrapped_len)
{
    struct sim_object with, what;
    CK_RV rv;

    ENTER(C_WrapKey);
    rv = begin_with(handle, mechanism, wrapping, CKR_WRAPPING_KEY_HANDLE_INVALID, &with);
    if (rv == CKR_OK)
        rv = sim_object_find(sim_session_find(handle), key, CKR_KEY_HANDLE_INVALID, &what);
    /* SoftHSM cannot wrap a key of one token with a key of another one. */
    if (rv == CKR_OK && what.token != with.token)
        rv = CKR_KEY_NOT_WRAPPABLE;
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_WrapKey(with.session, mechanism, with.object, what.object, wrapped, wrapped_len);
    return sim_leave(rv);
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE unwrapping, CK_BYTE *wrapped,
                  CK_ULONG wrapped_len, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *ret)
{
    struct sim_object with;
    CK_OBJECT_HANDLE made;
    CK_RV rv;

    ENTER(C_UnwrapKey);
    rv = ret && (template || n == 0) ? CKR_OK : CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = begin_with(handle, mechanism, unwrapping, CKR_UNWRAPPING_KEY_HANDLE_INVALID, &with);
    if (rv == CKR_OK && !sim_object_place_ok(with.token, template, n))
        rv = CKR_TEMPLATE_INCONSISTENT;
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_UnwrapKey(with.session, mechanism, with.object, wrapped, wrapped_len, template, n, &made);
    if (rv == CKR_OK)
        rv = sim_object_give(with.token, with.session, made, ret);
    return sim_leave(rv);
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base, CK_ATTRIBUTE *template, CK_ULONG n,
                  CK_OBJECT_HANDLE *ret)
{
    struct sim_object with;
    CK_OBJECT_HANDLE made;
    CK_RV rv;

    ENTER(C_DeriveKey);
    rv = ret && (template || n == 0) ? CKR_OK : CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = begin_with(handle, mechanism, base, CKR_KEY_HANDLE_INVALID, &with);
    if (rv == CKR_OK && !sim_object_place_ok(with.token, template, n))
        rv = CKR_TEMPLATE_INCONSISTENT;
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_DeriveKey(with.session, mechanism, with.object, template, n, &made);
    if (rv == CKR_OK)
        rv = sim_object_give(with.token, with.session, made, ret);
    return sim_leave(rv);
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE handle, CK_BYTE *seed, CK_ULONG n)
{
    ENTER(C_SeedRandom);
    if (!sim_session_find(handle))
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    /* Accepted and not needed: the generator below is the operating system's. */
    return sim_leave(seed || n == 0 ? CKR_OK : CKR_ARGUMENTS_BAD);
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE handle, CK_BYTE *random, CK_ULONG n)
{
    ENTER(C_GenerateRandom);
    if (!sim_session_find(handle))
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!random && n > 0)
        return sim_leave(CKR_ARGUMENTS_BAD);
    return sim_leave(n == 0 || chsm_random(random, n, NULL) == 0 ? CKR_OK : CKR_FUNCTION_FAILED);
}
