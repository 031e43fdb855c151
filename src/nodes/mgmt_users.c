/* SPDX-License-Identifier: Apache-2.0 */
/* listUsers of the management tool, per server, and of the user's tool, for the cluster. */
#include "config.h"

#include <ctype.h>

#include "nodes/mgmt_parse.h"

#define COMMAND "listUsers"

struct reading {
    struct chsm_mgmt_user_lists lists;
    struct chsm_mgmt_users *open;
    size_t cap;                     /* of the open block */
    bool header, index, said;       /* the open block has its header, has an index column, has a count */
};

void chsm_mgmt_user_lists_done(struct chsm_mgmt_user_lists *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].v);
    free(l->v);
    *l = (struct chsm_mgmt_user_lists){ 0 };
}

static int end_block(const struct reading *r, struct chsm_err *err)
{
    struct chsm_mgmt_users *u = r->open;

    if (!u)
        return 0;
    /* Every HSM has users (the officer at least): an empty list is one that was not understood. */
    if (!r->header || u->n == 0)
        return chsm_fail(err, CHSM_SERVICE, "the list of users of server %d(%s) breaks off", u->server.number, u->server.address);
    u->cut = r->said && u->said > u->n;
    return 0;
}

static int add_block(struct reading *r, const struct chsm_mgmt_server *s, struct chsm_err *err)
{
    struct chsm_mgmt_users *grown;

    if (end_block(r, err) < 0)
        return -1;
    for (size_t i = 0; i < r->lists.n; i++)
        if (chsm_mgmt_server_eq(&r->lists.v[i].server, s))
            return chsm_fail(err, CHSM_SERVICE, COMMAND " lists server %d(%s) twice", s->number, s->address);
    if (r->lists.n == CHSM_MGMT_SERVERS_MAX)
        return chsm_fail(err, CHSM_SERVICE, COMMAND " lists more than %d servers", CHSM_MGMT_SERVERS_MAX);
    grown = reallocarray(r->lists.v, r->lists.n + 1, sizeof *grown);
    if (!grown)
        return chsm_oom(err);
    r->lists.v = grown;
    r->open = &grown[r->lists.n++];
    *r->open = (struct chsm_mgmt_users){ .server = *s };
    r->cap = 0;
    r->header = r->index = r->said = false;
    return 0;
}

static int add_user(struct reading *r, const struct chsm_mgmt_user *u, struct chsm_err *err)
{
    struct chsm_mgmt_users *o = r->open;

    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->v[i].name, u->name) == 0 && strcmp(o->v[i].type, u->type) == 0)
            return chsm_fail(err, CHSM_SERVICE, COMMAND " lists %s %s twice on server %d(%s)", u->type, u->name, o->server.number,
                             o->server.address);
    if (o->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 32;
        struct chsm_mgmt_user *grown = reallocarray(o->v, cap, sizeof *grown);

        if (!grown)
            return chsm_oom(err);
        o->v = grown;
        r->cap = cap;
    }
    if (o->n == CHSM_MGMT_USERS_MAX)
        return chsm_fail(err, CHSM_SERVICE, COMMAND " lists more than %d users", CHSM_MGMT_USERS_MAX);
    o->v[o->n++] = *u;
    return 0;
}

/* "[Index] User Id, User Type, User Name, MofnPubKey, LoginFailureCnt[, 2FA]". */
static bool read_header(struct reading *r, const char *p)
{
    r->index = chsm_mgmt_word(&p, "Index");
    if (!chsm_mgmt_word(&p, "User Id") && !chsm_mgmt_word(&p, "User ID"))
        return false;
    if (!chsm_mgmt_word(&p, "User Type") || !chsm_mgmt_word(&p, "User Name") || !chsm_mgmt_word(&p, "MofnPubKey") ||
        !chsm_mgmt_word(&p, "LoginFailureCnt"))
        return false;
    (void)chsm_mgmt_word(&p, "2FA");
    return *p == '\0';
}

static bool read_answer(const char **p)
{
    return chsm_mgmt_word(p, "YES") || chsm_mgmt_word(p, "NO");
}

/* "3   CU   crypto_user1   NO   0   NO"; older tools have no 2FA column. */
static bool read_user(const struct reading *r, const char *p, struct chsm_mgmt_user *u)
{
    unsigned long ignored;

    if (r->index && !chsm_mgmt_number(&p, &ignored))
        return false;
    if (!chsm_mgmt_number(&p, &u->id) || !chsm_mgmt_token(&p, u->type, sizeof u->type) ||
        !chsm_mgmt_token(&p, u->name, sizeof u->name))
        return false;
    if (strspn(u->type, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(u->type) || !read_answer(&p) || !chsm_mgmt_number(&p, &ignored))
        return false;
    return !*p || (read_answer(&p) && !*p);
}

static int take_count(struct reading *r, const char *line, const char *p, struct chsm_err *err)
{
    const struct chsm_mgmt_server none = { .number = -1 };
    unsigned long said;

    (void)chsm_mgmt_word(&p, ":");
    if (!chsm_mgmt_number(&p, &said) || *p || (r->open && r->said))
        return chsm_mgmt_strange(line, COMMAND, err);
    if (!r->open && add_block(r, &none, err) < 0)
        return -1;
    r->open->said = said;
    r->said = true;
    return 0;
}

static bool is_echo(const char *p)
{
    (void)chsm_mgmt_word(&p, "Command:");
    return strcmp(p, COMMAND) == 0;
}

static int take_line(struct reading *r, const char *line, struct chsm_err *err)
{
    struct chsm_mgmt_server s;
    struct chsm_mgmt_user user;
    const char *p = line;
    bool success;

    (void)chsm_mgmt_prompt(&p);
    if (!*p || is_echo(p) || chsm_mgmt_chatter(p) || chsm_mgmt_not_connected(p, &s))
        return 0;
    if (chsm_mgmt_outcome(p, COMMAND, &s, &success))
        return success ? 0 : chsm_mgmt_strange(line, COMMAND, err);
    if (chsm_mgmt_word(&p, "Users on server ")) {
        if (!chsm_mgmt_server(&p, &s) || strcmp(p, ":") != 0)
            return chsm_mgmt_strange(line, COMMAND, err);
        return add_block(r, &s, err);
    }
    if (chsm_mgmt_word(&p, "Number of users found") || chsm_mgmt_word(&p, "Number Of Users found"))
        return take_count(r, line, p, err);
    if (!r->open)
        return chsm_mgmt_strange(line, COMMAND, err);
    if (!r->header) {
        r->header = read_header(r, p);
        return r->header ? 0 : chsm_mgmt_strange(line, COMMAND, err);
    }
    if (r->open->server.number < 0 && chsm_mgmt_word(&p, "Cfm3ListUsers returned: 0x00"))
        return 0;
    return read_user(r, p, &user) ? add_user(r, &user, err) : chsm_mgmt_strange(line, COMMAND, err);
}

int chsm_mgmt_parse_users(const char *text, size_t n, struct chsm_mgmt_user_lists *ret, struct chsm_err *err)
{
    AUTO_MGMT_LINES struct chsm_mgmt_lines lines = { 0 };
    struct reading r = { .cap = 0 };
    int rc = chsm_mgmt_split(text, n, &lines, err);

    for (size_t i = 0; rc == 0 && i < lines.n; i++)
        rc = take_line(&r, lines.line[i], err);
    if (rc == 0)
        rc = end_block(&r, err);
    if (rc == 0 && r.lists.n == 0)
        rc = chsm_fail(err, CHSM_SERVICE, COMMAND " listed no server");
    if (rc < 0) {
        chsm_mgmt_user_lists_done(&r.lists);
        return -1;
    }
    *ret = r.lists;
    return 0;
}
