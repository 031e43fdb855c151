/* SPDX-License-Identifier: Apache-2.0 */
/* What an object answered, as a key record. */
#ifndef CHSM_PKCS11_OBJECT_H
#define CHSM_PKCS11_OBJECT_H

#include "keys/record.h"
#include "pkcs11/read.h"

/*
 * Makes a record of class `cls`. -1 with CHSM_PKCS11 when the answers contradict each other or lack what a record needs (key
 * type, a point that is on its curve); *ret is then untouched. The record's index is left 0.
 */
CHSM_MUST_CHECK int chsm_object_record(const struct chsm_object *o, CK_OBJECT_CLASS cls, struct chsm_record *ret,
                                       struct chsm_err *err);

#endif
