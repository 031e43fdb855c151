/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "keys/record.h"
#include "pkcs11/curve.h"
#include "pkcs11/spki.h"

#define RSA_BYTES_MAX 2048u         /* 16,384 bits, OpenSSL's own limit */

static void pkey_free(EVP_PKEY **p) { EVP_PKEY_free(*p); }
static void bn_free(BIGNUM **p) { BN_free(*p); }
static void params_free(OSSL_PARAM **p) { OSSL_PARAM_free(*p); }
static void bld_free(OSSL_PARAM_BLD **p) { OSSL_PARAM_BLD_free(*p); }
static void ctx_free(EVP_PKEY_CTX **p) { EVP_PKEY_CTX_free(*p); }
static void object_free(ASN1_OBJECT **p) { ASN1_OBJECT_free(*p); }
static void x509_free(X509 **p) { X509_free(*p); }

/* Curves that are keys of their own kind in OpenSSL, by both of their names in CKA_EC_PARAMS. */
static const struct special { const char *name, *printable; int nid; unsigned bits; size_t len; } specials[] = {
    { "Ed25519", "edwards25519", NID_ED25519, 255, 32 },
    { "Ed448", "edwards448", NID_ED448, 448, 57 },
    { "X25519", "curve25519", NID_X25519, 255, 32 },
    { "X448", "curve448", NID_X448, 448, 56 },
};

static int openssl_fail(struct chsm_err *err, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    (void)chsm_fail(err, CHSM_PKCS11, "%s (%s)", what, reason ? reason : "no reason given");
    ERR_clear_error();
    return -1;
}

static int encode(EVP_PKEY *key, struct chsm_bytes *ret, struct chsm_err *err)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);

    if (n <= 0)
        return openssl_fail(err, "a public key cannot be encoded");
    chsm_bytes_done(ret);
    /* OpenSSL's memory is malloc()ed, too, but that is not promised. */
    n = chsm_bytes_set(ret, der, (size_t)n, err);
    OPENSSL_free(der);
    return n;
}

/* A public key from OpenSSL parameters; NULL when they make none. */
static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *bld)
{
    AUTO(params_free) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    AUTO(ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) <= 0 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        return NULL;
    return key;
}

int chsm_spki_rsa(const struct chsm_bytes *modulus, const struct chsm_bytes *exponent, struct chsm_bytes *ret,
                  struct chsm_err *err)
{
    AUTO(bn_free) BIGNUM *n = NULL;
    AUTO(bn_free) BIGNUM *e = NULL;
    AUTO(bld_free) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    AUTO(pkey_free) EVP_PKEY *key = NULL;

    if (modulus->len > RSA_BYTES_MAX || exponent->len > RSA_BYTES_MAX)
        return chsm_fail(err, CHSM_PKCS11, "an RSA modulus of %zu bytes is too large", modulus->len);
    n = BN_bin2bn(modulus->p, (int)modulus->len, NULL);
    e = BN_bin2bn(exponent->p, (int)exponent->len, NULL);
    if (!bld || !n || !e)
        return chsm_oom(err);
    if (BN_num_bits(n) < 512 || !BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) || BN_cmp(e, n) >= 0)
        return chsm_fail(err, CHSM_PKCS11, "modulus and exponent are no RSA key");
    if (!OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) || !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
        return chsm_oom(err);
    key = from_params("RSA", bld);
    return key ? encode(key, ret, err) : openssl_fail(err, "modulus and exponent are no RSA key");
}

static const struct special *special_of(const struct chsm_bytes *params, int nid)
{
    for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
        size_t n = strlen(specials[i].printable);

        if (nid == specials[i].nid)
            return &specials[i];
        /* PrintableString: tag, a short length, text */
        if (params->len == n + 2 && params->p[0] == 0x13 && params->p[1] == n && memcmp(params->p + 2, specials[i].printable, n) == 0)
            return &specials[i];
    }
    return NULL;
}

/* The OID of CKA_EC_PARAMS; NULL when it is none, or something follows it. */
static ASN1_OBJECT *params_oid(const struct chsm_bytes *params)
{
    const unsigned char *at = params->p;
    ASN1_OBJECT *oid = params->len > 0 && params->len < 1024 ? d2i_ASN1_OBJECT(NULL, &at, (long)params->len) : NULL;

    if (oid && at != params->p + params->len) {
        ASN1_OBJECT_free(oid);
        oid = NULL;
    }
    ERR_clear_error();
    return oid;
}

int chsm_spki_curve(const struct chsm_bytes *params, char **ret_curve, unsigned *ret_bits, struct chsm_err *err)
{
    AUTO(object_free) ASN1_OBJECT *oid = params_oid(params);
    int nid = oid ? OBJ_obj2nid(oid) : NID_undef;
    const struct special *special = special_of(params, nid);
    const char *name = special ? special->name : NULL;
    char dotted[128];
    char *curve;

    if (!oid && !special && !(params->len > 0 && params->p[0] == 0x30))
        return chsm_fail(err, CHSM_PKCS11, "EC parameters name no curve");
    if (!name && !oid)
        name = "explicit";
    if (!name)
        name = EC_curve_nid2nist(nid);
    /* prime256v1 is P-256 above; the other curves that OpenSSL can compute with go by its name for them. */
    if (!name && chsm_curve_bits(nid) > 0)
        name = OBJ_nid2sn(nid);
    if (!name) {
        int n = OBJ_obj2txt(dotted, sizeof dotted, oid, 1);

        if (n <= 0 || (size_t)n >= sizeof dotted)
            return chsm_fail(err, CHSM_PKCS11, "EC parameters name no curve");
        name = dotted;
    }
    curve = strdup(name);
    if (!curve)
        return chsm_oom(err);
    *ret_bits = special ? special->bits : nid != NID_undef ? chsm_curve_bits(nid) : 0;
    *ret_curve = curve;
    return 0;
}

/* The content of a DER OCTET STRING (or, for Edwards points, BIT STRING) that fills the bytes; false when it is none. */
static bool unwrap(const struct chsm_bytes *b, struct chsm_bytes *ret_inner)
{
    const unsigned char *at = b->p;
    long n = 0;
    int tag = 0, cls = 0;

    if (b->len < 2 || b->len > 4096 || (ASN1_get_object(&at, &n, &tag, &cls, (long)b->len) & 0x80) || cls != V_ASN1_UNIVERSAL) {
        ERR_clear_error();
        return false;
    }
    if (at + n != b->p + b->len || (tag != V_ASN1_OCTET_STRING && tag != V_ASN1_BIT_STRING))
        return false;
    if (tag == V_ASN1_BIT_STRING) {
        if (n < 1 || *at != 0)
            return false;
        at++;
        n--;
    }
    *ret_inner = (struct chsm_bytes){ (unsigned char *)(uintptr_t)at, (size_t)n };
    return true;
}

static EVP_PKEY *key_of_point(const struct special *special, int nid, const struct chsm_bytes *point)
{
    AUTO(bld_free) OSSL_PARAM_BLD *bld = NULL;

    if (special)
        return point->len == special->len ? EVP_PKEY_new_raw_public_key(special->nid, NULL, point->p, point->len) : NULL;
    /* An empty string would be the point at infinity: no key. */
    bld = point->len > 1 ? OSSL_PARAM_BLD_new() : NULL;
    if (!bld || !OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(nid), 0) ||
        !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point->p, point->len))
        return NULL;
    return from_params("EC", bld);
}

/* One key has one encoding, whatever form its point came in. */
static int encode_ec(EVP_PKEY *key, struct chsm_bytes *ret, struct chsm_err *err)
{
    AUTO(ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    if (!ctx || (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_public_check(ctx) <= 0))
        return openssl_fail(err, "the EC point is not on its curve");
    if (EVP_PKEY_is_a(key, "EC") && !EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                                                    OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED))
        return openssl_fail(err, "a public key cannot be encoded");
    return encode(key, ret, err);
}

int chsm_spki_ec(const struct chsm_bytes *params, const struct chsm_bytes *point, struct chsm_bytes *ret,
                 struct chsm_err *err)
{
    AUTO(object_free) ASN1_OBJECT *oid = params_oid(params);
    AUTO(pkey_free) EVP_PKEY *key = NULL;
    int nid = oid ? OBJ_obj2nid(oid) : NID_undef;
    const struct special *special = special_of(params, nid);
    struct chsm_bytes inner;

    if (!special && chsm_curve_bits(nid) == 0)
        return chsm_fail(err, CHSM_PKCS11, "this curve is not known to OpenSSL");
    if (unwrap(point, &inner)) {
        int rc = special ? 0 : chsm_curve_spki(nid, &inner, ret, err);

        if (rc != 0)
            return rc < 0 ? -1 : 0;
        key = key_of_point(special, nid, &inner);
    }
    if (!key)
        key = key_of_point(special, nid, point);
    return key ? encode_ec(key, ret, err) : openssl_fail(err, "the EC point is not on its curve");
}

/* The curve of a key by its name here; "" when it has none. */
static const char *curve_of(const EVP_PKEY *key)
{
    char group[64];
    const char *nist;

    for (size_t i = 0; i < ARRAY_LEN(specials); i++)
        if (EVP_PKEY_get_base_id(key) == specials[i].nid)
            return specials[i].name;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1)
        return "";
    nist = EC_curve_nid2nist(OBJ_txt2nid(group));
    return nist ? nist : OBJ_nid2sn(OBJ_txt2nid(group));
}

int chsm_spki_parse(const struct chsm_bytes *der, unsigned long type, const char *curve, struct chsm_bytes *ret, struct chsm_err *err)
{
    const unsigned char *at = der->p;
    AUTO(pkey_free) EVP_PKEY *key = der->len > 0 && der->len < INT_MAX ? d2i_PUBKEY(NULL, &at, (long)der->len) : NULL;

    if (!key || at != der->p + der->len)
        return openssl_fail(err, "no SubjectPublicKeyInfo");
    if ((type != CHSM_TYPE_EC && type != CHSM_TYPE_EC_EDWARDS && type != CHSM_TYPE_EC_MONTGOMERY) || !curve || strcmp(curve_of(key), curve) != 0)
        return chsm_fail(err, CHSM_PKCS11, "the public key is one of another kind");
    return encode_ec(key, ret, err);
}

int chsm_spki_certificate(const struct chsm_bytes *der, struct chsm_bytes *ret, struct chsm_err *err)
{
    const unsigned char *at = der->p;
    AUTO(x509_free) X509 *cert = der->len > 0 && der->len < INT_MAX ? d2i_X509(NULL, &at, (long)der->len) : NULL;
    EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

    if (!key)
        return openssl_fail(err, "no X.509 certificate, or one without a usable key");
    return encode(key, ret, err);
}
