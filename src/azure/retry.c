/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/retry.h"
#include "util/enc.h"
#include "util/json.h"
#include "util/log.h"

#define STOP CHSM_RETRY_STOP
#define AGAIN CHSM_RETRY_AGAIN
#define TOKEN CHSM_RETRY_TOKEN
#define UNSENT CHSM_OUTCOME_UNSENT
#define LOST CHSM_OUTCOME_LOST
#define HOPELESS CHSM_OUTCOME_HOPELESS
#define INTERRUPTED CHSM_OUTCOME_INTERRUPTED

const struct chsm_retry_rule chsm_retry_rules[] = {
    /*                                                                           repeatable starts IMDS   endpoint */
    { "no connection; the request was not sent", { { UNSENT, UNSENT } },                 { AGAIN, AGAIN, STOP, STOP } },
    { "connection lost, timed out, no usable answer", { { LOST, LOST } },                 { AGAIN, STOP, AGAIN, AGAIN } },
    { "certificate or TLS version refused", { { HOPELESS, HOPELESS } },                  { STOP, STOP, STOP, STOP } },
    { "interrupted (Ctrl-C)", { { INTERRUPTED, INTERRUPTED } },                          { STOP, STOP, STOP, STOP } },
    { "401", { { 401, 401 } },                                                           { TOKEN, TOKEN, STOP, STOP } },
    { "404", { { 404, 404 } },                                                           { STOP, STOP, AGAIN, AGAIN } },
    { "408", { { 408, 408 } },                                                           { AGAIN, STOP, AGAIN, AGAIN } },
    { "410", { { 410, 410 } },                                                           { STOP, STOP, AGAIN, STOP } },
    { "429", { { 429, 429 } },                                                           { AGAIN, AGAIN, AGAIN, AGAIN } },
    { "500, 503, 504", { { 500, 500 }, { 503, 504 } },                                   { AGAIN, STOP, AGAIN, AGAIN } },
    { "502", { { 502, 502 } },                                                           { AGAIN, STOP, AGAIN, STOP } },
    { "any other 5xx", { { 500, 599 } },                                                 { STOP, STOP, AGAIN, STOP } },
    { "any other answer but 2xx", { { 0, 0 } },                                          { STOP, STOP, STOP, STOP } },
    { 0 },
};

static enum chsm_retry rule(long outcome, enum chsm_repeat repeat)
{
    const struct chsm_retry_rule *r = chsm_retry_rules;

    for (; r[1].when; r++)
        for (size_t i = 0; i < ARRAY_LEN(r->is) && r->is[i].from; i++)
            if (outcome >= r->is[i].from && outcome <= r->is[i].to)
                return r->act[repeat];
    return r->act[repeat];
}

bool chsm_retry_transient(long status)
{
    return rule(status ? status : LOST, CHSM_REPEAT_SAFE) == CHSM_RETRY_AGAIN;
}

static long outcome(const struct chsm_attempt *a)
{
    if (a->hopeless)
        return HOPELESS;
    if (a->status)
        return a->status;
    if (a->code == CHSM_INTERRUPTED)
        return INTERRUPTED;
    return a->sent ? LOST : UNSENT;
}

enum chsm_retry chsm_retry_decide(const struct chsm_attempt *a)
{
    unsigned most = a->retry_after >= 0 ? CHSM_RETRY_TRIES_ASKED : CHSM_RETRY_TRIES;
    enum chsm_retry act = rule(outcome(a), a->repeat);

    if (act == CHSM_RETRY_TOKEN)
        return a->renewed ? CHSM_RETRY_STOP : act;
    return a->tries >= most ? CHSM_RETRY_STOP : act;
}

int64_t chsm_retry_delay(unsigned tries, long retry_after, uint32_t dice)
{
    int64_t ms = CHSM_RETRY_FIRST_MS;

    if (retry_after > 0) {
        ms = (int64_t)retry_after * 1000;
        return ms + ms * (dice % 100) / 1000;               /* up to a tenth later, never earlier */
    }
    for (unsigned i = 1; i < tries && ms < CHSM_RETRY_LONGEST_MS; i++)
        ms *= 2;
    if (ms > CHSM_RETRY_LONGEST_MS)
        ms = CHSM_RETRY_LONGEST_MS;
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

int64_t chsm_retry_imds(const struct chsm_attempt *a, int64_t elapsed_ms)
{
    if (rule(outcome(a), CHSM_REPEAT_IMDS) != CHSM_RETRY_AGAIN)
        return -1;
    if (a->status == 410)
        return elapsed_ms < CHSM_RETRY_GONE_MS ? CHSM_RETRY_GONE_STEP_MS : -1;
    if (a->tries >= CHSM_RETRY_TRIES_IMDS)
        return -1;
    if (a->retry_after > 0)
        return (int64_t)a->retry_after * 1000;
    return (int64_t)1000 << (a->tries - 1);
}

int64_t chsm_retry_endpoint(const struct chsm_attempt *a)
{
    if (rule(outcome(a), CHSM_REPEAT_ENDPOINT) != CHSM_RETRY_AGAIN || a->tries >= CHSM_RETRY_TRIES_ENDPOINT)
        return -1;
    return a->retry_after > 1 ? (int64_t)a->retry_after * 1000 : 1000;
}

/* These services answer with objects, or a list of them; half a document, or the page of a proxy, is as good as no answer. */
static bool readable(const struct chsm_response *r)
{
    const char *text = chsm_buf_str(&r->body);
    bool mark = strncmp(text, "\xef\xbb\xbf", 3) == 0;
    json_auto_t *body = NULL;

    return chsm_json_parse(text + (mark ? 3 : 0), r->body.len - (mark ? 3 : 0), "the answer", CHSM_SERVICE, &body, NULL) == 0 &&
           (json_is_object(body) || json_is_object(json_array_get(body, 0)));
}

int chsm_retry_http(struct chsm_http *h, const struct chsm_request *rq, struct chsm_response *ret, struct chsm_err *err)
{
    struct chsm_request again = *rq;
    struct chsm_err held;

    again.twice_ok = true;
    for (unsigned tries = 1;; tries++) {
        int rc = chsm_http_do(h, &again, ret, &held);
        struct chsm_attempt a = { .repeat = CHSM_REPEAT_SAFE, .tries = tries, .renewed = true, .status = ret->status,
                                  .retry_after = ret->retry_after, .sent = ret->sent, .hopeless = ret->hopeless,
                                  .code = rc < 0 ? held.code : CHSM_OK };

        if (rc == 0 && ret->status >= 200 && ret->status < 300) {
            if (readable(ret))
                return 0;
            a.status = 0;
        }
        if (chsm_retry_decide(&a) != CHSM_RETRY_AGAIN ||
            chsm_retry_wait(tries, ret->retry_after, chsm_http_limited(h), NULL) < 0) {
            if (rc < 0 && err)
                *err = held;
            return rc;
        }
        chsm_response_done(ret);
    }
}
