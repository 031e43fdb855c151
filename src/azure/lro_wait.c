/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/lro_poll.h"
#include "azure/retry.h"
#include "util/log.h"

#define STEP_MS 1000
#define POLL_MS 30000 /* what az and Az PowerShell wait when the service names no time */

static int64_t interval(const struct chsm_poll *p)
{
    return p->arm->poll_interval > 0 ? p->arm->poll_interval : POLL_MS;
}

/* The operation goes on whether we can see it or not: only what cannot pass ends the looking. */
static bool passes(const struct chsm_poll *p, const struct chsm_err *why, long status, bool hopeless)
{
    if (why->code == CHSM_AUTH) /* refused is refused; a sign-in that cannot be reached is an outage */
        return status != 401 && (why->http == 0 || chsm_retry_transient(why->http));
    if (why->code != CHSM_SERVICE || hopeless)
        return false;
    if (status == 404)
        return p->unseen;
    return (status >= 200 && status < 300) || chsm_retry_transient(status);
}

bool chsm_poll_patient(struct chsm_poll *p, const struct chsm_err *why, long status, bool hopeless)
{
    if (p->once || !passes(p, why, status, hopeless))
        return false;
    if (p->failures++ == 0)
        p->failing = chsm_mono();
    return p->failures < CHSM_POLL_FAILURES_MAX || chsm_mono() - p->failing < CHSM_POLL_OUTAGE_INTERVALS * interval(p);
}

int chsm_poll_once(struct chsm_poll *p, struct chsm_lro *l, long *ret_status, struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *body = NULL;
    struct chsm_err why = { 0 };
    int rc = chsm_arm_do(p->arm, "GET", l->url, NULL, CHSM_REPEAT_SAFE, p->deadline, &r, &body, &why);

    if (rc == 0 || (r.status == 404 && l->deleting))
        rc = chsm_lro_step(l, &r, body, &why);
    if (rc == 0 && p->accept) {
        rc = p->accept(p->accept_ctx, l, &why);
        l->state = rc < 0 ? CHSM_LRO_RUNNING : l->state;
    }
    if (rc == 0) {
        p->failures = 0;
        p->unseen = false;
        return 0;
    }
    if (chsm_poll_patient(p, &why, r.status, r.hopeless)) {
        chsm_log(CHSM_LOG_WARN, "%s; asking again", why.text);
        l->wait = -1;
        return 0;
    }
    if (ret_status)
        *ret_status = r.status;
    if (err)
        *err = why;
    return -1;
}

int chsm_poll_pause(struct chsm_poll *p, const struct chsm_lro *l, struct chsm_err *err)
{
    int64_t ms = l->wait > 0 ? (int64_t)l->wait * 1000 : interval(p);
    int64_t left = chsm_deadline_left(p->deadline), end;

    /* A last look just before the deadline is better than none. */
    if (ms >= left && left > 2000)
        ms = left - 1000;
    end = chsm_mono() + ms;
    do { /* in steps, so that the watcher sees the time pass */
        if (p->watch)
            p->watch(p->ctx, l, chsm_mono() - p->began);
        left = end - chsm_mono();
        if (chsm_sleep(left < STEP_MS ? left : STEP_MS, p->deadline, err) < 0)
            return -1;
    } while (chsm_mono() < end);
    return 0;
}

int chsm_lro_wait(struct chsm_arm *arm, struct chsm_lro *l, chsm_deadline deadline, chsm_lro_watch *watch, void *ctx,
                  struct chsm_err *err)
{
    struct chsm_poll p = { .arm = arm,
                           .deadline = deadline,
                           .watch = watch,
                           .ctx = ctx,
                           .began = chsm_mono(),
                           .unseen = l->resource != NULL /* just begun */ };

    while (l->state == CHSM_LRO_RUNNING)
        if (chsm_poll_pause(&p, l, err) < 0 || chsm_poll_once(&p, l, NULL, err) < 0)
            return -1;
    return 0;
}
