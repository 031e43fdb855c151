/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

#include "nodes/coverage.h"

const char *chsm_coverage_outcome_name(enum chsm_coverage_outcome o)
{
    return o == CHSM_COVERAGE_FULL ? "full" : o == CHSM_COVERAGE_PARTIAL ? "partial" : "not established";
}

void chsm_coverage_done(struct chsm_coverage *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->node[i].missing);
    free(c->handles);
    free(c->users);
    memset(c, 0, sizeof *c);
}

int chsm_coverage_open(struct chsm_coverage *c, struct chsm_err *err, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        text = NULL;
        return chsm_oom(err);
    }
    if (c->outcome == CHSM_COVERAGE_FULL)
        c->outcome = CHSM_COVERAGE_OPEN;
    return chsm_nodes_open(c->reading, err, "%s", text);
}

/* A reason about one node. */
static int open_node(struct chsm_coverage *c, const struct chsm_coverage_node *node, const char *why, struct chsm_err *err)
{
    char name[300];

    chsm_mgmt_server_name(&node->server, name, sizeof name);
    return chsm_coverage_open(c, err, "%s: %s", name, why);
}

/*
 * The node that an answer is from: number and address are equal, else the address is, and no other node has it. NULL when the
 * answer cannot be placed.
 */
static struct chsm_coverage_node *find_node(struct chsm_coverage *c, const struct chsm_mgmt_server *s)
{
    struct chsm_coverage_node *found = NULL;

    for (size_t i = 0; i < c->n; i++)
        if (chsm_mgmt_server_eq(&c->node[i].server, s))
            return &c->node[i];
    for (size_t i = 0; i < c->n; i++)
        if (s->address[0] && strcmp(c->node[i].server.address, s->address) == 0) {
            if (found)
                return NULL;
            found = &c->node[i];
        }
    return found;
}

static int unplaced(struct chsm_coverage *c, const struct chsm_mgmt_server *s, const char *what, struct chsm_err *err)
{
    char name[300];

    chsm_mgmt_server_name(s, name, sizeof name);
    return chsm_coverage_open(c, err, "%s answers to %s, and is no server, or no single one, that the tool connected to", name,
                              what);
}

static int place_logins(struct chsm_coverage *c, struct chsm_err *err)
{
    const struct chsm_mgmt_servers *l = &c->reading->logins;

    for (size_t i = 0; i < l->n; i++) {
        struct chsm_coverage_node *node = find_node(c, &l->v[i].server);

        if (node) {
            node->login = true;
            /* The AWS dialect numbers its servers from here on. */
            if (node->server.number < 0)
                node->server.number = l->v[i].server.number;
        } else if (unplaced(c, &l->v[i].server, "loginHSM", err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int place_users(struct chsm_coverage *c, struct chsm_err *err)
{
    const struct chsm_mgmt_user_lists *l = &c->reading->users;

    for (size_t i = 0; i < l->n; i++) {
        struct chsm_coverage_node *node = find_node(c, &l->v[i].server);

        if (node && !node->users)
            node->users = &l->v[i];
        else if (unplaced(c, &l->v[i].server, "listUsers", err) < 0)
            return -1;
    }
    return 0;
}

static int place_keys(struct chsm_coverage *c, const struct chsm_mgmt_key_lists *l, bool again, struct chsm_err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        struct chsm_coverage_node *node = find_node(c, &l->v[i].server);
        const struct chsm_mgmt_keys **at = !node ? NULL : again ? &node->again : &node->keys;

        if (!at || *at) {
            if (unplaced(c, &l->v[i].server, "findAllKeys", err) < 0)
                return -1;
        } else if (!l->v[i].failed) {
            *at = &l->v[i];
        }
    }
    return 0;
}

/* Every member has to be there: what was not reached cannot be covered. */
static int check_members(struct chsm_coverage *c, struct chsm_err *err)
{
    const struct chsm_mgmt_members *m = &c->reading->members;

    if (c->n == 0)
        return chsm_coverage_open(c, err, "the management tool named no server");
    if (m->n == 0)
        return chsm_coverage_open(c, err, "which nodes the cluster has is not known");
    if (m->differ && chsm_coverage_open(c, err, "the nodes do not agree on which nodes the cluster has") < 0)
        return -1;
    if (m->n < CHSM_CLUSTER_NODES &&
        chsm_coverage_open(c, err, "the cluster names %zu nodes as its members, and a Cloud HSM cluster has %d", m->n,
                           CHSM_CLUSTER_NODES) < 0)
        return -1;
    if (m->n != c->n)
        return chsm_coverage_open(c, err, "the cluster has %zu nodes, and the management tool speaks of %zu", m->n, c->n);
    return 0;
}

/* Two servers with one address may be one node that was asked twice. */
static int check_addresses(struct chsm_coverage *c, struct chsm_err *err)
{
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < i; k++)
            if (c->node[i].server.address[0] && strcmp(c->node[i].server.address, c->node[k].server.address) == 0)
                return open_node(c, &c->node[i], "another server has the same address", err);
    return 0;
}

static int check_node(struct chsm_coverage *c, struct chsm_coverage_node *node, struct chsm_err *err)
{
    const struct chsm_mgmt_keys *k = node->keys;
    const struct chsm_mgmt_users *u = node->users;
    const struct { bool wrong; const char *why; } reasons[] = {
        { !k, "it did not list its keys" },
        { !u, "it did not list its users" },
        { k && !k->success, "findAllKeys did not say that it succeeded" },
        { k && k->cut, "it says that it has more keys than it lists" },
        { u && u->cut, "it says that it has more users than it lists" },
    };

    if (node->state != CHSM_NODE_CONNECTED)
        return open_node(
            c, node,
            node->state == CHSM_NODE_UNKNOWN ? "whether it is connected is not known" : chsm_node_state_name(node->state), err);
    if (!node->login)
        return open_node(c, node, "the crypto officer's login did not succeed there: is the user there, with this password?",
                         err);
    node->told = true;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        node->told &= !reasons[i].wrong;
        if (reasons[i].wrong && open_node(c, node, reasons[i].why, err) < 0)
            return -1;
    }
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const unsigned long *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static bool lists(const struct chsm_mgmt_keys *k, unsigned long handle)
{
    return k && k->n && bsearch(&handle, k->handles, k->n, sizeof handle, by_value) != NULL;
}

/* All handles of all nodes, each once. */
static int collect_handles(struct chsm_coverage *c, struct chsm_err *err)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < c->n; i++)
        n += c->node[i].keys ? c->node[i].keys->n : 0;
    c->handles = calloc(n ? n : 1, sizeof *c->handles);
    if (!c->handles)
        return chsm_oom(err);
    for (size_t i = 0; i < c->n; i++)
        if (c->node[i].keys && c->node[i].keys->n) {
            memcpy(c->handles + at, c->node[i].keys->handles, c->node[i].keys->n * sizeof *c->handles);
            at += c->node[i].keys->n;
        }
    qsort(c->handles, n, sizeof *c->handles, by_value);
    for (size_t i = 0; i < n; i++)
        if (c->n_handles == 0 || c->handles[i] != c->handles[c->n_handles - 1])
            c->handles[c->n_handles++] = c->handles[i];
    return 0;
}

/* Whether every node said, asked for this one key, that it is there after all. */
static bool contradicted(const struct chsm_coverage *c, unsigned long handle)
{
    for (size_t i = 0; i < c->reading->n_confirmed; i++) {
        const struct chsm_mgmt_status *s = &c->reading->confirmed[i].status;
        size_t good = 0;

        if (c->reading->confirmed[i].handle != handle)
            continue;
        for (size_t k = 0; k < s->nodes; k++)
            good += s->node[k].code == 0;
        for (size_t k = 0; k < s->servers.n; k++)
            good += s->servers.v[k].state == CHSM_NODE_CONNECTED;
        return good == s->nodes + s->servers.n && good >= c->n && (!s->has_result || s->result == 0);
    }
    return false;
}

/* A list that may have been cut, or that changed while it was read, tells what is there, not what is missing. */
static bool tells_missing(const struct chsm_coverage_node *node)
{
    return node->keys && !node->keys->cut && node->keys->success && node->login && node->state == CHSM_NODE_CONNECTED;
}

static int find_missing(struct chsm_coverage *c, struct chsm_coverage_node *node, struct chsm_err *err)
{
    if (!tells_missing(node))
        return 0;
    node->missing = calloc(c->n_handles ? c->n_handles : 1, sizeof *node->missing);
    if (!node->missing)
        return chsm_oom(err);
    for (size_t i = 0; i < c->n_handles; i++) {
        if (lists(node->keys, c->handles[i]) || lists(node->again, c->handles[i]))
            continue;
        if (contradicted(c, c->handles[i])) {
            if (open_node(c, node, "it does not list a key that findSingleKey finds on every node", err) < 0)
                return -1;
            continue;
        }
        node->missing[node->n_missing++] = c->handles[i];
    }
    return 0;
}

static bool same_keys(const struct chsm_mgmt_keys *a, const struct chsm_mgmt_keys *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->handles, b->handles, a->n * sizeof *a->handles) == 0);
}

/* The second reading and its hashes, where the tool gives them. They only ever make less certain. */
static int check_again(struct chsm_coverage *c, struct chsm_err *err)
{
    size_t hashed = 0, equal = 0, missing = 0;
    const char *first = NULL;

    for (size_t i = 0; i < c->n; i++) {
        const struct chsm_coverage_node *node = &c->node[i];

        missing += node->n_missing;
        if (!node->keys || !node->again)
            continue;
        if (!same_keys(node->keys, node->again) && open_node(c, node, "its keys changed between two readings", err) < 0)
            return -1;
        if (!node->again->hash[0])
            continue;
        first = first ? first : node->again->hash;
        hashed++;
        equal += strcmp(first, node->again->hash) == 0;
    }
    if (hashed != equal && missing == 0)
        return chsm_coverage_open(c, err, "the nodes list the same keys, but their hashes over keys, owners and shares differ");
    if (hashed == c->n && hashed == equal && missing > 0) {
        /* Equal by the nodes' own account: then the handles are not what compares these nodes. */
        for (size_t i = 0; i < c->n; i++)
            c->node[i].n_missing = 0;
        return chsm_coverage_open(c, err, "the nodes list other keys, but their hashes over keys, owners and shares are equal");
    }
    return 0;
}

static struct chsm_coverage_user *find_user(struct chsm_coverage *c, const struct chsm_mgmt_user *u)
{
    for (size_t i = 0; i < c->n_users; i++)
        if (strcmp(c->users[i].user->name, u->name) == 0 && strcmp(c->users[i].user->type, u->type) == 0)
            return &c->users[i];
    return NULL;
}

static int collect_users(struct chsm_coverage *c, struct chsm_err *err)
{
    size_t cap = 0;

    for (size_t i = 0; i < c->n; i++)
        cap += c->node[i].users ? c->node[i].users->n : 0;
    c->users = calloc(cap ? cap : 1, sizeof *c->users);
    if (!c->users)
        return chsm_oom(err);
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; c->node[i].users && k < c->node[i].users->n; k++) {
            const struct chsm_mgmt_user *u = &c->node[i].users->v[k];
            struct chsm_coverage_user *have = find_user(c, u);

            if (!have) {
                have = &c->users[c->n_users++];
                have->user = u;
            }
            have->on[i] = true;
            have->ids_differ |= have->user->id != u->id;
        }
    return 0;
}

static int check_users(struct chsm_coverage *c, struct chsm_err *err)
{
    for (size_t k = 0; k < c->n_users; k++) {
        const struct chsm_coverage_user *u = &c->users[k];

        for (size_t i = 0; i < c->n; i++)
            if (c->node[i].users && !c->node[i].users->cut && !u->on[i])
                c->node[i].users_missing++;
        /* Keys belong to the number of a user. */
        if (u->ids_differ &&
            chsm_coverage_open(c, err, "the user %s %s has not the same id on every node", u->user->type, u->user->name) < 0)
            return -1;
    }
    return 0;
}

static void decide(struct chsm_coverage *c)
{
    for (size_t i = 0; i < c->n_handles; i++) {
        bool everywhere = true;

        for (size_t k = 0; k < c->n; k++)
            everywhere &= !c->node[k].keys || lists(c->node[k].keys, c->handles[i]);
        c->on_every_node += everywhere;
    }
    for (size_t i = 0; i < c->n; i++)
        if (c->node[i].n_missing || c->node[i].users_missing)
            c->outcome = CHSM_COVERAGE_PARTIAL;
}

static int make(struct chsm_coverage *c, struct chsm_err *err)
{
    const struct chsm_mgmt_servers *servers = &c->reading->servers;

    for (c->n = 0; c->n < servers->n; c->n++)
        c->node[c->n] = (struct chsm_coverage_node){ .server = servers->v[c->n].server, .state = servers->v[c->n].state };
    if (place_logins(c, err) < 0 || place_users(c, err) < 0 || place_keys(c, &c->reading->keys, false, err) < 0 ||
        place_keys(c, &c->reading->again, true, err) < 0 || check_members(c, err) < 0 || check_addresses(c, err) < 0)
        return -1;
    for (size_t i = 0; i < c->n; i++)
        if (check_node(c, &c->node[i], err) < 0)
            return -1;
    if (collect_handles(c, err) < 0)
        return -1;
    for (size_t i = 0; i < c->n; i++)
        if (find_missing(c, &c->node[i], err) < 0)
            return -1;
    if (c->n_handles == 0 && chsm_coverage_open(c, err, "no node lists a key: there is nothing to compare") < 0)
        return -1;
    if (check_again(c, err) < 0 || collect_users(c, err) < 0 || check_users(c, err) < 0)
        return -1;
    decide(c);
    return 0;
}

int chsm_coverage_make(struct chsm_nodes_reading *reading, struct chsm_coverage *ret, struct chsm_err *err)
{
    struct chsm_coverage *c = calloc(1, sizeof *c);
    int rc = -1;

    if (!c)
        return chsm_oom(err);
    c->reading = reading;
    c->outcome = reading->n_open ? CHSM_COVERAGE_OPEN : CHSM_COVERAGE_FULL;
    if (make(c, err) < 0) {
        chsm_coverage_done(c);
    } else {
        *ret = *c;
        rc = 0;
    }
    free(c);
    return rc;
}
