/* SPDX-License-Identifier: Apache-2.0 */
/* How the questions of keys/challenge.h are made, family by family. For src/keys/challenge*.c and proof_check.c only. */
#ifndef CHSM_KEYS_CHALLENGE_WAYS_H
#define CHSM_KEYS_CHALLENGE_WAYS_H

#include <openssl/evp.h>

#include "keys/challenge.h"

/* The recorded public key, the caller's; NULL when it cannot be read to its last byte. */
EVP_PKEY *chsm_challenge_key(const struct chsm_record *r, struct chsm_err *err);

/* Sets kind, and the prefix and 32 random bytes as input. */
CHSM_MUST_CHECK int chsm_challenge_message(const char *kind, chsm_random_fn *rnd, struct chsm_challenge *c, struct chsm_err *err);

/*
 * The attempt-th question to a private key with this public key; kind stays NULL, with a reason, when there is none (left).
 * 1 when OpenSSL cannot do with this public key what would be needed.
 */
CHSM_MUST_CHECK int chsm_challenge_rsa(const struct chsm_record *s, EVP_PKEY *key, unsigned attempt, chsm_random_fn *rnd,
                                       struct chsm_challenge *c, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_challenge_ec(const struct chsm_record *s, EVP_PKEY *key, unsigned attempt, chsm_random_fn *rnd,
                                      struct chsm_challenge *c, struct chsm_err *err);

/* The question that a secret key's record holds. */
CHSM_MUST_CHECK int chsm_challenge_recorded(const struct chsm_record *s, unsigned attempt, struct chsm_challenge *c, struct chsm_err *err);

/* Whether a key can have given this answer to this recorded kind at all. */
bool chsm_challenge_plausible(const char *kind, const struct chsm_bytes *input, const struct chsm_bytes *answer);

/* The reason when every question has been refused. */
#define CHSM_REASON_NONE_LEFT "the HSM has no mechanism for it"

#endif
