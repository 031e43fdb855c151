/* SPDX-License-Identifier: Apache-2.0 */
/* What the changes of a cluster share; for cluster_*.c. */
#ifndef CHSM_AZURE_CLUSTER_CHANGE_H
#define CHSM_AZURE_CLUSTER_CHANGE_H

#include "azure/cluster.h"

/*
 * Sends the change and follows it to its end: *ret is the cluster as read then. With no_wait it returns when the service
 * has accepted it; *ret is what the service answered, or the cluster as read right after.
 */
CHSM_MUST_CHECK int chsm_cluster_send(const struct chsm_cluster_task *t, const char *method, const json_t *body, json_t **ret,
                                      struct chsm_err *err);

/*
 * After a deadline or an interrupt: what the service has accepted goes on, and the error says how to pick it up (`flag`:
 * what `cluster wait` needs besides, " --deleted" or ""). Leaves other errors alone. Always -1.
 */
int chsm_cluster_goes_on(const struct chsm_cluster_task *t, const char *flag, struct chsm_err *err);

/*
 * Reads the cluster; when it is in the middle of a change, waits for its end first: another change would end in a
 * conflict, and what was read would be out of date. Who stops waiting then is told that nothing was changed.
 */
CHSM_MUST_CHECK int chsm_cluster_settled(const struct chsm_cluster_task *t, json_t **ret, struct chsm_err *err);

/* Only a cluster that was never activated can hold no key. */
bool chsm_cluster_may_hold_keys(const json_t *cluster);

/* Its one user-assigned identity is this one, in any case of letters; identity_id NULL: it has none at all. */
bool chsm_cluster_has_identity(const json_t *cluster, const char *identity_id);

/* {"type": "UserAssigned", ...}, or {"type": "None"} for NULL; a new object, NULL when out of memory. */
json_t *chsm_cluster_identity_object(const char *identity_id);

/* CHSM_SERVICE with `what` and the list when anything but the identity differs; 0 when nothing does. */
CHSM_MUST_CHECK int chsm_cluster_prove_rest(const json_t *before, const json_t *after, const char *what, struct chsm_err *err);

/* The strings of an array with "; " between them; malloc()ed. */
CHSM_MUST_CHECK int chsm_cluster_join(const json_t *list, char **ret, struct chsm_err *err);

#endif
