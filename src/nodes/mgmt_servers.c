/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers there are, and how they are. */
#include "config.h"

#include <strings.h>

#include "nodes/mgmt_parse.h"

const char *chsm_node_state_name(enum chsm_node_state s)
{
    static const char *const names[] = {
        [CHSM_NODE_UNKNOWN] = "unknown", [CHSM_NODE_CONNECTED] = "connected", [CHSM_NODE_UNENCRYPTED] = "unencrypted",
        [CHSM_NODE_NOT_CONNECTED] = "not connected",
    };

    return names[s];
}

/* Whether two names can mean one server: a number or an address that is not told fits any. */
static bool fits(const struct chsm_mgmt_server *a, const struct chsm_mgmt_server *b)
{
    bool number = a->number < 0 || b->number < 0 || a->number == b->number;
    bool address = !a->address[0] || !b->address[0] || strcmp(a->address, b->address) == 0;

    return number && address;
}

int chsm_mgmt_servers_note(struct chsm_mgmt_servers *l, const struct chsm_mgmt_server *s, enum chsm_node_state state,
                           struct chsm_err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        struct chsm_mgmt_server *have = &l->v[i].server;

        if (!fits(have, s))
            continue;
        if (have->number < 0)
            have->number = s->number;
        if (!have->address[0])
            memcpy(have->address, s->address, sizeof have->address);
        if (state > l->v[i].state)
            l->v[i].state = state;
        return 0;
    }
    if (l->n == CHSM_MGMT_SERVERS_MAX)
        return chsm_fail(err, CHSM_SERVICE, "the management tool speaks of more than %d servers", CHSM_MGMT_SERVERS_MAX);
    l->v[l->n].server = *s;
    l->v[l->n++].state = state;
    return 0;
}

/* The address in 'ADDRESS' or before '(' or a blank, into s. */
static bool read_address(const char **p, char end, struct chsm_mgmt_server *s)
{
    const char *stop = strchr(*p, end);
    size_t n = stop ? (size_t)(stop - *p) : 0;

    if (n == 0 || n >= sizeof s->address)
        return false;
    memcpy(s->address, *p, n);
    s->address[n] = '\0';
    *p = stop + 1;
    return true;
}

/* "Connected to 'server 0': hostname '10.0.2.5', port 2225..." or "Connected to server '10.0.2.9': hostname ...". */
static bool read_peer(const char *line, const char *verb, struct chsm_mgmt_server *ret)
{
    struct chsm_mgmt_server s = { .number = -1 };
    const char *p = line;
    unsigned long number;

    if (!chsm_mgmt_word(&p, verb))
        return false;
    if (chsm_mgmt_word(&p, "'server ") && chsm_mgmt_number(&p, &number) && number <= INT32_MAX)
        s.number = (int)number;
    p = strstr(p, "hostname '");
    if (!p)
        return false;
    p += strlen("hostname '");
    if (!read_address(&p, '\'', &s))
        return false;
    *ret = s;
    return true;
}

/* "Connetion to server 10.0.2.6(10.0.2.6) on port 2225 failed"; also as it should be spelled. */
static bool read_refused(const char *line, struct chsm_mgmt_server *ret)
{
    struct chsm_mgmt_server s = { .number = -1 };
    size_t n = strlen(line);
    const char *p = line;

    if (!chsm_mgmt_word(&p, "Connetion to server ") && !chsm_mgmt_word(&p, "Connection to server "))
        return false;
    p = strchr(p, '(');
    if (!p || n < 6 || strcmp(line + n - 6, "failed") != 0)
        return false;
    p++;
    if (!read_address(&p, ')', &s))
        return false;
    *ret = s;
    return true;
}

/* "Server 0(10.0.2.5) is in unencrypted mode now..." */
static bool read_unencrypted(const char *line, struct chsm_mgmt_server *ret)
{
    const char *p = line;

    return chsm_mgmt_word(&p, "Server ") && chsm_mgmt_server(&p, ret) && strncmp(p, "is in unencrypted mode", 22) == 0;
}

static int take_start_line(struct chsm_mgmt_servers *l, const char *line, struct chsm_err *err)
{
    struct chsm_mgmt_server s;
    const char *p = line;

    if (read_peer(line, "Connecting to ", &s))
        return chsm_mgmt_servers_note(l, &s, CHSM_NODE_UNKNOWN, err);
    if (read_peer(line, "Connected to ", &s))
        return chsm_mgmt_servers_note(l, &s, CHSM_NODE_CONNECTED, err);
    if (chsm_mgmt_word(&p, "E2E enabled on server ") && chsm_mgmt_server(&p, &s))
        return chsm_mgmt_servers_note(l, &s, CHSM_NODE_CONNECTED, err);
    if (read_unencrypted(line, &s))
        return chsm_mgmt_servers_note(l, &s, CHSM_NODE_UNENCRYPTED, err);
    if (read_refused(line, &s) || chsm_mgmt_not_connected(line, &s))
        return chsm_mgmt_servers_note(l, &s, CHSM_NODE_NOT_CONNECTED, err);
    return 0;
}

int chsm_mgmt_parse_start(const char *text, size_t n, struct chsm_mgmt_servers *ret, struct chsm_err *err)
{
    AUTO_MGMT_LINES struct chsm_mgmt_lines lines = { 0 };
    struct chsm_mgmt_servers l = { .n = 0 };

    if (chsm_mgmt_split(text, n, &lines, err) < 0)
        return -1;
    for (size_t i = 0; i < lines.n; i++)
        if (take_start_line(&l, lines.line[i], err) < 0)
            return -1;
    *ret = l;
    return 0;
}

int chsm_mgmt_parse_outcome(const char *text, size_t n, const char *command, struct chsm_mgmt_servers *ret, bool *ret_failed,
                            struct chsm_err *err)
{
    AUTO_MGMT_LINES struct chsm_mgmt_lines lines = { 0 };
    struct chsm_mgmt_servers l = { .n = 0 };
    struct chsm_mgmt_server s;
    bool failed = false, success;

    if (chsm_mgmt_split(text, n, &lines, err) < 0)
        return -1;
    for (size_t i = 0; i < lines.n; i++)
        if (chsm_mgmt_outcome(lines.line[i], command, &s, &success)) {
            failed |= !success;
            if (chsm_mgmt_servers_note(&l, &s, success ? CHSM_NODE_CONNECTED : CHSM_NODE_UNKNOWN, err) < 0)
                return -1;
        }
    *ret = l;
    *ret_failed = failed || l.n == 0;
    return 0;
}

/* Whether the last row of a block names a member that is there already: a list that repeats itself counts nothing. */
static bool repeats(const struct chsm_mgmt_members *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->v[i].id == m->v[m->n].id || strcasecmp(m->v[i].host, m->v[m->n].host) == 0)
            return true;
    return false;
}

/* A row "1   hsm1.name.cloudhsm.azure.net   2225". */
static bool read_member(const char *line, struct chsm_mgmt_members *m, size_t at)
{
    const char *p = line;

    return chsm_mgmt_number(&p, &m->v[at].id) && chsm_mgmt_token(&p, m->v[at].host, sizeof m->v[at].host) &&
           chsm_mgmt_number(&p, &m->v[at].port) && !*p;
}

/* What one server says, compared with what the first one said. */
static void end_block(struct chsm_mgmt_members *all, struct chsm_mgmt_members *block)
{
    if (block->servers == 0)
        return;
    if (all->servers++ == 0) {
        memcpy(all->v, block->v, sizeof all->v);
        all->n = block->n;
    } else {
        all->differ |= all->n != block->n;
        for (size_t i = 0; i < all->n && i < block->n; i++)
            all->differ |= all->v[i].id != block->v[i].id || all->v[i].port != block->v[i].port ||
                           strcmp(all->v[i].host, block->v[i].host) != 0;
    }
    memset(block, 0, sizeof *block);
}

static int take_member_line(struct chsm_mgmt_members *all, struct chsm_mgmt_members *block, const char *line,
                            struct chsm_err *err)
{
    struct chsm_mgmt_server s;
    const char *p = line;

    if (chsm_mgmt_word(&p, "Cluster info from server ")) {
        end_block(all, block);
        block->servers = 1;
        return chsm_mgmt_server(&p, &s) && chsm_streq(p, ":") ? 0 : chsm_mgmt_strange(line, "getClusterInfo", err);
    }
    if (chsm_mgmt_not_connected(line, &s))
        return chsm_mgmt_servers_note(&all->down, &s, CHSM_NODE_NOT_CONNECTED, err);
    (void)chsm_mgmt_prompt(&p);
    if (!*p || strcmp(p, "getClusterInfo") == 0 || chsm_mgmt_chatter(p))
        return 0;
    if (block->servers && chsm_mgmt_word(&p, "Node Id") && chsm_mgmt_word(&p, "Hostname") && strcmp(p, "Port") == 0)
        return 0;
    if (!block->servers || block->n == CHSM_MGMT_SERVERS_MAX || !read_member(line, block, block->n) || repeats(block))
        return chsm_mgmt_strange(line, "getClusterInfo", err);
    block->n++;
    return 0;
}

int chsm_mgmt_parse_members(const char *text, size_t n, struct chsm_mgmt_members *ret, struct chsm_err *err)
{
    AUTO_MGMT_LINES struct chsm_mgmt_lines lines = { 0 };
    AUTO_FREE struct chsm_mgmt_members *all = calloc(2, sizeof *all);

    if (!all)
        return chsm_oom(err);
    if (chsm_mgmt_split(text, n, &lines, err) < 0)
        return -1;
    for (size_t i = 0; i < lines.n; i++)
        if (take_member_line(&all[0], &all[1], lines.line[i], err) < 0)
            return -1;
    end_block(&all[0], &all[1]);
    if (all[0].servers == 0 || all[0].n == 0)
        return chsm_fail(err, CHSM_SERVICE, "getClusterInfo named no node");
    *ret = all[0];
    return 0;
}
