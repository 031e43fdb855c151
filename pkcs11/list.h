/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists a token: all handles first (find.h), then the attributes, on several sessions at once (gather.h). Whatever does not
 * work makes the listing incomplete, never shorter in silence.
 */
#ifndef CHSM_PKCS11_LIST_H
#define CHSM_PKCS11_LIST_H

#include "keys/record.h"
#include "pkcs11/crew.h"

struct chsm_listed {            /* what proofs need of a record */
    CK_OBJECT_HANDLE handle;
    CK_OBJECT_CLASS cls;
    unsigned bits;
    unsigned char digest[CHSM_SHA256_LEN];  /* of the record, by which it is known again when its handle is dead */
};

struct chsm_listing {
    struct chsm_listed *v;      /* in the order of the records */
    size_t n;
    size_t cap;
    size_t session_objects;     /* left out */
    bool lost;                  /* the session went away meanwhile: handles that were read are worth nothing */
    unsigned problems;          /* 0 = complete */
    char why[512];              /* the first of them */
};
void chsm_listing_done(struct chsm_listing *l);

struct chsm_list_sink {
    /* Takes a record, and gives its digest: equal for equal records. */
    int (*record)(void *ctx, const struct chsm_record *r, unsigned char digest[CHSM_SHA256_LEN], struct chsm_err *err);
    int (*tick)(void *ctx, struct chsm_err *err);      /* it is getting on */
    void *ctx;
};

/* -1 only when the sink fails or memory ends. */
CHSM_MUST_CHECK int chsm_list(struct chsm_crew *crew, const struct chsm_list_sink *sink, struct chsm_listing *ret,
                              struct chsm_err *err);

/*
 * Gives the records of `old` the handles of `now`, a new listing of the same token after its session was lost: where a digest is
 * there once on either side. The others get CK_INVALID_HANDLE: which of two equal ones is meant, nobody knows.
 */
CHSM_MUST_CHECK int chsm_listing_renew(struct chsm_listing *old, const struct chsm_listing *now, struct chsm_err *err);

#endif
