/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assignment: which of n things on one side is which of m things on the other, at the least total cost, and where several
 * answers are equally good. Small groups only: records that share an ID.
 */
#ifndef CHSM_KEYS_ASSIGN_H
#define CHSM_KEYS_ASSIGN_H

#include "util/compat.h"

#define CHSM_ASSIGN_MAX 24u             /* things on the larger side; every pair is tried against the best solution */
#define CHSM_ASSIGN_NEVER UINT32_MAX    /* these two cannot belong together */
#define CHSM_ASSIGN_COST_MAX 10000u     /* of a pair that can */

struct chsm_assign {
    size_t n, m;                                            /* rows and columns, at most CHSM_ASSIGN_MAX each */
    uint32_t cost[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX];        /* cost[row][column], or CHSM_ASSIGN_NEVER */
};

/*
 * possible[i][j] is true when some solution pairs row i with column j, where a solution pairs as many as can be paired and
 * costs as little as that can. A row with exactly one possible column that is possible for that row alone is certain.
 */
void chsm_assign_solve(const struct chsm_assign *a, bool possible[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX]);

#endif
