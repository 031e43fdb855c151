/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "util/known.h"
#include "util/redact.h"

#define URL_MAX (1u << 20)
#define TEXT_MAX (64u << 20)

static bool listed(const char *const *names, const char *name, size_t n)
{
    for (; *names; names++)
        if (strlen(*names) == n && strncasecmp(*names, name, n) == 0)
            return true;
    return false;
}

/* Length of a token-like run (JWT, base64, percent-encoded) at p. */
static size_t token_run(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || (p[n] && strchr("-_.~+/=%", p[n])))
        n++;
    return n;
}

/* A quote at p, perhaps escaped (JSON inside JSON): its length, 0 when there is none. */
static size_t quote(const char *p)
{
    size_t n = 0;

    while (p[n] == '\\')
        n++;
    return p[n] == '"' || (n == 0 && p[n] == '\'') ? n + 1 : 0;
}

static size_t blanks(const char *p)
{
    return strspn(p, " \t");
}

/* The value at p: to the quote that ends it, or to where an unquoted one ends. *ret_skip: its opening quote. */
static size_t value_run(const char *p, size_t *ret_skip)
{
    size_t open = quote(p), n = open;

    *ret_skip = open;
    if (!open)
        return strcspn(p, " \t\r\n&\"'<>,;)");
    while (p[n] && strncmp(p + n, p, open) != 0)
        n += open == 1 && p[n] == '\\' && p[n + 1] ? 2 : 1;
    return n;
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Whether a value assigned to this name is a secret: by '=' or, for a name in quotes, by ':'. */
static bool secret_name(const char *text, const char *p, size_t n, char sign)
{
    static const char *const always[] = {
        "access_token", "refresh_token", "id_token", "client_secret", "client_assertion", "assertion", "password", "passwd",
        "secret", "device_code", "user_code", "code_verifier", "signature", "sharedaccesskey", "accountkey", "private_key",
        "sharedaccesssignature", NULL
    };
    static const char *const by_equals[] = { "sig", "code", "token", NULL };
    static const char *const in_query[] = { "s", "c", "h", "t", NULL };

    if (listed(always, p, n))
        return true;
    if (sign != '=')
        return false;
    return listed(by_equals, p, n) || (listed(in_query, p, n) && (p == text || strchr("?&;", p[-1])));
}

/* name="value", "name": "value", name=value. Where the value begins and ends, or false. */
static bool assigned(const char *text, const char *p, size_t *ret_from, size_t *ret_to)
{
    size_t name = 0, quoted, at, skip;
    char sign;

    if (p != text && p[-1] == '\\' && strncmp(p, "u0026", 5) == 0 && assigned(p + 5, p + 5, ret_from, ret_to)) {
        *ret_from += 5;         /* that was '&' in JSON */
        *ret_to += 5;
        return true;
    }
    while (word_char(p[name]))
        name++;
    if (!name || (p != text && word_char(p[-1])))
        return false;
    quoted = quote(p + name);
    at = name + quoted + blanks(p + name + quoted);
    sign = p[at];
    if ((sign != '=' && !(quoted && sign == ':')) || !secret_name(text, p, name, sign))
        return false;
    at += 1 + blanks(p + at + 1);
    *ret_to = at + value_run(p + at, &skip);
    *ret_from = at + skip;
    return *ret_to > *ret_from;
}

/* A header line of a secret: to the end of the line. */
static size_t secret_header(const char *text, const char *p, size_t *ret_from)
{
    static const char *const names[] = {
        "authorization:", "proxy-authorization:", "cookie:", "set-cookie:", "x-identity-header:", "x-ms-encryption-key:", NULL
    };

    if (p != text && p[-1] != '\n' && p[-1] != ' ')
        return 0;
    for (size_t i = 0; names[i]; i++)
        if (strncasecmp(p, names[i], strlen(names[i])) == 0) {
            *ret_from = strlen(names[i]) + blanks(p + strlen(names[i]));
            return strcspn(p, "\r\n");
        }
    return 0;
}

/* "Bearer TOKEN", but not the challenge "Bearer realm=\"...\"". */
static size_t bearer(const char *p)
{
    size_t n;

    if (strncasecmp(p, "Bearer", 6) != 0 || !blanks(p + 6))
        return 0;
    n = 6 + blanks(p + 6);
    n += token_run(p + n);
    return p[n] == '"' && p[n - 1] == '=' ? 0 : n;
}

/* user:password@ behind "://". */
static size_t userinfo(const char *p)
{
    size_t n, at = 0;

    if (strncmp(p, "://", 3) != 0)
        return 0;
    n = 3 + strcspn(p + 3, "/?# \t\r\n\"'<>");
    for (size_t i = 3; i < n; i++)
        if (p[i] == '@')
            at = i;
    return at;
}

/* A storage account's key: 64 bytes in base64. */
static bool account_key(const char *text, const char *p)
{
    size_t n = 0;

    if (p != text && (isalnum((unsigned char)p[-1]) || p[-1] == '+' || p[-1] == '/'))
        return false;
    while (isalnum((unsigned char)p[n]) || p[n] == '+' || p[n] == '/')
        n++;
    return n == 86 && p[n] == '=' && p[n + 1] == '=';
}

/* What looks like a secret at p: *ret_from..*ret_to of it. */
static bool secret_at(const char *text, const char *p, size_t *ret_from, size_t *ret_to)
{
    *ret_from = 0;
    if (strncmp(p, "eyJ", 3) == 0 && token_run(p) > 10) {       /* a JWT anywhere: {"... in base64url */
        *ret_to = token_run(p);
        return true;
    }
    if (account_key(text, p)) {
        *ret_to = 88;
        return true;
    }
    *ret_from = 3;
    *ret_to = userinfo(p);
    if (*ret_to > *ret_from)
        return true;
    *ret_to = bearer(p);
    *ret_from = 7;
    if (*ret_to > *ret_from)
        return true;
    *ret_to = secret_header(text, p, ret_from);
    if (*ret_to > *ret_from)
        return true;
    return assigned(text, p, ret_from, ret_to);
}

static void mark_looks(const char *text, unsigned char *mark)
{
    for (const char *p = text; *p; p++) {
        size_t from, to;

        if (secret_at(text, p, &from, &to))
            memset(mark + (p - text) + from, 1, to - from);
    }
}

static void mark_told(const char *text, const char *const *secrets, unsigned char *mark)
{
    for (; secrets && *secrets; secrets++)
        for (const char *p = text; **secrets && (p = strstr(p, *secrets)); p++)
            memset(mark + (p - text), 1, strlen(*secrets));
}

static int write_unmarked(const char *text, size_t n, const unsigned char *mark, struct chsm_buf *out)
{
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i; k < n && mark[k] == mark[i]; k++)
            ;
        if ((mark[i] ? chsm_buf_adds(out, CHSM_REDACTED, NULL) : chsm_buf_add(out, text + i, k - i, NULL)) < 0)
            return -1;
    }
    return 0;
}

char *chsm_redact_text(const char *text, const char *const *secrets)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(TEXT_MAX);
    size_t n = strlen(text);
    AUTO_FREE unsigned char *mark = calloc(1, n + 1);

    if (!mark)
        return NULL;
    mark_looks(text, mark);
    mark_told(text, secrets, mark);
    if (chsm_known_mark(text, n, mark) < 0 || write_unmarked(text, n, mark, &out) < 0)
        return NULL;
    return chsm_buf_take(&out);
}

/* A parameter without a value is a word ("restype", "flag"), not a token. */
static bool plain_word(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalpha((unsigned char)p[i]) && p[i] != '-')
            return false;
    return n <= 20;
}

/* a=b&c=d up to `end`: values go, except those of the harmless names. */
static int add_pairs(struct chsm_buf *out, const char *p, const char *end, const char *const *harmless)
{
    while (*p && !strchr(end, *p)) {
        size_t all = 0, name = 0;

        while (p[all] && p[all] != '&' && !strchr(end, p[all]))
            all++;
        while (name < all && p[name] != '=')
            name++;
        if (name == all ? plain_word(p, all) : listed(harmless, p, name)) {
            if (chsm_buf_add(out, p, all, NULL) < 0)
                return -1;
        } else if ((name < all && chsm_buf_add(out, p, name + 1, NULL) < 0) || chsm_buf_adds(out, CHSM_REDACTED, NULL) < 0) {
            return -1;
        }
        p += all;
        if (*p == '&' && chsm_buf_add(out, p++, 1, NULL) < 0)
            return -1;
    }
    /* Some sign-in answers carry their token in the fragment. */
    return *p ? chsm_buf_adds(out, "#" CHSM_REDACTED, NULL) : 0;
}

static char *without_userinfo(const char *url)
{
    const char *rest = strstr(url, "://");
    size_t authority, at = 0, scheme;

    if (!rest)
        return strdup(url);
    rest += 3;
    scheme = (size_t)(rest - url);
    authority = strcspn(rest, "/?#");
    for (size_t i = 0; i < authority; i++)
        if (rest[i] == '@')
            at = i + 1;
    return chsm_strf("%.*s%s", (int)scheme, url, rest + at);
}

char *chsm_redact_url(const char *url)
{
    static const char *const harmless[] = {
        "api-version", "resource", "restype", "comp", "prefix", "delimiter", "$filter", "$skiptoken", "maxresults", "scope",
        "client_id", NULL
    };
    AUTO_BUF struct chsm_buf out = CHSM_BUF(URL_MAX);
    AUTO_FREE char *bare = without_userinfo(url);
    const char *p = bare;
    size_t path;

    if (!bare)
        return NULL;
    path = strcspn(p, "?#");
    if (chsm_buf_add(&out, p, path, NULL) < 0)
        return NULL;
    p += path;
    if (*p == '?' && chsm_buf_add(&out, p++, 1, NULL) < 0)
        return NULL;
    if (add_pairs(&out, p, "#", harmless) < 0)
        return NULL;
    return chsm_redact_text(chsm_buf_str(&out), NULL);
}

char *chsm_redact_form(const char *form)
{
    static const char *const harmless[] = {
        "grant_type", "client_id", "scope", "resource", "tenant", "client_assertion_type", "requested_token_use",
        "response_type", NULL
    };
    AUTO_BUF struct chsm_buf out = CHSM_BUF(URL_MAX);

    if (add_pairs(&out, form, "", harmless) < 0)
        return NULL;
    return chsm_redact_text(chsm_buf_str(&out), NULL);
}
