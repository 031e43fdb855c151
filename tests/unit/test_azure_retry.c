/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what may be repeated. A start that may have started is never repeated. */
#include "config.h"

#include "tests/unit/check.h"

#include "azure/retry.h"

#define SAFE CHSM_REPEAT_SAFE
#define START CHSM_REPEAT_START
#define STOP CHSM_RETRY_STOP
#define AGAIN CHSM_RETRY_AGAIN
#define TOKEN CHSM_RETRY_TOKEN

static void decisions(void **state)
{
    static const struct { struct chsm_attempt a; enum chsm_retry wanted; } cases[] = {
        { { .repeat = SAFE, .status = 408, .sent = true }, AGAIN }, { { .repeat = SAFE, .status = 429, .sent = true }, AGAIN },
        { { .repeat = SAFE, .status = 500, .sent = true }, AGAIN }, { { .repeat = SAFE, .status = 502, .sent = true }, AGAIN },
        { { .repeat = SAFE, .status = 503, .sent = true }, AGAIN }, { { .repeat = SAFE, .status = 504, .sent = true }, AGAIN },
        { { .repeat = SAFE, .status = 501, .sent = true }, STOP }, { { .repeat = SAFE, .status = 505, .sent = true }, STOP },
        { { .repeat = SAFE, .status = 400, .sent = true }, STOP }, { { .repeat = SAFE, .status = 403, .sent = true }, STOP },
        { { .repeat = SAFE, .status = 404, .sent = true }, STOP }, { { .repeat = SAFE, .status = 409, .sent = true }, STOP },
        { { .repeat = SAFE, .status = 302, .sent = true }, STOP },
        { { .repeat = SAFE, .status = 0, .sent = true, .code = CHSM_SERVICE }, AGAIN },
        { { .repeat = SAFE, .status = 0, .sent = false, .code = CHSM_SERVICE }, AGAIN },
        { { .repeat = SAFE, .status = 0, .sent = true, .code = CHSM_DEADLINE }, AGAIN },
        { { .repeat = SAFE, .status = 0, .sent = true, .hopeless = true, .code = CHSM_SERVICE }, STOP },
        { { .repeat = SAFE, .status = 0, .sent = true, .code = CHSM_INTERRUPTED }, STOP },
        { { .repeat = SAFE, .status = 401, .sent = true }, TOKEN }, { { .repeat = SAFE, .status = 401, .sent = true,
                                                                        .renewed = true }, STOP },
        { { .repeat = START, .status = 429, .sent = true }, AGAIN }, { { .repeat = START, .status = 401, .sent = true }, TOKEN },
        { { .repeat = START, .status = 401, .sent = true, .renewed = true }, STOP },
        { { .repeat = START, .status = 0, .sent = false, .code = CHSM_SERVICE }, AGAIN },
        { { .repeat = START, .status = 0, .sent = true, .code = CHSM_SERVICE }, STOP },
        { { .repeat = START, .status = 0, .sent = true, .code = CHSM_DEADLINE }, STOP },
        { { .repeat = START, .status = 408, .sent = true }, STOP }, { { .repeat = START, .status = 500, .sent = true }, STOP },
        { { .repeat = START, .status = 502, .sent = true }, STOP }, { { .repeat = START, .status = 503, .sent = true }, STOP },
        { { .repeat = START, .status = 504, .sent = true }, STOP }, { { .repeat = START, .status = 409, .sent = true }, STOP },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chsm_attempt a = cases[i].a;

        a.tries = 1;
        a.retry_after = -1;
        if (chsm_retry_decide(&a) != cases[i].wanted)
            fail_msg("case %zu: status %ld", i, a.status);
        /* A service that says when to come back changes nothing in who may come back. */
        a.retry_after = 3;
        if (chsm_retry_decide(&a) != cases[i].wanted)
            fail_msg("case %zu with Retry-After: status %ld", i, a.status);
    }
}

static int64_t imds_wait(long status, long retry_after, unsigned tries, int64_t elapsed)
{
    return chsm_retry_imds(&(struct chsm_attempt){ .status = status, .sent = true, .tries = tries, .retry_after = retry_after }, elapsed);
}

static int64_t endpoint_wait(long status, long retry_after, unsigned tries)
{
    return chsm_retry_endpoint(&(struct chsm_attempt){ .status = status, .sent = true, .tries = tries, .retry_after = retry_after });
}

/* Every status there can be, against a second statement of the same rules. */
static void every_status(void **state)
{
    (void)state;
    for (long status = 100; status < 600; status++) {
        bool safe = status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
        bool identity = status == 404 || status == 408 || status == 410 || status == 429 || status >= 500;
        struct chsm_attempt a = { .status = status, .sent = true, .tries = 1, .retry_after = 1 };

        a.repeat = SAFE;
        assert_int_equal(chsm_retry_decide(&a), status == 401 ? TOKEN : safe ? AGAIN : STOP);
        a.repeat = START;
        assert_int_equal(chsm_retry_decide(&a), status == 401 ? TOKEN : status == 429 ? AGAIN : STOP);
        assert_int_equal(imds_wait(status, -1, 1, 0) >= 0, identity);
        assert_int_equal(endpoint_wait(status, -1, 1) >= 0, (safe && status != 502) || status == 404);
        assert_int_equal(chsm_retry_transient(status), safe);
    }
    assert_true(chsm_retry_transient(0));
    assert_int_equal(endpoint_wait(503, 0, 3), 1000);
    assert_int_equal(endpoint_wait(503, 7, 3), 7000);
    assert_int_equal(endpoint_wait(503, 7, 4), -1);
}

static void tries_end(void **state)
{
    struct chsm_attempt a = { .repeat = SAFE, .status = 503, .sent = true, .retry_after = -1, .tries = CHSM_RETRY_TRIES - 1 };

    (void)state;
    assert_int_equal(chsm_retry_decide(&a), AGAIN);
    a.tries++;
    assert_int_equal(chsm_retry_decide(&a), STOP);
    a.retry_after = 2;
    assert_int_equal(chsm_retry_decide(&a), AGAIN);
    a.tries = CHSM_RETRY_TRIES_ASKED;
    assert_int_equal(chsm_retry_decide(&a), STOP);
}

static void delays(void **state)
{
    (void)state;
    for (uint32_t dice = 0; dice < 300; dice++) {
        int64_t first = chsm_retry_delay(1, -1, dice), third = chsm_retry_delay(3, -1, dice), late = chsm_retry_delay(50, 0,
                                                                                                                      dice);
        int64_t asked = chsm_retry_delay(1, 7, dice);

        assert_in_range(first, 640, 1040);
        assert_in_range(third, 2560, 4160);
        assert_in_range(late, 24000, 39000);
        assert_in_range(asked, 7000, 7700);     /* never before the service wants it */
    }
}

static void wait_beyond_the_deadline_is_not_begun(void **state)
{
    struct chsm_err err;
    int64_t began = chsm_mono();

    (void)state;
    assert_fails(chsm_retry_wait(1, 60, chsm_deadline_in(1000), &err), CHSM_DEADLINE, err);
    assert_true(chsm_mono() - began < 900);
}

static void imds(void **state)
{
    static const long again[] = { 404, 408, 429, 500, 503 }, never[] = { 400, 401, 403, 405, 302 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(again); i++) {
        assert_int_equal(imds_wait(again[i], -1, 1, 0), 1000);
        assert_int_equal(imds_wait(again[i], -1, 5, 0), 16000);
        assert_int_equal(imds_wait(again[i], -1, 6, 0), -1);
    }
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        assert_int_equal(imds_wait(never[i], -1, 1, 0), -1);
    assert_int_equal(imds_wait(429, 3, 1, 0), 3000);
    assert_true(imds_wait(410, -1, 7, 69000) > 0);
    assert_int_equal(imds_wait(410, -1, 8, 70000), -1);
}

/* An answer that got lost is asked for again; where nobody answers, a refused certificate or Ctrl-C, there is no second try. */
static void identity_without_an_answer(void **state)
{
    static const struct chsm_attempt never[] = {
        { .code = CHSM_SERVICE, .tries = 1 }, { .code = CHSM_DEADLINE, .tries = 1 },
        { .code = CHSM_SERVICE, .tries = 1, .sent = true, .hopeless = true }, { .code = CHSM_INTERRUPTED, .tries = 1, .sent = true },
        { .status = 401, .code = CHSM_AUTH, .tries = 1, .sent = true },
    };
    const struct chsm_attempt lost = { .code = CHSM_DEADLINE, .tries = 1, .sent = true, .retry_after = -1 };

    (void)state;
    assert_int_equal(chsm_retry_imds(&lost, 0), 1000);
    assert_int_equal(chsm_retry_endpoint(&lost), 1000);
    assert_int_equal(imds_wait(0, -1, 6, 0), -1);
    assert_int_equal(endpoint_wait(0, -1, 4), -1);
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        assert_int_equal(chsm_retry_imds(&never[i], 0), -1);
        assert_int_equal(chsm_retry_endpoint(&never[i]), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions), cmocka_unit_test(every_status), cmocka_unit_test(tries_end), cmocka_unit_test(delays),
        cmocka_unit_test(wait_beyond_the_deadline_is_not_begun), cmocka_unit_test(imds),
        cmocka_unit_test(identity_without_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
