/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <strings.h>

#include "sim/jobs.h"
#include "sim/keystore.h"
#include "util/clock.h"
#include "util/enc.h"
#include "util/path.h"

#define PROVISIONED "HSM cluster provisioning successful."
#define PARTIAL ".partial"      /* a backup's folder has this suffix until its job has succeeded */

int sim_cluster_set(json_t *cluster, const char *provisioning, const char *activation, const char *message, struct chsm_err *err)
{
    json_t *p = json_object_get(cluster, "properties");

    if (json_object_set_new(p, "provisioningState", json_string(provisioning)) < 0 ||
        json_object_set_new(p, "activationState", json_string(activation)) < 0 ||
        json_object_set_new(p, "statusMessage", message ? json_string(message) : json_null()) < 0)
        return chsm_oom(err);
    return 0;
}

const char *sim_cluster_get(const json_t *cluster, const char *property)
{
    const char *s = chsm_json_str(json_object_get(cluster, "properties"), property);

    return s ? s : "";
}

static bool job_runs(const json_t *job)
{
    return chsm_streq(chsm_json_str(job, "status"), "InProgress");
}

bool sim_jobs_running(const json_t *root, const char *cluster_id)
{
    const char *id;
    json_t *job;

    json_object_foreach(json_object_get(root, "jobs"), id, job)
        if (job_runs(job) && strcasecmp(chsm_json_str(job, "cluster"), cluster_id) == 0)
            return true;
    return false;
}

/* "<dir>/<folder>/<backup id><suffix>" */
static char *backup_path(const char *dir, const char *folder, const char *backup_id, const char *suffix)
{
    return chsm_strf("%s/%s/%s%s", dir, folder, backup_id, suffix);
}

static int end_backup(const struct sim_state *s, const json_t *job, struct chsm_err *err)
{
    const char *folder = chsm_json_str(job, "folder"), *backup_id = chsm_json_str(job, "backupId");
    AUTO_FREE char *from = backup_path(s->dir, folder, backup_id, PARTIAL);
    AUTO_FREE char *to = backup_path(s->dir, folder, backup_id, "");

    if (!from || !to)
        return chsm_oom(err);
    return rename(from, to) < 0 ? chsm_fail_errno(err, CHSM_CONFIG, "%s", from) : 0;
}

static int end_restore(const struct sim_state *s, const json_t *job, json_t *cluster, struct chsm_err *err)
{
    AUTO_FREE char *from = backup_path(s->dir, chsm_json_str(job, "folder"), chsm_json_str(job, "backupId"), "");

    if (!from)
        return chsm_oom(err);
    if (sim_keystore_restore(s->dir, chsm_json_str(cluster, "name"), from, err) < 0)
        return -1;
    return json_object_set_new(json_object_get(cluster, "sim"), "restoredAt", json_integer(sim_when(job, "end"))) < 0 ? chsm_oom(err) : 0;
}

/* A restore that fails takes its cluster with it (facts: arm.md §3.7). */
static int end_failed(const json_t *job, json_t *cluster, struct chsm_err *err)
{
    if (!chsm_streq(chsm_json_str(job, "kind"), "restore"))
        return 0;
    return sim_cluster_set(cluster, "Failed", "Failed", "The restore operation failed. The HSM cluster is not functional.", err);
}

/* Why the end of a job went wrong becomes the job's error: the cloud goes on. */
static int note_error(json_t *job, const struct chsm_err *why, struct chsm_err *err)
{
    json_t *error = json_pack("{s:s,s:s}", "code", "InternalError", "message", why->text);

    return json_object_set_new(job, "error", error) < 0 ? chsm_oom(err) : 0;
}

static int end_job(struct sim_state *s, json_t *job, struct chsm_err *err)
{
    json_t *cluster = sim_resource(s->root, chsm_json_str(job, "cluster"));
    bool failed = json_object_get(job, "error") != NULL || !cluster;
    struct chsm_err why = { 0 };
    int rc = 0;

    if (!failed) {
        rc = chsm_streq(chsm_json_str(job, "kind"), "backup") ? end_backup(s, job, &why) : end_restore(s, job, cluster, &why);
        failed = rc < 0;
        if (failed && note_error(job, &why, err) < 0)
            return -1;
    }
    if (failed && cluster && end_failed(job, cluster, err) < 0)
        return -1;
    s->dirty = true;
    return json_object_set_new(job, "status", json_string(failed ? "Failed" : "Succeeded")) < 0 ? chsm_oom(err) : 0;
}

/* What time does to one cluster; *ret_gone when its deletion is complete. */
static int advance_cluster(struct sim_state *s, json_t *cluster, int64_t now, bool *ret_gone, struct chsm_err *err)
{
    json_t *sim = json_object_get(cluster, "sim");
    int64_t ready = sim_when(sim, "readyAt"), restored = sim_when(sim, "restoredAt"), gone = sim_when(sim, "goneAt");

    if (gone && gone <= now) {
        *ret_gone = true;
        return sim_keystore_destroy(s->dir, chsm_json_str(cluster, "name"), err);
    }
    if (ready && ready <= now) {
        const char *was = sim_cluster_get(cluster, "activationState");
        const char *broken = chsm_json_str(json_object_get(cluster, "tags"), "MockProvisioningError");

        (void)json_object_del(sim, "readyAt");
        s->dirty = true;
        /* The service's own test back end is directed by tags, too (facts: arm.md §6). */
        if (broken && chsm_streq(was, "NotDefined"))
            return sim_cluster_set(cluster, "Failed", was, broken, err);
        if (sim_cluster_set(cluster, "Succeeded", chsm_streq(was, "NotDefined") ? "NotActivated" : was, PROVISIONED, err) < 0)
            return -1;
    }
    /* Counted here and not when the restore ends, so that a `set activation` works on a cluster that waits. */
    if (restored && restored + sim_timing(s->root, "activation") <= now) {
        (void)json_object_del(sim, "restoredAt");
        s->dirty = true;
        return sim_cluster_set(cluster, sim_cluster_get(cluster, "provisioningState"), "Active", PROVISIONED, err);
    }
    return 0;
}

int sim_jobs_advance(struct sim_state *s, int64_t now, struct chsm_err *err)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach(json_object_get(s->root, "jobs"), key, value)
        if (job_runs(value) && sim_when(value, "end") <= now && end_job(s, value, err) < 0)
            return -1;
    json_object_foreach_safe(json_object_get(s->root, "resources"), next, key, value) {
        bool gone = false;

        if (!sim_resource_is(value, SIM_CLUSTER_TYPE))
            continue;
        if (advance_cluster(s, value, now, &gone, err) < 0)
            return -1;
        if (gone) {
            (void)json_object_del(json_object_get(s->root, "resources"), key);
            s->dirty = true;
        }
    }
    return 0;
}

/* Stores a job (stolen) under a fresh id. */
static int add_job(struct sim_state *s, json_t *job, char ret[33], struct chsm_err *err)
{
    unsigned char random[16];
    AUTO_FREE char *id = NULL;

    if (!job)
        return chsm_oom(err);
    if (chsm_random(random, sizeof random, err) < 0) {
        json_decref(job);
        return -1;
    }
    id = chsm_hex(random, sizeof random);
    if (!id || json_object_set_new(json_object_get(s->root, "jobs"), id, job) < 0)
        return chsm_oom(err);
    s->dirty = true;
    memcpy(ret, id, 33);
    return 0;
}

/* cloudhsm-<uuid of the cluster>-<yyyyMMddHHmmss and hundredths>: the folder of a backup (facts: arm.md §3.6). */
static char *backup_id(const json_t *cluster, int64_t now)
{
    const char *uuid = chsm_json_str(json_object_get(cluster, "sim"), "uuid");
    char text[CHSM_TIME_LEN], digits[17];
    size_t n = 0;

    chsm_time_format(now, true, text);
    for (const char *p = text; *p && n < 16; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    digits[n] = '\0';
    return chsm_strf("cloudhsm-%s-%s", uuid, digits);
}

int sim_job_backup(struct sim_state *s, json_t *cluster, const char *container_uri, const char *folder, int64_t now, char ret[33],
                   struct chsm_err *err)
{
    AUTO_FREE char *id = backup_id(cluster, now);
    AUTO_FREE char *path = id ? backup_path(s->dir, folder, id, PARTIAL) : NULL;

    if (!path)
        return chsm_oom(err);
    if (sim_keystore_backup(s->dir, chsm_json_str(cluster, "name"), path, err) < 0)
        return -1;
    return add_job(s, json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:I}", "kind", "backup", "cluster", chsm_json_str(cluster, "id"),
                                "status", "InProgress", "start", (json_int_t)now, "end", (json_int_t)(now + sim_timing(s->root, "backup")),
                                "container", container_uri, "folder", folder, "backupId", id,
                                "snapshot", (json_int_t)(now - sim_timing(s->root, "snapshotAge"))), ret, err);
}

/* The codes are ours: no failed job was ever published (facts: arm.md §6). */
json_t *sim_restore_error(const struct sim_state *s, const json_t *cluster, const char *folder, const char *wanted)
{
    AUTO_FREE char *path = backup_path(s->dir, folder, wanted, "");

    if (!chsm_streq(sim_cluster_get(cluster, "provisioningState"), "Succeeded") ||
        !chsm_streq(sim_cluster_get(cluster, "activationState"), "NotActivated"))
        return json_pack("{s:s,s:s}", "code", "RestoreToActivatedClusterNotSupported", "message",
                         "The restore operation failed: the destination HSM cluster must be provisioned and not activated.");
    if (strchr(wanted, '/') || strncmp(wanted, "cloudhsm-", 9) != 0 || !path || access(path, F_OK) < 0)
        return json_pack("{s:s,s:o}", "code", "BackupNotFound", "message",
                         json_sprintf("The restore operation failed: backup '%s' was not found in the container.", wanted));
    return NULL;
}

int sim_job_restore(struct sim_state *s, json_t *cluster, const char *container_uri, const char *folder, const char *wanted, int64_t now,
                    char ret[33], struct chsm_err *err)
{
    json_t *error = sim_restore_error(s, cluster, folder, wanted);

    return add_job(s, json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:o*}", "kind", "restore", "cluster", chsm_json_str(cluster, "id"),
                                "status", "InProgress", "start", (json_int_t)now, "end", (json_int_t)(now + sim_timing(s->root, "restore")),
                                "container", container_uri, "folder", folder, "backupId", wanted, "error", error), ret, err);
}

/* "HSM Backup Time: 6/13/2025 1:40:04 PM +00:00 UTC.": .NET's invariant culture, as recorded. */
static json_t *status_details(int64_t snapshot)
{
    time_t seconds = (time_t)(snapshot / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm))
        return NULL;
    return json_sprintf("HSM Backup Time: %d/%d/%d %d:%02d:%02d %s +00:00 UTC.", tm.tm_mon + 1, tm.tm_mday, tm.tm_year + 1900,
                        tm.tm_hour % 12 == 0 ? 12 : tm.tm_hour % 12, tm.tm_min, tm.tm_sec, tm.tm_hour < 12 ? "AM" : "PM");
}

json_t *sim_job_result(const char *id, const json_t *job)
{
    const char *status = chsm_json_str(job, "status");
    bool backup = chsm_streq(chsm_json_str(job, "kind"), "backup");
    json_t *p = json_pack("{s:s,s:o,s:o,s:s}", "status", status, "startTime", sim_time(sim_when(job, "start")), "endTime",
                          sim_time(sim_when(job, "end")), "jobId", id);
    int rc = p ? 0 : -1;

    if (p && backup)
        rc |= json_object_set(p, "azureStorageBlobContainerUri", json_object_get(job, "container"));
    if (p && chsm_streq(status, "Succeeded") && json_object_get(job, "snapshot"))
        rc |= json_object_set(p, "backupId", json_object_get(job, "backupId")) |
              json_object_set_new(p, "statusDetails", status_details(sim_when(job, "snapshot")));
    if (p && json_object_get(job, "error"))
        rc |= json_object_set(p, "error", json_object_get(job, "error"));
    if (rc < 0) {
        json_decref(p);
        return NULL;
    }
    return json_pack("{s:o}", "properties", p);
}
