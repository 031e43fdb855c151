/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates made inside a SoftHSM token. */
#include "config.h"

#include "sim/keystore_domain.h"
#include "sim/keystore_object.h"
#include "sim/keystore_softhsm.h"

#define TEMPLATE_MAX 24
#define DATA_LEN 32

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

/* Bytes that an object need not have. */
static void add_some(struct template *t, CK_ATTRIBUTE_TYPE type, const struct chsm_bytes *value)
{
    if (value->len > 0)
        add(t, type, value->p, value->len);
}

static void add_common(struct template *t, const struct sim_key *key, bool private)
{
    add_flag(t, CKA_TOKEN, true);
    add_flag(t, CKA_PRIVATE, private);
    add(t, CKA_ID, key->id.p, key->id.len);
    add(t, CKA_LABEL, key->label.p, key->label.len);
    add_some(t, CKA_ALLOWED_MECHANISMS, &key->mechanisms);
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

bool sim_type_is_pair(CK_KEY_TYPE type)
{
    return type == CKK_RSA || type == CKK_EC || type == CKK_EC_EDWARDS || type == CKK_DSA || type == CKK_DH;
}

static CK_MECHANISM_TYPE generator(CK_KEY_TYPE type)
{
    switch (type) {
    case CKK_RSA: return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case CKK_EC: return CKM_EC_KEY_PAIR_GEN;
    case CKK_EC_EDWARDS: return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    case CKK_DSA: return CKM_DSA_KEY_PAIR_GEN;
    case CKK_DH: return CKM_DH_PKCS_KEY_PAIR_GEN;
    case CKK_AES: return CKM_AES_KEY_GEN;
    case CKK_DES3: return CKM_DES3_KEY_GEN;
    default: return CKM_GENERIC_SECRET_KEY_GEN;
    }
}

/* What a pair is made of besides flags; what it points at must live until the pair is generated. */
static int add_kind(struct template *t, const struct sim_key *key, CK_ULONG *bits, struct sim_domain *domain, struct chsm_err *err)
{
    static const CK_BYTE exponent[] = { 1, 0, 1 };

    switch (key->type) {
    case CKK_RSA:
        *bits = key->bits;
        add(t, CKA_MODULUS_BITS, bits, sizeof *bits);
        add(t, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
        return 0;
    case CKK_DSA:
    case CKK_DH:
        if (sim_domain_of(key->type == CKK_DSA, key->bits, domain, err) < 0)
            return -1;
        add(t, CKA_PRIME, domain->p.p, domain->p.len);
        add_some(t, CKA_SUBPRIME, &domain->q);
        add(t, CKA_BASE, domain->g.p, domain->g.len);
        return 0;
    default:
        add(t, CKA_EC_PARAMS, key->params.p, key->params.len);
        return 0;
    }
}

int sim_token_pair(const struct sim_token *t, const struct sim_key *key, CK_OBJECT_HANDLE *ret_public,
                   CK_OBJECT_HANDLE *ret_private, struct chsm_err *err)
{
    CK_MECHANISM mechanism = { generator(key->type), NULL, 0 };
    struct template public = { .n = 0 }, private = { .n = 0 };
    AUTO_SIM_DOMAIN struct sim_domain domain = { 0 };
    CK_ULONG bits;
    CK_RV rv;

    add_common(&public, key, false);
    add_public_half(&public, key->usage);
    if (add_kind(&public, key, &bits, &domain, err) < 0)
        return -1;
    add_common(&private, key, !key->in_the_clear);
    add_private_half(&private, key);
    if (key->always_authenticate)
        add_flag(&private, CKA_ALWAYS_AUTHENTICATE, true);
    sim_softhsm_leaks(true);
    rv = t->fl->C_GenerateKeyPair(t->session, &mechanism, public.a, public.n, private.a, private.n, ret_public, ret_private);
    sim_softhsm_leaks(false);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_GenerateKeyPair", rv);
}

int sim_token_secret(const struct sim_token *t, const struct sim_key *key, CK_OBJECT_HANDLE *ret, struct chsm_err *err)
{
    CK_MECHANISM mechanism = { generator(key->type), NULL, 0 };
    CK_ULONG bytes = key->bits / 8;
    struct template secret = { .n = 0 };
    CK_RV rv;

    add_common(&secret, key, !key->in_the_clear);
    add_public_half(&secret, key->usage);
    add_private_half(&secret, key);
    if (key->type != CKK_DES3)
        add(&secret, CKA_VALUE_LEN, &bytes, sizeof bytes);
    rv = t->fl->C_GenerateKey(t->session, &mechanism, secret.a, secret.n, ret);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_GenerateKey", rv);
}

int sim_token_data(const struct sim_token *t, const struct sim_key *key, struct chsm_err *err)
{
    static const char application[] = "chsm-sim";
    CK_OBJECT_CLASS cls = CKO_DATA;
    struct template data = { .n = 0 };
    unsigned char value[DATA_LEN];
    CK_OBJECT_HANDLE object;
    CK_RV rv;

    if (chsm_random(value, sizeof value, err) < 0)
        return -1;
    add(&data, CKA_CLASS, &cls, sizeof cls);
    add_flag(&data, CKA_TOKEN, true);
    add_flag(&data, CKA_PRIVATE, true);
    add(&data, CKA_LABEL, key->label.p, key->label.len);
    add(&data, CKA_APPLICATION, application, sizeof application - 1);
    add(&data, CKA_VALUE, value, sizeof value);
    rv = t->fl->C_CreateObject(t->session, data.a, data.n, &object);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_CreateObject", rv);
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
