/* SPDX-License-Identifier: Apache-2.0 */
/* What a restore is asked to be, and the safety rules that it has to pass (facts: arm.md §3.7, cloudhsm-client.md §2). */
#ifndef CHSM_AZURE_RESTORE_H
#define CHSM_AZURE_RESTORE_H

#include "azure/cluster.h"

struct chsm_restore_request { /* all of it is borrowed */
    const struct chsm_cluster_ref *destination;
    const struct chsm_cluster_ref *source; /* NULL = not known */
    const char *container_uri, *backup_id;
    const char *source_uuid; /* what the backups of the source are called by; NULL = not known */
    int64_t max_age;         /* ms that the backup may be old at most; 0 = any */
};

/*
 * The rules that need nobody to be asked: destination-is-source, sas, backup-of-other-source, backup-too-old at `now`.
 * CHSM_USAGE when a name, the backup id or the address is none. Pure.
 */
CHSM_MUST_CHECK int chsm_restore_guard_words(const struct chsm_restore_request *q, int64_t now, struct chsm_err *err);

/* Those, and then the destination as it is now: destination-not-ready, destination-activated. Sends one GET. */
CHSM_MUST_CHECK int chsm_restore_guard(struct chsm_arm *arm, const struct chsm_restore_request *q, chsm_deadline d,
                                       struct chsm_err *err);

#endif
