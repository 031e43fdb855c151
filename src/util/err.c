/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>

#include "util/err.h"
#include "util/known.h"

/* The length of the letter at s in UTF-8 (RFC 3629 §4); 0 when there is none. */
static size_t letter(const unsigned char *s)
{
    size_t n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
    unsigned v = n > 1 ? *s & (0xffu >> (n + 1)) : *s;

    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) || (n == 4 && (v < 0x10000 || v > 0x10ffff)))
        return 0;
    return n;
}

/*
 * Texts go into JSON, which takes UTF-8 only: a letter that was cut at the end of the room would keep a whole text out of the
 * journal and the report, and so would a file's name in another encoding.
 */
static void tidy(char *text)
{
    unsigned char *p = (unsigned char *)text;

    while (*p) {
        size_t n = letter(p), end = 1;

        while ((p[end] & 0xc0) == 0x80)
            end++;
        if (n == 0 && !p[end])
            *p = '\0';
        else if (n == 0)
            *p = '?';
        p += n ? n : *p != '\0';
    }
}

CHSM_PRINTF(3, 0) static void fill(struct chsm_err *err, enum chsm_code code, const char *fmt, va_list ap)
{
    *err = (struct chsm_err){ .code = code };
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    chsm_known_cover(err->text);
    tidy(err->text);
}

int chsm_fail(struct chsm_err *err, enum chsm_code code, const char *fmt, ...)
{
    va_list ap;

    assert(code != CHSM_OK);
    if (!err)
        return -1;
    va_start(ap, fmt);
    fill(err, code, fmt, ap);
    va_end(ap);
    return -1;
}

int chsm_fail_errno(struct chsm_err *err, enum chsm_code code, const char *fmt, ...)
{
    int saved = errno;
    size_t used;
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    fill(err, code, fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    (void)snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(saved));
    tidy(err->text);
    return -1;
}

int chsm_err_prefix(struct chsm_err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    size_t used, rest;
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text - 3, fmt, ap);
    va_end(ap);
    chsm_known_cover(text);
    used = strlen(text);
    text[used++] = ':';
    text[used++] = ' ';
    /* An error text that is too long loses its end, not its beginning. */
    rest = strnlen(err->text, sizeof text - used - 1);
    memcpy(text + used, err->text, rest);
    text[used + rest] = '\0';
    memcpy(err->text, text, used + rest + 1);
    tidy(err->text);
    return -1;
}

int chsm_err_suffix(struct chsm_err *err, const char *fmt, ...)
{
    char text[sizeof err->text / 2];
    size_t used, n;
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    chsm_known_cover(text);
    n = strlen(text) + 1;
    used = strlen(err->text);
    /* A text that is too long gives way. */
    if (used + n > sizeof err->text)
        used = sizeof err->text - n;
    memcpy(err->text + used, text, n);
    tidy(err->text);
    return -1;
}

int chsm_err_hint(struct chsm_err *err, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    (void)vsnprintf(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
    chsm_known_cover(err->hint);
    tidy(err->hint);
    return -1;
}

int chsm_oom(struct chsm_err *err)
{
    return chsm_fail(err, CHSM_SERVICE, "out of memory");
}

const char *chsm_code_name(enum chsm_code code)
{
    switch (code) {
    case CHSM_OK: return "ok";
    case CHSM_FAILED: return "failed";
    case CHSM_USAGE: return "usage";
    case CHSM_CONFIG: return "config";
    case CHSM_AUTH: return "auth";
    case CHSM_SERVICE: return "service";
    case CHSM_PKCS11: return "pkcs11";
    case CHSM_REFUSED: return "refused";
    case CHSM_DEADLINE: return "deadline";
    case CHSM_EVIDENCE: return "evidence";
    case CHSM_INCONCLUSIVE: return "inconclusive";
    case CHSM_INTERRUPTED: return "interrupted";
    }
    return "unknown";
}
