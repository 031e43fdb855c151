/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "client/file.h"
#include "util/path.h"

int chsm_client_read(const char *path, size_t max, struct chsm_buf *ret, struct stat *ret_st, struct chsm_err *err)
{
    /* Without O_NONBLOCK a FIFO of this name would be waited for until somebody writes. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot open %s", path);
    if (!S_ISREG(st.st_mode))
        return chsm_fail(err, CHSM_CONFIG, "%s is no regular file", path);
    if (chsm_fd_read(fd, max, ret, err) < 0)
        return chsm_err_prefix(err, "%s", path);
    if (ret_st)
        *ret_st = st;
    return 0;
}

static int64_t change_time(const struct stat *st)
{
    return (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;
}

int64_t chsm_client_changed(const char *path, const struct stat *st)
{
    AUTO_FREE char *part = strdup(path);
    int64_t last = change_time(st);

    for (size_t i = 1, n = strlen(path); part && i <= n; i++) {
        struct stat link;

        if (path[i] && path[i] != '/')
            continue;
        part[i] = '\0';
        if (lstat(part, &link) == 0 && S_ISLNK(link.st_mode) && change_time(&link) > last)
            last = change_time(&link);
        part[i] = path[i];
    }
    return last;
}

static int fill(int fd, const char *path, const void *data, size_t n, const struct stat *like, struct chsm_err *err)
{
    struct stat st;

    if (chsm_fd_write(fd, data, n, err) < 0)
        return chsm_err_prefix(err, "%s", path);
    if (fstat(fd, &st) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", path);
    /* The owner first: a change of owner takes the set-id bits away. */
    if ((st.st_uid != like->st_uid || st.st_gid != like->st_gid) && fchown(fd, like->st_uid, like->st_gid) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot give %s the owner of the file that it stands for", path);
    if (fchmod(fd, like->st_mode & 07777) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot set the mode of %s", path);
    return fsync(fd) < 0 ? chsm_fail_errno(err, CHSM_CONFIG, "cannot sync %s", path) : 0;
}

int chsm_client_create(const char *path, const void *data, size_t n, const struct stat *like, struct chsm_err *err)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        int why = errno;

        (void)chsm_fail_errno(err, CHSM_CONFIG, "cannot create %s", path);
        errno = why;
        return -1;
    }
    if (fill(fd, path, data, n, like, err) < 0) {
        (void)unlink(path);
        errno = 0;
        return -1;
    }
    return 0;
}

int chsm_client_sync_folder(const char *path, struct chsm_err *err)
{
    AUTO_FREE char *folder = chsm_path_dir(path);
    AUTO_CLOSE int fd = -1;

    if (!folder)
        return chsm_oom(err);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? chsm_fail_errno(err, CHSM_CONFIG, "cannot sync the folder %s", folder) : 0;
}
