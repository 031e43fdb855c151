/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "util/enc.h"

void chsm_bytes_done(struct chsm_bytes *b)
{
    free(b->p);
    *b = (struct chsm_bytes){ 0 };
}

int chsm_bytes_set(struct chsm_bytes *b, const void *p, size_t n, struct chsm_err *err)
{
    unsigned char *copy = NULL;

    if (n) {
        copy = malloc(n);
        if (!copy)
            return chsm_oom(err);
        memcpy(copy, p, n);
    }
    chsm_bytes_done(b);
    b->p = copy;
    b->len = n;
    return 0;
}

bool chsm_bytes_eq(const struct chsm_bytes *a, const struct chsm_bytes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

char *chsm_hex(const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = p;
    char *out = malloc(2 * n + 1);

    if (!out)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * n] = '\0';
    return out;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int chsm_unhex(const char *hex, struct chsm_bytes *ret, struct chsm_err *err)
{
    size_t n = strlen(hex);
    struct chsm_bytes out = { 0 };

    if (n % 2)
        return chsm_fail(err, CHSM_CONFIG, "hexadecimal text of odd length %zu", n);
    if (n && !(out.p = malloc(n / 2)))
        return chsm_oom(err);
    for (size_t i = 0; i < n; i += 2) {
        int hi = nibble(hex[i]), lo = nibble(hex[i + 1]);

        if (hi < 0 || lo < 0) {
            free(out.p);
            return chsm_fail(err, CHSM_CONFIG, "no hexadecimal digit at position %zu", i + (hi >= 0));
        }
        out.p[out.len++] = (unsigned char)(hi << 4 | lo);
    }
    chsm_bytes_done(ret);
    *ret = out;
    return 0;
}

char *chsm_base64(const void *p, size_t n)
{
    char *out = n > INT32_MAX / 2 ? NULL : malloc((n + 2) / 3 * 4 + 1);

    if (out)
        (void)EVP_EncodeBlock((unsigned char *)out, p, (int)n);
    return out;
}

char *chsm_base64url(const void *p, size_t n)
{
    char *out = chsm_base64(p, n);

    if (!out)
        return NULL;
    for (char *c = out; *c; c++) {
        if (*c == '+')
            *c = '-';
        else if (*c == '/')
            *c = '_';
        else if (*c == '=')
            *c = '\0';
    }
    return out;
}

int chsm_unbase64(const char *text, struct chsm_bytes *ret, struct chsm_err *err)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(text), pad = 0, body;
    unsigned char *out;

    while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
        pad++;
    body = n - pad;
    /* EVP_DecodeBlock forgives blanks around the text; a file format should not. */
    if (n % 4 || n > INT32_MAX || strspn(text, alphabet) != body)
        return chsm_fail(err, CHSM_CONFIG, "not base64");
    if (n == 0) {
        chsm_bytes_done(ret);
        return 0;
    }
    out = malloc(n / 4 * 3);
    if (!out)
        return chsm_oom(err);
    if (EVP_DecodeBlock(out, (const unsigned char *)text, (int)n) < 0) {
        free(out);
        return chsm_fail(err, CHSM_CONFIG, "not base64");
    }
    chsm_bytes_done(ret);
    ret->p = out;
    ret->len = n / 4 * 3 - pad;
    return 0;
}

void chsm_sha1(const void *p, size_t n, unsigned char out[CHSM_SHA1_LEN])
{
    (void)SHA1(n ? p : (const void *)"", n, out);
}

void chsm_sha256(const void *p, size_t n, unsigned char out[CHSM_SHA256_LEN])
{
    (void)SHA256(n ? p : (const void *)"", n, out);
}

static void hex_digest(const unsigned char digest[CHSM_SHA256_LEN], char out[65])
{
    for (size_t i = 0; i < CHSM_SHA256_LEN; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void chsm_sha256_hex(const void *p, size_t n, char out[65])
{
    unsigned char digest[CHSM_SHA256_LEN];

    chsm_sha256(p, n, digest);
    hex_digest(digest, out);
}

int chsm_sha256_file(const char *path, char out[65], struct chsm_err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    unsigned char digest[CHSM_SHA256_LEN], chunk[16384];
    EVP_MD_CTX *ctx;
    ssize_t got = 0;
    int ok;

    if (fd < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot open %s", path);
    ctx = EVP_MD_CTX_new();
    ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    while (ok && (got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        ok = got > 0 && EVP_DigestUpdate(ctx, chunk, (size_t)got) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return chsm_fail(err, CHSM_CONFIG, "cannot read %s", path);
    hex_digest(digest, out);
    return 0;
}

int chsm_random(void *p, size_t n, struct chsm_err *err)
{
    if (n > INT32_MAX || RAND_bytes(p, (int)n) != 1)
        return chsm_fail(err, CHSM_CONFIG, "no random bytes from OpenSSL");
    return 0;
}

int chsm_uuid(char out[37], struct chsm_err *err)
{
    unsigned char b[16];

    if (chsm_random(b, sizeof b, err) < 0)
        return -1;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
                   b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return 0;
}
