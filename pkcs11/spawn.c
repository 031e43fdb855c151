/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "pkcs11/child.h"
#include "util/environment.h"
#include "util/spawn.h"

#define ABOVE 10        /* descriptors for the child are first lifted above those that it gets */

struct ends {           /* what the child gets; closed here afterwards */
    int sock;
    int out;
    int page;
    int null;
};

/* fd lifted out of the way of the child's numbers, close-on-exec; the old one is closed. */
static int lift(int fd)
{
    int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, ABOVE) : -1;

    if (fd >= 0)
        (void)close(fd);
    return high;
}

static int make_page(struct chsm_child *c, struct ends *e, struct chsm_err *err)
{
    e->page = lift(memfd_create("chsmctl-call", MFD_CLOEXEC));
    if (e->page < 0 || ftruncate(e->page, CHSM_WIRE_CALLS * sizeof(struct chsm_wire_call)) < 0)
        return chsm_fail_errno(err, CHSM_PKCS11, "cannot start the PKCS#11 process: memfd");
    c->page = fcntl(e->page, F_DUPFD_CLOEXEC, ABOVE);
    return c->page < 0 ? chsm_fail_errno(err, CHSM_PKCS11, "cannot start the PKCS#11 process") : 0;
}

static int make_ends(struct chsm_child *c, struct ends *e, struct chsm_err *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return chsm_fail_errno(err, CHSM_PKCS11, "cannot start the PKCS#11 process: socketpair");
    c->sock = lift(pair[0]);
    e->sock = lift(pair[1]);
    if (pipe2(pair, O_CLOEXEC) < 0)
        return chsm_fail_errno(err, CHSM_PKCS11, "cannot start the PKCS#11 process: pipe");
    c->out = lift(pair[0]);
    e->out = lift(pair[1]);
    e->null = lift(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (c->sock < 0 || e->sock < 0 || c->out < 0 || e->out < 0 || e->null < 0 || fcntl(c->out, F_SETFL, O_NONBLOCK) < 0)
        return chsm_fail_errno(err, CHSM_PKCS11, "cannot start the PKCS#11 process");
    return make_page(c, e, err);
}

/* posix_spawn's functions return their error instead of setting errno. */
static int set_actions(posix_spawn_file_actions_t *a, const struct ends *e, const char *directory)
{
    int rc = 0;

    if (directory)
        rc = posix_spawn_file_actions_addchdir_np(a, directory);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, e->null, STDIN_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, e->out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, e->out, STDERR_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, e->sock, CHSM_WIRE_FD);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, e->page, CHSM_WIRE_PAGE_FD);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(a, CHSM_WIRE_PAGE_FD + 1);
    return rc;
}

static int spawn(struct chsm_child *c, const struct ends *e, const struct chsm_hsm_target *target, char **env)
{
    char *argv[] = { (char[]){ "chsmctl" }, (char[]){ CHSM_WORKER_ARG }, NULL };
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc != 0)
        return rc;
    rc = set_actions(&actions, e, target->directory);
    if (rc == 0)
        rc = chsm_spawn("/proc/self/exe", &actions, POSIX_SPAWN_SETPGROUP, argv, env, &c->pid);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        c->pid = 0;
    return rc;
}

static int start(struct chsm_child *c, struct ends *e, const struct chsm_hsm_target *target, struct chsm_err *err)
{
    AUTO_FREE char **env = NULL;
    int rc;

    if (make_ends(c, e, err) < 0)
        return -1;
    env = chsm_child_environment((const char *const *)environ, target->env, err);
    if (!env)
        return -1;
    rc = spawn(c, e, target, env);
    if (rc != 0 && target->directory)
        return chsm_fail(err, CHSM_PKCS11, "cannot start the PKCS#11 process in %s: %s", target->directory, strerrordesc_np(rc));
    if (rc != 0)
        return chsm_fail(err, CHSM_PKCS11, "cannot start the PKCS#11 process: %s", strerrordesc_np(rc));
    return 0;
}

int chsm_child_start(struct chsm_child *c, const struct chsm_hsm_target *target, const struct chsm_secret *pin,
                     struct chsm_err *err)
{
    struct ends e = { -1, -1, -1, -1 };
    int rc = -1;

    *c = (struct chsm_child){ .sock = -1, .out = -1, .page = -1 };
    if (!pin || chsm_secret_set(&c->pin, pin->p, pin->len, err) == 0)
        rc = start(c, &e, target, err);
    chsm_auto_close_(&e.sock);
    chsm_auto_close_(&e.out);
    chsm_auto_close_(&e.page);
    chsm_auto_close_(&e.null);
    if (rc < 0)
        chsm_child_end(c, 0);
    return rc;
}
