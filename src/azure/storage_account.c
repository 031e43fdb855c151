/* SPDX-License-Identifier: Apache-2.0 */
/* The account and its container: made, or brought to what a backup needs (arm.md §4.3, §4.4). */
#include "config.h"

#include <strings.h>

#include "azure/location.h"
#include "azure/resource.h"
#include "azure/storage.h"
#include "util/safety.h"

json_t *chsm_account_body(const struct chsm_storage_plan *p, const char *location)
{
    return json_pack("{s:s,s:s,s:{s:s},s:O*,s:{s:b,s:b,s:s,s:b,s:s,s:{s:s,s:s,s:[],s:[]}}}", "location", location, "kind",
                     "StorageV2", "sku", "name", p->sku ? p->sku : "Standard_LRS", "tags", p->tags, "properties",
                     "allowSharedKeyAccess", 0, "allowBlobPublicAccess", 0, "minimumTlsVersion", "TLS1_2",
                     "supportsHttpsTrafficOnly", 1, "publicNetworkAccess", "Enabled", "networkAcls", "bypass", "AzureServices",
                     "defaultAction", p->default_action ? p->default_action : "Allow", "ipRules", "virtualNetworkRules");
}

void chsm_account_drift_done(struct chsm_account_drift *d)
{
    json_decref(d->patch);
    json_decref(d->changes);
    *d = (struct chsm_account_drift){ 0 };
}

/* Notes that property `name` is to become `value` (stolen). */
static int want(struct chsm_account_drift *d, const char *name, const char *was, json_t *value, const char *becomes)
{
    return json_object_set_new(d->patch, name, value) < 0 ||
                   json_array_append_new(d->changes, json_sprintf("%s: %s -> %s", name, was ? was : "not set", becomes)) < 0
               ? -1
               : 0;
}

/*
 * The trusted-services bypass matters only where the firewall keeps others out. Whether Cloud HSM is such a service no source says, so
 * it must not be the bypass that is missing. The whole object is sent: a part of it might replace the whole.
 */
static int want_bypass(struct chsm_account_drift *d, const json_t *account)
{
    const json_t *acls = chsm_json_get(account, "properties.networkAcls");
    const char *bypass = chsm_json_str(acls, "bypass"), *action = chsm_json_str(acls, "defaultAction");
    const char *public = json_string_value(chsm_json_get(account, "properties.publicNetworkAccess"));
    bool walled = (action && strcasecmp(action, "Deny") == 0) || (public && strcasecmp(public, "Enabled") != 0);
    AUTO_FREE char *wanted = NULL;
    json_t *copy;

    if (!walled || !action || (bypass && strcasestr(bypass, "AzureServices")))
        return 0;
    wanted =
        bypass && *bypass && strcasecmp(bypass, "None") != 0 ? chsm_strf("%s, AzureServices", bypass) : strdup("AzureServices");
    copy = json_deep_copy(acls);
    if (!wanted || json_object_set_new(copy, "bypass", json_string(wanted)) < 0) {
        json_decref(copy);
        return -1;
    }
    d->opens = "its firewall would let trusted Azure services in";
    return json_object_set_new(d->patch, "networkAcls", copy) < 0 ||
                   json_array_append_new(d->changes,
                                         json_sprintf("networkAcls.bypass: %s -> %s", bypass ? bypass : "not set", wanted)) < 0
               ? -1
               : 0;
}

int chsm_account_drift(const json_t *account, struct chsm_account_drift *ret, struct chsm_err *err)
{
    const json_t *p = json_object_get(account, "properties"), *open = json_object_get(p, "allowBlobPublicAccess");
    const char *tls = chsm_json_str(p, "minimumTlsVersion");
    struct chsm_account_drift d = { .patch = json_object(), .changes = json_array() };
    int rc = d.patch && d.changes ? 0 : -1;

    if (rc == 0 && !json_is_true(json_object_get(p, "supportsHttpsTrafficOnly")))
        rc = want(&d, "supportsHttpsTrafficOnly", json_object_get(p, "supportsHttpsTrafficOnly") ? "false" : NULL, json_true(),
                  "true");
    if (rc == 0 && (!tls || strcmp(tls, "TLS1_0") == 0 || strcmp(tls, "TLS1_1") == 0))
        rc = want(&d, "minimumTlsVersion", tls, json_string("TLS1_2"), "TLS1_2");
    if (rc == 0 && !json_is_false(open)) {
        d.closes_public = true;
        rc = want(&d, "allowBlobPublicAccess", open && !json_is_null(open) ? "true" : NULL, json_false(), "false");
    }
    if (rc == 0)
        rc = want_bypass(&d, account);
    if (rc < 0) {
        chsm_account_drift_done(&d);
        return chsm_oom(err);
    }
    *ret = d;
    return 0;
}

/* Before a name is asked for, whether it can be had: a taken name is the most common refusal, and a PUT says less about it. */
static int name_free(struct chsm_steps *s, const struct chsm_storage_plan *p, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_strf(
        "/subscriptions/%s/providers/Microsoft.Storage/checkNameAvailability?api-version=" CHSM_STORAGE_API, p->ref.subscription);
    json_auto_t *body = json_pack("{s:s,s:s}", "name", p->ref.account, "type", "Microsoft.Storage/storageAccounts");
    json_auto_t *answer = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };
    const char *message;

    if (!path || !body)
        return chsm_oom(err);
    if (chsm_arm_do(s->arm, "POST", path, body, CHSM_REPEAT_SAFE, s->deadline, &r, &answer, err) < 0) {
        /* The PUT says so, too, and then the provider may be registered. */
        return err && strcasecmp(err->service_code, "MissingSubscriptionRegistration") == 0 && s->register_providers
                   ? 0
                   : chsm_steps_explain(path, err);
    }
    if (!json_is_false(json_object_get(answer, "nameAvailable")))
        return 0;
    message = chsm_json_str(answer, "message");
    (void)chsm_fail(err, CHSM_SERVICE, "the account name %s cannot be had: %s", p->ref.account,
                    message ? message : "it is taken");
    return chsm_err_hint(
        err, "names are unique in all of Azure: choose another one for --account-name, or name the group that has this one");
}

/* What cannot be changed must be as it has to be. */
static int check_existing(const struct chsm_storage_plan *p, const json_t *account, struct chsm_err *err)
{
    const char *kind = chsm_json_str(account, "kind"), *at = chsm_json_str(account, "location");
    AUTO_FREE char *is = NULL;

    if (kind && strcasecmp(kind, "FileStorage") == 0)
        return chsm_refuse(err, CHSM_RULE_OTHER_RESOURCE, "the account %s is of the kind %s, which has no blobs", p->ref.account,
                           kind);
    if (!p->location || !at || chsm_location_normal(at, &is, NULL) < 0 || strcmp(is, p->location) == 0)
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_OTHER_RESOURCE, "the account %s is in %s, not in %s", p->ref.account, is, p->location);
    return chsm_err_hint(err, "leave --location out to use it as it is, or choose another name");
}

/* Containers that anybody may read without signing in; *ret = their names with commas, NULL when there are none. */
static int public_containers(struct chsm_steps *s, const char *account_id, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_resource_path(account_id, "/blobServices/default/containers", CHSM_STORAGE_API);
    AUTO_BUF struct chsm_buf out = CHSM_BUF(65536);
    json_auto_t *all = NULL;
    json_t *each;
    size_t i;

    if (!path)
        return chsm_oom(err);
    if (chsm_arm_list(s->arm, path, s->deadline, &all, err) < 0)
        return chsm_err_prefix(err, "looking for public containers");
    json_array_foreach (all, i, each) {
        const char *access = json_string_value(chsm_json_get(each, "properties.publicAccess")),
                   *name = chsm_json_str(each, "name");

        if (access && strcasecmp(access, "None") != 0 &&
            chsm_buf_addf(&out, err, "%s%s", out.len ? ", " : "", name ? name : "?") < 0)
            return -1;
    }
    if (out.len == 0)
        return 0;
    *ret = chsm_buf_take(&out);
    return *ret ? 0 : chsm_oom(err);
}

static char *joined(const json_t *list)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(65536);
    json_t *each;
    size_t i;

    json_array_foreach (list, i, each)
        if (chsm_buf_addf(&out, NULL, "%s%s", i ? "; " : "", json_string_value(each)) < 0)
            return NULL;
    return chsm_buf_take(&out);
}

/* Whether the changes may be made unasked. */
static int may_change(struct chsm_steps *s, const struct chsm_storage_plan *p, const char *id, const struct chsm_account_drift *d,
                      struct chsm_err *err)
{
    AUTO_FREE char *list = joined(d->changes);
    AUTO_FREE char *public = NULL;

    if (!list)
        return chsm_oom(err);
    if (p->no_change)
        return chsm_refuse(err, CHSM_RULE_NO_CHANGE, "account %s: %s", p->ref.account, list);
    if (p->accept_changes)
        return 0;
    if (d->opens)
        return chsm_refuse(err, CHSM_RULE_ACCOUNT_IN_USE, "account %s: %s: %s", p->ref.account, d->opens, list);
    if (d->closes_public && public_containers(s, id, &public, err) < 0)
        return -1;
    if (public)
        return chsm_refuse(err, CHSM_RULE_ACCOUNT_IN_USE,
                           "account %s: anonymous readers of the containers %s would be cut off: %s", p->ref.account, public,
                           list);
    return 0;
}

static int correct(struct chsm_steps *s, const struct chsm_storage_plan *p, const char *id, const char *path, json_t **account,
                   struct chsm_err *err)
{
    AUTO(chsm_account_drift_done) struct chsm_account_drift d = { 0 };
    json_auto_t *body = NULL;
    json_t *fresh = NULL;
    const char *note = NULL;

    if (check_existing(p, *account, err) < 0 || (!s->dry_run && chsm_steps_settle(s, path, p->ref.account, account, err) < 0) ||
        chsm_account_drift(*account, &d, err) < 0)
        return -1;
    if (!json_is_false(chsm_json_get(*account, "properties.allowSharedKeyAccess")))
        note = "its shared keys are on: `chsmctl storage harden` switches them off";
    if (json_array_size(d.changes) == 0)
        return chsm_steps_say(s, "account", p->ref.account, id, CHSM_STEP_EXISTS, json_pack("{s:s*}", "note", note), err);
    body = json_pack("{s:O}", "properties", d.patch);
    if (!body)
        return chsm_oom(err);
    if (may_change(s, p, id, &d, err) < 0 || chsm_steps_write(s, "PATCH", path, body, p->ref.account, &fresh, err) < 0)
        return -1;
    if (fresh) {
        json_decref(*account);
        *account = fresh;
    }
    return chsm_steps_say(s, "account", p->ref.account, id, CHSM_STEP_CHANGED,
                          json_pack("{s:O,s:s*}", "changes", d.changes, "note", note), err);
}

int chsm_account_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, const char *id, const char *location,
                         json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_resource_path(id, NULL, CHSM_STORAGE_API);
    json_auto_t *account = NULL;
    json_auto_t *body = NULL;

    if (!path)
        return chsm_oom(err);
    if (chsm_steps_read(s, path, &account, err) < 0)
        return -1;
    if (account) {
        if (correct(s, p, id, path, &account, err) < 0)
            return -1;
        *ret = TAKE(account);
        return 0;
    }
    body = chsm_account_body(p, location);
    if (!body)
        return chsm_oom(err);
    if (name_free(s, p, err) < 0 || chsm_steps_write(s, "PUT", path, body, p->ref.account, &account, err) < 0 ||
        (account && chsm_steps_settle(s, path, p->ref.account, &account, err) < 0))
        return -1;
    *ret = TAKE(account);
    return chsm_steps_say(s, "account", p->ref.account, id, CHSM_STEP_CREATED, NULL, err);
}

int chsm_container_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, const json_t *account, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *uri = NULL;
    json_auto_t *there = NULL;
    json_auto_t *made = NULL;
    json_auto_t *body = json_pack("{s:{s:s}}", "properties", "publicAccess", "None");

    if (!body)
        return chsm_oom(err);
    if (chsm_container_id(&p->ref, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_STORAGE_API);
    if (!path)
        return chsm_oom(err);
    if ((account && chsm_container_uri(account, p->ref.container, &uri, err) < 0) ||
        (account && chsm_steps_read(s, path, &there, err) < 0) ||
        (!there && chsm_steps_write(s, "PUT", path, body, p->ref.container, &made, err) < 0))
        return -1;
    return chsm_steps_say(s, "container", p->ref.container, id, there ? CHSM_STEP_EXISTS : CHSM_STEP_CREATED,
                          json_pack("{s:s*}", "uri", uri), err);
}
