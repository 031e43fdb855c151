/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util/clock.h"
#include "util/program.h"
#include "util/spawn.h"

#define LOOK_MS 20      /* how often its end and an interrupt are looked for */
#define GRACE_MS 200

char *chsm_program_find(const char *name)
{
    const char *at = getenv("PATH");
    struct stat st;

    while (at && *at) {
        size_t n = strcspn(at, ":");
        AUTO_FREE char *path = *at == '/' ? chsm_strf("%.*s/%s", (int)n, at, name) : NULL;

        if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
            return TAKE(path);
        at += n;
        at += *at == ':';
    }
    return NULL;
}

static int start(const struct chsm_program *p, const int out[2], const int errors[2], pid_t *ret_pid)
{
    posix_spawn_file_actions_t a;
    int rc = posix_spawn_file_actions_init(&a);

    if (rc != 0)
        return rc;
    if (p->directory)
        rc = posix_spawn_file_actions_addchdir_np(&a, p->directory);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(&a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&a, out[1], STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&a, errors[1], STDERR_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(&a, STDERR_FILENO + 1);
    if (rc == 0)
        rc = chsm_spawn(p->path, &a, POSIX_SPAWN_SETPGROUP, p->argv, p->env, ret_pid);
    (void)posix_spawn_file_actions_destroy(&a);
    return rc;
}

/* What there is on one pipe; the descriptor is closed and becomes -1 at its end. */
static int take(struct pollfd *p, struct chsm_buf *to, struct chsm_err *err)
{
    char room[4096];
    ssize_t n;
    int rc = 0;

    if (p->fd < 0 || !p->revents)
        return 0;
    n = read(p->fd, room, sizeof room);
    if (n > 0)
        rc = chsm_buf_add(to, room, (size_t)n, err);
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        chsm_auto_close_(&p->fd);
    if (to->secret)
        explicit_bzero(room, sizeof room);
    return rc;
}

/* Looks whether it has ended, without waiting. */
static bool ended(pid_t pid, int *state)
{
    return waitpid(pid, state, WNOHANG) == pid;
}

/*
 * Until the program has ended and said all. A child of its own that keeps the pipes open is not waited for: what is not there
 * GRACE_MS after the end is not its output. *ret_over: it has ended, with *state.
 */
static int collect(const struct chsm_program *p, pid_t pid, struct pollfd in[2], bool *ret_over, int *state, struct chsm_err *err)
{
    chsm_deadline until = chsm_deadline_in(p->limit);
    int64_t over_since = 0;
    int rc = 0;

    while (rc == 0 && (!*ret_over || ((in[0].fd >= 0 || in[1].fd >= 0) && chsm_mono() - over_since < GRACE_MS))) {
        if (chsm_interrupted())
            rc = chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
        else if (chsm_deadline_left(until) == 0)
            rc = chsm_fail(err, CHSM_DEADLINE, "%s did not end in %lld s", p->argv[0], (long long)p->limit / 1000);
        else if (poll(in, 2, LOOK_MS) > 0)
            rc = take(&in[0], p->out, err) < 0 || take(&in[1], p->errors, err) < 0 ? -1 : 0;
        if (!*ret_over && ended(pid, state)) {
            *ret_over = true;
            over_since = chsm_mono();
        }
    }
    return rc;
}

int chsm_program_run(const struct chsm_program *p, int *ret_status, struct chsm_err *err)
{
    AUTO(chsm_auto_close_) int out_end = -1;
    int out[2] = { -1, -1 }, errors[2] = { -1, -1 }, state = 0, rc;
    bool over = false;
    struct pollfd in[2];
    pid_t pid = 0;

    if (pipe2(out, O_CLOEXEC) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "pipe");
    out_end = out[1];
    if (pipe2(errors, O_CLOEXEC) < 0) {
        chsm_auto_close_(&out[0]);
        return chsm_fail_errno(err, CHSM_CONFIG, "pipe");
    }
    rc = start(p, out, errors, &pid);
    chsm_auto_close_(&out_end);
    chsm_auto_close_(&errors[1]);
    in[0] = (struct pollfd){ .fd = out[0], .events = POLLIN };
    in[1] = (struct pollfd){ .fd = errors[0], .events = POLLIN };
    if (rc != 0)
        (void)chsm_fail(err, CHSM_CONFIG, "cannot start %s: %s", p->path, strerrordesc_np(rc));
    else
        rc = collect(p, pid, in, &over, &state, err);
    chsm_auto_close_(&in[0].fd);
    chsm_auto_close_(&in[1].fd);
    if (pid > 0 && !over) {
        (void)kill(-pid, SIGKILL);
        while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
            continue;
    }
    if (rc != 0)
        return -1;
    *ret_status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return 0;
}
