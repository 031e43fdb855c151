/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be shown of foreign text, URLs and JSON. Three ways at once, because each has holes: by the names of parameters
 * and members, by the look of a value (JWT, account key), and by value: no CHSM_KNOWN_RUN bytes in a row of a secret that this
 * process holds (known.h) survive. Results are malloc()ed; NULL only when out of memory.
 */
#ifndef CHSM_UTIL_REDACT_H
#define CHSM_UTIL_REDACT_H

#include "util/json.h"

#define CHSM_REDACTED "REDACTED"

/*
 * A URL with the value of every query parameter that can carry a secret or a signature (sig, s, c, h, t, se, sp, token,
 * code, ...: all but a list of harmless names such as api-version) replaced by "REDACTED", and userinfo removed.
 */
char *chsm_redact_url(const char *url);

/*
 * Free text (the output of a foreign library, an error body) in which bearer tokens, JWTs, signatures, passwords in URLs and
 * every value of `secrets` (NULL-terminated list of strings, may be NULL) are replaced by "REDACTED".
 */
char *chsm_redact_text(const char *text, const char *const *secrets);

/* A form (a=b&c=d): the values of all but harmless names (grant_type, client_id, scope, ...) replaced. */
char *chsm_redact_form(const char *form);

/*
 * A copy of a JSON value: strings and numbers under names of secrets are replaced, other strings are redacted as URLs or text.
 * `strict` (an answer that is known to hold a secret): every string is replaced, unless its name is known to be harmless.
 */
json_t *chsm_redact_json(const json_t *value, bool strict);

#endif
