/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of a resource: an object of strings (facts: arm.md §2.5, §3.3). Pure. */
#ifndef CHSM_AZURE_TAGS_H
#define CHSM_AZURE_TAGS_H

#include "util/json.h"

/*
 * "name=value" words, ended by NULL, as an object; a word without "=" is a tag with an empty value, one empty word alone
 * means no tags. CHSM_USAGE when a name is given twice or breaks Azure's rules (50 tags, names of 512 characters without
 * <>%&\?/, values of 256 characters).
 */
CHSM_MUST_CHECK int chsm_tags_parse(const char *const *words, json_t **ret, struct chsm_err *err);

/*
 * No tags and an empty set are the same; names compare without regard to case, as ARM compares them. `caseless`: values,
 * too, as Cloud HSM compares them when it decides whether there is anything to change (arm.md §3.3).
 */
bool chsm_tags_equal(const json_t *a, const json_t *b, bool caseless);

#endif
