/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/job.h"
#include "azure/resource.h"
#include "azure/restore.h"
#include "util/safety.h"

#define PREFIX_LEN 9 /* "cloudhsm-" */
#define UUID_LEN   36

static int guard_source(const struct chsm_restore_request *q, struct chsm_err *err)
{
    AUTO_FREE char *to = NULL;
    AUTO_FREE char *from = NULL;

    if (chsm_cluster_id(q->destination, &to, err) < 0 || (q->source && chsm_cluster_id(q->source, &from, err) < 0))
        return -1;
    if (!from || !chsm_arm_id_eq(to, from))
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_DESTINATION_IS_SOURCE, "the destination is the source itself (%s)", to);
    return chsm_err_hint(err, "restore into another cluster that was created for this and never activated");
}

static int guard_uuid(const struct chsm_restore_request *q, struct chsm_err *err)
{
    if (!q->source_uuid)
        return 0;
    if (!chsm_is_guid(q->source_uuid) || q->source_uuid[UUID_LEN]) {
        (void)chsm_fail(err, CHSM_USAGE, "\"%s\" is no uuid", q->source_uuid);
        return chsm_err_hint(err,
                             "it is what follows \"cloudhsm-\" in the ids of that cluster's backups (`chsmctl backup list`)");
    }
    if (strncasecmp(q->source_uuid, q->backup_id + PREFIX_LEN, UUID_LEN) == 0)
        return 0;
    return chsm_refuse(err, CHSM_RULE_BACKUP_OF_OTHER_SOURCE, "%s is not of %s", q->backup_id, q->source_uuid);
}

static int guard_age(const struct chsm_restore_request *q, int64_t now, struct chsm_err *err)
{
    int64_t when = chsm_backup_id_time(q->backup_id);
    char age[32], most[32];

    if (q->max_age <= 0)
        return 0;
    if (when < 0)
        return chsm_refuse(err, CHSM_RULE_BACKUP_TOO_OLD, "the id of %s tells no time", q->backup_id);
    if (now - when <= q->max_age)
        return 0;
    chsm_duration_format(now - when, age, sizeof age);
    chsm_duration_format(q->max_age, most, sizeof most);
    return chsm_refuse(err, CHSM_RULE_BACKUP_TOO_OLD, "%s is %s old, and at most %s is wanted", q->backup_id, age, most);
}

int chsm_restore_guard_words(const struct chsm_restore_request *q, int64_t now, struct chsm_err *err)
{
    if (!chsm_backup_id_ok(q->backup_id)) {
        (void)chsm_fail(err, CHSM_USAGE, "\"%s\" is no backup id", q->backup_id ? q->backup_id : "");
        return chsm_err_hint(err,
                             "it looks like cloudhsm-UUID-YYYYMMDDhhmmssxx; the backup job names it (`chsmctl backup show`)");
    }
    if (chsm_container_check(q->container_uri, err) < 0 || guard_source(q, err) < 0 || guard_uuid(q, err) < 0)
        return -1;
    return guard_age(q, now, err);
}

/* A restore into anything but a fresh cluster fails and leaves that cluster unusable (arm.md §3.7). */
static int guard_destination(const struct chsm_cluster_ref *ref, const json_t *cluster, struct chsm_err *err)
{
    const char *provisioning = chsm_cluster_provisioning(cluster), *activation = chsm_cluster_activation(cluster);
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_cluster_options(ref, options);
    if (strcmp(provisioning, "Succeeded") != 0) {
        (void)chsm_refuse(err, CHSM_RULE_DESTINATION_NOT_READY, "the destination %s is %s", ref->name,
                          *provisioning ? provisioning : "in an unknown state");
        return chsm_err_hint(err, "wait for it (`chsmctl cluster wait %s`), or use another cluster when it has failed", options);
    }
    if (strcmp(activation, "NotActivated") != 0) {
        (void)chsm_refuse(err, CHSM_RULE_DESTINATION_ACTIVATED, "the destination %s is %s, not NotActivated", ref->name,
                          *activation ? activation : "in an unknown activation state");
        return chsm_err_hint(err, "create a new cluster, do not activate it, and restore into that");
    }
    return 0;
}

int chsm_restore_guard(struct chsm_arm *arm, const struct chsm_restore_request *q, chsm_deadline d, struct chsm_err *err)
{
    json_auto_t *cluster = NULL;

    if (chsm_restore_guard_words(q, chsm_now(), err) < 0)
        return -1;
    if (chsm_cluster_get(arm, q->destination, d, &cluster, err) < 0)
        return chsm_err_prefix(err, "looking at the destination before the restore");
    return guard_destination(q->destination, cluster, err);
}
