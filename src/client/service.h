/* SPDX-License-Identifier: Apache-2.0 */
/* The client's daemon: its systemd unit, and the process, as far as files tell. */
#ifndef CHSM_CLIENT_SERVICE_H
#define CHSM_CLIENT_SERVICE_H

#include <sys/types.h>

#include "client/install.h"

struct chsm_service {
    char *unit; /* path of the unit; NULL = there is none */
    bool enabled, masked;
    struct chsm_paths argv; /* its last ExecStart=, drop-ins included; n == 0: none was understood */
    char *config;           /* the argument that is a .cfg file, as seen from here; NULL = none */
};
void chsm_service_done(struct chsm_service *s);
#define AUTO_SERVICE AUTO(chsm_service_done)

/* The unit of chsm_client_find(). A unit that cannot be read has no argv; that is no error. */
CHSM_MUST_CHECK int chsm_service_read(const char *root, const struct chsm_client *client, struct chsm_service *ret,
                                      struct chsm_err *err);

/*
 * The words of the last ExecStart= in the text of a unit or drop-in; an empty ExecStart= empties the list, as for systemd.exec(5).
 * Quotes are taken away, prefixes ("-", "@", ...) too; specifiers stay. *ret stays as it was when there is none. Pure.
 */
CHSM_MUST_CHECK int chsm_service_parse(const char *text, size_t n, struct chsm_paths *ret, struct chsm_err *err);

struct chsm_daemon {
    bool visible;    /* the processes could be looked at */
    pid_t pid;       /* 0 = it does not run */
    int64_t started; /* ms since 1970, to about 10; 0 = not known */
    struct chsm_paths argv;
    char *config;              /* the .cfg file that it was started with, as seen from here; NULL = none, or not known */
    struct chsm_daemon *other; /* further processes of that name, owned: which of them an application uses cannot be told */
    size_t others;
};
void chsm_daemon_done(struct chsm_daemon *d);
#define AUTO_DAEMON AUTO(chsm_daemon_done)

/* The process azcloudhsm_client, from `root`/proc. */
CHSM_MUST_CHECK int chsm_daemon_find(const char *root, struct chsm_daemon *ret, struct chsm_err *err);

/*
 * The local sockets that the process listens on: paths ("@name" without a file), or "TCP port N". *ret_seen is false when they cannot be
 * seen, which takes its user's rights or root's.
 */
CHSM_MUST_CHECK int chsm_daemon_sockets(const char *root, pid_t pid, struct chsm_paths *ret, bool *ret_seen,
                                        struct chsm_err *err);

/* Whether it was certainly started after a file with this change time (ms since 1970). */
bool chsm_daemon_newer(const struct chsm_daemon *d, int64_t changed);
/* Whether it was certainly started before. */
bool chsm_daemon_older(const struct chsm_daemon *d, int64_t changed);

#endif
