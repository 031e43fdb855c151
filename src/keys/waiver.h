/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waivers: what somebody has decided to accept, key by key, verdict by verdict, with a reason and until a day. They never
 * cover an impostor, and nothing of them is silent: a report lists each finding that needed one.
 */
#ifndef CHSM_KEYS_WAIVER_H
#define CHSM_KEYS_WAIVER_H

#include "keys/compare.h"

struct chsm_waiver {
    /* The key; what is NULL (class: ULONG_MAX) fits every key, but one of id, fingerprint and label is there. */
    char *login;
    unsigned long cls;
    char *id;                       /* CKA_ID, lower-case hexadecimal; "" = keys without an ID */
    char *fingerprint;
    char *label;
    enum chsm_verdict verdict;      /* the one that is accepted */
    char **attributes;              /* verdict changed: the only attributes that may differ; ended by NULL */
    char *reason;
    int64_t expires;                /* ms since 1970; at this moment it does not count any more */
};

struct chsm_waivers {
    struct chsm_waiver *v;
    size_t n;
};

void chsm_waivers_done(struct chsm_waivers *w);
#define AUTO_WAIVERS AUTO(chsm_waivers_done)

/* Whether a verdict can be waived: what is passed anyway cannot, and an impostor never. */
bool chsm_waiver_allows(enum chsm_verdict v);

/*
 * The waiver that counts for a finding at `now`, NULL when there is none. When there is none only because it has expired,
 * *ret_expired is that one (else NULL).
 */
const struct chsm_waiver *chsm_waiver_for(const struct chsm_waivers *w, const struct chsm_finding *f, int64_t now,
                                          const struct chsm_waiver **ret_expired);

#endif
