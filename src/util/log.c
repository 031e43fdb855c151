/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <stdarg.h>

#include "util/known.h"
#include "util/log.h"

#define LINE_MAX_BYTES 8000

static chsm_log_fn *sink;
static void *sink_ctx;
static enum chsm_level floor_level = CHSM_LOG_NOTE;

void chsm_log_open(chsm_log_fn *fn, void *ctx, enum chsm_level lowest)
{
    sink = fn;
    sink_ctx = ctx;
    floor_level = lowest;
}

bool chsm_log_on(enum chsm_level level)
{
    return sink && level >= floor_level;
}

void chsm_log(enum chsm_level level, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;

    if (!chsm_log_on(level))
        return;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    chsm_known_cover(line);             /* the last guard, and while a secret still looks like itself */
    /* Foreign text may hold escape sequences; a terminal must not obey them. */
    for (char *p = line; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = '?';
    sink(sink_ctx, level, line);
}
