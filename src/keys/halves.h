/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHSM_KEYS_HALVES_H
#define CHSM_KEYS_HALVES_H

#include "keys/compare.h"

/*
 * Says of the findings from `first` on, which are those of one login, where only one half of a pair is missing, and remarks how
 * many halves stand alone on either side: that is normal on some tokens, and worth a look on others.
 */
CHSM_MUST_CHECK int chsm_remark_halves(struct chsm_comparison *c, size_t first, const struct chsm_section *source,
                                       const struct chsm_section *destination, struct chsm_err *err);

#endif
