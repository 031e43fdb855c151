/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The comparison under thousands of small random inventories, with few IDs, labels and keys so that collisions are the
 * rule. Each record hides a true key; what the record tells of it varies. The seed is fixed: a failure repeats.
 */
#include "config.h"

#include "tests/unit/keys_compare.h"
#include "util/json.h"

#define ROUNDS 3000
#define RECORDS_MAX 6

static uint32_t seed = 1;

static unsigned rnd(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

static void add_random(struct chsm_section *s)
{
    static const char *const ids[] = { "", "01", "02" }, *const labels[] = { "a", "b" }, *const keys[] = { "K1", "K2", "K3" };
    const char *id = ids[rnd(3)], *label = labels[rnd(2)], *key = keys[rnd(3)];

    switch (rnd(4)) {
    case 0:
        (void)add_rsa(s, CHSM_CLASS_PUBLIC, id, label, key);
        break;
    case 1:
        set_flag(add_rsa(s, CHSM_CLASS_PRIVATE, id, label, key), "sensitive", rnd(2));
        break;
    case 2:
        (void)add_aes(s, id, label, key);
        break;
    default:
        (void)add_aes(s, id, label, NULL);
    }
}

static void copy_record(struct chsm_section *to, const struct chsm_record *from)
{
    struct chsm_record *r = chsm_section_add(to);
    json_auto_t *o = chsm_record_to_json(from);
    struct chsm_err err = { 0 };

    assert_non_null(r);
    assert_non_null(o);
    assert_ok(chsm_record_from_json(o, NULL, r, &err), err);
}

/* The destination: mostly a copy of the source, in another order, with something lost, doubled, replaced or added. */
static void random_pair(void)
{
    struct chsm_section *s = section(&src, "cu1"), *d = section(&dst, "cu1");

    for (unsigned n = rnd(RECORDS_MAX + 1); n > 0; n--)
        add_random(s);
    for (size_t i = s->n; i-- > 0;)
        if (rnd(8))
            copy_record(d, &s->records[i]);
    if (s->n && rnd(8) == 0)
        copy_record(d, &s->records[rnd((unsigned)s->n)]);
    if (rnd(6) == 0)
        add_random(d);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The records of a section as sorted lines: equal sections give equal text. */
static char *content(const struct chsm_section *s)
{
    char *lines[4 * RECORDS_MAX] = { NULL };
    AUTO_BUF struct chsm_buf b = CHSM_BUF(1 << 20);
    struct chsm_err err = { 0 };

    assert_true(s->n <= ARRAY_LEN(lines));
    for (size_t i = 0; i < s->n; i++) {
        json_auto_t *o = chsm_record_to_json(&s->records[i]);

        lines[i] = chsm_json_canonical(o);
    }
    qsort(lines, s->n, sizeof *lines, by_text);
    for (size_t i = 0; i < s->n; i++) {
        assert_ok(chsm_buf_addf(&b, &err, "%s\n", lines[i]), err);
        free(lines[i]);
    }
    return chsm_buf_take(&b);
}

/* The result without the order of the records: sorted lines of source, destination, verdict and means. */
static char *result_text(void)
{
    char *lines[8 * RECORDS_MAX] = { NULL };
    AUTO_BUF struct chsm_buf b = CHSM_BUF(1 << 20);
    struct chsm_err err = { 0 };

    for (size_t i = 0; i < cmp.n; i++) {
        const struct chsm_finding *f = &cmp.findings[i];
        json_auto_t *s = f->source ? chsm_record_to_json(f->source) : json_null();
        json_auto_t *d = f->destination ? chsm_record_to_json(f->destination) : json_null();
        AUTO_FREE char *st = chsm_json_canonical(s);
        AUTO_FREE char *dt = chsm_json_canonical(d);

        lines[i] = chsm_strf("%s %s %s %s", st, dt, chsm_verdict_name(f->verdict), chsm_means_name(f->means));
    }
    qsort(lines, cmp.n, sizeof *lines, by_text);
    for (size_t i = 0; i < cmp.n; i++) {
        assert_ok(chsm_buf_addf(&b, &err, "%s\n", lines[i]), err);
        free(lines[i]);
    }
    return chsm_buf_take(&b);
}

static size_t findings_with(const struct chsm_record *r)
{
    size_t n = 0;

    for (size_t i = 0; i < cmp.n; i++)
        n += cmp.findings[i].source == r || cmp.findings[i].destination == r;
    return n;
}

static void each_round(void (*body)(void))
{
    for (int i = 0; i < ROUNDS; i++) {
        (void)begin(NULL);
        random_pair();
        compare();
        body();
        (void)end(NULL);
    }
}

static void nothing_is_counted_twice_or_forgotten(void)
{
    for (size_t i = 0; i < src.sections[0].n; i++)
        assert_int_equal(findings_with(&src.sections[0].records[i]), 1);
    for (size_t i = 0; i < dst.sections[0].n; i++)
        assert_int_equal(findings_with(&dst.sections[0].records[i]), 1);
}

static void every_record_has_one_finding(void **state)
{
    (void)state;
    each_round(nothing_is_counted_twice_or_forgotten);
}

/* With the lowest bar and no proof, a pass still means: record for record the same. */
static void pass_implies_equality(void)
{
    AUTO_FREE char *a = content(&src.sections[0]);
    AUTO_FREE char *b = content(&dst.sections[0]);

    if (chsm_comparison_outcome(&cmp, &present) == CHSM_PASS)
        assert_string_equal(a, b);
    else if (strcmp(a, b) == 0)
        assert_int_not_equal(chsm_comparison_outcome(&cmp, &present), CHSM_FAIL);
}

static void pass_means_equal_and_equal_never_fails(void **state)
{
    (void)state;
    each_round(pass_implies_equality);
}

static void shuffle(struct chsm_section *s)
{
    for (size_t i = s->n; i > 1; i--) {
        size_t k = rnd((unsigned)i);
        struct chsm_record r = s->records[i - 1];

        s->records[i - 1] = s->records[k];
        s->records[k] = r;
    }
}

static void shuffled_gives_the_same(void)
{
    AUTO_FREE char *before = result_text();
    enum chsm_outcome outcome = chsm_comparison_outcome(&cmp, &intact);
    AUTO_FREE char *after = NULL;

    shuffle(&src.sections[0]);
    shuffle(&dst.sections[0]);
    compare();
    after = result_text();
    assert_string_equal(after, before);
    assert_int_equal(chsm_comparison_outcome(&cmp, &intact), outcome);
}

static void order_does_not_matter(void **state)
{
    (void)state;
    each_round(shuffled_gives_the_same);
}

/* Every lost record of which the HSM tells something is noticed by a failure, never by an open question only. */
static void lost_witness_fails(void)
{
    size_t rsa[2] = { 0 };

    for (size_t i = 0; i < src.sections[0].n; i++)
        rsa[0] += src.sections[0].records[i].type == CHSM_TYPE_RSA;
    for (size_t i = 0; i < dst.sections[0].n; i++)
        rsa[1] += dst.sections[0].records[i].type == CHSM_TYPE_RSA;
    if (rsa[1] < rsa[0])
        assert_int_equal(chsm_comparison_outcome(&cmp, &generous), CHSM_FAIL);
}

static void fewer_rsa_keys_always_fail(void **state)
{
    (void)state;
    each_round(lost_witness_fails);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_has_one_finding),
        cmocka_unit_test(pass_means_equal_and_equal_never_fails),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(fewer_rsa_keys_always_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
