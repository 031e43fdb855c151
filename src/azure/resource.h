/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids of ARM resources (facts: arm.md §3, §4). Pure. */
#ifndef CHSM_AZURE_RESOURCE_H
#define CHSM_AZURE_RESOURCE_H

#include "util/err.h"

/* CHSM_USAGE, with the rule in the text, when a part is no subscription id (GUID), resource group or cluster name. */
CHSM_MUST_CHECK int chsm_name_subscription(const char *s, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_name_group(const char *s, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_name_cluster(const char *s, struct chsm_err *err);

/* CHSM_USAGE when it is no id of a user-assigned identity; the case of the fixed parts does not matter. */
CHSM_MUST_CHECK int chsm_name_identity(const char *id, struct chsm_err *err);

/* Whether a user-assigned identity may be called so. */
bool chsm_identity_name_ok(const char *s);

/* 8-4-4-4-12 hexadecimal digits; reads 36 characters of s at the most. */
bool chsm_is_guid(const char *s);

/*
 * CHSM_USAGE when it is no https address of a container. Refused (rule sas) when it carries a query: a SAS, which Cloud HSM does
 * not support; the error does not quote it.
 */
CHSM_MUST_CHECK int chsm_container_check(const char *uri, struct chsm_err *err);

/* "ID[SUFFIX]?api-version=API" with what is not allowed in a path percent-encoded; malloc()ed, NULL when out of memory. */
char *chsm_resource_path(const char *id, const char *suffix, const char *api);

#endif
