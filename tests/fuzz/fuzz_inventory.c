/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inventory from anywhere. Three bytes choose a damage, the rest is the file. Its digests are made right first, or no changed
 * input would get past them. Then:
 *   - what was read and is written reads back as the same bytes, with every member that this version does not know;
 *   - the fingerprint depends on nothing but what the HSM holds;
 *   - compared with itself, every record has one finding and nothing fails;
 *   - to whatever question a record leads, what is no answer is never a right one;
 *   - with any damage on one side, on whichever, the comparison is no pass under the lowest bar.
 */
#include "config.h"

#include "fuzz.h"
#include "fuzz_json.h"
#include "keys/compare.h"
#include "util/json.h"

#define CHOICE 3u       /* bytes before the file */
#define ASKED_MAX 3u    /* records of a section: asking takes longer than all else */

static void read_records(const json_t *section, struct chsm_section *s)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(section, "records"), i, item) {
        struct chsm_record r = { 0 };

        if (chsm_record_from_json(item, json_object_get(section, "public_keys"), &r, NULL) < 0)
            continue;
        *chsm_section_add(s) = r;
    }
}

/* The fingerprint that the sections of the document should have; of what cannot be read it is that of the rest. */
static void fingerprint_of(const json_t *json, char out[65])
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(json, "sections"), i, item) {
        const char *login = chsm_json_str(item, "login");
        struct chsm_section *s = login ? chsm_inventory_add(&inv) : NULL;

        if (!s)
            continue;
        s->login = strdup(login);
        read_records(item, s);
    }
    MUST(chsm_inventory_fingerprint(&inv, out, NULL) == 0);
}

/* Of base64; false when it is none. */
static bool key_fingerprint(const json_t *text, char out[65])
{
    AUTO_BYTES struct chsm_bytes der = { 0 };

    if (!json_is_string(text) || chsm_unbase64(json_string_value(text), &der, NULL) < 0)
        return false;
    chsm_sha256_hex(der.p, der.len, out);
    return true;
}

/* A changed public key keeps its place: its entry and the records that name it get the new fingerprint. */
static void seal_keys(json_t *section)
{
    json_t *keys = json_object_get(section, "public_keys"), *records = json_object_get(section, "records"), *value, *r;
    json_auto_t *sealed = json_object();
    const char *name;
    char digest[65];
    size_t i;

    json_object_foreach(keys, name, value)
        MUST(json_object_set(sealed, key_fingerprint(value, digest) ? digest : name, value) == 0);
    json_array_foreach(records, i, r) {
        const char *named = chsm_json_str(r, "fingerprint");

        value = json_object_get(r, "spki");
        if (!value && named)
            value = json_object_get(keys, named);
        if (key_fingerprint(value, digest))
            (void)json_object_set_new(r, "fingerprint", json_string(digest));
    }
    if (json_is_object(keys))
        MUST(json_object_set(section, "public_keys", sealed) == 0);
}

static void seal(json_t *json)
{
    AUTO_FREE char *text = NULL;
    char digest[65];
    json_t *section;
    size_t i;

    json_array_foreach(json_object_get(json, "sections"), i, section)
        seal_keys(section);
    fingerprint_of(json, digest);
    MUST(json_object_set_new(json, "fingerprint", json_string(digest)) == 0);
    (void)json_object_del(json, "content_sha256");
    text = chsm_json_canonical(json);
    MUST(text);
    chsm_sha256_hex(text, strlen(text), digest);
    MUST(json_object_set_new(json, "content_sha256", json_string(digest)) == 0);
}

static void write_text(const struct chsm_inventory *inv, struct chsm_buf *out)
{
    struct chsm_inventory_sums sums;
    char fingerprint[65];

    MUST(chsm_inventory_write(inv, out, &sums, NULL) == 0);
    MUST(chsm_inventory_fingerprint(inv, fingerprint, NULL) == 0 && strcmp(fingerprint, sums.fingerprint) == 0);
}

static size_t unknown_members(const struct chsm_inventory *inv)
{
    size_t n = json_object_size(inv->unknown);

    for (size_t i = 0; i < inv->n; i++) {
        n += json_object_size(inv->sections[i].unknown);
        for (size_t k = 0; k < inv->sections[i].n; k++)
            n += json_object_size(inv->sections[i].records[k].unknown);
    }
    return n;
}

/* Written, read, written: *ret is the second reading. */
static void rewrite(const struct chsm_inventory *inv, struct chsm_inventory *ret)
{
    AUTO_BUF struct chsm_buf once = CHSM_BUF(64u << 20);
    AUTO_BUF struct chsm_buf twice = CHSM_BUF(64u << 20);
    json_auto_t *json = NULL;
    struct chsm_err err = { 0 };

    write_text(inv, &once);
    MUST(chsm_json_parse(chsm_buf_str(&once), once.len, "rewritten", CHSM_CONFIG, &json, &err) == 0);
    MUST(chsm_inventory_from_json(json, ret, &err) == 0);
    write_text(ret, &twice);
    MUST(once.len == twice.len && memcmp(once.p, twice.p, once.len) == 0);
    MUST(chsm_inventory_count(inv) == chsm_inventory_count(ret) && chsm_inventory_complete(inv) == chsm_inventory_complete(ret));
    MUST(unknown_members(inv) == unknown_members(ret));
}

static void forget(json_t **member)
{
    json_decref(*member);
    *member = NULL;
}

/* The fingerprint is of what the HSM holds: not of recorded questions, and not of what only a later version knows. */
static void check_fingerprint(struct chsm_inventory *inv)
{
    char before[65], after[65];

    MUST(chsm_inventory_fingerprint(inv, before, NULL) == 0);
    forget(&inv->unknown);
    for (size_t i = 0; i < inv->n; i++) {
        forget(&inv->sections[i].unknown);
        for (size_t k = 0; k < inv->sections[i].n; k++) {
            struct chsm_record *r = &inv->sections[i].records[k];

            MUST((r->spki.len > 0) == (r->spki_from != CHSM_SPKI_NONE));
            forget(&r->unknown);
            free(r->recorded.kind);
            r->recorded.kind = NULL;
        }
    }
    MUST(chsm_inventory_fingerprint(inv, after, NULL) == 0 && strcmp(before, after) == 0);
}

static enum chsm_outcome outcome(const struct chsm_inventory *a, const struct chsm_inventory *b)
{
    static const struct chsm_policy lowest = { .require = CHSM_REQUIRE_PRESENT };
    AUTO_COMPARISON struct chsm_comparison c = { 0 };
    json_auto_t *report = NULL;
    size_t of_a = 0, of_b = 0;

    MUST(chsm_compare(a, b, &c, NULL) == 0);
    for (size_t i = 0; i < c.n; i++) {
        of_a += c.findings[i].source != NULL;
        of_b += c.findings[i].destination != NULL;
    }
    MUST(of_a == chsm_inventory_count(a) && of_b == chsm_inventory_count(b));
    MUST(chsm_comparison_to_json(&c, &lowest, &report, NULL) == 0);
    return chsm_comparison_outcome(&c, &lowest);
}

static void check_same(const struct chsm_inventory *a, const struct chsm_inventory *b)
{
    AUTO_COMPARISON struct chsm_comparison c = { 0 };
    struct chsm_policy lowest = { .require = CHSM_REQUIRE_PRESENT };

    MUST(chsm_compare(a, b, &c, NULL) == 0);
    for (size_t i = 0; i < c.n; i++)
        MUST(chsm_finding_outcome(&c.findings[i], &lowest) != CHSM_FAIL);
    MUST(outcome(a, b) != CHSM_FAIL && outcome(b, a) != CHSM_FAIL);
}

static int not_random(void *p, size_t n, struct chsm_err *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)(17 * i + n);
    return 0;
}

static void check_answer(const struct chsm_record *r, const struct chsm_challenge *c, const struct chsm_bytes *answer)
{
    bool right = c->expected.len > 0 && chsm_bytes_eq(answer, &c->expected);
    struct chsm_err err = { 0 };

    MUST((chsm_challenge_check(r, c, answer, &err) == 1) == right);
}

/* Whatever a record says of itself, what is no answer is never the right one. */
static void check_questions(const struct chsm_record *r)
{
    static unsigned char zeros[512];
    struct chsm_err err = { 0 };

    for (unsigned attempt = 0; attempt < 64; attempt++) {
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };

        if (chsm_challenge_make(r, attempt, not_random, &c, &err) < 0)
            return;
        if (!c.kind) {
            MUST(c.reason);
            return;
        }
        MUST(c.input.len > 0);
        check_answer(r, &c, &c.input);
        check_answer(r, &c, &c.expected);
        check_answer(r, &c, &r->spki);
        check_answer(r, &c, &(struct chsm_bytes){ zeros, c.input.len < sizeof zeros ? c.input.len : sizeof zeros });
    }
}

static void check_proofs(const struct chsm_inventory *inv)
{
    for (size_t i = 0; i < inv->n; i++)
        for (size_t k = 0; k < inv->sections[i].n && k < ASKED_MAX; k++)
            check_questions(&inv->sections[i].records[k]);
}

static void flip(struct chsm_bytes *b, uint8_t how)
{
    if (b->len == 0)
        MUST(chsm_bytes_set(b, &how, 1, NULL) == 0);
    else
        b->p[how % b->len] ^= 1;
}

static void add_twin(struct chsm_section *s, const struct chsm_record *r)
{
    json_auto_t *json = chsm_record_to_json(r);
    struct chsm_record twin = { 0 };

    MUST(json && chsm_record_from_json(json, NULL, &twin, NULL) == 0);
    *chsm_section_add(s) = twin;
}

/* A borrowed public key is that of another record and changes with it: alone it says nothing of who has borrowed it. */
static void damage_public_key(struct chsm_section *s, struct chsm_record *r, uint8_t how)
{
    AUTO_BYTES struct chsm_bytes old = { 0 };
    bool told = false;

    MUST(chsm_bytes_set(&old, r->spki.p, r->spki.len, NULL) == 0);
    for (size_t i = 0; old.len > 0 && i < s->n; i++) {
        if (!chsm_bytes_eq(&s->records[i].spki, &old))
            continue;
        told = told || s->records[i].spki_from == CHSM_SPKI_OWN;
        flip(&s->records[i].spki, how);
    }
    if (old.len == 0)
        flip(&r->spki, how);
    if (!told)
        r->spki_from = CHSM_SPKI_OWN;
}

/* One thing about one record becomes another. */
static void damage_record(struct chsm_section *s, struct chsm_record *r, uint8_t what, uint8_t how)
{
    uint32_t bit = 1u << how % CHSM_FLAG_COUNT;

    switch (what % 9) {
    case 0:
        chsm_record_done(r);
        *r = s->records[--s->n];
        break;
    case 1:
        flip(&r->id, how);
        break;
    case 2:
        flip(&r->label, how);
        break;
    case 3:
        flip(&r->check_value, how);
        break;
    case 4:
        damage_public_key(s, r, how);
        break;
    case 5:
        r->flags ^= bit;
        r->flags_told |= bit;
        break;
    case 6:
        r->bits ^= bit;
        break;
    case 7:
        r->type ^= 1u + how;
        break;
    default:
        add_twin(s, r);
    }
}

static void check_damaged(const struct chsm_inventory *a, struct chsm_inventory *b, struct fuzz_input *choice)
{
    uint8_t what = fuzz_byte(choice), which = fuzz_byte(choice), how = fuzz_byte(choice);
    struct chsm_section *s = b->n > 0 ? &b->sections[which % b->n] : NULL;

    if (!s || s->n == 0)
        return;
    if (what == 0xff)
        s->complete = false;
    else
        damage_record(s, &s->records[which / b->n % s->n], what, how);
    MUST(outcome(a, b) != CHSM_PASS);
    MUST(outcome(b, a) != CHSM_PASS);
}

/* The damage or the file. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (size < CHOICE || max <= CHOICE || seed % 16 == 0)
        return LLVMFuzzerMutate(data, size, max);
    if (seed % 4 == 0) {
        (void)LLVMFuzzerMutate(data, CHOICE, CHOICE);
        return size;
    }
    return CHOICE + fuzz_json_mutate(data + CHOICE, size - CHOICE, max - CHOICE, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    AUTO_INVENTORY struct chsm_inventory again = { 0 };
    struct fuzz_input in = { data, size }, choice;
    json_auto_t *json = NULL;
    struct chsm_err err = { 0 };
    size_t n;

    choice.p = fuzz_take(&in, CHOICE, &n);
    choice.n = n;
    if (chsm_json_parse((const char *)in.p, in.n, "inventory", CHSM_CONFIG, &json, &err) < 0)
        return 0;
    if (chsm_inventory_from_json(json, &inv, &err) < 0)
        MUST(err.code == CHSM_CONFIG && inv.n == 0);
    if (!json_is_object(json))
        return 0;
    seal(json);
    if (chsm_inventory_from_json(json, &inv, &err) < 0) {
        MUST(err.code == CHSM_CONFIG && inv.n == 0);
        return 0;
    }
    rewrite(&inv, &again);
    check_proofs(&again);
    check_fingerprint(&again);
    check_same(&inv, &again);
    check_damaged(&inv, &again, &choice);
    return 0;
}
