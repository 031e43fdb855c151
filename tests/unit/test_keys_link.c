/* SPDX-License-Identifier: Apache-2.0 */
/* The check values of pairs: the published examples, and what is concluded from them only when they have been tested. */
#include "config.h"

#include "tests/unit/keys_build.h"

/* Keys and check values as published in the vendor's key attribute examples; the SubjectPublicKeyInfo was put together from them. */
static const struct { unsigned long cls, type; const char *spki, *check_value; } published[] = {
    { CHSM_CLASS_PUBLIC, CHSM_TYPE_RSA,
      "30820122300d06092a864886f70d01010105000382010f003082010a0282010100bb9301cc362c1d9724eb93da8adab0364296bde7124a241087d9436b9be57e4f"
      "7780040df03c2c1c0fe6e3b61aa83c205280119452868f66541bbbffacbbe787b8284fc81deaeef2b8ec0ba25a077d6983c77a1de7b17cbe8e15b203868704c6"
      "452c2810344a7f2736012424cf0703cf15a37183a1d2d097240829f8f90b063dd3a41171402b162578d581980976653935431da0c1260bfe756d85dca63857d9"
      "f27a541676cb9c7def0ef6a2a89c9b9304bcac16fdf8183c0a555421f9ad5dfeb534cf26b65873970cdf1a07484f1c128b53e10209cc6f7ac308669112968c81"
      "a5de408e7f644fe58b1a9ae1286fecb3e4203294a96fae06f8f0db7982cb5d7f0203010001",
      "c51c18" },
    { CHSM_CLASS_PRIVATE, CHSM_TYPE_EC,
      "3059301306072a8648ce3d020106082a8648ce3d030107034200044a0f9d01d10f7437d9fa20995f0cc742552e5ba16d3d7e9a65a33e20ad3e569e68eb62477a"
      "9960a87911e6121d112b698e469a0329a665eba74ee5ac55eae9f5",
      "bbb32a" },
};

static void unhex(const char *hex, struct chsm_bytes *ret)
{
    struct chsm_err err = { 0 };

    assert_ok(chsm_unhex(hex, ret, &err), err);
}

static void published_check_values_fit_the_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(published); i++) {
        AUTO_INVENTORY struct chsm_inventory inv = { 0 };
        struct chsm_section *s = section(&inv, "cu1");
        struct chsm_record *r = add_record(s, published[i].cls, published[i].type, "01", "k");

        unhex(published[i].spki, &r->spki);
        unhex(published[i].check_value, &r->check_value);
        r->spki_from = CHSM_SPKI_OWN;
        assert_int_equal(chsm_section_pair_rule(s), CHSM_PAIR_RULE_SHA1);
        r->check_value.p[2] ^= 1;
        assert_int_equal(chsm_section_pair_rule(s), CHSM_PAIR_RULE_OTHER);
        chsm_bytes_done(&r->check_value);
        assert_int_equal(chsm_section_pair_rule(s), CHSM_PAIR_RULE_UNTESTED);
    }
}

/* A P-256 half: a public key with `spki`, or a private key that tells none; the check value of `of` when it is not NULL. */
static struct chsm_record *add_half(struct chsm_section *s, const char *id, const char *spki, const char *of)
{
    struct chsm_record *r = add_record(s, spki ? CHSM_CLASS_PUBLIC : CHSM_CLASS_PRIVATE, CHSM_TYPE_EC, id, "k");
    unsigned char digest[CHSM_SHA1_LEN];
    struct chsm_err err = { 0 };

    r->curve = strdup("P-256");
    if (spki) {
        set_bytes(&r->spki, spki);
        r->spki_from = CHSM_SPKI_OWN;
    }
    if (of) {
        chsm_sha1(of, strlen(of), digest);
        assert_ok(chsm_bytes_set(&r->check_value, digest, 3, &err), err);
    }
    return r;
}

static void assert_linked(const struct chsm_section *s, size_t i, const char *spki, enum chsm_spki_from from)
{
    assert_int_equal(s->records[i].spki_from, from);
    assert_int_equal(s->records[i].spki.len, strlen(spki));
    assert_memory_equal(s->records[i].spki.p, spki, strlen(spki));
}

static void twins_find_their_halves_by_check_value(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    struct chsm_section *s = section(&inv, "cu1");
    struct chsm_err err = { 0 };

    (void)state;
    (void)add_half(s, "01", NULL, "TWIN-B");
    (void)add_half(s, "01", NULL, "TWIN-A");
    (void)add_half(s, "01", "TWIN-A", "TWIN-A");
    (void)add_half(s, "01", "TWIN-B", "TWIN-B");
    (void)add_half(s, "", NULL, "NAMELESS");
    (void)add_half(s, "", "NAMELESS", "NAMELESS");
    (void)add_half(s, "", "OTHER", "OTHER");
    assert_ok(chsm_section_link(s, &err), err);
    assert_int_equal(s->pair_rule, CHSM_PAIR_RULE_SHA1);
    assert_linked(s, 0, "TWIN-B", CHSM_SPKI_CHECK_VALUE);
    assert_linked(s, 1, "TWIN-A", CHSM_SPKI_CHECK_VALUE);
    assert_linked(s, 4, "NAMELESS", CHSM_SPKI_CHECK_VALUE);
}

/* The private half was replaced: the public key that still has its ID is not its half. */
static void check_value_of_another_key_is_not_linked_by_id(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    struct chsm_section *s = section(&inv, "cu1");
    struct chsm_err err = { 0 };

    (void)state;
    (void)add_half(s, "01", NULL, "SOMETHING-ELSE");
    (void)add_half(s, "01", "KEY", "KEY");
    assert_ok(chsm_section_link(s, &err), err);
    assert_int_equal(s->records[0].spki_from, CHSM_SPKI_NONE);
}

/* One public key that does not fit is enough: then check values decide nothing, and the ID does as far as it can. */
static void rule_that_does_not_hold_decides_nothing(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    struct chsm_section *s = section(&inv, "cu1");
    struct chsm_err err = { 0 };

    (void)state;
    (void)add_half(s, "01", NULL, "KEY");
    (void)add_half(s, "01", "KEY", "KEY");
    (void)add_half(s, "02", NULL, "TWIN-A");
    (void)add_half(s, "02", NULL, "TWIN-B");
    (void)add_half(s, "02", "TWIN-A", "TWIN-A");
    (void)add_half(s, "02", "TWIN-B", "ANOTHER-METHOD");
    assert_ok(chsm_section_link(s, &err), err);
    assert_int_equal(s->pair_rule, CHSM_PAIR_RULE_OTHER);
    assert_linked(s, 0, "KEY", CHSM_SPKI_PUBLIC_HALF);
    assert_int_equal(s->records[2].spki_from, CHSM_SPKI_NONE);
    assert_int_equal(s->records[3].spki_from, CHSM_SPKI_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_check_values_fit_the_rule),
        cmocka_unit_test(twins_find_their_halves_by_check_value),
        cmocka_unit_test(check_value_of_another_key_is_not_linked_by_id),
        cmocka_unit_test(rule_that_does_not_hold_decides_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
