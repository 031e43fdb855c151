/* SPDX-License-Identifier: Apache-2.0 */
/* The `users` sequence of a seed file as structs, checked to the last member (format: cfg/sim-demo.yaml). */
#ifndef CHSM_SIM_KEYSTORE_SPEC_H
#define CHSM_SIM_KEYSTORE_SPEC_H

#include <jansson.h>

#include "sim/keystore_object.h"

enum sim_made { SIM_MADE_KEY, SIM_MADE_DATA, SIM_MADE_CERTIFICATE };

struct sim_key_spec {
    struct sim_key key;         /* without count's running numbers */
    enum sim_made made;         /* of data and certificates only id and label of `key` count */
    bool private_only;          /* the public half is thrown away after generation */
    struct chsm_bytes start, end;       /* CK_DATE, empty = none */
    unsigned count;
    bool clone;                 /* the others of `count` are copies of the first one, material included */
    const json_t *share;        /* names of users; borrowed, NULL when not shared */
};

struct sim_user_spec {
    const char *name;           /* borrowed from the JSON */
    const char *password;
    struct sim_key_spec *keys;
    size_t n;
};

struct sim_seed {
    struct sim_user_spec *users;
    size_t n;
};

/* CHSM_CONFIG with the path of the mistake. The strings of *ret are borrowed from `users`. */
CHSM_MUST_CHECK int sim_seed_parse(const json_t *users, struct sim_seed *ret, struct chsm_err *err);
void sim_seed_done(struct sim_seed *s);
#define AUTO_SIM_SEED AUTO(sim_seed_done)

#endif
