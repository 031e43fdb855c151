/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the way of a backup, or of reading it again (arm.md §4.3-§4.5). */
#include "config.h"

#include <strings.h>

#include "azure/identity.h"
#include "azure/resource.h"
#include "azure/role.h"
#include "azure/storage.h"

struct looking {
    struct chsm_steps *s;
    const struct chsm_storage_ref *ref;
    const char *identity, *account_id;
    const json_t *account, *container;
    json_t *findings;
};

static int find(struct looking *l, const char *check, const char *result, json_t *text, const char *remedy, struct chsm_err *err)
{
    json_t *row = json_pack("{s:s,s:s,s:o,s:s*}", "check", check, "result", result, "text", text, "remedy", remedy);

    return row && json_array_append_new(l->findings, row) == 0 ? 0 : chsm_oom(err);
}

/* A question that could not be asked is no reason to leave the others out. Interruption and deadline are. */
static int unknown(struct looking *l, const char *check, const struct chsm_err *why, struct chsm_err *err)
{
    if (why->code != CHSM_SERVICE) {
        if (err)
            *err = *why;
        return -1;
    }
    return find(l, check, "unknown", json_string(why->text), why->hint[0] ? why->hint : NULL, err);
}

static bool is_true(const json_t *object, const char *path)
{
    return json_is_true(chsm_json_get(object, path));
}

static int account_state(struct looking *l, struct chsm_err *err)
{
    const char *state = json_string_value(chsm_json_get(l->account, "properties.provisioningState")),
               *kind = chsm_json_str(l->account, "kind");
    bool bad_kind = kind && strcasecmp(kind, "FileStorage") == 0;

    if (bad_kind)
        return find(l, "account", "problem", json_sprintf("it is of the kind %s, which has no blobs", kind),
                    "use another account", err);
    if (state && strcasecmp(state, "Succeeded") != 0)
        return find(l, "account", "problem", json_sprintf("its provisioningState is %s", state), "wait until it is Succeeded",
                    err);
    return find(l, "account", "ok",
                json_sprintf("%s in %s", kind ? kind : "there",
                             chsm_json_str(l->account, "location") ? chsm_json_str(l->account, "location") : "an unknown place"),
                NULL, err);
}

static size_t approved_connections(const json_t *account)
{
    json_t *each;
    size_t i, n = 0;

    json_array_foreach (chsm_json_get(account, "properties.privateEndpointConnections"), i, each) {
        const char *state = json_string_value(chsm_json_get(each, "properties.privateLinkServiceConnectionState.status"));

        n += state && strcasecmp(state, "Approved") == 0;
    }
    return n;
}

/* Whether Cloud HSM gets in: by the open door, by the bypass for trusted services, or by nobody knows what. */
static int network(struct looking *l, struct chsm_err *err)
{
    const json_t *p = json_object_get(l->account, "properties");
    const char *access = chsm_json_str(p, "publicNetworkAccess"),
               *action = json_string_value(chsm_json_get(p, "networkAcls.defaultAction"));
    const char *bypass = json_string_value(chsm_json_get(p, "networkAcls.bypass"));
    bool off = access && strcasecmp(access, "Enabled") != 0, deny = action && strcasecmp(action, "Deny") == 0;
    bool trusted = bypass && strcasestr(bypass, "AzureServices");
    const char *wall = off ? "public network access is off" : "the firewall lets only named networks in";

    if (!off && !deny)
        return find(l, "network", "ok", json_string("open to all networks; who gets in is decided by roles"), NULL, err);
    if (trusted)
        return find(
            l, "network", "warning",
            json_sprintf(
                "%s, but for trusted Azure services; whether Cloud HSM counts as one is not published (%zu approved private "
                "endpoint connections)",
                wall, approved_connections(l->account)),
            "`chsmctl backup check` asks the service itself", err);
    return find(l, "network", "problem",
                json_sprintf("%s, also for trusted Azure services (bypass %s)", wall, bypass ? bypass : "not set"),
                "`chsmctl storage prepare --accept-changes` sets the bypass AzureServices", err);
}

static int public_access(struct looking *l, struct chsm_err *err)
{
    const char *container = json_string_value(chsm_json_get(l->container, "properties.publicAccess"));
    bool allowed = !json_is_false(chsm_json_get(l->account, "properties.allowBlobPublicAccess"));

    if (allowed && container && strcasecmp(container, "None") != 0)
        return find(l, "public access", "problem", json_string("anybody may read the container without signing in"),
                    "`chsmctl storage prepare --accept-changes` ends that", err);
    if (allowed)
        return find(l, "public access", "warning", json_string("the account allows containers that anybody may read"),
                    "`chsmctl storage prepare` ends that", err);
    return find(l, "public access", "ok", json_string("nobody reads without signing in"), NULL, err);
}

static int transport(struct looking *l, struct chsm_err *err)
{
    const char *tls = json_string_value(chsm_json_get(l->account, "properties.minimumTlsVersion"));
    bool old = !tls || strcmp(tls, "TLS1_0") == 0 || strcmp(tls, "TLS1_1") == 0;

    if (old || !is_true(l->account, "properties.supportsHttpsTrafficOnly"))
        return find(l, "transport", "warning",
                    json_sprintf("requests without TLS 1.2 are accepted (minimumTlsVersion %s)", tls ? tls : "not set"),
                    "`chsmctl storage prepare` ends that", err);
    return find(l, "transport", "ok", json_sprintf("https with %s or better only", tls), NULL, err);
}

static int keys(struct looking *l, struct chsm_err *err)
{
    if (json_is_false(chsm_json_get(l->account, "properties.allowSharedKeyAccess")))
        return find(l, "shared keys", "ok", json_string("off: tokens only"), NULL, err);
    return find(l, "shared keys", "warning",
                json_string("on: whoever has a key, or a SAS made with one, has everything in the account"),
                "`chsmctl storage harden`", err);
}

static int immutability(struct looking *l, struct chsm_err *err)
{
    static const char remedy[] =
        "the service must be able to change what it writes: use a container in an account without such a policy";

    if (is_true(l->account, "properties.immutableStorageWithVersioning.enabled"))
        return find(l, "immutability", "problem", json_string("the account has an immutability policy for its versions"), remedy,
                    err);
    if (is_true(l->container, "properties.hasImmutabilityPolicy") ||
        is_true(l->container, "properties.immutableStorageWithVersioning.enabled"))
        return find(l, "immutability", "problem", json_string("the container has an immutability policy"), remedy, err);
    if (is_true(l->container, "properties.hasLegalHold"))
        return find(l, "immutability", "problem", json_string("the container is under a legal hold"), remedy, err);
    if (!l->container)
        return find(l, "immutability", "unknown", json_string("the container was not looked at"), NULL, err);
    return find(l, "immutability", "ok", json_string("no immutability policy, no legal hold"), NULL, err);
}

/* A rule of the account that deletes blobs, or moves them where they cannot be read at once; its name, or NULL. */
static const char *harmful_rule(const json_t *policy)
{
    static const char *const actions[] = { "delete", "tierToArchive" };
    json_t *rule;
    size_t i;

    json_array_foreach (chsm_json_get(policy, "properties.policy.rules"), i, rule) {
        const json_t *blob = chsm_json_get(rule, "definition.actions.baseBlob");

        for (size_t a = 0; a < ARRAY_LEN(actions); a++)
            if (!json_is_false(json_object_get(rule, "enabled")) && json_is_object(json_object_get(blob, actions[a])))
                return chsm_json_str(rule, "name") ? chsm_json_str(rule, "name") : "(no name)";
    }
    return NULL;
}

static int lifecycle(struct looking *l, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_resource_path(l->account_id, "/managementPolicies/default", CHSM_STORAGE_API);
    struct chsm_err why = { 0 };
    json_auto_t *policy = NULL;
    const char *name;

    if (!path)
        return chsm_oom(err);
    if (chsm_steps_read(l->s, path, &policy, &why) < 0)
        return unknown(l, "lifecycle", &why, err);
    name = harmful_rule(policy);
    if (name)
        return find(l, "lifecycle", "warning",
                    json_sprintf("the rule \"%s\" deletes or archives blobs: a backup may be gone when it is needed", name),
                    "leave the container out of the rule's prefixes", err);
    return find(l, "lifecycle", "ok", json_string("no rule deletes or archives blobs"), NULL, err);
}

static int read_container(struct looking *l, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *uri = NULL;
    struct chsm_err why = { 0 };

    if (!l->ref->container)
        return find(l, "container", "unknown", json_string("no container was named"), "give --container-name", err);
    if (chsm_container_id(l->ref, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_STORAGE_API);
    if (!path)
        return chsm_oom(err);
    if (chsm_steps_read(l->s, path, ret, &why) < 0)
        return unknown(l, "container", &why, err);
    if (!*ret)
        return find(l, "container", "problem", json_sprintf("%s is not there", l->ref->container),
                    "`chsmctl storage prepare` makes it", err);
    if (chsm_container_uri(l->account, l->ref->container, &uri, err) < 0)
        return -1;
    return find(l, "container", "ok", json_string(uri), NULL, err);
}

static int role(struct looking *l, struct chsm_err *err)
{
    AUTO_FREE char *container = NULL;
    json_auto_t *identity = NULL;
    json_auto_t *found = NULL;
    struct chsm_err why = { 0 };
    const char *principal;

    if (!l->identity)
        return find(l, "role", "unknown", json_string("no managed identity was named"), "give --identity", err);
    if (chsm_identity_get(l->s->arm, l->identity, l->s->deadline, &identity, &why) < 0)
        return why.http == 404 ? find(l, "role", "problem", json_string("the managed identity is not there"),
                                      "`chsmctl identity create` makes it", err)
                               : unknown(l, "role", &why, err);
    principal = json_string_value(chsm_json_get(identity, "properties.principalId"));
    if (l->ref->container && chsm_container_id(l->ref, &container, err) < 0)
        return -1;
    if (principal && chsm_is_guid(principal) && !principal[36] &&
        chsm_role_find(l->s, container ? container : l->account_id, principal, &found, &why) < 0)
        return unknown(l, "role", &why, err);
    if (!found)
        return find(l, "role", "problem", json_string("the managed identity may not write blobs here"),
                    "`chsmctl storage prepare --identity` gives it the role Storage Blob Data Contributor", err);
    if (chsm_role_conditional(found))
        return find(l, "role", "unknown",
                    json_sprintf("the managed identity may write blobs at %s under a condition that is not looked into",
                                 json_string_value(chsm_json_get(found, "properties.scope"))),
                    "`chsmctl backup check` asks the service itself", err);
    return find(
        l, "role", "ok",
        json_sprintf("the managed identity may write blobs at %s", json_string_value(chsm_json_get(found, "properties.scope"))),
        NULL, err);
}

static int look(struct looking *l, struct chsm_err *err)
{
    json_auto_t *container = NULL;
    int rc;

    if (account_state(l, err) < 0 || read_container(l, &container, err) < 0)
        return -1;
    l->container = container;
    rc = role(l, err) < 0 || network(l, err) < 0 || immutability(l, err) < 0 || lifecycle(l, err) < 0 ||
                 public_access(l, err) < 0 || keys(l, err) < 0 || transport(l, err) < 0
             ? -1
             : 0;
    l->container = NULL;
    return rc;
}

int chsm_storage_findings(struct chsm_steps *s, const struct chsm_storage_ref *ref, const char *identity, json_t **ret,
                          struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    json_auto_t *account = NULL;
    json_auto_t *findings = json_array();
    struct looking l = { .s = s, .ref = ref, .identity = identity, .findings = findings };
    int rc;

    if (!findings)
        return chsm_oom(err);
    if (chsm_account_id(ref, &id, err) < 0 || (ref->container && chsm_name_container(ref->container, err) < 0) ||
        (identity && chsm_name_identity(identity, err) < 0))
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_STORAGE_API);
    if (!path)
        return chsm_oom(err);
    if (chsm_steps_read(s, path, &account, err) < 0)
        return -1;
    l.account = account;
    l.account_id = id;
    rc = account ? look(&l, err)
                 : find(&l, "account", "problem", json_sprintf("%s is not there", ref->account),
                        "`chsmctl storage prepare` makes it", err);
    if (rc == 0)
        *ret = TAKE(findings);
    return rc;
}
