/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The safety rules: everything that is refused because it would destroy something, or prove nothing. One table serves the
 * refusal, `chsmctl help safety` and the manual's test. A refusal is never a matter of judgement at the place where it happens:
 * whoever refuses names a rule, and chsm_refuse() is the only way to CHSM_REFUSED (tests/policy/safety.sh).
 */
#ifndef CHSM_UTIL_SAFETY_H
#define CHSM_UTIL_SAFETY_H

#include "util/err.h"

/* A new rule: a value here, a row in safety.c, an entry in the manual, a test of the same name in tests/integration/safety.bats. */
enum chsm_rule {
    CHSM_RULE_DESTINATION_IS_SOURCE,
    CHSM_RULE_DESTINATION_NOT_READY,
    CHSM_RULE_DESTINATION_ACTIVATED,
    CHSM_RULE_SOURCE_NOT_ACTIVE,
    CHSM_RULE_BACKUP_TOO_OLD,
    CHSM_RULE_BACKUP_OF_OTHER_SOURCE,
    CHSM_RULE_SAS,
    CHSM_RULE_SECOND_IDENTITY,
    CHSM_RULE_OTHER_IDENTITY,
    CHSM_RULE_IDENTITY_DIFFERS,
    CHSM_RULE_CLUSTER_DIFFERS,
    CHSM_RULE_DELETE_UNCONFIRMED,
    CHSM_RULE_DELETE_ACTIVE,
    CHSM_RULE_CLIENT_OF_OTHER_CLUSTER,
    CHSM_RULE_CLIENTS_OF_ONE_CLUSTER,
    CHSM_RULE_DAEMON_OF_OTHER_CLUSTER,
    CHSM_RULE_SAME_CLUSTER,
    CHSM_RULE_PIN_FINAL_TRY,
    CHSM_RULE_PIN_LOCKED,
    CHSM_RULE_EVIDENCE_EXISTS,
    CHSM_RULE_OTHER_RESOURCE,
    CHSM_RULE_ACCOUNT_IN_USE,
    CHSM_RULE_NO_CHANGE,
    CHSM_RULE_KEYS_IN_USE,
    CHSM_RULE_FOREIGN_STORAGE,
    CHSM_RULES,
};

struct chsm_safety_rule {
    const char *id;             /* "destination-is-source": what errors, the manual and the tests call it */
    const char *condition;      /* when it applies */
    const char *said;           /* what is said: why that is refused */
    const char *override;       /* what goes on all the same, "none" */
};

extern const struct chsm_safety_rule chsm_safety_rules[CHSM_RULES];

/*
 * Fills *err with CHSM_REFUSED: "safety rule ID: what is said: <fmt>", and the override, if there is one, as the remedy.
 * Always returns -1. The caller may set a better remedy with chsm_err_hint().
 */
CHSM_PRINTF(3, 4) int chsm_refuse(struct chsm_err *err, enum chsm_rule rule, const char *fmt, ...);

#endif
