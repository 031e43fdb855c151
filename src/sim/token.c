/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/evp.h>

#include "sim/token.h"
#include "util/enc.h"

#define TICKS_1970 INT64_C(621355968000000000)     /* .NET counts 100 ns from the year 1 */
#define CERTIFICATE_BYTES 2226                     /* 2968 characters of base64url, as recorded */
#define TOKEN_MAX 16384

static int sign(EVP_PKEY *key, const char *text, size_t n, struct chsm_bytes *ret, struct chsm_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char out[1024];
    size_t len = sizeof out;
    int ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(ctx, out, &len, (const unsigned char *)text, n) == 1;

    EVP_MD_CTX_free(ctx);
    return ok ? chsm_bytes_set(ret, out, len, err) : chsm_fail(err, CHSM_SERVICE, "the simulator could not sign");
}

static bool verify(EVP_PKEY *key, const char *text, size_t n, const struct chsm_bytes *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestVerify(ctx, signature->p, signature->len, (const unsigned char *)text, n) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

int sim_unbase64url(const char *text, size_t n, struct chsm_bytes *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(TOKEN_MAX);

    if (chsm_buf_add(&b, text, n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        b.p[i] = (char)(b.p[i] == '-' ? '+' : b.p[i] == '_' ? '/' : b.p[i]);
    if (n % 4 && chsm_buf_add(&b, "===", 4 - n % 4, err) < 0)
        return -1;
    return chsm_unbase64(chsm_buf_str(&b), ret, err);
}

/* Appends base64url(JSON text) and steals the value. */
static int add_part(struct chsm_buf *out, json_t *part, struct chsm_err *err)
{
    AUTO_FREE char *text = part ? json_dumps(part, JSON_COMPACT) : NULL;
    AUTO_FREE char *coded = text ? chsm_base64url(text, strlen(text)) : NULL;

    json_decref(part);
    return coded ? chsm_buf_adds(out, coded, err) : chsm_oom(err);
}

/* The claims of an app-only token, and what makes it answerable to claims challenges. */
static json_t *token_claims(const struct sim_claims *c, const char *issuer, const char *jti)
{
    json_int_t issued = c->issued / 1000, expires = c->expires / 1000;
    json_t *claims = json_pack("{s:s,s:s,s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "aud", c->audience, "iss", issuer, "iat", issued,
                               "nbf", issued, "exp", expires, "appid", c->client_id, "appidacr", "1", "idtyp", "app", "oid", c->object_id,
                               "tid", c->tenant, "uti", jti, "ver", "1.0");

    if (claims && ((c->cae && json_object_set_new(claims, "xms_cc", json_pack("[s]", "cp1")) < 0) ||
                   (c->not_before && json_object_set_new(claims, "sim_nbf", json_integer(c->not_before)) < 0))) {
        json_decref(claims);
        return NULL;
    }
    return claims;
}

int sim_token_make(EVP_PKEY *key, const struct sim_claims *c, char **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF_SECRET(TOKEN_MAX);
    AUTO_BYTES struct chsm_bytes signature = { 0 };
    AUTO_FREE char *coded = NULL;
    AUTO_FREE char *issuer = chsm_strf("https://sts.windows.net/%s/", c->tenant);
    char jti[37];

    if (!issuer)
        return chsm_oom(err);
    if (chsm_uuid(jti, err) < 0 || add_part(&out, json_pack("{s:s,s:s}", "typ", "JWT", "alg", "RS256"), err) < 0 ||
        chsm_buf_adds(&out, ".", err) < 0 || add_part(&out, token_claims(c, issuer, jti), err) < 0 ||
        sign(key, out.p, out.len, &signature, err) < 0)
        return -1;
    coded = chsm_base64url(signature.p, signature.len);
    if (!coded)
        return chsm_oom(err);
    if (chsm_buf_addf(&out, err, ".%s", coded) < 0)
        return -1;
    *ret = chsm_buf_take(&out);
    return *ret ? 0 : chsm_oom(err);
}

int sim_token_check(EVP_PKEY *key, const char *token, json_t **ret, struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes signature = { 0 };
    AUTO_BYTES struct chsm_bytes claims = { 0 };
    const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;

    if (!second || strlen(token) > TOKEN_MAX || sim_unbase64url(second + 1, strlen(second + 1), &signature, err) < 0 ||
        sim_unbase64url(first + 1, (size_t)(second - first - 1), &claims, err) < 0 || !verify(key, token, (size_t)(second - token), &signature))
        return chsm_fail(err, CHSM_AUTH, "the access token is invalid");
    return chsm_json_parse((const char *)claims.p, claims.len, "token", CHSM_AUTH, ret, err);
}

/* Something of a certificate's length that is the same each time: nobody checks it, its length is what matters. */
static char *certificate_text(EVP_PKEY *key)
{
    unsigned char bytes[CERTIFICATE_BYTES];
    size_t have = 0;
    unsigned char digest[CHSM_SHA256_LEN];
    int bits = EVP_PKEY_get_bits(key);

    chsm_sha256(&bits, sizeof bits, digest);
    while (have < sizeof bytes) {
        size_t n = sizeof bytes - have < sizeof digest ? sizeof bytes - have : sizeof digest;

        memcpy(bytes + have, digest, n);
        have += n;
        chsm_sha256(digest, sizeof digest, digest);
    }
    return chsm_base64url(bytes, sizeof bytes);
}

int sim_url_sign(EVP_PKEY *key, const char *path, const char *version, int64_t now, char **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(TOKEN_MAX);
    AUTO_BYTES struct chsm_bytes signature = { 0 };
    AUTO_FREE char *certificate = certificate_text(key);
    AUTO_FREE char *s = NULL;
    AUTO_FREE char *h = NULL;
    unsigned char digest[CHSM_SHA256_LEN];

    if (!certificate)
        return chsm_oom(err);
    if (chsm_buf_addf(&out, err, "%s?api-version=%s&t=%lld&c=%s", path, version, (long long)(TICKS_1970 + now * 10000), certificate) < 0 ||
        sign(key, out.p, out.len, &signature, err) < 0)
        return -1;
    chsm_sha256(out.p, out.len, digest);
    s = chsm_base64url(signature.p, signature.len);
    h = chsm_base64url(digest, sizeof digest);
    if (!s || !h)
        return chsm_oom(err);
    if (chsm_buf_addf(&out, err, "&s=%s&h=%s", s, h) < 0)
        return -1;
    *ret = chsm_buf_take(&out);
    return *ret ? 0 : chsm_oom(err);
}

bool sim_url_ok(EVP_PKEY *key, const char *target)
{
    AUTO_BYTES struct chsm_bytes signature = { 0 };
    AUTO_FREE char *h = NULL;
    const char *s = strstr(target, "&s="), *end = s ? strstr(s, "&h=") : NULL;
    unsigned char digest[CHSM_SHA256_LEN];

    if (!end || sim_unbase64url(s + 3, (size_t)(end - s - 3), &signature, NULL) < 0)
        return false;
    chsm_sha256(target, (size_t)(s - target), digest);
    h = chsm_base64url(digest, sizeof digest);
    return chsm_streq(end + 3, h) && verify(key, target, (size_t)(s - target), &signature);
}
