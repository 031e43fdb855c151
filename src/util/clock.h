/* SPDX-License-Identifier: Apache-2.0 */
/* Time: UTC in milliseconds since 1970, deadlines on the monotonic clock. */
#ifndef CHSM_UTIL_CLOCK_H
#define CHSM_UTIL_CLOCK_H

#include "util/err.h"

#define CHSM_TIME_LEN 25    /* "2026-11-23T09:10:11.123Z" and its NUL */

int64_t chsm_now(void);     /* UTC, ms since 1970 */
int64_t chsm_mono(void);    /* monotonic, ms; only differences mean something */

/* RFC 3339 in UTC; with milliseconds when `ms`, else to the second. */
void chsm_time_format(int64_t when, bool ms, char out[CHSM_TIME_LEN]);

/* Reads RFC 3339 as ARM writes it: fraction of 0..7 digits, "Z" or "+00:00" (facts: arm.md §2.5). */
CHSM_MUST_CHECK int chsm_time_parse(const char *text, int64_t *ret, struct chsm_err *err);

/* Calendar date and time in UTC to ms since 1970; month 1..12. -1 when out of range. */
int64_t chsm_time_utc(int year, int month, int day, int hour, int minute, int second);

/* "90", "90s", "5m", "2h", "1d", "250ms" in ms; CHSM_USAGE on anything else. */
CHSM_MUST_CHECK int chsm_duration_parse(const char *text, int64_t *ret, struct chsm_err *err);

/* "1 h 02 min", "3 min 07 s", "12.4 s". */
void chsm_duration_format(int64_t ms, char *out, size_t size);

/* A moment on the monotonic clock that work must not pass; 0 = none. */
typedef int64_t chsm_deadline;

static inline chsm_deadline chsm_deadline_in(int64_t ms) { return ms > 0 ? chsm_mono() + ms : 0; }
/* ms left, never negative; INT64_MAX without a deadline. */
int64_t chsm_deadline_left(chsm_deadline d);

/* Asks all waiting to stop (SIGINT, SIGTERM); async-signal-safe. */
void chsm_interrupt(void);
bool chsm_interrupted(void);

/* Sleeps; -1 with CHSM_INTERRUPTED when interrupted, or CHSM_DEADLINE when the deadline passes first. */
CHSM_MUST_CHECK int chsm_sleep(int64_t ms, chsm_deadline deadline, struct chsm_err *err);

#endif
