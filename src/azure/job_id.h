/* SPDX-License-Identifier: Apache-2.0 */
/* Job ids: 32 hexadecimal digits (facts: arm.md §3.5); for job*.c. */
#ifndef CHSM_AZURE_JOB_ID_H
#define CHSM_AZURE_JOB_ID_H

#include "azure/job.h"

/* Copies in lower case; false when the n bytes at p are no job id. */
bool chsm_job_id_copy(const char *p, size_t n, char out[33]);

/* The id in ".../backupOperationStatus/ID?..." or ".../restoreOperationStatus/ID?..."; false when there is none. */
bool chsm_job_id_from_url(const char *url, enum chsm_job_kind kind, char out[33]);

/* The path of a job's status without a signature: it works as long as the job is known (arm.md §3.5). malloc()ed or NULL. */
char *chsm_job_path(const char *cluster_id, enum chsm_job_kind kind, const char *job_id);

#endif
