/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: create, update, delete. */
#include "config.h"

#include <strings.h>

#include "azure/job.h"
#include "azure/location.h"
#include "azure/tags.h"
#include "cli/cluster_columns.h"
#include "cli/commands.h"
#include "cli/connect.h"
#include "util/clock.h"
#include "util/safety.h"

#define OPT_NO_WAIT(what)                                                                                                        \
    {                                                                                                                            \
        "no-wait", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, no_wait), NULL, what                                       \
    }

const struct chsm_opt chsm_opts_cluster_create[] = {
    CHSM_OPTS_CLUSTER,
    { "location", NULL, 'l', CHSM_OPT_TEXT, offsetof(struct chsm_args, location), "REGION",
      "where (default: where the resource group is)" },
    { "sku", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, sku), "SKU", "Standard_B1 (default)" },
    { "tags", NULL, 0, CHSM_OPT_WORDS, offsetof(struct chsm_args, tags), "NAME=VALUE ...", "tags" },
    { "domain-name-label-scope", "auto-generated-domain-name-label-scope", 0, CHSM_OPT_TEXT,
      offsetof(struct chsm_args, label_scope), "SCOPE", "TenantReuse (default), NoReuse, ..." },
    { "mi-user-assigned", "identity", 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, identity), "ID",
      "resource id of its managed identity" },
    OPT_NO_WAIT("return when the service has accepted it"),
    { 0 },
};
const struct chsm_opt chsm_opts_cluster_update[] = {
    CHSM_OPTS_CLUSTER,
    { "tags", NULL, 0, CHSM_OPT_WORDS, offsetof(struct chsm_args, tags), "NAME=VALUE ...",
      "all its tags from now on; \"\" for none" },
    OPT_NO_WAIT("return when the service has accepted it"),
    { 0 },
};
const struct chsm_opt chsm_opts_cluster_delete[] = {
    CHSM_OPTS_CLUSTER,
    { "yes", NULL, 'y', CHSM_OPT_FLAG, offsetof(struct chsm_args, yes), NULL,
      "do not ask (a cluster that may hold keys is kept)" },
    { "confirm", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, confirm), "NAME", "its name again: delete it with its keys" },
    OPT_NO_WAIT("return when the service has accepted it"),
    { 0 },
};

/* Prints the result and frees it. */
static int print(struct chsm_cluster_result *r, struct chsm_err *err)
{
    int rc = chsm_out_resource(r->cluster, chsm_cluster_columns, err);

    json_decref(r->cluster);
    return rc;
}

static void note_wait(const struct chsm_connection *c, const char *flag)
{
    char options[CHSM_CLUSTER_OPTIONS_LEN];

    chsm_cluster_options(&c->cluster, options);
    chsm_out_note("%s: accepted; `chsmctl cluster wait %s%s` waits for its end", c->cluster.name, options, flag);
}

static int read_spec(const struct chsm_args *args, struct chsm_cluster_spec *ret, char **ret_location, json_t **ret_tags,
                     struct chsm_err *err)
{
    *ret = (struct chsm_cluster_spec){ .sku = args->sku, .identity = args->identity };
    if (args->location && chsm_location_normal(args->location, ret_location, err) < 0)
        return chsm_err_prefix(err, "--location");
    if (args->tags.n > 0 && chsm_tags_parse(args->tags.item, ret_tags, err) < 0)
        return -1;
    if (args->label_scope) {
        ret->label_scope = chsm_label_scope(args->label_scope);
        if (!ret->label_scope)
            return chsm_fail(err, CHSM_USAGE,
                             "--domain-name-label-scope %s is not known: TenantReuse, SubscriptionReuse, "
                             "ResourceGroupReuse or NoReuse",
                             args->label_scope);
    }
    ret->location = *ret_location;
    ret->tags = *ret_tags;
    return 0;
}

int chsm_cmd_cluster_create(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_result result = { 0 };
    struct chsm_cluster_spec spec;
    struct chsm_cluster_task task;
    AUTO_FREE char *location = NULL;
    json_auto_t *tags = NULL;

    (void)ret_code;
    if (read_spec(args, &spec, &location, &tags, err) < 0 || chsm_connect(args, true, &c, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    if (chsm_cluster_create(&task, &spec, &result, err) < 0)
        return -1;
    if (!result.changed)
        chsm_out_note("%s: the cluster is there already; nothing was sent", args->name);
    else if (args->no_wait)
        note_wait(&c, "");
    else
        chsm_out_note("%s: created", args->name);
    return print(&result, err);
}

int chsm_cmd_cluster_update(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_result result = { 0 };
    struct chsm_cluster_task task;
    json_auto_t *tags = NULL;

    (void)ret_code;
    if (args->tags.n == 0) {
        (void)chsm_fail(err, CHSM_USAGE, "--tags is needed");
        return chsm_err_hint(err,
                             "the identity is changed by `chsmctl identity apply`; nothing else of a cluster can be changed");
    }
    if (chsm_tags_parse(args->tags.item, &tags, err) < 0 || chsm_connect(args, true, &c, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    if (chsm_cluster_retag(&task, tags, &result, err) < 0)
        return -1;
    if (!result.changed)
        chsm_out_note("%s: the tags are so already; nothing was sent", args->name);
    else if (args->no_wait)
        note_wait(&c, "");
    else
        chsm_out_note("%s: tags replaced; nothing else of the cluster changed", args->name);
    return print(&result, err);
}

/* What somebody at a terminal types; false when nobody is there. */
static bool typed_name(const char *name, char *out, size_t size)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    (void)fprintf(stderr, "This deletes the cluster %s. Type its name to go on: ", name);
    (void)fflush(stderr);
    if (!fgets(out, (int)size, stdin)) {
        *out = '\0';
        (void)fputc('\n', stderr);
    }
    out[strcspn(out, "\r\n")] = '\0';
    return true;
}

/* Whether it is meant; *ret_name is the name as somebody has given it again, NULL when nobody has. */
static int confirm(const struct chsm_args *args, char *buf, size_t size, const char **ret_name, struct chsm_err *err)
{
    *ret_name = args->confirm;
    if (args->confirm && strcasecmp(args->confirm, args->name) != 0) {
        (void)chsm_refuse(err, CHSM_RULE_DELETE_UNCONFIRMED, "--confirm says \"%s\", --name %s", args->confirm, args->name);
        return chsm_err_hint(err, "one of the two is a mistake; --confirm takes the name of the cluster to delete");
    }
    if (args->confirm || args->yes)
        return 0;
    if (!typed_name(args->name, buf, size))
        return chsm_refuse(err, CHSM_RULE_DELETE_UNCONFIRMED, "%s is not deleted", args->name);
    if (chsm_interrupted())
        return chsm_fail(err, CHSM_INTERRUPTED, "%s: interrupted; nothing was sent", args->name);
    if (strcasecmp(buf, args->name) != 0)
        return chsm_refuse(err, CHSM_RULE_DELETE_UNCONFIRMED, "what was typed is not %s", args->name);
    *ret_name = args->name;
    return 0;
}

int chsm_cmd_cluster_delete(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    struct chsm_cluster_task task;
    const char *confirmed = NULL;
    bool was_there = false;
    char typed[128];

    (void)ret_code;
    if (chsm_args_need(args->group, "--resource-group", err) < 0 || chsm_args_need(args->name, "--name", err) < 0 ||
        confirm(args, typed, sizeof typed, &confirmed, err) < 0 ||
        chsm_connect(args, true, &c, err) < 0)
        return -1;
    task = chsm_connect_task(args, &c);
    if (chsm_cluster_delete(&task, confirmed, &was_there, err) < 0)
        return -1;
    if (!was_there)
        chsm_out_note("%s: there is no such cluster; nothing was sent", args->name);
    else if (args->no_wait)
        note_wait(&c, " --deleted");
    else
        chsm_out_note("%s: deleted", args->name);
    return 0;
}
