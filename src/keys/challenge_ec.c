/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to keys on elliptic curves. What a key can is told by its public key: modules disagree about key types. */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "keys/challenge_ways.h"

#define SHARED_MAX 128u
#define POINT_MAX 256u

/* Our half of the agreement: PKCS#8, so that others can agree again with the source's public key. */
static int keep_private(EVP_PKEY *mine, struct chsm_challenge *c, struct chsm_err *err)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(mine);
    unsigned char *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    int rc = n > 0 ? chsm_bytes_set(&c->opening, der, (size_t)n, err) : chsm_oom(err);

    if (n > 0)
        OPENSSL_clear_free(der, (size_t)n);
    PKCS8_PRIV_KEY_INFO_free(info);
    return rc;
}

/* ANSI X9.63 with SHA-256, no shared info, one block: in place, *n bytes of at most SHARED_MAX. */
static void x963(unsigned char *shared, size_t *n)
{
    unsigned char in[SHARED_MAX + 4];

    memcpy(in, shared, *n);
    memcpy(in + *n, (const unsigned char[]){ 0, 0, 0, 1 }, 4);
    chsm_sha256(in, *n + 4, shared);
    *n = CHSM_SHA256_LEN;
    OPENSSL_cleanse(in, sizeof in);
}

/* Input = our point; expected = HMAC-SHA-256 of the prefix under what `mine` and `key` share. */
static int agree(EVP_PKEY *mine, EVP_PKEY *key, struct chsm_challenge *c, struct chsm_err *err)
{
    unsigned char point[POINT_MAX], shared[SHARED_MAX], mac[CHSM_SHA256_LEN];
    EVP_PKEY_CTX *dh = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
    size_t point_len = 0, n = sizeof shared;
    unsigned mac_len = 0;
    int rc = -1;
    bool agreed = dh && EVP_PKEY_derive_init(dh) == 1 && EVP_PKEY_derive_set_peer(dh, key) == 1 && EVP_PKEY_derive(dh, shared, &n) == 1 &&
                  EVP_PKEY_get_octet_string_param(mine, "encoded-pub-key", point, sizeof point, &point_len) == 1;

    if (agreed && strcmp(c->kind, CHSM_KIND_ECDH_KDF) == 0)
        x963(shared, &n);
    if (agreed && HMAC(EVP_sha256(), shared, (int)n, (const unsigned char *)CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN, mac, &mac_len))
        rc = chsm_bytes_set(&c->input, point, point_len, err) < 0 ? -1 : chsm_bytes_set(&c->expected, mac, mac_len, err);
    else
        rc = 1;
    OPENSSL_cleanse(shared, sizeof shared);
    EVP_PKEY_CTX_free(dh);
    return rc != 0 ? rc : keep_private(mine, c, err);
}

/* An ephemeral key on the same curve. */
static int agree_with(EVP_PKEY *key, struct chsm_challenge *c, struct chsm_err *err)
{
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    EVP_PKEY *mine = NULL;
    int rc;

    if (gen && EVP_PKEY_keygen_init(gen) == 1 && EVP_PKEY_generate(gen, &mine) == 1)
        rc = agree(mine, key, c, err);
    else
        rc = 1;
    EVP_PKEY_free(mine);
    EVP_PKEY_CTX_free(gen);
    ERR_clear_error();
    return rc;
}

int chsm_challenge_ec(const struct chsm_record *s, EVP_PKEY *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    bool sign = chsm_record_flag(s, "sign", false), derive = chsm_record_flag(s, "derive", false);
    const char *signature = NULL;

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
        signature = CHSM_KIND_ECDSA_SIGN;
        break;
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        signature = CHSM_KIND_EDDSA_SIGN;
        derive = false;
        break;
    case EVP_PKEY_X25519:
    case EVP_PKEY_X448:
        sign = false;
        break;
    default:
        return 1;
    }
    if (sign && attempt-- == 0)
        return chsm_challenge_message(signature, rnd, c, err);
    if (derive && attempt < 2) {
        c->kind = attempt == 0 ? CHSM_KIND_ECDH : CHSM_KIND_ECDH_KDF;
        return agree_with(key, c, err);
    }
    c->reason = sign || derive ? CHSM_REASON_NONE_LEFT : "its usage and its curve allow neither signing nor derivation";
    return 0;
}
