/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>

#include "keys/sample.h"
#include "util/buf.h"

#define SAMPLE "sample:"

int chsm_proofs_parse(const char *text, chsm_random_fn *rnd, struct chsm_proofs *ret, struct chsm_err *err)
{
    struct chsm_proofs p = { .mode = CHSM_PROOF_SAMPLE };
    AUTO_BYTES struct chsm_bytes seed = { 0 };
    unsigned long n = 0;
    char *end = NULL;

    if (strcmp(text, "all") == 0 || strcmp(text, "none") == 0) {
        *ret = (struct chsm_proofs){ .mode = *text == 'a' ? CHSM_PROOF_ALL : CHSM_PROOF_NONE };
        return 0;
    }
    errno = 0;
    if (strncmp(text, SAMPLE, strlen(SAMPLE)) == 0 && text[strlen(SAMPLE)] >= '1' && text[strlen(SAMPLE)] <= '9')
        n = strtoul(text + strlen(SAMPLE), &end, 10);
    if (!end || errno || (*end && *end != ':'))
        return chsm_fail(err, CHSM_USAGE, "\"%s\" is not known: all, none, sample:N or sample:N:SEED", text);
    if (*end == ':' && (chsm_unhex(end + 1, &seed, NULL) < 0 || seed.len != sizeof p.seed))
        return chsm_fail(err, CHSM_USAGE, "the seed of a sample has %zu hexadecimal digits", 2 * sizeof p.seed);
    if (seed.len)
        memcpy(p.seed, seed.p, sizeof p.seed);
    else if (rnd(p.seed, sizeof p.seed, err) < 0)
        return -1;
    p.n = n;
    *ret = p;
    return 0;
}

char *chsm_proofs_text(const struct chsm_proofs *p)
{
    AUTO_FREE char *seed = chsm_hex(p->seed, sizeof p->seed);

    if (p->mode != CHSM_PROOF_SAMPLE)
        return strdup(p->mode == CHSM_PROOF_ALL ? "all" : "none");
    return seed ? chsm_strf(SAMPLE "%zu:%s", p->n, seed) : NULL;
}

static bool can_prove(const struct chsm_record *r)
{
    return r->cls == CHSM_CLASS_PRIVATE || r->cls == CHSM_CLASS_SECRET;
}

/* Each part with its length, so that two keys never give the same input. */
static int add_part(struct chsm_buf *b, const void *p, size_t n)
{
    return chsm_buf_addf(b, NULL, "%zu:", n) < 0 ? -1 : chsm_buf_add(b, p, n, NULL);
}

static bool rank(const struct chsm_proofs *p, const char *login, const struct chsm_record *r, unsigned char out[CHSM_SHA256_LEN])
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(16u << 20);

    if (add_part(&b, p->seed, sizeof p->seed) < 0 || add_part(&b, login, strlen(login)) < 0 ||
        chsm_buf_addf(&b, NULL, "%lu:%lu:%u:", r->cls, r->type, r->bits) < 0 || add_part(&b, r->id.p, r->id.len) < 0 ||
        add_part(&b, r->label.p, r->label.len) < 0 || add_part(&b, r->spki.p, r->spki.len) < 0 ||
        add_part(&b, r->check_value.p, r->check_value.len) < 0)
        return false;
    chsm_sha256(b.p, b.len, out);
    return true;
}

static int by_rank(const void *a, const void *b)
{
    return memcmp(a, b, CHSM_SHA256_LEN);
}

int chsm_proofs_draw(struct chsm_proofs *p, const struct chsm_inventory *source, struct chsm_err *err)
{
    AUTO_FREE unsigned char *ranks = NULL;
    size_t n = 0;

    if (p->mode != CHSM_PROOF_SAMPLE)
        return 0;
    ranks = calloc(chsm_inventory_count(source) + 1, CHSM_SHA256_LEN);
    if (!ranks)
        return chsm_oom(err);
    for (size_t i = 0; i < source->n; i++)
        for (size_t k = 0; k < source->sections[i].n; k++)
            if (can_prove(&source->sections[i].records[k]) &&
                !rank(p, source->sections[i].login, &source->sections[i].records[k], ranks + CHSM_SHA256_LEN * n++))
                return chsm_oom(err);
    qsort(ranks, n, CHSM_SHA256_LEN, by_rank);
    /* Fewer keys than asked for: all of them. */
    memset(p->limit, 0xff, sizeof p->limit);
    if (p->n < n)
        memcpy(p->limit, ranks + CHSM_SHA256_LEN * (p->n - 1), sizeof p->limit);
    return 0;
}

bool chsm_proofs_take(const struct chsm_proofs *p, const char *login, const struct chsm_record *source)
{
    unsigned char mine[CHSM_SHA256_LEN];

    if (p->mode != CHSM_PROOF_SAMPLE)
        return p->mode == CHSM_PROOF_ALL;
    /* Out of memory: rather one proof too many. */
    return !rank(p, login, source, mine) || memcmp(mine, p->limit, sizeof mine) <= 0;
}
