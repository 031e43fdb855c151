/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/object.h"
#include "pkcs11/spki.h"

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

/* The value of a certificate or data object is not kept, its digest is. */
static int value_digest(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    char hex[65];

    if (!o->have[CHSM_A_VALUE])
        return 0;
    chsm_sha256_hex(o->v[CHSM_A_VALUE].p, o->v[CHSM_A_VALUE].len, hex);
    return chsm_record_set(r, CHSM_MORE_VALUE_SHA256, json_string(hex), err);
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

static int ec(const struct chsm_object *o, struct chsm_record *r, struct chsm_err *err)
{
    if (!filled(o, CHSM_A_EC_PARAMS))
        return 0;
    if (chsm_spki_curve(&o->v[CHSM_A_EC_PARAMS], &r->curve, &r->bits, err) < 0)
        return -1;
    /* Without bits OpenSSL does not know the curve: such a key has no public key here, and no proof. */
    if (r->bits == 0 || !filled(o, CHSM_A_EC_POINT))
        return 0;
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
    if (names(o, &r, err) < 0 || flags(o, &r, err) < 0 || value_digest(o, &r, err) < 0 ||
        material(o, &r, err) < 0) {
        chsm_record_done(&r);
        return -1;
    }
    r.spki_from = r.spki.len > 0 ? CHSM_SPKI_OWN : CHSM_SPKI_NONE;
    *ret = r;
    return 0;
}
