/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a seed file: typed members, and errors that say file, line and column. */
#ifndef CHSM_SIM_SEED_READ_H
#define CHSM_SIM_SEED_READ_H

#include "sim/state.h"
#include "util/yaml.h"

struct sim_seeding {
    const struct chsm_yaml *yaml;
    struct sim_state state;         /* being filled */
    int64_t now;
};

/* "NAME:LINE:COLUMN: PATH: ..." Always -1. */
CHSM_PRINTF(4, 5) int sim_seed_bad(const struct sim_seeding *s, struct chsm_err *err, const char *path, const char *fmt, ...);

/* The value at `path` must be a mapping with no other keys than these (NULL-terminated). */
CHSM_MUST_CHECK int sim_seed_keys(const struct sim_seeding *s, const json_t *value, const char *path, const char *const *keys,
                                  struct chsm_err *err);

/* A string member; *ret is borrowed, NULL when it is not there and not required. */
CHSM_MUST_CHECK int sim_seed_str(const struct sim_seeding *s, const json_t *value, const char *path, const char *key, bool required,
                                 const char **ret, struct chsm_err *err);

/* Calls `each` for every element of a sequence member; a missing one is empty. */
typedef int sim_seed_each(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err);
CHSM_MUST_CHECK int sim_seed_list(struct sim_seeding *s, const json_t *value, const char *path, const char *key, sim_seed_each *each,
                                  struct chsm_err *err);

/* What seed.c and seed_storage.c share. */
const char *sim_seed_subscription(const struct sim_seeding *s);
/* A resource of this type by its name alone; seed files name things so. NULL when there is none. */
json_t *sim_seed_by_name(const struct sim_seeding *s, const char *type, const char *name);
/* Adds a resource (stolen); one with the same id is a mistake at `path`. */
CHSM_MUST_CHECK int sim_seed_add(struct sim_seeding *s, const char *path, json_t *resource, struct chsm_err *err);
/* name, resourceGroup and location of an element; the location is the group's when it is left out. */
CHSM_MUST_CHECK int sim_seed_place(const struct sim_seeding *s, const json_t *item, const char *path, const char *place[3],
                                   struct chsm_err *err);

/* storageAccounts and virtualNetworks; and the top level's providers and takenNames. */
sim_seed_each sim_seed_account, sim_seed_network;
CHSM_MUST_CHECK int sim_seed_subscription_state(struct sim_seeding *s, const json_t *top, struct chsm_err *err);

#endif
