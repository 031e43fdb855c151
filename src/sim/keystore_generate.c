/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates made inside a SoftHSM token. */
#include "config.h"

#include "sim/keystore_object.h"
#include "sim/keystore_softhsm.h"

#define TEMPLATE_MAX 24

struct template {
    CK_ATTRIBUTE a[TEMPLATE_MAX];
    CK_ULONG n;
};

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void add(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t n)
{
    assert(t->n < TEMPLATE_MAX);
    t->a[t->n++] = (CK_ATTRIBUTE){ type, (void *)value, n };
}

static void add_flag(struct template *t, CK_ATTRIBUTE_TYPE type, bool on)
{
    add(t, type, on ? &yes : &no, sizeof yes);
}

static void add_common(struct template *t, const struct sim_key *key, bool private)
{
    add_flag(t, CKA_TOKEN, true);
    add_flag(t, CKA_PRIVATE, private);
    add(t, CKA_ID, key->id.p, key->id.len);
    add(t, CKA_LABEL, key->label.p, key->label.len);
}

/* Every flag is named: SoftHSM's defaults differ from the client library's. */
static void add_public_half(struct template *t, unsigned usage)
{
    add_flag(t, CKA_VERIFY, usage & SIM_VERIFY);
    add_flag(t, CKA_ENCRYPT, usage & SIM_ENCRYPT);
    add_flag(t, CKA_WRAP, usage & SIM_WRAP);
}

static void add_private_half(struct template *t, const struct sim_key *key)
{
    add_flag(t, CKA_SIGN, key->usage & SIM_SIGN);
    add_flag(t, CKA_DECRYPT, key->usage & SIM_DECRYPT);
    add_flag(t, CKA_UNWRAP, key->usage & SIM_UNWRAP);
    add_flag(t, CKA_DERIVE, key->usage & SIM_DERIVE);
    add_flag(t, CKA_SENSITIVE, true);
    add_flag(t, CKA_EXTRACTABLE, key->extractable);
}

int sim_token_pair(const struct sim_token *t, const struct sim_key *key, CK_OBJECT_HANDLE *ret_public,
                   CK_OBJECT_HANDLE *ret_private, struct chsm_err *err)
{
    static const CK_BYTE exponent[] = { 1, 0, 1 };
    CK_MECHANISM mechanism = { key->type == CKK_RSA ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0 };
    struct template public = { .n = 0 }, private = { .n = 0 };
    CK_ULONG bits = key->bits;
    CK_RV rv;

    add_common(&public, key, false);
    add_public_half(&public, key->usage);
    if (key->type == CKK_RSA) {
        add(&public, CKA_MODULUS_BITS, &bits, sizeof bits);
        add(&public, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
    } else {
        add(&public, CKA_EC_PARAMS, key->params.p, key->params.len);
    }
    add_common(&private, key, !key->in_the_clear);
    add_private_half(&private, key);
    rv = t->fl->C_GenerateKeyPair(t->session, &mechanism, public.a, public.n, private.a, private.n, ret_public, ret_private);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_GenerateKeyPair", rv);
}

int sim_token_secret(const struct sim_token *t, const struct sim_key *key, struct chsm_err *err)
{
    CK_MECHANISM mechanism = { key->type == CKK_AES ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN, NULL, 0 };
    CK_ULONG bytes = key->bits / 8;
    struct template secret = { .n = 0 };
    CK_OBJECT_HANDLE object;
    CK_RV rv;

    add_common(&secret, key, !key->in_the_clear);
    add_public_half(&secret, key->usage);
    add_private_half(&secret, key);
    add(&secret, CKA_VALUE_LEN, &bytes, sizeof bytes);
    rv = t->fl->C_GenerateKey(t->session, &mechanism, secret.a, secret.n, &object);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_GenerateKey", rv);
}

int sim_token_certificate(const struct sim_token *t, const struct sim_key *key, const struct chsm_bytes *der,
                          const struct chsm_bytes *subject, struct chsm_err *err)
{
    CK_OBJECT_CLASS cls = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    struct template certificate = { .n = 0 };
    CK_OBJECT_HANDLE object;
    CK_RV rv;

    add(&certificate, CKA_CLASS, &cls, sizeof cls);
    add(&certificate, CKA_CERTIFICATE_TYPE, &type, sizeof type);
    add_common(&certificate, key, false);
    add(&certificate, CKA_SUBJECT, subject->p, subject->len);
    add(&certificate, CKA_VALUE, der->p, der->len);
    rv = t->fl->C_CreateObject(t->session, certificate.a, certificate.n, &object);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_CreateObject", rv);
}
