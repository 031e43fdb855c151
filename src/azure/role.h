/* SPDX-License-Identifier: Apache-2.0 */
/* Role assignments for blobs (facts: arm.md §4.5). */
#ifndef CHSM_AZURE_ROLE_H
#define CHSM_AZURE_ROLE_H

#include "azure/steps.h"

#define CHSM_ROLE_API         "2022-04-01"
#define CHSM_BLOB_CONTRIBUTOR "ba92f5b4-2d11-453d-a403-e96b0029c9fe" /* Storage Blob Data Contributor */
#define CHSM_BLOB_OWNER       "b7e6dc6d-f1e8-4753-8033-0f276bb0955b" /* Storage Blob Data Owner, which includes it */

/* Whether an assignment has a condition: it may or may not apply, and is not relied upon. */
bool chsm_role_conditional(const json_t *assignment);

/*
 * An assignment that lets `principal` write blobs at `scope`, there or above; one with a condition only when there is no
 * other. *ret = NULL when there is none, also when the scope is not there. The caller owns *ret.
 */
CHSM_MUST_CHECK int chsm_role_find(struct chsm_steps *s, const char *scope, const char *principal, json_t **ret,
                                   struct chsm_err *err);

/*
 * The step "role": gives `principal` the contributor role at `scope` unless it has it; an assignment of that role at
 * that scope with a condition is left alone, and said: a PUT would take the condition away. The name of the assignment is derived
 * from scope, principal and role, so that a repetition is the same request. A principal that the directory does not know yet
 * is asked for again for two minutes. scope_is_new: the scope was made, or would be, a moment ago; nothing can be assigned
 * there already.
 */
CHSM_MUST_CHECK int chsm_role_prepare(struct chsm_steps *s, const char *scope, const char *principal, const char *identity_name,
                                      bool scope_is_new, struct chsm_err *err);

/* The name of that assignment, a GUID with its NUL. Equal for ids that differ in case only. Pure. */
CHSM_MUST_CHECK int chsm_role_name(const char *scope, const char *principal, const char *role, char ret[37],
                                   struct chsm_err *err);

/* The body of its PUT; NULL when out of memory. Pure. */
json_t *chsm_role_body(const char *scope, const char *principal);

#endif
