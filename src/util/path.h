/* SPDX-License-Identifier: Apache-2.0 */
/* Files: bounded reads, atomic writes. Paths in errors are printed as given. */
#ifndef CHSM_UTIL_PATH_H
#define CHSM_UTIL_PATH_H

#include "util/buf.h"

/* Appends the whole file to *ret. CHSM_CONFIG when it is missing, unreadable or larger than max bytes. */
CHSM_MUST_CHECK int chsm_file_read(const char *path, size_t max, struct chsm_buf *ret, struct chsm_err *err);

/*
 * Opens a file for reading; `what` is its name in errors. Never hangs: a FIFO that nobody writes to is given up after 10 s.
 * The descriptor is the caller's. CHSM_CONFIG, CHSM_INTERRUPTED.
 */
CHSM_MUST_CHECK int chsm_file_open(const char *path, const char *what, struct chsm_err *err);

/* Reads an open descriptor to its end, at most max bytes. CHSM_CONFIG, CHSM_INTERRUPTED. */
CHSM_MUST_CHECK int chsm_fd_read(int fd, size_t max, struct chsm_buf *ret, struct chsm_err *err);

/*
 * Writes a file so that a reader sees the old or the new content, never a part: temporary file in the same folder, fsync,
 * rename, fsync of the folder. mode is exact (umask does not apply). On failure the old file is as it was.
 */
CHSM_MUST_CHECK int chsm_file_write(const char *path, const void *data, size_t n, unsigned mode, struct chsm_err *err);

/* write() until all n bytes are out, through EINTR and short writes. */
CHSM_MUST_CHECK int chsm_fd_write(int fd, const void *data, size_t n, struct chsm_err *err);

/* mkdir -p: existing folders are left as they are; new ones get `mode`. */
CHSM_MUST_CHECK int chsm_dir_make(const char *path, unsigned mode, struct chsm_err *err);

/* "a/b" in fresh memory (b when it is absolute or a is ""). NULL when out of memory. The caller frees it. */
char *chsm_path_join(const char *a, const char *b);

/* The folder that a path lies in ("." when it names none), in fresh memory. NULL when out of memory. */
char *chsm_path_dir(const char *path);

#endif
