/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/trace.h"
#include "util/redact.h"

#define LOOK_MAX (1u << 20)     /* larger bodies are only counted */
#define SHOW_MAX (256u << 10)

static bool one_of(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcasecmp(*names, name) == 0)
            return true;
    return false;
}

/* The service's own headers are there to be quoted to its support, but for those that carry keys, tokens or signed URLs. */
static bool of_service(const char *name)
{
    static const char *const parts[] = { "auth", "token", "secret", "key", "copy-source", "cookie", "signature", NULL };

    if (strncasecmp(name, "x-ms-", 5) != 0)
        return false;
    for (size_t i = 0; parts[i]; i++)
        if (strcasestr(name, parts[i]))
            return false;
    return true;
}

/* Headers that are not known to be harmless are not shown. */
static char *header_value(const char *name, const char *value)
{
    static const char *const urls[] = { "Location", "Azure-AsyncOperation", "Operation-Location", "Content-Location", NULL };
    static const char *const harmless[] = {
        "Accept", "Accept-Encoding", "Accept-Language", "Accept-Ranges", "Age", "Allow", "Cache-Control", "Connection",
        "Content-Encoding", "Content-Language", "Content-Length", "Content-Range", "Content-Type", "Date", "ETag", "Expires", "Host", "If-Match",
        "If-None-Match", "Keep-Alive", "Last-Modified", "Metadata", "Pragma", "Proxy-Authenticate", "Range", "Retry-After",
        "Retry-After-Ms", "Server", "Strict-Transport-Security", "Transfer-Encoding", "User-Agent", "Vary", "Via", "Warning",
        "WWW-Authenticate", "X-Cache", "X-Content-Type-Options", "X-MSEdge-Ref", "X-Azure-Ref", "client-request-id",
        "return-client-request-id", "api-supported-versions", NULL
    };

    if (one_of(urls, name))
        return chsm_redact_url(value);
    if (one_of(harmless, name) || of_service(name))
        return chsm_redact_text(value, NULL);
    return strdup(CHSM_REDACTED);
}

json_t *chsm_trace_header(const char *line, size_t n)
{
    AUTO_FREE char *copy = strndup(line, n);
    AUTO_FREE char *shown = NULL;
    AUTO_FREE char *name = NULL;
    char *value;

    if (!copy)
        return NULL;
    copy[strcspn(copy, "\r\n")] = '\0';
    value = strchr(copy, ':');
    if (!value)
        return json_string(CHSM_REDACTED);
    *value++ = '\0';
    value += strspn(value, " \t");
    name = chsm_redact_text(copy, NULL);
    shown = header_value(copy, value);
    return name && shown ? json_sprintf("%s: %s", name, shown) : NULL;
}

static json_t *count(size_t n, const char *why)
{
    return json_sprintf("(%zu bytes%s)", n, why);
}

static json_t *text_body(const char *text, size_t n, bool form)
{
    AUTO_FREE char *shown = form ? chsm_redact_form(text) : chsm_redact_text(text, NULL);
    json_t *v;

    if (!shown)
        return NULL;
    v = json_string(shown);             /* NULL when it is no UTF-8 */
    return v ? v : count(n, " that are no text");
}

static bool readable(const char *type)
{
    return type && (strncasecmp(type, "text/", 5) == 0 || strcasestr(type, "xml") || strcasestr(type, "json"));
}

static json_t *bounded(json_t *v, size_t n)
{
    size_t size = v ? json_dumpb(v, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) : 0;

    if (size <= SHOW_MAX)
        return v;
    json_decref(v);
    return count(n, ", too many to be shown");
}

json_t *chsm_trace_body(const char *type, const void *p, size_t n, bool secret)
{
    AUTO_FREE char *text = n <= LOOK_MAX ? strndup(p ? p : "", n) : NULL;
    json_auto_t *parsed = NULL;
    json_t *shown;

    if (n > LOOK_MAX)
        return count(n, ", too many to be shown");
    if (!text)
        return NULL;
    if (strlen(text) == n && chsm_json_parse(text, n, "body", CHSM_SERVICE, &parsed, NULL) == 0)
        shown = bounded(chsm_redact_json(parsed, secret), n);
    else if (type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0)
        shown = text_body(text, n, /* form= */ true);
    else if (secret)
        shown = count(n, " that may hold a secret");
    else if (strlen(text) == n && readable(type))
        shown = bounded(text_body(text, n, /* form= */ false), n);
    else
        shown = count(n, "");
    chsm_wipe(text, n);
    return shown;
}
