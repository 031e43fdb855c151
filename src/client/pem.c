/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <limits.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "client/pem.h"

#define SMALL_BITS 64  /* no private number of a real key is as short as this */
#define HANDLE_MIN 6u  /* the least that published outputs show; RSA's own small numbers are below or odd exponents */
#define BLOCKS_MAX 64u /* of one file */

enum { INTEGER = 0x02, OCTETS = 0x04, SEQUENCE = 0x30 };

/* What is left of a DER value. */
struct der {
    const unsigned char *p;
    size_t n;
};

/* Takes the next value; false when there is none, or it is cut. */
static bool take(struct der *in, unsigned *ret_tag, struct der *ret)
{
    size_t len, more;

    if (in->n < 2)
        return false;
    *ret_tag = in->p[0];
    len = in->p[1];
    more = len & 0x80 ? len & 0x7f : 0;
    if (more > 4 || in->n < 2 + more || (len == 0x80))
        return false;
    for (size_t i = 0; i < more; i++)
        len = i == 0 ? in->p[2] : len << 8 | in->p[2 + i];
    if (len > in->n - 2 - more)
        return false;
    *ret = (struct der){ in->p + 2 + more, len };
    in->p += 2 + more + len;
    in->n -= 2 + more + len;
    return true;
}

static bool take_tag(struct der *in, unsigned wanted, struct der *ret)
{
    unsigned tag;

    return take(in, &tag, ret) && tag == wanted;
}

/* The number, when it has at most 32 bits and could be a handle; else 0. */
static uint32_t small_number(struct der v)
{
    uint32_t n = 0;

    while (v.n > 0 && *v.p == 0)
        v.p++, v.n--;
    if (v.n > 4)
        return 0;
    for (size_t i = 0; i < v.n; i++)
        n = n << 8 | v.p[i];
    return n >= HANDLE_MIN ? n : 0;
}

static size_t bits(struct der v)
{
    while (v.n > 0 && *v.p == 0)
        v.p++, v.n--;
    return v.n * 8;
}

/* RSAPrivateKey (RFC 8017 §A.1.2): version, n, e, d, p, q, dp, dq, qinv. */
static enum chsm_pem judge_rsa(struct der key, uint32_t *handle)
{
    struct der v[9];
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *n = NULL, *p = NULL, *q = NULL, *product = BN_secure_new();
    enum chsm_pem is = CHSM_PEM_NONE;

    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        if (!take_tag(&key, INTEGER, &v[i]) || v[i].n > 4096)
            goto out;
    n = BN_bin2bn(v[1].p, (int)v[1].n, NULL);
    p = BN_bin2bn(v[4].p, (int)v[4].n, NULL);
    q = BN_bin2bn(v[5].p, (int)v[5].n, NULL);
    if (!ctx || !n || !p || !q || !product || BN_mul(product, p, q, ctx) != 1)
        goto out;
    is = BN_cmp(product, n) == 0 && bits(v[3]) > SMALL_BITS ? CHSM_PEM_REAL : CHSM_PEM_FAKE;
    for (size_t i = 3; is == CHSM_PEM_FAKE && i < ARRAY_LEN(v) && *handle == 0; i++)
        *handle = small_number(v[i]);
out:
    BN_free(n);
    BN_clear_free(p);
    BN_clear_free(q);
    BN_clear_free(product);
    BN_CTX_free(ctx);
    return is;
}

/* Whether the number is that of the point; a key without one is held against nothing. */
static bool fits_point(const unsigned char *der, size_t n)
{
    const unsigned char *p = der;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)n);
    EVP_PKEY_CTX *ctx = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool fits = !ctx || EVP_PKEY_pairwise_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return fits;
}

/* ECPrivateKey (RFC 5915 §3): version 1, the number, and perhaps curve and point. */
static enum chsm_pem judge_ec(struct der key, struct der whole, uint32_t *handle)
{
    struct der version, number;

    if (!take_tag(&key, INTEGER, &version) || !take_tag(&key, OCTETS, &number))
        return CHSM_PEM_NONE;
    if (bits(number) > SMALL_BITS && fits_point(whole.p, whole.n))
        return CHSM_PEM_REAL;
    *handle = small_number(number);
    return CHSM_PEM_FAKE;
}

/* A key of either form, or one inside PrivateKeyInfo (RFC 5208 §5): version, algorithm, the key as octets. */
static enum chsm_pem judge_key(struct der der, uint32_t *handle, bool inside)
{
    struct der whole = der, key, first, second, third;
    unsigned tag;

    if (!take_tag(&der, SEQUENCE, &key))
        return CHSM_PEM_NONE;
    der = key;
    if (!take_tag(&der, INTEGER, &first) || !take(&der, &tag, &second))
        return CHSM_PEM_NONE;
    if (tag == SEQUENCE && !inside && take_tag(&der, OCTETS, &third)) {
        enum chsm_pem is = judge_key(third, handle, /* inside= */ true);

        return is == CHSM_PEM_REAL && !fits_point(whole.p, whole.n) ? CHSM_PEM_FAKE : is;
    }
    return tag == INTEGER ? judge_rsa(key, handle) : tag == OCTETS ? judge_ec(key, whole, handle) : CHSM_PEM_NONE;
}

static bool is_private(const char *name)
{
    return strcmp(name, PEM_STRING_PKCS8INF) == 0 || strcmp(name, PEM_STRING_RSA) == 0 ||
           strcmp(name, PEM_STRING_ECPRIVATEKEY) == 0;
}

enum chsm_pem chsm_pem_judge(const char *text, size_t n, uint32_t *ret_handle)
{
    BIO *bio = n > 0 && n < INT_MAX ? BIO_new_mem_buf(text, (int)n) : NULL;
    enum chsm_pem worst = CHSM_PEM_NONE;
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;

    *ret_handle = 0;
    for (unsigned i = 0; bio && i < BLOCKS_MAX && PEM_read_bio(bio, &name, &header, &data, &len) == 1; i++) {
        uint32_t handle = 0;
        enum chsm_pem is = is_private(name) && !*header
                               ? judge_key((struct der){ data, (size_t)len }, &handle, /* inside= */ false)
                               : CHSM_PEM_NONE;

        if (is > worst) {
            worst = is;
            *ret_handle = handle;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)len);
    }
    BIO_free(bio);
    ERR_clear_error();
    return worst;
}
