/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on their way to the one place that prints (src/cli). Nothing here takes a struct chsm_secret. */
#ifndef CHSM_UTIL_LOG_H
#define CHSM_UTIL_LOG_H

#include "util/compat.h"

enum chsm_level { CHSM_LOG_DEBUG, CHSM_LOG_INFO, CHSM_LOG_NOTE, CHSM_LOG_WARN };

/* One message, without a newline; control characters are already escaped. */
typedef void chsm_log_fn(void *ctx, enum chsm_level level, const char *line);

/* Sets where messages go (NULL: nowhere) and the lowest level that is passed on. Not thread-safe: call it at start. */
void chsm_log_open(chsm_log_fn *fn, void *ctx, enum chsm_level lowest);

/* True when a message of this level would be passed on. */
bool chsm_log_on(enum chsm_level level);

CHSM_PRINTF(2, 3) void chsm_log(enum chsm_level level, const char *fmt, ...);

/*
 * A copy of a URL with the value of every query parameter that can carry a secret or a signature (sig, s, c, h, t, se, sp,
 * token, code, ...: all but a list of harmless names such as api-version) replaced by "REDACTED", and userinfo removed.
 * NULL when out of memory; the caller frees it.
 */
char *chsm_redact_url(const char *url);

/*
 * A copy of free text (the output of a foreign library, an error body) in which bearer tokens, JWTs, SAS signatures and
 * every value of `secrets` (NULL-terminated list of strings, may be NULL) are replaced by "REDACTED".
 * NULL when out of memory; the caller frees it.
 */
char *chsm_redact_text(const char *text, const char *const *secrets);

#endif
