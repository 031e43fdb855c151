/* SPDX-License-Identifier: Apache-2.0 */
/* keys verify, keys prove (against an HSM) and keys diff (two files): one comparison, one report. */
#include "config.h"

#include "cli/commands.h"
#include "cli/keys_common.h"
#include "cli/output.h"
#include "cli/per_node.h"
#include "client/endpoint.h"
#include "drill/report.h"
#include "drill/waivers.h"
#include "evidence/report.h"
#include "evidence/store.h"
#include "util/path.h"
#include "util/safety.h"

#define REPORT_MAX (256u << 20)
#define PROBLEMS_MAX (1u << 20)

#define OPTS_JUDGE                                                                                                                           \
    { "require", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, require), "LEVEL", "best, present, intact or proven" },                   \
    { "allow-unexpected", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, allow_unexpected), NULL, "keys only at the destination are no failure" }, \
    { "ignore-attribute", NULL, 0, CHSM_OPT_LIST, offsetof(struct chsm_args, ignore), "NAME", "its differences do not count; may be repeated" }, \
    { "waivers", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, waivers), "FILE", "accepted findings, each with reason and expiry" },      \
    { "evidence", NULL, 'e', CHSM_OPT_TEXT, offsetof(struct chsm_args, evidence), "DIR", "leave report and inventories there" }

const struct chsm_opt chsm_opts_keys_verify[] = {
    CHSM_OPTS_HSM,
    CHSM_OPTS_PROOF,
    OPTS_JUDGE,
    { "inventory", NULL, 'i', CHSM_OPT_TEXT, offsetof(struct chsm_args, inventory), "FILE", "the source's inventory" },
    { "cross-check", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, cross_check), NULL, "sign once more through libp11 and OpenSSL" },
    { "allow-same-cluster", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, same_cluster), NULL, "check a cluster against its own inventory" },
    { "per-node", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, per_node), NULL, "look at every node, before and after" },
    CHSM_OPTS_MGMT,
    { 0 },
};
const struct chsm_opt chsm_opts_keys_diff[] = {
    OPTS_JUDGE,
    { 0 },
};
const struct chsm_opt chsm_opts_keys_prove[] = {
    CHSM_OPTS_HSM,
    CHSM_OPTS_PROOF,
    OPTS_JUDGE,
    { "inventory", NULL, 'i', CHSM_OPT_TEXT, offsetof(struct chsm_args, inventory), "FILE", "whose keys they must be (default: its own)" },
    { "id", NULL, 0, CHSM_OPT_LIST, offsetof(struct chsm_args, ids), "HEX", "only keys with this CKA_ID; may be repeated" },
    { "cross-check", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, cross_check), NULL, "sign once more through libp11 and OpenSSL" },
    { 0 },
};

struct verification {
    const char *command, *source_file, *waivers_file;
    struct chsm_inventory source, destination;
    struct chsm_comparison comparison;
    struct chsm_policy policy;
    struct chsm_waivers waivers;
    char *proofs;                   /* what was asked, as text */
    struct chsm_evidence *evidence; /* NULL = none is left */
    struct chsm_per_node nodes;
    int64_t started;
};

static void verification_done(struct verification *v)
{
    chsm_per_node_done(&v->nodes);
    chsm_comparison_done(&v->comparison);
    chsm_inventory_done(&v->destination);
    chsm_inventory_done(&v->source);
    chsm_waivers_done(&v->waivers);
    chsm_evidence_free(v->evidence);
    free(v->proofs);
}

static int read_ignored(const struct chsm_args *args, struct chsm_err *err)
{
    for (size_t i = 0; i < args->ignore.n; i++)
        if (!chsm_attribute_may_be_ignored(args->ignore.item[i]))
            return chsm_fail(err, CHSM_USAGE, "--ignore-attribute %s: it tells one key from another and always counts", args->ignore.item[i]);
    return 0;
}

static int read_waivers(const char *path, struct chsm_waivers *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf problems = CHSM_BUF(PROBLEMS_MAX);

    if (chsm_waivers_load(path, ret, &problems, err) == 0)
        return 0;
    chsm_out_problems(chsm_buf_str(&problems));
    return -1;
}

/* What the options say of judging, and everything that must not fail after the work is done. */
static int begin(const struct chsm_args *args, const char *command, enum chsm_require bar, struct verification *v, struct chsm_err *err)
{
    v->command = command;
    v->waivers_file = args->waivers;
    v->started = chsm_now();
    v->policy = (struct chsm_policy){ .require = bar, .allow_unexpected = args->allow_unexpected, .waivers = &v->waivers, .now = v->started };
    if (args->require && !chsm_require_from_name(args->require, &v->policy.require))
        return chsm_fail(err, CHSM_USAGE, "--require %s is not known: best, present, intact or proven", args->require);
    if (read_ignored(args, err) < 0 || (args->waivers && read_waivers(args->waivers, &v->waivers, err) < 0))
        return -1;
    /* A folder that cannot be used must not cost the result. */
    return args->evidence ? chsm_evidence_open(args->evidence, &v->evidence, err) : 0;
}

/* Verifying a cluster against its own inventory proves nothing about a restore. */
static int check_other_cluster(const struct chsm_args *args, const struct chsm_inventory *source, struct chsm_err *err)
{
    AUTO_FREE char *endpoint = NULL;

    if (chsm_client_endpoint(args->directory, &endpoint, err) < 0)
        return -1;
    if (args->same_cluster || !endpoint || !source->endpoint || !chsm_endpoint_same_cluster(endpoint, source->endpoint))
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_SAME_CLUSTER, "the library points to %s, where the inventory itself was taken", endpoint);
    return chsm_err_hint(err, "point the client to the destination, or say --allow-same-cluster if this cluster is what you want to check");
}

static int build_report(const struct chsm_args *args, struct verification *v, enum chsm_code *ret_code, json_t **ret, struct chsm_err *err)
{
    char id[37];
    struct chsm_report_parts parts = {
        .command = v->command, .run_id = id, .started = v->started, .ended = chsm_now(), .verified = chsm_now(),
        .source = { .inventory = &v->source, .inventory_file = v->evidence ? "inventory-source.json" : v->source_file },
        .destination = { .cluster = args->cluster_id, .inventory = &v->destination,
                         .inventory_file = v->evidence ? "inventory-destination.json" : args->second },
        .comparison = &v->comparison, .policy = &v->policy, .proofs = v->proofs, .nodes = v->nodes.json, .coverage = v->nodes.coverage,
    };

    return chsm_uuid(id, err) < 0 ? -1 : chsm_report_build(&parts, ret, ret_code, err);
}

static int put_inventory(struct chsm_evidence *ev, const char *name, const struct chsm_inventory *inv, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_inventory_sums sums;

    return chsm_inventory_write(inv, &text, &sums, err) < 0 ? -1 : chsm_evidence_put(ev, name, chsm_buf_str(&text), text.len, err);
}

/* What was accepted belongs to the evidence as it was written. */
static int put_waivers(struct chsm_evidence *ev, const char *path, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(PROBLEMS_MAX);

    return chsm_file_read(path, PROBLEMS_MAX, &text, err) < 0 ? -1 : chsm_evidence_put(ev, "waivers.yaml", chsm_buf_str(&text), text.len, err);
}

static int leave_evidence(struct chsm_evidence *ev, const struct verification *v, const json_t *report, const struct chsm_buf *text, struct chsm_err *err)
{
    if (v->waivers_file && put_waivers(ev, v->waivers_file, err) < 0)
        return -1;
    if (put_inventory(ev, "inventory-source.json", &v->source, err) < 0 || put_inventory(ev, "inventory-destination.json", &v->destination, err) < 0 ||
        chsm_evidence_put_json(ev, "report.json", report, err) < 0 || chsm_evidence_put(ev, "report.txt", chsm_buf_str(text), text->len, err) < 0)
        return -1;
    return chsm_evidence_seal(ev, err);
}

static int report(const struct chsm_args *args, struct verification *v, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(REPORT_MAX);
    json_auto_t *json = NULL;

    if (build_report(args, v, ret_code, &json, err) < 0 || chsm_report_text(json, &text, err) < 0)
        return -1;
    if (v->evidence && leave_evidence(v->evidence, v, json, &text, err) < 0)
        return -1;
    return chsm_out_report(json, chsm_buf_str(&text), err);
}

/* A waiver that fits nothing is either not needed any more or written wrongly. */
static void note_waivers(const struct verification *v)
{
    for (size_t i = 0; i < v->waivers.n; i++) {
        struct chsm_waivers one = { .v = &v->waivers.v[i], .n = 1 };
        const struct chsm_waiver *expired = NULL;
        bool used = false;

        for (size_t k = 0; k < v->comparison.n && !used; k++)
            used = chsm_waiver_for(&one, &v->comparison.findings[k], v->policy.now, &expired) || expired;
        if (!used)
            chsm_out_note("waiver %zu of %zu (%s) fits no finding", i + 1, v->waivers.n, v->waivers.v[i].reason);
    }
}

static int finish(const struct chsm_args *args, struct verification *v, enum chsm_code *ret_code, struct chsm_err *err)
{
    note_waivers(v);
    return report(args, v, ret_code, err);
}

static int verify(const struct chsm_args *args, struct verification *v, struct chsm_err *err)
{
    struct chsm_login *logins = NULL;
    struct chsm_reader r;
    int rc = chsm_keys_reader(args, &r, &logins, err);

    if (rc < 0)
        return -1;
    v->proofs = chsm_proofs_text(&r.proofs);
    rc = v->proofs ? chsm_reader_verify(&r, &v->source, &v->destination, &v->comparison, err) : chsm_oom(err);
    chsm_logins_free(logins, args->logins.n);
    return rc;
}

int chsm_cmd_keys_verify(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO(verification_done) struct verification v = { .source_file = args->inventory };

    if (chsm_args_need(args->inventory, "--inventory", err) < 0 || chsm_keys_load(args->inventory, &v.source, err) < 0 ||
        check_other_cluster(args, &v.source, err) < 0 || begin(args, "keys verify", CHSM_REQUIRE_BEST, &v, err) < 0)
        return -1;
    if (chsm_per_node_begin(args, &v.nodes, err) < 0 || verify(args, &v, err) < 0 || chsm_per_node_end(&v.nodes, &v.destination, &v.comparison, err) < 0)
        return -1;
    return finish(args, &v, ret_code, err);
}

/* Files cannot prove anything, so that the bar is what they can show. */
int chsm_cmd_keys_diff(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO(verification_done) struct verification v = { .source_file = args->positional };

    if (chsm_args_need(args->positional, "the inventory A", err) < 0 || chsm_args_need(args->second, "the inventory B", err) < 0 ||
        begin(args, "keys diff", CHSM_REQUIRE_INTACT, &v, err) < 0 || chsm_keys_load(args->positional, &v.source, err) < 0 ||
        chsm_keys_load(args->second, &v.destination, err) < 0)
        return -1;
    v.comparison.ignore = args->ignore.n ? args->ignore.item : NULL;
    v.proofs = strdup("none");
    if (!v.proofs)
        return chsm_oom(err);
    if (chsm_compare(&v.source, &v.destination, &v.comparison, err) < 0)
        return -1;
    return finish(args, &v, ret_code, err);
}

static int read_ids(const struct chsm_list *list, struct chsm_bytes *ret, struct chsm_err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (chsm_unhex(list->item[i], &ret[i], NULL) < 0)
            return chsm_fail(err, CHSM_USAGE, "--id %s is not hexadecimal", list->item[i]);
    return 0;
}

/* An ID that no key has is a mistake, and must not end as "everything that was asked for is proven". */
static int check_ids(const struct chsm_bytes *ids, size_t n, struct chsm_comparison *c, struct chsm_err *err)
{
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *hex = chsm_hex(ids[i].p, ids[i].len);
        AUTO_FREE char *text = hex ? chsm_strf("no private or secret key has the ID %s", *hex ? hex : "(empty)") : NULL;
        size_t k = 0;

        while (k < c->n && !chsm_bytes_eq(&ids[i], c->findings[k].source ? &c->findings[k].source->id : &c->findings[k].destination->id))
            k++;
        if (k == c->n && (!text || chsm_comparison_note(c, text, err) < 0))
            return text ? -1 : chsm_oom(err);
    }
    return 0;
}

static int prove(const struct chsm_args *args, const struct chsm_bytes *ids, struct verification *v, struct chsm_err *err)
{
    struct chsm_login *logins = NULL;
    struct chsm_reader r;
    int rc = chsm_keys_reader(args, &r, &logins, err);

    if (rc < 0)
        return -1;
    r.keys_only = true;
    r.ids = ids;
    r.n_ids = args->ids.n;
    if (!(v->proofs = chsm_proofs_text(&r.proofs)))
        rc = chsm_oom(err);
    /* Without an inventory the HSM is held against itself: each key has to do what its own public half, or its own first answer, says. */
    if (rc == 0)
        rc = args->inventory ? chsm_keys_load(args->inventory, &v->source, err) : chsm_reader_inventory(&r, &v->source, err);
    if (rc == 0)
        rc = chsm_reader_verify(&r, &v->source, &v->destination, &v->comparison, err);
    if (rc == 0)
        rc = check_ids(ids, args->ids.n, &v->comparison, err);
    chsm_logins_free(logins, args->logins.n);
    return rc;
}

int chsm_cmd_keys_prove(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO(verification_done) struct verification v = { .source_file = args->inventory };
    struct chsm_bytes ids[CHSM_LIST_MAX] = { 0 };
    int rc = read_ids(&args->ids, ids, err);

    if (rc == 0)
        rc = begin(args, "keys prove", CHSM_REQUIRE_PROVEN, &v, err);
    if (rc == 0)
        rc = prove(args, ids, &v, err);
    for (size_t i = 0; i < args->ids.n; i++)
        chsm_bytes_done(&ids[i]);
    return rc < 0 ? -1 : finish(args, &v, ret_code, err);
}
