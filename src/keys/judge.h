/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHSM_KEYS_JUDGE_H
#define CHSM_KEYS_JUDGE_H

#include "keys/compare.h"

/*
 * Compares source and destination of a finding and sets changes, witnessed and the verdict: impostor, changed, intact or
 * present. `ignore` as in struct chsm_comparison.
 */
CHSM_MUST_CHECK int chsm_judge(struct chsm_finding *f, const char *const *ignore, struct chsm_err *err);

#endif
