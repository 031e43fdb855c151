/* SPDX-License-Identifier: Apache-2.0 */
/* Whether asking the keys has left something in the token, or taken something away. */
#ifndef CHSM_DRILL_COUNT_H
#define CHSM_DRILL_COUNT_H

#include "pkcs11/hsm.h"

struct chsm_count {
    bool known;
    size_t keys;
    char why[512];      /* what is to be said, for people */
};

/* Before the first question. It never fails: what cannot be counted is said at the end. */
void chsm_count_before(struct chsm_hsm *hsm, struct chsm_count *c);

/* After the last one: true when there are as many keys as before, else c->why says what is wrong. */
bool chsm_count_after(struct chsm_hsm *hsm, struct chsm_count *c);

#endif
