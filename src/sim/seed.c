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
#include "sim/principal.h"
#include "sim/seed_read.h"
#include "util/clock.h"
#include "util/enc.h"
#include "util/path.h"

const char *sim_seed_subscription(const struct sim_seeding *s)
{
    return sim_root_str(s->state.root, "subscription");
}

json_t *sim_seed_by_name(const struct sim_seeding *s, const char *type, const char *name)
{
    const char *key;
    json_t *resource;

    json_object_foreach(json_object_get(s->state.root, "resources"), key, resource)
        if (sim_resource_is(resource, type) && strcasecmp(chsm_json_str(resource, "name"), name) == 0)
            return resource;
    return NULL;
}

int sim_seed_add(struct sim_seeding *s, const char *path, json_t *resource, struct chsm_err *err)
{
    const char *id = chsm_json_str(resource, "id");

    if (!id)
        return chsm_oom(err);
    if (!sim_resource(s->state.root, id))
        return sim_resource_put(s->state.root, resource, err);
    json_decref(resource);
    return sim_seed_bad(s, err, path, "is there already");
}

int sim_seed_place(const struct sim_seeding *s, const json_t *item, const char *path, const char *place[3], struct chsm_err *err)
{
    const json_t *group;

    if (sim_seed_str(s, item, path, "name", true, &place[0], err) < 0 ||
        sim_seed_str(s, item, path, "resourceGroup", true, &place[1], err) < 0 ||
        sim_seed_str(s, item, path, "location", false, &place[2], err) < 0)
        return -1;
    group = sim_seed_by_name(s, SIM_GROUP_TYPE, place[1]);
    if (!group)
        return sim_seed_bad(s, err, path, "no resource group is called '%s'", place[1]);
    if (!place[2])
        place[2] = chsm_json_str(group, "location");
    return 0;
}

static int seed_certificate(struct sim_seeding *s, json_t *principal, const json_t *item, const char *path, struct chsm_err *err)
{
    const char *file = json_string_value(item);

    if (!file)
        return sim_seed_bad(s, err, path, "certificates must be a sequence of PEM files");
    return sim_principal_certificate(principal, file, err) < 0 ? chsm_err_prefix(err, "%s", path) : 0;
}

static int seed_federated(struct sim_seeding *s, json_t *principal, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "issuer", "subject", "audience", "key", NULL };
    struct sim_federated f = { .issuer = NULL };

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_str(s, item, path, "issuer", true, &f.issuer, err) < 0 ||
        sim_seed_str(s, item, path, "subject", true, &f.subject, err) < 0 ||
        sim_seed_str(s, item, path, "audience", false, &f.audience, err) < 0 || sim_seed_str(s, item, path, "key", true, &f.key, err) < 0)
        return -1;
    return sim_principal_federated(principal, &f, err) < 0 ? chsm_err_prefix(err, "%s", path) : 0;
}

/* Certificates, federated credentials and whether it is a public client. */
static int seed_proofs(struct sim_seeding *s, json_t *principal, const json_t *item, const char *path, struct chsm_err *err)
{
    const json_t *certificates = json_object_get(item, "certificates"), *federated = json_object_get(item, "federated"), *one;
    size_t i;

    json_array_foreach(certificates, i, one)
        if (seed_certificate(s, principal, one, path, err) < 0)
            return -1;
    json_array_foreach(federated, i, one)
        if (seed_federated(s, principal, one, path, err) < 0)
            return -1;
    if (json_object_set_new(principal, "publicClient", json_boolean(json_is_true(json_object_get(item, "publicClient")))) < 0)
        return chsm_oom(err);
    return 0;
}

static int seed_principal(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "clientId", "objectId", "secret", "certificates", "federated", "publicClient", NULL };
    const char *name = NULL, *client = NULL, *object = NULL, *secret = NULL;
    char fresh_client[37], fresh_object[37];
    json_t *principal;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_str(s, item, path, "name", true, &name, err) < 0 ||
        sim_seed_str(s, item, path, "clientId", false, &client, err) < 0 ||
        sim_seed_str(s, item, path, "objectId", false, &object, err) < 0 ||
        sim_seed_str(s, item, path, "secret", false, &secret, err) < 0 || chsm_uuid(fresh_client, err) < 0 || chsm_uuid(fresh_object, err) < 0)
        return -1;
    principal = json_pack("{s:s,s:s,s:s,s:s*}", "name", name, "clientId", client ? client : fresh_client, "objectId",
                          object ? object : fresh_object, "secret", secret);
    if (json_array_append_new(json_object_get(s->state.root, "principals"), principal) < 0)
        return chsm_oom(err);
    return seed_proofs(s, principal, item, path, err);
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
    return sim_seed_add(s, path, json_pack("{s:o,s:s,s:s,s:s,s:O*,s:{s:s}}", "id",
                                  json_sprintf("/subscriptions/%s/resourceGroups/%s", sim_seed_subscription(s), name),
                                  "name", name, "type", SIM_GROUP_TYPE, "location", location, "tags", json_object_get(item, "tags"),
                                  "properties", "provisioningState", "Succeeded"), err);
}

static int seed_identity(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "resourceGroup", "location", "clientId", "principalId", NULL };
    const char *place[3] = { NULL }, *client = NULL, *principal = NULL;
    char fresh_client[37], fresh_principal[37];

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_place(s, item, path, place, err) < 0 ||
        sim_seed_str(s, item, path, "clientId", false, &client, err) < 0 ||
        sim_seed_str(s, item, path, "principalId", false, &principal, err) < 0 || chsm_uuid(fresh_client, err) < 0 ||
        chsm_uuid(fresh_principal, err) < 0)
        return -1;
    return sim_seed_add(s, path, json_pack("{s:o,s:s,s:s,s:s,s:{},s:{s:s,s:s,s:s,s:s}}", "id",
                                  json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_IDENTITY_TYPE "/%s", sim_seed_subscription(s),
                                               place[1], place[0]),
                                  "name", place[0], "type", SIM_IDENTITY_TYPE, "location", place[2], "tags", "properties",
                                  "isolationScope", "None", "principalId", principal ? principal : fresh_principal,
                                  "clientId", client ? client : fresh_client, "tenantId", sim_root_str(s->state.root, "tenant")), err);
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

static bool nodes_ok(const json_t *nodes)
{
    const json_t *node, *value;
    const char *key;
    size_t i;

    json_array_foreach(nodes, i, node) {
        if (!json_is_object(node))
            return false;
        json_object_foreach((json_t *)(uintptr_t)node, key, value)
            if (!json_is_string(value) || (!chsm_streq(key, "host") && !chsm_streq(key, "state")))
                return false;
    }
    return !nodes || (json_is_array(nodes) && json_array_size(nodes) <= 3);
}

static int seed_cluster(struct sim_seeding *s, const json_t *item, const char *path, struct chsm_err *err)
{
    static const char *const keys[] = { "name", "resourceGroup", "location", "sku", "tags", "identity", "activationState", "users", "nodes", NULL };
    const char *place[3] = { NULL }, *sku = NULL, *identity_name = NULL, *activation = NULL;
    const json_t *tags = json_object_get(item, "tags"), *users = json_object_get(item, "users"), *identity = NULL;
    const json_t *nodes = json_object_get(item, "nodes");
    json_auto_t *shown = NULL;
    AUTO_FREE char *id = NULL;

    if (sim_seed_keys(s, item, path, keys, err) < 0 || sim_seed_place(s, item, path, place, err) < 0 ||
        sim_seed_str(s, item, path, "sku", false, &sku, err) < 0 ||
        sim_seed_str(s, item, path, "identity", false, &identity_name, err) < 0 ||
        sim_seed_str(s, item, path, "activationState", true, &activation, err) < 0)
        return -1;
    if (!sim_tags_ok(tags))
        return sim_seed_bad(s, err, path, "tags must be a mapping of strings");
    if (!nodes_ok(nodes))
        return sim_seed_bad(s, err, path, "nodes must be at most three mappings with host and state");
    if (!chsm_streq(activation, "Active") && !chsm_streq(activation, "NotActivated"))
        return sim_seed_bad(s, err, path, "activationState must be Active or NotActivated");
    if (identity_name && !(identity = sim_seed_by_name(s, SIM_IDENTITY_TYPE, identity_name)))
        return sim_seed_bad(s, err, path, "no identity is called '%s'", identity_name);
    if (identity)
        shown = json_pack("{s:s,s:{s:{s:n,s:n}}}", "type", "UserAssigned", "userAssignedIdentities", chsm_json_str(identity, "id"),
                          "principalId", "clientId");
    if (sim_seed_by_name(s, SIM_CLUSTER_TYPE, place[0]))
        return sim_seed_bad(s, err, path, "a cluster is called '%s' already", place[0]);
    id = chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_CLUSTER_TYPE "/%s", sim_seed_subscription(s), place[1], place[0]);
    if (!id)
        return chsm_oom(err);
    if (sim_cluster_create(&s->state, &(struct sim_cluster_spec){ .id = id, .name = place[0], .location = place[2], .sku = sku,
                                                                   .activation = activation, .tags = tags, .nodes = nodes, .identity = shown, .now = s->now },
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
        "tenant", "subscription", "principals", "resourceGroups", "identities", "virtualNetworks", "storageAccounts", "clusters", "timing",
        "providers", "takenNames", NULL,
    };
    static const struct { const char *key; sim_seed_each *each; } sections[] = {
        { "principals", seed_principal }, { "resourceGroups", seed_group }, { "identities", seed_identity },
        { "virtualNetworks", sim_seed_network }, { "storageAccounts", sim_seed_account }, { "clusters", seed_cluster },
    };
    const json_t *top = chsm_yaml_root(s->yaml);
    const char *tenant = NULL, *sub = NULL;
    char header[37];

    if (chsm_uuid(header, err) < 0 || sim_seed_keys(s, top, "", keys, err) < 0 || sim_seed_str(s, top, "", "tenant", true, &tenant, err) < 0 ||
        sim_seed_str(s, top, "", "subscription", true, &sub, err) < 0)
        return -1;
    s->state.root = json_pack("{s:s,s:s,s:s,s:[],s:{},s:{},s:{},s:{}}", "identityHeader", header, "tenant", tenant, "subscription", sub,
                              "principals", "resources", "jobs", "deletions", "timing");
    if (!s->state.root)
        return chsm_oom(err);
    if (seed_timing(s, json_object_get(top, "timing"), err) < 0 || sim_seed_subscription_state(s, top, err) < 0)
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
