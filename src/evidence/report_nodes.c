/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "evidence/report_nodes.h"
#include "util/table.h"

/* A number, or "?" where it was not established. */
static char *number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    return v ? chsm_strf("%" JSON_INTEGER_FORMAT, json_integer_value(v)) : strdup("?");
}

static int add_node(struct chsm_table *t, const json_t *node, struct chsm_err *err)
{
    AUTO_FREE char *name = number(node, "node");
    AUTO_FREE char *keys = number(node, "keys");
    AUTO_FREE char *users = number(node, "users");
    const char *cells[] = { name, chsm_json_str(node, "address"), chsm_json_str(node, "state"), users,
                            keys, chsm_json_str(node, "coverage") };

    return name && keys && users ? chsm_table_row(t, cells, err) : chsm_oom(err);
}

static int add_table(const json_t *nodes, struct chsm_buf *out, struct chsm_err *err)
{
    static const char *const headers[] = { "NODE", "ADDRESS", "STATE", "USERS", "KEYS", "COVERAGE", NULL };
    AUTO_TABLE struct chsm_table *t = chsm_table_new(headers);
    const json_t *node;
    size_t i;

    if (!t)
        return chsm_oom(err);
    json_array_foreach(nodes, i, node)
        if (add_node(t, node, err) < 0)
            return -1;
    return json_array_size(nodes) ? chsm_table_render(t, 2, out, err) : 0;
}

/* "262150, 262151 (handles, good for this cluster now)". */
static int add_missing_keys(const json_t *missing, struct chsm_buf *out, struct chsm_err *err)
{
    json_int_t n = json_integer_value(json_object_get(missing, "keys"));
    const json_t *handles = json_object_get(missing, "handles"), *one;
    size_t i;

    if (chsm_buf_addf(out, err,
                      "  - missing on %s: %" JSON_INTEGER_FORMAT " key%s that another node lists; by their handles of now:",
                      chsm_json_str(missing, "node"), n, n == 1 ? "" : "s") < 0)
        return -1;
    json_array_foreach(handles, i, one)
        if (chsm_buf_addf(out, err, "%s%" JSON_INTEGER_FORMAT, i ? ", " : " ", json_integer_value(one)) < 0)
            return -1;
    return chsm_buf_adds(out, (json_int_t)json_array_size(handles) < n ? ", ...\n" : "\n", err);
}

static int add_missing_user(const json_t *user, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *node;
    size_t i;

    json_array_foreach(json_object_get(user, "missing_on"), i, node)
        if (chsm_buf_addf(out, err, "  - missing on %s: the user %s %s\n", json_string_value(node), chsm_json_str(user, "type"),
                          chsm_json_str(user, "name")) < 0)
            return -1;
    return 0;
}

int chsm_report_coverage(const json_t *coverage, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *one;
    size_t i;

    if (chsm_buf_addf(out, err,
                      "  coverage %s: %" JSON_INTEGER_FORMAT " keys, %" JSON_INTEGER_FORMAT
                      " of them on every node that answered\n",
                      chsm_json_str(coverage, "outcome"), json_integer_value(json_object_get(coverage, "keys")),
                      json_integer_value(json_object_get(coverage, "keys_on_every_node"))) < 0 ||
        add_table(json_object_get(coverage, "nodes"), out, err) < 0)
        return -1;
    json_array_foreach(json_object_get(coverage, "missing"), i, one)
        if (add_missing_keys(one, out, err) < 0)
            return -1;
    json_array_foreach(json_object_get(coverage, "users"), i, one)
        if (add_missing_user(one, out, err) < 0)
            return -1;
    json_array_foreach(json_object_get(coverage, "open"), i, one)
        if (chsm_buf_addf(out, err, "  - not established: %s\n", json_string_value(one)) < 0)
            return -1;
    return 0;
}

static int add_look(const json_t *nodes, const char *when, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *look = json_object_get(nodes, when);

    if (!look)
        return 0;
    if (chsm_buf_addf(out, err, "\nNodes %s the verification\n", when) < 0)
        return -1;
    return chsm_report_coverage(look, out, err);
}

int chsm_report_nodes_line(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    const char *outcome = chsm_json_str(json_object_get(report, "nodes"), "outcome");

    if (!outcome)
        return 0;
    return chsm_buf_addf(out, err, "  %-13s%s\n", "nodes", strcmp(outcome, "partial") == 0 ? "FAILED: a node lacks a key or a user (see below)"
                                                          : strcmp(outcome, "full") == 0   ? "every key and user is on every node"
                                                                                           : "not established");
}

int chsm_report_nodes(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *nodes = json_object_get(report, "nodes"), *one;
    size_t i;

    if (!nodes)
        return 0;
    if (chsm_buf_addf(out, err, "\nNodes: coverage %s\n", chsm_json_str(nodes, "outcome")) < 0)
        return -1;
    json_array_foreach(json_object_get(nodes, "open"), i, one)
        if (chsm_buf_addf(out, err, "  - not established: %s\n", json_string_value(one)) < 0)
            return -1;
    return add_look(nodes, "before", out, err) < 0 ? -1 : add_look(nodes, "after", out, err);
}
