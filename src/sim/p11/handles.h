/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handles that the application sees: random, different in every process, never twice the same. Nobody can lean on them,
 * as nobody can on those of a restored cluster.
 */
#ifndef CHSM_SIM_P11_HANDLES_H
#define CHSM_SIM_P11_HANDLES_H

#include <p11-kit/pkcs11.h>

#include "sim/keystore_overlay.h"
#include "util/err.h"

#define SIM_HANDLE_MIN 0x40000UL        /* the first handle of real keys (facts: 262150 upwards) */
#define SIM_HANDLE_MAX 0x7fffffffUL

struct sim_handle {
    CK_OBJECT_HANDLE seen;              /* by the application */
    CK_OBJECT_HANDLE inner;             /* SoftHSM's */
    size_t token;                       /* index of the token it lies in */
    CK_OBJECT_CLASS cls;
    CK_KEY_TYPE type;                   /* of keys; else CK_UNAVAILABLE_INFORMATION */
    const struct sim_overlay_entry *overlay;    /* what it shows instead of SoftHSM's attributes, or NULL */
    bool given;                         /* the application has it */
    bool vanished;                      /* quirk find-vanishing: listed once, unreadable since */
};

/* The object's handle, NULL when it has none yet; lent until the next sim_handle_make(). */
struct sim_handle *sim_handle_of(size_t token, CK_OBJECT_HANDLE inner);

/* Gives an object that has none its handle. NULL when out of memory or randomness; lent as above. */
struct sim_handle *sim_handle_make(size_t token, CK_OBJECT_HANDLE inner, CK_OBJECT_CLASS cls, CK_KEY_TYPE type);

/* The handle itself, for the application. The first time it is also written to the file that CHSM_SIM_HANDLES names. */
CK_OBJECT_HANDLE sim_handle_give(struct sim_handle *h);

/* The object behind a handle, NULL when there is none; lent as above. */
struct sim_handle *sim_handle_find(CK_OBJECT_HANDLE seen);

void sim_handles_clear(void);

#endif
