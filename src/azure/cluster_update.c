/* SPDX-License-Identifier: Apache-2.0 */
/* The tags of a cluster, by PATCH: they are replaced as a whole, and nothing else may change (arm.md §2.5, §3.3). */
#include "config.h"

#include "azure/cluster_change.h"
#include "azure/tags.h"
#include "util/log.h"

static bool same_identity(const json_t *a, const json_t *b)
{
    json_t *ids = chsm_json_get(a, "identity.userAssignedIdentities");
    const char *key;
    json_t *value;

    if (json_object_size(ids) == 0)
        return chsm_cluster_has_identity(a, NULL) == chsm_cluster_has_identity(b, NULL);
    json_object_foreach (ids, key, value)
        if (!chsm_cluster_has_identity(b, key))
            return false;
    return true;
}

static int prove(const json_t *before, const json_t *after, const json_t *tags, struct chsm_err *err)
{
    json_t *now = json_object_get(after, "tags");
    json_auto_t *expected = json_deep_copy(before);

    if (!chsm_tags_equal(now, tags, /* caseless= */ true))
        return chsm_fail(err, CHSM_SERVICE, "the service accepted the change, but the cluster does not have these tags");
    if (!chsm_tags_equal(now, tags, /* caseless= */ false))
        chsm_log(CHSM_LOG_WARN, "the service has kept a value that differs from the new one in upper and lower case only");
    if (!same_identity(before, after))
        return chsm_fail(err, CHSM_SERVICE, "the tags were changed, but the cluster's identity changed, too");
    /* The tags are looked at; what is left has to be as it was. */
    if (!expected || json_object_set_new(expected, "tags", now ? json_deep_copy(now) : json_null()) < 0)
        return chsm_oom(err);
    return chsm_cluster_prove_rest(expected, after, "the tags were changed", err);
}

int chsm_cluster_retag(const struct chsm_cluster_task *t, const json_t *tags, struct chsm_cluster_result *ret,
                       struct chsm_err *err)
{
    json_auto_t *before = NULL;
    json_auto_t *after = NULL;
    json_auto_t *body = json_pack("{s:o}", "tags", json_deep_copy(tags));

    if (!body)
        return chsm_oom(err);
    if (chsm_cluster_settled(t, &before, err) < 0)
        return -1;
    if (chsm_tags_equal(json_object_get(before, "tags"), tags, /* caseless= */ false)) {
        *ret = (struct chsm_cluster_result){ .cluster = TAKE(before) };
        return 0;
    }
    if (chsm_cluster_send(t, "PATCH", body, &after, err) < 0 || (!t->no_wait && prove(before, after, tags, err) < 0))
        return -1;
    *ret = (struct chsm_cluster_result){ .changed = true, .cluster = TAKE(after) };
    return 0;
}
