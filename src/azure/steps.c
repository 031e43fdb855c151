/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/steps.h"

#define PROVIDERS_API "2021-04-01"
#define AGAIN         "what the service has accepted goes on; run the same command again: what is done stays done"

int chsm_steps_begin(struct chsm_steps *s, struct chsm_err *err)
{
    s->done = json_array();
    return s->done ? 0 : chsm_oom(err);
}

void chsm_steps_done(struct chsm_steps *s)
{
    json_decref(s->done);
    json_decref(s->request);
    s->done = s->request = NULL;
}

/*
 * Only a 404 that says what is missing is a "not there yet": the page of a proxy is none, and what is not made here is no
 * "yet". What is there must not be made again: a PUT would take its tags and settings.
 */
bool chsm_steps_absent(const struct chsm_err *why)
{
    static const char *const codes[] = { "ResourceNotFound",       "NotFound",
                                         "ResourceGroupNotFound",  "ParentResourceNotFound",
                                         "ContainerNotFound",      "ManagementPolicyNotFound",
                                         "RoleAssignmentNotFound", "StorageAccountNotFound" };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strcasecmp(why->service_code, codes[i]) == 0)
            return why->http == 404;
    return false;
}

int chsm_steps_read(struct chsm_steps *s, const char *path, json_t **ret, struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_err why = { 0 };
    json_t *got = NULL;

    if (chsm_arm_do(s->arm, "GET", path, NULL, CHSM_REPEAT_SAFE, s->deadline, &r, &got, &why) == 0) {
        if (!chsm_json_str(got, "id")) {
            json_decref(got);
            return chsm_fail(err, CHSM_SERVICE, "GET %.*s: HTTP %ld without a resource", (int)strcspn(path, "?"), path, r.status);
        }
        *ret = got;
        return 0;
    }
    if (chsm_steps_absent(&why)) {
        *ret = NULL;
        return 0;
    }
    if (err)
        *err = why;
    return chsm_steps_explain(path, err);
}

/* The namespace that a path's resource belongs to ("Microsoft.Storage"); NULL when it names none, or memory is out. */
static char *namespace_of(const char *path)
{
    static const char word[] = "/providers/";
    const char *at = NULL;

    for (const char *p = path; (p = strcasestr(p, word)); p++)
        at = p + strlen(word);
    return at ? strndup(at, strcspn(at, "/?")) : NULL;
}

static char *subscription_of(const char *path)
{
    const char *p = path + strlen("/subscriptions/");

    return strndup(path, (size_t)(p - path) + strcspn(p, "/?"));
}

/* Asks for the registration, then until it is there; the waits are those of every operation. */
static int register_provider(struct chsm_steps *s, const char *path, struct chsm_err *err)
{
    AUTO_FREE char *namespace = namespace_of(path);
    AUTO_FREE char *subscription = subscription_of(path);
    AUTO_FREE char *ask = namespace && subscription
                              ? chsm_strf("%s/providers/%s/register?api-version=" PROVIDERS_API, subscription, namespace)
                              : NULL;
    AUTO_FREE char *look = ask ? chsm_strf("%s/providers/%s?api-version=" PROVIDERS_API, subscription, namespace) : NULL;
    int64_t pause = s->arm->poll_interval > 0 ? s->arm->poll_interval : 10000;
    const char *method = "POST", *url = ask;

    if (!look)
        return chsm_oom(err);
    for (;;) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        json_auto_t *body = NULL;
        const char *state;

        if (chsm_arm_do(s->arm, method, url, NULL, CHSM_REPEAT_SAFE, s->deadline, &r, &body, err) < 0)
            return chsm_err_prefix(err, "registering %s", namespace);
        state = chsm_json_str(body, "registrationState");
        if (state && strcasecmp(state, "Registered") == 0)
            return 0;
        if (chsm_sleep(pause, s->deadline, err) < 0)
            return chsm_err_prefix(err, "%s is not registered yet (%s)", namespace, state ? state : "no state");
        method = "GET";
        url = look;
    }
}

static int note_request(struct chsm_steps *s, const char *method, const char *path, const json_t *body, struct chsm_err *err)
{
    json_t *noted = json_pack("{s:s,s:o,s:o}", "method", method, "url",
                              json_sprintf("%s%s", s->arm->cloud.resource_manager, path), "body", json_deep_copy(body));

    if (!noted)
        return chsm_oom(err);
    json_decref(s->request);
    s->request = noted;
    return 0;
}

static int run(struct chsm_steps *s, const char *method, const char *path, const json_t *body, const char *name, json_t **ret,
               struct chsm_err *err)
{
    const struct chsm_lro_follow follow = { s->deadline, s->watch, (void *)(uintptr_t)name };

    return chsm_lro_run(s->arm, method, path, body, &follow, ret, err);
}

/*
 * A PUT whose answer was lost is sent again, and then meets itself: what it began goes on. The resource that comes of it is the
 * answer.
 */
static int join_running(struct chsm_steps *s, const char *path, const char *name, json_t **ret, struct chsm_err *err)
{
    json_auto_t *there = NULL;

    if (chsm_steps_read(s, path, &there, err) < 0)
        return -1;
    if (!there)
        return chsm_fail(err, CHSM_SERVICE, "%s is being changed, but cannot be seen", name);
    if (chsm_steps_settle(s, path, name, &there, err) < 0)
        return -1;
    *ret = TAKE(there);
    return 0;
}

int chsm_steps_write(struct chsm_steps *s, const char *method, const char *path, const json_t *body, const char *name,
                     json_t **ret, struct chsm_err *err)
{
    struct chsm_err why = { 0 };
    json_t *got = NULL;
    int rc;

    if (note_request(s, method, path, body, err) < 0)
        return -1;
    *ret = NULL;
    if (s->dry_run)
        return 0;
    rc = run(s, method, path, body, name, &got, &why);
    if (rc < 0 && s->register_providers && strcasecmp(why.service_code, "MissingSubscriptionRegistration") == 0) {
        why = (struct chsm_err){ 0 };
        rc = register_provider(s, path, &why);
        if (rc == 0)
            rc = run(s, method, path, body, name, &got, &why);
    }
    if (rc < 0 && strcmp(method, "PUT") == 0 && strcasecmp(why.service_code, "StorageAccountOperationInProgress") == 0)
        rc = join_running(s, path, name, &got, &why);
    if (rc == 0) {
        *ret = got;
        return 0;
    }
    if (err)
        *err = why;
    return chsm_steps_explain(path, err);
}

int chsm_steps_settle(struct chsm_steps *s, const char *path, const char *name, json_t **resource, struct chsm_err *err)
{
    static const char *const ends[] = { "Succeeded", "Failed", "Canceled" };
    int64_t pause = s->arm->poll_interval > 0 ? s->arm->poll_interval : 10000;

    for (;;) {
        const char *state = json_string_value(chsm_json_get(*resource, "properties.provisioningState"));
        json_t *fresh = NULL;

        if (!state || strcasecmp(state, ends[0]) == 0)
            return 0;
        for (size_t i = 1; i < ARRAY_LEN(ends); i++)
            if (strcasecmp(state, ends[i]) == 0)
                return chsm_fail(err, CHSM_SERVICE, "%s is in the state %s", name, state);
        if (chsm_sleep(pause, s->deadline, err) < 0) {
            (void)chsm_err_prefix(err, "%s is still %s", name, state);
            return chsm_err_hint(err, AGAIN);
        }
        if (chsm_steps_read(s, path, &fresh, err) < 0)
            return -1;
        if (!fresh)
            return chsm_fail(err, CHSM_SERVICE, "%s is gone", name);
        json_decref(*resource);
        *resource = fresh;
    }
}

int chsm_steps_say(struct chsm_steps *s, const char *step, const char *name, const char *id, enum chsm_outcome outcome,
                   json_t *more, struct chsm_err *err)
{
    static const char *const words[][2] = { [CHSM_STEP_EXISTS] = { "exists", "exists" },
                                            [CHSM_STEP_CREATED] = { "created", "would-create" },
                                            [CHSM_STEP_CHANGED] = { "changed", "would-change" } };
    json_t *row = json_pack("{s:s,s:s,s:s,s:s}", "step", step, "name", name, "id", id, "outcome", words[outcome][s->dry_run]);
    int rc = row ? 0 : -1;

    if (rc == 0 && more)
        rc = json_object_update(row, more);
    if (rc == 0 && s->dry_run && s->request)
        rc = json_object_set(row, "request", s->request);
    json_decref(more);
    json_decref(s->request);
    s->request = NULL;
    if (rc < 0) {
        json_decref(row);
        return chsm_oom(err);
    }
    if (json_array_append_new(s->done, row) < 0)
        return chsm_oom(err);
    if (s->said)
        s->said(row);
    return 0;
}

/* Refusals that mean something else here than elsewhere. `part`: must stand in the message; NULL = any. */
static const struct {
    const char *code, *part, *hint;
} hints[] = {
    { "AuthorizationFailed", "roleAssignments/write",
      "giving a role takes Owner, User Access Administrator or Role Based Access Control Administrator on the scope: ask for it, "
      "or have "
      "somebody who has it run this command" },
    { "RoleAssignmentUpdateNotPermitted", NULL,
      "a role assignment of the same name is there for somebody else, mostly for an identity that was deleted and made again: "
      "remove it "
      "(az role assignment delete --ids ID) and run this again" },
    { "RoleAssignmentLimitExceeded", NULL,
      "the subscription has no room for more role assignments: remove some that nobody needs" },
    { "PrincipalNotFound", NULL,
      "the directory does not know the identity's principal yet, or it was deleted: wait a minute and run this again; what is "
      "done "
      "stays done" },
    { "StorageAccountAlreadyTaken", NULL, "somebody else in Azure has this name: choose another one for --account-name" },
    { "StorageAccountAlreadyExists", NULL,
      "the subscription has an account of this name in another group: name that group, or choose another name" },
    { "AccountNameInvalid", NULL, "3 to 24 lower-case letters and digits" },
    { "MaxStorageAccountsCountPerSubscriptionExceeded", NULL,
      "the subscription's quota of storage accounts in this region is used up: use an account that is there, another region, or "
      "ask for more" },
    { "SubscriptionQuotaExceeded", NULL,
      "the subscription's quota is used up: use what is there, another region, or ask for more" },
    { "QuotaExceeded", NULL, "the subscription's quota is used up: use what is there, another region, or ask for more" },
    { "InvalidResourceGroupLocation", NULL, "the group is in another region, and stays there: leave --location out" },
    { "InvalidResourceLocation", NULL, "it is in another region, and stays there: leave --location out, or choose another name" },
    { "LocationNotAvailableForResourceType", NULL,
      "this region does not have it: `az account list-locations -o table` lists the regions" },
    { "LocationNotAvailableForResourceGroup", NULL, "there is no such region: `az account list-locations -o table` lists them" },
    { "LinkedAuthorizationFailed", "join",
      "the one who signs in needs Microsoft.Network/virtualNetworks/subnets/join/action on the subnet" },
    { "LinkedAuthorizationFailed", "PrivateEndpointConnectionsApproval",
      "the one who signs in may not approve connections to the account: --manual-request leaves that to its owner" },
    { "PrivateEndpointNetworkPolicies", NULL, "choose a subnet that allows private endpoints" },
    { "StorageAccountOperationInProgress", NULL, "another change of the account goes on: run this again in a moment" },
    { "ContainerBeingDeleted", NULL, "a container of this name is being deleted: wait a minute, or choose another name" },
    { "PublicAccessNotPermitted", NULL, "the account serves nobody anonymously, and need not: leave the container private" },
};

int chsm_steps_explain(const char *path, struct chsm_err *err)
{
    AUTO_FREE char *namespace = namespace_of(path);

    if (!err)
        return -1;
    if (err->code == CHSM_DEADLINE || err->code == CHSM_INTERRUPTED)
        return chsm_err_hint(err, AGAIN);
    if (strcasecmp(err->service_code, "MissingSubscriptionRegistration") == 0)
        return chsm_err_hint(err, "`az provider register --namespace %s` does it, or --register-providers",
                             namespace ? namespace : "NAMESPACE");
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (strcasecmp(err->service_code, hints[i].code) == 0 && (!hints[i].part || strcasestr(err->text, hints[i].part)))
            (void)chsm_err_hint(err, "%s", hints[i].hint);
    return -1;
}
