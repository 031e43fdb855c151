/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the attributes of objects: in one call per object where the module has been shown to answer that exactly as it
 * answers single reads, attribute by attribute otherwise (facts: pkcs11-stack.md §7 rule 4, cloudhsm-client.md §10).
 * Of each kind of object, the first one is read both ways; the next two in one call from the last attribute to the first, too:
 * an answer that depends on the order is nothing to rely on, and that costs one call instead of twenty.
 */
#ifndef CHSM_PKCS11_READ_H
#define CHSM_PKCS11_READ_H

#include "pkcs11/attrs.h"
#include "pkcs11/ck.h"
#include "pkcs11/trust.h"
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

/* C_GetAttributeValue, counted. */
CK_RV chsm_read_get(struct chsm_reader *r, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *t, CK_ULONG n);

#endif
