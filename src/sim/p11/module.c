/* SPDX-License-Identifier: Apache-2.0 */
/* The function table, and what the real library does not have: those are counted and answered, nothing else. */
#include "config.h"

#include "sim/p11/gate.h"

#define DEFINE_MISSING(name, rv, ...) \
    CK_RV name(__VA_ARGS__) \
    { \
        ENTER(name); \
        return sim_leave(rv); \
    }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
DEFINE_MISSING(C_InitToken, CKR_FUNCTION_NOT_SUPPORTED, CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label)
DEFINE_MISSING(C_InitPIN, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_UTF8CHAR *pin, CK_ULONG pin_len)
DEFINE_MISSING(C_SetPIN, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_UTF8CHAR *from, CK_ULONG from_len,
               CK_UTF8CHAR *to, CK_ULONG to_len)
DEFINE_MISSING(C_GetOperationState, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *state, CK_ULONG *n)
DEFINE_MISSING(C_SetOperationState, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *state, CK_ULONG n,
               CK_OBJECT_HANDLE encryption, CK_OBJECT_HANDLE authentication)
DEFINE_MISSING(C_GetObjectSize, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size)
DEFINE_MISSING(C_DigestKey, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
DEFINE_MISSING(C_SignRecoverInit, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
               CK_OBJECT_HANDLE key)
DEFINE_MISSING(C_SignRecover, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
               CK_ULONG *out_len)
DEFINE_MISSING(C_VerifyRecoverInit, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
               CK_OBJECT_HANDLE key)
DEFINE_MISSING(C_VerifyRecover, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len,
               CK_BYTE *out, CK_ULONG *out_len)
DEFINE_MISSING(C_DigestEncryptUpdate, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len,
               CK_BYTE *out, CK_ULONG *out_len)
DEFINE_MISSING(C_DecryptDigestUpdate, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len,
               CK_BYTE *out, CK_ULONG *out_len)
DEFINE_MISSING(C_SignEncryptUpdate, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len,
               CK_BYTE *out, CK_ULONG *out_len)
DEFINE_MISSING(C_DecryptVerifyUpdate, CKR_FUNCTION_NOT_SUPPORTED, CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len,
               CK_BYTE *out, CK_ULONG *out_len)
DEFINE_MISSING(C_GetFunctionStatus, CKR_FUNCTION_NOT_PARALLEL, CK_SESSION_HANDLE session)
DEFINE_MISSING(C_CancelFunction, CKR_FUNCTION_NOT_PARALLEL, CK_SESSION_HANDLE session)
DEFINE_MISSING(C_WaitForSlotEvent, CKR_FUNCTION_NOT_SUPPORTED, CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
#pragma GCC diagnostic pop

/*
 * The table must name this function, not the exported one: programs that export a C_GetFunctionList of their own (every
 * user of libp11-kit does) would otherwise find theirs in it (facts: pkcs11-stack.md §4).
 */
static CK_RV get_function_list(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST table = {
    .version = { 2, 40 },
    .C_GetFunctionList = get_function_list,
#define X(name) .name = name,
    SIM_P11_FUNCTIONS(X)
#undef X
};

static CK_RV get_function_list(CK_FUNCTION_LIST **list)
{
    if (!list)
        return CKR_ARGUMENTS_BAD;
    *list = &table;
    return CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    return get_function_list(list);
}
