/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that were just made: where they may be made, and the handle the application gets. */
#ifndef CHSM_SIM_P11_OWN_H
#define CHSM_SIM_P11_OWN_H

#include "sim/p11/state.h"

/* The application's handle for a fresh object of SoftHSM, made in that session. */
CK_RV sim_object_give(size_t token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE inner, CK_OBJECT_HANDLE *ret);

/* Whether an object with that template may be made in that token: token objects in the user's own one only. */
bool sim_object_place_ok(size_t token, const CK_ATTRIBUTE *template, CK_ULONG n);

#endif
