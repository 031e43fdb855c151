/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

#include "util/buf.h"
#include "util/secret.h"

static int reserve(struct chsm_buf *b, size_t more, struct chsm_err *err)
{
    size_t need, cap;
    char *p;

    if (__builtin_add_overflow(b->len, more, &need) || need > b->max)
        return chsm_fail(err, CHSM_SERVICE, "more than %zu bytes", b->max);
    if (b->p && need < b->cap)
        return 0;
    cap = b->cap ? b->cap : 256;
    while (cap <= need)
        cap *= 2;
    /* realloc() would leave a secret behind in the old block. */
    p = malloc(cap);
    if (!p)
        return chsm_oom(err);
    if (b->p) {
        memcpy(p, b->p, b->len);
        if (b->secret)
            chsm_wipe(b->p, b->cap);
        free(b->p);
    }
    p[b->len] = '\0';
    b->p = p;
    b->cap = cap;
    return 0;
}

int chsm_buf_add(struct chsm_buf *b, const void *data, size_t n, struct chsm_err *err)
{
    if (reserve(b, n, err) < 0)
        return -1;
    if (n)
        memcpy(b->p + b->len, data, n);
    b->len += n;
    b->p[b->len] = '\0';
    return 0;
}

int chsm_buf_adds(struct chsm_buf *b, const char *s, struct chsm_err *err)
{
    return chsm_buf_add(b, s, strlen(s), err);
}

int chsm_buf_addf(struct chsm_buf *b, struct chsm_err *err, const char *fmt, ...)
{
    va_list ap, ap2;
    int n;

    va_start(ap, fmt);
    va_copy(ap2, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || reserve(b, (size_t)n, err) < 0) {
        va_end(ap2);
        return n < 0 ? chsm_oom(err) : -1;
    }
    (void)vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap2);
    va_end(ap2);
    b->len += (size_t)n;
    return 0;
}

const char *chsm_buf_str(const struct chsm_buf *b)
{
    return b->p ? b->p : "";
}

char *chsm_buf_take(struct chsm_buf *b)
{
    if (!b->p && reserve(b, 0, NULL) < 0)
        return NULL;
    b->len = b->cap = 0;
    return TAKE(b->p);
}

void chsm_buf_clear(struct chsm_buf *b)
{
    if (b->p && b->secret)
        chsm_wipe(b->p, b->cap);
    if (b->p)
        b->p[0] = '\0';
    b->len = 0;
}

void chsm_buf_done(struct chsm_buf *b)
{
    chsm_buf_clear(b);
    free(b->p);
    *b = (struct chsm_buf){ .max = b->max, .secret = b->secret };
}

char *chsm_strf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return n < 0 ? NULL : s;
}
