/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ids of storage, and the order of its preparation. */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/identity.h"
#include "azure/location.h"
#include "azure/resource.h"
#include "azure/role.h"
#include "azure/storage.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"

int chsm_name_account(const char *s, struct chsm_err *err)
{
    size_t n = s ? strlen(s) : 0;

    if (n < 3 || n > 24 || strspn(s, LOWER) != n)
        return chsm_fail(err, CHSM_USAGE, "storage account \"%s\": 3 to 24 lower-case letters and digits", s ? s : "");
    return 0;
}

int chsm_name_container(const char *s, struct chsm_err *err)
{
    size_t n = s ? strlen(s) : 0;

    if (n < 3 || n > 63 || strspn(s, LOWER "-") != n || s[0] == '-' || s[n - 1] == '-' || strstr(s, "--"))
        return chsm_fail(err, CHSM_USAGE,
                         "container \"%s\": 3 to 63 lower-case letters, digits and single hyphens, a letter or digit at "
                         "both ends",
                         s ? s : "");
    return 0;
}

int chsm_name_endpoint(const char *s, struct chsm_err *err)
{
    size_t n = s ? strlen(s) : 0;
    bool ok = n >= 2 && n <= 64 && isalnum((unsigned char)s[0]) && (isalnum((unsigned char)s[n - 1]) || s[n - 1] == '_');

    for (size_t i = 0; i < n; i++)
        ok = ok && (isalnum((unsigned char)s[i]) || strchr("_.-", s[i]));
    if (!ok)
        return chsm_fail(err, CHSM_USAGE,
                         "private endpoint \"%s\": 2 to 64 letters, digits, '_', '.' or '-', a letter or digit first, and "
                         "one of these or '_' last",
                         s ? s : "");
    return 0;
}

int chsm_subnet_network(const char *subnet, char **ret, struct chsm_err *err)
{
    static const char *const words[] = { "subscriptions",   NULL, "resourceGroups", NULL, "providers", "Microsoft.Network",
                                         "virtualNetworks", NULL, "subnets",        NULL };
    const char *p = subnet, *network = NULL;

    for (size_t i = 0; p && i < ARRAY_LEN(words); i++) {
        size_t n = *p == '/' ? strcspn(p + 1, "/") : 0;

        if (n == 0 || (words[i] && (strlen(words[i]) != n || strncasecmp(p + 1, words[i], n) != 0)))
            break;
        p += n + 1;
        if (i == 7)
            network = p;
        if (i + 1 == ARRAY_LEN(words) && *p == '\0') {
            *ret = strndup(subnet, (size_t)(network - subnet));
            return *ret ? 0 : chsm_oom(err);
        }
    }
    (void)chsm_fail(err, CHSM_USAGE, "\"%s\" is no id of a subnet", subnet ? subnet : "");
    return chsm_err_hint(err,
                         "it looks like /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Network/virtualNetworks/NET/"
                         "subnets/NAME");
}

int chsm_account_id(const struct chsm_storage_ref *ref, char **ret, struct chsm_err *err)
{
    if (chsm_name_subscription(ref->subscription, err) < 0 || chsm_name_group(ref->group, err) < 0 ||
        chsm_name_account(ref->account, err) < 0)
        return -1;
    *ret = chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Storage/storageAccounts/%s", ref->subscription,
                     ref->group, ref->account);
    return *ret ? 0 : chsm_oom(err);
}

int chsm_container_id(const struct chsm_storage_ref *ref, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *account = NULL;

    if (chsm_account_id(ref, &account, err) < 0 || chsm_name_container(ref->container, err) < 0)
        return -1;
    *ret = chsm_strf("%s/blobServices/default/containers/%s", account, ref->container);
    return *ret ? 0 : chsm_oom(err);
}

int chsm_container_uri(const json_t *account, const char *container, char **ret, struct chsm_err *err)
{
    const char *blob = json_string_value(chsm_json_get(account, "properties.primaryEndpoints.blob"));
    size_t n = blob ? strlen(blob) : 0;

    if (strncmp(blob ? blob : "", "https://", 8) != 0)
        return chsm_fail(err, CHSM_SERVICE, "the account names no address of its blob service");
    while (n > 0 && blob[n - 1] == '/')
        n--;
    *ret = chsm_strf("%.*s/%s", (int)n, blob, container);
    return *ret ? 0 : chsm_oom(err);
}

int chsm_account_get(struct chsm_steps *s, const struct chsm_storage_ref *ref, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };

    if (chsm_account_id(ref, &id, err) < 0)
        return -1;
    path = chsm_resource_path(id, NULL, CHSM_STORAGE_API);
    if (!path)
        return chsm_oom(err);
    return chsm_arm_do(s->arm, "GET", path, NULL, CHSM_REPEAT_SAFE, s->deadline, &r, ret, err);
}

/* The step "group". An existing group is left as it is: a PUT would clear its tags (arm.md §4.1). *ret_location: the caller's. */
static int group_step(struct chsm_steps *s, const struct chsm_storage_plan *p, char **ret_location, struct chsm_err *err)
{
    AUTO_FREE char *id = chsm_strf("/subscriptions/%s/resourceGroups/%s", p->ref.subscription, p->ref.group);
    AUTO_FREE char *path = id ? chsm_resource_path(id, NULL, CHSM_RESOURCES_API) : NULL;
    json_auto_t *group = NULL;
    json_auto_t *made = NULL;
    json_auto_t *body = NULL;
    const char *location = p->location;

    if (!path)
        return chsm_oom(err);
    if (chsm_steps_read(s, path, &group, err) < 0)
        return -1;
    if (!group && !location) {
        (void)chsm_fail(err, CHSM_USAGE, "the resource group %s is not there, and no location says where to make it",
                        p->ref.group);
        return chsm_err_hint(err, "give --location, for example uksouth");
    }
    if (!group) {
        body = json_pack("{s:s,s:O*}", "location", location, "tags", p->tags);
        if (!body)
            return chsm_oom(err);
        if (chsm_steps_write(s, "PUT", path, body, p->ref.group, &made, err) < 0)
            return -1;
    } else if (!location) {
        location = chsm_json_str(group, "location");
    }
    if (!location)
        return chsm_fail(err, CHSM_SERVICE, "the resource group %s names no location", p->ref.group);
    if (chsm_steps_say(s, "group", p->ref.group, id, group ? CHSM_STEP_EXISTS : CHSM_STEP_CREATED, NULL, err) < 0)
        return -1;
    return chsm_location_normal(location, ret_location, err);
}

/* The principal comes from the identity itself; a cluster shows null there (arm.md §3). */
static int principal_of(struct chsm_steps *s, const char *identity, char **ret, struct chsm_err *err)
{
    json_auto_t *resource = NULL;
    const char *principal;

    if (chsm_identity_get(s->arm, identity, s->deadline, &resource, err) < 0) {
        if (err && err->http == 404)
            (void)chsm_err_hint(err, "`chsmctl identity create` makes it");
        return -1;
    }
    principal = json_string_value(chsm_json_get(resource, "properties.principalId"));
    if (!principal || !chsm_is_guid(principal) || principal[36])
        return chsm_fail(err, CHSM_SERVICE, "the identity %s has no principal yet", identity);
    *ret = strdup(principal);
    return *ret ? 0 : chsm_oom(err);
}

static int role_step(struct chsm_steps *s, const struct chsm_storage_plan *p, const char *account_id, const char *principal,
                     bool is_new, struct chsm_err *err)
{
    AUTO_FREE char *scope = NULL;
    const char *name = strrchr(p->identity, '/');

    if (!p->role_on_container)
        return chsm_role_prepare(s, account_id, principal, name ? name + 1 : p->identity, is_new, err);
    if (chsm_container_id(&p->ref, &scope, err) < 0)
        return -1;
    return chsm_role_prepare(s, scope, principal, name ? name + 1 : p->identity, is_new, err);
}

/* Everything that can be known to be wrong before anything is sent. */
static int check_plan(const struct chsm_storage_plan *p, char **ret_account, struct chsm_err *err)
{
    AUTO_FREE char *network = NULL;

    if (chsm_account_id(&p->ref, ret_account, err) < 0 || chsm_name_container(p->ref.container, err) < 0 ||
        (p->identity && chsm_name_identity(p->identity, err) < 0) || (p->endpoint && chsm_name_endpoint(p->endpoint, err) < 0) ||
        (p->subnet && chsm_subnet_network(p->subnet, &network, err) < 0))
        return -1;
    return 0;
}

int chsm_storage_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, struct chsm_err *err)
{
    AUTO_FREE char *account_id = NULL;
    AUTO_FREE char *location = NULL;
    AUTO_FREE char *principal = NULL;
    json_auto_t *account = NULL;

    if (check_plan(p, &account_id, err) < 0 || (p->identity && principal_of(s, p->identity, &principal, err) < 0) ||
        group_step(s, p, &location, err) < 0 || chsm_account_prepare(s, p, account_id, location, &account, err) < 0 ||
        chsm_container_prepare(s, p, account, err) < 0)
        return -1;
    if (p->identity && role_step(s, p, account_id, principal, /* is_new= */ !account, err) < 0)
        return -1;
    return p->subnet ? chsm_endpoint_prepare(s, p, account_id, err) : 0;
}
