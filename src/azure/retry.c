/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/retry.h"
#include "util/enc.h"
#include "util/log.h"

#define FIRST_MS 800
#define LONGEST_MS 30000
#define IMDS_TRIES 6
#define IMDS_GONE_MS 70000

bool chsm_retry_transient(long status)
{
    switch (status) {
    case 0: case 408: case 429: case 500: case 502: case 503: case 504:
        return true;
    default:
        return false;
    }
}

/* Whether a starting request certainly started nothing. */
static bool not_started(const struct chsm_attempt *a)
{
    return a->status == 429 || (a->status == 0 && !a->sent);
}

enum chsm_retry chsm_retry_decide(const struct chsm_attempt *a)
{
    unsigned most = a->retry_after >= 0 ? CHSM_RETRY_TRIES_ASKED : CHSM_RETRY_TRIES;

    if (a->hopeless || (a->status == 0 && a->code == CHSM_INTERRUPTED))
        return CHSM_RETRY_STOP;
    if (a->status == 401)       /* refused at the door: nothing has started */
        return a->renewed ? CHSM_RETRY_STOP : CHSM_RETRY_TOKEN;
    if (!chsm_retry_transient(a->status) || a->tries >= most)
        return CHSM_RETRY_STOP;
    if (a->repeat == CHSM_REPEAT_START && !not_started(a))
        return CHSM_RETRY_STOP;
    return CHSM_RETRY_AGAIN;
}

int64_t chsm_retry_delay(unsigned tries, long retry_after, uint32_t dice)
{
    int64_t ms = FIRST_MS;

    if (retry_after > 0) {
        ms = (int64_t)retry_after * 1000;
        return ms + ms * (dice % 100) / 1000;               /* up to a tenth later, never earlier */
    }
    for (unsigned i = 1; i < tries && ms < LONGEST_MS; i++)
        ms *= 2;
    if (ms > LONGEST_MS)
        ms = LONGEST_MS;
    return ms * (80 + dice % 50) / 100;
}

int chsm_retry_wait(unsigned tries, long retry_after, chsm_deadline deadline, struct chsm_err *err)
{
    uint32_t dice = 0;
    int64_t ms;

    if (chsm_random(&dice, sizeof dice, err) < 0)
        return -1;
    ms = chsm_retry_delay(tries, retry_after, dice);
    if (ms >= chsm_deadline_left(deadline))
        return chsm_fail(err, CHSM_DEADLINE, "the deadline leaves no time to try again");
    chsm_log(CHSM_LOG_DEBUG, "trying again in %lld ms", (long long)ms);
    return chsm_sleep(ms, deadline, err);
}

int64_t chsm_retry_imds(long status, long retry_after, unsigned tries, int64_t elapsed_ms)
{
    if (status == 410)
        return elapsed_ms < IMDS_GONE_MS ? 10000 : -1;
    if ((status != 404 && status != 408 && status != 429 && status < 500) || tries >= IMDS_TRIES)
        return -1;
    if (retry_after > 0)
        return (int64_t)retry_after * 1000;
    return (int64_t)1000 << (tries - 1);
}

int chsm_retry_http(struct chsm_http *h, const struct chsm_request *rq, struct chsm_response *ret, struct chsm_err *err)
{
    struct chsm_err held;

    for (unsigned tries = 1;; tries++) {
        int rc = chsm_http_do(h, rq, ret, &held);
        struct chsm_attempt a = { .repeat = CHSM_REPEAT_SAFE, .tries = tries, .renewed = true, .status = ret->status,
                                  .retry_after = ret->retry_after, .sent = ret->sent, .hopeless = ret->hopeless,
                                  .code = rc < 0 ? held.code : CHSM_OK };
        bool good = rc == 0 && ret->status >= 200 && ret->status < 300;

        if (good || chsm_retry_decide(&a) != CHSM_RETRY_AGAIN ||
            chsm_retry_wait(tries, ret->retry_after, chsm_http_limited(h), NULL) < 0) {
            if (rc < 0 && err)
                *err = held;
            return rc;
        }
        chsm_response_done(ret);
    }
}
