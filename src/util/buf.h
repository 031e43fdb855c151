/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer that knows its maximum: a reply, a file, a line. Too much is an error, never a cut. */
#ifndef CHSM_UTIL_BUF_H
#define CHSM_UTIL_BUF_H

#include "util/err.h"

struct chsm_buf {
    char *p;        /* NULL while empty; else always followed by a NUL that len does not count */
    size_t len;
    size_t cap;
    size_t max;     /* most bytes it may ever hold */
    bool secret;    /* contents are wiped before memory is given back */
};

#define CHSM_BUF(maximum) ((struct chsm_buf){ .max = (maximum) })
#define CHSM_BUF_SECRET(maximum) ((struct chsm_buf){ .max = (maximum), .secret = true })

/* Appends n bytes. -1 with CHSM_SERVICE when the maximum would be passed; the buffer is then unchanged. */
CHSM_MUST_CHECK int chsm_buf_add(struct chsm_buf *b, const void *data, size_t n, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_buf_adds(struct chsm_buf *b, const char *s, struct chsm_err *err);
CHSM_MUST_CHECK CHSM_PRINTF(3, 4) int chsm_buf_addf(struct chsm_buf *b, struct chsm_err *err, const char *fmt, ...);

/* The contents as a NUL-terminated string, "" when empty. Valid until the buffer changes. */
const char *chsm_buf_str(const struct chsm_buf *b);

/* Hands the malloc()ed NUL-terminated contents to the caller and leaves the buffer empty. NULL only when out of memory. */
char *chsm_buf_take(struct chsm_buf *b);

/* Empties the buffer and keeps its memory (wiped when secret). */
void chsm_buf_clear(struct chsm_buf *b);

/* Frees the memory (wiped when secret); the buffer is empty and usable again. */
void chsm_buf_done(struct chsm_buf *b);
#define AUTO_BUF AUTO(chsm_buf_done)

/* printf into fresh memory; NULL when out of memory. The caller frees it. */
CHSM_PRINTF(1, 2) char *chsm_strf(const char *fmt, ...);

#endif
