/* SPDX-License-Identifier: Apache-2.0 */
/* Which record of the destination is which record of the source (design §5: by ID, then fingerprint, then descriptor). */
#ifndef CHSM_KEYS_MATCH_H
#define CHSM_KEYS_MATCH_H

#include "keys/compare.h"

#define CHSM_NO_MATCH SIZE_MAX

struct chsm_match {
    size_t *of_source;          /* for each source record the index at the destination, or CHSM_NO_MATCH */
    enum chsm_means *means;     /* by which means it was matched */
    bool *source_ambiguous;     /* unmatched, and several destination records could be it */
    bool *destination_used;
    bool *destination_ambiguous;
};

/* Every destination record is used at most once; the result does not depend on the order of the records. */
CHSM_MUST_CHECK int chsm_match(const struct chsm_section *source, const struct chsm_section *destination, struct chsm_match *ret,
                               struct chsm_err *err);
void chsm_match_done(struct chsm_match *m);
#define AUTO_MATCH AUTO(chsm_match_done)

#endif
