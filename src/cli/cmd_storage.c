/* SPDX-License-Identifier: Apache-2.0 */
/* storage: prepare, show, harden, folders. */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/blob.h"
#include "azure/identity.h"
#include "azure/location.h"
#include "azure/resource.h"
#include "azure/storage.h"
#include "azure/tags.h"
#include "cli/commands.h"
#include "cli/connect.h"

#define TEXT(name, alias, letter, member, arg, help)                                                                             \
    {                                                                                                                            \
        name, alias, letter, CHSM_OPT_TEXT, offsetof(struct chsm_args, member), arg, help                                        \
    }
#define FLAG(name, member, help)                                                                                                 \
    {                                                                                                                            \
        name, NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, member), NULL, help                                             \
    }

#define OPTS_ACCOUNT                                                                                                             \
    TEXT("resource-group", NULL, 'g', group, "GROUP", "resource group of the account"),                                          \
        TEXT("account-name", "name", 'n', name, "NAME", "name of the storage account"),                                          \
        TEXT("container-name", NULL, 'c', container_name, "NAME", "name of the container")
#define OPT_IDENTITY TEXT("identity", "mi-user-assigned", 0, identity, "ID", "managed identity (id, or name in GROUP)")

const struct chsm_opt chsm_opts_storage_prepare[] = {
    OPTS_ACCOUNT,
    OPT_IDENTITY,
    TEXT("location", NULL, 'l', location, "REGION", "of what is made (default: the group's)"),
    TEXT("sku", NULL, 0, sku, "NAME", "of a new account (default Standard_LRS)"),
    { "tags", NULL, 0, CHSM_OPT_WORDS, offsetof(struct chsm_args, tags), "NAME=VALUE ...", "tags of what is made" },
    TEXT("scope", NULL, 0, scope, "SCOPE", "of the role: account (default) or container"),
    TEXT("default-action", NULL, 0, default_action, "ACTION", "a new firewall's: Allow (default) or Deny"),
    TEXT("subnet", NULL, 0, subnet, "ID", "subnet for a private endpoint"),
    TEXT("private-endpoint", NULL, 0, endpoint, "NAME", "its name (default: ACCOUNT-blob)"),
    FLAG("manual-request", manual_request, "its connection is approved by somebody else"),
    FLAG("register-providers", register_providers, "register providers where it is missing"),
    FLAG("no-change", no_change, "refuse to change what is there"),
    FLAG("accept-changes", accept_changes, "also open it, or cut readers off"),
    FLAG("dry-run", dry_run, "print the requests, change nothing"),
    { 0 },
};
const struct chsm_opt chsm_opts_storage_show[] = { OPTS_ACCOUNT, OPT_IDENTITY, { 0 } };
const struct chsm_opt chsm_opts_storage_harden[] = {
    OPTS_ACCOUNT,
    OPT_IDENTITY,
    FLAG("force", force, "even if somebody seems to need the keys"),
    FLAG("dry-run", dry_run, "print the request, change nothing"),
    { 0 },
};
const struct chsm_opt chsm_opts_storage_folders[] = {
    OPTS_ACCOUNT,
    TEXT("blob-container-uri", "container-uri", 'u', container, "URI", "the container, instead of names"),
    TEXT("source-uuid", NULL, 0, source_uuid, "UUID", "only backups of this source"),
    TEXT("prefix", NULL, 0, prefix, "TEXT", "only names that begin so"),
    { 0 },
};

/* One line on stderr for each step as it ends: a later failure must not hide what has been done. */
static void said(const json_t *step)
{
    const char *note = chsm_json_str(step, "note");
    json_t *each;
    size_t i;

    chsm_out_note("%s %s: %s%s%s", chsm_json_str(step, "step"), chsm_json_str(step, "name"), chsm_json_str(step, "outcome"),
                  note ? "; " : "", note ? note : "");
    json_array_foreach (json_object_get(step, "changes"), i, each)
        chsm_out_note("  %s", json_string_value(each));
}

/* The requests as they would be sent, each with its body below. */
static int print_requests(const json_t *steps, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    json_t *each;
    size_t i;

    json_array_foreach (steps, i, each) {
        const json_t *request = json_object_get(each, "request");
        AUTO_FREE char *body = request ? json_dumps(json_object_get(request, "body"), JSON_COMPACT) : NULL;

        if (request && !body)
            return chsm_oom(err);
        if (request && chsm_buf_addf(&text, err, "%s %s\n    %s\n", chsm_json_str(request, "method"),
                                     chsm_json_str(request, "url"), body) < 0)
            return -1;
    }
    return chsm_out_report(steps, text.len ? chsm_buf_str(&text) : "nothing would be sent\n", err);
}

static int print_steps(const json_t *steps, bool dry_run, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "STEP", "step" }, { "NAME", "name" }, { "OUTCOME", "outcome" }, { "CONNECTION", "connection" }, { "URI", "uri" }, { 0 },
    };

    return dry_run ? print_requests(steps, err) : chsm_out_resource(steps, columns, err);
}

static int begin(const struct chsm_args *args, const struct chsm_connection *c, struct chsm_steps *s, struct chsm_err *err)
{
    *s = (struct chsm_steps){ .arm = c->arm,
                              .deadline = c->deadline,
                              .dry_run = args->dry_run,
                              .said = said,
                              .watch = chsm_connect_watch,
                              .register_providers = args->register_providers };
    return chsm_steps_begin(s, err);
}

static struct chsm_storage_ref ref_of(const struct chsm_args *args, const struct chsm_connection *c)
{
    return (struct chsm_storage_ref){ c->cluster.subscription, args->group, args->name, args->container_name };
}

/* As in az, an identity of the same group may be given by its name. *ret = NULL when none was given. */
static int find_identity(const struct chsm_args *args, const struct chsm_connection *c, char **ret, struct chsm_err *err)
{
    const struct chsm_identity_ref ref = { c->cluster.subscription, args->group, args->identity };

    if (!args->identity)
        return 0;
    if (!strchr(args->identity, '/'))
        return chsm_identity_id(&ref, ret, err);
    *ret = strdup(args->identity);
    return *ret ? 0 : chsm_oom(err);
}

static int need_account(const struct chsm_args *args, struct chsm_err *err)
{
    return chsm_args_need(args->group, "--resource-group", err) < 0 || chsm_args_need(args->name, "--account-name", err) < 0 ? -1
                                                                                                                             : 0;
}

/* One of two words; *ret is true for the second. NULL is the first. */
static int choice(const char *value, const char *option, const char *first, const char *second, bool *ret, struct chsm_err *err)
{
    *ret = value && strcasecmp(value, second) == 0;
    if (!value || *ret || strcasecmp(value, first) == 0)
        return 0;
    return chsm_fail(err, CHSM_USAGE, "%s %s is not known: %s or %s", option, value, first, second);
}

struct reading { /* what a plan borrows */
    char *location;
    json_t *tags;
};

static void reading_done(struct reading *r)
{
    free(r->location);
    json_decref(r->tags);
}

static int read_plan(const struct chsm_args *args, struct reading *r, struct chsm_storage_plan *ret, struct chsm_err *err)
{
    bool deny = false, on_container = false;

    if (need_account(args, err) < 0 || chsm_args_need(args->container_name, "--container-name", err) < 0 ||
        choice(args->scope, "--scope", "account", "container", &on_container, err) < 0 ||
        choice(args->default_action, "--default-action", "Allow", "Deny", &deny, err) < 0 ||
        (args->location && chsm_location_normal(args->location, &r->location, err) < 0) ||
        (args->tags.n > 0 && chsm_tags_parse(args->tags.item, &r->tags, err) < 0))
        return -1;
    if (args->no_change && args->accept_changes)
        return chsm_fail(err, CHSM_USAGE, "--no-change and --accept-changes exclude each other");
    if ((args->endpoint || args->manual_request) && !args->subnet)
        return chsm_fail(err, CHSM_USAGE, "%s goes with --subnet", args->endpoint ? "--private-endpoint" : "--manual-request");
    *ret = (struct chsm_storage_plan){
        .location = r->location,
        .sku = args->sku,
        .default_action = deny ? "Deny" : "Allow",
        .tags = r->tags,
        .role_on_container = on_container,
        .subnet = args->subnet,
        .endpoint = args->endpoint,
        .manual_request = args->manual_request,
        .no_change = args->no_change,
        .accept_changes = args->accept_changes,
    };
    return 0;
}

int chsm_cmd_storage_prepare(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    AUTO(chsm_steps_done) struct chsm_steps s = { 0 };
    AUTO(reading_done) struct reading r = { 0 };
    AUTO_FREE char *identity = NULL;
    struct chsm_storage_plan plan;

    (void)ret_code;
    if (read_plan(args, &r, &plan, err) < 0 || chsm_connect(args, false, &c, err) < 0 || begin(args, &c, &s, err) < 0)
        return -1;
    plan.ref = ref_of(args, &c);
    if (find_identity(args, &c, &identity, err) < 0)
        return -1;
    plan.identity = identity;
    if (chsm_storage_prepare(&s, &plan, err) < 0)
        return -1;
    if (!args->identity)
        chsm_out_note("no role was looked at: --identity names the managed identity that writes the backups");
    return print_steps(s.done, args->dry_run, err);
}

/* A problem decides; what could not be established is no clean bill either. */
static enum chsm_code verdict(const json_t *findings)
{
    enum chsm_code code = CHSM_OK;
    json_t *each;
    size_t i;

    json_array_foreach (findings, i, each) {
        const char *result = chsm_json_str(each, "result");

        if (chsm_streq(result, "problem"))
            return CHSM_FAILED;
        if (chsm_streq(result, "unknown"))
            code = CHSM_INCONCLUSIVE;
    }
    return code;
}

int chsm_cmd_storage_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "CHECK", "check" }, { "RESULT", "result" }, { "TEXT", "text" }, { "REMEDY", "remedy" }, { 0 }
    };
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    AUTO(chsm_steps_done) struct chsm_steps s = { 0 };
    AUTO_FREE char *identity = NULL;
    json_auto_t *findings = NULL;
    struct chsm_storage_ref ref;

    if (need_account(args, err) < 0 || chsm_connect(args, false, &c, err) < 0 || begin(args, &c, &s, err) < 0)
        return -1;
    ref = ref_of(args, &c);
    if (find_identity(args, &c, &identity, err) < 0 || chsm_storage_findings(&s, &ref, identity, &findings, err) < 0 ||
        chsm_out_resource(findings, columns, err) < 0)
        return -1;
    *ret_code = verdict(findings);
    return 0;
}

int chsm_cmd_storage_harden(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    AUTO(chsm_steps_done) struct chsm_steps s = { 0 };
    AUTO_FREE char *identity = NULL;
    json_auto_t *unchecked = NULL;
    struct chsm_storage_ref ref;
    json_t *each;
    size_t i;

    (void)ret_code;
    if (need_account(args, err) < 0 || chsm_connect(args, false, &c, err) < 0 || begin(args, &c, &s, err) < 0)
        return -1;
    ref = ref_of(args, &c);
    if (find_identity(args, &c, &identity, err) < 0 || chsm_storage_harden(&s, &ref, identity, args->force, &unchecked, err) < 0)
        return -1;
    json_array_foreach (unchecked, i, each)
        chsm_out_note("not checked: %s", json_string_value(each));
    return print_steps(s.done, args->dry_run, err);
}

/* The container's address: as it was given, or as the account itself names it. */
static int find_container(const struct chsm_args *args, const struct chsm_connection *c, char **ret, struct chsm_err *err)
{
    AUTO(chsm_steps_done) struct chsm_steps s = { 0 };
    json_auto_t *account = NULL;
    struct chsm_storage_ref ref = ref_of(args, c);

    if (args->container) {
        *ret = strdup(args->container);
        return *ret ? 0 : chsm_oom(err);
    }
    if (begin(args, c, &s, err) < 0 || chsm_account_get(&s, &ref, &account, err) < 0)
        return -1;
    return chsm_container_uri(account, args->container_name, ret, err);
}

/* The container is named in one of two ways. */
static int check_place(const struct chsm_args *args, struct chsm_err *err)
{
    if (args->container && (args->group || args->name || args->container_name))
        return chsm_fail(err, CHSM_USAGE, "give --blob-container-uri, or group, account and container, not both");
    if (args->container)
        return chsm_container_check(args->container, err);
    if (need_account(args, err) < 0 || chsm_args_need(args->container_name, "--container-name", err) < 0)
        return -1;
    return chsm_name_container(args->container_name, err);
}

static int folder_prefix(const struct chsm_args *args, char **ret, struct chsm_err *err)
{
    const char *uuid = args->source_uuid;

    if (uuid && args->prefix)
        return chsm_fail(err, CHSM_USAGE, "--source-uuid and --prefix exclude each other");
    if (uuid && (!chsm_is_guid(uuid) || uuid[36]))
        return chsm_fail(err, CHSM_USAGE, "--source-uuid %s is no UUID", uuid);
    *ret = uuid ? chsm_strf("cloudhsm-%s-", uuid) : strdup(args->prefix ? args->prefix : "cloudhsm-");
    if (!*ret)
        return chsm_oom(err);
    for (char *p = *ret; uuid && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return 0;
}

int chsm_cmd_storage_folders(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    static const struct chsm_column columns[] = { { "BACKUP", "name" }, { "TIME", "time" }, { "SOURCE", "source" }, { 0 } };
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    AUTO_FREE char *prefix = NULL;
    AUTO_FREE char *uri = NULL;
    json_auto_t *folders = NULL;

    (void)ret_code;
    if (check_place(args, err) < 0 || folder_prefix(args, &prefix, err) < 0 || chsm_connect(args, false, &c, err) < 0 ||
        find_container(args, &c, &uri, err) < 0 || chsm_blob_folders(c.arm, uri, prefix, c.deadline, &folders, err) < 0)
        return -1;
    if (json_array_size(folders) == 0)
        chsm_out_note("no backup of Cloud HSM whose name begins with %s in %s", prefix, uri);
    return chsm_out_resource(folders, columns, err);
}
