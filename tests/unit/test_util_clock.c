/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/check.h"

#include "util/clock.h"

static const struct { const char *text; int64_t ms; } moments[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "2000-02-29T12:00:00Z", 951825600000 },
    { "2024-02-29T23:59:59Z", 1709251199000 },
    { "2025-06-13T01:40:04Z", 1749778804000 },
    { "2026-11-23T09:10:11Z", 1795425011000 },
    { "2038-01-19T03:14:08Z", 2147483648000 },
    { "2100-03-01T00:00:00Z", 4107542400000 },
};

static void times_both_ways(void **state)
{
    struct chsm_err err = { 0 };
    char text[CHSM_TIME_LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        int64_t ms = -1;

        assert_ok(chsm_time_parse(moments[i].text, &ms, &err), err);
        assert_int_equal(ms, moments[i].ms);
        chsm_time_format(ms, false, text);
        assert_string_equal(text, moments[i].text);
    }
}

/* ARM writes 0 to 7 digits; what is finer than a millisecond is cut, never rounded up into the future. */
static void fractions_of_every_length(void **state)
{
    static const struct { const char *text; int64_t ms; } v[] = {
        { "2025-06-13T01:40:04Z", 0 }, { "2025-06-13T01:40:04.1Z", 100 }, { "2025-06-13T01:40:04.12Z", 120 },
        { "2025-06-13T01:40:04.123Z", 123 }, { "2025-06-13T01:40:04.1239Z", 123 }, { "2025-06-13T01:40:04.12399Z", 123 },
        { "2025-06-13T01:40:04.123999Z", 123 }, { "2025-06-13T01:40:04.1239999Z", 123 }, { "2025-06-13T01:40:04.0010000Z", 1 },
        { "2025-06-13T01:40:04.123+00:00", 123 }, { "2025-06-13T01:40:04+00:00", 0 },
    };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        int64_t ms = -1;

        assert_ok(chsm_time_parse(v[i].text, &ms, &err), err);
        assert_int_equal(ms, 1749778804000 + v[i].ms);
    }
}

static void wrong_times_are_refused(void **state)
{
    static const char *const wrong[] = {
        "", "2025", "2025-06-13", "2025-06-13T01:40:04", "2025-06-13 01:40:04Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-06-31T00:00:00Z", "2025-06-00T00:00:00Z",
        "2025-06-13T24:00:00Z", "2025-06-13T01:60:00Z", "2025-06-13T01:40:61Z", "2025-06-13T01:40:04.Z", "2025-06-13T01:40:04Z ",
        " 2025-06-13T01:40:04Z", "2025-06-13T01:40:04+02:00", "2025-06-13T01:40:04-00:30", "25-06-13T01:40:04Z", "2025-6-13T01:40:04Z",
        "+025-06-13T01:40:04Z", "2025-06-13T01:40:04.12x4Z",
    };
    struct chsm_err err = { 0 };
    int64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        if (chsm_time_parse(wrong[i], &ms, &err) != -1)
            print_error("\"%s\" was taken\n", wrong[i]);
        assert_int_equal(ms, 42);
    }
}

static void milliseconds_are_written_when_asked(void **state)
{
    char text[CHSM_TIME_LEN];

    (void)state;
    chsm_time_format(1749778804007, true, text);
    assert_string_equal(text, "2025-06-13T01:40:04.007Z");
    chsm_time_format(1749778804999, false, text);
    assert_string_equal(text, "2025-06-13T01:40:04Z");
    chsm_time_format(-1, true, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

static void calendar_knows_its_limits(void **state)
{
    (void)state;
    assert_int_equal(chsm_time_utc(2025, 6, 13, 1, 40, 4), 1749778804000);
    assert_int_equal(chsm_time_utc(2000, 2, 29, 0, 0, 0), 951782400000);
    assert_int_equal(chsm_time_utc(2023, 2, 29, 0, 0, 0), -1);
    assert_int_equal(chsm_time_utc(2025, 0, 1, 0, 0, 0), -1);
    assert_int_equal(chsm_time_utc(2025, 13, 1, 0, 0, 0), -1);
    assert_int_equal(chsm_time_utc(2025, 4, 31, 0, 0, 0), -1);
    assert_int_equal(chsm_time_utc(2025, 4, 1, 24, 0, 0), -1);
    assert_int_equal(chsm_time_utc(2025, 4, 1, -1, 0, 0), -1);
    assert_int_equal(chsm_time_utc(2025, 4, 1, 0, 60, 0), -1);
}

static void durations_are_read_whole(void **state)
{
    static const struct { const char *text; int64_t ms; } v[] = {
        { "0", 0 }, { "90", 90000 }, { "90s", 90000 }, { "5m", 300000 }, { "2h", 7200000 }, { "1d", 86400000 }, { "3650d", 315360000000 }, { "250ms", 250 },
    };
    static const char *const wrong[] = { "", "s", "-1", "+1", " 1", "1 ", "1 s", "1.5h", "1x", "1sm", "0x10", "1h30m", "99999999999999999999",
                                         "9223372036854775807", "106751991168d",
                                         "106751991167d", "3651d" };
    struct chsm_err err = { 0 };
    int64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        assert_ok(chsm_duration_parse(v[i].text, &ms, &err), err);
        assert_int_equal(ms, v[i].ms);
    }
    ms = 42;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_fails(chsm_duration_parse(wrong[i], &ms, &err), CHSM_USAGE, err);
        assert_int_equal(ms, 42);
    }
}

static void durations_are_written_for_people(void **state)
{
    static const struct { int64_t ms; const char *text; } v[] = {
        { 0, "0.0 s" }, { 12400, "12.4 s" }, { 59999, "59.9 s" }, { 60000, "1 min 00 s" }, { 187000, "3 min 07 s" },
        { 3600000, "1 h 00 min" }, { 3720000, "1 h 02 min" }, { 90000000, "25 h 00 min" },
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        chsm_duration_format(v[i].ms, text, sizeof text);
        assert_string_equal(text, v[i].text);
    }
}

static void deadlines_end_a_sleep(void **state)
{
    struct chsm_err err = { 0 };
    int64_t before = chsm_mono();

    (void)state;
    assert_int_equal(chsm_deadline_in(0), 0);
    assert_int_equal(chsm_deadline_left(0), INT64_MAX);
    assert_int_equal(chsm_deadline_left(1), 0);
    assert_in_range(chsm_deadline_left(chsm_deadline_in(60000)), 59000, 60000);
    assert_ok(chsm_sleep(1, 0, &err), err);
    assert_fails(chsm_sleep(60000, chsm_deadline_in(10), &err), CHSM_DEADLINE, err);
    assert_true(chsm_mono() - before < 30000);
}

/* Last in the list: the flag stays. */
static void signal_ends_a_sleep(void **state)
{
    struct chsm_err err = { 0 };

    (void)state;
    assert_false(chsm_interrupted());
    chsm_interrupt();
    assert_true(chsm_interrupted());
    assert_fails(chsm_sleep(60000, 0, &err), CHSM_INTERRUPTED, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_both_ways),
        cmocka_unit_test(fractions_of_every_length),
        cmocka_unit_test(wrong_times_are_refused),
        cmocka_unit_test(milliseconds_are_written_when_asked),
        cmocka_unit_test(calendar_knows_its_limits),
        cmocka_unit_test(durations_are_read_whole),
        cmocka_unit_test(durations_are_written_for_people),
        cmocka_unit_test(deadlines_end_a_sleep),
        cmocka_unit_test(signal_ends_a_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
