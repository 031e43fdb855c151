/* SPDX-License-Identifier: Apache-2.0 */
/* What was sent, held against the table. */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "tests/unit/check.h"

#include "tests/unit/azure_requests.h"
#include "util/enc.h"

#define ROWS_MAX 256

static bool seen[ROWS_MAX];

void request_done(struct request *q)
{
    free(q->method);
    free(q->path);
    free(q->query);
    free(q->head);
    free(q->authorization);
    free(q->text);
    json_decref(q->body);
    *q = (struct request){ 0 };
}

/* The value of a header; malloc()ed, NULL when it is not there. */
static char *header_value(const char *head, const char *name)
{
    AUTO_FREE char *wanted = chsm_strf("\r\n%s:", name);
    const char *at = strcasestr(head, wanted);

    if (!at)
        return NULL;
    at += strlen(wanted);
    at += strspn(at, " ");
    return strndup(at, strcspn(at, "\r"));
}

/* "%XX" and "+" in a form. */
static char *unescape(const char *s, size_t n)
{
    char *out = calloc(1, n + 1), *p = out;

    for (size_t i = 0; i < n; i++) {
        char hex[3] = { 0 };

        if (s[i] == '%' && i + 2 < n && isxdigit((unsigned char)s[i + 1])) {
            memcpy(hex, s + i + 1, 2);
            *p++ = (char)strtoul(hex, &(char *){ NULL }, 16);
            i += 2;
        } else {
            *p++ = s[i] == '+' ? ' ' : s[i];
        }
    }
    return out;
}

static json_t *form_read(const char *text)
{
    json_t *fields = json_object();

    while (*text) {
        size_t n = strcspn(text, "&"), name = strcspn(text, "=&");
        AUTO_FREE char *key = unescape(text, name);
        AUTO_FREE char *value = name < n ? unescape(text + name + 1, n - name - 1) : strdup("");

        assert_int_equal(json_object_set_new(fields, key, json_string(value)), 0);
        text += n + (text[n] == '&');
    }
    return fields;
}

static void read_body(struct request *q, const char *text)
{
    AUTO_FREE char *type = header_value(q->head, "Content-Type");
    json_error_t why;

    q->form = type && strcmp(type, "application/x-www-form-urlencoded") == 0;
    if (!*text) {
        if (type)
            fail_msg("%s %s: a Content-Type (%s) without a body", q->method, q->path, type);
        return;
    }
    q->text = strdup(text);
    if (!q->form && (!type || strcmp(type, "application/json") != 0))
        fail_msg("%s %s: a body with Content-Type %s", q->method, q->path, type ? type : "(none)");
    q->body = q->form ? form_read(text) : json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!q->body)
        fail_msg("%s %s: the body is no JSON: %s", q->method, q->path, why.text);
}

void request_read(const char *raw, struct request *ret)
{
    const char *line = strstr(raw, "\r\n"), *end = strstr(raw, "\r\n\r\n");
    size_t method = strcspn(raw, " "), target, path;
    AUTO_FREE char *authorization = NULL;
    struct request q = { 0 };

    if (!line || !end || method == 0)
        fail_msg("no request: %s", raw);
    target = strcspn(raw + method + 1, " ");
    path = strcspn(raw + method + 1, "? ");
    q.method = strndup(raw, method);
    q.path = strndup(raw + method + 1, path);
    q.query = path < target ? strndup(raw + method + 1 + path + 1, target - path - 1) : NULL;
    q.head = strndup(line, (size_t)(end - line) + 2);
    authorization = header_value(q.head, "Authorization");
    q.authorization = authorization ? strndup(authorization, strcspn(authorization, " ")) : strdup("none");
    read_body(&q, end + 4);
    *ret = q;
}

/* "/{a}/b" fits "/x/b"; behind "{+a}" comes a fixed part. The case of fixed parts does not matter (arm.md §2.1). */
static bool path_fits(const char *pattern, const char *path)
{
    while (*pattern && *path) {
        if (*pattern == '{') {
            const char *rest = pattern + strcspn(pattern, "}") + 1;
            AUTO_FREE char *fixed = strndup(rest, strcspn(rest, "{"));
            const char *end = pattern[1] == '+' ? strcasestr(path, fixed) : path + strcspn(path, "/");
            size_t n = end ? (size_t)(end - path) : 0;

            if (n == 0)
                return false;
            pattern += strcspn(pattern, "}") + 1;
            path += n;
        } else if (tolower((unsigned char)*pattern++) != tolower((unsigned char)*path++)) {
            return false;
        }
    }
    return !*pattern && !*path;
}

/* The value of `name` in "a=b&c=d"; NULL when it is not there. */
static char *query_value(const char *query, const char *name, size_t n)
{
    for (const char *p = query; p && *p;) {
        size_t part = strcspn(p, "&");

        if (strcspn(p, "=&") == n && strncmp(p, name, n) == 0)
            return p[n] == '=' ? strndup(p + n + 1, part - n - 1) : strdup("");
        p += part + (p[part] == '&');
    }
    return NULL;
}

static unsigned parts(const char *query)
{
    unsigned n = query && *query;

    for (const char *p = query; p && *p; p++)
        n += *p == '&';
    return n;
}

static bool query_fits(const char *rule, const char *query, char **ret_why)
{
    unsigned matched = 0;

    if (chsm_streq(rule, "*"))
        return true;
    for (const char *p = rule; p && *p;) {
        size_t part = strcspn(p, "&"), name = strcspn(p, "=&?");
        bool optional = p[name] == '?';
        const char *wanted = p + name + optional + 1;
        AUTO_FREE char *value = query_value(query, p, name);
        size_t n = part - (size_t)(wanted - p);

        if (!value && !optional) {
            *ret_why = chsm_strf("no %.*s in the query", (int)name, p);
            return false;
        }
        if (value && !(n == 1 && *wanted == '*') && (strlen(value) != n || strncmp(value, wanted, n) != 0)) {
            *ret_why = chsm_strf("%.*s=%s instead of %.*s", (int)name, p, value, (int)n, wanted);
            return false;
        }
        matched += value != NULL;
        p += part + (p[part] == '&');
    }
    if (matched != parts(query))
        *ret_why = chsm_strf("more in the query than the row says: %s", query);
    return matched == parts(query);
}

bool request_among(const char *list, const char *leaf)
{
    for (const char *p = list; p && *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        AUTO_FREE char *pattern = strndup(p, n);

        if (request_member_fits(pattern, leaf))
            return true;
        p += n;
    }
    return false;
}

static bool body_fits(const struct request_row *row, const struct request *q, char **ret_why)
{
    json_auto_t *leaves = q->body ? request_leaves(q->body) : json_array();
    const json_t *leaf;
    size_t i;

    if (!row->body != !q->text || (q->text && row->form != q->form)) {
        *ret_why = chsm_strf("%s", q->text ? "a body that the row does not say" : "no body");
        return false;
    }
    json_array_foreach (leaves, i, leaf)
        if (!request_among(row->body, json_string_value(leaf)) && !request_among(row->may, json_string_value(leaf))) {
            *ret_why = chsm_strf("the member %s, which the row does not name", json_string_value(leaf));
            return false;
        }
    for (const char *p = row->body; p && *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        AUTO_FREE char *pattern = strndup(p, n);
        bool there = false;

        json_array_foreach (leaves, i, leaf)
            there = there || request_member_fits(pattern, json_string_value(leaf));
        if (!there) {
            *ret_why = chsm_strf("no member %s", pattern);
            return false;
        }
        p += n;
    }
    return !row->schema || !q->body || request_fits_schema(q->body, row->schema, ret_why);
}

/* No signature and no secret belongs into an address or a body, but for the fields of a form of sign-in. */
static bool clean(const struct request *q, char **ret_why)
{
    static const char *const never[] = { "sig=", "SharedAccess", "sv=20", "access_token" };

    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if ((q->query && strstr(q->query, never[i])) || (q->text && !q->form && strstr(q->text, never[i]))) {
            *ret_why = chsm_strf("\"%s\" in it", never[i]);
            return false;
        }
    return true;
}

static bool head_fits(const struct request_row *row, const struct request *q, char **ret_why)
{
    AUTO_FREE char *wanted = row->header ? chsm_strf("\r\n%s\r\n", row->header) : NULL;
    AUTO_FREE char *correlation = q->head ? header_value(q->head, "x-ms-correlation-request-id") : NULL;

    if (strcasecmp(q->authorization, row->kind == REQUEST_OPEN ? "none" : "bearer") != 0) {
        *ret_why = chsm_strf("Authorization is %s", q->authorization);
        return false;
    }
    if (!q->head)
        return true;
    if (wanted && !strcasestr(q->head, wanted)) {
        *ret_why = chsm_strf("no header %s", row->header);
        return false;
    }
    /* The worlds of tests may leave it empty; the header itself has to be there. */
    if (row->kind == REQUEST_ARM && !correlation) {
        *ret_why = chsm_strf("no correlation id");
        return false;
    }
    return true;
}

const struct request_row *request_row_of(const struct request *q, const char *service, char **ret_why)
{
    AUTO_FREE char *why = chsm_strf("no row has this method and path");

    for (const struct request_row *row = request_rows; row->what; row++) {
        char *now = NULL;

        if ((service && strcmp(service, row->service) != 0) || strcmp(row->method, q->method) != 0 ||
            !path_fits(row->path, q->path))
            continue;
        if (query_fits(row->query, q->query, &now) && body_fits(row, q, &now) && head_fits(row, q, &now) && clean(q, &now))
            return row;
        free(why);
        why = chsm_strf("not as \"%s\" says: %s", row->what, now);
        free(now);
    }
    *ret_why = TAKE(why);
    return NULL;
}

void requests_check(struct server *s)
{
    for (unsigned i = 0; i < server_count(s); i++) {
        struct request q;
        const struct request_row *row;
        AUTO_FREE char *why = NULL;

        request_read(server_request(s, i), &q);
        row = request_row_of(&q, NULL, &why);
        if (!row)
            fail_msg("%s %s?%s %s: %s", q.method, q.path, q.query ? q.query : "", q.text ? q.text : "", why);
        seen[row - request_rows] = true;
        request_done(&q);
    }
}

void requests_all_seen(const char *sender)
{
    bool missing = false;

    for (const struct request_row *row = request_rows; row->what; row++) {
        assert_true(row - request_rows < ROWS_MAX);
        if (strcmp(row->sender, sender) != 0 || seen[row - request_rows])
            continue;
        print_error("nothing of this program sends \"%s\"\n", row->what);
        missing = true;
    }
    assert_false(missing);
}
