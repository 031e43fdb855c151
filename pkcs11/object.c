/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/object.h"
#include "pkcs11/spki.h"
#include "util/buf.h"

#define DATE_MAX 16u        /* bytes; wire.c lets four times as many pass, for they may be escaped */

static bool filled(const struct chsm_object *o, enum chsm_attr a)
{
    return o->have[a] && o->v[a].len > 0;
}

static int flags(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    for (enum chsm_attr a = CHSM_A_FLAGS; a < CHSM_A_COUNT; a++)
        if (o->have[a] && chsm_record_set(r, chsm_attrs[a].name, json_boolean(o->v[a].p[0] != CK_FALSE), err) < 0)
            return -1;
    return 0;
}

/* The value of a certificate, a data object, or a DSA or DH public key is not kept, its digest is. */
static int value_digest(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    enum chsm_attr a = o->have[CHSM_A_PUBLIC_VALUE] ? CHSM_A_PUBLIC_VALUE : CHSM_A_VALUE;
    char hex[65];

    if (!o->have[a])
        return 0;
    chsm_sha256_hex(o->v[a].p, o->v[a].len, hex);
    return chsm_record_set(r, CHSM_MORE_VALUE_SHA256, json_string(hex), err);
}

/* "20261123" as "2026-11-23"; anything else as it is, escaped. Unset dates are empty. */
static int date(const struct chsm_object *o, enum chsm_attr a, struct chsm_record *r, struct chsm_err *err)
{
    AUTO_FREE char *text = filled(o, a) ? chsm_bytes_text(&o->v[a]) : NULL;
    char iso[11];

    if (!filled(o, a))
        return 0;
    if (o->v[a].len > DATE_MAX)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s has %zu bytes", chsm_attrs[a].name, o->v[a].len);
    if (text && strlen(text) == sizeof(CK_DATE) && strspn(text, "0123456789") == sizeof(CK_DATE)) {
        (void)snprintf(iso, sizeof iso, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
        return chsm_record_set(r, chsm_attrs[a].name, json_string(iso), err);
    }
    /* Tokens fill unset dates with blanks or zeros. */
    if (text && (strspn(text, " ") == strlen(text) || strspn(text, "\\x0") == strlen(text)))
        return 0;
    return chsm_record_set(r, chsm_attrs[a].name, text ? json_string(text) : NULL, err);
}

static int unreadable(enum chsm_attr a, struct chsm_record *r, struct chsm_err *err)
{
    return chsm_record_set(r, chsm_attrs[a].name, json_pack("[s]", CHSM_ATTR_UNREADABLE), err);
}

static int mechanisms(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    const struct chsm_bytes *set = &o->v[CHSM_A_MECHANISMS];
    json_t *list = filled(o, CHSM_A_MECHANISMS) ? json_array() : NULL;

    if (o->have[CHSM_A_MECHANISMS] && !list)
        return unreadable(CHSM_A_MECHANISMS, r, err);
    for (size_t i = 0; list && i < set->len / sizeof(CK_ULONG); i++) {
        CK_ULONG m;
        char text[24];

        memcpy(&m, set->p + i * sizeof m, sizeof m);
        /* All of one length, so that their order as texts is theirs as numbers. */
        (void)snprintf(text, sizeof text, "0x%08lx", m);
        if (json_array_append_new(list, json_string(text)) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return filled(o, CHSM_A_MECHANISMS) ? chsm_record_set(r, chsm_attrs[CHSM_A_MECHANISMS].name, list, err) : 0;
}

/* The next attribute of a template as attrs.h keeps it: "0x00000162=01". NULL when out of memory. */
static json_t *template_entry(const unsigned char **at)
{
    const unsigned char *p = *at;
    unsigned long type = 0;
    size_t n = 0;
    AUTO_FREE char *hex = NULL;
    AUTO_FREE char *text = NULL;

    for (unsigned k = 0; k < 8; k++)
        type = type << 8 | *p++;
    for (unsigned k = 0; k < 4; k++)
        n = n << 8 | *p++;
    *at = p + n;
    hex = chsm_hex(p, n);
    text = hex ? chsm_strf("0x%08lx=%s", type, hex) : NULL;
    return text ? json_string(text) : NULL;
}

static int template(const struct chsm_object *o, enum chsm_attr a, struct chsm_record *r, struct chsm_err *err)
{
    const unsigned char *at = o->v[a].p, *end = filled(o, a) ? at + o->v[a].len : at;
    json_t *list = filled(o, a) ? json_array() : NULL;

    if (o->have[a] && !filled(o, a))
        return unreadable(a, r, err);
    while (list && end - at >= 12) {
        if (json_array_append_new(list, template_entry(&at)) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return filled(o, a) ? chsm_record_set(r, chsm_attrs[a].name, list, err) : 0;
}

/* All that is neither a flag nor a column of the record. */
static int others(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    if (value_digest(o, r, err) < 0 || date(o, CHSM_A_START_DATE, r, err) < 0 || date(o, CHSM_A_END_DATE, r, err) < 0)
        return -1;
    if (mechanisms(o, r, err) < 0 || template(o, CHSM_A_WRAP_TEMPLATE, r, err) < 0)
        return -1;
    return template(o, CHSM_A_UNWRAP_TEMPLATE, r, err);
}

static unsigned modulus_bits(const struct chsm_bytes *m)
{
    size_t skip = 0;
    unsigned top = 0;

    while (skip < m->len && m->p[skip] == 0)
        skip++;
    if (skip == m->len)
        return 0;
    for (unsigned char c = m->p[skip]; c; c >>= 1)
        top++;
    return (unsigned)(m->len - skip - 1) * 8 + top;
}

static int rsa(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    if (!filled(o, CHSM_A_MODULUS))
        return 0;
    r->bits = modulus_bits(&o->v[CHSM_A_MODULUS]);
    if (!filled(o, CHSM_A_EXPONENT))
        return 0;
    return chsm_spki_rsa(&o->v[CHSM_A_MODULUS], &o->v[CHSM_A_EXPONENT], &r->spki, err);
}

/* The whole public key, where its parts are not told: a private key on an HSM that keeps it. One that makes no sense is no witness. */
static int public_key_info(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    struct chsm_bytes spki = { 0 };
    bool fits;

    if (!filled(o, CHSM_A_PUBLIC_KEY_INFO) || chsm_spki_parse(&o->v[CHSM_A_PUBLIC_KEY_INFO], r->type, r->curve, &spki, NULL) < 0)
        return 0;
    fits = chsm_bytes_set(&r->spki, spki.p, spki.len, err) == 0;
    chsm_bytes_done(&spki);
    return fits ? 0 : -1;
}

static int ec(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    if (!filled(o, CHSM_A_EC_PARAMS))
        return 0;
    if (chsm_spki_curve(&o->v[CHSM_A_EC_PARAMS], &r->curve, &r->bits, err) < 0)
        return -1;
    /* Without bits OpenSSL does not know the curve: such a key has no public key here, and no proof. */
    if (r->bits == 0)
        return 0;
    if (!filled(o, CHSM_A_EC_POINT))
        return public_key_info(o, r, err);
    return chsm_spki_ec(&o->v[CHSM_A_EC_PARAMS], &o->v[CHSM_A_EC_POINT], &r->spki, err);
}

static int secret(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    unsigned long n = chsm_object_ulong(o, CHSM_A_VALUE_LEN);

    if (n > CHSM_READ_MAX)
        return chsm_fail(err, CHSM_PKCS11, "a secret key claims %lu bytes", n);
    r->bits = (unsigned)n * 8;
    return 0;
}

static int material(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    if (r->cls == CHSM_CLASS_SECRET)
        return secret(o, r, err);
    if (r->cls == CHSM_CLASS_CERTIFICATE) {
        /* Another kind of certificate, or a damaged one: its digest still tells whether it is the same. */
        if (filled(o, CHSM_A_VALUE))
            (void)!chsm_spki_certificate(&o->v[CHSM_A_VALUE], &r->spki, NULL);
        return 0;
    }
    if (filled(o, CHSM_A_PRIME))
        r->bits = modulus_bits(&o->v[CHSM_A_PRIME]);
    if (r->type == CHSM_TYPE_RSA)
        return rsa(o, r, err);
    if (r->type == CHSM_TYPE_EC || r->type == CHSM_TYPE_EC_EDWARDS || r->type == CHSM_TYPE_EC_MONTGOMERY)
        return ec(o, r, err);
    return 0;
}

static int names(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    const struct chsm_bytes *id = &o->v[CHSM_A_ID], *label = &o->v[CHSM_A_LABEL], *kcv = &o->v[CHSM_A_CHECK_VALUE];

    if (kcv->len > 64)
        return chsm_fail(err, CHSM_PKCS11, "a check value has %zu bytes", kcv->len);
    if (chsm_bytes_set(&r->id, id->p, id->len, err) < 0 || chsm_bytes_set(&r->label, label->p, label->len, err) < 0)
        return -1;
    return chsm_bytes_set(&r->check_value, kcv->p, kcv->len, err);
}

int chsm_object_record(const struct chsm_object *o, CK_OBJECT_CLASS cls, struct chsm_record *ret, struct chsm_err *err)
{
    struct chsm_record r = { .cls = cls, .type = CHSM_TYPE_NONE };
    bool key = cls == CKO_PUBLIC_KEY || cls == CKO_PRIVATE_KEY || cls == CKO_SECRET_KEY;

    if (key && (!o->have[CHSM_A_KEY_TYPE] || chsm_object_ulong(o, CHSM_A_KEY_TYPE) == CHSM_TYPE_NONE))
        return chsm_fail(err, CHSM_PKCS11, "a key does not tell its type");
    if (key)
        r.type = chsm_object_ulong(o, CHSM_A_KEY_TYPE);
    if (names(o, &r, err) < 0 || flags(o, &r, err) < 0 || others(o, &r, err) < 0 ||
        material(o, &r, err) < 0) {
        chsm_record_done(&r);
        return -1;
    }
    r.spki_from = r.spki.len > 0 ? CHSM_SPKI_OWN : CHSM_SPKI_NONE;
    *ret = r;
    return 0;
}
