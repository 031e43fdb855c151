/* SPDX-License-Identifier: Apache-2.0 */
/* Quirks of C_GetAttributeValue that answer with CKR_OK and are wrong. */
#ifndef CHSM_SIM_P11_LIES_H
#define CHSM_SIM_P11_LIES_H

#include "sim/p11/state.h"

/* sim_attributes_read(), and then not the truth where quirks want that. */
CK_RV sim_lies_read(const struct sim_object *o, CK_ATTRIBUTE *template, CK_ULONG n);

#endif
