/* SPDX-License-Identifier: Apache-2.0 */
/* What a key is asked. */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "keys/challenge_ways.h"

static_assert(sizeof CHSM_CHALLENGE_PREFIX - 1 == CHSM_CHALLENGE_PREFIX_LEN, "the prefix is one AES block");

/* PKCS#11's numbers (v2.40, C header): this layer includes none of its headers. */
static const unsigned long next_after[] = {
    0x07,   /* CKR_ARGUMENTS_BAD: how some modules name parameters that they do not know */
    0x10, 0x12, 0x13, /* CKR_ATTRIBUTE_READ_ONLY, _TYPE_INVALID, _VALUE_INVALID: no such session object */
    0x21,   /* CKR_DATA_LEN_RANGE */
    0x54,   /* CKR_FUNCTION_NOT_SUPPORTED */
    0x62, 0x63, /* CKR_KEY_SIZE_RANGE, CKR_KEY_TYPE_INCONSISTENT */
    0x68, 0x69, 0x6a, /* CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_NOT_WRAPPABLE, CKR_KEY_UNEXTRACTABLE */
    0x70, 0x71, /* CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID */
    0xd0, 0xd1, /* CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT */
    0xf1, 0xf2, /* CKR_UNWRAPPING_KEY_SIZE_RANGE, CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT */
    0x112,  /* CKR_WRAPPED_KEY_LEN_RANGE */
    0x114, 0x115, /* CKR_WRAPPING_KEY_SIZE_RANGE, CKR_WRAPPING_KEY_TYPE_INCONSISTENT */
    0x130, 0x140, /* CKR_DOMAIN_PARAMS_INVALID, CKR_CURVE_NOT_SUPPORTED */
};

void chsm_challenge_done(struct chsm_challenge *c)
{
    chsm_bytes_done(&c->input);
    if (c->expected.p)
        OPENSSL_cleanse(c->expected.p, c->expected.len);
    chsm_bytes_done(&c->expected);
    chsm_bytes_done(&c->opening);
    *c = (struct chsm_challenge){ 0 };
}

bool chsm_challenge_try_next(unsigned long ck_rv)
{
    for (size_t i = 0; i < ARRAY_LEN(next_after); i++)
        if (next_after[i] == ck_rv)
            return true;
    return false;
}

EVP_PKEY *chsm_challenge_key(const struct chsm_record *r, struct chsm_err *err)
{
    const unsigned char *p = r->spki.p;
    EVP_PKEY *key = r->spki.len > 0 && r->spki.len < (1u << 20) ? d2i_PUBKEY(NULL, &p, (long)r->spki.len) : NULL;

    if (!key || p != r->spki.p + r->spki.len) {
        EVP_PKEY_free(key);
        (void)chsm_fail(err, CHSM_CONFIG, "the recorded public key cannot be read");
        return NULL;
    }
    return key;
}

int chsm_challenge_message(const char *kind, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    unsigned char m[CHSM_CHALLENGE_LEN];

    memcpy(m, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN);
    if (rnd(m + CHSM_CHALLENGE_PREFIX_LEN, CHSM_CHALLENGE_NONCE_LEN, err) < 0)
        return -1;
    c->kind = kind;
    return chsm_bytes_set(&c->input, m, sizeof m, err);
}

static int make_private(const struct chsm_record *s, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err)
{
    bool rsa = s->type == CHSM_TYPE_RSA;
    EVP_PKEY *key;
    int rc;

    if (!rsa && s->type != CHSM_TYPE_EC && s->type != CHSM_TYPE_EC_EDWARDS && s->type != CHSM_TYPE_EC_MONTGOMERY) {
        c->reason = "there is no proof for this key type";
        return 0;
    }
    if (s->spki.len == 0) {
        c->reason = "its public key is not known from the source";
        return 0;
    }
    key = chsm_challenge_key(s, NULL);
    rc = !key ? 1 : rsa ? chsm_challenge_rsa(s, key, attempt, rnd, c, err) : chsm_challenge_ec(s, key, attempt, rnd, c, err);
    EVP_PKEY_free(key);
    if (rc > 0) {
        /* One damaged record is no reason to prove nothing at all, and none to pass this key. */
        chsm_challenge_done(c);
        c->reason = "its recorded public key cannot be used";
        c->possible = true;
    }
    return rc < 0 ? -1 : 0;
}

int chsm_challenge_make(const struct chsm_record *source, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err)
{
    struct chsm_challenge c = { 0 };
    int rc = 0;

    if (source->cls == CHSM_CLASS_SECRET)
        rc = chsm_challenge_recorded(source, attempt, &c, err);
    else if (source->cls == CHSM_CLASS_PRIVATE)
        rc = make_private(source, attempt, rnd, &c, err);
    else
        c.reason = "it is neither a private nor a secret key";
    if (rc < 0) {
        chsm_challenge_done(&c);
        return -1;
    }
    *ret = c;
    return 0;
}
