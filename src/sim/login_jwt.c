/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "sim/login.h"
#include "sim/token.h"

#define JWT_MAX 16384
#define SALT_LEN 32

void sim_jwt_done(struct sim_jwt *j)
{
    json_decref(j->header);
    json_decref(j->claims);
    chsm_bytes_done(&j->signature);
    *j = (struct sim_jwt){ 0 };
}

static json_t *part(const char *text, size_t n)
{
    AUTO_BYTES struct chsm_bytes bytes = { 0 };
    json_t *value = NULL;

    if (sim_unbase64url(text, n, &bytes, NULL) < 0 ||
        chsm_json_parse((const char *)bytes.p, bytes.len, "token", CHSM_AUTH, &value, NULL) < 0)
        return NULL;
    return value;
}

int sim_jwt_parse(const char *text, struct sim_jwt *ret)
{
    AUTO(sim_jwt_done) struct sim_jwt j = { 0 };
    const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;

    if (!second || strlen(text) > JWT_MAX || strchr(second + 1, '.') || strchr(text, '='))
        return -1;
    j.covered = (size_t)(second - text);
    j.header = part(text, (size_t)(first - text));
    j.claims = part(first + 1, (size_t)(second - first - 1));
    if (!json_is_object(j.header) || !json_is_object(j.claims) ||
        sim_unbase64url(second + 1, strlen(second + 1), &j.signature, NULL) < 0)
        return -1;
    *ret = j;
    j = (struct sim_jwt){ 0 };
    return 0;
}

bool sim_jwt_verify(const struct sim_jwt *j, const char *text, EVP_PKEY *key, bool pss)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = NULL;
    int ok = ctx && EVP_DigestVerifyInit(ctx, &p, EVP_sha256(), NULL, key) == 1;

    if (ok && pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) > 0 && EVP_PKEY_CTX_set_rsa_pss_saltlen(p, SALT_LEN) > 0;
    ok = ok && EVP_DigestVerify(ctx, j->signature.p, j->signature.len, (const unsigned char *)text, j->covered) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}
