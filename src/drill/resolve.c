/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that nothing tells apart can still be told apart by what they do. */
#include "config.h"

#include "drill/ask.h"
#include "drill/reader.h"
#include "keys/order.h"

#define CANDIDATES_MAX 24u      /* of one key: more would be a search, and every question is a use of a key */

struct candidate {
    size_t finding;
    unsigned distance;
};

static int by_distance(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return x->distance != y->distance ? (x->distance > y->distance) - (x->distance < y->distance) : (x->finding > y->finding) - (x->finding < y->finding);
}

static size_t collect(const struct chsm_comparison *c, size_t source, struct candidate out[CANDIDATES_MAX])
{
    size_t n = 0;

    for (size_t i = source + 1; i < c->n && n < CANDIDATES_MAX; i++)
        if (chsm_finding_candidate(&c->findings[source], &c->findings[i]))
            out[n++] = (struct candidate){ i, chsm_record_distance(c->findings[source].source, c->findings[i].destination) };
    qsort(out, n, sizeof *out, by_distance);
    return n;
}

/* 1 when the candidate has proven to be the key, and is paired with it; 0 when not; -1 when the session is gone. */
static int try_candidate(struct chsm_hsm *hsm, struct chsm_comparison *c, size_t source, size_t destination, struct chsm_err *err)
{
    const struct chsm_record *key = c->findings[source].source;
    AUTO_ASKED struct chsm_asked a = { 0 };
    int rc = chsm_ask(hsm, c->findings[destination].destination->index, key, chsm_challenge_make, &a, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (chsm_challenge_check(key, &a.c, &a.answer, NULL) != 1)
        return 0;
    if (chsm_comparison_pair(c, source, destination, err) < 0)
        return -1;
    return chsm_finding_prove(&c->findings[source], &a.c, &a.answer, 1, NULL, err) < 0 ? -1 : 1;
}

int chsm_reader_resolve(const struct chsm_reader *r, struct chsm_hsm *hsm, struct chsm_comparison *c, size_t first, struct chsm_err *err)
{
    for (size_t i = first; i < c->n; i++) {
        struct candidate candidates[CANDIDATES_MAX];
        size_t n;
        int rc = 0;

        if (c->findings[i].verdict != CHSM_V_AMBIGUOUS || !c->findings[i].source ||
            !chsm_proofs_take(&r->proofs, c->findings[i].login, c->findings[i].source))
            continue;
        n = collect(c, i, candidates);
        for (size_t k = 0; k < n && rc == 0; k++)
            rc = try_candidate(hsm, c, i, candidates[k].finding, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}
