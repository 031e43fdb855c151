/* SPDX-License-Identifier: Apache-2.0 */
/* Present objects of a SoftHSM token. */
#include "config.h"

#include "sim/keystore_object.h"
#include "sim/keystore_softhsm.h"
#include "sim/keystore_spki.h"

#define BATCH 256
#define VALUE_MAX 65536         /* no attribute of a key or certificate here is larger */

void sim_key_done(struct sim_key *k)
{
    chsm_bytes_done(&k->params);
    chsm_bytes_done(&k->id);
    chsm_bytes_done(&k->label);
    chsm_bytes_done(&k->mechanisms);
}

static CK_RV collect(const struct sim_token *t, CK_OBJECT_HANDLE **list, size_t *n)
{
    CK_OBJECT_HANDLE batch[BATCH], *grown;
    CK_ULONG got;
    CK_RV rv;

    while ((rv = t->fl->C_FindObjects(t->session, batch, BATCH, &got)) == CKR_OK && got > 0) {
        grown = reallocarray(*list, *n + got, sizeof **list);
        if (!grown)
            return CKR_HOST_MEMORY;
        memcpy(grown + *n, batch, got * sizeof *batch);
        *list = grown;
        *n += got;
    }
    return rv;
}

int sim_token_find(const struct sim_token *t, CK_OBJECT_CLASS cls, const struct chsm_bytes *id, CK_OBJECT_HANDLE **ret,
                   size_t *ret_n, struct chsm_err *err)
{
    CK_ATTRIBUTE template[2] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_ID, id ? id->p : NULL, id ? id->len : 0 } };
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    size_t n = 0;
    CK_RV rv;

    rv = t->fl->C_FindObjectsInit(t->session, template, id ? 2 : 1);
    if (rv != CKR_OK)
        return sim_ck_fail(err, "C_FindObjectsInit", rv);
    rv = collect(t, &list, &n);
    (void)t->fl->C_FindObjectsFinal(t->session);
    if (rv != CKR_OK)
        return sim_ck_fail(err, "C_FindObjects", rv);
    *ret = TAKE(list);
    *ret_n = n;
    return 0;
}

int sim_token_read(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, struct chsm_bytes *ret,
                   struct chsm_err *err)
{
    unsigned char value[VALUE_MAX];
    CK_ATTRIBUTE a = { type, value, sizeof value };
    CK_RV rv = t->fl->C_GetAttributeValue(t->session, object, &a, 1);

    if (rv == CKR_OK && a.ulValueLen == CK_UNAVAILABLE_INFORMATION)
        rv = CKR_ATTRIBUTE_TYPE_INVALID;
    if (rv != CKR_OK)
        return sim_ck_fail(err, "C_GetAttributeValue", rv);
    return chsm_bytes_set(ret, value, a.ulValueLen, err);
}

int sim_token_ulong(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_ULONG *ret,
                    struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes value = { 0 };

    if (sim_token_read(t, object, type, &value, err) < 0)
        return -1;
    if (value.len != sizeof *ret)
        return chsm_fail(err, CHSM_PKCS11, "SoftHSM: attribute 0x%lx is no number", type);
    memcpy(ret, value.p, sizeof *ret);
    return 0;
}

bool sim_token_flag(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE a = { type, &value, sizeof value };

    return t->fl->C_GetAttributeValue(t->session, object, &a, 1) == CKR_OK && value != CK_FALSE;
}

static unsigned read_usage(const struct sim_token *t, CK_OBJECT_HANDLE object)
{
    static const struct { CK_ATTRIBUTE_TYPE type; unsigned bit; } flags[] = {
        { CKA_SIGN, SIM_SIGN }, { CKA_VERIFY, SIM_VERIFY }, { CKA_ENCRYPT, SIM_ENCRYPT }, { CKA_DECRYPT, SIM_DECRYPT },
        { CKA_WRAP, SIM_WRAP }, { CKA_UNWRAP, SIM_UNWRAP }, { CKA_DERIVE, SIM_DERIVE },
    };
    unsigned usage = 0;
    size_t i;

    for (i = 0; i < ARRAY_LEN(flags); i++)
        if (sim_token_flag(t, object, flags[i].type))
            usage |= flags[i].bit;
    return usage;
}

static int read_size(const struct sim_token *t, CK_OBJECT_HANDLE object, struct sim_key *key, struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes modulus = { 0 };
    CK_ULONG bytes;

    switch (key->type) {
    case CKK_EC:
    case CKK_EC_EDWARDS:
        return sim_token_read(t, object, CKA_EC_PARAMS, &key->params, err);
    case CKK_DES3:
        return 0;
    case CKK_RSA:
    case CKK_DSA:
    case CKK_DH:
        if (sim_token_read(t, object, key->type == CKK_RSA ? CKA_MODULUS : CKA_PRIME, &modulus, err) < 0)
            return -1;
        key->bits = (unsigned)modulus.len * 8;
        return 0;
    default:
        if (sim_token_ulong(t, object, CKA_VALUE_LEN, &bytes, err) < 0)
            return -1;
        key->bits = (unsigned)bytes * 8;
        return 0;
    }
}

int sim_token_describe(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_OBJECT_HANDLE other, struct sim_key *ret,
                       struct chsm_err *err)
{
    AUTO_SIM_KEY struct sim_key key = { .bits = 0 };

    if (sim_token_ulong(t, object, CKA_KEY_TYPE, &key.type, err) < 0 || read_size(t, object, &key, err) < 0 ||
        sim_token_read(t, object, CKA_ID, &key.id, err) < 0 || sim_token_read(t, object, CKA_LABEL, &key.label, err) < 0 ||
        sim_token_read(t, object, CKA_ALLOWED_MECHANISMS, &key.mechanisms, err) < 0)
        return -1;
    key.usage = read_usage(t, object) | (other ? read_usage(t, other) : 0);
    key.extractable = sim_token_flag(t, object, CKA_EXTRACTABLE);
    key.always_authenticate = sim_token_flag(t, object, CKA_ALWAYS_AUTHENTICATE);
    key.in_the_clear = !sim_token_flag(t, object, CKA_PRIVATE);
    *ret = key;
    key = (struct sim_key){ .bits = 0 };
    return 0;
}

int sim_token_spki(const struct sim_token *t, CK_OBJECT_HANDLE object, struct chsm_bytes *ret, struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes first = { 0 };
    AUTO_BYTES struct chsm_bytes second = { 0 };
    CK_KEY_TYPE type;

    if (sim_token_ulong(t, object, CKA_KEY_TYPE, &type, err) < 0)
        return -1;
    if (type == CKK_RSA) {
        if (sim_token_read(t, object, CKA_MODULUS, &first, err) < 0 ||
            sim_token_read(t, object, CKA_PUBLIC_EXPONENT, &second, err) < 0)
            return -1;
        return sim_spki_rsa(&first, &second, ret, err);
    }
    if (type != CKK_EC && type != CKK_EC_EDWARDS)
        return chsm_fail(err, CHSM_PKCS11, "key type 0x%lx has no public key here", type);
    if (sim_token_read(t, object, CKA_EC_PARAMS, &first, err) < 0 || sim_token_read(t, object, CKA_EC_POINT, &second, err) < 0)
        return -1;
    return sim_spki_ec(&first, &second, ret, err);
}
