/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "client/endpoint.h"
#include "client/members.h"
#include "util/json.h"

struct look {
    struct chsm_reach node[CHSM_REACH_MAX];
    const json_t *hsm[CHSM_REACH_MAX];
    size_t n;
};

static void look_done(struct look *l)
{
    for (size_t i = 0; i < l->n; i++)
        chsm_reach_done(&l->node[i]);
}

const char *chsm_member_name(enum chsm_member m)
{
    static const char *const names[] = {
        [CHSM_MEMBER_FINE] = "fine", [CHSM_MEMBER_DOWN] = "down", [CHSM_MEMBER_OPEN] = "not established"
    };

    return names[m];
}

enum chsm_member chsm_member_judge(const char *state, const struct chsm_reach *r)
{
    bool told = state && *state && strcasecmp(state, "null") != 0;

    if (told && strcasecmp(state, "Started") != 0 && strcasecmp(state, "Unknown") != 0)
        return CHSM_MEMBER_DOWN;
    if (r->name == CHSM_NAME_RESOLVED && !r->open)
        return CHSM_MEMBER_DOWN;
    return r->open && !(told && strcasecmp(state, "Unknown") == 0) ? CHSM_MEMBER_FINE : CHSM_MEMBER_OPEN;
}

static int collect(const json_t *cluster, struct look *l, struct chsm_err *err)
{
    const json_t *hsm;
    size_t i;

    json_array_foreach(chsm_json_get(cluster, "properties.hsms"), i, hsm) {
        const char *fqdn = chsm_json_str(hsm, "fqdn");
        AUTO_FREE char *host = NULL;

        if (!fqdn || !*fqdn)
            continue;
        if (l->n == CHSM_REACH_MAX)
            return chsm_fail(err, CHSM_SERVICE, "Azure names more than %u nodes of one cluster", CHSM_REACH_MAX);
        if (chsm_endpoint_check(fqdn, err) < 0)
            return chsm_err_prefix(err, "Azure's name of a node");
        host = chsm_endpoint_private(fqdn);
        if (!host)
            return chsm_oom(err);
        if (chsm_reach_init(&l->node[l->n], host, err) < 0)
            return -1;
        l->hsm[l->n++] = hsm;
    }
    return 0;
}

static json_t *addresses_of(const struct chsm_reach *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->addresses.n; i++)
        (void)json_array_append_new(list, json_string(r->addresses.v[i]));
    return list;
}

static json_t *member_json(const json_t *hsm, const struct chsm_reach *r, enum chsm_member m, unsigned port)
{
    return json_pack("{s:s, s:s*, s:s*, s:o, s:i, s:b, s:s, s:o*, s:s*}", "node", r->host, "state", chsm_json_str(hsm, "state"),
                     "state_message", chsm_json_str(hsm, "stateMessage"), "addresses", addresses_of(r), "port", (int)port,
                     "reachable", r->open, "outcome", chsm_member_name(m), "milliseconds", r->open ? json_integer(r->ms) : NULL,
                     "why", r->why);
}

/* A node that is down says more than one of which nothing is known. */
static enum chsm_member worse(enum chsm_member a, enum chsm_member b)
{
    return a == CHSM_MEMBER_DOWN || b == CHSM_MEMBER_DOWN ? CHSM_MEMBER_DOWN : a == CHSM_MEMBER_OPEN ? a : b;
}

int chsm_members_look(const json_t *cluster, unsigned port, chsm_deadline deadline, enum chsm_member *ret_outcome, json_t **ret,
                      struct chsm_err *err)
{
    AUTO(look_done) struct look l = { .n = 0 };
    enum chsm_member all;
    json_auto_t *nodes = json_array();
    json_t *o;

    if (collect(cluster, &l, err) < 0 || chsm_reach_all(l.node, l.n, port, deadline, err) < 0)
        return -1;
    all = l.n < CHSM_CLUSTER_HOSTS ? CHSM_MEMBER_OPEN : CHSM_MEMBER_FINE;
    for (size_t i = 0; i < l.n; i++) {
        enum chsm_member m = chsm_member_judge(chsm_json_str(l.hsm[i], "state"), &l.node[i]);

        all = worse(all, m);
        if (json_array_append_new(nodes, member_json(l.hsm[i], &l.node[i], m, port)) < 0)
            return chsm_oom(err);
    }
    o = json_pack("{s:O, s:i, s:i, s:s}", "nodes", nodes, "named", (int)l.n, "expected", (int)CHSM_CLUSTER_HOSTS, "outcome",
                  chsm_member_name(all));
    if (!o)
        return chsm_oom(err);
    *ret_outcome = all;
    *ret = o;
    return 0;
}
