/* SPDX-License-Identifier: Apache-2.0 */
/* The parent's end of a worker process: start, frames with a deadline, what the module prints, end. */
#ifndef CHSM_PKCS11_CHILD_H
#define CHSM_PKCS11_CHILD_H

#include <sys/types.h>

#include "pkcs11/hsm.h"
#include "pkcs11/wire.h"

#define CHSM_CHILD_LINE_MAX 4096u           /* longer lines of the module are not shown */
#define CHSM_CHILD_OUTPUT_MAX 65536u        /* more output than this is thrown away */

struct chsm_child {
    pid_t pid;                  /* 0 = none, or already waited for */
    int sock;
    int out;                    /* the module's stdout and stderr; -1 after its end */
    int page;                   /* memory file with the names of the calls being made */
    char in[1 << 16];           /* read from the socket, and not yet looked at */
    size_t in_at;
    size_t in_len;
    bool leaving;               /* was asked to leave */
    bool dead;                  /* nothing can be asked any more */
    struct chsm_secret pin;     /* for redaction only */
    char line[CHSM_CHILD_LINE_MAX + 1];
    size_t line_len;
    bool line_long;
    size_t printed;             /* bytes of output so far */
    char last[256];             /* the last line of the module, redacted */
};

/*
 * Starts this program again as a worker: working directory and environment as the target says, stdin from /dev/null, a
 * process group of its own (a Ctrl-C is for the parent), killed when the thread that called this ends. The PIN is copied.
 */
CHSM_MUST_CHECK int chsm_child_start(struct chsm_child *c, const struct chsm_hsm_target *target, const struct chsm_secret *pin,
                                     struct chsm_err *err);

/* Sends one frame. CHSM_DEADLINE (`limit` ms, for the text), CHSM_INTERRUPTED, or CHSM_PKCS11 when the child has died. */
CHSM_MUST_CHECK int chsm_child_send(struct chsm_child *c, enum chsm_wire_type type, const void *body, size_t n, int64_t limit,
                                    struct chsm_err *err);

/*
 * The next frame. `frame` is overwritten. Errors as above; each of them ends the child, and the text names the C_ call that
 * was being made.
 */
CHSM_MUST_CHECK int chsm_child_recv(struct chsm_child *c, unsigned char *ret_type, struct chsm_buf *frame, int64_t limit,
                                    struct chsm_err *err);

/* Ends the child for an error of the protocol that the caller has found: fills err with text. Always -1. */
int chsm_child_condemn(struct chsm_child *c, struct chsm_err *err, const char *text);

/* Asks the child to leave and does not wait for that; what is left to say is said by chsm_child_end(). */
void chsm_child_leave(struct chsm_child *c, int64_t grace);

/* Asks the child to leave where that has not been done, waits `grace` ms, kills it otherwise; a warning when it did not end well. */
void chsm_child_end(struct chsm_child *c, int64_t grace);

#endif
