/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "client/endpoint.h"
#include "client/file.h"
#include "client/resource.h"

/* A JSON text that is known to be valid, and a place in it. */
struct scan {
    const char *text;
    size_t n, at;
};
struct span {
    size_t begin, end;
};

int chsm_resource_parse(const char *text, size_t n, const char *what, json_t **ret, struct chsm_err *err)
{
    json_auto_t *cfg = NULL;
    const json_t *servers, *server;
    size_t i;

    if (chsm_json_parse(text, n, what, CHSM_CONFIG, &cfg, err) < 0)
        return chsm_err_hint(err, "it should look like {\"servers\":[{\"hostname\":\"hsm1...cloudhsm.azure.net\"}]}");
    servers = json_object_get(cfg, "servers");
    json_array_foreach(servers, i, server) {
        const char *host = chsm_json_str(server, "hostname");

        if (!host || !*host)
            break;
    }
    if (json_array_size(servers) == 0 || i < json_array_size(servers)) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s names no server%s", what, i > 0 ? " in each of its entries" : "");
        return chsm_err_hint(err, "it should look like {\"servers\":[{\"hostname\":\"hsm1...cloudhsm.azure.net\"}]}");
    }
    *ret = TAKE(cfg);
    return 0;
}

const char *chsm_resource_host(const json_t *cfg, size_t i)
{
    return chsm_json_str(json_array_get(json_object_get(cfg, "servers"), i), "hostname");
}

static char peek(const struct scan *s)
{
    return s->at < s->n ? s->text[s->at] : '\0';
}

/* Over blanks and the commas and colons between values: the text is valid, so nothing else is there. */
static void skip_between(struct scan *s)
{
    while (peek(s) && strchr(" \t\r\n,:", peek(s)))
        s->at++;
}

static struct span take_string(struct scan *s)
{
    struct span span = { s->at, s->at };

    for (s->at++; peek(s) && peek(s) != '"'; s->at++)
        if (peek(s) == '\\')
            s->at++;
    s->at += peek(s) == '"';
    span.end = s->at < s->n ? s->at : s->n;
    return span;
}

static void skip_value(struct scan *s)
{
    size_t depth = 0;

    skip_between(s);
    do {
        char c = peek(s);

        if (c == '"') {
            (void)take_string(s);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        s->at++;
        /* A number or a word is over where something else begins. */
        while (depth == 0 && c != '}' && c != ']' && peek(s) && !strchr(" \t\r\n,:}]", peek(s)))
            s->at++;
    } while (depth > 0 && s->at < s->n);
}

static bool span_is(const struct scan *s, struct span span, const char *name)
{
    json_auto_t *value = json_loadb(s->text + span.begin, span.end - span.begin, JSON_DECODE_ANY, NULL);

    return chsm_streq(json_string_value(value), name);
}

/* From the "{" of an object to the value of a member. */
static bool enter_member(struct scan *s, const char *name)
{
    for (s->at++, skip_between(s); peek(s) == '"'; skip_between(s)) {
        struct span key = take_string(s);

        skip_between(s);
        if (span_is(s, key, name))
            return true;
        skip_value(s);
    }
    return false;
}

/* Where the host name of server `index` stands, with its quotes. */
static bool find_host(const char *text, size_t n, size_t index, struct span *ret)
{
    struct scan s = { text, n, 0 };

    skip_between(&s);
    if (peek(&s) != '{' || !enter_member(&s, "servers") || peek(&s) != '[')
        return false;
    for (s.at++, skip_between(&s); index > 0; index--, skip_between(&s))
        skip_value(&s);
    if (peek(&s) != '{' || !enter_member(&s, "hostname") || peek(&s) != '"')
        return false;
    *ret = take_string(&s);
    return true;
}

/* What server `i`, now `old`, is to be called. */
static int wanted_host(const char *old, size_t i, const char *host, const char *what, char **ret, struct chsm_err *err)
{
    unsigned number = chsm_endpoint_number(old);
    char *name = NULL;

    if (i > 0 && number && chsm_endpoint_node(host, number, &name, err) < 0)
        return -1;
    if (i > 0 && !name) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s names a server %zu, %s, and what it should become cannot be told from %s", what,
                        i + 1, old, host);
        return chsm_err_hint(err, "leave one server in it: the client learns the others from the first");
    }
    *ret = i == 0 ? strdup(host) : name;
    return *ret ? 0 : chsm_oom(err);
}

static int replace_host(struct chsm_buf *text, size_t i, const char *name, const char *what, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(text->max);
    struct span at;

    if (!find_host(text->p, text->len, i, &at))
        return chsm_fail(err, CHSM_CONFIG, "%s: the place of its host name was not found", what);
    if (chsm_buf_add(&b, text->p, at.begin, err) < 0 || chsm_buf_addf(&b, err, "\"%s\"", name) < 0 ||
        chsm_buf_add(&b, text->p + at.end, text->len - at.end, err) < 0)
        return chsm_err_prefix(err, "%s", what);
    chsm_buf_done(text);
    *text = b;
    b = CHSM_BUF(0);
    return 0;
}

int chsm_resource_point(const char *text, size_t n, const char *what, const char *host, char **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(n + CHSM_CLIENT_FILE_MAX);
    json_auto_t *cfg = NULL, *after = NULL;
    bool changed = false;
    json_t *server;
    size_t i;

    if (chsm_endpoint_check(host, err) < 0 || chsm_resource_parse(text, n, what, &cfg, err) < 0 ||
        chsm_buf_add(&b, text, n, err) < 0)
        return -1;
    json_array_foreach(json_object_get(cfg, "servers"), i, server) {
        const char *old = chsm_json_str(server, "hostname");
        AUTO_FREE char *name = NULL;

        if (wanted_host(old, i, host, what, &name, err) < 0)
            return -1;
        if (strcasecmp(old, name) == 0)
            continue;
        changed = true;
        if (replace_host(&b, i, name, what, err) < 0)
            return -1;
        if (json_object_set_new(server, "hostname", json_string(name)) < 0)
            return chsm_oom(err);
    }
    /* The text was changed by hand, so to speak: what it says now is held against what it should say. */
    if (chsm_resource_parse(chsm_buf_str(&b), b.len, what, &after, err) < 0)
        return -1;
    if (!json_equal(cfg, after))
        return chsm_fail(err, CHSM_CONFIG, "%s cannot be changed without changing more than its host names", what);
    *ret = changed ? chsm_buf_take(&b) : NULL;
    return changed && !*ret ? chsm_oom(err) : 0;
}
