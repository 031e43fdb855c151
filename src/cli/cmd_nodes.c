/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/nodes_options.h"
#include "cli/output.h"
#include "evidence/report_nodes.h"
#include "nodes/coverage.h"

#define TEXT_MAX (16u << 20)

const struct chsm_opt chsm_opts_cluster_nodes[] = { CHSM_OPTS_MGMT, { 0 } };

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

int chsm_cmd_cluster_nodes(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
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
