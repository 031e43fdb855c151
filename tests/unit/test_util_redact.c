/* SPDX-License-Identifier: Apache-2.0 */
/* No eight bytes in a row of a secret that the process holds survive, wherever and however they are written. */
#include "config.h"

#include "tests/unit/check.h"

#include "util/buf.h"
#include "util/known.h"
#include "util/log.h"
#include "util/redact.h"
#include "util/secret.h"

#define ROUNDS 3000

static uint32_t seed = 20261123;

static unsigned dice(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* 8 to 60 bytes: letters, digits, and everything that some notation has to escape. */
static void random_secret(struct chsm_secret *s)
{
    static const char *const pieces[] = {
        "\"", "\\", "/", "&", "=", "+", "%", " ", "?", "#", "<", "'", ";", ":", "@", "~", "\t", "\xc3\xa4", "\xe2\x82\xac",
        "\xf0\x9f\x94\x91", "%41", "\\u0041", "abcdefghijk", "7", "Q", "x", "Z9", "-_.", "k", "m3", "T", "w",
    };
    char text[64] = "";
    size_t n = 0, wanted = 8 + dice(40);
    struct chsm_err err;

    while (n < wanted) {
        const char *piece = pieces[dice(ARRAY_LEN(pieces))];

        (void)snprintf(text + n, sizeof text - n, "%s", piece);
        n += strlen(piece);
    }
    assert_ok(chsm_secret_set(s, text, n, &err), err);
}

static char *percent(const char *s, bool form, bool lower)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(4096);
    struct chsm_err err;

    for (; *s; s++) {
        if (form && *s == ' ')
            assert_ok(chsm_buf_adds(&out, "+", &err), err);
        else if (strchr("-._~", *s) || (*s >= '0' && *s <= '9') || ((*s | 32) >= 'a' && (*s | 32) <= 'z'))
            assert_ok(chsm_buf_add(&out, s, 1, &err), err);
        else
            assert_ok(chsm_buf_addf(&out, &err, lower ? "%%%02x" : "%%%02X", (unsigned char)*s), err);
    }
    return strdup(chsm_buf_str(&out));
}

/* The text as plain bytes: what a reader who undoes that notation gets. */
static char *unpercent(const char *s, bool form)
{
    char *out = calloc(1, strlen(s) + 1), *p = out;

    for (; *s; s++) {
        unsigned byte;

        if (*s == '%' && sscanf(s + 1, "%2x", &byte) == 1 && s[1] && s[2] && s[1] != ' ' && byte) {
            *p++ = (char)byte;
            s += 2;
        } else {
            *p++ = form && *s == '+' ? ' ' : *s;
        }
    }
    return out;
}

static void lacks(const struct chsm_secret *s, const char *shown, const char *where)
{
    assert_non_null(shown);
    for (size_t i = 0; i + CHSM_KNOWN_RUN <= s->len; i++)
        if (memmem(shown, strlen(shown), s->p + i, CHSM_KNOWN_RUN))
            fail_msg("%s: of \"%s\" there is \"%.*s\" in \"%s\"", where, s->p, CHSM_KNOWN_RUN, s->p + i, shown);
}

static void lacks_percent(const struct chsm_secret *s, const char *shown, const char *where)
{
    AUTO_FREE char *plain = unpercent(shown, false);
    AUTO_FREE char *form = unpercent(shown, true);

    lacks(s, shown, where);
    lacks(s, plain, where);
    lacks(s, form, where);
}

static void in_json(const struct chsm_secret *s)
{
    static const size_t ways[] = { 0, JSON_ENSURE_ASCII, JSON_ESCAPE_SLASH, JSON_ENSURE_ASCII | JSON_ESCAPE_SLASH };
    AUTO_FREE char *before = chsm_strf("the word is %s, or so", s->p);
    json_auto_t *body = json_pack("{s:{s:[s,s]},s:s,s:i}", "properties", "names", s->p, before, s->p, "x", "n", 1);

    assert_non_null(body);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        AUTO_FREE char *text = json_dumps(body, ways[i]);
        AUTO_FREE char *shown = chsm_redact_text(text, NULL);
        json_auto_t *read = shown ? json_loads(shown, 0, NULL) : NULL;
        AUTO_FREE char *plain = read ? json_dumps(read, JSON_COMPACT) : NULL;
        json_auto_t *safe = chsm_redact_json(body, false);
        AUTO_FREE char *safe_text = json_dumps(safe, ways[i]);

        lacks(s, shown, "JSON text");
        if (read && json_is_string(json_array_get(chsm_json_get(read, "properties.names"), 0)))
            lacks(s, json_string_value(json_array_get(chsm_json_get(read, "properties.names"), 0)), "JSON value");
        lacks(s, safe_text, "redacted JSON");
        assert_contains(safe_text, "REDACTED");
        assert_non_null(plain ? plain : shown);
    }
}

static void in_forms_and_urls(const struct chsm_secret *s)
{
    for (unsigned how = 0; how < 4; how++) {
        AUTO_FREE char *enc = percent(s->p, how & 1, how & 2);
        AUTO_FREE char *form = chsm_strf("a=b&scope=%s&x=%s", enc, enc);
        AUTO_FREE char *url = chsm_strf("https://u:%s@h.test/%s/p?api-version=%s&y=%s#%s", enc, enc, enc, enc, enc);
        AUTO_FREE char *as_text = chsm_redact_text(form, NULL);
        AUTO_FREE char *as_form = chsm_redact_form(form);
        AUTO_FREE char *url_text = chsm_redact_text(url, NULL);
        AUTO_FREE char *as_url = chsm_redact_url(url);

        lacks_percent(s, as_text, "form as text");
        lacks_percent(s, as_form, "form");
        lacks_percent(s, url_text, "URL as text");
        lacks_percent(s, as_url, "URL");
    }
}

static char logged[16384];

static void keep(void *ctx, enum chsm_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)snprintf(logged, sizeof logged, "%s", line);
}

/* Whole, and with its head or tail cut off: a bounded text may begin or end inside a secret. */
static void in_text(const struct chsm_secret *s)
{
    AUTO_FREE char *header = chsm_strf("X-Odd: %s\r\nAuthorization: Basic %s\r\n", s->p, s->p);
    AUTO_FREE char *cut = chsm_strf("begin %.*s", (int)(s->len - dice((unsigned)s->len - 7)), s->p);
    AUTO_FREE char *tail = chsm_strf("%s end", s->p + dice((unsigned)s->len - 7));
    const char *const texts[] = { s->p, header, cut, tail };

    chsm_log_open(keep, NULL, CHSM_LOG_DEBUG);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO_FREE char *shown = chsm_redact_text(texts[i], NULL);

        lacks(s, shown, "text");
        chsm_log(CHSM_LOG_DEBUG, "%s", texts[i]);
        lacks(s, logged, "log");
    }
    chsm_log_open(NULL, NULL, CHSM_LOG_NOTE);
}

static void nothing_of_a_known_secret_survives(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        AUTO_SECRET struct chsm_secret s = { 0 };
        AUTO_SECRET struct chsm_secret other = { 0 };

        random_secret(&s);
        random_secret(&other);
        in_json(&s);
        in_forms_and_urls(&s);
        in_text(&s);
    }
}

static void a_secret_that_is_gone_is_forgotten(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    AUTO_FREE char *before = NULL, *after = NULL;
    struct chsm_err err;

    (void)state;
    assert_ok(chsm_secret_set(&s, "hunter2hunter2", 14, &err), err);
    before = chsm_redact_text("say hunter2hunter2!", NULL);
    assert_string_equal(before, "say REDACTED!");
    chsm_secret_done(&s);
    after = chsm_redact_text("say hunter2hunter2!", NULL);
    assert_string_equal(after, "say hunter2hunter2!");
}

static void errors_are_covered(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    struct chsm_err err;

    (void)state;
    assert_ok(chsm_secret_set(&s, "hunter2hunter2", 14, &err), err);
    (void)chsm_fail(&err, CHSM_SERVICE, "say %s", s.p);
    (void)chsm_err_prefix(&err, "%s said", s.p);
    (void)chsm_err_hint(&err, "not %s", s.p);
    assert_string_equal(err.text, "************** said: say **************");
    assert_string_equal(err.hint, "not **************");
}

static void short_secrets(void **state)
{
    AUTO_SECRET struct chsm_secret pin = { 0 };
    AUTO_SECRET struct chsm_secret tiny = { 0 };
    AUTO_FREE char *shown = NULL;
    struct chsm_err err;

    (void)state;
    assert_ok(chsm_secret_set(&pin, "12&4", 4, &err), err);
    assert_ok(chsm_secret_set(&tiny, "ab", 2, &err), err);
    shown = chsm_redact_text("12&4 12%264 12\\u00264 ab 1234", NULL);
    assert_string_equal(shown, "REDACTED REDACTED REDACTED ab 1234");
}

static void looks(void **state)
{
    static const struct { const char *in, *out; } v[] = {
        { "{\"refresh_token\" :\t\"0.AX&b\\\"c\",\"n\":1}", "{\"refresh_token\" :\t\"REDACTED\",\"n\":1}" },
        { "{\\\"password\\\": \\\"a b\\\", \\\"n\\\": 1}", "{\\\"password\\\": \\\"REDACTED\\\", \\\"n\\\": 1}" },
        { "DefaultEndpointsProtocol=https;AccountKey=abc/d+e==;EndpointSuffix=x", "DefaultEndpointsProtocol=https;AccountKey=REDACTED;EndpointSuffix=x" },
        { "see https://a.test/x?t=1&c=2&s=3&h=4 now", "see https://a.test/x?t=REDACTED&c=REDACTED&s=REDACTED&h=REDACTED now" },
        { "\"url\":\"https://a.test/x?v=1\\u0026s=abc\\u0026sig=def\"", "\"url\":\"https://a.test/x?v=1\\u0026s=REDACTED\"" },
        { "Cookie: a=b; c=d\r\nX: y", "Cookie: REDACTED\r\nX: y" },
        { "Proxy-Authorization: Basic dXNlcjpwdw==\r\n", "Proxy-Authorization: REDACTED\r\n" },
        { "Unsupported proxy scheme for 'foo://user:p@ss@host:1'", "Unsupported proxy scheme for 'foo://REDACTED@host:1'" },
        { "WWW-Authenticate: Bearer authorization_uri=\"https://l.test/t\", error=\"x\"",
          "WWW-Authenticate: Bearer authorization_uri=\"https://l.test/t\", error=\"x\"" },
        { "key 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/0123456789abcdefghij+/== x", "key REDACTED x" },
        { "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"m\"}}", "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"m\"}}" },
        { "error code=AuthorizationCode", "error code=REDACTED" },
        { "secret: /etc/pins, password = hunter2", "secret: /etc/pins, password = REDACTED" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        AUTO_FREE char *out = chsm_redact_text(v[i].in, NULL);

        assert_string_equal(out, v[i].out);
    }
}

static void json_by_name(void **state)
{
    json_auto_t *body = json_pack("{s:s, s:s, s:i, s:s, s:[{s:s,s:s}], s:{s:s,s:b}, s:s, s:s, s:s, s:b}", "access_token", "a1", "token_type",
                                  "Bearer", "expires_in", 3599, "deviceCode", "d1", "keys", "keyName", "key1", "value", "k1", "error", "code",
                                  "Conflict", "ok", 1, "azureStorageBlobContainerUri", "https://a.test/c?sv=1&sig=s1", "client-secret", "c1",
                                  "note", "plain", "allowSharedKeyAccess", 0);
    json_auto_t *shown = chsm_redact_json(body, false);
    json_auto_t *strict = chsm_redact_json(body, true);
    AUTO_FREE char *a = json_dumps(shown, JSON_COMPACT);
    AUTO_FREE char *b = json_dumps(strict, JSON_COMPACT);

    (void)state;
    assert_string_equal(a, "{\"access_token\":\"REDACTED\",\"token_type\":\"Bearer\",\"expires_in\":3599,\"deviceCode\":\"REDACTED\","
                        "\"keys\":[{\"keyName\":\"key1\",\"value\":\"REDACTED\"}],\"error\":{\"code\":\"Conflict\",\"ok\":true},"
                        "\"azureStorageBlobContainerUri\":\"https://a.test/c?sv=REDACTED&sig=REDACTED\",\"client-secret\":\"REDACTED\","
                        "\"note\":\"plain\",\"allowSharedKeyAccess\":false}");
    assert_contains(b, "\"expires_in\":3599");
    assert_contains(b, "\"keyName\":\"key1\"");
    assert_contains(b, "\"note\":\"REDACTED\"");
    assert_contains(b, "\"azureStorageBlobContainerUri\":\"REDACTED\"");
}

static void json_of_a_device(void **state)
{
    json_auto_t *body = json_pack("{s:s,s:s,s:s,s:i}", "device_code", "d1", "user_code", "ABCD1234", "message", "enter the code ABCD1234",
                                  "interval", 5);
    json_auto_t *shown = chsm_redact_json(body, true);
    AUTO_FREE char *text = json_dumps(shown, JSON_COMPACT);

    (void)state;
    assert_string_equal(text, "{\"device_code\":\"REDACTED\",\"user_code\":\"REDACTED\",\"message\":\"REDACTED\",\"interval\":5}");
}

static void forms(void **state)
{
    AUTO_FREE char *a = chsm_redact_form("grant_type=client_credentials&client_id=c1&client_secret=p%26w&scope=x%2F.default&weird=1");
    AUTO_FREE char *b = chsm_redact_form("eyJhbGciOiJIUzI1NiJ9.abcdefgh");

    (void)state;
    assert_string_equal(a, "grant_type=client_credentials&client_id=c1&client_secret=REDACTED&scope=x%2F.default&weird=REDACTED");
    assert_string_equal(b, "REDACTED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_known_secret_survives), cmocka_unit_test(a_secret_that_is_gone_is_forgotten),
        cmocka_unit_test(errors_are_covered),
        cmocka_unit_test(short_secrets), cmocka_unit_test(looks), cmocka_unit_test(json_by_name), cmocka_unit_test(json_of_a_device), cmocka_unit_test(forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
