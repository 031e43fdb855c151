/* SPDX-License-Identifier: Apache-2.0 */
/* What `chsmctl help` tells beside the commands: the tables that the program decides by. */
#include "config.h"

#include "azure/retry.h"
#include "cli/topics.h"
#include "util/safety.h"

#define ROW "%-46s%-11s%-8s%-7s%s\n"

static const char *act(const struct chsm_retry_rule *r, enum chsm_repeat repeat)
{
    static const char *const names[] = {
        [CHSM_RETRY_STOP] = "stop", [CHSM_RETRY_AGAIN] = "again", [CHSM_RETRY_TOKEN] = "token",
    };

    return names[r->act[repeat]];
}

static void retries(void)
{
    printf(ROW, "what came back", "repeatable", "starts", "IMDS", "other");
    for (const struct chsm_retry_rule *r = chsm_retry_rules; r->when; r++)
        printf(ROW, r->when, act(r, CHSM_REPEAT_SAFE), act(r, CHSM_REPEAT_START), act(r, CHSM_REPEAT_IMDS),
               act(r, CHSM_REPEAT_ENDPOINT));
    printf("\n"
           "repeatable: GET, PUT, PATCH, DELETE and every POST that changes nothing\n"
           "starts:     the POST that starts a backup or a restore; after \"stop\" the job\n"
           "            is looked for, the request is never sent again\n"
           "IMDS:       the instance metadata service of a virtual machine\n"
           "other:      the other identity endpoints (App Service, Azure Arc, ...)\n");
    printf("\n"
           "again: after the wait that the service asks for (Retry-After in seconds or as\n"
           "       a date, retry-after-ms, x-ms-retry-after-ms; %d s at the most), else\n"
           "       %d.%d s, doubling up to %d s; never beyond --timeout\n"
           "token: at once and once only, with a fresh token\n"
           "tries: %d in all, %d where the service names the wait; IMDS %d, waiting 1 s,\n"
           "       doubling, and 410 every %d s for %d s; other %d, waiting 1 s\n",
           CHSM_RETRY_AFTER_MAX, CHSM_RETRY_FIRST_MS / 1000, CHSM_RETRY_FIRST_MS % 1000 / 100, CHSM_RETRY_LONGEST_MS / 1000,
           CHSM_RETRY_TRIES, CHSM_RETRY_TRIES_ASKED, CHSM_RETRY_TRIES_IMDS, CHSM_RETRY_GONE_STEP_MS / 1000,
           CHSM_RETRY_GONE_MS / 1000, CHSM_RETRY_TRIES_ENDPOINT);
}

static void safety(void)
{
    printf("What is refused, with exit status %d; the refused step has changed nothing.\n"
           "Override: the option with which it goes on all the same.\n", (int)CHSM_REFUSED);
    for (size_t i = 0; i < CHSM_RULES; i++) {
        const struct chsm_safety_rule *r = &chsm_safety_rules[i];

        printf("\n%s\n  when      %s\n  why       %s\n  override  %s\n", r->id, r->condition, r->said, r->override);
    }
}

const struct chsm_topic chsm_topics[] = {
    { "retries", "what is asked again, and when", retries },
    { "safety", "what is refused, and why", safety },
    { 0 },
};

const struct chsm_topic *chsm_topic_find(const char *name)
{
    for (const struct chsm_topic *t = chsm_topics; name && t->name; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}
