/* SPDX-License-Identifier: Apache-2.0 */
/* How two records stand to each other: order, key material, distance. */
#ifndef CHSM_KEYS_ORDER_H
#define CHSM_KEYS_ORDER_H

#include "keys/record.h"

/* By length of the common part, then by length, as memcmp() does. */
int chsm_bytes_order(const struct chsm_bytes *a, const struct chsm_bytes *b);

/* The order of reports: class, ID, label. */
int chsm_record_report_order(const struct chsm_record *a, const struct chsm_record *b);

/*
 * A total order over everything that an HSM tells of an object, reports' order first. 0 = nothing tells them apart; recorded
 * questions, unknown members and the index are not looked at.
 */
int chsm_record_order(const struct chsm_record *a, const struct chsm_record *b);

/* Whether the record tells anything that depends on its key material (also a borrowed public key). */
bool chsm_record_has_material(const struct chsm_record *r);

/*
 * The order by what depends on key material: the public key, where there is none the check value and the digest of the value
 * (some tokens have check values on one side of a pair only, so they take no part where there is a public key).
 */
int chsm_record_material_order(const struct chsm_record *a, const struct chsm_record *b);
uint64_t chsm_record_material_hash(const struct chsm_record *r, uint64_t seed);

/* FNV-1a, 64 bits, going on from `seed`. For tables only: nothing is decided by it. */
#define CHSM_HASH_SEED 0xcbf29ce484222325u
uint64_t chsm_hash(uint64_t seed, const void *p, size_t n);

/* Whether its public key is certain: its own attributes tell it, or a signature of its own was checked under it. */
bool chsm_record_tells_own_key(const struct chsm_record *r);

/*
 * The first thing that shows other key material ("the public key differs"); NULL when nothing does. A constant. A public key that
 * a private key has borrowed shows nothing of the private key: its public half may have been replaced.
 */
const char *chsm_record_contradiction(const struct chsm_record *a, const struct chsm_record *b);

/* How many of the things that both could tell are different. */
unsigned chsm_record_distance(const struct chsm_record *a, const struct chsm_record *b);

#endif
