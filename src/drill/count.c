/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "drill/count.h"

static void cannot(struct chsm_count *c, const struct chsm_err *e)
{
    (void)snprintf(c->why, sizeof c->why, "whether the proofs left something in the token is not known: %.400s", e->text);
}

void chsm_count_before(struct chsm_hsm *hsm, struct chsm_count *c)
{
    struct chsm_err e = { 0 };

    *c = (struct chsm_count){ 0 };
    c->known = chsm_hsm_count(hsm, &c->keys, &e) == 0;
    if (!c->known)
        cannot(c, &e);
}

bool chsm_count_after(struct chsm_hsm *hsm, struct chsm_count *c)
{
    struct chsm_err e = { 0 };
    size_t now = 0;

    if (!c->known)
        return false;
    if (chsm_hsm_count(hsm, &now, &e) < 0) {
        cannot(c, &e);
        return false;
    }
    if (now == c->keys)
        return true;
    (void)snprintf(c->why, sizeof c->why, "%zu keys before the proofs and %zu after them: something was left in the token, or it is in use", c->keys, now);
    return false;
}
