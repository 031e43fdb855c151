/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <pthread.h>

#include "pkcs11/curve.h"

#define POINT_MAX 133u          /* P-521, uncompressed */

static const int quick[] = { NID_X9_62_prime192v1, NID_secp224r1, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1, NID_secp256k1 };

/* Made when first needed, kept to the end, never changed: any thread may compute with them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct known { int nid; unsigned bits; EC_GROUP *group; } known[128];
static size_t nknown;

static struct known make(int nid)
{
    struct known k = { .nid = nid, .group = EC_GROUP_new_by_curve_name(nid) };
    int bits = k.group ? EC_GROUP_get_degree(k.group) : 0;

    ERR_clear_error();
    k.bits = bits > 0 ? (unsigned)bits : 0;
    return k;
}

/* The curve; made anew, and the caller's to free, when there is no room to keep it (*ret_mine). */
static struct known look_up(int nid, bool *ret_mine)
{
    struct known k = { .nid = NID_undef };

    *ret_mine = false;
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < nknown && k.nid == NID_undef; i++)
        if (known[i].nid == nid)
            k = known[i];
    if (k.nid == NID_undef) {
        k = make(nid);
        *ret_mine = nknown == ARRAY_LEN(known);
        if (!*ret_mine)
            known[nknown++] = k;
    }
    (void)pthread_mutex_unlock(&lock);
    return k;
}

unsigned chsm_curve_bits(int nid)
{
    bool mine = false;
    struct known k = { 0 };

    if (nid == NID_undef)
        return 0;
    k = look_up(nid, &mine);
    if (mine)
        EC_GROUP_free(k.group);
    return k.bits;
}

/* Tag and length (X.690 §8.1); contents here are shorter than 64 KiB. Returns the end. */
static unsigned char *head(unsigned char *at, unsigned char tag, size_t n)
{
    *at++ = tag;
    if (n >= 0x100) {
        *at++ = 0x82;
        *at++ = (unsigned char)(n >> 8);
    } else if (n >= 0x80) {
        *at++ = 0x81;
    }
    *at++ = (unsigned char)n;
    return at;
}

static size_t head_len(size_t n)
{
    return n >= 0x100 ? 4 : n >= 0x80 ? 3 : 2;
}

/* SEQUENCE { SEQUENCE { id-ecPublicKey, namedCurve }, BIT STRING } (RFC 5480 §2) */
static int encode(int nid, const unsigned char *point, size_t n, struct chsm_bytes *ret, struct chsm_err *err)
{
    static const unsigned char id[] = { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
    const ASN1_OBJECT *curve = OBJ_nid2obj(nid);
    size_t oid = OBJ_length(curve), algorithm = sizeof id + head_len(oid) + oid, bits = n + 1;
    unsigned char der[POINT_MAX + 64], *at = der;

    if (oid > 16)
        return 0;
    at = head(at, 0x30, head_len(algorithm) + algorithm + head_len(bits) + bits);
    at = head(at, 0x30, algorithm);
    memcpy(at, id, sizeof id);
    at = head(at + sizeof id, 0x06, oid);
    memcpy(at, OBJ_get0_data(curve), oid);
    at = head(at + oid, 0x03, bits);
    *at++ = 0;
    memcpy(at, point, n);
    return chsm_bytes_set(ret, der, (size_t)(at - der) + n, err) < 0 ? -1 : 1;
}

int chsm_curve_spki(int nid, const struct chsm_bytes *point, struct chsm_bytes *ret, struct chsm_err *err)
{
    unsigned char plain[POINT_MAX];
    EC_POINT *p = NULL;
    bool mine = false;
    struct known k;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(quick) && n == 0; i++)
        n = quick[i] == nid;
    if (n == 0 || point->len < 2 || point->len > POINT_MAX)
        return 0;
    k = look_up(nid, &mine);
    p = k.group ? EC_POINT_new(k.group) : NULL;
    /* Reading a point checks that it is on the curve. */
    n = p && EC_POINT_oct2point(k.group, p, point->p, point->len, NULL) == 1 && !EC_POINT_is_at_infinity(k.group, p)
            ? EC_POINT_point2oct(k.group, p, POINT_CONVERSION_UNCOMPRESSED, plain, sizeof plain, NULL)
            : 0;
    EC_POINT_free(p);
    if (mine)
        EC_GROUP_free(k.group);
    ERR_clear_error();
    return n > 0 ? encode(nid, plain, n, ret, err) : 0;
}
