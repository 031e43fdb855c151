/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes that lie: by the overlay, for SoftHSM lets only few of them be changed. */
#include "config.h"

#include "sim/corrupt.h"
#include "sim/keystore_overlay.h"
#include "sim/keystore_softhsm.h"
#include "sim/keystore_spki.h"

#define CHECK_VALUE_LEN 3

enum shape { FLAG, NUMBER, BYTES, DATE, NUMBERS };

static const struct { const char *name; CK_ATTRIBUTE_TYPE type; enum shape shape; } attributes[] = {
    { "class", CKA_CLASS, NUMBER }, { "token", CKA_TOKEN, FLAG }, { "private", CKA_PRIVATE, FLAG }, { "label", CKA_LABEL, BYTES },
    { "value", CKA_VALUE, BYTES }, { "application", CKA_APPLICATION, BYTES }, { "subject", CKA_SUBJECT, BYTES },
    { "trusted", CKA_TRUSTED, FLAG }, { "check-value", CKA_CHECK_VALUE, BYTES }, { "key-type", CKA_KEY_TYPE, NUMBER },
    { "id", CKA_ID, BYTES }, { "sensitive", CKA_SENSITIVE, FLAG }, { "encrypt", CKA_ENCRYPT, FLAG }, { "decrypt", CKA_DECRYPT, FLAG },
    { "wrap", CKA_WRAP, FLAG }, { "unwrap", CKA_UNWRAP, FLAG }, { "sign", CKA_SIGN, FLAG }, { "verify", CKA_VERIFY, FLAG },
    { "derive", CKA_DERIVE, FLAG }, { "start-date", CKA_START_DATE, DATE }, { "end-date", CKA_END_DATE, DATE },
    { "modulus", CKA_MODULUS, BYTES }, { "public-exponent", CKA_PUBLIC_EXPONENT, BYTES }, { "prime", CKA_PRIME, BYTES },
    { "base", CKA_BASE, BYTES }, { "value-len", CKA_VALUE_LEN, NUMBER }, { "extractable", CKA_EXTRACTABLE, FLAG },
    { "local", CKA_LOCAL, FLAG }, { "never-extractable", CKA_NEVER_EXTRACTABLE, FLAG }, { "always-sensitive", CKA_ALWAYS_SENSITIVE, FLAG },
    { "modifiable", CKA_MODIFIABLE, FLAG }, { "destroyable", CKA_DESTROYABLE, FLAG }, { "ec-params", CKA_EC_PARAMS, BYTES },
    { "ec-point", CKA_EC_POINT, BYTES }, { "public-key-info", CKA_PUBLIC_KEY_INFO, BYTES },
    { "always-authenticate", CKA_ALWAYS_AUTHENTICATE, FLAG }, { "wrap-with-trusted", CKA_WRAP_WITH_TRUSTED, FLAG },
    { "allowed-mechanisms", CKA_ALLOWED_MECHANISMS, NUMBERS }, { "wrap-template", CKA_WRAP_TEMPLATE, BYTES },
    { "unwrap-template", CKA_UNWRAP_TEMPLATE, BYTES },
};

int sim_damage_check_value(const struct sim_token *t, CK_OBJECT_HANDLE object, struct chsm_bytes *ret, struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes spki = { 0 };
    unsigned char value[CHECK_VALUE_LEN];

    if (sim_token_spki(t, object, &spki, NULL) == 0)
        return sim_spki_check_value(&spki, value, err) < 0 ? -1 : chsm_bytes_set(ret, value, sizeof value, err);
    if (sim_token_read(t, object, CKA_CHECK_VALUE, ret, NULL) < 0)
        return chsm_bytes_set(ret, NULL, 0, err);
    return 0;
}

/* What SoftHSM has, nothing where it has nothing. */
static int present(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS cls, CK_ATTRIBUTE_TYPE type, struct chsm_bytes *ret,
                   struct chsm_err *err)
{
    static const CK_BBOOL yes = CK_TRUE;

    if (type == CKA_CHECK_VALUE)
        return sim_damage_check_value(t, object, ret, err);
    if (type == CKA_PRIVATE && (cls == CKO_PRIVATE_KEY || cls == CKO_SECRET_KEY))
        return chsm_bytes_set(ret, &yes, sizeof yes, err);
    if (sim_token_read(t, object, type, ret, NULL) < 0)
        return chsm_bytes_set(ret, NULL, 0, err);
    return 0;
}

/* Another value than the present one, of the same shape. */
static int other_value(enum shape shape, struct chsm_bytes *value, struct chsm_err *err)
{
    static const size_t sizes[] = { [FLAG] = sizeof(CK_BBOOL), [NUMBER] = sizeof(CK_ULONG), [BYTES] = CHECK_VALUE_LEN, [DATE] = 8,
                                    [NUMBERS] = sizeof(CK_ULONG) };
    static const char zeros[8] = "", date[8] = { '2', '0', '3', '0', '0', '1', '0', '1' };

    if (value->len == 0 && chsm_bytes_set(value, shape == DATE ? date : zeros, sizes[shape], err) < 0)
        return -1;
    /* Numbers are little-endian here. In the middle of a modulus, that it stays odd. */
    value->p[shape == NUMBER || shape == NUMBERS ? 0 : shape == DATE ? value->len - 1 : value->len / 2] ^= 1;
    return 0;
}

static int show(const struct sim_damage *d, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS cls, const struct sim_overlay_change *change,
                struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes id = { 0 };
    AUTO_BYTES struct chsm_bytes label = { 0 };
    struct sim_overlay_key key = { .user = d->user, .cls = cls };

    if ((cls != CKO_DATA && sim_token_read(&d->token, object, CKA_ID, &id, err) < 0) ||
        sim_token_read(&d->token, object, CKA_LABEL, &label, err) < 0)
        return -1;
    key.id = id;
    key.label = label;
    return sim_overlay_add(d->keys, &key, change, err);
}

static int change_one(const struct sim_damage *d, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS cls, size_t which, struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes value = { 0 };
    struct sim_overlay_change change = { .type = attributes[which].type, .absent = d->absent };

    if (d->value && chsm_bytes_set(&value, d->value->p, d->value->len, err) < 0)
        return -1;
    if (!d->value && !d->absent && (present(&d->token, object, cls, attributes[which].type, &value, err) < 0 ||
                                    other_value(attributes[which].shape, &value, err) < 0))
        return -1;
    change.value = value;
    return show(d, object, cls, &change, err);
}

/* The private or secret key unless another class is asked for; every object that has the names. */
int sim_damage_attribute(const struct sim_damage *d, struct chsm_err *err)
{
    static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE, CKO_DATA };
    const char *name = d->attribute ? d->attribute : "derive";
    size_t which = 0, n = 0;

    while (which < ARRAY_LEN(attributes) && !chsm_streq(attributes[which].name, name))
        which++;
    if (which == ARRAY_LEN(attributes))
        return chsm_fail(err, CHSM_USAGE, "no attribute is called \"%s\"", name);
    for (size_t i = 0; i < ARRAY_LEN(classes) && n == 0; i++) {
        AUTO_FREE CK_OBJECT_HANDLE *list = NULL;

        if (sim_damage_find(d, &d->target, classes[i], &list, &n, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++)
            if (change_one(d, list[k], classes[i], which, err) < 0)
                return -1;
    }
    return n ? 0 : chsm_fail(err, CHSM_CONFIG, "user %s has no such object with this ID", d->user);
}

int sim_damage_show_check_values(const struct sim_damage *d, const struct chsm_bytes value[2], struct chsm_err *err)
{
    static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_PUBLIC_KEY };

    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
        struct sim_overlay_change change = { .type = CKA_CHECK_VALUE, .value = value[classes[i] == CKO_PUBLIC_KEY] };
        size_t n = 0;

        if (change.value.len == 0)
            continue;
        if (sim_damage_find(d, &d->target, classes[i], &list, &n, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++)
            if (show(d, list[k], classes[i], &change, err) < 0)
                return -1;
    }
    return 0;
}
