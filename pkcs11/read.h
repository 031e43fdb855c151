/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the attributes of objects: in one call per object where the module has been shown to answer that exactly as it
 * answers single reads, attribute by attribute otherwise (facts: pkcs11-stack.md §7 rule 4, cloudhsm-client.md §10).
 */
#ifndef CHSM_PKCS11_READ_H
#define CHSM_PKCS11_READ_H

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

/*
 * A kind of object whose one-call answers are being compared with single reads: class, key type and which attributes were
 * there. The last, because a module may spoil the whole answer only for objects that lack something.
 */
struct chsm_calibration {
    CK_OBJECT_CLASS cls;
    CK_KEY_TYPE type;
    uint32_t have;
    unsigned equal;
};

struct chsm_reader {
    struct chsm_ck *ck;
    CK_SESSION_HANDLE session;
    bool one_by_one[5];                     /* by CKO_*: one call gave other answers than single ones */
    struct chsm_calibration known[32];
    size_t nknown;
    unsigned retries_left;                  /* of the whole listing */
};

/*
 * Reads every attribute that objects of class `cls` (0..4) may have. Transient errors are tried again a few times.
 * CHSM_PKCS11 when the object cannot be read, or answers nonsense; *ret is then untouched.
 */
CHSM_MUST_CHECK int chsm_read_object(struct chsm_reader *r, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS cls,
                                     struct chsm_object *ret, struct chsm_err *err);

#endif
