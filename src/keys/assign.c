/* SPDX-License-Identifier: Apache-2.0 */
/* The Hungarian algorithm (Kuhn, Munkres; the O(n^3) form with potentials), asked once for every pair. */
#include "config.h"

#include "keys/assign.h"

/* Of a place left empty, so that a further pair is always worth it: more than all pairs of a solution together can cost. */
#define EMPTY ((int64_t)CHSM_ASSIGN_COST_MAX * CHSM_ASSIGN_MAX + 1)
#define FAR (EMPTY * 4 * CHSM_ASSIGN_MAX)

struct square {
    size_t n;
    int64_t cost[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX];
};

/* Rows and columns counted from 1, 0 is a sentinel. */
struct tableau {
    int64_t u[CHSM_ASSIGN_MAX + 1], v[CHSM_ASSIGN_MAX + 1], least[CHSM_ASSIGN_MAX + 1];
    size_t row_of[CHSM_ASSIGN_MAX + 1], way[CHSM_ASSIGN_MAX + 1];
    bool used[CHSM_ASSIGN_MAX + 1];
};

/* One step along the alternating tree from column j0; the next column. */
static size_t extend(const struct square *s, struct tableau *t, size_t j0)
{
    size_t i0 = t->row_of[j0], j1 = 0;
    int64_t delta = INT64_MAX;

    t->used[j0] = true;
    for (size_t j = 1; j <= s->n; j++) {
        int64_t reduced;

        if (t->used[j])
            continue;
        reduced = s->cost[i0 - 1][j - 1] - t->u[i0] - t->v[j];
        if (reduced < t->least[j]) {
            t->least[j] = reduced;
            t->way[j] = j0;
        }
        if (t->least[j] < delta) {
            delta = t->least[j];
            j1 = j;
        }
    }
    for (size_t j = 0; j <= s->n; j++) {
        if (t->used[j]) {
            t->u[t->row_of[j]] += delta;
            t->v[j] -= delta;
        } else {
            t->least[j] -= delta;
        }
    }
    return j1;
}

/* The least total cost of pairing all rows of a square with all its columns. */
static int64_t least_cost(const struct square *s)
{
    struct tableau t = { 0 };
    int64_t total = 0;

    for (size_t i = 1; i <= s->n; i++) {
        size_t j0 = 0;

        t.row_of[0] = i;
        for (size_t j = 0; j <= s->n; j++) {
            t.least[j] = INT64_MAX / 2;
            t.used[j] = false;
        }
        do {
            j0 = extend(s, &t, j0);
        } while (t.row_of[j0] != 0);
        for (size_t j1; j0; j0 = j1) {
            j1 = t.way[j0];
            t.row_of[j0] = t.row_of[j1];
        }
    }
    for (size_t j = 1; j <= s->n; j++)
        total += s->cost[t.row_of[j] - 1][j - 1];
    return total;
}

void chsm_assign_solve(const struct chsm_assign *a, bool possible[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX])
{
    struct square s = { .n = a->n > a->m ? a->n : a->m };
    int64_t best;

    for (size_t i = 0; i < s.n; i++)
        for (size_t j = 0; j < s.n; j++)
            s.cost[i][j] = i < a->n && j < a->m && a->cost[i][j] != CHSM_ASSIGN_NEVER ? (int64_t)a->cost[i][j] : EMPTY;
    best = least_cost(&s);
    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; j < a->m; j++) {
            struct square forced = s;

            possible[i][j] = false;
            if (a->cost[i][j] == CHSM_ASSIGN_NEVER)
                continue;
            for (size_t k = 0; k < s.n; k++)
                if (k != j)
                    forced.cost[i][k] = FAR;
            possible[i][j] = least_cost(&forced) == best;
        }
    }
}
