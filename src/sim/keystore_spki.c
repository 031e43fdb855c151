/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "sim/keystore_spki.h"

static int encode(const char *type, OSSL_PARAM_BLD *build, struct chsm_bytes *ret, struct chsm_err *err)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    unsigned char *der = NULL;
    int n = -1, result;

    if (params && ctx && EVP_PKEY_fromdata_init(ctx) > 0 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) > 0)
        n = i2d_PUBKEY(key, &der);
    result = n > 0 ? chsm_bytes_set(ret, der, (size_t)n, err) : chsm_fail(err, CHSM_PKCS11, "not a usable %s public key", type);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return result;
}

int sim_spki_rsa(const struct chsm_bytes *modulus, const struct chsm_bytes *exponent, struct chsm_bytes *ret, struct chsm_err *err)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = NULL, *e = NULL;
    int result;

    if (modulus->len <= 4096 && exponent->len <= 4096) {
        n = BN_bin2bn(modulus->p, (int)modulus->len, NULL);
        e = BN_bin2bn(exponent->p, (int)exponent->len, NULL);
    }
    if (build && n && e && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
        result = encode("RSA", build, ret, err);
    else
        result = chsm_fail(err, CHSM_PKCS11, "not a usable RSA public key");
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(build);
    return result;
}

static const char *curve_name(const struct chsm_bytes *params)
{
    const unsigned char *p = params->p;
    ASN1_OBJECT *oid;
    const char *name;

    if (params->len == 0 || params->len > 64)
        return NULL;
    oid = d2i_ASN1_OBJECT(NULL, &p, (long)params->len);
    name = oid ? OBJ_nid2sn(OBJ_obj2nid(oid)) : NULL;
    ASN1_OBJECT_free(oid);
    return name;
}

int sim_spki_ec(const struct chsm_bytes *params, const struct chsm_bytes *point, struct chsm_bytes *ret, struct chsm_err *err)
{
    const char *curve = curve_name(params);
    const unsigned char *p = point->p;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    ASN1_OCTET_STRING *raw = NULL;
    int result;

    if (point->len > 0 && point->len <= 1024)
        raw = d2i_ASN1_OCTET_STRING(NULL, &p, (long)point->len);
    if (build && raw && curve && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, ASN1_STRING_get0_data(raw),
                                         (size_t)ASN1_STRING_length(raw)))
        result = encode("EC", build, ret, err);
    else
        result = chsm_fail(err, CHSM_PKCS11, "not a usable EC public key");
    ASN1_OCTET_STRING_free(raw);
    OSSL_PARAM_BLD_free(build);
    return result;
}

int sim_spki_check_value(const struct chsm_bytes *spki, unsigned char out[3], struct chsm_err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(spki->p, spki->len, digest, NULL, EVP_sha1(), NULL) != 1)
        return chsm_fail(err, CHSM_PKCS11, "SHA-1 is not available");
    memcpy(out, digest, 3);
    return 0;
}
