/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation with the management tool, with shell scripts in its place that talk as terminals let programs talk. */
#include "config.h"

#include <signal.h>
#include <sys/stat.h>

#include "check.h"
#include "nodes/mgmt_run.h"
#include "util/log.h"
#include "util/path.h"

#define PASSWORD "open-sesame-41"

struct world {
    char folder[64];
    char program[128];
    struct chsm_secret password;
    struct chsm_mgmt_tool tool;
    char log[65536];
};

static void on_log(void *ctx, enum chsm_level level, const char *line)
{
    struct world *w = ctx;
    size_t n = strlen(w->log);

    (void)level;
    (void)snprintf(w->log + n, sizeof w->log - n, "%s\n", line);
}

/* A script as the tool; `body` comes after a read-a-line function. */
static void open_world(struct world *w, const char *body)
{
    AUTO_FREE char *script = chsm_strf("#!/bin/sh\nask() { printf 'cloudmgmt>'; read -r line; }\n%s\n", body);
    struct chsm_err err = { 0 };

    *w = (struct world){ .folder = "/tmp/chsm-nodes-XXXXXX" };
    assert_non_null(script);
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->program, sizeof w->program, "%s/tool", w->folder);
    assert_ok(chsm_file_write(w->program, script, strlen(script), 0700, &err), err);
    assert_ok(chsm_secret_set(&w->password, PASSWORD, strlen(PASSWORD), &err), err);
    w->tool = (struct chsm_mgmt_tool){ .program = w->program, .directory = w->folder, .password = &w->password, .timeout = 10000 };
    chsm_log_open(on_log, w, CHSM_LOG_DEBUG);
}

static void close_world(struct world *w)
{
    chsm_log_open(NULL, NULL, CHSM_LOG_NOTE);
    assert_lacks(w->log, PASSWORD);
    chsm_secret_done(&w->password);
    (void)unlink(w->program);
    (void)rmdir(w->folder);
}

static void an_answer_in_pieces(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    AUTO_MGMT struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    /* A prompt in the middle of an answer does not end it, and neither does one that comes letter by letter. */
    open_world(&w, "echo hello; ask; printf 'one\\ncloudmgmt>'; printf 'two\\n'; printf cloud; sleep 0.2; printf 'mgmt>'; read -r line\n"
                   "[ \"$line\" = quit ]");
    assert_ok(chsm_mgmt_open(&w.tool, &m, &text, &err), err);
    assert_string_equal(chsm_buf_str(&text), "hello\n");
    assert_ok(chsm_mgmt_ask(m, "listUsers", &text, &err), err);
    assert_string_equal(chsm_buf_str(&text), "one\ncloudmgmt>two\n");
    chsm_mgmt_close(TAKE(m));
    close_world(&w);
}

static void the_tool_gets_a_terminal_of_its_own(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    AUTO_MGMT struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    (void)setenv("AZURE_CLIENT_SECRET", "not-for-tools", 1);
    open_world(&w, "test -t 0 && test -t 1 && echo terminal; echo \"[$TERM] [$AZURE_CLIENT_SECRET] [$1] [$(pwd)]\"; stty -a </dev/tty | tr ';' '\\n' | "
                   "grep -o -- '-echo ' | sort -u; ask");
    assert_ok(chsm_mgmt_open(&w.tool, &m, &text, &err), err);
    (void)unsetenv("AZURE_CLIENT_SECRET");
    assert_contains(chsm_buf_str(&text), "terminal\n[dumb] [] [azcloudhsm_resource.cfg] [");
    assert_contains(chsm_buf_str(&text), w.folder);
    assert_contains(chsm_buf_str(&text), "-echo ");
    chsm_mgmt_close(TAKE(m));
    close_world(&w);
}

static void the_password_goes_where_it_is_asked_for(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF_SECRET(1u << 20);
    AUTO_MGMT struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    open_world(&w, "ask; [ \"$line\" = 'loginHSM CO admin -hpswd' ] || exit 3; printf 'Enter password:'; read -r p\n"
                   "[ \"$p\" = " PASSWORD " ] && echo; echo \"loginHSM success on server 0(10.0.2.4) $p\"; ask; ask");
    assert_ok(chsm_mgmt_open(&w.tool, &m, &text, &err), err);
    assert_ok(chsm_mgmt_login(m, &text, &err), err);
    assert_contains(chsm_buf_str(&text), "loginHSM success on server 0");
    chsm_mgmt_close(TAKE(m));
    close_world(&w);
}

static void a_password_is_typed_once(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF_SECRET(1u << 20);
    AUTO_MGMT struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    open_world(&w, "ask; printf 'Enter password:'; read -r p; printf '\\nEnter password:'; read -r p; echo \"second $p\"; ask");
    assert_ok(chsm_mgmt_open(&w.tool, &m, &text, &err), err);
    assert_fails(chsm_mgmt_login(m, &text, &err), CHSM_SERVICE, err);
    assert_contains(err.text, "asked for a password");
    assert_lacks(chsm_buf_str(&text), "second");
    assert_fails(chsm_mgmt_ask(m, "listUsers", &text, &err), CHSM_SERVICE, err);
    chsm_mgmt_close(TAKE(m));
    close_world(&w);
}

/* A password that is asked for in answer to anything else than a login is not given. */
static void a_password_is_typed_for_a_login_alone(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    AUTO_MGMT struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    open_world(&w, "ask; printf 'Password: '; read -r p; echo \"got $p\"; ask");
    assert_ok(chsm_mgmt_open(&w.tool, &m, &text, &err), err);
    assert_fails(chsm_mgmt_ask(m, "listUsers", &text, &err), CHSM_SERVICE, err);
    assert_lacks(chsm_buf_str(&text), "got");
    chsm_mgmt_close(TAKE(m));
    close_world(&w);
}

/* What the tool says at its end may hold what was typed. */
static void errors_do_not_hold_the_password(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF_SECRET(1u << 20);
    AUTO_MGMT struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    open_world(&w, "ask; printf 'Enter password:'; read -r p; echo \"bad password $p\"; exit 9");
    assert_ok(chsm_mgmt_open(&w.tool, &m, &text, &err), err);
    assert_fails(chsm_mgmt_login(m, &text, &err), CHSM_SERVICE, err);
    assert_contains(err.text, "ended with status 9");
    assert_lacks(err.text, PASSWORD);
    assert_lacks(err.hint, PASSWORD);
    chsm_mgmt_close(TAKE(m));
    close_world(&w);
}

/* What the tool has started goes with it: it would hold our terminal, and perhaps a session on the HSM. */
static void nothing_is_left_behind(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    AUTO_MGMT struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;
    long child;
    char *end;

    (void)state;
    open_world(&w, "sleep 300 & echo $!; ask; [ \"$line\" = quit ]");
    assert_ok(chsm_mgmt_open(&w.tool, &m, &text, &err), err);
    child = strtol(chsm_buf_str(&text), &end, 10);
    assert_true(child > 1 && *end == '\n');
    assert_int_equal(kill((pid_t)child, 0), 0);
    chsm_mgmt_close(TAKE(m));
    /* It is init's to bury, which may take a moment: a zombie runs nothing. */
    for (int i = 0; i < 200 && kill((pid_t)child, 0) == 0; i++) {
        AUTO_BUF struct chsm_buf status = CHSM_BUF(1u << 16);
        char path[64];

        (void)snprintf(path, sizeof path, "/proc/%ld/stat", child);
        if (chsm_file_read(path, 1u << 16, &status, NULL) < 0 || strstr(chsm_buf_str(&status), ") Z "))
            break;
        assert_true(i < 199);
        (void)usleep(10000);
    }
    close_world(&w);
}

static void what_cannot_be_typed_is_refused(void **state)
{
    static const struct { const char *user, *password; bool in_line; } bad[] = {
        { "admin extra", PASSWORD, false }, { "-h", PASSWORD, false }, { "", PASSWORD, false },     { "admin", "two\nlines", false },
        { "admin", "two words", true },     { "admin", "-hpswd", true }, { "admin", "qu\"ote", true }, { "admin\n", PASSWORD, false },
    };
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    open_world(&w, "ask");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_ok(chsm_secret_set(&w.password, bad[i].password, strlen(bad[i].password), &err), err);
        w.tool.user = bad[i].user;
        w.tool.in_line = bad[i].in_line;
        assert_fails(chsm_mgmt_open(&w.tool, &m, &text, &err), CHSM_CONFIG, err);
        assert_lacks(err.text, bad[i].password);
    }
    close_world(&w);
}

static void a_tool_that_never_asks(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    struct chsm_mgmt *m = NULL;
    struct chsm_err err = { 0 };
    struct world w;

    (void)state;
    open_world(&w, "trap '' TERM HUP INT; echo 'cloudmgmt> is what I do not say'; while :; do sleep 1; done");
    w.tool.timeout = 400;
    assert_fails(chsm_mgmt_open(&w.tool, &m, &text, &err), CHSM_DEADLINE, err);
    assert_null(m);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_in_pieces),
        cmocka_unit_test(the_tool_gets_a_terminal_of_its_own),
        cmocka_unit_test(the_password_goes_where_it_is_asked_for),
        cmocka_unit_test(a_password_is_typed_once),
        cmocka_unit_test(a_password_is_typed_for_a_login_alone),
        cmocka_unit_test(errors_do_not_hold_the_password),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(what_cannot_be_typed_is_refused),
        cmocka_unit_test(a_tool_that_never_asks),
    };

    return cmocka_run_group_tests_name("nodes_run", tests, NULL, NULL);
}
