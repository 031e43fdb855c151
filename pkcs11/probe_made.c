/* SPDX-License-Identifier: Apache-2.0 */
/* Session objects that a key under proof makes, or wraps. */
#include "config.h"

#include "pkcs11/probe_ops.h"

/* A template of at most this many attributes. */
struct template {
    CK_OBJECT_CLASS cls;
    CK_ULONG len;
    CK_BBOOL yes, no;
    CK_ATTRIBUTE t[10];
    CK_ULONG n;
};

static void put(struct template *t, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG n)
{
    t->t[t->n++] = (CK_ATTRIBUTE){ type, value, n };
}

/* A secret that never outlives the session and can do one thing. `strict`: nor ever leave the HSM. */
static void fill(struct template *t, struct chsm_probe *p, CK_ULONG len, bool strict)
{
    *t = (struct template){ .cls = CKO_SECRET_KEY, .len = len, .yes = CK_TRUE, .no = CK_FALSE };
    put(t, CKA_CLASS, &t->cls, sizeof t->cls);
    put(t, CKA_KEY_TYPE, (void *)(uintptr_t)&p->op->made, sizeof p->op->made);
    put(t, CKA_TOKEN, &t->no, sizeof t->no);
    put(t, p->op->made == CKK_AES ? CKA_ENCRYPT : CKA_SIGN, &t->yes, sizeof t->yes);
    if (len > 0)
        put(t, CKA_VALUE_LEN, &t->len, sizeof t->len);
    if (!strict)
        return;
    put(t, CKA_PRIVATE, &t->yes, sizeof t->yes);
    put(t, CKA_SENSITIVE, &t->yes, sizeof t->yes);
    put(t, CKA_EXTRACTABLE, &t->no, sizeof t->no);
}

/* A refusal of the template and not of the key. */
static bool plainer_may_do(CK_RV rv)
{
    return rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_TEMPLATE_INCOMPLETE || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
           rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_READ_ONLY;
}

/* A session object that cannot be destroyed ends with its session. */
static void destroy(struct chsm_probe *p, CK_OBJECT_HANDLE object)
{
    if (CHSM_CK(&p->s->ck, C_DestroyObject, p->session, object) != CKR_OK)
        chsm_session_reset_proofs(p->s);
}

static CK_RV use(struct chsm_probe *p, CK_OBJECT_HANDLE secret)
{
    CK_MECHANISM hmac = { CKM_SHA256_HMAC, NULL, 0 }, ecb = { CKM_AES_ECB, NULL, 0 };
    CK_RV rv = p->op->made == CKK_AES ? chsm_probe_encrypt(p, &ecb, secret, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN)
                                      : chsm_probe_sign(p, &hmac, secret, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN);

    destroy(p, secret);
    return rv;
}

CK_RV chsm_probe_unwrap(struct chsm_probe *p, CK_MECHANISM *m, const void *wrapped, size_t n)
{
    CK_OBJECT_HANDLE secret = CK_INVALID_HANDLE;
    CK_RV rv = CKR_TEMPLATE_INCONSISTENT;

    for (int strict = 1; strict >= 0 && plainer_may_do(rv); strict--) {
        struct template t;

        fill(&t, p, 0, strict);
        rv = CHSM_CK(&p->s->ck, C_UnwrapKey, p->session, m, p->key->handle, (CK_BYTE *)(uintptr_t)wrapped, n, t.t, t.n, &secret);
    }
    return rv == CKR_OK ? use(p, secret) : rv;
}

CK_RV chsm_probe_derive(struct chsm_probe *p, CK_MECHANISM *m, CK_ULONG len)
{
    CK_OBJECT_HANDLE secret = CK_INVALID_HANDLE;
    CK_RV rv = CKR_TEMPLATE_INCONSISTENT;

    for (int strict = 1; strict >= 0 && plainer_may_do(rv); strict--) {
        struct template t;

        fill(&t, p, len, strict);
        rv = CHSM_CK(&p->s->ck, C_DeriveKey, p->session, m, p->key->handle, t.t, t.n, &secret);
    }
    return rv == CKR_OK ? use(p, secret) : rv;
}

CK_RV chsm_probe_wrap(struct chsm_probe *p, CK_MECHANISM *m, const void *value, size_t n)
{
    CK_OBJECT_HANDLE secret = CK_INVALID_HANDLE;
    struct template t;
    CK_RV rv;

    fill(&t, p, 0, false);
    put(&t, CKA_EXTRACTABLE, &t.yes, sizeof t.yes);
    put(&t, CKA_VALUE, (void *)(uintptr_t)value, n);
    rv = CHSM_CK(&p->s->ck, C_CreateObject, p->session, t.t, t.n, &secret);
    if (rv != CKR_OK)
        return rv;
    p->n = sizeof p->room;
    rv = CHSM_CK(&p->s->ck, C_WrapKey, p->session, m, p->key->handle, secret, p->room, &p->n);
    destroy(p, secret);
    return rv;
}
