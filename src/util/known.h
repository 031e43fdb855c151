/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets that this process holds at the moment, so that nothing it prints can contain one. secret.c keeps the list:
 * every struct chsm_secret is on it while it lives. Only addresses are kept, no copies.
 */
#ifndef CHSM_UTIL_KNOWN_H
#define CHSM_UTIL_KNOWN_H

#include "util/compat.h"

#define CHSM_KNOWN_RUN 8        /* so many bytes of a secret in a row are too many */
#define CHSM_KNOWN_MIN 4        /* shorter ones would take half of every text with them */

/* p[0..n) stays valid until it is forgotten. -1 = out of memory. Thread-safe. */
CHSM_MUST_CHECK int chsm_known_add(const char *p, size_t n);
void chsm_known_forget(const char *p);

/*
 * Sets mark[i] for every byte of text[0..n) that is part of CHSM_KNOWN_RUN bytes in a row of a known secret (of a whole one,
 * when it is shorter), be they written as they are, percent-encoded, as a form field or with JSON escapes. Other marks stay.
 * -1 = out of memory. Thread-safe.
 */
CHSM_MUST_CHECK int chsm_known_mark(const char *text, size_t n, unsigned char *mark);

/* Puts a '*' over every such byte of a text of less than 8 kB; a text that cannot be looked through is emptied. */
void chsm_known_cover(char *text);

#endif
