/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "nodes/coverage.h"

#define HANDLES_SHOWN 32

static json_t *server_json(const struct chsm_mgmt_server *s)
{
    char name[300];

    chsm_mgmt_server_name(s, name, sizeof name);
    return json_string(name);
}

static json_t *node_json(const struct chsm_coverage_node *n)
{
    json_t *o = json_pack("{s:i, s:s, s:s, s:b}", "node", n->server.number, "address", n->server.address, "state",
                          chsm_node_state_name(n->state), "login", n->login);

    if (o)
        (void)json_object_set_new(o, "coverage", json_string(chsm_coverage_outcome_name(
            n->n_missing || n->users_missing ? CHSM_COVERAGE_PARTIAL : n->told ? CHSM_COVERAGE_FULL : CHSM_COVERAGE_OPEN)));
    if (o && n->keys)
        (void)json_object_update_new(o, json_pack("{s:I, s:I, s:I}", "keys", (json_int_t)n->keys->n, "keys_said",
                                                  (json_int_t)n->keys->said, "keys_missing", (json_int_t)n->n_missing));
    if (o && n->users)
        (void)json_object_update_new(
            o, json_pack("{s:I, s:I}", "users", (json_int_t)n->users->n, "users_missing", (json_int_t)n->users_missing));
    if (o && n->again && n->again->hash[0])
        (void)json_object_set_new(o, "key_hash", json_string(n->again->hash));
    return o;
}

/* {"node": "server 1(..)", "keys": 2, "handles": [...]}: where keys are missing. */
static json_t *missing_json(const struct chsm_coverage_node *n)
{
    json_t *handles = json_array();

    for (size_t i = 0; handles && i < n->n_missing && i < HANDLES_SHOWN; i++)
        (void)json_array_append_new(handles, json_integer((json_int_t)n->missing[i]));
    return json_pack("{s:o, s:I, s:o}", "node", server_json(&n->server), "keys", (json_int_t)n->n_missing, "handles", handles);
}

static json_t *user_json(const struct chsm_coverage *c, const struct chsm_coverage_user *u)
{
    json_t *missing = json_array();

    for (size_t i = 0; missing && i < c->n; i++)
        if (c->node[i].users && !c->node[i].users->cut && !u->on[i])
            (void)json_array_append_new(missing, server_json(&c->node[i].server));
    return json_pack("{s:s, s:s, s:b, s:o}", "name", u->user->name, "type", u->user->type, "ids_differ", u->ids_differ,
                     "missing_on", missing);
}

static json_t *members_json(const struct chsm_mgmt_members *m)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < m->n; i++)
        (void)json_array_append_new(list, json_string(m->v[i].host));
    return list;
}

static json_t *taken_json(int64_t taken)
{
    char text[CHSM_TIME_LEN];

    chsm_time_format(taken, true, text);
    return json_string(text);
}

int chsm_coverage_to_json(const struct chsm_coverage *c, json_t **ret, struct chsm_err *err)
{
    json_t *nodes = json_array(), *missing = json_array(), *users = json_array(), *open = json_array();
    json_t *o;

    for (size_t i = 0; i < c->n; i++) {
        (void)json_array_append_new(nodes, node_json(&c->node[i]));
        if (c->node[i].n_missing)
            (void)json_array_append_new(missing, missing_json(&c->node[i]));
    }
    for (size_t i = 0; i < c->n_users; i++)
        (void)json_array_append_new(users, user_json(c, &c->users[i]));
    for (size_t i = 0; i < c->reading->n_open; i++)
        (void)json_array_append_new(open, json_string(c->reading->open[i]));
    /* A list that is shorter than it should be was not made: no report may miss a line. */
    if (json_array_size(nodes) != c->n || json_array_size(users) != c->n_users || json_array_size(open) != c->reading->n_open) {
        json_decref(nodes);
        json_decref(missing);
        json_decref(users);
        json_decref(open);
        return chsm_oom(err);
    }
    o = json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "outcome", chsm_coverage_outcome_name(c->outcome), "taken",
                  taken_json(c->reading->taken), "members", members_json(&c->reading->members), "nodes", nodes, "keys",
                  (json_int_t)c->n_handles, "keys_on_every_node", (json_int_t)c->on_every_node, "missing", missing, "users",
                  users, "open", open);
    if (!o)
        return chsm_oom(err);
    *ret = o;
    return 0;
}
