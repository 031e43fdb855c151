/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program with nothing of this process but what is meant for it. */
#ifndef CHSM_UTIL_SPAWN_H
#define CHSM_UTIL_SPAWN_H

#include <spawn.h>

#include "util/compat.h"

/*
 * posix_spawn() of `path` with no signal blocked and all at their defaults; `apart` is POSIX_SPAWN_SETPGROUP or
 * POSIX_SPAWN_SETSID: a Ctrl-C is for this program. 0 and *ret_pid, else the error number (errno is not set).
 */
CHSM_MUST_CHECK int chsm_spawn(const char *path, const posix_spawn_file_actions_t *actions, short apart, char *const argv[], char *const env[],
                               pid_t *ret_pid);

#endif
