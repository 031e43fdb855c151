/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the attributes of objects: in one call per object where the module has been shown to answer that exactly as it
 * answers single reads, attribute by attribute otherwise (facts: pkcs11-stack.md §7 rule 4, cloudhsm-client.md §10).
 * Of each kind of object, the first one is read both ways; the next two in one call from the last attribute to the first, too:
 * an answer that depends on the order is nothing to rely on, and that costs one call instead of twenty.
 */
#ifndef CHSM_PKCS11_READ_H
#define CHSM_PKCS11_READ_H

#include <pthread.h>

#include "pkcs11/attrs.h"
#include "pkcs11/ck.h"
#include "util/enc.h"

#define CHSM_READ_MAX (1u << 20)    /* bytes of one attribute */

/* What an object answered; an attribute that it has not, or does not tell, is not there. */
struct chsm_object {
    bool have[CHSM_A_COUNT];
    struct chsm_bytes v[CHSM_A_COUNT];
};
void chsm_object_done(struct chsm_object *o);
#define AUTO_OBJECT AUTO(chsm_object_done)

/* The value of a CK_ULONG that is there (sizes are checked when it is read). */
unsigned long chsm_object_ulong(const struct chsm_object *o, enum chsm_attr a);

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

/* One session that reads. */
struct chsm_reader {
    struct chsm_ck *ck;
    CK_SESSION_HANDLE session;
    struct chsm_reads *reads;
};

/*
 * Reads every attribute that objects of class `cls` may have. Transient errors are tried again a few times.
 * CHSM_PKCS11 when the object cannot be read, or answers nonsense; *ret is then untouched. *ret_kind is NULL when the answer is
 * good as it is; otherwise it came from one call of a kind that is still being compared (by another thread): it counts
 * when chsm_reads_trust() of the kind has become CHSM_TRUST_FULL, and has to be read again when that says PARTLY or BROKEN.
 */
CHSM_MUST_CHECK int chsm_read_object(struct chsm_reader *r, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS cls,
                                     struct chsm_object *ret, struct chsm_calibration **ret_kind, struct chsm_err *err);

enum chsm_trust chsm_reads_trust(struct chsm_reads *reads, const struct chsm_calibration *kind);

#endif
