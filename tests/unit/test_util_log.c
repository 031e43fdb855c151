/* SPDX-License-Identifier: Apache-2.0 */
/* Redaction: what a log, an error or a report may show of a URL or of foreign text. */
#include "config.h"

#include "tests/unit/check.h"

#include "util/buf.h"
#include "util/log.h"
#include "util/secret.h"

#define JWT "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQifQ.c2lnbmF0dXJlLWJ5dGVz_-x"

static char last_line[8192];
static size_t lines;

static void keep(void *ctx, enum chsm_level level, const char *line)
{
    (void)ctx;
    (void)level;
    lines++;
    (void)snprintf(last_line, sizeof last_line, "%s", line);
}

static void levels_below_the_floor_are_dropped(void **state)
{
    (void)state;
    chsm_log_open(keep, NULL, CHSM_LOG_NOTE);
    lines = 0;
    chsm_log(CHSM_LOG_INFO, "quiet");
    assert_int_equal(lines, 0);
    assert_false(chsm_log_on(CHSM_LOG_INFO));
    chsm_log(CHSM_LOG_NOTE, "n %d", 1);
    chsm_log(CHSM_LOG_WARN, "w");
    assert_int_equal(lines, 2);
    assert_string_equal(last_line, "w");
    chsm_log_open(NULL, NULL, CHSM_LOG_DEBUG);
    assert_false(chsm_log_on(CHSM_LOG_WARN));
    chsm_log(CHSM_LOG_WARN, "nobody");
    assert_int_equal(lines, 2);
}

static void terminal_obeys_no_foreign_text(void **state)
{
    (void)state;
    chsm_log_open(keep, NULL, CHSM_LOG_DEBUG);
    chsm_log(CHSM_LOG_INFO, "a%sb", "\x1b[31m\r\n\t\x07");
    assert_null(strpbrk(last_line, "\x1b\r\n\t\x07"));
    assert_contains(last_line, "[31m");
    chsm_log_open(NULL, NULL, CHSM_LOG_DEBUG);
}

/* What makes a line fit for a terminal must not make a secret unrecognisable first. */
static void secret_with_control_characters(void **state)
{
    AUTO_SECRET struct chsm_secret secret = { 0 };
    struct chsm_err err;

    (void)state;
    assert_ok(chsm_secret_set(&secret, "se\tcr\tet\twi\tth", 14, &err), err);
    chsm_log_open(keep, NULL, CHSM_LOG_DEBUG);
    chsm_log(CHSM_LOG_INFO, "found %s there", secret.p);
    assert_contains(last_line, "found **************");
    chsm_log_open(NULL, NULL, CHSM_LOG_DEBUG);
}

static void long_line_stays_a_line(void **state)
{
    AUTO_FREE char *big = malloc(100001);

    (void)state;
    assert_non_null(big);
    memset(big, 'x', 100000);
    big[100000] = '\0';
    chsm_log_open(keep, NULL, CHSM_LOG_DEBUG);
    chsm_log(CHSM_LOG_INFO, "begin %s", big);
    assert_int_equal(strncmp(last_line, "begin xxx", 9), 0);
    chsm_log_open(NULL, NULL, CHSM_LOG_DEBUG);
}

static void urls_keep_what_helps(void **state)
{
    static const struct { const char *in, *out; } v[] = {
        { "https://management.azure.com/subscriptions/x?api-version=2025-03-31", "https://management.azure.com/subscriptions/x?api-version=2025-03-31" },
        { "https://a.example/p?api-version=1&sig=abc%2Bd%3D&se=2026", "https://a.example/p?api-version=1&sig=REDACTED&se=REDACTED" },
        { "https://user:pw@a.example/p", "https://a.example/p" },
        { "https://us@er:p@ss@a.example/p?x=1", "https://a.example/p?x=REDACTED" },
        { "/subscriptions/x?t=1&api-version=2", "/subscriptions/x?t=REDACTED&api-version=2" },
        { "https://a.example/p?SIG=abc", "https://a.example/p?SIG=REDACTED" },
        { "https://a.example/p?sig=a=b=c&&x=&flag", "https://a.example/p?sig=REDACTED&&x=REDACTED&flag" },
        { "https://a.example/p@q?sig=1", "https://a.example/p@q?sig=REDACTED" },
        { "https://a.example", "https://a.example" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        AUTO_FREE char *out = chsm_redact_url(v[i].in);

        assert_string_equal(out, v[i].out);
    }
}

/* The Location of a Cloud HSM job: 3.6 kB, signed, and good for anybody who has it. */
static void signed_location_of_a_job(void **state)
{
    AUTO_BUF struct chsm_buf url = CHSM_BUF(8192);
    AUTO_FREE char *out = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_buf_adds(&url, "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.HardwareSecurityModules/"
                                  "cloudHsmClusters/c/backupOperationStatus/0123?api-version=2025-03-31&t=638854128044215912&c=", &err), err);
    while (url.len < 3000)
        assert_ok(chsm_buf_adds(&url, "MIIHpTCCBo2gAwIBAgITsecretCERT", &err), err);
    assert_ok(chsm_buf_adds(&url, "&s=", &err), err);
    while (url.len < 3600)
        assert_ok(chsm_buf_adds(&url, "KsecretSIGNATURE-_", &err), err);
    assert_ok(chsm_buf_adds(&url, "&h=secretHASH", &err), err);
    out = chsm_redact_url(chsm_buf_str(&url));
    assert_lacks(out, "secret");
    assert_lacks(out, "638854128044215912");
    assert_contains(out, "backupOperationStatus/0123?api-version=2025-03-31&t=REDACTED&c=REDACTED&s=REDACTED&h=REDACTED");
    free(TAKE(out));
    out = chsm_redact_text(chsm_buf_str(&url), NULL);
    assert_lacks(out, "secret");
}

/* A browser-style answer carries its token behind the '#'. */
static void fragment_is_not_shown(void **state)
{
    AUTO_FREE char *a = chsm_redact_url("https://a.example/cb#access_token=" JWT);
    AUTO_FREE char *b = chsm_redact_url("https://a.example/cb?api-version=1#access_token=" JWT);

    (void)state;
    assert_lacks(a, "eyJ");
    assert_lacks(b, "eyJ");
}

static void text_loses_tokens(void **state)
{
    static const char *const texts[] = {
        "Authorization: Bearer " JWT "\r\n",
        "authorization: bearer " JWT,
        "{\"access_token\":\"" JWT "\",\"expires_in\":3599}",
        "{\"access_token\": \"" JWT "\"}",
        "{ \"access_token\" : \"" JWT "\" }",
        "token " JWT " was refused",
        "(" JWT ")",
        "body=client_assertion=" JWT "&x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO_FREE char *out = chsm_redact_text(texts[i], NULL);

        assert_contains(out, "REDACTED");
        assert_lacks(out, "eyJ");
        assert_lacks(out, "c2lnbmF0dXJl");
    }
}

static void text_loses_signatures_of_a_sas(void **state)
{
    AUTO_FREE char *out = chsm_redact_text("cannot read https://acc.blob.core.windows.net/c?sv=2022-11-02&ss=b&sp=rl&sig=Abc%2Fdef%3D&se=2026 today", NULL);

    (void)state;
    assert_lacks(out, "Abc%2Fdef");
    assert_contains(out, "acc.blob.core.windows.net");
    assert_contains(out, "today");
}

static void text_loses_client_secrets(void **state)
{
    AUTO_FREE char *form = chsm_redact_text("grant_type=client_credentials&client_secret=S8Q~abc.def_ghi-jkl&scope=x", NULL);
    AUTO_FREE char *json = chsm_redact_text("{\"client_secret\": \"S8Q~abc.def_ghi-jkl\"}", NULL);

    (void)state;
    assert_lacks(form, "S8Q");
    assert_lacks(form, "jkl");
    assert_contains(form, "&scope=x");
    assert_lacks(json, "S8Q");
}

static void text_loses_the_secrets_it_is_told(void **state)
{
    static const char *const secrets[] = { "cu1:user1234", "user1234", "", "pw!", NULL };
    AUTO_FREE char *out = chsm_redact_text("login cu1:user1234 failed (user1234, user1234); pw! pw!; user123", secrets);

    (void)state;
    assert_string_equal(out, "login REDACTED failed (REDACTED, REDACTED); REDACTED REDACTED; user123");
}

/* Whatever else the text looks like, a known secret goes, and goes whole. */
static void known_secret_wins_over_patterns(void **state)
{
    static const char *const secrets[] = { "user", "user1234", "cu1:user1234", NULL };
    AUTO_FREE char *prefix_first = chsm_redact_text("pin user1234 wrong", secrets);
    AUTO_FREE char *inside = chsm_redact_text("?token=cu1:user1234&x", secrets);
    AUTO_FREE char *tail = chsm_redact_text("code=abc-cu1:user1234;", secrets);

    (void)state;
    assert_lacks(prefix_first, "1234");
    assert_lacks(inside, "1234");
    assert_lacks(tail, "1234");
}

static void harmless_text_is_untouched(void **state)
{
    static const char *const texts[] = { "", "cluster chsm-a is NotActivated", "HTTP 409 (Conflict)", "eyJ", "the keyJar is full", "id 0a0b" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO_FREE char *out = chsm_redact_text(texts[i], NULL);

        assert_string_equal(out, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_below_the_floor_are_dropped),
        cmocka_unit_test(terminal_obeys_no_foreign_text),
        cmocka_unit_test(secret_with_control_characters),
        cmocka_unit_test(long_line_stays_a_line),
        cmocka_unit_test(urls_keep_what_helps),
        cmocka_unit_test(signed_location_of_a_job),
        cmocka_unit_test(fragment_is_not_shown),
        cmocka_unit_test(text_loses_tokens),
        cmocka_unit_test(text_loses_signatures_of_a_sas),
        cmocka_unit_test(text_loses_client_secrets),
        cmocka_unit_test(text_loses_the_secrets_it_is_told),
        cmocka_unit_test(known_secret_wins_over_patterns),
        cmocka_unit_test(harmless_text_is_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
