/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "nodes/mgmt_process.h"
#include "util/environment.h"
#include "util/secret.h"
#include "util/spawn.h"

#define POLL_SLICE 500      /* ms: how late an interruption is noticed when its signal went to another thread */
#define LEAVE_GRACE 500     /* ms that a program whose terminal has closed gets to be seen ending by itself */
#define COLUMNS 8192        /* wide, so that no line editor wraps */

/* A terminal without echo, output processing and flow control; lines are still lines, as the program expects. */
static int set_modes(int fd)
{
    struct winsize size = { .ws_row = 50, .ws_col = COLUMNS };
    struct termios mode;

    if (tcgetattr(fd, &mode) < 0)
        return -1;
    mode.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    mode.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
    if (tcsetattr(fd, TCSANOW, &mode) < 0)
        return -1;
    (void)ioctl(fd, TIOCSWINSZ, &size);
    return 0;
}

static int open_terminal(struct chsm_terminal *t, char *name, size_t size, struct chsm_err *err)
{
    t->fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0 || grantpt(t->fd) < 0 || unlockpt(t->fd) < 0 || ptsname_r(t->fd, name, size) != 0 || set_modes(t->fd) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot make a terminal for the management tool");
    return 0;
}

/* posix_spawn's functions return their error instead of setting errno. */
static int set_actions(posix_spawn_file_actions_t *a, const char *terminal, const char *directory)
{
    int rc = 0;

    if (directory)
        rc = posix_spawn_file_actions_addchdir_np(a, directory);
    /* The first terminal that the leader of a new session opens is its controlling one. */
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(a, STDIN_FILENO, terminal, O_RDWR, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, STDIN_FILENO, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, STDIN_FILENO, STDERR_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(a, STDERR_FILENO + 1);
    return rc;
}

static int spawn(struct chsm_terminal *t, char *const argv[], const char *directory, const char *terminal, char **env)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc != 0)
        return rc;
    rc = set_actions(&actions, terminal, directory);
    if (rc == 0)
        rc = chsm_spawn(argv[0], &actions, POSIX_SPAWN_SETSID, argv, env, &t->pid);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        t->pid = 0;
    return rc;
}

int chsm_terminal_start(struct chsm_terminal *t, char *const argv[], const char *directory, struct chsm_err *err)
{
    static const char *const additions[] = { "TERM=dumb", NULL };
    AUTO_FREE char **env = NULL;
    char name[64];
    int rc;

    *t = (struct chsm_terminal){ .fd = -1 };
    env = chsm_child_environment((const char *const *)environ, additions, err);
    if (!env)
        return -1;
    if (open_terminal(t, name, sizeof name, err) < 0) {
        chsm_terminal_end(t, 0);
        return -1;
    }
    rc = spawn(t, argv, directory, name, env);
    if (rc == 0)
        return 0;
    chsm_terminal_end(t, 0);
    return chsm_fail(err, CHSM_CONFIG, "cannot start %s%s%s: %s", argv[0], directory ? " in " : "", directory ? directory : "",
                     strerrordesc_np(rc));
}

/* Whether the program has ended, without taking its status: until then its number stays its own. */
static bool has_ended(const struct chsm_terminal *t)
{
    siginfo_t info = { .si_pid = 0 };

    return waitid(P_PID, (id_t)t->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == t->pid;
}

static bool wait_end(const struct chsm_terminal *t, int64_t ms)
{
    chsm_deadline deadline = chsm_mono() + ms;
    char sink[4096];

    while (!has_ended(t)) {
        if (chsm_mono() >= deadline)
            return false;
        /* Nobody waits for a program that waits for us to read. */
        if (t->fd < 0 || read(t->fd, sink, sizeof sink) <= 0)
            (void)poll(NULL, 0, 5);
    }
    return true;
}

static int gone(struct chsm_terminal *t, struct chsm_err *err)
{
    int status = 0;
    bool known;

    if (!wait_end(t, LEAVE_GRACE)) {
        chsm_terminal_end(t, 0);
        return chsm_fail(err, CHSM_SERVICE, "the management tool closed its terminal");
    }
    (void)kill(-t->pid, SIGKILL);
    known = waitpid(t->pid, &status, 0) == t->pid;
    t->pid = 0;
    if (known && WIFSIGNALED(status))
        return chsm_fail(err, CHSM_SERVICE, "the management tool died by signal %d (%s)", WTERMSIG(status),
                         sigdescr_np(WTERMSIG(status)) ? sigdescr_np(WTERMSIG(status)) : "unknown");
    return chsm_fail(err, CHSM_SERVICE, "the management tool ended with status %d", known ? WEXITSTATUS(status) : -1);
}

/* 1 = ready for events, 0 = not within ms. */
static int wait_for(struct chsm_terminal *t, short events, int64_t ms, chsm_deadline deadline, struct chsm_err *err)
{
    struct pollfd p = { .fd = t->fd, .events = events };
    int64_t left = chsm_deadline_left(deadline);

    if (t->pid == 0)
        return chsm_fail(err, CHSM_SERVICE, "the management tool has ended before");
    if (chsm_interrupted())
        return chsm_fail(err, CHSM_INTERRUPTED, "interrupted while the management tool was at work");
    if (left == 0)
        return chsm_fail(err, CHSM_DEADLINE, "the management tool did not answer in time");
    ms = ms < left ? ms : left;
    if (poll(&p, 1, (int)(ms < POLL_SLICE ? ms : POLL_SLICE)) < 0 && errno != EINTR)
        return chsm_fail_errno(err, CHSM_SERVICE, "cannot wait for the management tool");
    return p.revents != 0;
}

int chsm_terminal_write(struct chsm_terminal *t, const char *p, size_t n, chsm_deadline deadline, struct chsm_err *err)
{
    while (n > 0) {
        ssize_t done = write(t->fd, p, n);

        if (done >= 0) {
            p += done;
            n -= (size_t)done;
        } else if (errno == EAGAIN || errno == EINTR) {
            if (wait_for(t, POLLOUT, POLL_SLICE, deadline, err) < 0)
                return -1;
        } else {
            return gone(t, err);
        }
    }
    return 0;
}

int chsm_terminal_read(struct chsm_terminal *t, int64_t ms, chsm_deadline deadline, struct chsm_buf *out, struct chsm_err *err)
{
    char part[4096];
    ssize_t n;
    int rc = wait_for(t, POLLIN, ms, deadline, err);

    if (rc <= 0)
        return rc;
    n = read(t->fd, part, sizeof part);
    if (n > 0) {
        rc = chsm_buf_add(out, part, (size_t)n, err) < 0 ? chsm_err_prefix(err, "the management tool's output") : 1;
        chsm_wipe(part, (size_t)n);
        return rc;
    }
    /* Once the last program has closed the other end, reading it is EIO. */
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : gone(t, err);
}

void chsm_terminal_end(struct chsm_terminal *t, int64_t grace)
{
    if (t->pid != 0) {
        (void)wait_end(t, grace);
        /* Before its status is taken: afterwards the number could be another's. */
        (void)kill(-t->pid, SIGKILL);
        (void)kill(t->pid, SIGKILL);
        while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        t->pid = 0;
    }
    chsm_auto_close_(&t->fd);
}
