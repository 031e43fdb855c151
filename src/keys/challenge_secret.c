/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to secret keys: asked at the source, repeated at the destination. Each has one right answer. */
#include "config.h"

#include "keys/challenge_ways.h"

#define BLOCKS 48u          /* what is encrypted: the prefix and SHA-256(input) */

static const struct way {
    const char *kind;
    unsigned long type;     /* CKK_* */
    unsigned long also;     /* another type with the same mechanisms */
    const char *flag;       /* the usage that it needs */
    size_t min, max;        /* bytes of a right answer */
} ways[] = {
    { CHSM_KIND_AES_ENCRYPT, CHSM_TYPE_AES, CHSM_TYPE_AES, "encrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_CBC, CHSM_TYPE_AES, CHSM_TYPE_AES, "encrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_CTR, CHSM_TYPE_AES, CHSM_TYPE_AES, "encrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_KW, CHSM_TYPE_AES, CHSM_TYPE_AES, "encrypt", BLOCKS + 8, BLOCKS + 24 },
    { CHSM_KIND_AES_DECRYPT, CHSM_TYPE_AES, CHSM_TYPE_AES, "decrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_CBC_DEC, CHSM_TYPE_AES, CHSM_TYPE_AES, "decrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_CTR_DEC, CHSM_TYPE_AES, CHSM_TYPE_AES, "decrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_CMAC, CHSM_TYPE_AES, CHSM_TYPE_AES, "sign", 16, 16 },
    { CHSM_KIND_AES_KW_WRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "wrap", BLOCKS + 8, BLOCKS + 24 },
    { CHSM_KIND_AES_KWP_WRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "wrap", BLOCKS + 8, BLOCKS + 8 },
    { CHSM_KIND_AES_PAD_WRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "wrap", BLOCKS + 8, BLOCKS + 24 },
    { CHSM_KIND_AES_NOPAD_WRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "wrap", BLOCKS + 8, BLOCKS + 8 },
    { CHSM_KIND_AES_CBC_WRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "wrap", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_ECB_WRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "wrap", BLOCKS, BLOCKS },
    { CHSM_KIND_AES_DERIVE, CHSM_TYPE_AES, CHSM_TYPE_AES, "derive", 32, 32 },
    { CHSM_KIND_AES_CBC_UNWRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "unwrap", 32, 32 },
    { CHSM_KIND_AES_ECB_UNWRAP, CHSM_TYPE_AES, CHSM_TYPE_AES, "unwrap", 32, 32 },
    { CHSM_KIND_DES3_ENCRYPT, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "encrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_DES3_CBC, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "encrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_DES3_DECRYPT, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "decrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_DES3_CBC_DEC, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "decrypt", BLOCKS, BLOCKS },
    { CHSM_KIND_DES3_CMAC, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "sign", 8, 8 },
    { CHSM_KIND_DES3_CBC_WRAP, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "wrap", BLOCKS, BLOCKS },
    { CHSM_KIND_DES3_ECB_WRAP, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "wrap", BLOCKS, BLOCKS },
    { CHSM_KIND_DES3_CBC_UNWRAP, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "unwrap", 32, 32 },
    { CHSM_KIND_DES3_ECB_UNWRAP, CHSM_TYPE_DES3, CHSM_TYPE_DES2, "unwrap", 32, 32 },
    { CHSM_KIND_HMAC, CHSM_TYPE_GENERIC, CHSM_TYPE_SHA256_HMAC, "sign", 32, 32 },
    { CHSM_KIND_HMAC512, CHSM_TYPE_GENERIC, CHSM_TYPE_SHA512_HMAC, "sign", 64, 64 },
    { CHSM_KIND_HMAC384, CHSM_TYPE_GENERIC, CHSM_TYPE_SHA384_HMAC, "sign", 48, 48 },
    { CHSM_KIND_HMAC224, CHSM_TYPE_GENERIC, CHSM_TYPE_SHA224_HMAC, "sign", 28, 28 },
    { CHSM_KIND_HMAC1, CHSM_TYPE_GENERIC, CHSM_TYPE_SHA1_HMAC, "sign", 20, 20 },
};

static bool is_of(const struct way *w, unsigned long type)
{
    return w->type == type || w->also == type;
}

static const struct way *way_of(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if (strcmp(ways[i].kind, kind) == 0)
            return &ways[i];
    return NULL;
}

/* The attempt-th way to ask a key; NULL when there is none (left), then with a reason. */
static const struct way *choose(const struct chsm_record *key, unsigned attempt, const char **reason)
{
    bool known = false;
    unsigned seen = 0;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (!is_of(&ways[i], key->type))
            continue;
        known = true;
        if (chsm_record_flag(key, ways[i].flag, false) && seen++ == attempt)
            return &ways[i];
    }
    *reason = !known ? "there is no question for this key type" : !seen ? "its usage allows no question" : CHSM_REASON_NONE_LEFT;
    return NULL;
}

int chsm_challenge_record(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err)
{
    struct chsm_challenge c = { 0 };
    const struct way *w = NULL;

    if (key->cls == CHSM_CLASS_SECRET)
        w = choose(key, attempt, &c.reason);
    else
        c.reason = "it is no secret key";
    if (w && chsm_challenge_message(w->kind, rnd, &c, err) < 0)
        return -1;
    *ret = c;
    return 0;
}

int chsm_challenge_recorded(const struct chsm_record *s, unsigned attempt, struct chsm_challenge *c, struct chsm_err *err)
{
    const struct way *w = s->recorded.kind ? way_of(s->recorded.kind) : NULL;
    const struct chsm_bytes *input = &s->recorded.input;

    if (attempt > 0) {
        c->reason = CHSM_REASON_NONE_LEFT;
    } else if (!s->recorded.kind) {
        /* Where the source was asked and had no answer, the record says so. */
        c->possible = choose(s, 0, &c->reason) && !s->recorded.why;
        if (c->possible || s->recorded.why)
            c->reason = "no challenge was recorded at the source";
    } else if (!w || !is_of(w, s->type)) {
        c->reason = "this version does not know the recorded kind of challenge for such a key";
    } else if (input->len != CHSM_CHALLENGE_LEN || memcmp(input->p, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN) != 0) {
        /* A file must not decide what is encrypted or decrypted with the key. */
        c->reason = "the recorded question is not one that this version asks";
    } else {
        c->kind = w->kind;
        return chsm_bytes_set(&c->input, input->p, input->len, err);
    }
    return 0;
}

static bool one_byte_repeated(const struct chsm_bytes *b)
{
    for (size_t i = 1; i < b->len; i++)
        if (b->p[i] != b->p[0])
            return false;
    return true;
}

bool chsm_challenge_plausible(const char *kind, const struct chsm_bytes *input, const struct chsm_bytes *answer)
{
    const struct way *w = way_of(kind);

    return w && answer->len >= w->min && answer->len <= w->max && !one_byte_repeated(answer) && !chsm_bytes_eq(input, answer);
}

int chsm_challenge_keep(struct chsm_record *key, const struct chsm_challenge *c, const struct chsm_bytes *answer, struct chsm_err *err)
{
    bool plausible = chsm_challenge_plausible(c->kind, &c->input, answer);
    char *text = strdup(plausible ? c->kind : "the HSM gave an answer that makes no sense");

    if (!text || (plausible && chsm_bytes_set(&key->recorded.input, c->input.p, c->input.len, err) < 0)) {
        free(text);
        return chsm_oom(err);
    }
    free(key->recorded.kind);
    free(key->recorded.why);
    key->recorded.kind = plausible ? text : NULL;
    key->recorded.why = plausible ? NULL : text;
    if (plausible)
        chsm_sha256(answer->p, answer->len, key->recorded.answer_sha256);
    return 0;
}
