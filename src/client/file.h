/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of a foreign program: read whole or not at all, and nothing but files. */
#ifndef CHSM_CLIENT_FILE_H
#define CHSM_CLIENT_FILE_H

#include <sys/stat.h>

#include "util/buf.h"

#define CHSM_CLIENT_FILE_MAX 65536u /* bytes of a configuration file */

/*
 * Appends the whole file to *ret, and its status to *ret_st (NULL = not wanted). Symbolic links are followed; what is no
 * regular file (a FIFO, a device, a folder) is an error at once, and nothing is waited for. CHSM_CONFIG when it cannot be
 * read or is larger than max bytes.
 */
CHSM_MUST_CHECK int chsm_client_read(const char *path, size_t max, struct chsm_buf *ret, struct stat *ret_st,
                                     struct chsm_err *err);

/*
 * When what a reader of `path` gets was last changed (ms since 1970), `st` being the status of the file: its change time, and those of
 * symbolic links in the path. The modification time is not asked: a file that was moved or copied here brings an old one along.
 */
int64_t chsm_client_changed(const char *path, const struct stat *st);

/*
 * Makes a file that was not there (no link is followed), with mode and owner of `like`, on the disk when this returns.
 * CHSM_CONFIG; then there is no such file. -1 with errno EEXIST when there was something of that name.
 */
CHSM_MUST_CHECK int chsm_client_create(const char *path, const void *data, size_t n, const struct stat *like,
                                       struct chsm_err *err);

/* Makes the names in the folder of `path` last. */
CHSM_MUST_CHECK int chsm_client_sync_folder(const char *path, struct chsm_err *err);

#endif
