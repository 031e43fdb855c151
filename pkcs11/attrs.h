/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes that are read, and of which objects. Usage flags and origin are those that the HSM's firmware stores; what
 * the client library makes up is left out, for it may differ between two clusters that hold the same key
 * (facts: cloudhsm-client.md §10): CKA_MODIFIABLE, CKA_COPYABLE, CKA_ALWAYS_AUTHENTICATE, CKA_KEY_GEN_MECHANISM, CKA_SUBJECT.
 * Dates and allowed mechanisms are kept by the library on a Cloud HSM and by the token elsewhere; they are read where they are
 * told, for a limit that is gone after a restore matters. CKA_VALUE is asked of public keys, certificates and data only.
 */
#ifndef CHSM_PKCS11_ATTRS_H
#define CHSM_PKCS11_ATTRS_H

#include <p11-kit/pkcs11.h>

#include "util/compat.h"

/* Stands for a date, set or template that is there and cannot be read. */
#define CHSM_ATTR_UNREADABLE "unreadable"

enum chsm_attr_kind {
    CHSM_ATTR_FLAG, CHSM_ATTR_ULONG, CHSM_ATTR_BYTES,
    /* Of these two, an empty value stands for one that cannot be read. */
    CHSM_ATTR_SET,              /* CK_ULONGs in no order; kept sorted */
    CHSM_ATTR_TEMPLATE,         /* CK_ATTRIBUTEs; kept as type (8 bytes), length (4 bytes), both big-endian, and value, sorted */
};

/* Places in the table. */
enum chsm_attr {
    CHSM_A_CLASS, CHSM_A_TOKEN, CHSM_A_KEY_TYPE, CHSM_A_ID, CHSM_A_LABEL, CHSM_A_MODULUS, CHSM_A_EXPONENT, CHSM_A_EC_PARAMS,
    CHSM_A_EC_POINT, CHSM_A_VALUE_LEN, CHSM_A_CHECK_VALUE, CHSM_A_VALUE, CHSM_A_START_DATE, CHSM_A_END_DATE, CHSM_A_MECHANISMS,
    CHSM_A_WRAP_TEMPLATE, CHSM_A_UNWRAP_TEMPLATE, CHSM_A_PUBLIC_KEY_INFO,
    CHSM_A_RARE,            /* from here to the flags: asked alone, and only where the key type has it */
    CHSM_A_PRIME = CHSM_A_RARE, CHSM_A_SUBPRIME, CHSM_A_PUBLIC_VALUE,
    CHSM_A_FLAGS,           /* the first one that is stored by its name */
    CHSM_A_COUNT = CHSM_A_FLAGS + 16
};

static_assert(CHSM_A_COUNT <= 64, "a set of attributes is a 64-bit mask");

#define CHSM_ATTR_OTHER 5           /* stands for all classes after CKO_SECRET_KEY */
#define CHSM_ATTR_CLASSES 6

struct chsm_attr_def {
    CK_ATTRIBUTE_TYPE type;
    const char *name;           /* in records and messages */
    enum chsm_attr_kind kind;
    unsigned classes;           /* bit 1 << CKO_* or CHSM_ATTR_OTHER: asked of these */
    size_t room;                /* bytes of buffer at first */
};

static inline bool chsm_attr_is_rare(enum chsm_attr a) { return a >= CHSM_A_RARE && a < CHSM_A_FLAGS; }

extern const struct chsm_attr_def chsm_attrs[CHSM_A_COUNT];

/* True for the name of a flag that records may hold. */
bool chsm_attr_is_flag(const char *name);

/* False when a key of this CKK_* type cannot have the attribute (an RSA key has no EC point). */
bool chsm_attr_fits(enum chsm_attr a, CK_KEY_TYPE type);

#endif
