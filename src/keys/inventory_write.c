/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inventory as canonical JSON. The text is put together record by record: at 100,000 records a whole tree of JSON values
 * would take more memory than everything else, and the same text is what both digests are made of.
 */
#include "config.h"

#include "keys/inventory.h"
#include "keys/order.h"
#include "util/json.h"

#define TEXT_MAX (CHSM_INVENTORY_MAX + (1u << 20))

static int add_canonical(struct chsm_buf *out, const json_t *value, struct chsm_err *err)
{
    AUTO_FREE char *text = value ? chsm_json_canonical(value) : NULL;

    return text ? chsm_buf_adds(out, text, err) : chsm_oom(err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The canonical text of an object that has one more member, `name`, of which only the text is there. */
static int add_object(struct chsm_buf *out, const json_t *object, const char *name, const struct chsm_buf *text, struct chsm_err *err)
{
    AUTO_FREE const char **names = calloc(json_object_size(object) + 1, sizeof *names);
    size_t n = 0;
    const char *key;
    json_t *value;

    if (!names)
        return chsm_oom(err);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
        names[n++] = key;
    names[n++] = name;
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        json_auto_t *quoted = json_string(names[i]);

        if (chsm_buf_adds(out, i ? "," : "{", err) < 0 || add_canonical(out, quoted, err) < 0 || chsm_buf_adds(out, ":", err) < 0)
            return -1;
        if (names[i] == name ? chsm_buf_add(out, text->p, text->len, err) < 0 : add_canonical(out, json_object_get(object, names[i]), err) < 0)
            return -1;
    }
    return chsm_buf_adds(out, "}", err);
}

struct texts {
    struct chsm_buf file;       /* the array of records as the file has it */
    struct chsm_buf plain;      /* without recorded questions and unknown members: what the fingerprint is of */
    json_t *keys;               /* fingerprint: public key in base64 */
};

static void texts_done(struct texts *t)
{
    chsm_buf_done(&t->file);
    chsm_buf_done(&t->plain);
    json_decref(t->keys);
}

/* The public key goes into the section's table: both halves of a pair have the same. */
static int move_key(json_t *record, json_t *keys, struct chsm_err *err)
{
    const char *fingerprint = chsm_json_str(record, "fingerprint");

    if (!fingerprint)
        return 0;
    if (json_object_set(keys, fingerprint, json_object_get(record, "spki")) < 0)
        return chsm_oom(err);
    (void)json_object_del(record, "spki");
    return 0;
}

/* What the record tells, as canonical JSON, by way of a tree of values. */
static int add_told(struct texts *t, const struct chsm_record *r, struct chsm_err *err)
{
    struct chsm_record told = *r;
    json_auto_t *o = NULL;

    told.recorded.kind = NULL;
    told.recorded.why = NULL;
    told.unknown = NULL;
    o = chsm_record_to_json(&told);
    if (!o)
        return chsm_oom(err);
    return move_key(o, t->keys, err) < 0 ? -1 : add_canonical(&t->plain, o, err);
}

/* A label that JSON has as it is. */
static bool is_plain(const struct chsm_bytes *label)
{
    for (size_t i = 0; i < label->len; i++)
        if (label->p[i] < 0x20 || label->p[i] > 0x7e || label->p[i] == '"' || label->p[i] == '\\')
            return false;
    return true;
}

static int by_flag_name(const void *a, const void *b)
{
    return strcmp(chsm_flag_names[*(const unsigned char *)a], chsm_flag_names[*(const unsigned char *)b]);
}

/* The flags in the order of their names. */
static int add_flags(struct chsm_buf *b, const struct chsm_record *r, struct chsm_err *err)
{
    unsigned char order[CHSM_FLAG_COUNT];
    const char *comma = "";

    for (unsigned char f = 0; f < CHSM_FLAG_COUNT; f++)
        order[f] = f;
    qsort(order, CHSM_FLAG_COUNT, sizeof *order, by_flag_name);
    for (size_t i = 0; i < CHSM_FLAG_COUNT; i++) {
        uint32_t bit = 1u << order[i];

        if (!(r->flags_told & bit))
            continue;
        if (chsm_buf_adds(b, comma, err) < 0 || chsm_buf_adds(b, "\"", err) < 0 || chsm_buf_adds(b, chsm_flag_names[order[i]], err) < 0 ||
            chsm_buf_adds(b, r->flags & bit ? "\":true" : "\":false", err) < 0)
            return -1;
        comma = ",";
    }
    return 0;
}

static int keep_key(struct texts *t, const struct chsm_record *r, const char *fingerprint, struct chsm_err *err)
{
    AUTO_FREE char *text = NULL;

    if (json_object_get(t->keys, fingerprint))
        return 0;
    text = chsm_base64(r->spki.p, r->spki.len);
    return text && json_object_set_new(t->keys, fingerprint, json_string(text)) == 0 ? 0 : chsm_oom(err);
}

/*
 * The same text for the records that nearly all are, put together by hand: the tree costs ten times as much, and a listing of a
 * whole cluster ends with it.
 */
static int add_usual(struct texts *t, const struct chsm_record *r, struct chsm_err *err)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len), *check = chsm_hex(r->check_value.p, r->check_value.len);
    struct chsm_buf *b = &t->plain;
    char cls[24], type[24], fp[65];

    if (!id || !check)
        return chsm_oom(err);
    if (chsm_buf_adds(b, "{\"attributes\":{", err) < 0 || add_flags(b, r, err) < 0 || chsm_buf_adds(b, "}", err) < 0)
        return -1;
    if ((r->bits && chsm_buf_addf(b, err, ",\"bits\":%u", r->bits) < 0) || (*check && chsm_buf_addf(b, err, ",\"check_value\":\"%s\"", check) < 0) ||
        chsm_buf_addf(b, err, ",\"class\":\"%s\"", chsm_class_name(r->cls, cls, sizeof cls)) < 0 ||
        (r->curve && chsm_buf_addf(b, err, ",\"curve\":\"%s\"", r->curve) < 0))
        return -1;
    if (chsm_record_fingerprint(r, fp) && (keep_key(t, r, fp, err) < 0 || chsm_buf_addf(b, err, ",\"fingerprint\":\"%s\"", fp) < 0))
        return -1;
    if (chsm_buf_addf(b, err, ",\"id\":\"%s\",\"label\":\"", id) < 0 || chsm_buf_add(b, r->label.p, r->label.len, err) < 0 ||
        chsm_buf_adds(b, "\"", err) < 0)
        return -1;
    if ((r->spki.len && chsm_buf_addf(b, err, ",\"spki_from\":\"%s\"", chsm_spki_from_name(r->spki_from)) < 0) ||
        (r->type != CHSM_TYPE_NONE && chsm_buf_addf(b, err, ",\"type\":\"%s\"", chsm_type_name(r->type, type, sizeof type)) < 0))
        return -1;
    return chsm_buf_adds(b, "}", err);
}

static bool is_usual(const struct chsm_record *r)
{
    struct chsm_bytes curve = { (unsigned char *)r->curve, r->curve ? strlen(r->curve) : 0 };

    return !r->more && is_plain(&r->label) && is_plain(&curve);
}

static int add_record(struct texts *t, const struct chsm_record *r, struct chsm_err *err)
{
    json_auto_t *whole = NULL;
    size_t from;

    if (chsm_buf_adds(&t->plain, t->plain.len > 1 ? "," : "", err) < 0 || chsm_buf_adds(&t->file, t->file.len > 1 ? "," : "", err) < 0)
        return -1;
    from = t->plain.len;
    if ((is_usual(r) ? add_usual(t, r, err) : add_told(t, r, err)) < 0)
        return -1;
    if (!r->recorded.kind && !r->recorded.why && !r->unknown)
        return chsm_buf_add(&t->file, t->plain.p + from, t->plain.len - from, err);
    whole = chsm_record_to_json(r);
    if (!whole)
        return chsm_oom(err);
    return move_key(whole, t->keys, err) < 0 ? -1 : add_canonical(&t->file, whole, err);
}

static int in_order(const void *a, const void *b)
{
    return chsm_record_order(*(const struct chsm_record *const *)a, *(const struct chsm_record *const *)b);
}

/* The records in an order that depends on nothing but what they tell. */
static int section_texts(const struct chsm_section *s, struct texts *t, struct chsm_err *err)
{
    AUTO_FREE const struct chsm_record **sorted = calloc(s->n + 1, sizeof *sorted);

    *t = (struct texts){ CHSM_BUF(TEXT_MAX), CHSM_BUF(TEXT_MAX), json_object() };
    if (!sorted || !t->keys)
        return chsm_oom(err);
    for (size_t i = 0; i < s->n; i++)
        sorted[i] = &s->records[i];
    qsort(sorted, s->n, sizeof *sorted, in_order);
    if (chsm_buf_adds(&t->file, "[", err) < 0 || chsm_buf_adds(&t->plain, "[", err) < 0)
        return -1;
    for (size_t i = 0; i < s->n; i++)
        if (add_record(t, sorted[i], err) < 0)
            return -1;
    return chsm_buf_adds(&t->file, "]", err) < 0 ? -1 : chsm_buf_adds(&t->plain, "]", err);
}

static int add_section(struct chsm_buf *out, const struct chsm_section *s, const struct texts *t, struct chsm_err *err)
{
    json_auto_t *o = s->unknown ? json_copy(s->unknown) : json_object();
    json_auto_t *known = json_pack("{s:s, s:b, s:s*, s:I, s:O*, s:O, s:s*}", "login", s->login, "complete", s->complete, "why", s->why,
                                   "session_objects", (json_int_t)s->session_objects, "token", s->token, "public_keys", t->keys,
                                   "pair_check_values", chsm_pair_rule_name(s->pair_rule));

    if (!o || !known || json_object_update(o, known) < 0)
        return chsm_oom(err);
    return add_object(out, o, "records", &t->file, err);
}

static int by_login(const void *a, const void *b)
{
    return strcmp((*(const struct chsm_section *const *)a)->login, (*(const struct chsm_section *const *)b)->login);
}

/* SHA-256 of the canonical {login: [records]}: what an HSM holds, and nothing that differs between two readings of it. */
static int fingerprint(const struct chsm_inventory *inv, const struct texts *t, char out[65], struct chsm_err *err)
{
    AUTO_FREE const struct chsm_section **sorted = calloc(inv->n + 1, sizeof *sorted);
    AUTO_BUF struct chsm_buf all = CHSM_BUF(TEXT_MAX);

    if (!sorted)
        return chsm_oom(err);
    for (size_t i = 0; i < inv->n; i++)
        sorted[i] = &inv->sections[i];
    qsort(sorted, inv->n, sizeof *sorted, by_login);
    for (size_t i = 0; i < inv->n; i++) {
        const struct chsm_buf *plain = &t[sorted[i] - inv->sections].plain;
        json_auto_t *login = json_string(sorted[i]->login);

        if (chsm_buf_adds(&all, i ? "," : "{", err) < 0 || add_canonical(&all, login, err) < 0 || chsm_buf_adds(&all, ":", err) < 0 ||
            chsm_buf_add(&all, plain->p, plain->len, err) < 0)
            return -1;
    }
    if (chsm_buf_adds(&all, inv->n ? "}" : "{}", err) < 0)
        return -1;
    chsm_sha256_hex(all.p, all.len, out);
    return 0;
}

/* The document without its digest, then with it. */
static int compose(const struct chsm_inventory *inv, const struct chsm_buf *sections, struct chsm_buf *out, struct chsm_inventory_sums *sums,
                   struct chsm_err *err)
{
    json_auto_t *o = inv->unknown ? json_copy(inv->unknown) : json_object();
    json_auto_t *known = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:b, s:I, s:s}", "format", CHSM_INVENTORY_FORMAT, "created",
                                   inv->created, "tool", inv->tool, "cluster", inv->cluster, "endpoint", inv->endpoint, "module", inv->module,
                                   "module_sha256", inv->module_sha256, "complete", chsm_inventory_complete(inv), "count",
                                   (json_int_t)chsm_inventory_count(inv), "fingerprint", sums->fingerprint);
    AUTO_BUF struct chsm_buf bare = CHSM_BUF(TEXT_MAX);

    if (!o || !known || json_object_update(o, known) < 0)
        return chsm_oom(err);
    if (add_object(&bare, o, "sections", sections, err) < 0)
        return -1;
    chsm_sha256_hex(bare.p, bare.len, sums->content);
    if (json_object_set_new(o, "content_sha256", json_string(sums->content)) < 0)
        return chsm_oom(err);
    return add_object(out, o, "sections", sections, err) < 0 ? -1 : chsm_buf_adds(out, "\n", err);
}

static int add_sections(const struct chsm_inventory *inv, struct texts *t, struct chsm_buf *out, struct chsm_err *err)
{
    for (size_t i = 0; i < inv->n; i++)
        if (section_texts(&inv->sections[i], &t[i], err) < 0 || chsm_buf_adds(out, i ? "," : "[", err) < 0 ||
            add_section(out, &inv->sections[i], &t[i], err) < 0)
            return -1;
    return chsm_buf_adds(out, inv->n ? "]" : "[]", err);
}

int chsm_inventory_write(const struct chsm_inventory *inv, struct chsm_buf *out, struct chsm_inventory_sums *ret_sums, struct chsm_err *err)
{
    struct texts *t = calloc(inv->n + 1, sizeof *t);
    AUTO_BUF struct chsm_buf sections = CHSM_BUF(TEXT_MAX);
    struct chsm_inventory_sums sums;
    int rc;

    if (!t)
        return chsm_oom(err);
    rc = add_sections(inv, t, &sections, err);
    if (rc == 0)
        rc = fingerprint(inv, t, sums.fingerprint, err);
    for (size_t i = 0; i < inv->n; i++)
        texts_done(&t[i]);
    free(t);
    if (rc == 0)
        rc = compose(inv, &sections, out, &sums, err);
    if (rc == 0)
        *ret_sums = sums;
    return rc;
}

int chsm_inventory_fingerprint(const struct chsm_inventory *inv, char out[65], struct chsm_err *err)
{
    struct texts *t = calloc(inv->n + 1, sizeof *t);
    int rc = t ? 0 : chsm_oom(err);

    for (size_t i = 0; rc == 0 && i < inv->n; i++)
        rc = section_texts(&inv->sections[i], &t[i], err);
    if (rc == 0)
        rc = fingerprint(inv, t, out, err);
    for (size_t i = 0; t && i < inv->n; i++)
        texts_done(&t[i]);
    free(t);
    return rc;
}
