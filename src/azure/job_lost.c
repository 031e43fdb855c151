/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a start whose answer was lost (arm.md §2.1, §3.5-§3.7). The signs: the job that a broken answer named; the
 * destination's states; the newest backup folder; and a list of jobs that the service may or may not have.
 */
#include "config.h"

#include <strings.h>

#include "azure/blob.h"
#include "azure/job_start.h"
#include "azure/resource.h"
#include "azure/retry.h"
#include "util/log.h"

#define POLL_MS     30000
#define SKEW_MS     300000 /* two clocks: a folder that is this much older than the request may still be its own */
#define FINDING_MAX 600

/* No sign; the place could not be looked at; a sign that is rather another one's; a sign; it did start. */
enum found { NOTHING, UNSEEN, DOUBTFUL, LIKELY, STARTED };

struct search {
    const struct chsm_job_start *start;
    enum found found;
    bool whole;                /* all the time was looked through */
    bool refused;              /* looking on would see nothing more: no right to look */
    char id[33];               /* of a job that the service lists; "" */
    char folder[80];           /* a backup that may be ours; "" */
    char finding[FINDING_MAX]; /* what is said */
};

static const char *word(const struct search *f)
{
    return chsm_job_word(f->start->kind);
}

static void unseen(struct search *f, const struct chsm_err *why)
{
    f->found = UNSEEN;
    f->refused = why->http >= 400 && why->http < 500 && !chsm_retry_transient(why->http);
}

/* A restore: a destination that is not what it was before has a restore in it. */
static void look_at_cluster(struct search *f)
{
    const struct chsm_job_start *s = f->start;
    json_auto_t *cluster = NULL;
    struct chsm_err why = { 0 };
    const char *provisioning, *activation;

    if (chsm_cluster_get(s->arm, s->cluster, s->deadline, &cluster, &why) < 0) {
        unseen(f, &why);
        (void)snprintf(f->finding, sizeof f->finding, "%s could not be looked at (%.300s)", s->cluster->name, why.text);
        return;
    }
    provisioning = chsm_cluster_provisioning(cluster);
    activation = chsm_cluster_activation(cluster);
    f->found = strcasecmp(provisioning, "Succeeded") == 0 && strcasecmp(activation, "NotActivated") == 0 ? NOTHING : STARTED;
    (void)snprintf(f->finding, sizeof f->finding,
                   f->found == STARTED ? "%s is now %s and %s: a restore runs or has run" : "%s is still %s and %s",
                   s->cluster->name, provisioning, activation);
}

/* The newest folder in the container, when it is about as young as the request. */
static void judge_folder(struct search *f, const json_t *newest)
{
    const char *name = chsm_json_str(newest, "name"), *time = chsm_json_str(newest, "time");
    char apart[32];
    int64_t when;

    f->found = NOTHING;
    (void)snprintf(f->finding, sizeof f->finding, "the container has no backup that is younger than the request");
    if (!name || !time || chsm_time_parse(time, &when, NULL) < 0 || when + SKEW_MS < f->start->requested)
        return;
    chsm_duration_format(when < f->start->requested ? f->start->requested - when : when - f->start->requested, apart,
                         sizeof apart);
    f->found = when < f->start->requested ? DOUBTFUL : LIKELY;
    (void)snprintf(f->folder, sizeof f->folder, "%s", name);
    if (f->found == DOUBTFUL)
        (void)snprintf(f->finding, sizeof f->finding,
                       "the newest backup in the container, %s, is %s older than the request by its name: "
                       "another one's, unless a clock is off",
                       name, apart);
    else
        (void)snprintf(f->finding, sizeof f->finding,
                       "the container has the new backup %s, begun %s after the request: most likely it is "
                       "this one",
                       name, apart);
}

static void look_at_container(struct search *f)
{
    const struct chsm_job_start *s = f->start;
    json_auto_t *folders = NULL;
    struct chsm_err why = { 0 };

    if (chsm_blob_folders(s->arm, s->container_uri, NULL, s->deadline, &folders, &why) == 0) {
        judge_folder(f, json_array_get(folders, 0));
        return;
    }
    unseen(f, &why);
    (void)snprintf(f->finding, sizeof f->finding, "the container could not be looked at (%.300s)", why.text);
}

/* The youngest job of a list, when it is not older than the request. */
static void judge_list(struct search *f, const json_t *list)
{
    const json_t *each;
    int64_t best = f->start->requested - SKEW_MS;
    size_t i;

    json_array_foreach (list, i, each) {
        struct chsm_job job = { .kind = f->start->kind };
        int64_t when;

        if (chsm_job_parse(each, &job, NULL) == 0 && *job.id && job.started && chsm_time_parse(job.started, &when, NULL) == 0 &&
            when >= best) {
            best = when;
            f->found = STARTED;
            memcpy(f->id, job.id, sizeof f->id);
            (void)snprintf(f->finding, sizeof f->finding, "the service lists %s job %s, started %s, %s", word(f), job.id,
                           job.started, job.status);
        }
        chsm_job_done(&job);
    }
}

/* A list of jobs is in no specification. Should the service have one, it knows best; any other answer says nothing. */
static void ask_for_list(struct search *f)
{
    const struct chsm_job_start *s = f->start;
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *suffix = chsm_strf("/%sOperationStatus", word(f));
    AUTO_FREE char *path = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *body = NULL;

    if (!suffix || chsm_cluster_id(s->cluster, &id, NULL) < 0)
        return;
    path = chsm_resource_path(id, suffix, CHSM_CLOUDHSM_API);
    if (path && chsm_arm_do(s->arm, "GET", path, NULL, CHSM_REPEAT_SAFE, s->deadline, &r, &body, NULL) == 0)
        judge_list(f, json_object_get(body, "value"));
}

static void look(struct search *f)
{
    if (f->start->kind == CHSM_JOB_RESTORE)
        look_at_cluster(f);
    else
        look_at_container(f);
}

/* Looks until there is a sign, for as long as a request may take to show one. */
static void look_for_long(struct search *f)
{
    struct chsm_arm *arm = f->start->arm;
    int64_t pause = arm->poll_interval > 0 ? arm->poll_interval : POLL_MS;
    unsigned pauses = f->start->kind == CHSM_JOB_RESTORE ? CHSM_LOST_PAUSES_RESTORE : CHSM_LOST_PAUSES_BACKUP;

    for (unsigned i = 0;; i++) {
        look(f);
        if (f->found == LIKELY || f->found == STARTED || f->refused)
            return;
        if (i == pauses)
            break;
        if (chsm_sleep(pause, f->start->deadline, NULL) < 0)
            return;
    }
    f->whole = true;
}

/* Whether the job that a broken answer named is there; the status of a fresh job may take a while to be known. */
static bool job_exists(const struct chsm_job_start *s, const char *id)
{
    int64_t pause = s->arm->poll_interval > 0 ? s->arm->poll_interval : POLL_MS;

    for (unsigned i = 0; i <= CHSM_LOST_PAUSES_BACKUP; i++) {
        struct chsm_job job = { .kind = s->kind };
        bool there = chsm_job_show(s->arm, s->cluster, s->kind, id, s->deadline, &job, NULL) == 0;

        chsm_job_done(&job);
        if (there)
            return true;
        if (chsm_sleep(pause, s->deadline, NULL) < 0)
            return false;
    }
    return false;
}

static int hint(const struct search *f, struct chsm_err *err)
{
    const struct chsm_job_start *s = f->start;
    char o[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_cluster_options(s->cluster, o);
    if (*f->id)
        return chsm_err_hint(err, "start nothing; go on with it: `chsmctl %s wait %s --job-id %s`", word(f), o, f->id);
    if (f->found == STARTED)
        return chsm_err_hint(err, "start nothing; follow it: `chsmctl cluster wait %s --activation Active`", o);
    if (f->found == LIKELY)
        return chsm_err_hint(
            err,
            "start nothing before you know: `chsmctl backup list -u %s` shows it; when it is this one, it is what "
            "`chsmctl restore start` takes as --backup-id",
            s->container_uri);
    if (f->found == NOTHING && f->whole && s->kind == CHSM_JOB_RESTORE)
        return chsm_err_hint(
            err,
            "a restore may show only when it activates: see the cluster's activity log, and `chsmctl cluster show %s` some "
            "minutes from now; then `chsmctl restore start %s -u %s --backup-id %s`",
            o, o, s->container_uri, s->restore->backup_id);
    if (f->found == NOTHING && f->whole)
        return chsm_err_hint(err, "start again: `chsmctl backup start %s -u %s`; a second backup does no harm", o,
                             s->container_uri);
    return chsm_err_hint(
        err,
        "start nothing before you know: look with `chsmctl cluster show %s`, at the container and at the cluster's "
        "activity log",
        o);
}

/* The finding comes first: the cause may be long. */
static int say(const struct search *f, struct chsm_err *err)
{
    const struct chsm_err cause = *err;
    char time[32], end[96] = "";

    chsm_duration_format(chsm_now() - f->start->requested, time, sizeof time);
    if (f->found == NOTHING && f->whole)
        (void)snprintf(end, sizeof end, " after %s: most likely no %s started", time, word(f));
    else if (f->found == NOTHING || f->found == UNSEEN)
        (void)snprintf(end, sizeof end, "; it may have started");
    (void)chsm_fail(err, chsm_interrupted() ? CHSM_INTERRUPTED : CHSM_SERVICE,
                    "it is unknown whether the %s job started: %s%s; the request: %s", word(f), f->finding, end, cause.text);
    err->http = cause.http;
    (void)snprintf(err->service_code, sizeof err->service_code, "%s", cause.service_code);
    return hint(f, err);
}

int chsm_job_lost(const struct chsm_job_start *s, const char *id, struct chsm_err *err)
{
    struct search f = { .start = s };

    if (err->code == CHSM_INTERRUPTED) {
        memcpy(f.id, id, sizeof f.id);
        (void)snprintf(f.finding, sizeof f.finding, "interrupted before %s came", *id ? "the whole answer" : "an answer");
        return say(&f, err);
    }
    chsm_log(CHSM_LOG_WARN, "%s; looking whether the %s started", err->text, word(&f));
    if (*id && job_exists(s, id)) {
        chsm_log(CHSM_LOG_NOTE, "found: %s job %s", word(&f), id);
        return 0;
    }
    look_for_long(&f);
    if (!chsm_interrupted())
        ask_for_list(&f);
    if (*id && !*f.id) /* it was promised; nothing has shown that it is not there */
        memcpy(f.id, id, sizeof f.id);
    return say(&f, err);
}
