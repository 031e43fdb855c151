/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>

#include "util/err.h"
#include "util/known.h"

CHSM_PRINTF(3, 0) static void fill(struct chsm_err *err, enum chsm_code code, const char *fmt, va_list ap)
{
    *err = (struct chsm_err){ .code = code };
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    chsm_known_cover(err->text);
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
