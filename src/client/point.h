/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the client point to a cluster: every copy of azcloudhsm_resource.cfg, all or none. In three parts, so that whatever can go
 * wrong goes wrong before anything has changed:
 *
 *   plan     reads all copies and makes the new texts; nothing is written
 *   stage    writes beside each copy that will change a backup (azcloudhsm_resource.cfg.bak-TIMESTAMP) and the new file under a name of
 *            its own, both on the disk, with the copy's mode and owner
 *   commit   renames the new files into place, one after the other. When one cannot be, those before it are put back
 *
 * A process that is killed at any moment leaves each copy whole, old or new.
 */
#ifndef CHSM_CLIENT_POINT_H
#define CHSM_CLIENT_POINT_H

#include <sys/stat.h>

#include "client/install.h"
#include "client/resource.h"

struct chsm_point_copy {
    char *path;
    char *old, *new; /* texts; new == NULL: it is right already */
    size_t old_len;
    struct stat st;      /* of the file that was read */
    json_t *from, *to;   /* arrays of host names */
    char *backup, *temp; /* set by staging */
    int lock;            /* held from staging on; -1 = none */
    bool done;
};

struct chsm_point {
    struct chsm_point_copy *copies;
    size_t n;
    size_t changes; /* copies that are not right yet */
};

void chsm_point_done(struct chsm_point *p);
#define AUTO_POINT AUTO(chsm_point_done)

/*
 * What has to change so that every one of `copies` points to the cluster that `host` is a node of. CHSM_CONFIG for a copy that cannot
 * be read or would have to be guessed at, that is a symbolic link or has a second name (replacing it would part the two), or is
 * read-only.
 */
CHSM_MUST_CHECK int chsm_point_plan(const struct chsm_paths *copies, const char *host, struct chsm_point *ret,
                                    struct chsm_err *err);

/*
 * `now` names the backups (ms since 1970). On failure nothing is left of it, and no copy has changed. CHSM_CONFIG as well when another
 * run is between this and its chsm_point_done(), or was since the plan.
 */
CHSM_MUST_CHECK int chsm_point_stage(struct chsm_point *p, int64_t now, struct chsm_err *err);

/* On failure the text says whether every copy is as it was; the backups stay. A copy that changed since it was read is not replaced. */
CHSM_MUST_CHECK int chsm_point_commit(struct chsm_point *p, struct chsm_err *err);

/* Moves a file aside to PATH.bak-TIMESTAMP, never over another file. *ret_backup is the caller's. */
CHSM_MUST_CHECK int chsm_point_set_aside(const char *path, int64_t now, char **ret_backup, struct chsm_err *err);

#endif
