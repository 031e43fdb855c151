/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "drill/client.h"
#include "drill/reader.h"
#include "drill/report.h"
#include "evidence/report.h"
#include "evidence/store.h"

#define REPORT_MAX (256u << 20)

#define OPTS_HSM                                                                                                                            \
    { "module", NULL, 'm', CHSM_OPT_TEXT, offsetof(struct chsm_args, module), "FILE", "PKCS#11 library (default: CHSMCTL_MODULE)" },        \
    { "login", NULL, 'l', CHSM_OPT_LIST, offsetof(struct chsm_args, logins), "NAME=SRC", "PIN from file:, env:, fd:, cmd: or prompt" },     \
    { "directory", NULL, 'd', CHSM_OPT_TEXT, offsetof(struct chsm_args, directory), "DIR", "working directory of the library" },            \
    { "module-env", NULL, 0, CHSM_OPT_LIST, offsetof(struct chsm_args, module_env), "NAME=VAL", "environment of the library" },             \
    { "token-label", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, token_label), "LABEL", "which token, where there are several" },    \
    { "slot", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, slot), "ID", "which slot, where there are several" },                      \
    { "module-timeout", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, module_timeout), "TIME", "for one step of it (default 120s)" },  \
    { "cluster-id", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, cluster_id), "ID", "resource id to note in the result" },            \
    { "no-proofs", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, no_proofs), NULL, "ask no key to do anything" }

const struct chsm_opt chsm_opts_keys_inventory[] = {
    OPTS_HSM,
    { "file", NULL, 'f', CHSM_OPT_TEXT, offsetof(struct chsm_args, file), "FILE", "where the inventory goes (default: stdout)" },
    { 0 },
};
const struct chsm_opt chsm_opts_keys_verify[] = {
    OPTS_HSM,
    { "inventory", NULL, 'i', CHSM_OPT_TEXT, offsetof(struct chsm_args, inventory), "FILE", "the source's inventory" },
    { "require", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, require), "LEVEL", "best (default), present, intact or proven" },
    { "cross-check", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, cross_check), NULL, "sign once more through libp11 and OpenSSL" },
    { "allow-unexpected", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, allow_unexpected), NULL, "keys only at the destination are no failure" },
    { "allow-same-cluster", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, same_cluster), NULL, "check a cluster against its own inventory" },
    { "evidence", NULL, 'e', CHSM_OPT_TEXT, offsetof(struct chsm_args, evidence), "DIR", "leave report and inventories there" },
    { 0 },
};

static void on_progress(void *ctx, const char *what, const char *login, size_t done, size_t total)
{
    char text[256];

    (void)ctx;
    if (!isatty(STDERR_FILENO) && total && done != total)
        return;
    if (total)
        (void)snprintf(text, sizeof text, "%s: %s %zu/%zu", login, what, done, total);
    else
        (void)snprintf(text, sizeof text, "%s: %s", login, what);
    chsm_out_progress(text);
}

/* "NAME=SOURCE"; what stands after a wrong source is not quoted: it may be the PIN itself. */
static int read_login(const char *text, struct chsm_login *ret, struct chsm_err *err)
{
    const char *eq = strchr(text, '=');
    AUTO_FREE char *what = NULL;

    if (!eq || eq == text || !chsm_secret_source_ok(eq + 1)) {
        (void)chsm_fail(err, CHSM_USAGE, "--login is not NAME=SOURCE");
        return chsm_err_hint(err, "the PIN comes from file:PATH, env:NAME, fd:N, cmd:PROGRAM or prompt, e.g. --login cu1=file:/run/secrets/cu1");
    }
    ret->name = strndup(text, (size_t)(eq - text));
    what = ret->name ? chsm_strf("PIN of %s", ret->name) : NULL;
    return what ? chsm_secret_read(eq + 1, what, &ret->pin, err) : chsm_oom(err);
}

static int read_logins(const struct chsm_list *list, struct chsm_login **ret, struct chsm_err *err)
{
    struct chsm_login *logins = calloc(list->n ? list->n : 1, sizeof *logins);
    int rc = logins ? 0 : chsm_oom(err);

    if (rc == 0 && list->n == 0)
        rc = chsm_fail(err, CHSM_USAGE, "--login is needed");
    for (size_t i = 0; rc == 0 && i < list->n; i++) {
        rc = read_login(list->item[i], &logins[i], err);
        for (size_t k = 0; rc == 0 && k < i; k++)
            if (strcmp(logins[k].name, logins[i].name) == 0)
                rc = chsm_fail(err, CHSM_USAGE, "--login %s is given twice", logins[i].name);
    }
    if (rc < 0) {
        chsm_logins_free(logins, list->n);
        return -1;
    }
    *ret = logins;
    return 0;
}

static int read_target(const struct chsm_args *args, struct chsm_hsm_target *t, struct chsm_err *err)
{
    char *end;

    *t = (struct chsm_hsm_target){ .module = args->module ? args->module : getenv("CHSMCTL_MODULE"), .directory = args->directory,
                                   .env = args->module_env.item, .token_label = args->token_label, .slot_given = args->slot != NULL };
    if (chsm_args_need(t->module, "--module", err) < 0)
        return -1;
    if (args->timeout) {
        (void)chsm_fail(err, CHSM_USAGE, "--timeout has no meaning for this command");
        return chsm_err_hint(err, "--module-timeout limits each step of the library");
    }
    for (size_t i = 0; i < args->module_env.n; i++)
        if (!strchr(args->module_env.item[i], '='))
            return chsm_fail(err, CHSM_USAGE, "--module-env %s is not NAME=VALUE", args->module_env.item[i]);
    if (args->module_timeout && chsm_duration_parse(args->module_timeout, &t->timeout, err) < 0)
        return chsm_err_prefix(err, "--module-timeout");
    if (args->slot) {
        errno = 0;
        t->slot = strtoul(args->slot, &end, 0);
        if (errno || *end || end == args->slot || args->slot[0] == '-')
            return chsm_fail(err, CHSM_USAGE, "--slot %s is not a slot number", args->slot);
    }
    return 0;
}

/* The reader and its logins; the caller frees reader->logins with chsm_logins_free(). */
static int read_reader(const struct chsm_args *args, struct chsm_reader *r, struct chsm_login **ret_logins, struct chsm_err *err)
{
    *r = (struct chsm_reader){ .n = args->logins.n, .cluster = args->cluster_id, .ask = !args->no_proofs, .cross_check = args->cross_check,
                               .progress = on_progress };
    if (read_target(args, &r->target, err) < 0 || read_logins(&args->logins, ret_logins, err) < 0)
        return -1;
    r->logins = *ret_logins;
    return 0;
}

static int print_inventory(const struct chsm_args *args, const struct chsm_inventory *inv, struct chsm_err *err)
{
    json_auto_t *json = NULL;

    if (chsm_inventory_to_json(inv, &json, err) < 0)
        return -1;
    if (!args->file || strcmp(args->file, "-") == 0) {
        AUTO_FREE char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);

        if (!text)
            return chsm_oom(err);
        printf("%s\n", text);
        return 0;
    }
    if (chsm_json_save(args->file, json, err) < 0)
        return -1;
    chsm_out_note("%s: %zu objects, fingerprint %s", args->file, chsm_inventory_count(inv), chsm_json_str(json, "fingerprint"));
    return 0;
}

int chsm_cmd_keys_inventory(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    struct chsm_login *logins = NULL;
    struct chsm_reader r;
    int rc;

    if (read_reader(args, &r, &logins, err) < 0)
        return -1;
    rc = chsm_reader_inventory(&r, &inv, err);
    chsm_logins_free(logins, args->logins.n);
    if (rc < 0 || print_inventory(args, &inv, err) < 0)
        return -1;
    if (!chsm_inventory_complete(&inv))
        *ret_code = CHSM_INCONCLUSIVE;
    return 0;
}

static int load_inventory(const char *path, struct chsm_inventory *ret, struct chsm_err *err)
{
    json_auto_t *json = NULL;

    if (chsm_json_load(path, CHSM_INVENTORY_MAX, &json, err) < 0)
        return -1;
    if (chsm_inventory_from_json(json, ret, err) < 0)
        return chsm_err_prefix(err, "%s", path);
    return 0;
}

/* Verifying a cluster against its own inventory proves nothing about a restore. */
static int check_other_cluster(const struct chsm_args *args, const struct chsm_inventory *source, struct chsm_err *err)
{
    AUTO_FREE char *endpoint = NULL;

    if (chsm_client_endpoint(args->directory, &endpoint, err) < 0)
        return -1;
    if (args->same_cluster || !endpoint || !source->endpoint || !chsm_endpoint_eq(endpoint, source->endpoint))
        return 0;
    (void)chsm_fail(err, CHSM_REFUSED, "the library points to %s, where the inventory itself was taken", endpoint);
    return chsm_err_hint(err, "point the client to the destination, or say --allow-same-cluster if this cluster is what you want to check");
}

struct verification {
    struct chsm_inventory source, destination;
    struct chsm_comparison comparison;
    struct chsm_policy policy;
    int64_t started;
};

static int build_report(const struct chsm_args *args, struct verification *v, enum chsm_code *ret_code, json_t **ret, struct chsm_err *err)
{
    char id[37];
    struct chsm_report_parts parts = {
        .command = "keys verify", .run_id = id, .started = v->started, .ended = chsm_now(), .verified = chsm_now(),
        .source = { .inventory = &v->source, .inventory_file = args->evidence ? "inventory-source.json" : args->inventory },
        .destination = { .cluster = args->cluster_id, .inventory = &v->destination, .inventory_file = args->evidence ? "inventory-destination.json" : NULL },
        .comparison = &v->comparison, .policy = &v->policy,
    };

    return chsm_uuid(id, err) < 0 ? -1 : chsm_report_build(&parts, ret, ret_code, err);
}

static int put_inventory(struct chsm_evidence *ev, const char *name, const struct chsm_inventory *inv, struct chsm_err *err)
{
    json_auto_t *json = NULL;

    return chsm_inventory_to_json(inv, &json, err) < 0 ? -1 : chsm_evidence_put_json(ev, name, json, err);
}

static int leave_evidence(struct chsm_evidence *ev, const struct verification *v, const json_t *report, const struct chsm_buf *text, struct chsm_err *err)
{
    if (put_inventory(ev, "inventory-source.json", &v->source, err) < 0 || put_inventory(ev, "inventory-destination.json", &v->destination, err) < 0 ||
        chsm_evidence_put_json(ev, "report.json", report, err) < 0 || chsm_evidence_put(ev, "report.txt", chsm_buf_str(text), text->len, err) < 0)
        return -1;
    return chsm_evidence_seal(ev, err);
}

static int report(const struct chsm_args *args, struct verification *v, struct chsm_evidence *ev, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(REPORT_MAX);
    json_auto_t *json = NULL;

    if (build_report(args, v, ret_code, &json, err) < 0 || chsm_report_text(json, &text, err) < 0)
        return -1;
    if (ev && leave_evidence(ev, v, json, &text, err) < 0)
        return -1;
    return chsm_out_report(json, chsm_buf_str(&text), err);
}

static int verify(const struct chsm_args *args, struct verification *v, struct chsm_err *err)
{
    struct chsm_login *logins = NULL;
    struct chsm_reader r;
    int rc;

    if (read_reader(args, &r, &logins, err) < 0)
        return -1;
    rc = chsm_reader_verify(&r, &v->source, &v->destination, &v->comparison, err);
    chsm_logins_free(logins, args->logins.n);
    return rc;
}

int chsm_cmd_keys_verify(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    struct verification v = { .policy = { .allow_unexpected = args->allow_unexpected }, .started = chsm_now() };
    AUTO_EVIDENCE struct chsm_evidence *ev = NULL;
    int rc;

    if (chsm_args_need(args->inventory, "--inventory", err) < 0)
        return -1;
    if (args->require && !chsm_require_from_name(args->require, &v.policy.require))
        return chsm_fail(err, CHSM_USAGE, "--require %s is not known: best, present, intact or proven", args->require);
    rc = load_inventory(args->inventory, &v.source, err);
    if (rc == 0)
        rc = check_other_cluster(args, &v.source, err);
    /* Before any work: a folder that cannot be used must not cost the result. */
    if (rc == 0 && args->evidence)
        rc = chsm_evidence_open(args->evidence, &ev, err);
    if (rc == 0)
        rc = verify(args, &v, err);
    if (rc == 0)
        rc = report(args, &v, ev, ret_code, err);
    chsm_comparison_done(&v.comparison);
    chsm_inventory_done(&v.destination);
    chsm_inventory_done(&v.source);
    return rc;
}
