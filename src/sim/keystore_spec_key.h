/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a `keys` sequence; for keystore_spec.c. */
#ifndef CHSM_SIM_KEYSTORE_SPEC_KEY_H
#define CHSM_SIM_KEYSTORE_SPEC_KEY_H

#include "sim/keystore_spec.h"

/* Refuses members of an object that are not in the list (ended by NULL). */
CHSM_MUST_CHECK int sim_spec_members(const json_t *object, const char *path, const char *const *known, struct chsm_err *err);

/* Reads an entry. What *ret holds is freed by sim_seed_done(), also after a failure. */
CHSM_MUST_CHECK int sim_spec_key(const json_t *object, const char *path, struct sim_key_spec *ret, struct chsm_err *err);

#endif
