/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory as a file: what goes out comes back, and a file that was cut, edited or mixed up is no baseline. */
#include "config.h"

#include "tests/unit/keys_build.h"
#include "util/json.h"

static void fill(struct chsm_inventory *inv)
{
    struct chsm_section *s = section(inv, "cu1");
    struct chsm_record *r = add_rsa(s, CHSM_CLASS_PRIVATE, "01", "pay", "KEY-A");
    struct chsm_err err = { 0 };

    set_flag(r, "sensitive", true);
    r = add_aes(s, "", "db", "abc");
    set_recorded(r, "question", "answer");
    r = add_record(s, CHSM_CLASS_PRIVATE, CHSM_TYPE_EC, "\x01\xff", "x");
    r->curve = strdup("P-256");
    set_bytes(&r->spki, "POINT");
    r->spki_from = CHSM_SPKI_PUBLIC_HALF;
    /* Labels are bytes. */
    assert_ok(chsm_bytes_set(&r->label, "a\0\xff\\x41\x1b", 8, &err), err);
    (void)add_record(s, CHSM_CLASS_CERTIFICATE, CHSM_TYPE_NONE, "01", "cert");
    (void)add_record(s, 0x80000001UL, 0x80000002UL, "0f", "vendor");
    s = section(inv, "cu2");
    s->complete = false;
    s->why = strdup("C_FindObjects: CKR_DEVICE_ERROR");
    s->session_objects = 3;
    inv->created = strdup("2026-11-23T09:10:11Z");
    inv->tool = strdup("chsmctl 0.1.0");
    inv->cluster = strdup("/subscriptions/x");
}

static json_t *to_json(const struct chsm_inventory *inv)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_inventory_sums sums;
    struct chsm_err err = { 0 };
    json_t *o = NULL;

    assert_ok(chsm_inventory_write(inv, &text, &sums, &err), err);
    assert_ok(chsm_json_parse(chsm_buf_str(&text), text.len, "the inventory", CHSM_CONFIG, &o, &err), err);
    assert_string_equal(sums.content, json_string_value(json_object_get(o, "content_sha256")));
    return o;
}

/* What an editor who also repairs the digest would leave: only the reader's own rules stand in the way then. */
static void reseal(json_t *o)
{
    AUTO_FREE char *text = NULL;
    char digest[65];

    (void)json_object_del(o, "content_sha256");
    text = chsm_json_canonical(o);
    chsm_sha256_hex(text, strlen(text), digest);
    assert_int_equal(json_object_set_new(o, "content_sha256", json_string(digest)), 0);
}

static void assert_refused(const json_t *o)
{
    struct chsm_inventory inv = { 0 };
    struct chsm_err err = { 0 };

    assert_fails(chsm_inventory_from_json(o, &inv, &err), CHSM_CONFIG, err);
    assert_int_equal(inv.n, 0);
    assert_null(inv.sections);
}

static json_t *first_record(json_t *o)
{
    return json_array_get(json_object_get(json_array_get(json_object_get(o, "sections"), 0), "records"), 0);
}

static void round_trip_keeps_everything(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 }, b = { 0 };
    AUTO_COMPARISON struct chsm_comparison cmp = { 0 };
    json_auto_t *one = NULL, *two = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    fill(&a);
    one = to_json(&a);
    assert_ok(chsm_inventory_from_json(one, &b, &err), err);
    two = to_json(&b);
    assert_true(json_equal(one, two));
    assert_int_equal(b.n, 2);
    assert_int_equal(b.sections[0].n, 5);
    assert_false(chsm_inventory_complete(&b));
    assert_string_equal(b.sections[1].why, "C_FindObjects: CKR_DEVICE_ERROR");
    assert_int_equal(b.sections[1].session_objects, 3);
    assert_ok(chsm_compare(&a, &b, &cmp, &err), err);
    for (size_t i = 0; i < cmp.n; i++)
        assert_true(cmp.findings[i].verdict == CHSM_V_INTACT || cmp.findings[i].verdict == CHSM_V_PRESENT);
}

static void label_bytes_survive(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 }, b = { 0 };
    json_auto_t *o = NULL;
    struct chsm_err err = { 0 };
    bool found = false;

    (void)state;
    fill(&a);
    o = to_json(&a);
    assert_ok(chsm_inventory_from_json(o, &b, &err), err);
    for (size_t i = 0; i < b.sections[0].n; i++)
        found = found || chsm_bytes_eq(&b.sections[0].records[i].label, &a.sections[0].records[2].label);
    assert_true(found);
}

static void order_of_records_does_not_show(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 }, b = { 0 };
    json_auto_t *one = NULL, *two = NULL;

    (void)state;
    (void)add_aes(section(&a, "cu1"), "01", "x", "abc");
    (void)add_aes(section(&a, "cu1"), "02", "y", "abd");
    (void)add_aes(section(&b, "cu1"), "02", "y", "abd");
    (void)add_aes(section(&b, "cu1"), "01", "x", "abc");
    one = to_json(&a);
    two = to_json(&b);
    assert_true(json_equal(one, two));
}

/* The fingerprint is of what the HSM holds: the random question of a reading does not count, a lost key does. */
static void fingerprint_is_of_the_content(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 }, b = { 0 }, c = { 0 };
    json_auto_t *one = NULL, *two = NULL, *three = NULL;

    (void)state;
    set_recorded(add_aes(section(&a, "cu1"), "01", "x", "abc"), "question 1", "answer 1");
    set_recorded(add_aes(section(&b, "cu1"), "01", "x", "abc"), "question 2", "answer 2");
    (void)section(&c, "cu1");
    one = to_json(&a);
    two = to_json(&b);
    three = to_json(&c);
    assert_string_equal(chsm_json_str(one, "fingerprint"), chsm_json_str(two, "fingerprint"));
    assert_string_not_equal(chsm_json_str(one, "fingerprint"), chsm_json_str(three, "fingerprint"));
}

static void unknown_members_are_kept(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 }, b = { 0 };
    json_auto_t *o = NULL, *again = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    fill(&a);
    o = to_json(&a);
    assert_int_equal(json_object_set_new(o, "later", json_pack("{s:i}", "x", 1)), 0);
    assert_int_equal(json_object_set_new(first_record(o), "later_too", json_true()), 0);
    assert_int_equal(json_object_set_new(json_array_get(json_object_get(o, "sections"), 0), "later_three", json_true()), 0);
    reseal(o);
    assert_ok(chsm_inventory_from_json(o, &b, &err), err);
    again = to_json(&b);
    assert_int_equal(json_integer_value(chsm_json_get(again, "later.x")), 1);
    assert_true(json_is_true(json_object_get(first_record(again), "later_too")));
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(again, "sections"), 0), "later_three")));
}

/* The file is the canonical form of what it says, to the byte: whoever canonicalises it gets the same text and digest. */
static void file_is_canonical(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    AUTO_FREE char *canonical = NULL, *bare = NULL;
    struct chsm_inventory_sums sums;
    struct chsm_err err = { 0 };
    json_auto_t *o = NULL;
    char digest[65];

    (void)state;
    fill(&a);
    assert_ok(chsm_inventory_write(&a, &text, &sums, &err), err);
    o = json_loads(chsm_buf_str(&text), 0, NULL);
    canonical = chsm_json_canonical(o);
    assert_int_equal(strlen(canonical) + 1, text.len);
    assert_memory_equal(canonical, chsm_buf_str(&text), text.len - 1);
    (void)json_object_del(o, "content_sha256");
    bare = chsm_json_canonical(o);
    chsm_sha256_hex(bare, strlen(bare), digest);
    assert_string_equal(digest, sums.content);
    assert_ok(chsm_inventory_fingerprint(&a, digest, &err), err);
    assert_string_equal(digest, sums.fingerprint);
}

/* Every record of the file is the canonical form of its tree, whether it was put together by hand or not. */
static void records_are_their_trees(void **state)
{
    static const char *const labels[] = { "plain", "with \"quotes\"", "back\\slash", "caf\xc3\xa9", "line\nend", "\xff", "", "tab\t", "slash/", "del\x7f" };
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    struct chsm_section *s = section(&a, "cu1");
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_inventory_sums sums;
    AUTO_FREE char *canonical = NULL;
    struct chsm_err err = { 0 };
    json_auto_t *o = NULL;
    size_t found = 0;

    (void)state;
    for (unsigned i = 0; i < 4 * ARRAY_LEN(labels); i++) {
        struct chsm_record *r = i % 2 ? add_rsa(s, CHSM_CLASS_PRIVATE, "0a", labels[i / 4], i % 3 ? "KEY-A" : "KEY-B")
                                      : add_aes(s, "", labels[i / 4], i % 4 ? "abc" : NULL);

        /* The builders' own attribute would send them all the long way. */
        json_decref(r->more);
        r->more = NULL;
        r->flags_told = (uint32_t)(i * 2654435761u) & ((1u << CHSM_FLAG_COUNT) - 1);
        r->flags = r->flags_told & (uint32_t)(i * 40503u);
        if (i % 5 == 0)
            r->curve = strdup(i % 2 ? "P-256" : "1.2.840");
    }
    assert_ok(chsm_inventory_write(&a, &text, &sums, &err), err);
    o = json_loads(chsm_buf_str(&text), 0, NULL);
    canonical = chsm_json_canonical(o);
    assert_int_equal(strlen(canonical) + 1, text.len);
    assert_memory_equal(canonical, chsm_buf_str(&text), text.len - 1);
    for (size_t i = 0; i < s->n; i++) {
        json_auto_t *tree = chsm_record_to_json(&s->records[i]);
        json_t *records = json_object_get(json_array_get(json_object_get(o, "sections"), 0), "records");

        (void)json_object_del(tree, "spki");
        for (size_t k = 0; k < json_array_size(records); k++)
            if (json_equal(tree, json_array_get(records, k))) {
                found++;
                break;
            }
    }
    assert_int_equal(found, s->n);
}

/* What the largest usual keys take: a pair of RSA-4096 with every flag, a long ID and a long label. */
static void records_stay_below_a_kilobyte(void **state)
{
    static const unsigned long classes[] = { CHSM_CLASS_PRIVATE, CHSM_CLASS_PUBLIC };
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    AUTO_BUF struct chsm_buf empty = CHSM_BUF(CHSM_INVENTORY_MAX), text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_section *s = section(&a, "cu1");
    struct chsm_inventory_sums sums;
    struct chsm_err err = { 0 };
    char key[551] = "";

    (void)state;
    memset(key, 'k', sizeof key - 1);
    assert_ok(chsm_inventory_write(&a, &empty, &sums, &err), err);
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        struct chsm_record *r = add_rsa(s, classes[i], "0123456789abcdef0123456789abcdef", "the signing key of the payroll", key);

        r->bits = 4096;
        r->flags_told = (1u << CHSM_FLAG_COUNT) - 1;
        set_bytes(&r->check_value, "abc");
    }
    assert_ok(chsm_inventory_write(&a, &text, &sums, &err), err);
    assert_true(text.len - empty.len <= 2 * 1024);
}

static void public_key_that_is_not_in_the_table_is_refused(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    json_auto_t *o = NULL;
    json_t *keys, *key;
    const char *fingerprint;
    void *next;

    (void)state;
    fill(&a);
    o = to_json(&a);
    keys = json_object_get(json_array_get(json_object_get(o, "sections"), 0), "public_keys");
    assert_int_equal(json_object_size(keys), 2);
    json_object_foreach_safe(keys, next, fingerprint, key)
        assert_int_equal(json_object_set_new(keys, fingerprint, json_string("T1RIRVI=")), 0);
    reseal(o);
    assert_refused(o);
    assert_int_equal(json_object_clear(keys), 0);
    reseal(o);
    assert_refused(o);
}

static void edited_file_is_refused(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    json_auto_t *o = NULL;

    (void)state;
    fill(&a);
    o = to_json(&a);
    (void)json_array_remove(json_object_get(json_array_get(json_object_get(o, "sections"), 0), "records"), 0);
    assert_refused(o);
    (void)json_object_del(o, "content_sha256");
    assert_refused(o);
    assert_int_equal(json_object_set_new(o, "content_sha256", json_null()), 0);
    assert_refused(o);
}

/* A key was cut out and the outer digest repaired, but the fingerprint and the count still tell of it. */
static void fingerprint_that_does_not_fit_is_refused(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    json_auto_t *o = NULL;

    (void)state;
    fill(&a);
    o = to_json(&a);
    (void)json_array_remove(json_object_get(json_array_get(json_object_get(o, "sections"), 0), "records"), 0);
    reseal(o);
    assert_refused(o);
}

static void incomplete_marked_complete_is_refused(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    json_auto_t *o = NULL;
    json_t *section_json;

    (void)state;
    fill(&a);
    o = to_json(&a);
    section_json = json_array_get(json_object_get(o, "sections"), 1);
    (void)json_object_del(section_json, "complete");
    reseal(o);
    assert_refused(o);
    assert_int_equal(json_object_set_new(section_json, "complete", json_string("false")), 0);
    reseal(o);
    assert_refused(o);
}

static void other_formats_are_refused(void **state)
{
    static const char *const formats[] = { "chsmctl.inventory/v2", "chsmctl.inventory/v11", "chsmctl.inventory/v1.1", "chsmctl.inventory/", "x", "" };
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    json_auto_t *o = NULL, *array = json_array();

    (void)state;
    fill(&a);
    o = to_json(&a);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        assert_int_equal(json_object_set_new(o, "format", json_string(formats[i])), 0);
        reseal(o);
        assert_refused(o);
    }
    assert_refused(array);
    assert_refused(json_null());
}

static void members_of_the_wrong_kind_are_refused(void **state)
{
    static const struct { const char *key, *json; } wrong[] = {
        { "class", "1" }, { "class", "\"nonsense\"" }, { "class", NULL }, { "type", "\"nonsense\"" }, { "id", "\"0\"" }, { "id", "\"zz\"" }, { "id", "7" },
        { "label", "7" }, { "label_hex", "\"x\"" }, { "bits", "-1" }, { "bits", "\"2048\"" }, { "bits", "1e9" }, { "spki", "\"*\"" },
        { "spki", "5" }, { "spki_from", "\"hearsay\"" }, { "fingerprint", "\"00\"" }, { "check_value", "\"abc\"" }, { "attributes", "[]" },
        { "attributes", NULL }, { "recorded", "{}" }, { "recorded", "{\"kind\":\"x\",\"input\":\"00\",\"answer_sha256\":\"00\"}" },
        { "recorded", "true" },
    };
    AUTO_INVENTORY struct chsm_inventory a = { 0 };

    (void)state;
    (void)add_rsa(section(&a, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        json_auto_t *o = chsm_record_to_json(&a.sections[0].records[0]);
        struct chsm_record r = { 0 };
        struct chsm_err err = { 0 };

        if (wrong[i].json)
            assert_int_equal(json_object_set_new(o, wrong[i].key, json_loads(wrong[i].json, JSON_DECODE_ANY, NULL)), 0);
        else
            (void)json_object_del(o, wrong[i].key);
        if (chsm_record_from_json(o, NULL, &r, &err) == 0)
            fail_msg("\"%s\": %s was taken", wrong[i].key, wrong[i].json ? wrong[i].json : "(absent)");
        assert_int_equal(err.code, CHSM_CONFIG);
    }
}

static void login_with_two_sections_is_refused(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    json_auto_t *o = NULL;
    json_t *sections;

    (void)state;
    fill(&a);
    o = to_json(&a);
    sections = json_object_get(o, "sections");
    assert_int_equal(json_array_append(sections, json_array_get(sections, 0)), 0);
    reseal(o);
    assert_refused(o);
}

static void public_half_is_linked_only_without_doubt(void **state)
{
    AUTO_INVENTORY struct chsm_inventory a = { 0 };
    struct chsm_section *s = section(&a, "cu1");
    struct chsm_err err = { 0 };
    static const struct { unsigned long cls; const char *id, *curve, *spki; } made[] = {
        { CHSM_CLASS_PRIVATE, "01", "P-256", NULL }, { CHSM_CLASS_PUBLIC, "01", "P-256", "P1" },
        { CHSM_CLASS_PRIVATE, "02", "P-256", NULL }, { CHSM_CLASS_PUBLIC, "02", "P-256", "P2" }, { CHSM_CLASS_PUBLIC, "02", "P-256", "P3" },
        { CHSM_CLASS_PRIVATE, "", "P-256", NULL },   { CHSM_CLASS_PUBLIC, "", "P-256", "P4" },
        { CHSM_CLASS_PRIVATE, "03", "P-256", NULL }, { CHSM_CLASS_PUBLIC, "03", "P-384", "P5" },
        { CHSM_CLASS_PRIVATE, "04", "P-256", NULL }, { CHSM_CLASS_PRIVATE, "04", "P-256", NULL }, { CHSM_CLASS_PUBLIC, "04", "P-256", "P6" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        struct chsm_record *r = add_record(s, made[i].cls, CHSM_TYPE_EC, made[i].id, "k");

        r->curve = strdup(made[i].curve);
        if (made[i].spki) {
            set_bytes(&r->spki, made[i].spki);
            r->spki_from = CHSM_SPKI_OWN;
        }
    }
    assert_ok(chsm_section_link(s, &err), err);
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        if (made[i].cls != CHSM_CLASS_PRIVATE)
            continue;
        assert_int_equal(s->records[i].spki_from, i == 0 ? CHSM_SPKI_PUBLIC_HALF : CHSM_SPKI_NONE);
        assert_int_equal(s->records[i].spki.len, i == 0 ? 2 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_keeps_everything),
        cmocka_unit_test(label_bytes_survive),
        cmocka_unit_test(order_of_records_does_not_show),
        cmocka_unit_test(fingerprint_is_of_the_content),
        cmocka_unit_test(unknown_members_are_kept),
        cmocka_unit_test(file_is_canonical),
        cmocka_unit_test(records_are_their_trees),
        cmocka_unit_test(records_stay_below_a_kilobyte),
        cmocka_unit_test(public_key_that_is_not_in_the_table_is_refused),
        cmocka_unit_test(edited_file_is_refused),
        cmocka_unit_test(fingerprint_that_does_not_fit_is_refused),
        cmocka_unit_test(incomplete_marked_complete_is_refused),
        cmocka_unit_test(other_formats_are_refused),
        cmocka_unit_test(members_of_the_wrong_kind_are_refused),
        cmocka_unit_test(login_with_two_sections_is_refused),
        cmocka_unit_test(public_half_is_linked_only_without_doubt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
