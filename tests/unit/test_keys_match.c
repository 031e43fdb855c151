/* SPDX-License-Identifier: Apache-2.0 */
/* Who is who among records that share an ID, held against all solutions tried one by one. */
#include "config.h"

#include "keys/assign.h"
#include "tests/unit/keys_compare.h"

/* xorshift64 (Marsaglia): the same sequence in every run. */
static uint64_t seed = 88172645463325252u;

static unsigned dice(unsigned sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % sides);
}

/* Tries every way to give row `i` and the following a column or none. */
struct trial {
    const struct chsm_assign *a;
    size_t column[CHSM_ASSIGN_MAX], pairs, best_pairs;
    unsigned cost, best_cost;
    bool taken[CHSM_ASSIGN_MAX], possible[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX];
};

static void note(struct trial *t)
{
    if (t->pairs < t->best_pairs || (t->pairs == t->best_pairs && t->cost > t->best_cost))
        return;
    if (t->pairs > t->best_pairs || t->cost < t->best_cost)
        memset(t->possible, 0, sizeof t->possible);
    t->best_pairs = t->pairs;
    t->best_cost = t->cost;
    for (size_t i = 0; i < t->a->n; i++)
        if (t->column[i] != SIZE_MAX)
            t->possible[i][t->column[i]] = true;
}

static void try_row(struct trial *t, size_t i)
{
    if (i == t->a->n) {
        note(t);
        return;
    }
    t->column[i] = SIZE_MAX;
    try_row(t, i + 1);
    for (size_t j = 0; j < t->a->m; j++) {
        if (t->taken[j] || t->a->cost[i][j] == CHSM_ASSIGN_NEVER)
            continue;
        t->taken[j] = true;
        t->column[i] = j;
        t->pairs++;
        t->cost += t->a->cost[i][j];
        try_row(t, i + 1);
        t->cost -= t->a->cost[i][j];
        t->pairs--;
        t->taken[j] = false;
    }
}

static void solutions_are_those_of_trying_everything(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        struct chsm_assign a = { .n = 1 + dice(5), .m = 1 + dice(5) };
        struct trial t = { .a = &a, .best_cost = UINT32_MAX };
        bool possible[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX];

        for (size_t i = 0; i < a.n; i++)
            for (size_t j = 0; j < a.m; j++)
                a.cost[i][j] = dice(4) == 0 ? CHSM_ASSIGN_NEVER : dice(round % 2 ? 3 : 40);
        try_row(&t, 0);
        chsm_assign_solve(&a, possible);
        for (size_t i = 0; i < a.n; i++)
            for (size_t j = 0; j < a.m; j++)
                assert_int_equal(possible[i][j], t.possible[i][j]);
    }
}

static void largest_square_is_solved(void **state)
{
    struct chsm_assign a = { .n = CHSM_ASSIGN_MAX, .m = CHSM_ASSIGN_MAX };
    bool possible[CHSM_ASSIGN_MAX][CHSM_ASSIGN_MAX];

    (void)state;
    for (size_t i = 0; i < a.n; i++)
        for (size_t j = 0; j < a.m; j++)
            a.cost[i][j] = i == j ? CHSM_ASSIGN_COST_MAX - 1 : CHSM_ASSIGN_COST_MAX;
    chsm_assign_solve(&a, possible);
    for (size_t i = 0; i < a.n; i++)
        for (size_t j = 0; j < a.m; j++)
            assert_int_equal(possible[i][j], i == j);
}

/* Nothing tells their material, but one may be extracted and the other may not: that tells them apart, whatever the order. */
static void twins_without_material_are_told_apart_by_their_attributes(void **state)
{
    struct chsm_record *r;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        r = add_aes(section(&src, "cu1"), "01", "same", NULL);
        set_flag(r, "extractable", i == 0);
        r = add_aes(section(&dst, "cu1"), "01", "same", NULL);
        set_flag(r, "extractable", i == 1);
    }
    compare();
    assert_int_equal(count(CHSM_V_PRESENT), 2);
    assert_outcome(&present, CHSM_PASS);
    assert_outcome(&best, CHSM_OPEN);
}

static void twin_whose_attribute_changed_is_the_one_that_changed(void **state)
{
    struct chsm_record *r;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        r = add_aes(section(&src, "cu1"), "01", i ? "b" : "a", NULL);
        set_flag(r, "extractable", false);
        r = add_aes(section(&dst, "cu1"), "01", i ? "b" : "a", NULL);
        set_flag(r, "extractable", i == 1);
    }
    compare();
    assert_int_equal(count(CHSM_V_CHANGED), 1);
    assert_int_equal(of_source(&src.sections[0].records[1])->verdict, CHSM_V_CHANGED);
    assert_int_equal(of_source(&src.sections[0].records[0])->verdict, CHSM_V_PRESENT);
}

static void too_many_to_tell_apart_are_ambiguous(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= CHSM_ASSIGN_MAX; i++) {
        (void)add_aes(section(&src, "cu1"), "01", "same", NULL);
        (void)add_aes(section(&dst, "cu1"), "01", "same", NULL);
    }
    compare();
    assert_int_equal(count(CHSM_V_AMBIGUOUS), 2 * (CHSM_ASSIGN_MAX + 1));
    assert_never_verified();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(solutions_are_those_of_trying_everything),
        TEST(largest_square_is_solved),
        TEST(twins_without_material_are_told_apart_by_their_attributes),
        TEST(twin_whose_attribute_changed_is_the_one_that_changed),
        TEST(too_many_to_tell_apart_are_ambiguous),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
