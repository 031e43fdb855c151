/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings, digests and randomness, all of them OpenSSL's. */
#ifndef CHSM_UTIL_ENC_H
#define CHSM_UTIL_ENC_H

#include "util/err.h"

/* A piece of memory with its size; p is NULL when len is 0. */
struct chsm_bytes {
    unsigned char *p;
    size_t len;
};

void chsm_bytes_done(struct chsm_bytes *b);
#define AUTO_BYTES AUTO(chsm_bytes_done)

/* Copies n bytes; what b held before is freed. */
CHSM_MUST_CHECK int chsm_bytes_set(struct chsm_bytes *b, const void *p, size_t n, struct chsm_err *err);
bool chsm_bytes_eq(const struct chsm_bytes *a, const struct chsm_bytes *b);

/* Lower-case hexadecimal; NULL when out of memory. The caller frees it. */
char *chsm_hex(const void *p, size_t n);

/* Both cases, nothing else in between; CHSM_CONFIG otherwise. "" gives no bytes. */
CHSM_MUST_CHECK int chsm_unhex(const char *hex, struct chsm_bytes *ret, struct chsm_err *err);

/* Standard base64 with padding, one line; NULL when out of memory. */
char *chsm_base64(const void *p, size_t n);
CHSM_MUST_CHECK int chsm_unbase64(const char *text, struct chsm_bytes *ret, struct chsm_err *err);

/* base64url without padding (RFC 7515 §2). */
char *chsm_base64url(const void *p, size_t n);

/* For check values only, which are SHA-1 by definition: it protects nothing. */
#define CHSM_SHA1_LEN 20
void chsm_sha1(const void *p, size_t n, unsigned char out[CHSM_SHA1_LEN]);

#define CHSM_SHA256_LEN 32
void chsm_sha256(const void *p, size_t n, unsigned char out[CHSM_SHA256_LEN]);

/* SHA-256 as 64 hexadecimal digits and a NUL. */
void chsm_sha256_hex(const void *p, size_t n, char out[65]);

/* SHA-256 of a whole file as hexadecimal. */
CHSM_MUST_CHECK int chsm_sha256_file(const char *path, char out[65], struct chsm_err *err);

/* n bytes from OpenSSL's generator. */
CHSM_MUST_CHECK int chsm_random(void *p, size_t n, struct chsm_err *err);

/* A random UUID (RFC 9562 version 4), lower case, with its NUL. */
CHSM_MUST_CHECK int chsm_uuid(char out[37], struct chsm_err *err);

#endif
