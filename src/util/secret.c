/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>

#include <openssl/crypto.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/known.h"
#include "util/path.h"
#include "util/secret.h"

#define CMD_WORDS_MAX 32
#define CMD_TIMEOUT_MS 60000

extern char **environ;

void chsm_wipe(void *p, size_t n)
{
    if (p)
        OPENSSL_cleanse(p, n);
}

int chsm_secret_set(struct chsm_secret *s, const void *p, size_t n, struct chsm_err *err)
{
    char *copy;

    if (n > CHSM_SECRET_MAX)
        return chsm_fail(err, CHSM_CONFIG, "a secret of more than %d bytes", CHSM_SECRET_MAX);
    copy = malloc(n + 1);
    if (!copy)
        return chsm_oom(err);
    if (n)
        memcpy(copy, p, n);
    copy[n] = '\0';
    if (chsm_known_add(copy, n) < 0) {
        chsm_wipe(copy, n);
        free(copy);
        return chsm_oom(err);
    }
    chsm_secret_done(s);
    s->p = copy;
    s->len = n;
    return 0;
}

void chsm_secret_done(struct chsm_secret *s)
{
    if (s->p) {
        chsm_known_forget(s->p);
        chsm_wipe(s->p, s->len + 1);
    }
    free(s->p);
    *s = (struct chsm_secret){ 0 };
}

static int from_fd(int fd, struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF_SECRET(CHSM_SECRET_MAX);
    size_t n;

    if (chsm_fd_read(fd, CHSM_SECRET_MAX, &b, err) < 0)
        return -1;
    n = b.len;
    if (n && b.p[n - 1] == '\n') {
        n--;
        if (n && b.p[n - 1] == '\r')
            n--;
    }
    if (n == 0)
        return chsm_fail(err, CHSM_CONFIG, "it is empty");
    if (memchr(b.p, '\0', n))
        return chsm_fail(err, CHSM_CONFIG, "it contains a NUL byte");
    return chsm_secret_set(ret, b.p, n, err);
}

static int from_file(const char *path, struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_CLOSE int fd = chsm_file_open(path, "it", err);

    if (fd < 0)
        return -1;
    return from_fd(fd, ret, err);
}

static int from_env(const char *name, struct chsm_secret *ret, struct chsm_err *err)
{
    const char *value = getenv(name);

    if (!value || !*value)
        return chsm_fail(err, CHSM_CONFIG, "the variable is not set or empty");
    if (chsm_secret_set(ret, value, strlen(value), err) < 0)
        return -1;
    /* Programs that are started later, and libraries that they load, must not inherit it. */
    (void)unsetenv(name);
    return 0;
}

static bool fd_number(const char *text, int *ret)
{
    char *end;
    long n;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    n = strtol(text, &end, 10);
    if (*end || errno || n > INT_MAX)
        return false;
    *ret = (int)n;
    return true;
}

/* Splits at blanks in place. Returns the number of words, 0 when there are none or too many. */
static size_t split(char *text, char *words[CMD_WORDS_MAX + 1])
{
    size_t n = 0;
    char *save = NULL;

    for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
        if (n == CMD_WORDS_MAX)
            return 0;
        words[n++] = w;
    }
    words[n] = NULL;
    return n;
}

static int reap(pid_t pid, struct chsm_err *err)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return chsm_fail_errno(err, CHSM_CONFIG, "waiting for the program");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return chsm_fail(err, CHSM_CONFIG, "the program ended with exit status %d", WEXITSTATUS(status));
    return chsm_fail(err, CHSM_CONFIG, "the program was ended by signal %d", WTERMSIG(status));
}

/* Waits for output within the time limit, so that a program that hangs does not hang us. */
static int collect(int fd, pid_t pid, struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF_SECRET(CHSM_SECRET_MAX);
    chsm_deadline deadline = chsm_deadline_in(CMD_TIMEOUT_MS);
    char chunk[512];
    ssize_t got = 1;
    int rc = 0;

    while (rc == 0 && got > 0) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t left = chsm_deadline_left(deadline);

        if (left == 0 || poll(&p, 1, (int)left) == 0)
            rc = chsm_fail(err, CHSM_DEADLINE, "the program did not answer within %d s", CMD_TIMEOUT_MS / 1000);
        else if ((got = read(fd, chunk, sizeof chunk)) > 0 && chsm_buf_add(&b, chunk, (size_t)got, err) < 0)
            rc = chsm_fail(err, CHSM_CONFIG, "the program printed more than %d bytes", CHSM_SECRET_MAX);
        else if (got < 0 && errno == EINTR && !chsm_interrupted())
            got = 1;
    }
    chsm_wipe(chunk, sizeof chunk);
    if (rc < 0) {
        (void)kill(pid, SIGKILL);
        (void)reap(pid, NULL);
        return -1;
    }
    if (reap(pid, err) < 0)
        return -1;
    if (b.len && b.p[b.len - 1] == '\n')
        b.p[--b.len] = '\0';
    if (b.len == 0)
        return chsm_fail(err, CHSM_CONFIG, "the program printed nothing");
    return chsm_secret_set(ret, b.p, b.len, err);
}

static int from_cmd(const char *command, struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_FREE char *copy = strdup(command);
    AUTO_CLOSE int out = -1;
    char *words[CMD_WORDS_MAX + 1];
    posix_spawn_file_actions_t fa;
    int fds[2], rc;
    pid_t pid;

    if (!copy)
        return chsm_oom(err);
    if (split(copy, words) == 0)
        return chsm_fail(err, CHSM_CONFIG, "no program, or more than %d words", CMD_WORDS_MAX);
    if (pipe2(fds, O_CLOEXEC) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "pipe");
    out = fds[0];
    (void)posix_spawn_file_actions_init(&fa);
    (void)posix_spawn_file_actions_adddup2(&fa, fds[1], STDOUT_FILENO);
    rc = posix_spawnp(&pid, words[0], &fa, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&fa);
    (void)close(fds[1]);
    if (rc != 0)
        return chsm_fail(err, CHSM_CONFIG, "cannot start %s: %s", words[0], strerror(rc));
    return collect(out, pid, ret, err);
}

static int from_prompt(const char *what, struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_CLOSE int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    AUTO_BUF struct chsm_buf b = CHSM_BUF_SECRET(CHSM_SECRET_MAX);
    struct termios saved, quiet;
    ssize_t got = 0;
    char c = 0;
    int rc = 0;

    if (tty < 0 || tcgetattr(tty, &saved) < 0)
        return chsm_fail(err, CHSM_CONFIG, "there is no terminal to ask on");
    quiet = saved;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)dprintf(tty, "%s: ", what);
    (void)tcsetattr(tty, TCSAFLUSH, &quiet);
    while (rc == 0 && (got = read(tty, &c, 1)) == 1 && c != '\n')
        rc = chsm_buf_add(&b, &c, 1, err);
    (void)tcsetattr(tty, TCSAFLUSH, &saved);
    (void)dprintf(tty, "\n");
    chsm_wipe(&c, sizeof c);
    if (rc < 0)
        return -1;
    if (got < 0 && chsm_interrupted())
        return chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
    if (b.len == 0)
        return chsm_fail(err, CHSM_CONFIG, "nothing was entered");
    return chsm_secret_set(ret, b.p, b.len, err);
}

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 && text[n] ? text + n : NULL;
}

bool chsm_secret_source_ok(const char *source)
{
    const char *fd = after(source, "fd:");
    int n;

    return after(source, "file:") || after(source, "env:") || after(source, "cmd:") || (fd && fd_number(fd, &n)) ||
           strcmp(source, "prompt") == 0;
}

int chsm_secret_read(const char *source, const char *what, struct chsm_secret *ret, struct chsm_err *err)
{
    const char *rest;
    int rc, fd;

    if ((rest = after(source, "file:")))
        rc = from_file(rest, ret, err);
    else if ((rest = after(source, "env:")))
        rc = from_env(rest, ret, err);
    else if ((rest = after(source, "cmd:")))
        rc = from_cmd(rest, ret, err);
    else if ((rest = after(source, "fd:")) && fd_number(rest, &fd))
        rc = from_fd(fd, ret, err);
    else if (strcmp(source, "prompt") == 0)
        rc = from_prompt(what, ret, err);
    else {
        /* The text is not quoted: somebody may have put the secret itself here. */
        (void)chsm_fail(err, CHSM_CONFIG, "%s: not a source of a secret", what);
        return chsm_err_hint(err, "use file:PATH, env:NAME, fd:N, cmd:PROGRAM ARGUMENTS or prompt");
    }
    if (rc < 0 && (rest = after(source, "cmd:")))
        return chsm_err_prefix(err, "%s (from a program)", what);
    return rc < 0 ? chsm_err_prefix(err, "%s (%s)", what, source) : 0;
}
