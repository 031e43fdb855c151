/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <stdarg.h>

#include "util/buf.h"
#include "util/log.h"

#define LINE_MAX_BYTES 4096
#define TEXT_MAX (1u << 20)
#define REDACTED "REDACTED"

static chsm_log_fn *sink;
static void *sink_ctx;
static enum chsm_level floor_level = CHSM_LOG_NOTE;

void chsm_log_open(chsm_log_fn *fn, void *ctx, enum chsm_level lowest)
{
    sink = fn;
    sink_ctx = ctx;
    floor_level = lowest;
}

bool chsm_log_on(enum chsm_level level)
{
    return sink && level >= floor_level;
}

void chsm_log(enum chsm_level level, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;

    if (!chsm_log_on(level))
        return;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    /* Foreign text may hold escape sequences; a terminal must not obey them. */
    for (char *p = line; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = '?';
    sink(sink_ctx, level, line);
}

static bool harmless(const char *name, size_t n)
{
    static const char *const names[] = {
        "api-version", "resource", "restype", "comp", "prefix", "delimiter", "$filter", "$skiptoken", "maxresults", "scope", "client_id",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0)
            return true;
    return false;
}

static int add_query(struct chsm_buf *out, const char *query)
{
    while (*query && *query != '#') {
        size_t all = strcspn(query, "&#"), name = strcspn(query, "=&#");
        bool keep = harmless(query, name) || name == all;

        if (chsm_buf_add(out, query, keep ? all : name, NULL) < 0)
            return -1;
        if (!keep && chsm_buf_adds(out, "=" REDACTED, NULL) < 0)
            return -1;
        query += all;
        if (*query == '&' && chsm_buf_add(out, query++, 1, NULL) < 0)
            return -1;
    }
    /* Some sign-in answers carry their token in the fragment. */
    return *query ? chsm_buf_adds(out, "#" REDACTED, NULL) : 0;
}

char *chsm_redact_url(const char *url)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(TEXT_MAX);
    const char *rest = strstr(url, "://");
    size_t authority, at = 0;

    if (rest) {
        rest += 3;
        if (chsm_buf_add(&out, url, (size_t)(rest - url), NULL) < 0)
            return NULL;
        authority = strcspn(rest, "/?#");
        for (size_t i = 0; i < authority; i++)
            if (rest[i] == '@')
                at = i + 1;
        url = rest + at;
    }
    authority = strcspn(url, "?#");
    if (chsm_buf_add(&out, url, authority, NULL) < 0)
        return NULL;
    url += authority;
    if (*url == '?' && chsm_buf_add(&out, url++, 1, NULL) < 0)
        return NULL;
    if (add_query(&out, url) < 0)
        return NULL;
    return chsm_buf_take(&out);
}

/* Length of a token-like run (JWT, base64, percent-encoded) at p. */
static size_t token_run(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || (p[n] && strchr("-_.~+/=%", p[n])))
        n++;
    return n;
}

/* Length of the secret that begins here, and how much before it stays readable; 0 when there is none. */
static size_t secret_at(const char *text, const char *p, const char *const *secrets, size_t *ret_keep)
{
    static const char *const prefixes[] = {
        "Bearer ", "sig=", "client_secret=", "client_assertion=", "access_token=", "\"access_token\":\"", "\"client_secret\":\"",
        "\"access_token\": \"", "\"client_secret\": \"", "code=", "token=", "&s=", "&c=", "&h=",
    };

    size_t longest = 0;

    *ret_keep = 0;
    for (size_t i = 0; secrets && secrets[i]; i++)
        if (strlen(secrets[i]) > longest && strncmp(p, secrets[i], strlen(secrets[i])) == 0)
            longest = strlen(secrets[i]);
    if (longest)
        return longest;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (strncasecmp(p, prefixes[i], strlen(prefixes[i])) == 0) {
            *ret_keep = strlen(prefixes[i]);
            return *ret_keep + token_run(p + *ret_keep);
        }
    /* A JWT anywhere: {"... in base64url. */
    if (strncmp(p, "eyJ", 3) == 0 && (p == text || !isalnum((unsigned char)p[-1])) && token_run(p) > 20)
        return token_run(p);
    return 0;
}

char *chsm_redact_text(const char *text, const char *const *secrets)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(4 * TEXT_MAX);
    const char *p = text;

    while (*p) {
        size_t keep, n = secret_at(text, p, secrets, &keep);
        int rc;

        if (n > keep)
            rc = chsm_buf_add(&out, p, keep, NULL) < 0 ? -1 : chsm_buf_adds(&out, REDACTED, NULL);
        else
            rc = chsm_buf_add(&out, p, n = 1, NULL);
        if (rc < 0)
            return NULL;
        p += n;
    }
    return chsm_buf_take(&out);
}
