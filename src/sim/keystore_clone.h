/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many objects in a second: copies of the files that SoftHSM keeps its objects in, each with an ID and label of its own. Only for
 * objects that SoftHSM stores in the clear (CKA_PRIVATE false). SoftHSM sees them the next time it is started.
 */
#ifndef CHSM_SIM_KEYSTORE_CLONE_H
#define CHSM_SIM_KEYSTORE_CLONE_H

#include "util/buf.h"
#include "util/enc.h"

struct sim_clone_set {
    char **paths;               /* of all object files, sorted */
    size_t n;
};
void sim_clone_set_done(struct sim_clone_set *s);
#define AUTO_SIM_CLONE_SET AUTO(sim_clone_set_done)

/* The object files below `keys`/tokens, without those of `known` when it is not NULL: taken before and after making one. */
CHSM_MUST_CHECK int sim_clone_files(const char *keys, const struct sim_clone_set *known, struct sim_clone_set *ret,
                                    struct chsm_err *err);

/* One more of each file of the set, in the same folder, with that ID and label. */
CHSM_MUST_CHECK int sim_clone_make(const struct sim_clone_set *originals, const struct chsm_bytes *id, const struct chsm_bytes *label,
                                   struct chsm_err *err);

#endif
