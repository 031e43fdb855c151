/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <signal.h>

#include "util/spawn.h"

int chsm_spawn(const char *path, const posix_spawn_file_actions_t *actions, short apart, char *const argv[], char *const env[], pid_t *ret_pid)
{
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int rc = posix_spawnattr_init(&attributes);

    if (rc != 0)
        return rc;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    rc = posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | apart));
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(&attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(&attributes, &all);
    if (rc == 0)
        rc = posix_spawn(ret_pid, path, actions, &attributes, argv, env);
    (void)posix_spawnattr_destroy(&attributes);
    return rc;
}
