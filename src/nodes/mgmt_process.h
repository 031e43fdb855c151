/* SPDX-License-Identifier: Apache-2.0 */
/* A program on a pseudo-terminal: bytes in and out, and its end. Nothing here knows what is said. */
#ifndef CHSM_NODES_MGMT_PROCESS_H
#define CHSM_NODES_MGMT_PROCESS_H

#include <sys/types.h>

#include "util/buf.h"
#include "util/clock.h"

struct chsm_terminal {
    pid_t pid;          /* leader of its session and process group; 0 = none */
    int fd;             /* our end of the terminal, non-blocking; -1 = none */
};

/*
 * Starts argv[0] (a path) in `directory` (NULL = ours) with the environment that foreign programs get and TERM=dumb. The
 * terminal does not echo. CHSM_CONFIG when it cannot be started.
 */
CHSM_MUST_CHECK int chsm_terminal_start(struct chsm_terminal *t, char *const argv[], const char *directory, struct chsm_err *err);

/* Types n bytes. CHSM_DEADLINE, CHSM_INTERRUPTED; CHSM_SERVICE when the program has gone. */
CHSM_MUST_CHECK int chsm_terminal_write(struct chsm_terminal *t, const char *p, size_t n, chsm_deadline deadline,
                                        struct chsm_err *err);

/*
 * Waits at most `ms` for output and appends what is there. 1 = something came, 0 = nothing did, -1 = error: CHSM_DEADLINE,
 * CHSM_INTERRUPTED, CHSM_SERVICE when the program has ended (the text says how) or the buffer is full.
 */
CHSM_MUST_CHECK int chsm_terminal_read(struct chsm_terminal *t, int64_t ms, chsm_deadline deadline, struct chsm_buf *out,
                                       struct chsm_err *err);

/* Waits at most `grace` ms for its own end, then kills the whole group. */
void chsm_terminal_end(struct chsm_terminal *t, int64_t grace);

#endif
