/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads found objects on several sessions at once and hands them on in the order in which they were found. What a helper's
 * session cannot read, or read before its kind could be trusted, the main session reads again; a sample of all that helpers
 * have read, too: a module that mixes up the answers of two threads must not go unnoticed.
 */
#ifndef CHSM_PKCS11_GATHER_H
#define CHSM_PKCS11_GATHER_H

#include "keys/record.h"
#include "pkcs11/crew.h"
#include "pkcs11/found.h"

enum chsm_got {
    CHSM_GOT_RECORD,
    CHSM_GOT_SESSION_OBJECT,    /* left out */
    CHSM_GOT_UNREADABLE,
};

/* What became of one object. Everything is lent for the time of the call. */
struct chsm_gathered {
    enum chsm_got got;
    const struct chsm_found_one *found;
    const struct chsm_record *record;   /* CHSM_GOT_RECORD */
    bool missed;                /* the search for its class did not find it */
    bool differs;               /* the main session was told something else than the helper's */
    const char *label;          /* CHSM_GOT_UNREADABLE: "" = not known */
    const struct chsm_err *err;
};

/* 0 go on, 1 stop here, -1 error. */
typedef int chsm_gather_fn(void *ctx, const struct chsm_gathered *one, struct chsm_err *err);

CHSM_MUST_CHECK int chsm_gather(struct chsm_crew *crew, const struct chsm_found *found, chsm_gather_fn *each, void *ctx,
                                struct chsm_err *err);

#endif
