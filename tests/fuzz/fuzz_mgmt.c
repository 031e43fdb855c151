/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the management tool prints, on its way into a coverage. An input is the answers of a session, with the byte 0x1e between them: start,
 * loginHSM, getClusterInfo, listUsers, findAllKeys twice, findSingleKey; where there are fewer, the last one is all that
 * follow. Whatever was listed is sorted and without repeats, and nothing is "full" without members, logins, keys and users of
 * every server.
 */
#include "config.h"

#include "fuzz.h"
#include "nodes/coverage.h"

static void check_keys(const struct chsm_mgmt_key_lists *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct chsm_mgmt_keys *k = &l->v[i];

        MUST(k->hash[0] == '\0' || strlen(k->hash) == 64);
        MUST(!(k->failed && (k->success || k->n)));
        for (size_t h = 1; h < k->n; h++)
            MUST(k->handles[h - 1] < k->handles[h]);
        for (size_t o = 0; o < i; o++)
            MUST(!chsm_mgmt_server_eq(&k->server, &l->v[o].server));
    }
}

static void check_coverage(struct chsm_nodes_reading *r)
{
    AUTO_COVERAGE struct chsm_coverage c = { .n = 0 };
    struct chsm_err err = { 0 };
    json_t *json = NULL;

    MUST(chsm_coverage_make(r, &c, &err) == 0);
    MUST(c.outcome != CHSM_COVERAGE_OPEN || r->n_open > 0);
    if (c.outcome == CHSM_COVERAGE_FULL) {
        MUST(r->n_open == 0 && c.n > 0 && r->members.n == c.n && c.n_handles > 0 && c.on_every_node == c.n_handles);
        for (size_t i = 0; i < c.n; i++)
            MUST(c.node[i].login && c.node[i].state == CHSM_NODE_CONNECTED && c.node[i].keys && c.node[i].users &&
                 c.node[i].keys->n == c.n_handles && c.node[i].users->n == c.n_users);
    }
    MUST(chsm_coverage_to_json(&c, &json, &err) == 0);
    json_decref(json);
}

/* The next answer; the last one again at the end. */
static const char *next(struct fuzz_input *in, size_t *n)
{
    const uint8_t *end = in->n ? memchr(in->p, 0x1e, in->n) : NULL;
    const char *at = (const char *)in->p;

    *n = end ? (size_t)(end - in->p) : in->n;
    if (end) {
        in->n -= *n + 1;
        in->p = end + 1;
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_NODES_READING struct chsm_nodes_reading r = { .n_open = 0 };
    struct chsm_nodes_confirmation *c = &r.confirmed[0];
    struct fuzz_input in = { data, size };
    struct chsm_err err = { 0 };
    const char *text;
    bool failed;
    size_t n;

    text = next(&in, &n);
    (void)!chsm_mgmt_parse_start(text, n, &r.servers, &err);
    text = next(&in, &n);
    (void)!chsm_mgmt_parse_outcome(text, n, "loginHSM", &r.logins, &failed, &err);
    text = next(&in, &n);
    (void)!chsm_mgmt_parse_members(text, n, &r.members, &err);
    text = next(&in, &n);
    (void)!chsm_mgmt_parse_users(text, n, &r.users, &err);
    text = next(&in, &n);
    (void)!chsm_mgmt_parse_keys(text, n, &r.keys, &err);
    text = next(&in, &n);
    (void)!chsm_mgmt_parse_keys(text, n, &r.again, &err);
    text = next(&in, &n);
    if (chsm_mgmt_parse_status(text, n, &c->status, &err) == 0) {
        c->handle = r.keys.n && r.keys.v[0].n ? r.keys.v[0].handles[0] : 1;
        r.n_confirmed = 1;
    }
    check_keys(&r.keys);
    check_coverage(&r);
    return 0;
}
