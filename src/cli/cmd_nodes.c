/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/client_options.h"
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/nodes_options.h"
#include "client/members.h"
#include "evidence/report_nodes.h"
#include "nodes/coverage.h"

#define TEXT_MAX (16u << 20)

#define CONNECT_TIME 5000       /* ms */

const struct chsm_opt chsm_opts_cluster_nodes[] = { CHSM_OPTS_CLUSTER, CHSM_OPTS_REACH, CHSM_OPTS_MGMT, { 0 } };

static const struct chsm_column columns[] = {
    { "NODE", "node" },
    { "ADDRESS", "address" },
    { "STATE", "state" },
    { "USERS", "users" },
    { "KEYS", "keys" },
    { "COVERAGE", "coverage" },
    { 0 },
};

static int print_coverage(const struct chsm_args *args, const struct chsm_coverage *c, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(TEXT_MAX);
    json_auto_t *json = NULL;

    if (chsm_coverage_to_json(c, &json, err) < 0)
        return -1;
    if (chsm_streq(args->output, "tsv"))
        return chsm_out_resource(json_object_get(json, "nodes"), columns, err);
    return chsm_report_coverage(json, &text, err) < 0 ? -1 : chsm_out_report(json, chsm_buf_str(&text), err);
}

/* --timeout is for the whole command, which is one run of the tool. */
static int limit(const struct chsm_args *args, struct chsm_mgmt_tool *tool, struct chsm_err *err)
{
    int64_t whole = 0;

    if (!args->timeout)
        return 0;
    if (chsm_duration_parse(args->timeout, &whole, err) < 0)
        return chsm_err_prefix(err, "--timeout");
    if (whole > 0 && (!args->mgmt_timeout || whole < tool->timeout))
        tool->timeout = whole;
    return 0;
}

static int ask_tool(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_NODES_READING struct chsm_nodes_reading reading = { .n_open = 0 };
    AUTO_COVERAGE struct chsm_coverage coverage = { .n = 0 };
    AUTO_SECRET struct chsm_secret password = { 0 };
    struct chsm_mgmt_tool tool;

    if (chsm_nodes_options(args, &password, &tool, err) < 0 || limit(args, &tool, err) < 0)
        return -1;
    if (chsm_nodes_read(&tool, &reading, err) < 0 || chsm_coverage_make(&reading, &coverage, err) < 0)
        return -1;
    if (print_coverage(args, &coverage, err) < 0)
        return -1;
    if (coverage.outcome != CHSM_COVERAGE_FULL)
        *ret_code = coverage.outcome == CHSM_COVERAGE_PARTIAL ? CHSM_FAILED : CHSM_INCONCLUSIVE;
    return 0;
}

static const struct chsm_column member_columns[] = {
    { "NODE", "node" }, { "STATE", "state" }, { "ADDRESSES", "address" }, { "PORT", "port" }, { "REACHABLE", "reachable" }, { "OUTCOME", "outcome" },
    { "WHY", "why" }, { 0 },
};

/* A table has one cell for all addresses of a node. */
static int join_addresses(json_t *nodes, struct chsm_err *err)
{
    json_t *node;
    size_t i;

    json_array_foreach(nodes, i, node) {
        AUTO_BUF struct chsm_buf b = CHSM_BUF(4096);
        const json_t *one;
        size_t k;

        json_array_foreach(json_object_get(node, "addresses"), k, one)
            if (chsm_buf_addf(&b, err, "%s%s", k ? " " : "", json_string_value(one)) < 0)
                return -1;
        if (json_object_set_new(node, "address", json_string(chsm_buf_str(&b))) < 0)
            return chsm_oom(err);
    }
    return 0;
}

static int print_members(const json_t *result, struct chsm_err *err)
{
    json_t *nodes = json_object_get(result, "nodes");

    if (!chsm_out_is_table())
        return chsm_out_resource(result, member_columns, err);
    return join_addresses(nodes, err) < 0 ? -1 : chsm_out_resource(nodes, member_columns, err);
}

/* Without the management tool: what Azure says of the nodes, and whether this machine reaches them. */
static int ask_azure(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *cluster = NULL, *result = NULL;
    enum chsm_member outcome;
    chsm_deadline deadline;
    unsigned port;
    int64_t limit;

    if (chsm_client_port(args, &port, err) < 0 || chsm_client_time(args->connect_timeout, "--connect-timeout", CONNECT_TIME, &limit, err) < 0)
        return -1;
    if (chsm_connect(args, /* need_cluster= */ true, &c, err) < 0 || chsm_cluster_get(c.arm, &c.cluster, c.deadline, &cluster, err) < 0)
        return -1;
    deadline = chsm_deadline_in(limit);
    if (chsm_members_look(cluster, port, c.deadline && c.deadline < deadline ? c.deadline : deadline, &outcome, &result, err) < 0 ||
        print_members(result, err) < 0)
        return -1;
    if (json_integer_value(json_object_get(result, "named")) < json_integer_value(json_object_get(result, "expected")))
        chsm_out_note("Azure names %lld of the cluster's %lld nodes", (long long)json_integer_value(json_object_get(result, "named")),
                      (long long)json_integer_value(json_object_get(result, "expected")));
    *ret_code = outcome == CHSM_MEMBER_FINE ? CHSM_OK : outcome == CHSM_MEMBER_DOWN ? CHSM_FAILED : CHSM_INCONCLUSIVE;
    return 0;
}

int chsm_cmd_cluster_nodes(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    bool azure = args->group || args->name;

    if (azure && (args->mgmt_util || args->mgmt_pin))
        return chsm_fail(err, CHSM_USAGE, "a cluster and the management tool are both given: ask Azure and the network, or the nodes themselves");
    if (!azure && !args->mgmt_util && !args->mgmt_pin) {
        (void)chsm_fail(err, CHSM_USAGE, "which nodes?");
        return chsm_err_hint(err, "give --resource-group and --name (what Azure and the network say), or --mgmt-pin (what the nodes say)");
    }
    return azure ? ask_azure(args, ret_code, err) : ask_tool(args, ret_code, err);
}
