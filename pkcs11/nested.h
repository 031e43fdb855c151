/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes whose value is an array of attributes: CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE (PKCS#11 v2.40 §4.9, §4.10). */
#ifndef CHSM_PKCS11_NESTED_H
#define CHSM_PKCS11_NESTED_H

#include "pkcs11/read.h"

/*
 * Reads the array, which claims `n` bytes: types and lengths first, then the values. What is kept of it does not depend on its
 * order (attrs.h, CHSM_ATTR_TEMPLATE). An empty one is "not there". CHSM_PKCS11 when it makes no sense.
 */
CHSM_MUST_CHECK int chsm_nested_read(struct chsm_reader *r, CK_OBJECT_HANDLE handle, enum chsm_attr a, size_t n, struct chsm_object *o,
                                     struct chsm_err *err);

#endif
