/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on their way to the one place that prints (src/cli). Nothing here takes a struct chsm_secret. */
#ifndef CHSM_UTIL_LOG_H
#define CHSM_UTIL_LOG_H

#include "util/redact.h"

enum chsm_level { CHSM_LOG_DEBUG, CHSM_LOG_INFO, CHSM_LOG_NOTE, CHSM_LOG_WARN };

/* One message, without a newline; control characters are already escaped. */
typedef void chsm_log_fn(void *ctx, enum chsm_level level, const char *line);

/* Sets where messages go (NULL: nowhere) and the lowest level that is passed on. Not thread-safe: call it at start. */
void chsm_log_open(chsm_log_fn *fn, void *ctx, enum chsm_level lowest);

/* True when a message of this level would be passed on. */
bool chsm_log_on(enum chsm_level level);

CHSM_PRINTF(2, 3) void chsm_log(enum chsm_level level, const char *fmt, ...);

#endif
