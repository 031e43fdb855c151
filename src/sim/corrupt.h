/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of damage that `chsm-sim corrupt` does to the keys of a cluster. */
#ifndef CHSM_SIM_CORRUPT_H
#define CHSM_SIM_CORRUPT_H

#include <jansson.h>

#include "sim/keystore_object.h"

#define SIM_ANY_CLASS CK_UNAVAILABLE_INFORMATION

/* ID and label of objects; NULL is any. */
struct sim_names {
    const struct chsm_bytes *id, *label;
};

/* What is damaged, and how. */
struct sim_damage {
    struct sim_token token;         /* the user's, logged in */
    const char *user;
    struct sim_token other_token;   /* another user's; other_user is NULL when there is none */
    const char *other_user;
    const char *keys;               /* the cluster's keys folder */
    struct sim_names target, twin;  /* twin: for the kinds that exchange something */
    CK_OBJECT_CLASS only;           /* only objects of this class; SIM_ANY_CLASS */
    const char *attribute;          /* change-attribute: which; NULL = derive */
    const struct chsm_bytes *value; /* its new value; NULL = another one than it has */
    bool absent;                    /* it goes away instead */
};

struct sim_damage_kind {
    const char *name;
    int (*apply)(const struct sim_damage *d, struct chsm_err *err);
    enum { SIM_NEEDS_NOTHING, SIM_NEEDS_KEY, SIM_NEEDS_PAIR, SIM_NEEDS_TWIN, SIM_NEEDS_OTHER } needs;
    const char *done;               /* "... of user cu1, ID 0101" */
};

/* Ends with a NULL name. */
extern const struct sim_damage_kind sim_damage_kinds[];

/* The handles of a class that have these names (and d->only lets pass); the caller frees *ret. */
CHSM_MUST_CHECK int sim_damage_find(const struct sim_damage *d, const struct sim_names *names, CK_OBJECT_CLASS cls, CK_OBJECT_HANDLE **ret,
                                    size_t *ret_n, struct chsm_err *err);

/* corrupt_attribute.c */
int sim_damage_attribute(const struct sim_damage *d, struct chsm_err *err);
/* Makes all keys with the target's names show these check values: [0] the private or secret key, [1] the public one; empty = none. */
CHSM_MUST_CHECK int sim_damage_show_check_values(const struct sim_damage *d, const struct chsm_bytes value[2], struct chsm_err *err);
/* The check value that the client library shows of an object; empty when it has none. */
CHSM_MUST_CHECK int sim_damage_check_value(const struct sim_token *t, CK_OBJECT_HANDLE object, struct chsm_bytes *ret, struct chsm_err *err);

#endif
