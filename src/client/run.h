/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program that the user has named, word by word: no shell, a deadline, and what it prints is taken up. */
#ifndef CHSM_CLIENT_RUN_H
#define CHSM_CLIENT_RUN_H

#include "client/install.h"
#include "util/buf.h"
#include "util/clock.h"

#define CHSM_RUN_OUTPUT_MAX 16384u

/* Where a program is: looked for in PATH when its name has no "/". CHSM_CONFIG when there is none. The caller frees *ret. */
CHSM_MUST_CHECK int chsm_client_program(const char *name, char **ret, struct chsm_err *err);

/*
 * Runs `program` with `words` (the first is its name, one at least), with /dev/null as its input and the environment that foreign programs get.
 * *output gets the end of what it prints, redacted, and is no more than CHSM_RUN_OUTPUT_MAX long; also on failure. CHSM_CONFIG when it
 * cannot be started, CHSM_SERVICE when it fails, CHSM_DEADLINE and CHSM_INTERRUPTED, after which it and its children are killed.
 */
CHSM_MUST_CHECK int chsm_client_run(const char *program, const struct chsm_paths *words, chsm_deadline deadline, char **output,
                                    struct chsm_err *err);

/* The words of a command from a file: one a line; empty lines and those that begin with "#" do not count. CHSM_CONFIG. */
CHSM_MUST_CHECK int chsm_client_run_words(const char *path, struct chsm_paths *ret, struct chsm_err *err);

#endif
