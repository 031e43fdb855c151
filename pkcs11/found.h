/* SPDX-License-Identifier: Apache-2.0 */
/* The handles that searches have found: each once, in order, with the classes that it was found under. */
#ifndef CHSM_PKCS11_FOUND_H
#define CHSM_PKCS11_FOUND_H

#include <p11-kit/pkcs11.h>

#include "util/err.h"

#define CHSM_FOUND_CLASSES 5        /* CKO_DATA to CKO_SECRET_KEY; the number itself stands for a search without a class */

struct chsm_found_one {
    CK_OBJECT_HANDLE handle;
    unsigned classes;           /* bit 1 << CKO_* of each search that gave it */
    CK_OBJECT_CLASS first;      /* the first of them */
};

struct chsm_found {
    struct chsm_found_one *v;   /* in order */
    size_t n;
    size_t *table;              /* open addressing: place in v plus 1, 0 = free */
    size_t size;                /* of the table: a power of two */
    size_t shared;              /* handles that more than one class has given */
};
void chsm_found_done(struct chsm_found *f);

/* 1 when this search had not given the handle before, 0 when it had, -1 out of memory. */
CHSM_MUST_CHECK int chsm_found_add(struct chsm_found *f, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS cls, struct chsm_err *err);

#endif
