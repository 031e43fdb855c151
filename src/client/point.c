/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "client/file.h"
#include "client/point.h"
#include "util/clock.h"
#include "util/enc.h"

#define BACKUPS_MAX 1000u /* of one second */

void chsm_point_done(struct chsm_point *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct chsm_point_copy *c = &p->copies[i];

        free(c->path);
        free(c->old);
        free(c->new);
        free(c->backup);
        free(c->temp);
        if (c->lock >= 0)
            (void)close(c->lock);
        json_decref(c->from);
        json_decref(c->to);
    }
    free(p->copies);
    *p = (struct chsm_point){ 0 };
}

/* What may be replaced: a file of its own that its owner may write. */
static int check_copy(const char *path, struct chsm_err *err)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", path);
    if (S_ISLNK(st.st_mode)) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s is a symbolic link", path);
        return chsm_err_hint(err, "name the folder of the file that it leads to with --directory, or replace the link by a file");
    }
    if (S_ISREG(st.st_mode) && st.st_nlink > 1) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s has %lu names (hard links)", path, (unsigned long)st.st_nlink);
        return chsm_err_hint(err, "replacing one of them would leave the others as they are: make it a file of its own");
    }
    if (S_ISREG(st.st_mode) && ((st.st_mode & 0222) == 0 || access(path, W_OK) < 0)) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s is read-only (mode %04o)", path, (unsigned)st.st_mode & 07777);
        return chsm_err_hint(err, "make it writable, or run this as its owner");
    }
    return 0;
}

static json_t *hosts_of(const char *text, size_t n, const char *what)
{
    json_auto_t *cfg = NULL;
    json_t *hosts = json_array();

    if (chsm_resource_parse(text, n, what, &cfg, NULL) < 0)
        return hosts;
    for (size_t i = 0; chsm_resource_host(cfg, i); i++)
        (void)json_array_append_new(hosts, json_string(chsm_resource_host(cfg, i)));
    return hosts;
}

static int plan_copy(const char *path, const char *host, struct chsm_point_copy *c, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);

    c->lock = -1;
    c->path = strdup(path);
    if (!c->path)
        return chsm_oom(err);
    if (chsm_client_read(path, CHSM_CLIENT_FILE_MAX, &text, &c->st, err) < 0 ||
        chsm_resource_point(chsm_buf_str(&text), text.len, path, host, &c->new, err) < 0)
        return -1;
    /* One that is right already is not touched, so it may be anything that can be read. */
    if (c->new &&check_copy(path, err) < 0)
        return -1;
    c->old_len = text.len;
    c->from = hosts_of(chsm_buf_str(&text), text.len, path);
    c->to = c->new ? hosts_of(c->new, strlen(c->new), path) : json_incref(c->from);
    c->old = chsm_buf_take(&text);
    return c->old && c->from && c->to ? 0 : chsm_oom(err);
}

int chsm_point_plan(const struct chsm_paths *copies, const char *host, struct chsm_point *ret, struct chsm_err *err)
{
    AUTO_POINT struct chsm_point p = { .copies = calloc(copies->n + 1, sizeof *p.copies) };

    if (!p.copies)
        return chsm_oom(err);
    for (size_t i = 0; i < copies->n; i++) {
        p.n++;
        if (plan_copy(copies->v[i], host, &p.copies[i], err) < 0)
            return -1;
        p.changes += p.copies[i].new != NULL;
    }
    *ret = p;
    p = (struct chsm_point){ 0 };
    return 0;
}

/* PATH.bak-20261123T101112Z, and -2, -3, ... when there is one already. */
static char *backup_name(const char *path, int64_t now, unsigned try)
{
    char when[CHSM_TIME_LEN], compact[CHSM_TIME_LEN];
    size_t n = 0;

    chsm_time_format(now, /* ms= */ false, when);
    for (const char *p = when; *p; p++)
        if (*p != '-' && *p != ':')
            compact[n++] = *p;
    compact[n] = '\0';
    return try < 2 ? chsm_strf("%s.bak-%s", path, compact) : chsm_strf("%s.bak-%s-%u", path, compact, try);
}

static int write_backup(struct chsm_point_copy *c, int64_t now, struct chsm_err *err)
{
    for (unsigned try = 1; try < BACKUPS_MAX; try++) {
        AUTO_FREE char *name = backup_name(c->path, now, try);

        if (!name)
            return chsm_oom(err);
        if (chsm_client_create(name, c->old, c->old_len, &c->st, err) == 0) {
            c->backup = TAKE(name);
            return 0;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

static int write_temp(struct chsm_point_copy *c, const char *text, size_t n, struct chsm_err *err)
{
    unsigned char random[8];
    AUTO_FREE char *suffix = NULL;
    AUTO_FREE char *name = NULL;

    if (chsm_random(random, sizeof random, err) < 0)
        return -1;
    suffix = chsm_hex(random, sizeof random);
    name = suffix ? chsm_strf("%s.%s.tmp", c->path, suffix) : NULL;
    if (!name)
        return chsm_oom(err);
    if (chsm_client_create(name, text, n, &c->st, err) < 0)
        return -1;
    free(c->temp);
    c->temp = TAKE(name);
    return 0;
}

/* Removes what was staged; the copies themselves are not touched. */
static void unstage(struct chsm_point *p, bool backups)
{
    for (size_t i = 0; i < p->n; i++) {
        struct chsm_point_copy *c = &p->copies[i];

        if (c->temp)
            (void)unlink(c->temp);
        chsm_auto_free_(&c->temp);
        if (backups && c->backup) {
            (void)unlink(c->backup);
            chsm_auto_free_(&c->backup);
        }
    }
}

/* Somebody else may have written it meanwhile; their text would be lost. */
static int check_unchanged(const struct chsm_point_copy *c, struct chsm_err *err)
{
    struct stat st;

    if (lstat(c->path, &st) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", c->path);
    if (st.st_dev != c->st.st_dev || st.st_ino != c->st.st_ino || st.st_size != c->st.st_size ||
        st.st_mtim.tv_sec != c->st.st_mtim.tv_sec || st.st_mtim.tv_nsec != c->st.st_mtim.tv_nsec)
        return chsm_fail(err, CHSM_CONFIG, "%s was changed by somebody else at this moment", c->path);
    return 0;
}

/*
 * Two runs at once would each replace some of the copies. The lock is that of the old file: who comes later has read a new one, or finds
 * it held. Where there are no locks (some network file systems) there is none.
 */
static int hold(struct chsm_point_copy *c, struct chsm_err *err)
{
    c->lock = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (c->lock < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot open %s", c->path);
    if (flock(c->lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return chsm_fail(err, CHSM_CONFIG, "%s is being changed by somebody else at this moment", c->path);
    return 0;
}

int chsm_point_stage(struct chsm_point *p, int64_t now, struct chsm_err *err)
{
    for (size_t i = 0; i < p->n; i++) {
        struct chsm_point_copy *c = &p->copies[i];

        if (!c->new)
            continue;
        if (hold(c, err) < 0 || check_unchanged(c, err) < 0 || write_backup(c, now, err) < 0 || write_temp(c, c->new, strlen(c->new), err) < 0 ||
            chsm_client_sync_folder(c->path, err) < 0) {
            unstage(p, /* backups= */ true);
            return chsm_err_hint(err, "no copy of %s was changed", CHSM_RESOURCE_CFG);
        }
    }
    return 0;
}

static int replace(struct chsm_point_copy *c, struct chsm_err *err)
{
    if (rename(c->temp, c->path) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot replace %s", c->path);
    chsm_auto_free_(&c->temp);
    c->done = true;
    return chsm_client_sync_folder(c->path, err);
}

static int put_back(struct chsm_point_copy *c)
{
    c->done = false;
    return write_temp(c, c->old, c->old_len, NULL) < 0 || rename(c->temp, c->path) < 0 ||
                   chsm_client_sync_folder(c->path, NULL) < 0
               ? -1
               : 0;
}

int chsm_point_commit(struct chsm_point *p, struct chsm_err *err)
{
    const char *lost = NULL;
    size_t back = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct chsm_point_copy *c = &p->copies[i];

        if (!c->new || (check_unchanged(c, err) == 0 && replace(c, err) == 0))
            continue;
        for (size_t k = 0; k <= i; k++) {
            if (!p->copies[k].done)
                continue;
            back++;
            if (put_back(&p->copies[k]) < 0)
                lost = p->copies[k].path;
        }
        unstage(p, /* backups= */ false);
        if (lost)
            return chsm_err_hint(err, "%s could not be put back: its old text is in the file of that name with .bak-", lost);
        return back ? chsm_err_hint(err, "the %zu before it were put back: all copies are as they were", back)
                    : chsm_err_hint(err, "no copy was changed");
    }
    return 0;
}

int chsm_point_set_aside(const char *path, int64_t now, char **ret_backup, struct chsm_err *err)
{
    for (unsigned try = 1; try < BACKUPS_MAX; try++) {
        AUTO_FREE char *name = backup_name(path, now, try);

        if (!name)
            return chsm_oom(err);
        if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) == 0) {
            *ret_backup = TAKE(name);
            return chsm_client_sync_folder(path, err);
        }
        if (errno != EEXIST)
            return chsm_fail_errno(err, CHSM_CONFIG, "cannot move %s aside", path);
    }
    return chsm_fail(err, CHSM_CONFIG, "%s has %u backups of this second", path, BACKUPS_MAX);
}
