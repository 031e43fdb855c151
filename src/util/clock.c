/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <time.h>

#include "util/clock.h"

#define LONGEST_MS (3650 * INT64_C(86400000))     /* ten years: it is added to the time of day and other durations */

static volatile sig_atomic_t interrupted;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t chsm_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t chsm_mono(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void chsm_time_format(int64_t when, bool ms, char out[CHSM_TIME_LEN])
{
    time_t seconds = (time_t)(when / 1000);
    int64_t fraction = when % 1000;
    struct tm tm;
    size_t n;

    if (fraction < 0) {
        fraction += 1000;
        seconds--;
    }
    out[0] = '\0';
    if (!gmtime_r(&seconds, &tm))
        return;
    n = strftime(out, CHSM_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
    if (ms)
        (void)snprintf(out + n, CHSM_TIME_LEN - n, ".%03" PRId64 "Z", fraction);
    else
        (void)snprintf(out + n, CHSM_TIME_LEN - n, "Z");
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

int64_t chsm_time_utc(int year, int month, int day, int hour, int minute, int second)
{
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute, .tm_sec = second };

    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return -1;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    return (int64_t)timegm(&tm) * 1000;
}

/* Exactly n digits; NULL otherwise. */
static const char *digits(const char *p, int n, int *ret)
{
    *ret = 0;
    while (n-- > 0) {
        if (!isdigit((unsigned char)*p))
            return NULL;
        *ret = *ret * 10 + (*p++ - '0');
    }
    return p;
}

static const char *fraction_ms(const char *p, int *ret)
{
    int scale = 100, n = 0;

    *ret = 0;
    if (*p != '.')
        return p;
    for (p++; isdigit((unsigned char)*p); p++, n++) {
        *ret += (*p - '0') * scale;
        scale /= 10;
    }
    return n >= 1 && n <= 9 ? p : NULL;
}

int chsm_time_parse(const char *text, int64_t *ret, struct chsm_err *err)
{
    static const struct { int width; char end; } part[] = { { 4, '-' }, { 2, '-' }, { 2, 'T' }, { 2, ':' }, { 2, ':' }, { 2, 0 } };
    int v[6], ms = 0;
    const char *p = text;
    int64_t when;

    for (size_t i = 0; p && i < ARRAY_LEN(part); i++) {
        p = digits(p, part[i].width, &v[i]);
        if (p && part[i].end)
            p = *p == part[i].end ? p + 1 : NULL;
    }
    p = p ? fraction_ms(p, &ms) : NULL;
    if (!p || (strcmp(p, "Z") != 0 && strcmp(p, "+00:00") != 0))
        return chsm_fail(err, CHSM_CONFIG, "not an RFC 3339 time in UTC");
    when = chsm_time_utc(v[0], v[1], v[2], v[3], v[4], v[5]);
    if (when < 0)
        return chsm_fail(err, CHSM_CONFIG, "no such date or time");
    *ret = when + ms;
    return 0;
}

int chsm_duration_parse(const char *text, int64_t *ret, struct chsm_err *err)
{
    static const struct { const char *unit; int64_t ms; } units[] = {
        { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
    };
    char *end = NULL;
    int64_t n, ms;

    errno = 0;
    n = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : -1;
    for (size_t i = 0; n >= 0 && errno == 0 && i < ARRAY_LEN(units); i++)
        if (strcmp(end, units[i].unit) == 0 && !__builtin_mul_overflow(n, units[i].ms, &ms) && ms <= LONGEST_MS) {
            *ret = ms;
            return 0;
        }
    (void)chsm_fail(err, CHSM_USAGE, "\"%.40s\" is not a duration", text);
    return chsm_err_hint(err, "write it as 90s, 5m, 2h or 250ms; ten years (3650d) are the most");
}

void chsm_duration_format(int64_t ms, char *out, size_t size)
{
    int64_t s = ms / 1000;

    if (s < 60)
        (void)snprintf(out, size, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
    else if (s < 3600)
        (void)snprintf(out, size, "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
    else
        (void)snprintf(out, size, "%" PRId64 " h %02" PRId64 " min", s / 3600, s / 60 % 60);
}

int64_t chsm_deadline_left(chsm_deadline d)
{
    int64_t left;

    if (d == 0)
        return INT64_MAX;
    left = d - chsm_mono();
    return left > 0 ? left : 0;
}

void chsm_interrupt(void)
{
    interrupted = 1;
}

bool chsm_interrupted(void)
{
    return interrupted != 0;
}

int chsm_sleep(int64_t ms, chsm_deadline deadline, struct chsm_err *err)
{
    int64_t end = chsm_mono() + ms;

    for (;;) {
        int64_t left = end - chsm_mono();
        int64_t allowed = chsm_deadline_left(deadline);
        struct timespec ts;

        if (chsm_interrupted())
            return chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
        if (left <= 0)
            return 0;
        if (allowed == 0)
            return chsm_fail(err, CHSM_DEADLINE, "the deadline has passed");
        if (left > allowed)
            left = allowed;
        /* Short naps: a signal between the test above and the sleep would otherwise be noticed late. */
        if (left > 200)
            left = 200;
        ts = (struct timespec){ .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
        (void)nanosleep(&ts, NULL);
    }
}
