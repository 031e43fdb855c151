/* SPDX-License-Identifier: Apache-2.0 */
/* azcloudhsm_mgmt_util, simulated: the commands that change nothing, on the simulated clusters' nodes. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <termios.h>

#include "sim/keystore_users.h"
#include "sim/mgmt/tool.h"
#include "util/buf.h"
#include "util/json.h"
#include "util/path.h"

#define LINE_MAX_BYTES 1024

/* CHSM_SIM_MGMT_LOG=FILE: every command, one a line, without passwords, so that a test can see what was asked. */
static void log_command(const char *line)
{
    const char *path = getenv("CHSM_SIM_MGMT_LOG");
    FILE *f = path && *path ? fopen(path, "ae") : NULL;
    const char *login = strstr(line, "loginHSM");

    if (!f)
        return;
    (void)fprintf(f, "%s\n", login ? "loginHSM" : line);
    (void)fclose(f);
}

/* A line of input without its end; false at the end of input. */
static bool read_line(char line[LINE_MAX_BYTES], bool echo)
{
    if (!fgets(line, LINE_MAX_BYTES, stdin))
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (echo)
        printf("%s\n", line);
    return true;
}

/* As getpass(3): without echo, and what was typed before the question is forgotten. */
static bool read_password(char line[LINE_MAX_BYTES], bool echo)
{
    struct termios before, mode;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0, ok;

    if (terminal) {
        mode = before;
        mode.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode);
    }
    printf("Enter password:");
    (void)fflush(stdout);
    ok = read_line(line, echo);
    printf("\n\n");
    if (terminal)
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    return ok;
}

static bool password_ok(const struct sim_mgmt *m, const char *type, const char *name, const char *password)
{
    const json_t *user = strcmp(type, "CU") == 0 ? sim_users_find(m->world.users, name, strlen(name)) : NULL;

    if (strcmp(type, "CO") == 0)
        return strcmp(name, SIM_MGMT_OFFICER) == 0 && strcmp(password, SIM_MGMT_OFFICER_PASSWORD) == 0;
    return user && sim_user_password_ok(user, password, strlen(password));
}

static void log_in(struct sim_mgmt *m, char *rest)
{
    const char *type = strsep(&rest, " "), *name = strsep(&rest, " "), *password = strsep(&rest, " ");
    char typed[LINE_MAX_BYTES], server[64];
    bool ok;

    if (!type || !name || !password) {
        printf("usage: loginHSM <user-type> <user-name> <password |-hpswd>\n");
        return;
    }
    if (strcmp(password, "-hpswd") == 0 && !m->quirks.no_hpswd) {
        if (!read_password(typed, m->quirks.echo))
            return;
        password = typed;
    }
    ok = password_ok(m, type, name, password);
    for (size_t i = 0; i < m->world.servers; i++) {
        if (!sim_mgmt_up(m, i))
            continue;
        (void)sim_mgmt_name(m, i, server, sizeof server);
        if (ok && !m->quirks.login_fails[i]) {
            printf("loginHSM success on %s\n", server);
            m->logged_in = true;
        } else {
            printf("loginHSM failed on %s\nHSM Error: RET_USER_LOGIN_FAILURE\n", server);
        }
    }
    m->officer = m->logged_in && strcmp(type, "CO") == 0;
}

static void log_out(struct sim_mgmt *m)
{
    char server[64];

    for (size_t i = 0; i < m->world.servers; i++)
        if (sim_mgmt_up(m, i))
            printf("logoutHSM success on %s\n", sim_mgmt_name(m, i, server, sizeof server));
    m->logged_in = m->officer = false;
}

static void find_all(const struct sim_mgmt *m, const char *rest)
{
    if (!m->officer)
        printf("HSM Error: This operation requires a login as CO\n");
    else if (strcmp(rest, "0 1") == 0 && m->quirks.no_hash)
        printf("usage: findAllKeys <user id>\n");
    else if (strcmp(rest, "0 0") == 0 || strcmp(rest, "0 1") == 0)
        sim_mgmt_find_all(m, rest[2] == '1');
    else
        printf("usage: findAllKeys <user id> <hash 0|1>\n");
}

static void find_single(const struct sim_mgmt *m, const char *rest)
{
    char *end = NULL;
    unsigned long handle = strncmp(rest, "-k ", 3) == 0 ? strtoul(rest + 3, &end, 10) : 0;

    if (end && end != rest + 3 && *end == '\0')
        sim_mgmt_find_single(m, handle);
    else
        printf("usage: findSingleKey -k <key handle>\n");
}

/* What a quirk does to a command; true when there is no other answer. */
static bool misbehave(const struct sim_mgmt *m, const char *word)
{
    char line[LINE_MAX_BYTES];

    if (strcmp(m->quirks.garbage, word) == 0)
        printf("%%%% liquid 0x7f segment unexpected\n");
    while (strcmp(m->quirks.endless, word) == 0 && printf("1234567890(o),") > 0)
        continue;
    (void)fflush(stdout);
    while (strcmp(m->quirks.hang, word) == 0)
        (void)pause();
    if (strcmp(m->quirks.ask, word) == 0) {
        printf("Do you want to continue(y/n)?");
        (void)fflush(stdout);
        if (read_line(line, m->quirks.echo))
            log_command(line);
        return true;
    }
    return strcmp(m->quirks.empty, word) == 0;
}

static void answer(struct sim_mgmt *m, const char *word, char *rest)
{
    if (misbehave(m, word))
        return;
    if (strcmp(word, "loginHSM") == 0)
        log_in(m, rest);
    else if (strcmp(word, "logoutHSM") == 0)
        log_out(m);
    else if (strcmp(word, "getClusterInfo") == 0)
        sim_mgmt_cluster_info(m);
    else if (strcmp(word, "listUsers") == 0)
        sim_mgmt_list_users(m);
    else if (strcmp(word, "findAllKeys") == 0)
        find_all(m, rest);
    else if (strcmp(word, "findSingleKey") == 0)
        find_single(m, rest);
    else
        printf("%s: command not found\n", word);
}

/* Commands until quit or the end of input. */
static int serve(struct sim_mgmt *m)
{
    char line[LINE_MAX_BYTES], none[1] = "";

    for (;;) {
        char *rest = line, *word;

        sim_mgmt_prompt(m);
        if (!read_line(line, m->quirks.echo))
            return 0;
        log_command(line);
        word = strsep(&rest, " ");
        if (strcmp(m->quirks.die, word) == 0)
            return 77;
        if (strcmp(word, "quit") == 0 || strcmp(word, "exit") == 0)
            return 0;
        if (*word)
            answer(m, word, rest ? rest : none);
        (void)fflush(stdout);
    }
}

static int fail(const struct chsm_err *err)
{
    (void)fprintf(stderr, "azcloudhsm_mgmt_util: %s\n", err->text);
    return 1;
}

int main(int argc, char **argv)
{
    struct chsm_err err = { 0 };
    struct sim_mgmt m = { .logged_in = false };
    int rc;

    if (argc != 2) {
        (void)fputs("usage: azcloudhsm_mgmt_util azcloudhsm_resource.cfg\n", stderr);
        return 1;
    }
    if (sim_mgmt_quirks_parse(getenv("CHSM_SIM_MGMT"), &m.quirks, &err) < 0)
        return fail(&err);
    if (setenv("CHSM_SIM_RESOURCE_CFG", argv[1], 1) < 0 || sim_mgmt_world_load(&m.world, &err) < 0)
        return fail(&err);
    if (strcmp(m.quirks.die, "start") == 0)
        return 77;
    sim_mgmt_start(&m);
    (void)misbehave(&m, "start");
    rc = serve(&m);
    sim_mgmt_world_done(&m.world);
    return rc;
}
