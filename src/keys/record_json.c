/* SPDX-License-Identifier: Apache-2.0 */
/* A key record as JSON and back. Reading is strict in what it knows and keeps what it does not. */
#include "config.h"

#include "keys/inventory.h"
#include "util/json.h"

#define FIELD_MAX (1u << 20)    /* bytes of one attribute */

static const char *const spki_from_names[] = {
    [CHSM_SPKI_NONE] = "none",
    [CHSM_SPKI_OWN] = "own-attributes",
    [CHSM_SPKI_PUBLIC_HALF] = "public-half",
    [CHSM_SPKI_CHECK_VALUE] = "check-value",
    [CHSM_SPKI_PROVEN] = "proven-half",
};

const char *chsm_spki_from_name(enum chsm_spki_from from)
{
    return spki_from_names[from];
}

/* Steals value; a member that could not be made or set makes *ok false. */
static void put(json_t *o, const char *key, json_t *value, bool *ok)
{
    *ok = value && json_object_set_new(o, key, value) == 0 && *ok;
}

static json_t *hex_json(const void *p, size_t n)
{
    AUTO_FREE char *hex = chsm_hex(p, n);

    return hex ? json_string(hex) : NULL;
}

static json_t *base64_json(const struct chsm_bytes *b)
{
    AUTO_FREE char *text = chsm_base64(b->p, b->len);

    return text ? json_string(text) : NULL;
}

/* The label is shown as text and, where the text is not the bytes, carried as hex too. */
static void put_label(json_t *o, const struct chsm_bytes *label, bool *ok)
{
    AUTO_FREE char *text = chsm_bytes_text(label);

    put(o, "label", text ? json_string(text) : NULL, ok);
    if (text && (strlen(text) != label->len || (label->len && memcmp(text, label->p, label->len) != 0)))
        put(o, "label_hex", hex_json(label->p, label->len), ok);
}

static void put_recorded(json_t *o, const struct chsm_recorded *q, bool *ok)
{
    json_t *member = json_object();

    if (member) {
        put(member, "kind", json_string(q->kind), ok);
        put(member, "input", hex_json(q->input.p, q->input.len), ok);
        put(member, "answer_sha256", hex_json(q->answer_sha256, sizeof q->answer_sha256), ok);
    }
    put(o, "recorded", member, ok);
}

json_t *chsm_record_to_json(const struct chsm_record *r)
{
    json_t *o = r->unknown ? json_copy(r->unknown) : json_object();
    char name[24], fp[65];
    bool ok = o != NULL;

    if (!ok)
        return NULL;
    put(o, "class", json_string(chsm_class_name(r->cls, name, sizeof name)), &ok);
    if (r->type != CHSM_TYPE_NONE)
        put(o, "type", json_string(chsm_type_name(r->type, name, sizeof name)), &ok);
    put(o, "id", hex_json(r->id.p, r->id.len), &ok);
    put_label(o, &r->label, &ok);
    if (r->bits)
        put(o, "bits", json_integer(r->bits), &ok);
    if (r->curve)
        put(o, "curve", json_string(r->curve), &ok);
    if (chsm_record_fingerprint(r, fp)) {
        put(o, "fingerprint", json_string(fp), &ok);
        put(o, "spki", base64_json(&r->spki), &ok);
        put(o, "spki_from", json_string(spki_from_names[r->spki_from]), &ok);
    }
    if (r->check_value.len)
        put(o, "check_value", hex_json(r->check_value.p, r->check_value.len), &ok);
    put(o, "attributes", chsm_record_attributes(r), &ok);
    if (r->recorded.kind)
        put_recorded(o, &r->recorded, &ok);
    else if (r->recorded.why)
        put(o, "unrecorded", json_string(r->recorded.why), &ok);
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

/* A string member; absent is NULL, another kind an error. */
static int text(const json_t *o, const char *key, const char **ret, struct chsm_err *err)
{
    const json_t *v = json_object_get(o, key);

    *ret = json_string_value(v);
    if (v && !*ret)
        return chsm_fail(err, CHSM_CONFIG, "\"%s\" must be a string", key);
    return 0;
}

typedef int decode_fn(const char *text, struct chsm_bytes *ret, struct chsm_err *err);

static int bytes(const json_t *o, const char *key, decode_fn *decode, struct chsm_bytes *ret, struct chsm_err *err)
{
    const char *s;

    if (text(o, key, &s, err) < 0)
        return -1;
    if (s && strlen(s) > 2 * FIELD_MAX)
        return chsm_fail(err, CHSM_CONFIG, "\"%s\" is too long", key);
    if (s && decode(s, ret, err) < 0)
        return chsm_err_prefix(err, "\"%s\"", key);
    return 0;
}

static int read_kind(const json_t *o, struct chsm_record *r, struct chsm_err *err)
{
    const char *cls, *type, *curve;
    const json_t *bits = json_object_get(o, "bits");

    if (text(o, "class", &cls, err) < 0 || text(o, "type", &type, err) < 0 || text(o, "curve", &curve, err) < 0)
        return -1;
    if (!cls || !chsm_class_from_name(cls, &r->cls))
        return chsm_fail(err, CHSM_CONFIG, "\"class\" is missing or unknown");
    r->type = CHSM_TYPE_NONE;
    if (type && !chsm_type_from_name(type, &r->type))
        return chsm_fail(err, CHSM_CONFIG, "\"type\" is unknown");
    if (bits && (!json_is_integer(bits) || json_integer_value(bits) < 0 || json_integer_value(bits) > (1 << 24)))
        return chsm_fail(err, CHSM_CONFIG, "\"bits\" must be a number of bits");
    r->bits = (unsigned)json_integer_value(bits);
    if (curve && !(r->curve = strdup(curve)))
        return chsm_oom(err);
    return 0;
}

static int read_label(const json_t *o, struct chsm_record *r, struct chsm_err *err)
{
    const char *s;

    if (json_object_get(o, "label_hex"))
        return bytes(o, "label_hex", chsm_unhex, &r->label, err);
    if (text(o, "label", &s, err) < 0)
        return -1;
    return s ? chsm_bytes_set(&r->label, s, strlen(s), err) : 0;
}

static int read_spki(const json_t *o, const json_t *keys, struct chsm_record *r, struct chsm_err *err)
{
    const char *from, *stated;
    char fp[65];

    if (text(o, "spki_from", &from, err) < 0 || text(o, "fingerprint", &stated, err) < 0 ||
        bytes(o, "spki", chsm_unbase64, &r->spki, err) < 0)
        return -1;
    if (stated && r->spki.len == 0 && bytes(keys, stated, chsm_unbase64, &r->spki, err) < 0)
        return chsm_err_prefix(err, "\"public_keys\"");
    if (r->spki.len == 0)
        return stated ? chsm_fail(err, CHSM_CONFIG, "\"fingerprint\" of a public key that is not there") : 0;
    for (size_t i = 1; from && i < ARRAY_LEN(spki_from_names); i++)
        if (strcmp(from, spki_from_names[i]) == 0)
            r->spki_from = (enum chsm_spki_from)i;
    if (r->spki_from == CHSM_SPKI_NONE)
        return chsm_fail(err, CHSM_CONFIG, "\"spki_from\" is missing or unknown");
    if (!chsm_record_fingerprint(r, fp) || !chsm_streq(stated, fp))
        return chsm_fail(err, CHSM_CONFIG, "\"fingerprint\" is not that of \"spki\"");
    return 0;
}

static int read_recorded(const json_t *o, struct chsm_record *r, struct chsm_err *err)
{
    const json_t *q = json_object_get(o, "recorded");
    AUTO_BYTES struct chsm_bytes digest = { 0 };
    const char *kind, *why;

    if (text(o, "unrecorded", &why, err) < 0)
        return -1;
    if (q && why)
        return chsm_fail(err, CHSM_CONFIG, "\"recorded\" and \"unrecorded\" exclude each other");
    if (why && !(r->recorded.why = strdup(why)))
        return chsm_oom(err);
    if (!q)
        return 0;
    if (text(q, "kind", &kind, err) < 0 || bytes(q, "input", chsm_unhex, &r->recorded.input, err) < 0 ||
        bytes(q, "answer_sha256", chsm_unhex, &digest, err) < 0)
        return chsm_err_prefix(err, "\"recorded\"");
    if (!kind || r->recorded.input.len == 0 || digest.len != CHSM_SHA256_LEN)
        return chsm_fail(err, CHSM_CONFIG, "\"recorded\" is not complete");
    memcpy(r->recorded.answer_sha256, digest.p, CHSM_SHA256_LEN);
    r->recorded.kind = strdup(kind);
    return r->recorded.kind ? 0 : chsm_oom(err);
}

static int read_unknown(const json_t *o, struct chsm_record *r, struct chsm_err *err)
{
    static const char *const known[] = {
        "class", "type", "id", "label", "label_hex", "bits", "curve", "fingerprint", "spki", "spki_from", "check_value", "attributes", "recorded",
        "unrecorded",
    };

    r->unknown = json_copy((json_t *)o);
    if (!r->unknown)
        return chsm_oom(err);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        (void)json_object_del(r->unknown, known[i]);
    if (json_object_size(r->unknown) == 0) {
        json_decref(r->unknown);
        r->unknown = NULL;
    }
    return 0;
}

int chsm_record_from_json(const json_t *json, const json_t *keys, struct chsm_record *ret, struct chsm_err *err)
{
    struct chsm_record r = { 0 };
    const json_t *attributes = json_object_get(json, "attributes");

    if (!json_is_object(json) || !json_is_object(attributes)) {
        (void)chsm_fail(err, CHSM_CONFIG, "a record must be an object with \"attributes\"");
        goto fail;
    }
    if (chsm_record_set_attributes(&r, attributes, err) < 0 || read_kind(json, &r, err) < 0 ||
        bytes(json, "id", chsm_unhex, &r.id, err) < 0 || read_label(json, &r, err) < 0 || read_spki(json, keys, &r, err) < 0 ||
        bytes(json, "check_value", chsm_unhex, &r.check_value, err) < 0 || read_recorded(json, &r, err) < 0 || read_unknown(json, &r, err) < 0)
        goto fail;
    r.index = ret->index;
    chsm_record_done(ret);
    *ret = r;
    return 0;
fail:
    chsm_record_done(&r);
    return -1;
}
