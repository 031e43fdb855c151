/* SPDX-License-Identifier: Apache-2.0 */
/* Reading attributes as the client library answers, not as SoftHSM does. */
#ifndef CHSM_SIM_P11_ATTRIBUTES_H
#define CHSM_SIM_P11_ATTRIBUTES_H

#include "sim/p11/state.h"

/*
 * C_GetAttributeValue of one object. What differs from SoftHSM: CKA_CHECK_VALUE of public keys and of RSA private keys is
 * SHA-1 of the DER SubjectPublicKeyInfo, cut to 3 bytes (facts: cloudhsm-client.md §9), and the quirks.
 */
CK_RV sim_attributes_read(const struct sim_object *o, CK_ATTRIBUTE *template, CK_ULONG n);

/* Whether the object has all these values, as the application would read them. */
bool sim_attributes_match(const struct sim_object *o, const CK_ATTRIBUTE *template, CK_ULONG n);

#endif
