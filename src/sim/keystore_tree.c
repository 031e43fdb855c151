/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sim/keystore_tree.h"
#include "util/buf.h"
#include "util/path.h"

#define FILE_MAX_BYTES (64u << 20)      /* a token object has a few KiB; users.json of 1,000 users less than 1 MiB */

static int copy_file(const char *from, const char *to, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf content = CHSM_BUF_SECRET(FILE_MAX_BYTES);
    AUTO_CLOSE int fd = -1;

    if (chsm_file_read(from, FILE_MAX_BYTES, &content, err) < 0)
        return -1;
    fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return chsm_fail_errno(err, CHSM_SERVICE, "%s", to);
    return chsm_fd_write(fd, chsm_buf_str(&content), content.len, err);
}

static int copy_entry(const char *from, const char *to, const char *name, struct chsm_err *err)
{
    AUTO_FREE char *source = chsm_path_join(from, name);
    AUTO_FREE char *target = chsm_path_join(to, name);
    struct stat st;

    if (!source || !target)
        return chsm_oom(err);
    if (lstat(source, &st) < 0)
        return chsm_fail_errno(err, CHSM_SERVICE, "%s", source);
    if (S_ISDIR(st.st_mode))
        return sim_tree_copy(source, target, err);
    if (S_ISREG(st.st_mode))
        return copy_file(source, target, err);
    return chsm_fail(err, CHSM_SERVICE, "%s: neither a file nor a folder", source);
}

int sim_tree_copy(const char *from, const char *to, struct chsm_err *err)
{
    const struct dirent *entry;
    int ret = -1;
    DIR *d = opendir(from);

    if (!d)
        return chsm_fail_errno(err, CHSM_SERVICE, "%s", from);
    if (mkdir(to, 0700) < 0) {
        (void)chsm_fail_errno(err, CHSM_SERVICE, "%s", to);
        goto done;
    }
    for (errno = 0; (entry = readdir(d)) != NULL; errno = 0) {
        if (chsm_streq(entry->d_name, ".") || chsm_streq(entry->d_name, ".."))
            continue;
        if (copy_entry(from, to, entry->d_name, err) < 0)
            goto done;
    }
    if (errno) {
        (void)chsm_fail_errno(err, CHSM_SERVICE, "%s", from);
        goto done;
    }
    ret = 0;
done:
    (void)closedir(d);
    return ret;
}

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *where)
{
    (void)st;
    (void)what;
    (void)where;
    return remove(path);
}

int sim_tree_remove(const char *path, struct chsm_err *err)
{
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return chsm_fail_errno(err, CHSM_SERVICE, "cannot remove %s", path);
    return 0;
}

int sim_tree_swap(const char *fresh, const char *present, struct chsm_err *err)
{
    AUTO_FREE char *old = NULL;

    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, present, RENAME_EXCHANGE) == 0)
        return sim_tree_remove(fresh, err);
    if (errno != EINVAL && errno != ENOSYS)     /* the file systems that cannot exchange say one of these */
        return chsm_fail_errno(err, CHSM_SERVICE, "cannot exchange %s and %s", fresh, present);
    old = chsm_strf("%s.old", present);
    if (!old)
        return chsm_oom(err);
    if (sim_tree_remove(old, err) < 0)
        return -1;
    if (rename(present, old) < 0 || rename(fresh, present) < 0)
        return chsm_fail_errno(err, CHSM_SERVICE, "cannot move %s to %s", fresh, present);
    return sim_tree_remove(old, err);
}
