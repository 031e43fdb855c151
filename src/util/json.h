/* SPDX-License-Identifier: Apache-2.0 */
/* What the project adds to jansson: strict reading with a place in the error, canonical and atomic writing. */
#ifndef CHSM_UTIL_JSON_H
#define CHSM_UTIL_JSON_H

#include <jansson.h>

#include "util/buf.h"

/*
 * Parses exactly one JSON text; repeated members and rubbish after the end are errors. `what` names the text in the error
 * ("plan.json", "answer of the service"); the text itself is never quoted (it may be secret).
 * The caller owns *ret; it is untouched on failure. The error's code is `code`.
 */
CHSM_MUST_CHECK int chsm_json_parse(const char *text, size_t n, const char *what, enum chsm_code code, json_t **ret,
                                    struct chsm_err *err);

/* chsm_json_parse() of a file of at most max bytes; CHSM_CONFIG on failure. */
CHSM_MUST_CHECK int chsm_json_load(const char *path, size_t max, json_t **ret, struct chsm_err *err);

/* Writes an indented file with sorted members, atomically, mode 0600. */
CHSM_MUST_CHECK int chsm_json_save(const char *path, const json_t *value, struct chsm_err *err);

/* Canonical form: members sorted by byte, no blanks, UTF-8. Equal values give equal bytes. NULL when out of memory. */
char *chsm_json_canonical(const json_t *value);

/* The string member `key` of an object, NULL when it is not there or no string. Borrowed from the object. */
const char *chsm_json_str(const json_t *object, const char *key);

/* Object member by path "properties.status"; NULL when a part is not there. Borrowed. */
json_t *chsm_json_get(const json_t *object, const char *path);

#endif
