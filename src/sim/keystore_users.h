/* SPDX-License-Identifier: Apache-2.0 */
/* users.json and shares.json of a cluster: who may log in, and who may use whose keys. */
#ifndef CHSM_SIM_KEYSTORE_USERS_H
#define CHSM_SIM_KEYSTORE_USERS_H

#include <jansson.h>

#include "util/enc.h"

/* The arrays of `keys`/users.json and shares.json. The caller drops the reference; CHSM_CONFIG when they are broken. */
CHSM_MUST_CHECK int sim_users_load(const char *keys, json_t **ret, struct chsm_err *err);
CHSM_MUST_CHECK int sim_shares_load(const char *keys, json_t **ret, struct chsm_err *err);
CHSM_MUST_CHECK int sim_users_save(const char *keys, const json_t *users, struct chsm_err *err);
CHSM_MUST_CHECK int sim_shares_save(const char *keys, const json_t *shares, struct chsm_err *err);

/* The user of that name, NULL when there is none; borrowed. */
json_t *sim_users_find(const json_t *users, const char *name, size_t n);

/*
 * Appends a user with a salted hash of the password (PBKDF2, RFC 8018 §5.2) and a random PIN for the SoftHSM token, whose
 * label is the user's name. The entry that was added is lent to *ret.
 */
CHSM_MUST_CHECK int sim_users_add(json_t *users, const char *name, const char *password, json_t **ret, struct chsm_err *err);

bool sim_user_password_ok(const json_t *user, const char *password, size_t n);

/* Appends "the object `class`, `id` of `owner` is shared with the users of the array `with`". */
CHSM_MUST_CHECK int sim_shares_add(json_t *shares, const char *owner, unsigned long cls, const struct chsm_bytes *id,
                                   const json_t *with, struct chsm_err *err);

/* Whether `owner` shares anything with `user`. */
bool sim_shares_any(const json_t *shares, const char *owner, const char *user);

/* Whether `owner` shares the object with `user`. */
bool sim_shares_allow(const json_t *shares, const char *owner, unsigned long cls, const struct chsm_bytes *id, const char *user);

#endif
