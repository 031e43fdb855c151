/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>

#include "nodes/reading.h"
#include "util/log.h"

#define OPEN_MAX 200        /* reasons; more would say no more */

void chsm_nodes_reading_done(struct chsm_nodes_reading *r)
{
    chsm_mgmt_user_lists_done(&r->users);
    chsm_mgmt_key_lists_done(&r->keys);
    chsm_mgmt_key_lists_done(&r->again);
    for (size_t i = 0; i < r->n_open; i++)
        free(r->open[i]);
    free(r->open);
    memset(r, 0, sizeof *r);
}

int chsm_nodes_open(struct chsm_nodes_reading *r, struct chsm_err *err, const char *fmt, ...)
{
    char **grown;
    va_list ap;
    int n;

    if (r->n_open == OPEN_MAX)
        return 0;
    grown = reallocarray(r->open, r->n_open + 1, sizeof *grown);
    if (!grown)
        return chsm_oom(err);
    r->open = grown;
    va_start(ap, fmt);
    n = vasprintf(&grown[r->n_open], fmt, ap);
    va_end(ap);
    if (n < 0)
        return chsm_oom(err);
    r->n_open++;
    return 0;
}

/* An answer that was not understood: its reason, without the password, and no more. */
static int not_understood(struct chsm_mgmt *m, struct chsm_nodes_reading *r, const struct chsm_err *why, struct chsm_err *err)
{
    AUTO_FREE char *text = chsm_mgmt_redact(m, why->text);

    return text ? chsm_nodes_open(r, err, "%s", text) : chsm_oom(err);
}

static int log_in(struct chsm_mgmt *m, struct chsm_nodes_reading *r, const char *user, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf answer = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);
    struct chsm_mgmt_servers said = { .n = 0 };
    bool failed;

    if (chsm_mgmt_login(m, &answer, err) < 0 ||
        chsm_mgmt_parse_outcome(answer.p, answer.len, "loginHSM", &said, &failed, err) < 0)
        return -1;
    for (size_t i = 0; i < said.n; i++)
        if (said.v[i].state == CHSM_NODE_CONNECTED &&
            chsm_mgmt_servers_note(&r->logins, &said.v[i].server, CHSM_NODE_CONNECTED, err) < 0)
            return -1;
    if (r->logins.n > 0)
        return 0;
    (void)chsm_fail(err, CHSM_AUTH, "no node took the login of the crypto officer %s", user ? user : "admin");
    return chsm_err_hint(err, "it was tried once: the HSM counts failed logins and locks the user out");
}

static int read_members(struct chsm_mgmt *m, struct chsm_nodes_reading *r, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf answer = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);
    struct chsm_err why = { 0 };

    if (chsm_mgmt_ask(m, "getClusterInfo", &answer, err) < 0)
        return -1;
    if (chsm_mgmt_parse_members(answer.p, answer.len, &r->members, &why) < 0)
        return not_understood(m, r, &why, err);
    for (size_t i = 0; i < r->members.down.n; i++)
        if (chsm_mgmt_servers_note(&r->servers, &r->members.down.v[i].server, CHSM_NODE_NOT_CONNECTED, err) < 0)
            return -1;
    return 0;
}

static int read_users(struct chsm_mgmt *m, struct chsm_nodes_reading *r, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf answer = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);
    struct chsm_err why = { 0 };

    if (chsm_mgmt_ask(m, "listUsers", &answer, err) < 0)
        return -1;
    return chsm_mgmt_parse_users(answer.p, answer.len, &r->users, &why) < 0 ? not_understood(m, r, &why, err) : 0;
}

static int read_keys(struct chsm_mgmt *m, struct chsm_nodes_reading *r, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf answer = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);
    struct chsm_err why = { 0 };

    r->taken = chsm_now();
    if (chsm_mgmt_ask(m, "findAllKeys 0 0", &answer, err) < 0)
        return -1;
    if (chsm_mgmt_parse_keys(answer.p, answer.len, &r->keys, &why) < 0)
        return not_understood(m, r, &why, err);
    if (chsm_mgmt_ask(m, "findAllKeys 0 1", &answer, err) < 0)
        return -1;
    /* The hash is more than was needed: a tool that does not give it has still listed the keys. */
    if (chsm_mgmt_parse_keys(answer.p, answer.len, &r->again, &why) < 0) {
        AUTO_FREE char *text = chsm_mgmt_redact(m, why.text);

        chsm_log(CHSM_LOG_INFO, "no key hashes: %s", text ? text : "");
    }
    return 0;
}

static bool has_handle(const struct chsm_mgmt_keys *k, unsigned long handle)
{
    size_t lo = 0, hi = k->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (k->handles[mid] == handle)
            return true;
        if (k->handles[mid] < handle)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static int confirm(struct chsm_mgmt *m, struct chsm_nodes_reading *r, unsigned long handle, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf answer = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);
    struct chsm_nodes_confirmation *c = &r->confirmed[r->n_confirmed];
    struct chsm_err why = { 0 };
    char command[64];

    for (size_t i = 0; i < r->n_confirmed; i++)
        if (r->confirmed[i].handle == handle)
            return 0;
    (void)snprintf(command, sizeof command, "findSingleKey -k %lu", handle);
    if (chsm_mgmt_ask(m, command, &answer, err) < 0)
        return -1;
    if (chsm_mgmt_parse_status(answer.p, answer.len, &c->status, &why) < 0) {
        AUTO_FREE char *text = chsm_mgmt_redact(m, why.text);

        chsm_log(CHSM_LOG_INFO, "no confirmation: %s", text ? text : "");
        return 0;
    }
    c->handle = handle;
    r->n_confirmed++;
    return 0;
}

/* Asks once more for some of the keys that a node did not list: a contradiction is found before it is called a loss. */
static int confirm_missing(struct chsm_mgmt *m, struct chsm_nodes_reading *r, struct chsm_err *err)
{
    size_t asked = 0;

    for (size_t a = 0; a < r->keys.n; a++)
        for (size_t i = 0; i < r->keys.v[a].n; i++)
            for (size_t b = 0; b < r->keys.n; b++) {
                if (r->keys.v[b].failed || has_handle(&r->keys.v[b], r->keys.v[a].handles[i]))
                    continue;
                if (asked++ == CHSM_NODES_CONFIRM_MAX || r->n_confirmed == CHSM_NODES_CONFIRM_MAX)
                    return 0;
                if (confirm(m, r, r->keys.v[a].handles[i], err) < 0)
                    return -1;
            }
    return 0;
}

static int read_all(struct chsm_mgmt *m, const struct chsm_buf *talk, const char *user, struct chsm_nodes_reading *r,
                    struct chsm_err *err)
{
    if (chsm_mgmt_parse_start(talk->p, talk->len, &r->servers, err) < 0 || log_in(m, r, user, err) < 0)
        return -1;
    if (read_members(m, r, err) < 0 || read_users(m, r, err) < 0 || read_keys(m, r, err) < 0)
        return -1;
    return confirm_missing(m, r, err);
}

int chsm_nodes_read(const struct chsm_mgmt_tool *tool, struct chsm_nodes_reading *ret, struct chsm_err *err)
{
    AUTO_NODES_READING struct chsm_nodes_reading r = { .n_open = 0 };
    AUTO_BUF struct chsm_buf talk = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);
    AUTO_MGMT struct chsm_mgmt *m = NULL;

    if (chsm_mgmt_open(tool, &m, &talk, err) < 0 || read_all(m, &talk, tool->user, &r, err) < 0)
        return -1;
    *ret = r;
    memset(&r, 0, sizeof r);
    return 0;
}
