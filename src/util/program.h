/* SPDX-License-Identifier: Apache-2.0 */
/* Runs another program to its end: no shell, no input, its two outputs apart, a limit of time. */
#ifndef CHSM_UTIL_PROGRAM_H
#define CHSM_UTIL_PROGRAM_H

#include "util/buf.h"

/* The program's path out of PATH; NULL when it is not there. Entries that are not absolute are passed over. malloc()ed. */
char *chsm_program_find(const char *name);

struct chsm_program {
    const char *path;
    char *const *argv, *const *env;     /* ended by NULL */
    const char *directory;              /* where it runs; NULL = here */
    int64_t limit;                      /* ms */
    struct chsm_buf *out, *errors;      /* stdout and stderr, up to their maxima */
};

/*
 * 0 when it ended by itself: *ret_status is its exit status, 128 and more for a signal. CHSM_CONFIG when it cannot be started or
 * prints too much, CHSM_DEADLINE when the time is over (it is killed with its children), CHSM_INTERRUPTED.
 */
CHSM_MUST_CHECK int chsm_program_run(const struct chsm_program *p, int *ret_status, struct chsm_err *err);

#endif
