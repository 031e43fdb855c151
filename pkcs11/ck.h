/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: the one way in which a C_ function of a module is called. It survives a missing function and writes the name of
 * the call where the parent can read it when the call never returns. Arguments are never traced (C_Login has a PIN).
 * Each thread has a gate of its own.
 */
#ifndef CHSM_PKCS11_CK_H
#define CHSM_PKCS11_CK_H

#include <p11-kit/p11-kit.h>

#include "util/err.h"

struct chsm_wire_call;

struct chsm_ck {
    /*
     * Never call fl->C_GetFunctionList: a module that names its own through the PLT has libp11-kit's there
     * (facts: pkcs11-stack.md §4, trap a).
     */
    CK_FUNCTION_LIST *fl;
    struct chsm_wire_call *call;    /* this thread's place in the page shared with the parent; NULL = none */
};

/* Marks that `name` is about to be called, and that it came back. */
void chsm_ck_enter(struct chsm_ck *ck, const char *name);
void chsm_ck_leave(struct chsm_ck *ck);

#define CHSM_CK(ck, fn, ...)                            \
    ({                                                  \
        CK_RV ck_rv_ = CKR_FUNCTION_NOT_SUPPORTED;      \
        if ((ck)->fl->fn) {                             \
            chsm_ck_enter((ck), #fn);                   \
            ck_rv_ = (ck)->fl->fn(__VA_ARGS__);         \
            chsm_ck_leave(ck);                          \
        }                                               \
        ck_rv_;                                         \
    })

/* CHSM_PKCS11 "<call>: CKR_... (0x..)" with ck_rv set. Always -1. */
int chsm_ck_fail(struct chsm_err *err, const char *call, CK_RV rv);

/* Codes that this family of libraries gives at random, and that are worth another try (facts: cloudhsm-client.md §12). */
bool chsm_ck_transient(CK_RV rv);

#endif
