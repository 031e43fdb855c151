/* SPDX-License-Identifier: Apache-2.0 */
/* The status of each node: findSingleKey, in both dialects and with all three headings. */
#include "config.h"

#include "nodes/mgmt_parse.h"

#define COMMAND "findSingleKey"

static int add_node(struct chsm_mgmt_status *s, unsigned long id, unsigned long code, struct chsm_err *err)
{
    for (size_t i = 0; i < s->nodes; i++)
        if (s->node[i].id == id)
            return chsm_fail(err, CHSM_SERVICE, COMMAND " gives the status of node %lu twice", id);
    if (s->nodes == CHSM_MGMT_SERVERS_MAX)
        return chsm_fail(err, CHSM_SERVICE, COMMAND " gives the status of more than %d nodes", CHSM_MGMT_SERVERS_MAX);
    s->node[s->nodes].id = id;
    s->node[s->nodes++].code = code;
    return 0;
}

static int add_server(struct chsm_mgmt_status *s, const struct chsm_mgmt_server *server, bool success, struct chsm_err *err)
{
    for (size_t i = 0; i < s->servers.n; i++)
        if (chsm_mgmt_server_eq(&s->servers.v[i].server, server))
            return chsm_fail(err, CHSM_SERVICE, COMMAND " names server %d(%s) twice", server->number, server->address);
    if (s->servers.n == CHSM_MGMT_SERVERS_MAX)
        return chsm_fail(err, CHSM_SERVICE, COMMAND " names more than %d servers", CHSM_MGMT_SERVERS_MAX);
    s->servers.v[s->servers.n].server = *server;
    s->servers.v[s->servers.n++].state = success ? CHSM_NODE_CONNECTED : CHSM_NODE_UNKNOWN;
    return 0;
}

/* " : HSM Return: SUCCESS", " : HSM Error: ...": the text goes with the code, and "SUCCESS" with no other than 0. */
static bool read_text(const char *p, unsigned long code)
{
    if (!*p)
        return true;
    if (!chsm_mgmt_word(&p, ":"))
        return false;
    if (!*p)
        return true;
    if (strcmp(p, "HSM Return: SUCCESS") == 0)
        return code == 0;
    return code != 0 && (strncmp(p, "HSM Error:", 10) == 0 || strncmp(p, "HSM CLUSTER ERROR:", 18) == 0);
}

/* "Node id 1 status: 0x00000000 : ..." (Azure), "Node id 1 and err state 0x00000000 : ..." (AWS). */
static int take_node(struct chsm_mgmt_status *s, const char *line, const char *p, struct chsm_err *err)
{
    unsigned long id, code;

    if (!chsm_mgmt_number(&p, &id) || !(chsm_mgmt_word(&p, "status:") || chsm_mgmt_word(&p, "and err state")) ||
        !chsm_mgmt_hex(&p, &code) || !read_text(p, code))
        return chsm_mgmt_strange(line, COMMAND, err);
    return add_node(s, id, code, err);
}

/* "Cfm3FindKey returned: 0x00 : HSM Return: SUCCESS". */
static int take_result(struct chsm_mgmt_status *s, const char *line, const char *p, struct chsm_err *err)
{
    p = strstr(p, "returned:");
    if (p)
        (void)chsm_mgmt_word(&p, "returned:");
    if (!p || s->has_result || !chsm_mgmt_hex(&p, &s->result) || !read_text(p, s->result))
        return chsm_mgmt_strange(line, COMMAND, err);
    s->has_result = true;
    return 0;
}

static int take_line(struct chsm_mgmt_status *s, const char *line, struct chsm_err *err)
{
    struct chsm_mgmt_server server;
    const char *p = line;
    bool success;

    (void)chsm_mgmt_prompt(&p);
    if (chsm_mgmt_outcome(p, COMMAND, &server, &success))
        return add_server(s, &server, success, err);
    (void)chsm_mgmt_word(&p, "Command:");
    if (!*p || chsm_mgmt_word(&p, COMMAND " -k ") || chsm_mgmt_chatter(p) || chsm_mgmt_not_connected(p, &server))
        return 0;
    if (strcmp(p, "Cluster Status:") == 0 || strcmp(p, "Cluster Status") == 0 || strcmp(p, "Cluster Error Status") == 0)
        return 0;
    if (chsm_mgmt_word(&p, "Node id "))
        return take_node(s, line, p, err);
    if (strncmp(p, "Cfm3", 4) == 0)
        return take_result(s, line, p, err);
    /* The second half of a result line that the tool broke. */
    if (s->has_result && s->result == 0 && strcmp(p, "HSM Return: SUCCESS") == 0)
        return 0;
    return chsm_mgmt_strange(line, COMMAND, err);
}

int chsm_mgmt_parse_status(const char *text, size_t n, struct chsm_mgmt_status *ret, struct chsm_err *err)
{
    AUTO_MGMT_LINES struct chsm_mgmt_lines lines = { 0 };
    AUTO_FREE struct chsm_mgmt_status *s = calloc(1, sizeof *s);

    if (!s)
        return chsm_oom(err);
    if (chsm_mgmt_split(text, n, &lines, err) < 0)
        return -1;
    for (size_t i = 0; i < lines.n; i++)
        if (take_line(s, lines.line[i], err) < 0)
            return -1;
    if (s->nodes == 0 && s->servers.n == 0)
        return chsm_fail(err, CHSM_SERVICE, COMMAND " gave the status of no node");
    *ret = *s;
    return 0;
}
