/* SPDX-License-Identifier: Apache-2.0 */
/* What people read about jobs: the commands to go on with, and how long jobs take. No I/O. */
#include "config.h"

#include <inttypes.h>

#include "azure/job_id.h"

/*
 * How long jobs took, in seconds, in recordings of the service (az and Az PowerShell test recordings of June 2025). Creation
 * and activation of clusters have no recording of a real back end: nothing is promised for them.
 */
static const struct {
    int64_t least, most;
} recorded[] = {
    [CHSM_JOB_BACKUP] = { 8, 10 }, /* startTime to endTime; seen by a client at its first look after 30 s */
    [CHSM_JOB_RESTORE] = { 60, 90 },
};

const char *chsm_job_word(enum chsm_job_kind kind)
{
    return kind == CHSM_JOB_BACKUP ? "backup" : "restore";
}

void chsm_job_expected(enum chsm_job_kind kind, int64_t elapsed_ms, char *out, size_t size)
{
    int64_t left = recorded[kind].most - elapsed_ms / 1000;

    if (left > 0)
        (void)snprintf(out, size, "recorded: %" PRId64 "-%" PRId64 " s, by that at most %" PRId64 " s to go",
                       recorded[kind].least, recorded[kind].most, left);
    else
        (void)snprintf(out, size, "longer than any recorded (%" PRId64 " s)", recorded[kind].most);
}

void chsm_cluster_options(const struct chsm_cluster_ref *cluster, char out[CHSM_CLUSTER_OPTIONS_LEN])
{
    const char *known = getenv("AZURE_SUBSCRIPTION_ID"), *quote = strpbrk(cluster->group, "()") ? "'" : "";
    bool other = cluster->subscription && !chsm_streq(known, cluster->subscription);

    (void)snprintf(out, CHSM_CLUSTER_OPTIONS_LEN, "%s%s%s-g %s%s%s -n %s", other ? "-s " : "", other ? cluster->subscription : "",
                   other ? " " : "", quote, cluster->group, quote, cluster->name);
}
