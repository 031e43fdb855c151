/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backup and restore jobs, and everything else that happens because time passes.
 *
 * A job is a member of the state's "jobs":
 *   kind        "backup" or "restore"
 *   cluster     ARM id of the cluster that it was asked of
 *   status      "InProgress", "Succeeded", "Failed"
 *   start, end  ms since 1970; `end` is when it will be over
 *   container   the URI as it was given; folder: where that is on disk, below the simulator's folder
 *   backupId    restore: asked for; backup: made
 *   snapshot    backup: ms since 1970
 *   error       {code, message}: present from the start when the job is going to fail
 */
#ifndef CHSM_SIM_JOBS_H
#define CHSM_SIM_JOBS_H

#include "sim/state.h"

#define SIM_CLUSTER_TYPE "Microsoft.HardwareSecurityModules/cloudHsmClusters"

/* Lets everything happen that was due by `now`: provisioning, jobs, activation, deletion. */
CHSM_MUST_CHECK int sim_jobs_advance(struct sim_state *s, int64_t now, struct chsm_err *err);

/* True while a job of this cluster runs. */
bool sim_jobs_running(const json_t *root, const char *cluster_id);

/* Starts a job; both freeze what they will need now. *ret is the new job's id (32 hexadecimal digits). */
CHSM_MUST_CHECK int sim_job_backup(struct sim_state *s, json_t *cluster, const char *container_uri, const char *folder, int64_t now,
                                   char ret[33], struct chsm_err *err);
CHSM_MUST_CHECK int sim_job_restore(struct sim_state *s, json_t *cluster, const char *container_uri, const char *folder,
                                    const char *backup_id, int64_t now, char ret[33], struct chsm_err *err);

/* {code, message}: why a restore that is asked for now would fail; NULL when it would not. A new object. */
json_t *sim_restore_error(const struct sim_state *s, const json_t *cluster, const char *folder, const char *wanted);

/* BackupResult or RestoreResult; NULL when out of memory. */
json_t *sim_job_result(const char *id, const json_t *job);

/* A cluster's state words. */
CHSM_MUST_CHECK int sim_cluster_set(json_t *cluster, const char *provisioning, const char *activation, const char *message, struct chsm_err *err);
const char *sim_cluster_get(const json_t *cluster, const char *property);

#endif
