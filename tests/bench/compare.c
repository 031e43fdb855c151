/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare N: makes two inventories of N records in memory, compares them, and prints time and memory. A third of the records are
 * private keys, a third their public halves, a third AES keys; one key in a thousand differs, some IDs repeat or are empty.
 */
#include "config.h"

#include <stdio.h>
#include <sys/resource.h>

#include "keys/compare.h"
#include "util/clock.h"
#include "util/json.h"

static _Noreturn void die(const struct chsm_err *err)
{
    (void)fprintf(stderr, "compare: %s\n", err->text);
    exit(1);
}

static long peak_kb(void)
{
    struct rusage u;

    return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss : 0;
}

static void set(struct chsm_bytes *b, const void *p, size_t n)
{
    struct chsm_err err = { 0 };

    if (chsm_bytes_set(b, p, n, &err) < 0)
        die(&err);
}

/* Record k of one side: what depends on the key is a digest of its number and `salt`. */
static void fill(struct chsm_record *r, size_t k, unsigned salt)
{
    static const unsigned long classes[] = { CHSM_CLASS_PRIVATE, CHSM_CLASS_PUBLIC, CHSM_CLASS_SECRET };
    unsigned char spki[91], id[8];
    char label[32];
    size_t key = k / 3, named = key % 50 == 0 ? key / 500 : key;     /* one key in fifty shares its ID with nine others */

    r->cls = classes[k % 3];
    r->type = r->cls == CHSM_CLASS_SECRET ? CHSM_TYPE_AES : CHSM_TYPE_EC;
    r->bits = 256;
    (void)snprintf(label, sizeof label, "key-%zu", key);
    set(&r->label, label, strlen(label));
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (unsigned char)(named >> 8 * i);
    if (key % 77)
        set(&r->id, id, sizeof id);
    for (size_t i = 0; i < sizeof spki; i += CHSM_SHA256_LEN) {
        unsigned char digest[CHSM_SHA256_LEN];
        size_t seed[3] = { key, salt, i };

        chsm_sha256(seed, sizeof seed, digest);
        memcpy(spki + i, digest, sizeof spki - i < sizeof digest ? sizeof spki - i : sizeof digest);
    }
    if (r->cls != CHSM_CLASS_SECRET) {
        set(&r->spki, spki, sizeof spki);
        r->spki_from = CHSM_SPKI_OWN;
        r->curve = strdup("P-256");
    }
    set(&r->check_value, spki, 3);
    r->flags_told = (1u << CHSM_FLAG_COUNT) - 1;
    r->flags = 1u << CHSM_FLAG_SIGN | 1u << CHSM_FLAG_PRIVATE;
}

static void build(struct chsm_inventory *inv, size_t n, bool destination)
{
    struct chsm_section *s = chsm_inventory_add(inv);

    if (!s || !(s->login = strdup("cu1")))
        exit(1);
    s->complete = true;
    for (size_t i = 0; i < n; i++) {
        /* Another order on the other side, as handles give it. */
        size_t k = destination ? n - 1 - i : i;
        struct chsm_record *r = chsm_section_add(s);

        if (!r)
            exit(1);
        fill(r, k, destination && k / 3 % 1000 == 999);
    }
}

int main(int argc, char **argv)
{
    char *end = NULL;
    size_t n = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
    struct chsm_policy policy = { .require = CHSM_REQUIRE_INTACT };
    struct chsm_inventory a = { 0 }, b = { 0 };
    struct chsm_comparison c = { 0 };
    struct chsm_err err = { 0 };
    size_t count[CHSM_V_COUNT_] = { 0 };
    int64_t from, took;

    if (n == 0 || *end) {
        (void)fputs("usage: compare RECORDS\n", stderr);
        return 2;
    }
    build(&a, n, false);
    build(&b, n, true);
    from = chsm_mono();
    if (chsm_compare(&a, &b, &c, &err) < 0)
        die(&err);
    took = chsm_mono() - from;
    for (size_t i = 0; i < c.n; i++)
        count[c.findings[i].verdict]++;
    printf("2 x %zu records: %lld ms, peak %ld MB; %s: %zu intact, %zu impostor, %zu other\n", n, (long long)took, peak_kb() / 1024,
           chsm_outcome_name(chsm_comparison_outcome(&c, &policy)), count[CHSM_V_INTACT], count[CHSM_V_IMPOSTOR],
           c.n - count[CHSM_V_INTACT] - count[CHSM_V_IMPOSTOR]);
    chsm_comparison_done(&c);
    chsm_inventory_done(&b);
    chsm_inventory_done(&a);
    return 0;
}
