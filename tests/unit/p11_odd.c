/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that is SoftHSM, but for manners of other modules in what keys do, chosen by P11_ODD:
 *   strict     only the plainest templates for session objects; ECDSA digests no longer than the curve; parameters for EdDSA; 32-bit
 *              counters; bare points
 *   kdf        agreement with a key derivation only (ANSI X9.63, SHA-256)
 *   whole      no CKM_ECDSA and no CKM_SHA256_RSA_PKCS: the other spelling of both
 *   unwrap     C_UnwrapKey with AES-CBC and AES-ECB, which SoftHSM has not; keys say that they can do nothing else
 *   context    C_Login(CKU_CONTEXT_SPECIFIC) fails, and a second one aborts
 *   keep       C_DestroyObject does nothing, and says that it did
 *   empty      C_Sign and C_Encrypt succeed with no answer
 *   constant   C_Encrypt answers zeros
 */
#include "config.h"

#include <dlfcn.h>

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>

#include "util/compat.h"

#define CKM_ECDSA_SHA256_ 0x1044UL

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST mine;
static CK_MECHANISM_TYPE signing;
static CK_ULONG digest_max;         /* bytes that the curve of the signing key takes */

static bool odd(const char *name)
{
    return chsm_streq(getenv("P11_ODD"), name);
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG n)
{
    static bool refused;

    if (user != CKU_CONTEXT_SPECIFIC || !odd("context"))
        return real->C_Login(s, user, pin, n);
    if (refused)
        abort();
    refused = true;
    return CKR_PIN_INCORRECT;
}

static CK_RV get(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE h, CK_ATTRIBUTE *t, CK_ULONG n)
{
    CK_RV rv = real->C_GetAttributeValue(s, h, t, n);

    for (CK_ULONG i = 0; odd("unwrap") && i < n; i++)
        if ((t[i].type == CKA_DECRYPT || t[i].type == CKA_ENCRYPT) && t[i].pValue && t[i].ulValueLen == 1)
            *(CK_BBOOL *)t[i].pValue = CK_FALSE;
    return rv;
}

/* P-192 in this test. */
static CK_ULONG room_of(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
    CK_BYTE params[32];
    CK_ATTRIBUTE t = { CKA_EC_PARAMS, params, sizeof params };

    return real->C_GetAttributeValue(s, key, &t, 1) == CKR_OK && t.ulValueLen == 10 && params[9] == 0x01 ? 24 : 64;
}

static CK_RV sign_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM plain = *m;

    signing = m->mechanism;
    digest_max = m->mechanism == CKM_ECDSA ? room_of(s, key) : 0;
    if (odd("whole") && (m->mechanism == CKM_ECDSA || m->mechanism == CKM_SHA256_RSA_PKCS))
        return CKR_MECHANISM_INVALID;
    if (odd("whole") && m->mechanism == CKM_ECDSA_SHA256_)
        plain.mechanism = CKM_ECDSA;
    if (odd("strict") && m->mechanism == CKM_EDDSA) {
        if (!m->pParameter)
            return CKR_MECHANISM_PARAM_INVALID;
        plain = (CK_MECHANISM){ CKM_EDDSA, NULL, 0 };
    }
    return real->C_SignInit(s, &plain, key);
}

static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE *data, CK_ULONG n, CK_BYTE *out, CK_ULONG *out_n)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (odd("empty")) {
        *out_n = 0;
        return CKR_OK;
    }
    if (odd("strict") && signing == CKM_ECDSA && n > digest_max)
        return CKR_DATA_LEN_RANGE;
    if (odd("whole") && signing == CKM_ECDSA_SHA256_) {
        (void)EVP_Digest(data, n, digest, &size, EVP_sha256(), NULL);
        return real->C_Sign(s, digest, size, out, out_n);
    }
    return real->C_Sign(s, data, n, out, out_n);
}

static CK_RV encrypt_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
    if (odd("strict") && m->mechanism == CKM_AES_ECB)
        return CKR_MECHANISM_INVALID;
    if (odd("strict") && m->mechanism == CKM_AES_CBC)
        return CKR_MECHANISM_INVALID;
    if (odd("strict") && m->mechanism == CKM_AES_CTR && ((CK_AES_CTR_PARAMS *)m->pParameter)->ulCounterBits != 32)
        return CKR_MECHANISM_PARAM_INVALID;
    return real->C_EncryptInit(s, m, key);
}

static CK_RV encrypt(CK_SESSION_HANDLE s, CK_BYTE *data, CK_ULONG n, CK_BYTE *out, CK_ULONG *out_n)
{
    CK_RV rv = real->C_Encrypt(s, data, n, out, out_n);

    if (rv == CKR_OK && odd("empty"))
        *out_n = 0;
    if (rv == CKR_OK && odd("constant"))
        memset(out, 0, *out_n);
    return rv;
}

static bool too_much(const CK_ATTRIBUTE *t, CK_ULONG n)
{
    for (CK_ULONG i = 0; odd("strict") && i < n; i++)
        if (t[i].type == CKA_SENSITIVE)
            return true;
    return false;
}

/* What SoftHSM has not: derives without, takes the value out, and makes the object from its digest. */
static CK_RV derive_x963(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *ret)
{
    CK_ECDH1_DERIVE_PARAMS plain = *(CK_ECDH1_DERIVE_PARAMS *)m->pParameter;
    CK_MECHANISM inner = { m->mechanism, &plain, sizeof plain };
    CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ULONG len = 32, digest_len = 0;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE open[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_KEY_TYPE, &type, sizeof type }, { CKA_TOKEN, &no, 1 }, { CKA_SENSITIVE, &no, 1 },
                            { CKA_EXTRACTABLE, &yes, 1 }, { CKA_VALUE_LEN, &len, sizeof len } };
    CK_BYTE z[32 + 4] = { [35] = 1 }, value[EVP_MAX_MD_SIZE];
    CK_ATTRIBUTE out = { CKA_VALUE, z, 32 }, all[16];
    CK_OBJECT_HANDLE shared;
    unsigned size = 0;

    plain.kdf = CKD_NULL;
    if (real->C_DeriveKey(s, &inner, key, open, ARRAY_LEN(open), &shared) != CKR_OK || real->C_GetAttributeValue(s, shared, &out, 1) != CKR_OK)
        return CKR_GENERAL_ERROR;
    (void)real->C_DestroyObject(s, shared);
    (void)EVP_Digest(z, sizeof z, value, &size, EVP_sha256(), NULL);
    for (CK_ULONG i = 0; i < n && digest_len + 1 < ARRAY_LEN(all); i++)
        if (t[i].type != CKA_VALUE_LEN)
            all[digest_len++] = t[i];
    all[digest_len++] = (CK_ATTRIBUTE){ CKA_VALUE, value, size };
    return real->C_CreateObject(s, all, digest_len, ret);
}

static CK_RV derive(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *ret)
{
    const CK_ECDH1_DERIVE_PARAMS *p = m->pParameter;
    CK_BYTE wrapped[2 + 65] = { 0x04, 65 };
    CK_ECDH1_DERIVE_PARAMS fixed;
    CK_MECHANISM inner = { m->mechanism, &fixed, sizeof fixed };

    if (odd("kdf") && m->mechanism == CKM_ECDH1_DERIVE)
        return p->kdf == 6 ? derive_x963(s, m, key, t, n, ret) : CKR_MECHANISM_PARAM_INVALID;
    if (!odd("strict") || m->mechanism != CKM_ECDH1_DERIVE)
        return real->C_DeriveKey(s, m, key, t, n, ret);
    if (p->ulPublicDataLen != 65)
        return CKR_MECHANISM_PARAM_INVALID;
    if (too_much(t, n))
        return CKR_TEMPLATE_INCONSISTENT;
    memcpy(wrapped + 2, p->pPublicData, 65);
    fixed = *p;
    fixed.pPublicData = wrapped;
    fixed.ulPublicDataLen = sizeof wrapped;
    return real->C_DeriveKey(s, &inner, key, t, n, ret);
}

/* What C_UnwrapKey is without padding: decrypt, then create. */
static CK_RV decrypt_to_object(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key, CK_BYTE *in, CK_ULONG in_n, CK_ATTRIBUTE *t, CK_ULONG n,
                               CK_OBJECT_HANDLE *ret)
{
    CK_ATTRIBUTE all[16];
    CK_BYTE value[256];
    CK_ULONG len = sizeof value;
    CK_RV rv = real->C_DecryptInit(s, m, key);

    if (rv == CKR_OK)
        rv = real->C_Decrypt(s, in, in_n, value, &len);
    if (rv != CKR_OK || n + 1 > ARRAY_LEN(all))
        return rv != CKR_OK ? rv : CKR_TEMPLATE_INCONSISTENT;
    memcpy(all, t, n * sizeof *t);
    all[n] = (CK_ATTRIBUTE){ CKA_VALUE, value, len };
    return real->C_CreateObject(s, all, n + 1, ret);
}

static CK_RV unwrap(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key, CK_BYTE *in, CK_ULONG in_n, CK_ATTRIBUTE *t, CK_ULONG n,
                    CK_OBJECT_HANDLE *ret)
{
    if (too_much(t, n))
        return CKR_TEMPLATE_INCONSISTENT;
    if (odd("unwrap") && (m->mechanism == CKM_AES_CBC || m->mechanism == CKM_AES_ECB))
        return decrypt_to_object(s, m, key, in, in_n, t, n, ret);
    return real->C_UnwrapKey(s, m, key, in, in_n, t, n, ret);
}

static CK_RV destroy(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE h)
{
    return odd("keep") ? CKR_OK : real->C_DestroyObject(s, h);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    void *so = dlopen(SOFTHSM_MODULE, RTLD_NOW | RTLD_LOCAL);
    void *symbol = so ? dlsym(so, "C_GetFunctionList") : NULL;
    CK_C_GetFunctionList get_list;

    if (!symbol)
        return CKR_GENERAL_ERROR;
    memcpy(&get_list, &symbol, sizeof get_list);
    if (get_list(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    mine = *real;
    mine.C_Login = login;
    mine.C_GetAttributeValue = get;
    mine.C_SignInit = sign_init;
    mine.C_Sign = sign;
    mine.C_EncryptInit = encrypt_init;
    mine.C_Encrypt = encrypt;
    mine.C_DeriveKey = derive;
    mine.C_UnwrapKey = unwrap;
    mine.C_DestroyObject = destroy;
    *list = &mine;
    return CKR_OK;
}
