/* SPDX-License-Identifier: Apache-2.0 */
/* What has been learned of a module while its objects are read: whether one call for all attributes answers as single ones do. */
#ifndef CHSM_PKCS11_TRUST_H
#define CHSM_PKCS11_TRUST_H

#include <pthread.h>

#include "pkcs11/attrs.h"
#include "pkcs11/ck.h"

enum chsm_trust {
    CHSM_TRUST_NONE,            /* nothing was compared yet */
    CHSM_TRUST_PENDING,         /* an object is being read attribute by attribute */
    CHSM_TRUST_PARTLY,          /* that was equal; more objects are to be read twice */
    CHSM_TRUST_FULL,
    CHSM_TRUST_BROKEN,          /* one call gave other answers */
};

/*
 * A kind of object whose one-call answers are being compared with others: class, key type and which attributes were
 * there. The last, because a module may spoil the whole answer only for objects that lack something.
 */
struct chsm_calibration {
    CK_OBJECT_CLASS cls;
    CK_KEY_TYPE type;
    uint64_t have;
    enum chsm_trust trust;
    unsigned equal;
};

/* What has been learned of a module's reads: one for all sessions of a listing. */
struct chsm_reads {
    pthread_mutex_t lock;
    bool class_known;                       /* the searches were disjoint: CKA_CLASS need not be asked alone */
    bool one_by_one[CHSM_ATTR_CLASSES];     /* by class: one call gave other answers than single ones */
    unsigned failed[CHSM_ATTR_CLASSES];     /* one-call reads that failed where single ones did not */
    struct chsm_calibration known[32];
    size_t nknown;
    unsigned retries_left;                  /* of the whole listing */
    _Atomic unsigned long calls;            /* to C_GetAttributeValue */
};

void chsm_reads_init(struct chsm_reads *reads, unsigned retries, bool class_known);
void chsm_reads_done(struct chsm_reads *reads);

/*
 * The kind of an object, by its one-call answer (`have`: bit 1 << enum chsm_attr), and what that answer is worth. With
 * CHSM_TRUST_NONE it is the caller's to compare, and PENDING for all others. NULL when there are too many kinds: then every
 * object of a new one is read singly.
 */
struct chsm_calibration *chsm_reads_kind(struct chsm_reads *reads, CK_OBJECT_CLASS cls, CK_KEY_TYPE type, uint64_t have,
                                         enum chsm_trust *ret_trust);

/* The result of a comparison; or there was none, and the next one tries. */
void chsm_reads_judge(struct chsm_reads *reads, struct chsm_calibration *c, bool equal);
void chsm_reads_give_back(struct chsm_reads *reads, struct chsm_calibration *c);

enum chsm_trust chsm_reads_trust(struct chsm_reads *reads, const struct chsm_calibration *kind);

/* Whether objects of that class are to be read attribute by attribute at once. */
bool chsm_reads_singly(struct chsm_reads *reads, CK_OBJECT_CLASS cls);

/* One call did not work where single ones did: not for ever that way. */
void chsm_reads_failed(struct chsm_reads *reads, CK_OBJECT_CLASS cls);

/* True when the error is one that comes at random, and the listing has not had too many of them. */
bool chsm_reads_may_retry(struct chsm_reads *reads, const struct chsm_err *e);

/* The row of tables by class: CKO_* up to CKO_SECRET_KEY, else CHSM_ATTR_OTHER. */
static inline unsigned chsm_attr_row(CK_OBJECT_CLASS cls)
{
    return cls < CHSM_ATTR_OTHER ? (unsigned)cls : CHSM_ATTR_OTHER;
}

#endif
