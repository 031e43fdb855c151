/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few DER structures are written by hand: every read of a check value needs one, and OpenSSL's way there (a key from
 * parameters, checked, then encoded) costs more than all the rest of such a read. It also knows fewer curves.
 */
#include "config.h"

#include <openssl/evp.h>

#include "sim/keystore_spki.h"
#include "util/buf.h"

#define TAG_INTEGER 0x02
#define TAG_BIT_STRING 0x03
#define TAG_OCTET_STRING 0x04
#define TAG_OID 0x06
#define TAG_PRINTABLE 0x13
#define TAG_SEQUENCE 0x30
#define SPKI_MAX 8192u

/* AlgorithmIdentifier of RSA keys, and the object identifiers of the others (RFC 8017 A.1, RFC 5480 §2.1.1, RFC 8410 §3). */
static const unsigned char rsa_algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
static const unsigned char ec_oid[] = { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const unsigned char ed25519_oid[] = { 0x06, 0x03, 0x2b, 0x65, 0x70 };
static const unsigned char ed448_oid[] = { 0x06, 0x03, 0x2b, 0x65, 0x71 };

/* Tag and length of an element whose n < 65536 bytes of content follow. */
static int put_head(struct chsm_buf *b, unsigned char tag, size_t n, struct chsm_err *err)
{
    const unsigned char head[] = { tag, 0x82, (unsigned char)(n >> 8), (unsigned char)n };
    const unsigned char middle[] = { tag, 0x81, (unsigned char)n };
    const unsigned char small[] = { tag, (unsigned char)n };

    if (n < 0x80)
        return chsm_buf_add(b, small, sizeof small, err);
    return n < 0x100 ? chsm_buf_add(b, middle, sizeof middle, err) : chsm_buf_add(b, head, sizeof head, err);
}

static int put(struct chsm_buf *b, unsigned char tag, const void *p, size_t n, struct chsm_err *err)
{
    return put_head(b, tag, n, err) < 0 ? -1 : chsm_buf_add(b, p, n, err);
}

/* An unsigned big-endian number as INTEGER: without leading zeros, but one where the first bit is set. */
static int put_number(struct chsm_buf *b, const struct chsm_bytes *value, struct chsm_err *err)
{
    const unsigned char *p = value->p;
    size_t n = value->len;
    bool sign;

    while (n > 1 && p[0] == 0) {
        p++;
        n--;
    }
    sign = n == 0 || p[0] & 0x80;
    if (put_head(b, TAG_INTEGER, n + sign, err) < 0 || (sign && chsm_buf_add(b, "", 1, err) < 0))
        return -1;
    return n ? chsm_buf_add(b, p, n, err) : 0;
}

/* SEQUENCE { algorithm, BIT STRING { key } } */
static int wrap(const void *algorithm, size_t algorithm_len, const void *key, size_t key_len, struct chsm_bytes *ret,
                struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf inner = CHSM_BUF(SPKI_MAX);
    AUTO_BUF struct chsm_buf all = CHSM_BUF(SPKI_MAX);

    if (chsm_buf_add(&inner, algorithm, algorithm_len, err) < 0 || put_head(&inner, TAG_BIT_STRING, key_len + 1, err) < 0 ||
        chsm_buf_add(&inner, "", 1, err) < 0 || chsm_buf_add(&inner, key, key_len, err) < 0 ||
        put(&all, TAG_SEQUENCE, inner.p, inner.len, err) < 0)
        return -1;
    return chsm_bytes_set(ret, all.p, all.len, err);
}

int sim_spki_rsa(const struct chsm_bytes *modulus, const struct chsm_bytes *exponent, struct chsm_bytes *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf numbers = CHSM_BUF(SPKI_MAX);
    AUTO_BUF struct chsm_buf key = CHSM_BUF(SPKI_MAX);

    if (modulus->len == 0 || exponent->len == 0)
        return chsm_fail(err, CHSM_PKCS11, "not a usable RSA public key");
    if (put_number(&numbers, modulus, err) < 0 || put_number(&numbers, exponent, err) < 0 ||
        put(&key, TAG_SEQUENCE, numbers.p, numbers.len, err) < 0)
        return -1;
    return wrap(rsa_algorithm, sizeof rsa_algorithm, key.p, key.len, ret, err);
}

/* The content of a DER OCTET STRING that fills its bytes to the end; NULL when it is none. */
static const unsigned char *octets(const struct chsm_bytes *der, size_t *n)
{
    size_t head = 2, len;

    if (der->len < 2 || der->p[0] != TAG_OCTET_STRING)
        return NULL;
    len = der->p[1];
    if (len == 0x81 && der->len > 2) {
        len = der->p[2];
        head = 3;
    } else if (len >= 0x80) {
        return NULL;
    }
    if (der->len != head + len)
        return NULL;
    *n = len;
    return der->p + head;
}

/* The algorithm of a key on that curve: Edwards curves are named by SoftHSM with a text instead of an object identifier. */
static int put_algorithm(struct chsm_buf *b, const struct chsm_bytes *params, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf inner = CHSM_BUF(SPKI_MAX);
    static const char ed25519[] = "edwards25519", ed448[] = "edwards448";
    const unsigned char *text = params->p + 2;

    if (params->len == 2 + sizeof ed25519 - 1 && params->p[0] == TAG_PRINTABLE && memcmp(text, ed25519, sizeof ed25519 - 1) == 0)
        return put(b, TAG_SEQUENCE, ed25519_oid, sizeof ed25519_oid, err);
    if (params->len == 2 + sizeof ed448 - 1 && params->p[0] == TAG_PRINTABLE && memcmp(text, ed448, sizeof ed448 - 1) == 0)
        return put(b, TAG_SEQUENCE, ed448_oid, sizeof ed448_oid, err);
    if (chsm_buf_add(&inner, ec_oid, sizeof ec_oid, err) < 0 || chsm_buf_add(&inner, params->p, params->len, err) < 0)
        return -1;
    return put(b, TAG_SEQUENCE, inner.p, inner.len, err);
}

int sim_spki_ec(const struct chsm_bytes *params, const struct chsm_bytes *point, struct chsm_bytes *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf algorithm = CHSM_BUF(SPKI_MAX);
    const unsigned char *raw;
    size_t n;

    raw = octets(point, &n);
    if (params->len < 3 || (params->p[0] != TAG_OID && params->p[0] != TAG_PRINTABLE) || !raw)
        return chsm_fail(err, CHSM_PKCS11, "not a usable EC public key");
    return put_algorithm(&algorithm, params, err) < 0 ? -1 : wrap(algorithm.p, algorithm.len, raw, n, ret, err);
}

int sim_spki_check_value(const struct chsm_bytes *spki, unsigned char out[3], struct chsm_err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(spki->p, spki->len, digest, NULL, EVP_sha1(), NULL) != 1)
        return chsm_fail(err, CHSM_PKCS11, "SHA-1 is not available");
    memcpy(out, digest, 3);
    return 0;
}
