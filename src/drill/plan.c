/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>

#include "drill/plan.h"
#include "drill/plan_check.h"
#include "util/path.h"

#define LOGINS_MAX 64

#define TEXT(field, need, type, member) { field, CHSM_FIELD_TEXT, offsetof(type, member), need, NULL }
#define MAP(field, need) { field, CHSM_FIELD_MAP, 0, need, NULL }

static const struct chsm_field top_fields[] = {
    { "apiVersion", CHSM_FIELD_CONST, 0, true, "chsmctl/v1" },
    { "kind", CHSM_FIELD_CONST, 0, true, "Drill" },
    MAP("metadata", true),
    MAP("spec", true),
};
static const struct chsm_field metadata_fields[] = {
    TEXT("name", true, struct chsm_plan, name),
};
static const struct chsm_field spec_fields[] = {
    { "subscription", CHSM_FIELD_GUID, offsetof(struct chsm_plan, subscription), true, NULL },
    MAP("source", true),
    MAP("destination", true),
    TEXT("identity", true, struct chsm_plan, identity),
    MAP("storage", true),
    MAP("pkcs11", true),
    MAP("verify", false),
    MAP("objectives", false),
    MAP("timing", false),
    { "evidence", CHSM_FIELD_PATH, offsetof(struct chsm_plan, evidence), true, NULL },
};
static const struct chsm_field side_fields[] = {
    TEXT("resourceGroup", true, struct chsm_plan_side, group),
    TEXT("cluster", true, struct chsm_plan_side, cluster),
    MAP("client", true),
};
static const struct chsm_field client_fields[] = {
    { "directory", CHSM_FIELD_PATH, offsetof(struct chsm_plan_side, directory), true, NULL },
    MAP("env", false),
};
static const struct chsm_field storage_fields[] = {
    { "containerUri", CHSM_FIELD_URI, offsetof(struct chsm_plan, container_uri), true, NULL },
};
static const struct chsm_field pkcs11_fields[] = {
    { "module", CHSM_FIELD_PATH, offsetof(struct chsm_plan, module), true, NULL },
    TEXT("tokenLabel", false, struct chsm_plan, token_label),
    { "timeout", CHSM_FIELD_DURATION, offsetof(struct chsm_plan, pkcs11_timeout), false, NULL },
    { "logins", CHSM_FIELD_LIST, 0, true, NULL },
};
static const struct chsm_field login_fields[] = {
    TEXT("name", true, struct chsm_plan_login, name),
    { "pin", CHSM_FIELD_SECRET, offsetof(struct chsm_plan_login, pin), true, NULL },
};
struct verify {
    char *require;
    bool allow_unexpected, proofs;
};
static const struct chsm_field verify_fields[] = {
    TEXT("require", false, struct verify, require),
    { "allowUnexpected", CHSM_FIELD_BOOL, offsetof(struct verify, allow_unexpected), false, NULL },
    { "proofs", CHSM_FIELD_BOOL, offsetof(struct verify, proofs), false, NULL },
};
static const struct chsm_field objective_fields[] = {
    { "rto", CHSM_FIELD_DURATION, offsetof(struct chsm_plan, rto), false, NULL },
    { "rpo", CHSM_FIELD_DURATION, offsetof(struct chsm_plan, rpo), false, NULL },
    { "required", CHSM_FIELD_BOOL, offsetof(struct chsm_plan, objectives_required), false, NULL },
};
static const struct chsm_field timing_fields[] = {
    { "pollInterval", CHSM_FIELD_DURATION, offsetof(struct chsm_plan, poll_interval), false, NULL },
    { "deadline", CHSM_FIELD_DURATION, offsetof(struct chsm_plan, deadline), false, NULL },
};

static void side_done(struct chsm_plan_side *s)
{
    free(s->group);
    free(s->cluster);
    free(s->directory);
    for (size_t i = 0; s->env && s->env[i]; i++)
        free(s->env[i]);
    free(s->env);
}

void chsm_plan_done(struct chsm_plan *p)
{
    side_done(&p->source);
    side_done(&p->destination);
    for (size_t i = 0; i < p->n_logins; i++) {
        free(p->logins[i].name);
        free(p->logins[i].pin);
    }
    free(p->logins);
    free(p->path);
    free(p->name);
    free(p->subscription);
    free(p->identity);
    free(p->container_uri);
    free(p->module);
    free(p->token_label);
    free(p->evidence);
    *p = (struct chsm_plan){ 0 };
}

/* A mapping that may be left out. */
static void optional(struct chsm_check *c, const char *path, const struct chsm_field *fields, size_t n, void *structure)
{
    if (json_is_object(chsm_check_at(c, path)))
        chsm_check_map(c, path, fields, n, structure);
}

static bool variable_name_ok(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    while (isalnum((unsigned char)*s) || *s == '_')
        s++;
    return !*s;
}

static void read_env(struct chsm_check *c, const char *path, struct chsm_plan_side *side)
{
    json_t *map = chsm_check_at(c, path), *v;
    const char *name;
    size_t n = 0;

    if (!json_is_object(map))
        return;
    side->env = calloc(json_object_size(map) + 1, sizeof *side->env);
    if (!side->env) {
        c->count++;
        return;
    }
    json_object_foreach(map, name, v) {
        AUTO_FREE char *inner = chsm_strf("%s.%s", path, name);

        if (!variable_name_ok(name))
            chsm_check_note(c, inner ? inner : path, "this is no name of an environment variable");
        else if (!json_is_string(v))
            chsm_check_note(c, inner ? inner : path, "a text is expected here (put it in quotes)");
        else if ((side->env[n] = chsm_strf("%s=%s", name, json_string_value(v))))
            n++;
        else
            c->count++;
    }
}

static void read_side(struct chsm_check *c, const char *side_path, struct chsm_plan_side *side)
{
    AUTO_FREE char *client = chsm_strf("%s.client", side_path);
    AUTO_FREE char *env = chsm_strf("%s.client.env", side_path);

    if (!client || !env) {
        c->count++;
        return;
    }
    optional(c, side_path, side_fields, ARRAY_LEN(side_fields), side);
    optional(c, client, client_fields, ARRAY_LEN(client_fields), side);
    read_env(c, env, side);
}

static void read_logins(struct chsm_check *c, struct chsm_plan *p)
{
    size_t n = json_array_size(chsm_check_at(c, "spec.pkcs11.logins"));

    if (n > LOGINS_MAX) {
        chsm_check_note(c, "spec.pkcs11.logins", "at most %d logins are supported", LOGINS_MAX);
        return;
    }
    p->logins = calloc(n ? n : 1, sizeof *p->logins);
    if (!p->logins) {
        c->count++;
        return;
    }
    p->n_logins = n;
    for (size_t i = 0; i < n; i++) {
        char path[64];

        (void)snprintf(path, sizeof path, "spec.pkcs11.logins[%zu]", i);
        chsm_check_map(c, path, login_fields, ARRAY_LEN(login_fields), &p->logins[i]);
        for (size_t k = 0; k < i; k++)
            if (chsm_streq(p->logins[k].name, p->logins[i].name))
                chsm_check_note(c, path, "a second login with the name \"%s\"", p->logins[i].name);
    }
}

static void read_verify(struct chsm_check *c, struct chsm_plan *p)
{
    struct verify v = { .proofs = true };

    optional(c, "spec.verify", verify_fields, ARRAY_LEN(verify_fields), &v);
    if (v.require && !chsm_require_from_name(v.require, &p->require))
        chsm_check_note(c, "spec.verify.require", "\"best\", \"present\", \"intact\" or \"proven\" is expected");
    p->allow_unexpected = v.allow_unexpected;
    p->no_proofs = !v.proofs;
    free(v.require);
}

/* What is wrong only when two values are seen together. */
static void cross_check(struct chsm_check *c, const struct chsm_plan *p)
{
    const struct chsm_plan_side *s = &p->source, *d = &p->destination;

    if (s->cluster && d->cluster && s->group && d->group && strcasecmp(s->cluster, d->cluster) == 0 && strcasecmp(s->group, d->group) == 0)
        chsm_check_note(c, "spec.destination.cluster", "the destination is the source");
    if (s->directory && d->directory && strcmp(s->directory, d->directory) == 0)
        chsm_check_note(c, "spec.destination.client.directory", "the library would talk to the same cluster on both sides");
    if (p->identity && strstr(p->identity, "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/") == NULL)
        chsm_check_note(c, "spec.identity", "the resource id of a user-assigned managed identity is expected");
}

static void read_plan(struct chsm_check *c, struct chsm_plan *p)
{
    chsm_check_map(c, "", top_fields, ARRAY_LEN(top_fields), p);
    optional(c, "metadata", metadata_fields, ARRAY_LEN(metadata_fields), p);
    optional(c, "spec", spec_fields, ARRAY_LEN(spec_fields), p);
    read_side(c, "spec.source", &p->source);
    read_side(c, "spec.destination", &p->destination);
    optional(c, "spec.storage", storage_fields, ARRAY_LEN(storage_fields), p);
    optional(c, "spec.pkcs11", pkcs11_fields, ARRAY_LEN(pkcs11_fields), p);
    read_logins(c, p);
    read_verify(c, p);
    optional(c, "spec.objectives", objective_fields, ARRAY_LEN(objective_fields), p);
    optional(c, "spec.timing", timing_fields, ARRAY_LEN(timing_fields), p);
    cross_check(c, p);
}

int chsm_plan_load(const char *path, struct chsm_plan *ret, struct chsm_buf *problems, struct chsm_err *err)
{
    AUTO_YAML struct chsm_yaml *y = NULL;
    AUTO_PLAN struct chsm_plan p = { 0 };
    AUTO_FREE char *real = NULL;
    AUTO_FREE char *folder = NULL;
    struct chsm_check c = { .problems = problems };

    if (chsm_yaml_load(path, &y, err) < 0)
        return -1;
    real = realpath(path, NULL);
    folder = real ? chsm_path_dir(real) : NULL;
    p.path = strdup(path);
    if (!folder || !p.path)
        return chsm_oom(err);
    c.yaml = y;
    c.folder = folder;
    read_plan(&c, &p);
    if (c.count)
        return chsm_fail(err, CHSM_CONFIG, "%s: %zu mistake%s in the plan", path, c.count, c.count == 1 ? "" : "s");
    *ret = p;
    p = (struct chsm_plan){ 0 };
    return 0;
}
