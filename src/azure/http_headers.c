/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <stddef.h>
#include <strings.h>

#include "azure/http_headers.h"

static const struct { const char *name; size_t at; bool list; } kept[] = {
    { "Location", offsetof(struct chsm_response, location), false },
    { "Azure-AsyncOperation", offsetof(struct chsm_response, async_operation), false },
    { "Content-Type", offsetof(struct chsm_response, content_type), false },
    { "x-ms-request-id", offsetof(struct chsm_response, request_id), false },
    { "x-ms-correlation-request-id", offsetof(struct chsm_response, correlation_id), false },
    { "x-ms-error-code", offsetof(struct chsm_response, error_code), false },
    { "WWW-Authenticate", offsetof(struct chsm_response, www_authenticate), true },
};

static char **slot(struct chsm_response *r, size_t i)
{
    return (char **)(void *)((char *)r + kept[i].at);
}

void chsm_headers_forget(struct chsm_response *r)
{
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        free(*slot(r, i));
        *slot(r, i) = NULL;
    }
    r->retry_after = -1;
}

static long clamp(int64_t seconds)
{
    return seconds < 0 ? 0 : seconds > CHSM_RETRY_AFTER_MAX ? CHSM_RETRY_AFTER_MAX : (long)seconds;
}

/* A whole number of digits only; what does not fit is the largest one. */
static bool whole_number(const char *value, int64_t *ret)
{
    char *end;

    if (!isdigit((unsigned char)*value))
        return false;
    *ret = strtoll(value, &end, 10);
    return *end == '\0';
}

long chsm_retry_after_parse(const char *value, int64_t now)
{
    int64_t seconds;
    time_t when;

    if (whole_number(value, &seconds))
        return clamp(seconds);
    if (isdigit((unsigned char)*value))
        return -1;
    when = curl_getdate(value, NULL);
    return when == -1 ? -1 : clamp((int64_t)when - now / 1000);
}

long chsm_retry_after_ms(const char *value)
{
    int64_t ms;

    return whole_number(value, &ms) ? clamp(ms / 1000 + (ms % 1000 > 0)) : -1;
}

/* The value of a "Name: value" line without the blanks around it; NULL (not out of memory) when it holds control bytes. */
static int value_copy(const char *p, const char *end, char **ret, struct chsm_err *err)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (p < end && strchr(" \t\r\n", end[-1]))
        end--;
    *ret = NULL;
    for (const char *c = p; c < end; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return 0;
    *ret = strndup(p, (size_t)(end - p));
    return *ret ? 0 : chsm_oom(err);
}

/* 's' or 'm' for the headers that name a wait in seconds or milliseconds, 0 for the others. */
static char retry_after_in(const char *name, size_t n)
{
    static const struct { const char *name; char unit; } known[] = {
        { "Retry-After", 's' }, { "retry-after-ms", 'm' }, { "x-ms-retry-after-ms", 'm' },
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (n == strlen(known[i].name) && strncasecmp(name, known[i].name, n) == 0)
            return known[i].unit;
    return 0;
}

/* Of several the longest counts: coming back too early is what the service asked us not to do. */
static void take_retry_after(struct chsm_response *r, char unit, const char *value)
{
    long seconds = !value ? -1 : unit == 's' ? chsm_retry_after_parse(value, chsm_now()) : chsm_retry_after_ms(value);

    if (seconds > r->retry_after)
        r->retry_after = seconds;
}

int chsm_headers_take(struct chsm_response *r, const char *line, size_t n, struct chsm_err *err)
{
    const char *colon = memchr(line, ':', n);
    AUTO_FREE char *value = NULL;
    size_t len;

    if (n > CHSM_HTTP_HEADER_MAX)
        return chsm_fail(err, CHSM_SERVICE, "a header line of the answer is longer than %u bytes", CHSM_HTTP_HEADER_MAX);
    if (!colon)
        return 0;
    len = (size_t)(colon - line);
    if (retry_after_in(line, len)) {
        if (value_copy(colon + 1, line + n, &value, err) < 0)
            return -1;
        take_retry_after(r, retry_after_in(line, len), value);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        if (len != strlen(kept[i].name) || strncasecmp(line, kept[i].name, len) != 0)
            continue;
        if (value_copy(colon + 1, line + n, &value, err) < 0)
            return -1;
        if (*slot(r, i) && value && kept[i].list) {      /* RFC 9110 §5.3: several lines are one list */
            AUTO_FREE char *all = chsm_strf("%s, %s", *slot(r, i), value);

            if (!all)
                return chsm_oom(err);
            free(value);
            value = TAKE(all);
        }
        free(*slot(r, i));
        *slot(r, i) = TAKE(value);
    }
    return 0;
}

/* A line break in a header value would begin a header of somebody else's choice. */
static bool line_ok(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static int add(struct curl_slist **list, const char *line, struct chsm_err *err)
{
    struct curl_slist *longer;

    if (!line_ok(line))
        return chsm_fail(err, CHSM_SERVICE, "a request header holds a control character");
    longer = curl_slist_append(*list, line);
    if (!longer)
        return chsm_oom(err);
    *list = longer;
    return 0;
}

static int add_bearer(struct curl_slist **list, const struct chsm_secret *token, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf line = CHSM_BUF_SECRET(CHSM_SECRET_MAX + 64);

    if (chsm_buf_adds(&line, "Authorization: Bearer ", err) < 0 || chsm_buf_add(&line, token->p, token->len, err) < 0)
        return -1;
    return add(list, chsm_buf_str(&line), err);
}

static int add_all(struct curl_slist **list, const struct chsm_request *rq, struct chsm_err *err)
{
    AUTO_FREE char *type = NULL;

    /* "Name:" takes a header away that libcurl would send by itself. */
    if (add(list, "Expect:", err) < 0)
        return -1;
    type = rq->content_type ? chsm_strf("Content-Type: %s", rq->content_type) : strdup("Content-Type:");
    if (!type)
        return chsm_oom(err);
    if (add(list, type, err) < 0)
        return -1;
    for (const char *const *h = rq->headers; h && *h; h++)
        if (add(list, *h, err) < 0)
            return -1;
    return rq->bearer ? add_bearer(list, rq->bearer, err) : 0;
}

struct curl_slist *chsm_headers_build(const struct chsm_request *rq, struct chsm_err *err)
{
    struct curl_slist *list = NULL;

    if (add_all(&list, rq, err) == 0)
        return list;
    chsm_headers_free(list);
    return NULL;
}

void chsm_headers_free(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        chsm_wipe(l->data, strlen(l->data));
    curl_slist_free_all(list);
}
