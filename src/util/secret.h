/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets (PINs, client secrets, tokens): a type whose end wipes it, and which no log or report function takes. */
#ifndef CHSM_UTIL_SECRET_H
#define CHSM_UTIL_SECRET_H

#include "util/err.h"

#define CHSM_SECRET_MAX 65536

struct chsm_secret {
    char *p;        /* NUL-terminated; NULL when not set */
    size_t len;     /* without the NUL */
};

/* Overwrites memory in a way that the compiler may not remove. NULL is allowed. */
void chsm_wipe(void *p, size_t n);

/* Copies n bytes into s (what s held before is wiped). At most CHSM_SECRET_MAX bytes. */
CHSM_MUST_CHECK int chsm_secret_set(struct chsm_secret *s, const void *p, size_t n, struct chsm_err *err);

/* Wipes and frees; s is then unset. */
void chsm_secret_done(struct chsm_secret *s);
#define AUTO_SECRET AUTO(chsm_secret_done)

/*
 * Reads a secret from where `source` says (design: never from the command line itself):
 *   file:PATH   the file's content without one trailing newline
 *   env:NAME    an environment variable, which is then removed: no child inherits it, and it cannot be read twice
 *   fd:N        an open descriptor, read to its end, without one trailing newline
 *   cmd:ARGV    the output of a program, words split at blanks, no shell, 60 s at the most
 *   prompt      asked on the terminal without echo; `what` names it there ("PIN of cu1")
 * CHSM_CONFIG when there is no such source, or it is empty or larger than CHSM_SECRET_MAX.
 * The error never quotes the secret. *ret is untouched on failure.
 */
CHSM_MUST_CHECK int chsm_secret_read(const char *source, const char *what, struct chsm_secret *ret, struct chsm_err *err);

/* True when `source` has one of the forms above; for checking options and plans without reading anything. */
bool chsm_secret_source_ok(const char *source);

#endif
