/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/connect.h"
#include "cli/token_key.h"

int chsm_connect_opts(const struct chsm_args *args, struct chsm_arm_opts *ret, struct chsm_err *err)
{
    int64_t timeout = 0;

    *ret = (struct chsm_arm_opts){ .http = { .ca_file = args->ca_file, .record = args->record }, .cloud = args->cloud,
                                    .credential = { .name = args->credential, .open_key = chsm_token_key_open, .tell = chsm_out_tell } };
    if (args->poll_interval && chsm_duration_parse(args->poll_interval, &ret->poll_interval, err) < 0)
        return chsm_err_prefix(err, "--poll-interval");
    if (args->timeout && chsm_duration_parse(args->timeout, &timeout, err) < 0)
        return chsm_err_prefix(err, "--timeout");
    ret->http.limit = chsm_deadline_in(timeout);        /* finding the cloud and the identity takes part, too */
    if (args->request_timeout && chsm_duration_parse(args->request_timeout, &ret->http.timeout, err) < 0)
        return chsm_err_prefix(err, "--request-timeout");
    return 0;
}

int chsm_connect_bare(const struct chsm_args *args, struct chsm_connection *ret, struct chsm_err *err)
{
    struct chsm_connection c = { .cluster = { NULL, args->group, args->name } };
    struct chsm_arm_opts opts;

    if (chsm_connect_opts(args, &opts, err) < 0 || chsm_arm_open(&opts, &c.arm, err) < 0)
        return -1;
    c.deadline = opts.http.limit;
    *ret = c;
    return 0;
}

int chsm_connect(const struct chsm_args *args, bool need_cluster, struct chsm_connection *ret, struct chsm_err *err)
{
    const char *subscription = args->subscription ? args->subscription : getenv("AZURE_SUBSCRIPTION_ID");

    if (!subscription || !*subscription) {
        (void)chsm_fail(err, CHSM_USAGE, "no subscription is named");
        return chsm_err_hint(err, "give --subscription or set AZURE_SUBSCRIPTION_ID");
    }
    if (need_cluster && (chsm_args_need(args->group, "--resource-group", err) < 0 || chsm_args_need(args->name, "--name", err) < 0))
        return -1;
    if (chsm_connect_bare(args, ret, err) < 0)
        return -1;
    ret->cluster.subscription = subscription;
    return 0;
}

struct chsm_cluster_task chsm_connect_task(const struct chsm_args *args, const struct chsm_connection *c)
{
    return (struct chsm_cluster_task){
        .arm = c->arm, .ref = &c->cluster, .deadline = c->deadline, .watch = chsm_connect_watch, .ctx = (void *)(uintptr_t)args->name,
        .no_wait = args->no_wait,
    };
}

void chsm_disconnect(struct chsm_connection *c)
{
    chsm_arm_close(c->arm);
    c->arm = NULL;
}

void chsm_connect_watch(void *ctx, const struct chsm_lro *l, int64_t elapsed_ms)
{
    const char *state = l->status ? l->status : "running";
    char elapsed[32], text[256];

    chsm_duration_format(elapsed_ms, elapsed, sizeof elapsed);
    /* In a log a line for each change of state is enough; only a terminal shows the time pass. */
    if (isatty(STDERR_FILENO))
        (void)snprintf(text, sizeof text, "%s: %s, %s", (const char *)ctx, state, elapsed);
    else
        (void)snprintf(text, sizeof text, "%s: %s", (const char *)ctx, state);
    chsm_out_progress(text);
}

void chsm_connect_watch_job(void *ctx, const struct chsm_lro *l, int64_t elapsed_ms)
{
    const struct chsm_job_watch *w = ctx;
    const char *state = l->status ? l->status : "InProgress";
    char elapsed[32], expected[96] = "", text[256];

    chsm_duration_format(elapsed_ms, elapsed, sizeof elapsed);
    if (w->from_start)
        chsm_job_expected(w->kind, elapsed_ms, expected, sizeof expected);
    if (isatty(STDERR_FILENO))
        (void)snprintf(text, sizeof text, "%s: %s, %s%s%s", chsm_job_word(w->kind), state, elapsed, *expected ? "; " : "", expected);
    else
        (void)snprintf(text, sizeof text, "%s job %s: %s", chsm_job_word(w->kind), w->id, state);
    chsm_out_progress(text);
}
