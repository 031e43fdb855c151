/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated cloud's state: DIR/state.json, read and written whole under flock(DIR/lock), so that the server, `seed`,
 * `set` and `fault` can run at the same time and a restart loses nothing. Time passes by comparing clocks, not by threads.
 */
#ifndef CHSM_SIM_STATE_H
#define CHSM_SIM_STATE_H

#include "util/json.h"

struct sim_state {
    char *dir;
    int lock;           /* -1 when not held */
    json_t *root;
    bool dirty;         /* root differs from the file */
};

/* Takes the lock only (for other files of the folder); released by sim_state_close(). CHSM_CONFIG when there is no such folder. */
CHSM_MUST_CHECK int sim_state_lock(const char *dir, struct sim_state *ret, struct chsm_err *err);

/* Takes the lock and reads the file. CHSM_CONFIG when the folder was never seeded. */
CHSM_MUST_CHECK int sim_state_open(const char *dir, struct sim_state *ret, struct chsm_err *err);

/* Writes the file when `dirty`. */
CHSM_MUST_CHECK int sim_state_save(struct sim_state *s, struct chsm_err *err);
void sim_state_close(struct sim_state *s);
#define AUTO_STATE AUTO(sim_state_close)

/*
 * A resource by its ARM id in any case; borrowed, NULL when there is none. What the simulator knows beyond the public
 * resource stands in its member "sim".
 */
json_t *sim_resource(const json_t *root, const char *id);

/* Stores a resource (stolen, also on failure) under its own "id". */
CHSM_MUST_CHECK int sim_resource_put(json_t *root, json_t *resource, struct chsm_err *err);
void sim_resource_drop(json_t *root, const char *id);

/* A deep copy without "sim"; NULL when out of memory. */
json_t *sim_resource_public(const json_t *resource);

/* Whether a resource has this type (in any case). */
bool sim_resource_is(const json_t *resource, const char *type);

/* The timings, in ms; `name` must be one of sim_timing_names(). -1 only for "retryAfter" when it is not set. */
int64_t sim_timing(const json_t *root, const char *name);
/* NULL-terminated. */
const char *const *sim_timing_names(void);
/* Sets one from "2s"; CHSM_USAGE when there is no such name or value. */
CHSM_MUST_CHECK int sim_timing_set(json_t *root, const char *name, const char *value, struct chsm_err *err);

/* ms since 1970 kept in member `key` of `object`; 0 when absent. */
int64_t sim_when(const json_t *object, const char *key);

/* Lower-case ASCII copy; NULL when out of memory. */
char *sim_lower(const char *s);

/* RFC 3339 to the second, as a JSON string; NULL when out of memory. */
json_t *sim_time(int64_t when);

#endif
