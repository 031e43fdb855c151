/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/hsm_options.h"
#include "cli/output.h"
#include "drill/client.h"
#include "drill/reader.h"
#include "drill/report.h"
#include "evidence/report.h"
#include "evidence/store.h"
#include "util/path.h"

#define REPORT_MAX (256u << 20)

const struct chsm_opt chsm_opts_keys_inventory[] = {
    CHSM_OPTS_HSM,
    { "file", NULL, 'f', CHSM_OPT_TEXT, offsetof(struct chsm_args, file), "FILE", "where the inventory goes (default: stdout)" },
    { 0 },
};
const struct chsm_opt chsm_opts_keys_verify[] = {
    CHSM_OPTS_HSM,
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

/* The reader and its logins; the caller frees reader->logins with chsm_logins_free(). */
static int read_reader(const struct chsm_args *args, struct chsm_reader *r, struct chsm_login **ret_logins, struct chsm_err *err)
{
    *r = (struct chsm_reader){ .n = args->logins.n, .cluster = args->cluster_id, .ask = !args->no_proofs, .cross_check = args->cross_check,
                               .progress = on_progress };
    if (chsm_hsm_options_target(args, &r->target, err) < 0 || chsm_hsm_options_logins(&args->logins, ret_logins, err) < 0)
        return -1;
    r->logins = *ret_logins;
    return 0;
}

static int print_inventory(const struct chsm_args *args, const struct chsm_inventory *inv, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_inventory_sums sums;

    if (chsm_inventory_write(inv, &text, &sums, err) < 0)
        return -1;
    if (!args->file || strcmp(args->file, "-") == 0) {
        fputs(chsm_buf_str(&text), stdout);
        return 0;
    }
    if (chsm_file_write(args->file, chsm_buf_str(&text), text.len, 0600, err) < 0)
        return -1;
    chsm_out_note("%s: %zu objects, fingerprint %s", args->file, chsm_inventory_count(inv), sums.fingerprint);
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
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_inventory_sums sums;

    return chsm_inventory_write(inv, &text, &sums, err) < 0 ? -1 : chsm_evidence_put(ev, name, chsm_buf_str(&text), text.len, err);
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
