/* SPDX-License-Identifier: Apache-2.0 */
/* Backup and restore jobs of a Cloud HSM cluster (facts: arm.md §3.5-§3.8). */
#ifndef CHSM_AZURE_JOB_H
#define CHSM_AZURE_JOB_H

#include "azure/restore.h"

enum chsm_job_kind { CHSM_JOB_BACKUP, CHSM_JOB_RESTORE };

struct chsm_job {
    enum chsm_job_kind kind;
    char id[33];                /* jobId, 32 lower-case hex digits; "" when not known */
    char *status;               /* InProgress, Succeeded, Failed, Cancelled */
    char *details;              /* statusDetails, NULL */
    char *backup_id;            /* backup: the folder; NULL until it is known */
    char *error_code, *error_message;
    char *started, *ended;      /* as the service wrote them; endTime is no sign of an end */
    int64_t snapshot;           /* ms since 1970 of "HSM Backup Time", 0 = not said */
    json_t *raw;                /* the last body */
};
void chsm_job_done(struct chsm_job *j);

/*
 * Starts a backup into the container and returns as soon as the job id is known. Never repeated blindly: when the answer
 * is lost, the error says that a job may be running and how to look for it.
 */
CHSM_MUST_CHECK int chsm_backup_start(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, const char *container_uri,
                                      chsm_deadline d, struct chsm_job *ret, struct chsm_err *err);

/*
 * Starts a restore, after chsm_restore_guard(): a restore into the source or into a cluster that was used destroys it. As
 * little repeated as a backup.
 */
CHSM_MUST_CHECK int chsm_restore_start(struct chsm_arm *arm, const struct chsm_restore_request *q, chsm_deadline d,
                                       struct chsm_job *ret, struct chsm_err *err);

/*
 * Asks the service whether a backup or a restore of these properties would work, without starting one; for a restore after
 * chsm_restore_guard(), for a backup after seeing that the source is Active (rule source-not-active). A failure that can come
 * from a role which is too new to work is asked again for `role_delay` ms, and said. 0: it would work. CHSM_SERVICE: it would
 * not, and why; CHSM_INCONCLUSIVE: the answer says neither. *ret (initialised by the caller, and the caller's) is then what the
 * service answered as far as it did.
 */
CHSM_MUST_CHECK int chsm_backup_check(const struct chsm_cluster_task *t, const char *container_uri, int64_t role_delay,
                                      struct chsm_job *ret, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_restore_check(const struct chsm_cluster_task *t, const struct chsm_restore_request *q,
                                       int64_t role_delay, struct chsm_job *ret, struct chsm_err *err);

/* A job of which nothing is known but its id; CHSM_USAGE when that is none. */
CHSM_MUST_CHECK int chsm_job_named(const char *job_id, enum chsm_job_kind kind, struct chsm_job *ret, struct chsm_err *err);

/* One look at a job by its id. */
CHSM_MUST_CHECK int chsm_job_show(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, enum chsm_job_kind kind,
                                  const char *job_id,
                                  chsm_deadline d, struct chsm_job *ret, struct chsm_err *err);

/*
 * Polls job->id to its true end. 0 only when it Succeeded; CHSM_SERVICE with the job's own error when it Failed or was
 * Cancelled (job is filled all the same); CHSM_DEADLINE and CHSM_INTERRUPTED leave the job running and say its id.
 */
CHSM_MUST_CHECK int chsm_job_wait(struct chsm_arm *arm, const struct chsm_cluster_ref *cluster, struct chsm_job *job,
                                  chsm_deadline d,
                                  chsm_lro_watch *watch, void *ctx, struct chsm_err *err);

/* "backup" or "restore". */
const char *chsm_job_word(enum chsm_job_kind kind);

/*
 * What recordings let expect of a job that has run for so long: "recorded: 60-90 s, by that at most 42 s to go", and no promise
 * beyond the longest. Pure.
 */
void chsm_job_expected(enum chsm_job_kind kind, int64_t elapsed_ms, char *out, size_t size);

/* The options that name the cluster on a command line: "-g GROUP -n NAME", with -s unless the environment has its subscription. */
#define CHSM_CLUSTER_OPTIONS_LEN 512 /* a group has 90 letters of up to 4 bytes */
void chsm_cluster_options(const struct chsm_cluster_ref *cluster, char out[CHSM_CLUSTER_OPTIONS_LEN]);

/* Reads a BackupResult or RestoreResult into *job. Pure. */
CHSM_MUST_CHECK int chsm_job_parse(const json_t *body, struct chsm_job *job, struct chsm_err *err);

/* "HSM Backup Time: 6/13/2025 1:40:04 PM +00:00 UTC." to ms since 1970; 0 when the text holds none. Pure. */
int64_t chsm_job_snapshot(const char *details);

/* backupId = cloudhsm-<uuid>-<16 digits>. */
bool chsm_backup_id_ok(const char *id);

/* When the backup was made, by its id: ms since 1970; -1 when the digits are no date. Pure. */
int64_t chsm_backup_id_time(const char *id);

#endif
