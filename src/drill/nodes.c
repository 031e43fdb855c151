/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "client/endpoint.h"
#include "drill/nodes.h"

static const char *const when[] = { "before", "after" };

void chsm_node_check_done(struct chsm_node_check *c)
{
    for (size_t i = 0; i < ARRAY_LEN(c->look); i++) {
        chsm_coverage_done(&c->look[i].coverage);
        chsm_nodes_reading_done(&c->look[i].reading);
    }
    free(c->failure);
    memset(c, 0, sizeof *c);
}

int chsm_node_check_look(struct chsm_node_check *c, const struct chsm_mgmt_tool *tool, struct chsm_err *err)
{
    size_t at = c->looks;
    struct chsm_err why = { 0 };

    assert(at < ARRAY_LEN(c->look));
    c->looks++;
    if (c->failure)
        return 0;
    if (chsm_nodes_read(tool, &c->look[at].reading, &why) < 0) {
        if (why.code == CHSM_INTERRUPTED) {
            *err = why;
            return -1;
        }
        c->failure = strdup(why.text);
        return c->failure ? 0 : chsm_oom(err);
    }
    c->look[at].done = true;
    return chsm_coverage_make(&c->look[at].reading, &c->look[at].coverage, err);
}

/* The cluster that the library talks to has to be the one whose nodes were looked at. */
static bool same_cluster(const struct chsm_nodes_reading *r, const char *endpoint)
{
    for (size_t i = 0; i < r->members.n; i++)
        if (chsm_endpoint_eq(endpoint, r->members.v[i].host))
            return true;
    for (size_t i = 0; i < r->servers.n; i++)
        if (strcmp(endpoint, r->servers.v[i].server.address) == 0)
            return true;
    return false;
}

/* The most keys that one login saw: no node that has them all can list fewer. */
static size_t most_keys(const struct chsm_inventory *inv)
{
    size_t most = 0;

    for (size_t i = 0; i < inv->n; i++) {
        size_t n = 0;

        for (size_t k = 0; k < inv->sections[i].n; k++) {
            unsigned long cls = inv->sections[i].records[k].cls;

            n += cls == CHSM_CLASS_PUBLIC || cls == CHSM_CLASS_PRIVATE || cls == CHSM_CLASS_SECRET;
        }
        most = n > most ? n : most;
    }
    return most;
}

static int relate(struct chsm_node_check *c, size_t at, const struct chsm_inventory *inv, struct chsm_err *err)
{
    struct chsm_coverage *cov = &c->look[at].coverage;
    size_t most = most_keys(inv);

    if (!inv->endpoint)
        return chsm_coverage_open(cov, err, "whether the library talks to this cluster is not known");
    if (!same_cluster(&c->look[at].reading, inv->endpoint))
        return chsm_coverage_open(cov, err, "the library talks to %s, which is none of these nodes", inv->endpoint);
    for (size_t i = 0; i < cov->n; i++)
        if (cov->node[i].keys && cov->node[i].keys->n < most)
            return chsm_coverage_open(cov, err, "server %d lists %zu keys, and one login sees %zu over PKCS#11",
                                      cov->node[i].server.number, cov->node[i].keys->n, most);
    return 0;
}

static bool same_handles(const struct chsm_coverage *a, const struct chsm_coverage *b)
{
    return a->n_handles == b->n_handles &&
           (a->n_handles == 0 || memcmp(a->handles, b->handles, a->n_handles * sizeof *a->handles) == 0);
}

/* A reason of the check as a whole, kept in both places. */
static int note(struct chsm_comparison *comparison, json_t *open, const char *text, struct chsm_err *err)
{
    AUTO_FREE char *whole = NULL;

    if (json_array_append_new(open, json_string(text)) < 0 || asprintf(&whole, "nodes: %s", text) < 0)
        return chsm_oom(err);
    return chsm_comparison_note(comparison, whole, err);
}

/* The looks as members of o, and their reasons in the comparison. */
static int add_looks(const struct chsm_node_check *c, struct chsm_comparison *comparison, json_t *o, struct chsm_err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(c->look); i++) {
        const struct chsm_nodes_reading *r = &c->look[i].reading;
        json_t *look;

        if (!c->look[i].done)
            continue;
        if (chsm_coverage_to_json(&c->look[i].coverage, &look, err) < 0)
            return -1;
        if (json_object_set_new(o, when[i], look) < 0)
            return chsm_oom(err);
        for (size_t k = 0; k < r->n_open; k++) {
            AUTO_FREE char *text = NULL;

            if (asprintf(&text, "nodes, %s: %s", when[i], r->open[k]) < 0) {
                text = NULL;
                return chsm_oom(err);
            }
            if (chsm_comparison_note(comparison, text, err) < 0)
                return -1;
        }
    }
    return 0;
}

static enum chsm_coverage_outcome outcome_of(const struct chsm_node_check *c, const json_t *open)
{
    bool partial = false, full = json_array_size(open) == 0;

    for (size_t i = 0; i < ARRAY_LEN(c->look); i++) {
        partial |= c->look[i].done && c->look[i].coverage.outcome == CHSM_COVERAGE_PARTIAL;
        full &= c->look[i].done && c->look[i].coverage.outcome == CHSM_COVERAGE_FULL;
    }
    return partial ? CHSM_COVERAGE_PARTIAL : full ? CHSM_COVERAGE_FULL : CHSM_COVERAGE_OPEN;
}

int chsm_node_check_result(struct chsm_node_check *c, const struct chsm_inventory *destination,
                           struct chsm_comparison *comparison, enum chsm_coverage_outcome *ret_outcome, json_t **ret,
                           struct chsm_err *err)
{
    json_t *open = json_array();
    json_auto_t *o = json_pack("{s:o}", "open", open);

    if (!o)
        return chsm_oom(err);
    for (size_t i = 0; i < ARRAY_LEN(c->look); i++)
        if (c->look[i].done && relate(c, i, destination, err) < 0)
            return -1;
    if (c->failure && note(comparison, open, c->failure, err) < 0)
        return -1;
    if (!c->failure && c->looks < ARRAY_LEN(c->look) &&
        note(comparison, open, "they were not looked at before and after", err) < 0)
        return -1;
    if (c->look[0].done && c->look[1].done && !same_handles(&c->look[0].coverage, &c->look[1].coverage) &&
        note(comparison, open, "their keys changed while the verification ran", err) < 0)
        return -1;
    if (add_looks(c, comparison, o, err) < 0)
        return -1;
    *ret_outcome = outcome_of(c, open);
    if (json_object_set_new(o, "outcome", json_string(chsm_coverage_outcome_name(*ret_outcome))) < 0)
        return chsm_oom(err);
    *ret = json_incref(o);
    return 0;
}
