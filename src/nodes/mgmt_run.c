/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <strings.h>

#include "nodes/mgmt_process.h"
#include "nodes/mgmt_run.h"
#include "nodes/mgmt_text.h"
#include "util/log.h"
#include "util/path.h"

#define SETTLE 100              /* ms of silence after which a prompt is the end of an answer, and not a part of it */
#define SLICE 500               /* ms */
#define QUIT_GRACE 2000         /* ms to log out and leave */
#define TYPED_MAX 1024          /* bytes of a line that is typed; a terminal takes 4095 */
#define TALK_MAX (64u << 20)    /* bytes of all answers together */

enum prompt { NO_PROMPT, COMMAND_PROMPT, PASSWORD_PROMPT, CONFIRM_PROMPT };

struct chsm_mgmt {
    struct chsm_terminal terminal;
    struct chsm_mgmt_tool tool;
    chsm_deadline deadline;
    size_t printed;
    bool logged_in;             /* a login was sent */
    bool broken;                /* nothing more is said to it */
};

char *chsm_mgmt_redact(const struct chsm_mgmt *m, const char *text)
{
    const char *secrets[] = { m->tool.password && m->tool.password->len ? m->tool.password->p : NULL, NULL };

    return chsm_redact_text(text, secrets);
}

/* What the tool waits for: what stands after the last line break. */
static enum prompt find_prompt(const struct chsm_buf *b)
{
    AUTO_MGMT_LINES struct chsm_mgmt_lines lines = { 0 };
    const char *last, *p;
    size_t at = b->len;

    while (at > 0 && b->p[at - 1] != '\n' && b->p[at - 1] != '\r' && b->len - at < 256)
        at--;
    if (at == b->len || chsm_mgmt_split(b->p + at, b->len - at, &lines, NULL) < 0 || lines.n == 0)
        return NO_PROMPT;
    last = p = lines.line[lines.n - 1];
    if (chsm_mgmt_prompt(&p) && !*p)
        return COMMAND_PROMPT;
    if (strcasecmp(last, "Enter password:") == 0 || strcasecmp(last, "Password:") == 0)
        return PASSWORD_PROMPT;
    return strlen(last) >= 6 && strcasecmp(last + strlen(last) - 6, "(y/n)?") == 0 ? CONFIRM_PROMPT : NO_PROMPT;
}

/* Whatever happens to the tool ends it, and no text that goes up holds the password. */
static int broken(struct chsm_mgmt *m, struct chsm_err *err)
{
    m->broken = true;
    chsm_terminal_end(&m->terminal, 0);
    if (err) {
        AUTO_FREE char *text = chsm_mgmt_redact(m, err->text);

        (void)snprintf(err->text, sizeof err->text, "%s", text ? text : "the management tool failed");
    }
    return -1;
}

static int wait_prompt(struct chsm_mgmt *m, struct chsm_buf *answer, enum prompt *ret, struct chsm_err *err)
{
    enum prompt found = NO_PROMPT;

    for (;;) {
        size_t before = answer->len;
        int rc = chsm_terminal_read(&m->terminal, found ? SETTLE : SLICE, m->deadline, answer, err);

        if (rc < 0)
            return broken(m, err);
        m->printed += answer->len - before;
        if (m->printed > TALK_MAX) {
            (void)chsm_fail(err, CHSM_SERVICE, "the management tool prints without end");
            return broken(m, err);
        }
        if (rc == 0 && found)
            break;
        if (rc > 0)
            found = find_prompt(answer);
    }
    *ret = found;
    return 0;
}

static int type(struct chsm_mgmt *m, const char *p, size_t n, struct chsm_err *err)
{
    if (m->broken)
        return chsm_fail(err, CHSM_SERVICE, "the management tool has ended before");
    if (chsm_terminal_write(&m->terminal, p, n, m->deadline, err) < 0 ||
        chsm_terminal_write(&m->terminal, "\n", 1, m->deadline, err) < 0)
        return broken(m, err);
    return 0;
}

/* Not the answer that a command has: a question. What would change something is declined. */
static int refuse_question(struct chsm_mgmt *m, enum prompt prompt, const char *what, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf rest = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);
    enum prompt next;

    if (prompt == CONFIRM_PROMPT && (type(m, "n", 1, err) < 0 || wait_prompt(m, &rest, &next, err) < 0))
        return -1;
    (void)chsm_fail(err, CHSM_SERVICE, "the management tool asked %s in answer to %s",
                    prompt == CONFIRM_PROMPT ? "whether to continue" : "for a password", what);
    return broken(m, err);
}

static void cut_prompt(struct chsm_buf *b)
{
    while (b->len > 0 && b->p[b->len - 1] != '\n' && b->p[b->len - 1] != '\r')
        b->p[--b->len] = '\0';
}

/* For --debug: an answer line by line, without the password. Never an answer to a login. */
static void log_answer(const struct chsm_mgmt *m, const char *command, const struct chsm_buf *answer)
{
    AUTO_FREE char *text = chsm_log_on(CHSM_LOG_DEBUG) ? chsm_mgmt_redact(m, chsm_buf_str(answer)) : NULL;
    char *p = text;

    while (p && *p) {
        size_t n = strcspn(p, "\r\n");

        if (n)
            chsm_log(CHSM_LOG_DEBUG, "%s: %.*s", command, (int)(n < INT_MAX ? n : INT_MAX), p);
        p += n;
        p += strspn(p, "\r\n");
    }
}

/*
 * What may be typed: a control character would end the line or edit it, and as a word of a command a blank, a quote or a
 * leading dash would make something else of it.
 */
static int check_typed(const char *p, size_t n, bool word, const char *what, struct chsm_err *err)
{
    if (n == 0 || n > TYPED_MAX / 4)
        return chsm_fail(err, CHSM_CONFIG, "the %s of the crypto officer is empty or too long", what);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' || p[i] == 0x7f || (word && strchr(" \"'\\", p[i])))
            return chsm_fail(err, CHSM_CONFIG,
                             "the %s of the crypto officer has a character that the management tool cannot be told", what);
    return word && *p == '-' ? chsm_fail(err, CHSM_CONFIG, "the %s of the crypto officer begins like an option", what) : 0;
}

static int start(struct chsm_mgmt *m, struct chsm_err *err)
{
    const char *program = m->tool.program ? m->tool.program : CHSM_MGMT_PROGRAM;
    AUTO_FREE char *path = realpath(program, NULL);
    AUTO_FREE char *config = strdup(m->tool.config ? m->tool.config : CHSM_MGMT_CONFIG);
    char *argv[] = { path, config, NULL };

    if (!path) {
        (void)chsm_fail_errno(err, CHSM_CONFIG, "%s", program);
        return chsm_err_hint(err, "--mgmt-util names azcloudhsm_mgmt_util of the Cloud HSM client");
    }
    return config ? chsm_terminal_start(&m->terminal, argv, m->tool.directory, err) : chsm_oom(err);
}

int chsm_mgmt_open(const struct chsm_mgmt_tool *tool, struct chsm_mgmt **ret, struct chsm_buf *talk, struct chsm_err *err)
{
    AUTO_MGMT struct chsm_mgmt *m = calloc(1, sizeof *m);
    enum prompt prompt;

    if (!m)
        return chsm_oom(err);
    m->terminal.fd = -1;
    m->tool = *tool;
    m->tool.user = tool->user ? tool->user : "admin";
    m->deadline = chsm_deadline_in(tool->timeout ? tool->timeout : CHSM_MGMT_TIMEOUT);
    if (check_typed(m->tool.user, strlen(m->tool.user), true, "name", err) < 0 ||
        check_typed(tool->password->p, tool->password->len, tool->in_line, "password", err) < 0)
        return -1;
    if (start(m, err) < 0 || wait_prompt(m, talk, &prompt, err) < 0)
        return -1;
    if (prompt != COMMAND_PROMPT)
        return refuse_question(m, prompt, "its own start", err);
    cut_prompt(talk);
    log_answer(m, "start", talk);
    *ret = TAKE(m);
    return 0;
}

int chsm_mgmt_ask(struct chsm_mgmt *m, const char *command, struct chsm_buf *answer, struct chsm_err *err)
{
    enum prompt prompt;

    chsm_buf_clear(answer);
    if (type(m, command, strlen(command), err) < 0)
        return -1;
    if (wait_prompt(m, answer, &prompt, err) < 0)
        return chsm_err_prefix(err, "%s", command);
    if (prompt != COMMAND_PROMPT)
        return refuse_question(m, prompt, command, err);
    cut_prompt(answer);
    log_answer(m, command, answer);
    return 0;
}

/* The line of loginHSM; with -hpswd the tool asks for the password and does not show it. */
static int type_login(struct chsm_mgmt *m, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf line = CHSM_BUF_SECRET(TYPED_MAX);

    if (chsm_buf_addf(&line, err, "loginHSM CO %s %s", m->tool.user, m->tool.in_line ? m->tool.password->p : "-hpswd") < 0)
        return -1;
    m->logged_in = true;
    return type(m, line.p, line.len, err);
}

int chsm_mgmt_login(struct chsm_mgmt *m, struct chsm_buf *answer, struct chsm_err *err)
{
    enum prompt prompt;

    chsm_buf_clear(answer);
    if (type_login(m, err) < 0)
        return -1;
    if (wait_prompt(m, answer, &prompt, err) < 0)
        return chsm_err_prefix(err, "loginHSM");
    if (prompt == COMMAND_PROMPT && !m->tool.in_line) {
        (void)chsm_fail(err, CHSM_AUTH, "the management tool did not ask for the password of %s", m->tool.user);
        (void)chsm_err_hint(err, "if it does not know loginHSM -hpswd, say --mgmt-inline; it may have counted a failed login");
        return broken(m, err);
    }
    if (prompt == PASSWORD_PROMPT) {
        /* What was typed and asked until here is no part of the answer. */
        chsm_buf_clear(answer);
        if (type(m, m->tool.password->p, m->tool.password->len, err) < 0)
            return -1;
        if (wait_prompt(m, answer, &prompt, err) < 0)
            return chsm_err_prefix(err, "loginHSM");
    }
    if (prompt != COMMAND_PROMPT)
        return refuse_question(m, prompt, "loginHSM", err);
    cut_prompt(answer);
    chsm_log(CHSM_LOG_DEBUG, "loginHSM: answered with %zu bytes, not shown", answer->len);
    return 0;
}

void chsm_mgmt_close(struct chsm_mgmt *m)
{
    AUTO_BUF struct chsm_buf last = CHSM_BUF_SECRET(CHSM_MGMT_TEXT_MAX);

    if (!m)
        return;
    if (!m->broken && m->terminal.pid != 0) {
        m->deadline = chsm_deadline_in(QUIT_GRACE);
        /* What it answers, and whether, changes nothing any more. */
        if (!m->logged_in || chsm_mgmt_ask(m, "logoutHSM", &last, NULL) == 0)
            (void)!type(m, "quit", 4, NULL);
    }
    chsm_terminal_end(&m->terminal, m->broken ? 0 : QUIT_GRACE);
    free(m);
}
