/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "client/file.h"
#include "client/run.h"
#include "util/environment.h"
#include "util/log.h"
#include "util/path.h"
#include "util/spawn.h"

#define SLICE 50 /* ms: how late its end, or an interruption, is noticed */

struct program {
    pid_t pid;
    int out;              /* what it prints */
    struct chsm_buf tail; /* the end of that */
};

int chsm_client_program(const char *name, char **ret, struct chsm_err *err)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/')) {
        if (access(name, X_OK) < 0)
            return chsm_fail_errno(err, CHSM_CONFIG, "the program %s", name);
        *ret = strdup(name);
        return *ret ? 0 : chsm_oom(err);
    }
    for (const char *p = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin"; *p; p += *p == ':') {
        size_t n = strcspn(p, ":");
        AUTO_FREE char *full = *p == '/' ? chsm_strf("%.*s/%s", (int)n, p, name) : NULL;

        p += n;
        if (full && access(full, X_OK) == 0) {
            *ret = TAKE(full);
            return 0;
        }
    }
    return chsm_fail(err, CHSM_CONFIG, "there is no program %s in PATH", name);
}

/* posix_spawn's functions return their error instead of setting errno. */
static int spawn(const char *path, char *const argv[], char **env, int out, pid_t *ret_pid)
{
    posix_spawn_file_actions_t a;
    int rc = posix_spawn_file_actions_init(&a);

    if (rc != 0)
        return rc;
    rc = posix_spawn_file_actions_addopen(&a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&a, out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&a, STDOUT_FILENO, STDERR_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(&a, STDERR_FILENO + 1);
    if (rc == 0)
        rc = chsm_spawn(path, &a, POSIX_SPAWN_SETPGROUP, argv, env, ret_pid);
    (void)posix_spawn_file_actions_destroy(&a);
    return rc;
}

static int start(const char *path, const struct chsm_paths *words, struct program *p, struct chsm_err *err)
{
    AUTO_FREE char **argv = calloc(words->n + 1, sizeof *argv);
    AUTO_FREE char **env = chsm_child_environment((const char *const *)environ, NULL, err);
    AUTO_CLOSE int out = -1;
    int ends[2], rc;

    if (!env)
        return -1;
    if (!argv)
        return chsm_oom(err);
    for (size_t i = 0; i < words->n; i++)
        argv[i] = words->v[i];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "pipe");
    p->out = ends[0];
    out = ends[1];
    /* Only our end must not wait: a program expects that writing works. */
    if (fcntl(out, F_SETFL, 0) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "pipe");
    rc = spawn(path, argv, env, out, &p->pid);
    return rc != 0 ? chsm_fail(err, CHSM_CONFIG, "cannot start %s: %s", path, strerrordesc_np(rc)) : 0;
}

/* Keeps the end: the last lines say what went wrong. */
static void take_output(struct program *p)
{
    char chunk[4096];
    ssize_t got;

    while ((got = read(p->out, chunk, sizeof chunk)) > 0) {
        size_t n = (size_t)got;

        for (size_t i = 0; i < n; i++)
            chunk[i] = chunk[i] ? chunk[i] : ' ';
        if (p->tail.len + n > CHSM_RUN_OUTPUT_MAX) {
            size_t drop = p->tail.len + n - CHSM_RUN_OUTPUT_MAX;

            memmove(p->tail.p, p->tail.p + drop, p->tail.len - drop);
            p->tail.len -= drop;
            p->tail.p[p->tail.len] = '\0';
        }
        if (chsm_buf_add(&p->tail, chunk, n, NULL) < 0)
            return;
    }
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

/* Until the program itself has ended: a daemon that it leaves behind may keep the pipe open. */
static int wait_end(struct program *p, const char *name, chsm_deadline deadline, struct chsm_err *err)
{
    while (!has_ended(p->pid)) {
        struct pollfd fd = { .fd = p->out, .events = POLLIN };
        int64_t left = chsm_deadline_left(deadline);

        if (chsm_interrupted())
            return chsm_fail(err, CHSM_INTERRUPTED, "interrupted while %s ran", name);
        if (left == 0)
            return chsm_fail(err, CHSM_DEADLINE, "%s did not end in time", name);
        /* A pipe that the program has closed would be ready for ever. */
        if (poll(&fd, 1, (int)(left < SLICE ? left : SLICE)) > 0 && !(fd.revents & POLLIN))
            (void)poll(NULL, 0, SLICE);
        take_output(p);
    }
    take_output(p);
    return 0;
}

static int outcome(struct program *p, const char *name, struct chsm_err *err)
{
    int status = 0;

    while (waitpid(p->pid, &status, 0) < 0)
        if (errno != EINTR)
            return chsm_fail_errno(err, CHSM_SERVICE, "waiting for %s", name);
    if (WIFSIGNALED(status))
        return chsm_fail(err, CHSM_SERVICE, "%s was ended by signal %d", name, WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? 0 : chsm_fail(err, CHSM_SERVICE, "%s ended with status %d", name, WEXITSTATUS(status));
}

int chsm_client_run(const char *program, const struct chsm_paths *words, chsm_deadline deadline, char **output,
                    struct chsm_err *err)
{
    struct program p = { .out = -1, .tail = CHSM_BUF(CHSM_RUN_OUTPUT_MAX) };
    int rc;

    rc = start(program, words, &p, err);
    if (rc == 0) {
        rc = wait_end(&p, words->v[0], deadline, err);
        if (rc < 0) {
            (void)kill(-p.pid, SIGKILL);
            (void)outcome(&p, words->v[0], NULL);
        } else
            rc = outcome(&p, words->v[0], err);
    }
    *output = chsm_redact_text(chsm_buf_str(&p.tail), NULL);
    chsm_buf_done(&p.tail);
    chsm_auto_close_(&p.out);
    return rc;
}

int chsm_client_run_words(const char *path, struct chsm_paths *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
    AUTO_PATHS struct chsm_paths words = { 0 };
    char *save = NULL;

    if (chsm_client_read(path, CHSM_CLIENT_FILE_MAX, &text, NULL, err) < 0)
        return -1;
    for (char *line = text.p ? strtok_r(text.p, "\r\n", &save) : NULL; line; line = strtok_r(NULL, "\r\n", &save)) {
        size_t n;

        line += strspn(line, " \t");
        for (n = strlen(line); n > 0 && strchr(" \t", line[n - 1]); n--)
            line[n - 1] = '\0';
        if (*line && *line != '#' && chsm_paths_add(&words, line, err) < 0)
            return -1;
    }
    if (words.n == 0)
        return chsm_fail(err, CHSM_CONFIG, "%s has no command: one word a line", path);
    *ret = words;
    words = (struct chsm_paths){ 0 };
    return 0;
}
