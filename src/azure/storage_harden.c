/* SPDX-License-Identifier: Apache-2.0 */
/* Shared keys off, once it is known who still uses them: the tutorial's last step, done by hand in the portal there. */
#include "config.h"

#include <strings.h>

#include "azure/identity.h"
#include "azure/resource.h"
#include "azure/role.h"
#include "azure/storage.h"
#include "util/safety.h"

#define METRICS_API "2018-01-01"
#define DAYS        7

struct hardening {
    struct chsm_steps *s;
    const char *account, *id, *scope; /* scope: where the identity must have its role */
    bool force;
    json_t *unchecked; /* array of strings */
};

static int not_checked(struct hardening *h, json_t *text, struct chsm_err *err)
{
    return json_array_append_new(h->unchecked, text) == 0 ? 0 : chsm_oom(err);
}

/* Backups go on without keys only when the identity has its role. */
static int check_role(struct hardening *h, const char *identity, struct chsm_err *err)
{
    json_auto_t *resource = NULL;
    json_auto_t *found = NULL;
    const char *principal;

    if (!identity)
        return not_checked(h, json_string("whether the managed identity has its role: no --identity was given"), err);
    if (chsm_identity_get(h->s->arm, identity, h->s->deadline, &resource, err) < 0)
        return -1;
    principal = json_string_value(chsm_json_get(resource, "properties.principalId"));
    if (principal && chsm_is_guid(principal) && !principal[36] && chsm_role_find(h->s, h->scope, principal, &found, err) < 0)
        return -1;
    if ((found && !chsm_role_conditional(found)) || h->force)
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_KEYS_IN_USE, "the managed identity %s has no role on %s%s", identity, h->scope,
                      found ? " but one with a condition" : "");
    return chsm_err_hint(err, "`chsmctl storage prepare --identity ID` gives it the role; --force goes on without it");
}

/* Requests of one kind of authentication, over all hours. */
static double sum(const json_t *series)
{
    double n = 0;
    json_t *each;
    size_t i;

    json_array_foreach (json_object_get(series, "data"), i, each)
        n += json_number_value(json_object_get(each, "total"));
    return n;
}

/* Adds up what was signed with a key or a SAS. A user delegation SAS is signed with a token; it goes on working. */
static double keyed(const json_t *metrics)
{
    json_t *series, *each;
    size_t i, k;
    double n = 0;

    json_array_foreach (json_object_get(json_array_get(json_object_get(metrics, "value"), 0), "timeseries"), i, series)
        json_array_foreach (json_object_get(series, "metadatavalues"), k, each) {
            const char *kind = chsm_json_str(each, "value");

            if (kind && (strcasecmp(kind, "AccountKey") == 0 || strcasecmp(kind, "SAS") == 0))
                n += sum(series);
        }
    return n;
}

static char *metrics_path(const char *id)
{
    AUTO_FREE char *path = chsm_resource_path(id, "/providers/Microsoft.Insights/metrics", METRICS_API);
    char from[CHSM_TIME_LEN], to[CHSM_TIME_LEN];
    int64_t now = chsm_now();

    if (!path)
        return NULL;
    chsm_time_format(now - DAYS * INT64_C(86400000), false, from);
    chsm_time_format(now, false, to);
    return chsm_strf(
        "%s&metricnames=Transactions&aggregation=Total&interval=PT1H&timespan=%s/%s&$filter=Authentication%%20eq%%20%%27*%%27",
        path, from, to);
}

static int check_use(struct hardening *h, struct chsm_err *err)
{
    AUTO_FREE char *path = metrics_path(h->id);
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *metrics = NULL;
    struct chsm_err why = { 0 };
    double n;

    if (!path)
        return chsm_oom(err);
    if (chsm_arm_do(h->s->arm, "GET", path, NULL, CHSM_REPEAT_SAFE, h->s->deadline, &r, &metrics, &why) < 0) {
        if (why.code == CHSM_SERVICE)
            return not_checked(h, json_sprintf("whether somebody has used keys or SAS in the last %d days: %s", DAYS, why.text),
                               err);
        if (err)
            *err = why;
        return -1;
    }
    if (!json_is_array(json_object_get(json_array_get(json_object_get(metrics, "value"), 0), "timeseries")))
        return not_checked(
            h, json_sprintf("whether somebody has used keys or SAS in the last %d days: the answer has no metrics", DAYS), err);
    n = keyed(metrics);
    if (!(n > 0) || h->force)
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_KEYS_IN_USE,
                      "%.0f requests to %s were signed with a shared key or a SAS in the last %d days", n < 1 ? 1 : n, h->account,
                      DAYS);
    return chsm_err_hint(
        err, "find out who sends them (the account's logs name the callers); --force switches the keys off all the same");
}

/* Until the account itself says so. */
static int confirm(struct chsm_steps *s, const char *path, const char *name, json_t *account, struct chsm_err *err)
{
    int64_t pause = s->arm->poll_interval > 0 ? s->arm->poll_interval : 5000;
    json_auto_t *seen = json_incref(account);

    while (!json_is_false(chsm_json_get(seen, "properties.allowSharedKeyAccess"))) {
        if (chsm_sleep(pause, s->deadline, err) < 0)
            return chsm_err_prefix(err, "the change of %s was accepted, but its keys are still on", name);
        json_decref(TAKE(seen));
        if (chsm_steps_read(s, path, &seen, err) < 0)
            return -1;
        if (!seen)
            return chsm_fail(err, CHSM_SERVICE, "the account %s is gone", name);
    }
    return 0;
}

int chsm_storage_harden(struct chsm_steps *s, const struct chsm_storage_ref *ref, const char *identity, bool force,
                        json_t **ret_unchecked, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *container = NULL;
    json_auto_t *account = NULL;
    json_auto_t *changed = NULL;
    json_auto_t *unchecked = json_array();
    json_auto_t *body = json_pack("{s:{s:b}}", "properties", "allowSharedKeyAccess", 0);
    struct hardening h = { .s = s, .account = ref->account, .force = force, .unchecked = unchecked };
    bool off;

    if (!unchecked || !body)
        return chsm_oom(err);
    if ((identity && chsm_name_identity(identity, err) < 0) || chsm_account_id(ref, &id, err) < 0 ||
        (ref->container && chsm_container_id(ref, &container, err) < 0))
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_STORAGE_API);
    if (!path)
        return chsm_oom(err);
    if (chsm_account_get(s, ref, &account, err) < 0)
        return -1;
    h.id = id;
    h.scope = container ? container : id;
    off = json_is_false(chsm_json_get(account, "properties.allowSharedKeyAccess"));
    if (!off && (check_role(&h, identity, err) < 0 || check_use(&h, err) < 0 ||
                 chsm_steps_write(s, "PATCH", path, body, ref->account, &changed, err) < 0 ||
                 (changed && confirm(s, path, ref->account, changed, err) < 0)))
        return -1;
    *ret_unchecked = TAKE(unchecked);
    return chsm_steps_say(s, "keys", ref->account, id, off ? CHSM_STEP_EXISTS : CHSM_STEP_CHANGED,
                          off ? NULL : json_pack("{s:[s]}", "changes", "allowSharedKeyAccess: true -> false"), err);
}
