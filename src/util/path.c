/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "util/clock.h"
#include "util/enc.h"
#include "util/path.h"
#include "util/secret.h"

#define SILENCE_MS 10000        /* how long a pipe may have nothing to say */
#define LOOK_MS 100

/* Until there is something to read, or nobody is left who could write it. */
static int wait_readable(int fd, struct chsm_err *err)
{
    chsm_deadline until = chsm_deadline_in(SILENCE_MS);
    struct pollfd p = { .fd = fd, .events = POLLIN };

    while (poll(&p, 1, LOOK_MS) <= 0) {
        if (chsm_interrupted())
            return chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
        if (chsm_deadline_left(until) == 0)
            return chsm_fail(err, CHSM_CONFIG, "it is a pipe, and nothing came out of it in %d s", SILENCE_MS / 1000);
    }
    return 0;
}

int chsm_file_open(const char *path, const char *what, struct chsm_err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    int ready;

    if (fd < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot open %s", what);
    if (fstat(fd, &st) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot read %s", what);
    if (S_ISFIFO(st.st_mode)) {
        /* Before its writer has opened it, a FIFO looks like one that is at its end. */
        if (wait_readable(fd, err) < 0)
            return chsm_err_prefix(err, "%s", what);
    } else if (fcntl(fd, F_SETFL, 0) < 0) {
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot read %s", what);
    }
    ready = fd;
    fd = -1;
    return ready;
}

int chsm_fd_read(int fd, size_t max, struct chsm_buf *ret, struct chsm_err *err)
{
    char chunk[8192];
    size_t total = 0;
    ssize_t got;
    int rc = 0;

    while ((got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR && !chsm_interrupted())
            continue;
        if (got < 0 && errno == EAGAIN) {
            rc = wait_readable(fd, err);
            if (rc < 0)
                break;
            continue;
        }
        if (got < 0 && chsm_interrupted()) {
            rc = chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
            break;
        }
        if (got < 0) {
            rc = chsm_fail_errno(err, CHSM_CONFIG, "cannot read");
            break;
        }
        total += (size_t)got;
        if (total > max) {
            rc = chsm_fail(err, CHSM_CONFIG, "larger than %zu bytes", max);
            break;
        }
        rc = chsm_buf_add(ret, chunk, (size_t)got, err);
        if (rc < 0)
            break;
    }
    if (ret->secret)
        chsm_wipe(chunk, sizeof chunk);
    return rc;
}

int chsm_file_read(const char *path, size_t max, struct chsm_buf *ret, struct chsm_err *err)
{
    AUTO_CLOSE int fd = chsm_file_open(path, path, err);

    if (fd < 0)
        return -1;
    if (chsm_fd_read(fd, max, ret, err) < 0)
        return chsm_err_prefix(err, "%s", path);
    return 0;
}

int chsm_fd_write(int fd, const void *data, size_t n, struct chsm_err *err)
{
    const char *p = data;

    while (n) {
        ssize_t put = write(fd, p, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return chsm_fail_errno(err, CHSM_CONFIG, "cannot write");
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

char *chsm_path_join(const char *a, const char *b)
{
    size_t n = strlen(a);

    if (n == 0 || b[0] == '/')
        return strdup(b);
    return chsm_strf("%s%s%s", a, a[n - 1] == '/' ? "" : "/", b);
}

char *chsm_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int sync_dir(const char *path, struct chsm_err *err)
{
    AUTO_FREE char *dir = chsm_path_dir(path);
    AUTO_CLOSE int fd = -1;

    if (!dir)
        return chsm_oom(err);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot sync the folder %s", dir);
    return 0;
}

static int write_and_sync(int fd, const char *path, const void *data, size_t n, unsigned mode, struct chsm_err *err)
{
    if (chsm_fd_write(fd, data, n, err) < 0)
        return chsm_err_prefix(err, "%s", path);
    if (fchmod(fd, (mode_t)mode) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot set the mode of %s", path);
    if (fsync(fd) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot sync %s", path);
    return 0;
}

int chsm_file_write(const char *path, const void *data, size_t n, unsigned mode, struct chsm_err *err)
{
    AUTO_FREE char *temp = NULL;
    AUTO_CLOSE int fd = -1;
    unsigned char rnd[8];
    AUTO_FREE char *suffix = NULL;

    if (chsm_random(rnd, sizeof rnd, err) < 0)
        return -1;
    suffix = chsm_hex(rnd, sizeof rnd);
    temp = suffix ? chsm_strf("%s.%s.tmp", path, suffix) : NULL;
    if (!temp)
        return chsm_oom(err);
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot create %s", path);
    if (write_and_sync(fd, path, data, n, mode, err) < 0) {
        (void)unlink(temp);
        return -1;
    }
    if (rename(temp, path) < 0) {
        (void)chsm_fail_errno(err, CHSM_CONFIG, "cannot replace %s", path);
        (void)unlink(temp);
        return -1;
    }
    return sync_dir(path, err);
}

int chsm_dir_make(const char *path, unsigned mode, struct chsm_err *err)
{
    AUTO_FREE char *copy = strdup(path);
    struct stat st;

    if (!copy)
        return chsm_oom(err);
    for (char *p = copy + 1; *copy && *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(copy, (mode_t)mode) < 0 && errno != EEXIST)
            return chsm_fail_errno(err, CHSM_CONFIG, "cannot create the folder %s", copy);
        *p = '/';
    }
    if (mkdir(copy, (mode_t)mode) == 0)
        return 0;
    if (errno != EEXIST)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot create the folder %s", path);
    if (stat(copy, &st) < 0 || !S_ISDIR(st.st_mode))
        return chsm_fail(err, CHSM_CONFIG, "%s exists and is not a folder", path);
    return 0;
}
