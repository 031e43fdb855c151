/* SPDX-License-Identifier: Apache-2.0 */
/* "HSM Backup Time: 6/13/2025 1:40:04 PM +00:00 UTC." (arm.md §3.6). Anything unexpected is "not said", never a guess. */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/job.h"

/* Blanks, also the no-break ones (U+00A0, U+202F) that newer .NET puts before AM and PM. */
static void blanks(const char **p)
{
    for (;;) {
        if (**p == ' ' || **p == '\t')
            *p += 1;
        else if (strncmp(*p, "\xc2\xa0", 2) == 0)
            *p += 2;
        else if (strncmp(*p, "\xe2\x80\xaf", 3) == 0)
            *p += 3;
        else
            return;
    }
}

/* 1 to `most` digits, then `end` (0 = nothing is asked of what follows). */
static bool number(const char **p, unsigned most, char end, int *ret)
{
    int v = 0;
    unsigned n = 0;

    while (n < most && isdigit((unsigned char)**p)) {
        v = v * 10 + (*(*p)++ - '0');
        n++;
    }
    if (n == 0 || (end && *(*p)++ != end))
        return false;
    *ret = v;
    return true;
}

/* AM and PM turn a 12-hour clock into 24 hours; without them it is one already. */
static bool half_day(const char **p, int *hour)
{
    bool am = strncasecmp(*p, "AM", 2) == 0, pm = strncasecmp(*p, "PM", 2) == 0;

    if (!am && !pm)
        return *hour <= 23;
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (pm ? 12 : 0);
    *p += 2;
    return true;
}

/* "+00:00", "-07:00", "UTC" or "Z" as minutes east of Greenwich; a time without any of them is not taken. */
static bool offset(const char **p, int *ret_minutes)
{
    int sign = **p == '-' ? -1 : 1, h, m;

    *ret_minutes = 0;
    if (strncasecmp(*p, "UTC", 3) == 0 || **p == 'Z')
        return true;
    if (**p != '+' && **p != '-')
        return false;
    (*p)++;
    if (!number(p, 2, ':', &h) || !number(p, 2, 0, &m) || h > 14 || m > 59)
        return false;
    *ret_minutes = sign * (h * 60 + m);
    return true;
}

int64_t chsm_job_snapshot(const char *details)
{
    static const char label[] = "HSM Backup Time:";
    const char *p = details ? strcasestr(details, label) : NULL;
    int month, day, year, hour, minute, second, east;
    int64_t when;

    if (!p)
        return 0;
    p += strlen(label);
    blanks(&p);
    if (!number(&p, 2, '/', &month) || !number(&p, 2, '/', &day) || !number(&p, 4, 0, &year) || year < 2000)
        return 0;
    blanks(&p);
    if (!number(&p, 2, ':', &hour) || !number(&p, 2, ':', &minute) || !number(&p, 2, 0, &second))
        return 0;
    blanks(&p);
    if (!half_day(&p, &hour))
        return 0;
    blanks(&p);
    if (!offset(&p, &east))
        return 0;
    when = chsm_time_utc(year, month, day, hour, minute, second);
    return when < 0 ? 0 : when - (int64_t)east * 60000;
}
