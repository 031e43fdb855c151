/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys are asked for a proof: all, none, or a random sample that can be drawn again from its seed. */
#ifndef CHSM_KEYS_SAMPLE_H
#define CHSM_KEYS_SAMPLE_H

#include "keys/challenge.h"
#include "keys/inventory.h"

#define CHSM_SEED_LEN 16

enum chsm_proof_mode { CHSM_PROOF_ALL, CHSM_PROOF_NONE, CHSM_PROOF_SAMPLE };

struct chsm_proofs {
    enum chsm_proof_mode mode;
    size_t n;                               /* sample: how many keys */
    unsigned char seed[CHSM_SEED_LEN];      /* sample */
    unsigned char limit[CHSM_SHA256_LEN];   /* sample: the highest rank that is in it; set by chsm_proofs_draw() */
};

/* "all", "none", "sample:20" (with a fresh seed), "sample:20:SEED" (32 hexadecimal digits). CHSM_USAGE otherwise. */
CHSM_MUST_CHECK int chsm_proofs_parse(const char *text, chsm_random_fn *rnd, struct chsm_proofs *ret, struct chsm_err *err);

/* The same text back, with the seed; malloc()ed, NULL when out of memory. */
char *chsm_proofs_text(const struct chsm_proofs *p);

/*
 * Draws the sample from the private and secret keys of the source: the n with the least SHA-256 over seed, login and record.
 * Does nothing in the other modes.
 */
CHSM_MUST_CHECK int chsm_proofs_draw(struct chsm_proofs *p, const struct chsm_inventory *source, struct chsm_err *err);

/* Whether this key of the source is to be asked. */
bool chsm_proofs_take(const struct chsm_proofs *p, const char *login, const struct chsm_record *source);

#endif
