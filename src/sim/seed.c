/* SPDX-License-Identifier: Apache-2.0 */
/* `chsm-sim seed`: a whole cloud from one YAML file (cfg/sim-demo.yaml shows every key). */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "sim/arm.h"
#include "sim/cluster.h"
#include "sim/fault.h"
#include "sim/keystore.h"
#include "sim/opts.h"
#include "sim/seed_read.h"
#include "util/clock.h"
#include "util/enc.h"
#include "util/path.h"

static const struct { const char *name, *id; } roles[] = {
    { "Storage Blob Data Contributor", SIM_BLOB_CONTRIBUTOR },
    { "Storage Blob Data Reader", SIM_BLOB_READER },
};

static const char *subscription(const struct sim_seeding *s)
{
    return sim_root_str(s->state.root, "subscription");
}

/* A resource of this type by its name alone; seed files name things so. */
static json_t *by_name(const struct sim_seeding *s, const char *type, const char *name)
{
    const char *key;
    json_t *resource;

    json_object_foreach(json_object_get(s->state.root, "resources"), key, resource)
        if (sim_resource_is(resource, type) && strcasecmp(chsm_json_str(resource, "name"), name) == 0)
            return resource;
    return NULL;
}

static int add(struct sim_seeding *s, const char *path, json_t *resource, struct chsm_err *err)
{
    const char *id = chsm_json_str(resource, "id");

    if (!id)
        return chsm_oom(err);
    if (!sim_resource(s->state.root, id))
        return sim_resource_put(s->state.root, resource, err);
    json_decref(resource);
    return sim_seed_bad(s, err, path, "is there already");
}

/* name, resourceGroup and location of an element; the location is the group's when it is left out. */
static int read_place(const struct sim_seeding *s, const json_t *item, const char *path, const char *place[3], struct chsm_err *err)
{
    const json_t *group;

    if (sim_seed_str(s, item, path, "name", true, &place[0], err) < 0 ||
        sim_seed_str(s, item, path, "resourceGroup", true, &place[1], err) < 0 ||
        sim_seed_str(s, item, path, "location", false, &place[2], err) < 0)
        return -1;
    group = by_name(s, SIM_GROUP_TYPE, place[1]);
    if (!group)
        return sim_seed_bad(s, err, path, "no resource group is called '%s'", place[1]);
    if (!place[2])
        place[2] = chsm_json_str(group, "location");
    return 0;
}

static int seed_principal(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "clientId", "objectId", "secret", NULL };
    const char *name = NULL, *client = NULL, *object = NULL, *secret = NULL;
    char fresh_client[37], fresh_object[37];

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_str(s, item, path, "name", true, &name, err) < 0 ||
        sim_seed_str(s, item, path, "clientId", false, &client, err) < 0 ||
        sim_seed_str(s, item, path, "objectId", false, &object, err) < 0 ||
        sim_seed_str(s, item, path, "secret", true, &secret, err) < 0 || chsm_uuid(fresh_client, err) < 0 || chsm_uuid(fresh_object, err) < 0)
        return -1;
    if (json_array_append_new(json_object_get(s->state.root, "principals"),
                              json_pack("{s:s,s:s,s:s,s:s}", "name", name, "clientId", client ? client : fresh_client,
                                        "objectId", object ? object : fresh_object, "secret", secret)) < 0)
        return chsm_oom(err);
    return 0;
}

static int seed_group(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "location", "tags", NULL };
    const char *name = NULL, *location = NULL;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_str(s, item, path, "name", true, &name, err) < 0 ||
        sim_seed_str(s, item, path, "location", true, &location, err) < 0)
        return -1;
    if (!sim_tags_ok(json_object_get(item, "tags")))
        return sim_seed_bad(s, err, path, "tags must be a mapping of strings");
    return add(s, path, json_pack("{s:o,s:s,s:s,s:s,s:O*,s:{s:s}}", "id", json_sprintf("/subscriptions/%s/resourceGroups/%s", subscription(s), name),
                                  "name", name, "type", SIM_GROUP_TYPE, "location", location, "tags", json_object_get(item, "tags"),
                                  "properties", "provisioningState", "Succeeded"), err);
}

static int seed_identity(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "resourceGroup", "location", "clientId", "principalId", NULL };
    const char *place[3] = { NULL }, *client = NULL, *principal = NULL;
    char fresh_client[37], fresh_principal[37];

    if (sim_seed_keys(s, item, path, keys, err) < 0 || read_place(s, item, path, place, err) < 0 ||
        sim_seed_str(s, item, path, "clientId", false, &client, err) < 0 ||
        sim_seed_str(s, item, path, "principalId", false, &principal, err) < 0 || chsm_uuid(fresh_client, err) < 0 ||
        chsm_uuid(fresh_principal, err) < 0)
        return -1;
    return add(s, path, json_pack("{s:o,s:s,s:s,s:s,s:{},s:{s:s,s:s,s:s,s:s}}", "id",
                                  json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_IDENTITY_TYPE "/%s", subscription(s),
                                               place[1], place[0]),
                                  "name", place[0], "type", SIM_IDENTITY_TYPE, "location", place[2], "tags", "properties",
                                  "isolationScope", "None", "principalId", principal ? principal : fresh_principal,
                                  "clientId", client ? client : fresh_client, "tenantId", sim_root_str(s->state.root, "tenant")), err);
}

/* A container: its ARM resource, and the folder that its backups go to. */
static int add_container(struct sim_seeding *s, const json_t *account, const json_t *name, const char *path, struct chsm_err *err)
{
    const char *id = chsm_json_str(account, "id"), *container = json_string_value(name);

    if (!container || !*container || strspn(container, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(container))
        return sim_seed_bad(s, err, path, "a container's name has lower-case letters, digits and hyphens");
    return add(s, path, json_pack("{s:o,s:s,s:s,s:{s:s,s:b},s:{s:o}}", "id", json_sprintf("%s/blobServices/default/containers/%s", id, container),
                                  "name", container, "type", SIM_CONTAINER_TYPE, "properties", "publicAccess", "None", "deleted", 0,
                                  "sim", "folder", json_sprintf("blobs/%s/%s", chsm_json_str(account, "name"), container)), err);
}

static int add_role(struct sim_seeding *s, const json_t *account, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "identity", "role", "container", NULL };
    const char *name = NULL, *role = NULL, *container = NULL, *id = chsm_json_str(account, "id");
    const json_t *identity;
    AUTO_FREE char *scope = NULL;
    char guid[37];
    size_t i = 0;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_str(s, item, path, "identity", true, &name, err) < 0 ||
        sim_seed_str(s, item, path, "role", true, &role, err) < 0 ||
        sim_seed_str(s, item, path, "container", false, &container, err) < 0 || chsm_uuid(guid, err) < 0)
        return -1;
    scope = container ? chsm_strf("%s/blobServices/default/containers/%s", id, container) : chsm_strf("%s", id);
    if (!scope)
        return chsm_oom(err);
    if (!sim_resource(s->state.root, scope))
        return sim_seed_bad(s, err, path, "no container is called '%s'", container);
    identity = by_name(s, SIM_IDENTITY_TYPE, name);
    if (!identity)
        return sim_seed_bad(s, err, path, "no identity is called '%s'", name);
    while (i < ARRAY_LEN(roles) && !chsm_streq(roles[i].name, role))
        i++;
    if (i == ARRAY_LEN(roles))
        return sim_seed_bad(s, err, path, "role must be '%s' or '%s'", roles[0].name, roles[1].name);
    return add(s, path, json_pack("{s:o,s:s,s:s,s:{s:o,s:O,s:s,s:s}}", "id", json_sprintf("%s/providers/" SIM_ROLE_TYPE "/%s", scope, guid),
                                  "name", guid, "type", SIM_ROLE_TYPE, "properties", "roleDefinitionId",
                                  json_sprintf("/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/%s", subscription(s),
                                               roles[i].id),
                                  "principalId", chsm_json_get(identity, "properties.principalId"), "principalType", "ServicePrincipal",
                                  "scope", scope), err);
}

static int seed_account(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "resourceGroup", "location", "containers", "roleAssignments", NULL };
    const char *place[3] = { NULL };
    const json_t *containers = json_object_get(item, "containers"), *assignments = json_object_get(item, "roleAssignments"), *account;
    json_t *one;
    size_t i;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || read_place(s, item, path, place, err) < 0)
        return -1;
    if (add(s, path, json_pack("{s:o,s:s,s:s,s:s,s:s,s:{s:s,s:s},s:{s:s,s:b,s:b,s:s,s:s}}", "id",
                               json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_ACCOUNT_TYPE "/%s", subscription(s), place[1],
                                            place[0]),
                               "name", place[0], "type", SIM_ACCOUNT_TYPE, "location", place[2], "kind", "StorageV2", "sku", "name",
                               "Standard_LRS", "tier", "Standard", "properties", "provisioningState", "Succeeded", "allowSharedKeyAccess", 0,
                               "allowBlobPublicAccess", 0, "minimumTlsVersion", "TLS1_2", "publicNetworkAccess", "Enabled"), err) < 0)
        return -1;
    if ((containers && !json_is_array(containers)) || (assignments && !json_is_array(assignments)))
        return sim_seed_bad(s, err, path, "containers and roleAssignments must be sequences");
    account = by_name(s, SIM_ACCOUNT_TYPE, place[0]);
    json_array_foreach(containers, i, one)
        if (add_container(s, account, one, path, err) < 0)
            return -1;
    json_array_foreach(assignments, i, one) {
        AUTO_FREE char *at = chsm_strf("%s.roleAssignments[%zu]", path, i);

        if (!at || add_role(s, account, one, at, err) < 0)
            return at ? -1 : chsm_oom(err);
    }
    return 0;
}

/* The key store names the place of a mistake in `users`; here it gets its line. */
static int bad_users(const struct sim_seeding *s, const char *path, struct chsm_err *err)
{
    struct chsm_err why = *err;
    size_t n = strcspn(why.text, ":");
    AUTO_FREE char *at = chsm_strf("%s.%.*s", path, (int)n, why.text);

    if (why.code != CHSM_CONFIG || strncmp(why.text, "users", 5) != 0 || !at)
        return chsm_err_prefix(err, "%s", path);
    return sim_seed_bad(s, err, at, "%s", why.text + n + strspn(why.text + n, ": "));
}

static int seed_cluster(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "resourceGroup", "location", "sku", "tags", "identity", "activationState", "users", NULL };
    const char *place[3] = { NULL }, *sku = NULL, *identity_name = NULL, *activation = NULL;
    const json_t *tags = json_object_get(item, "tags"), *users = json_object_get(item, "users"), *identity = NULL;
    json_auto_t *shown = NULL;
    AUTO_FREE char *id = NULL;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || read_place(s, item, path, place, err) < 0 ||
        sim_seed_str(s, item, path, "sku", false, &sku, err) < 0 ||
        sim_seed_str(s, item, path, "identity", false, &identity_name, err) < 0 ||
        sim_seed_str(s, item, path, "activationState", true, &activation, err) < 0)
        return -1;
    if (!sim_tags_ok(tags))
        return sim_seed_bad(s, err, path, "tags must be a mapping of strings");
    if (!chsm_streq(activation, "Active") && !chsm_streq(activation, "NotActivated"))
        return sim_seed_bad(s, err, path, "activationState must be Active or NotActivated");
    if (identity_name && !(identity = by_name(s, SIM_IDENTITY_TYPE, identity_name)))
        return sim_seed_bad(s, err, path, "no identity is called '%s'", identity_name);
    if (identity)
        shown = json_pack("{s:s,s:{s:{s:n,s:n}}}", "type", "UserAssigned", "userAssignedIdentities", chsm_json_str(identity, "id"),
                          "principalId", "clientId");
    if (by_name(s, SIM_CLUSTER_TYPE, place[0]))
        return sim_seed_bad(s, err, path, "a cluster is called '%s' already", place[0]);
    id = chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_CLUSTER_TYPE "/%s", subscription(s), place[1], place[0]);
    if (!id)
        return chsm_oom(err);
    if (sim_cluster_create(&s->state, &(struct sim_cluster_spec){ .id = id, .name = place[0], .location = place[2], .sku = sku,
                                                                   .activation = activation, .tags = tags, .identity = shown, .now = s->now },
                           err) < 0)
        return chsm_err_prefix(err, "%s", path);
    if (users && sim_keystore_seed(s->state.dir, place[0], users, err) < 0)
        return bad_users(s, path, err);
    return 0;
}

static int seed_timing(struct sim_seeding *s, const json_t *timing, struct chsm_err *err)
{
    const char *key;
    json_t *value;

    if (timing && sim_seed_keys(s, timing, "timing", sim_timing_names(), err) < 0)
        return -1;
    json_object_foreach((json_t *)timing, key, value) {
        AUTO_FREE char *at = chsm_strf("timing.%s", key);
        const char *text = NULL;

        if (!at || sim_seed_str(s, timing, "timing", key, true, &text, err) < 0)
            return at ? -1 : chsm_oom(err);
        if (sim_timing_set(s->state.root, key, text, NULL) < 0)
            return sim_seed_bad(s, err, at, "must be a duration such as \"500ms\" or \"2s\"");
    }
    return 0;
}

static int seed_all(struct sim_seeding *s, struct chsm_err *err)
{
    static const char *const keys[] = {
        "tenant", "subscription", "principals", "resourceGroups", "identities", "storageAccounts", "clusters", "timing", NULL,
    };
    static const struct { const char *key; sim_seed_each *each; } sections[] = {
        { "principals", seed_principal }, { "resourceGroups", seed_group }, { "identities", seed_identity },
        { "storageAccounts", seed_account }, { "clusters", seed_cluster },
    };
    const json_t *top = chsm_yaml_root(s->yaml);
    const char *tenant = NULL, *sub = NULL;

    if (sim_seed_keys(s, top, "", keys, err) < 0 || sim_seed_str(s, top, "", "tenant", true, &tenant, err) < 0 ||
        sim_seed_str(s, top, "", "subscription", true, &sub, err) < 0)
        return -1;
    s->state.root = json_pack("{s:s,s:s,s:[],s:{},s:{},s:{},s:{}}", "tenant", tenant, "subscription", sub, "principals", "resources", "jobs",
                              "deletions", "timing");
    if (!s->state.root)
        return chsm_oom(err);
    if (seed_timing(s, json_object_get(top, "timing"), err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (sim_seed_list(s, top, "", sections[i].key, sections[i].each, err) < 0)
            return -1;
    if (json_array_size(json_object_get(s->state.root, "principals")) == 0)
        return sim_seed_bad(s, err, "", "at least one of 'principals' is needed: nobody could sign in");
    return 0;
}

/* Removes the folders of all clusters that a state knows. */
static int destroy_clusters(const char *dir, const json_t *root, struct chsm_err *err)
{
    const char *key;
    json_t *resource;

    json_object_foreach(json_object_get(root, "resources"), key, resource)
        if (sim_resource_is(resource, SIM_CLUSTER_TYPE) && sim_keystore_destroy(dir, chsm_json_str(resource, "name"), err) < 0)
            return -1;
    return 0;
}

/* What the folder held before: refused, or with --force removed. */
static int clear_old(const char *dir, bool force, struct chsm_err *err)
{
    AUTO_STATE struct sim_state old = { .lock = -1 };
    AUTO_FREE char *path = chsm_path_join(dir, "state.json");

    if (!path)
        return chsm_oom(err);
    if (access(path, F_OK) < 0)
        return 0;
    if (!force) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s holds a simulated cloud already", dir);
        return chsm_err_hint(err, "--force replaces it, with all its keys");
    }
    if (sim_state_open(dir, &old, err) < 0 || destroy_clusters(dir, old.root, err) < 0)
        return -1;
    return unlink(path) < 0 ? chsm_fail_errno(err, CHSM_CONFIG, "%s", path) : 0;
}

int sim_cmd_seed(int argc, char **argv, struct chsm_err *err)
{
    const char *dir = NULL, *file = NULL;
    bool force = false;
    const struct sim_opt opts[] = { { "dir", &dir, NULL }, { "force", NULL, &force } };
    AUTO_YAML struct chsm_yaml *yaml = NULL;
    struct sim_seeding s = { .state = { .lock = -1 }, .now = chsm_now() };
    int rc = -1;

    if (sim_opts_parse(argc, argv, opts, ARRAY_LEN(opts), &file, 1, err) < 0)
        return -1;
    if (!dir || !file)
        return chsm_fail(err, CHSM_USAGE, "seed needs --dir and a file");
    if (chsm_yaml_load(file, &yaml, err) < 0 || chsm_dir_make(dir, 0700, err) < 0 || clear_old(dir, force, err) < 0 ||
        sim_fault_clear(dir, err) < 0 || sim_state_lock(dir, &s.state, err) < 0)
        return -1;
    s.yaml = yaml;
    if (seed_all(&s, err) == 0) {
        s.state.dirty = true;
        rc = sim_state_save(&s.state, err);
    }
    if (rc < 0)
        (void)destroy_clusters(dir, s.state.root, NULL);
    sim_state_close(&s.state);
    return rc;
}
