/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>

#include "nodes/mgmt_text.h"

#define QUOTE_MAX 100       /* characters of a line that an error shows */
#define ESC '\033'

/* What begins a line, always: where it stands in the middle of one, two lines were run together. */
static const char *const beginnings[] = {
    "Keys on server ",
    "Users on server ",
    "Cluster info from server ",
    "Number of keys found",
    "Total number of keys present",
    "number of keys matched from",
    "Number of matching keys from",
    "Handles of matching keys",
    "Key Hash:",
    "findAllKeys success on ",
    "findAllKeys failed on ",
    "findSingleKey success on ",
    "findSingleKey failed on ",
    "Cluster Status",
    "Cluster Error Status",
    "Node id ",
    "Cfm3",
    "Number of users found",
    "Number Of Users found",
    "E2E enabled on server ",
    "Connecting to ",
    "Connected to ",
    "Connetion to ",
    "loginHSM success on ",
    "loginHSM failed on ",
};

static const char first_letters[] = "KUCTNnHfElS";     /* of these, and of "Server 1" */

static size_t skip_blanks(const char *p)
{
    return strspn(p, " \t");
}

bool chsm_mgmt_server_eq(const struct chsm_mgmt_server *a, const struct chsm_mgmt_server *b)
{
    return a->number == b->number && strcmp(a->address, b->address) == 0;
}

void chsm_mgmt_server_name(const struct chsm_mgmt_server *s, char *out, size_t size)
{
    if (s->number < 0)
        (void)snprintf(out, size, "server %s", s->address[0] ? s->address : "?");
    else if (s->address[0])
        (void)snprintf(out, size, "server %d(%s)", s->number, s->address);
    else
        (void)snprintf(out, size, "server %d", s->number);
}

void chsm_mgmt_lines_done(struct chsm_mgmt_lines *l)
{
    /* A login's echo may be among it. */
    if (l->text)
        explicit_bzero(l->text, l->size);
    free(l->text);
    free(l->line);
    *l = (struct chsm_mgmt_lines){ 0 };
}

/* Bytes of the terminal sequence at p[0..n), 0 when it is not one (ECMA-48: CSI, or ESC with intermediates and a final byte). */
static size_t escape_length(const char *p, size_t n)
{
    size_t i = 1;

    if (n < 2 || p[0] != ESC)
        return 0;
    if (p[1] == '[') {
        for (i = 2; i < n && p[i] >= 0x20 && p[i] <= 0x3f; i++)
            continue;
        return i < n && p[i] >= 0x40 && p[i] <= 0x7e ? i + 1 : 0;
    }
    while (i < n && p[i] >= 0x20 && p[i] <= 0x2f)
        i++;
    return i < n && p[i] >= 0x30 && p[i] <= 0x7e ? i + 1 : 0;
}

/* True when one of the phrases that begin a line stands at p. "Server 1" does, too, but not "Server is in ...". */
static bool begins_line(const char *p, size_t n)
{
    if (!memchr(first_letters, *p, sizeof first_letters - 1))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
        if (*p == beginnings[i][0] && n >= strlen(beginnings[i]) && memcmp(p, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return n > 7 && *p == 'S' && memcmp(p, "Server ", 7) == 0 && isdigit((unsigned char)p[7]);
}

/* How many bytes at p stay as they are: up to the next that does not, or that begins a line. */
static size_t plain(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && (unsigned char)p[i] >= 0x20 && (unsigned char)p[i] < 0x7f && (i == 0 || !begins_line(p + i, n - i)))
        i++;
    return i;
}

/* One byte that is not plain text. */
static int clean_byte(unsigned char c, struct chsm_buf *out, struct chsm_err *err)
{
    if (c == '\r' || c == '\n')
        return out->len && out->p[out->len - 1] == '\n' ? 0 : chsm_buf_add(out, "\n", 1, err);
    if (c == '\t' || c == '\f' || c == '\v')
        return chsm_buf_add(out, " ", 1, err);
    if (c >= 0x80)
        return chsm_buf_addf(out, err, "\\x%02x", c);
    return c == '\a' ? 0 : chsm_fail(err, CHSM_SERVICE, "the management tool printed the control character 0x%02x", c);
}

/* The text with line feeds alone between its lines, in ASCII: another byte is spelled, so that two names stay two names. */
static int clean(const char *text, size_t n, struct chsm_buf *out, struct chsm_err *err)
{
    size_t take;

    for (size_t i = 0; i < n; i += take) {
        int rc = 0;

        take = escape_length(text + i, n - i);
        if (take)
            continue;
        take = plain(text + i, n - i);
        if (take) {
            if (begins_line(text + i, n - i))
                rc = chsm_buf_add(out, "\n", 1, err);
            if (rc == 0)
                rc = chsm_buf_add(out, text + i, take, err);
        } else {
            take = 1;
            rc = clean_byte((unsigned char)text[i], out, err);
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int add_line(struct chsm_mgmt_lines *l, char *line, struct chsm_err *err)
{
    char **grown;

    if (l->n == l->cap) {
        grown = reallocarray(l->line, l->cap ? 2 * l->cap : 64, sizeof *grown);
        if (!grown)
            return chsm_oom(err);
        l->line = grown;
        l->cap = l->cap ? 2 * l->cap : 64;
    }
    l->line[l->n++] = line;
    return 0;
}

static int cut(struct chsm_mgmt_lines *l, struct chsm_err *err)
{
    char *stop = l->text + l->size;

    for (char *p = l->text, *next; p < stop; p = next) {
        char *end = memchr(p, '\n', (size_t)(stop - p));

        next = end ? end + 1 : stop;
        if (end)
            *end = '\0';
        p += skip_blanks(p);
        for (size_t k = strlen(p); k > 0 && p[k - 1] == ' '; k--)
            p[k - 1] = '\0';
        if (*p && add_line(l, p, err) < 0)
            return -1;
    }
    return 0;
}

int chsm_mgmt_split(const char *text, size_t n, struct chsm_mgmt_lines *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF_SECRET(4u * CHSM_MGMT_TEXT_MAX);
    AUTO_MGMT_LINES struct chsm_mgmt_lines l = { 0 };

    if (n > CHSM_MGMT_TEXT_MAX)
        return chsm_fail(err, CHSM_SERVICE, "the management tool printed more than %u bytes", CHSM_MGMT_TEXT_MAX);
    if (clean(text, n, &out, err) < 0)
        return -1;
    l.size = out.len;
    l.text = chsm_buf_take(&out);
    if (!l.text)
        return chsm_oom(err);
    if (cut(&l, err) < 0)
        return -1;
    *ret = l;
    l = (struct chsm_mgmt_lines){ 0 };
    return 0;
}

bool chsm_mgmt_word(const char **p, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*p, word, n) != 0)
        return false;
    *p += n;
    *p += skip_blanks(*p);
    return true;
}

bool chsm_mgmt_number(const char **p, unsigned long *ret)
{
    unsigned long value = 0;
    const char *at = *p;

    for (; isdigit((unsigned char)*at); at++) {
        value = 10 * value + (unsigned long)(*at - '0');
        if (value > UINT32_MAX)
            return false;
    }
    if (at == *p)
        return false;
    *ret = value;
    *p = at + skip_blanks(at);
    return true;
}

bool chsm_mgmt_hex(const char **p, unsigned long *ret)
{
    unsigned long value = 0;
    const char *at = *p;

    if (strncmp(at, "0x", 2) != 0 || !isxdigit((unsigned char)at[2]))
        return false;
    for (at += 2; isxdigit((unsigned char)*at); at++) {
        value = 16 * value + (unsigned long)(isdigit((unsigned char)*at) ? *at - '0' : (*at | 0x20) - 'a' + 10);
        if (value > UINT32_MAX)
            return false;
    }
    *ret = value;
    *p = at + skip_blanks(at);
    return true;
}

bool chsm_mgmt_server(const char **p, struct chsm_mgmt_server *ret)
{
    struct chsm_mgmt_server s = { 0 };
    const char *at = *p;
    unsigned long number;
    size_t n;

    if (!chsm_mgmt_number(&at, &number) || number > INT32_MAX || *at != '(')
        return false;
    at++;
    n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_%");
    if (n == 0 || n >= sizeof s.address || at[n] != ')')
        return false;
    s.number = (int)number;
    memcpy(s.address, at, n);
    *ret = s;
    *p = at + n + 1;
    *p += skip_blanks(*p);
    return true;
}

bool chsm_mgmt_token(const char **p, char *out, size_t size)
{
    const char *at = *p;
    size_t n = 0;

    for (; *at && *at != ' '; at++) {
        if (n + 1 >= size || (unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f)
            return false;
        out[n++] = *at;
    }
    out[n] = '\0';
    if (n == 0)
        return false;
    *p = at + skip_blanks(at);
    return true;
}

bool chsm_mgmt_prompt(const char **p)
{
    const char *at = *p;
    unsigned long number;

    if (chsm_mgmt_word(p, "cloudmgmt>") || chsm_mgmt_word(p, "aws-cloudhsm>"))
        return true;
    if (!chsm_mgmt_word(&at, "server") || !chsm_mgmt_number(&at, &number) || !chsm_mgmt_word(&at, ">"))
        return false;
    *p = at;
    return true;
}

bool chsm_mgmt_chatter(const char *line)
{
    const char *p = line;
    size_t n = strlen(line);

    if (chsm_mgmt_word(&p, "INF:"))
        return true;
    return chsm_mgmt_word(&p, "Getting ") && n > 6 && strcmp(line + n - 6, " nodes") == 0;
}

bool chsm_mgmt_not_connected(const char *line, struct chsm_mgmt_server *ret)
{
    struct chsm_mgmt_server s = { 0 };
    unsigned long number;
    const char *p = line;

    if (!chsm_mgmt_word(&p, "Server "))
        return false;
    if (!chsm_mgmt_server(&p, &s)) {
        if (!chsm_mgmt_number(&p, &number) || number > INT32_MAX)
            return false;
        s.number = (int)number;
    }
    if (strcmp(p, "is not connected") != 0)
        return false;
    *ret = s;
    return true;
}

bool chsm_mgmt_outcome(const char *line, const char *command, struct chsm_mgmt_server *ret, bool *ret_success)
{
    struct chsm_mgmt_server s;
    const char *p = line;
    bool success;

    if (!chsm_mgmt_word(&p, command))
        return false;
    success = chsm_mgmt_word(&p, "success on server ");
    if (!success && !chsm_mgmt_word(&p, "failed on server "))
        return false;
    /* What follows a failure is its reason; a success says no more. */
    if (!chsm_mgmt_server(&p, &s) || (success && *p))
        return false;
    *ret = s;
    *ret_success = success;
    return true;
}

int chsm_mgmt_strange(const char *line, const char *command, struct chsm_err *err)
{
    size_t n = strlen(line);

    (void)chsm_fail(err, CHSM_SERVICE, "the answer to %s is not understood at \"%.*s%s\"", command, QUOTE_MAX, line,
                    n > QUOTE_MAX ? "..." : "");
    return chsm_err_hint(err, "nothing is concluded from an answer that is understood in part");
}
