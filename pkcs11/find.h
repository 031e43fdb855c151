/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the handles of a token's objects: class by class, each search to its first empty batch and bounded, and once more
 * without a class, which finds what the classes do not have and shows when one of them came to its end too early
 * (facts: pkcs11-stack.md §7, cloudhsm-client.md §12).
 */
#ifndef CHSM_PKCS11_FIND_H
#define CHSM_PKCS11_FIND_H

#include "pkcs11/found.h"
#include "pkcs11/session.h"

#define CHSM_FIND_NO_CLASS CHSM_FOUND_CLASSES   /* "class" of what only the search without a class has found */

struct chsm_find {
    struct chsm_session *s;
    struct chsm_found *found;                   /* gets the handles */
    int (*tick)(void *ctx, struct chsm_err *err);
    void (*problem)(void *ctx, const char *text);   /* the list cannot be called complete */
    void *ctx;
};

/* -1 only when the callback fails or memory ends; all else is a problem. */
CHSM_MUST_CHECK int chsm_find_all(const struct chsm_find *f, struct chsm_err *err);

#endif
