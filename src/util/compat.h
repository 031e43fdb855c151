/* SPDX-License-Identifier: Apache-2.0 */
/* Small language helpers that every file may use. */
#ifndef CHSM_UTIL_COMPAT_H
#define CHSM_UTIL_COMPAT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Runs `fn(&variable)` when the variable leaves its scope. */
#define AUTO(fn) __attribute__((cleanup(fn)))

/* Visible hand-over: yields the pointer and leaves NULL behind, so that the scope's cleanup frees nothing. */
#define TAKE(p) ({ __typeof__(p) take_ = (p); (p) = NULL; take_; })

#define CHSM_MUST_CHECK __attribute__((warn_unused_result))
#define CHSM_PRINTF(f, a) __attribute__((format(printf, f, a)))

static inline void chsm_auto_free_(void *p)
{
    void *held;

    memcpy(&held, p, sizeof held);  /* p is the address of a pointer to any type: no aliasing */
    free(held);
    memset(p, 0, sizeof held);
}
/* A malloc()ed pointer that frees itself: `AUTO_FREE char *s = ...`. */
#define AUTO_FREE AUTO(chsm_auto_free_)

static inline void chsm_auto_close_(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}
/* A file descriptor that closes itself; -1 means none. */
#define AUTO_CLOSE AUTO(chsm_auto_close_)

static inline bool chsm_streq(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

#endif
