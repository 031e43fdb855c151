/* SPDX-License-Identifier: Apache-2.0 */
/* findAllKeys of the management tool, and findKey of the user's tool, which has the same lines without a server. */
#include "config.h"

#include <ctype.h>

#include "nodes/mgmt_parse.h"

#define COMMAND "findAllKeys"

/* What is being read. */
struct reading {
    struct chsm_mgmt_key_lists lists;
    struct chsm_mgmt_keys *open;    /* the block that lines belong to; NULL before the first */
    size_t handles_cap;
    bool said, listed;              /* the open block has a count, has a list */
    bool comma;                     /* the list goes on in the next line */
    bool hash;                      /* the next line is the hash */
};

void chsm_mgmt_key_lists_done(struct chsm_mgmt_key_lists *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].handles);
    free(l->v);
    *l = (struct chsm_mgmt_key_lists){ 0 };
}

static int by_value(const void *a, const void *b)
{
    const unsigned long *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int add_block(struct reading *r, const struct chsm_mgmt_server *s, struct chsm_err *err)
{
    struct chsm_mgmt_keys *grown;

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
    *r->open = (struct chsm_mgmt_keys){ .server = *s };
    r->handles_cap = 0;
    r->said = r->listed = r->comma = r->hash = false;
    return 0;
}

/* The open block is over: was it whole? */
static int end_block(struct reading *r, struct chsm_err *err)
{
    struct chsm_mgmt_keys *k = r->open;
    size_t n = 0;

    if (!k || k->failed)
        return 0;
    if (r->comma || r->hash || (!r->listed && !(r->said && k->said == 0)))
        return chsm_fail(err, CHSM_SERVICE, "the list of keys of server %d(%s) breaks off", k->server.number, k->server.address);
    if (k->n)
        qsort(k->handles, k->n, sizeof *k->handles, by_value);
    for (size_t i = 0; i < k->n; i++)
        if (n == 0 || k->handles[i] != k->handles[n - 1])
            k->handles[n++] = k->handles[i];
    k->n = n;
    k->cut = r->said && k->said > k->n;
    return 0;
}

static int add_handle(struct reading *r, unsigned long handle, struct chsm_err *err)
{
    struct chsm_mgmt_keys *k = r->open;

    if (k->n == r->handles_cap) {
        size_t cap = r->handles_cap ? 2 * r->handles_cap : 256;
        unsigned long *grown = reallocarray(k->handles, cap, sizeof *grown);

        if (!grown)
            return chsm_oom(err);
        k->handles = grown;
        r->handles_cap = cap;
    }
    if (k->n == CHSM_MGMT_HANDLES_MAX)
        return chsm_fail(err, CHSM_SERVICE, COMMAND " lists more than %d keys", CHSM_MGMT_HANDLES_MAX);
    k->handles[k->n++] = handle;
    return 0;
}

/* "6(o),7(s), 8": handles, each perhaps with its owned/shared mark. A list that ends with a comma goes on in the next line. */
static int take_list(struct reading *r, const char *line, const char *p, struct chsm_err *err)
{
    unsigned long handle;

    /* Two lists, or one broken where nobody can tell whether a number was broken with it. */
    if (!r->open || (r->listed && !r->comma))
        return chsm_mgmt_strange(line, COMMAND, err);
    r->listed = true;
    do {
        r->comma = false;
        if (!chsm_mgmt_number(&p, &handle) || handle == 0)
            return chsm_mgmt_strange(line, COMMAND, err);
        if (add_handle(r, handle, err) < 0)
            return -1;
        if (!chsm_mgmt_word(&p, "(o)"))
            (void)chsm_mgmt_word(&p, "(s)");
        r->comma = chsm_mgmt_word(&p, ",");
    } while (r->comma && *p);
    return *p ? chsm_mgmt_strange(line, COMMAND, err) : 0;
}

static bool is_hash(const char *p)
{
    return strlen(p) == 64 && strspn(p, "0123456789abcdefABCDEF") == 64;
}

static int take_hash(struct reading *r, const char *line, const char *p, struct chsm_err *err)
{
    if (!*p) {
        r->hash = true;
        return 0;
    }
    if (!is_hash(p) || r->open->hash[0])
        return chsm_mgmt_strange(line, COMMAND, err);
    for (size_t i = 0; i < 64; i++)
        r->open->hash[i] = (char)tolower((unsigned char)p[i]);
    r->hash = false;
    return 0;
}

/* "Number of keys found 17" (AWS), "Total number of keys present: 3" (Azure). findKey has no heading: it opens the block. */
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

/* "... from start index 0::12": from elsewhere than 0 it is a part of the list. What follows is now a count, now an index. */
static int take_range(struct reading *r, const char *line, const char *p, struct chsm_err *err)
{
    unsigned long from, to;

    if (!r->open || !chsm_mgmt_number(&p, &from) || !chsm_mgmt_word(&p, "::") || !chsm_mgmt_number(&p, &to) || *p || from != 0)
        return chsm_mgmt_strange(line, COMMAND, err);
    return 0;
}

static int take_outcome(struct reading *r, const char *line, const struct chsm_mgmt_server *s, bool success, struct chsm_err *err)
{
    struct chsm_mgmt_keys *k = NULL;

    for (size_t i = 0; i < r->lists.n; i++)
        if (chsm_mgmt_server_eq(&r->lists.v[i].server, s))
            k = &r->lists.v[i];
    if (!k && !success) {
        if (end_block(r, err) < 0 || add_block(r, s, err) < 0)
            return -1;
        k = r->open;
    }
    if (!k || k->success || k->failed || (!success && k->n))
        return chsm_mgmt_strange(line, COMMAND, err);
    k->success = success;
    k->failed = !success;
    return 0;
}

/* Lines that only findKey has: the nodes' status, which is another parser's. */
static bool is_status(const char *p)
{
    static const char *const words[] = { "Cluster Status", "Cluster Error Status", "Node id ", "Cfm3", "HSM Return:" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* The command itself, as the terminal or the tool repeats it: "findAllKeys 0 1", "Command: findKey -u 4". */
static bool is_echo(const char *p)
{
    bool command = chsm_mgmt_word(&p, "Command:");

    if (command && chsm_mgmt_word(&p, "findKey"))
        return true;
    return chsm_mgmt_word(&p, COMMAND) && (*p == '\0' || strspn(p, "0123456789 ") == strlen(p));
}

/* "Keys on server 0(10.0.2.4):", from its number on. */
static int take_heading(struct reading *r, const char *line, const char *p, struct chsm_err *err)
{
    struct chsm_mgmt_server s;

    if (!chsm_mgmt_server(&p, &s) || strcmp(p, ":") != 0)
        return chsm_mgmt_strange(line, COMMAND, err);
    return end_block(r, err) < 0 ? -1 : add_block(r, &s, err);
}

/* A line that begins with a phrase. */
static int take_phrase(struct reading *r, const char *line, const char *p, struct chsm_err *err)
{
    if (chsm_mgmt_word(&p, "Keys on server "))
        return take_heading(r, line, p, err);
    if (chsm_mgmt_word(&p, "Number of keys found") || chsm_mgmt_word(&p, "Total number of keys present"))
        return take_count(r, line, p, err);
    if (chsm_mgmt_word(&p, "number of keys matched from start index") ||
        chsm_mgmt_word(&p, "Number of matching keys from start index"))
        return take_range(r, line, p, err);
    if (chsm_mgmt_word(&p, "Handles of matching keys:"))
        return *p ? take_list(r, line, p, err) : 0;
    if (r->open && chsm_mgmt_word(&p, "Key Hash:"))
        return take_hash(r, line, p, err);
    return r->open && r->open->server.number < 0 && is_status(p) ? 0 : chsm_mgmt_strange(line, COMMAND, err);
}

static int take_line(struct reading *r, const char *line, struct chsm_err *err)
{
    struct chsm_mgmt_server s;
    const char *p = line;
    bool success;

    (void)chsm_mgmt_prompt(&p);
    if (r->open && r->hash)
        return take_hash(r, line, p, err);
    if (isdigit((unsigned char)*p))
        return take_list(r, line, p, err);
    if (r->comma)
        return chsm_mgmt_strange(line, COMMAND, err);
    if (chsm_mgmt_outcome(p, COMMAND, &s, &success))
        return take_outcome(r, line, &s, success, err);
    if (!*p || is_echo(p) || chsm_mgmt_chatter(p) || chsm_mgmt_not_connected(p, &s))
        return 0;
    return take_phrase(r, line, p, err);
}

int chsm_mgmt_parse_keys(const char *text, size_t n, struct chsm_mgmt_key_lists *ret, struct chsm_err *err)
{
    AUTO_MGMT_LINES struct chsm_mgmt_lines lines = { 0 };
    struct reading r = { .open = NULL };
    int rc = chsm_mgmt_split(text, n, &lines, err);

    for (size_t i = 0; rc == 0 && i < lines.n; i++)
        rc = take_line(&r, lines.line[i], err);
    if (rc == 0)
        rc = end_block(&r, err);
    if (rc == 0 && r.lists.n == 0)
        rc = chsm_fail(err, CHSM_SERVICE, COMMAND " listed no server");
    if (rc < 0) {
        chsm_mgmt_key_lists_done(&r.lists);
        return -1;
    }
    *ret = r.lists;
    return 0;
}
