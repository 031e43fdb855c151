/* SPDX-License-Identifier: Apache-2.0 */
/* The wire log and the record of exchanges that are full of secrets. */
#include "config.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/azure_world.h"
#include "util/log.h"

#define ACCOUNT_KEY "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
#define JWT "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"

static void collect(void *ctx, enum chsm_level level, const char *line)
{
    (void)level;
    if (chsm_buf_addf(ctx, NULL, "%s\n", line) < 0)
        abort();
}

struct traced {
    struct arm_world w;
    struct chsm_buf log;
    char file[64];
    struct chsm_buf record;
};

static void traced_open(struct traced *t, const char *credential, const char *const *script)
{
    char dir[] = "/tmp/chsm-test-record-XXXXXX";

    *t = (struct traced){ .log = CHSM_BUF(1u << 22), .record = CHSM_BUF(1u << 22) };
    assert_non_null(mkdtemp(dir));
    (void)snprintf(t->file, sizeof t->file, "%s/record", dir);
    chsm_log_open(collect, &t->log, CHSM_LOG_DEBUG);
    arm_world_open_on(&t->w, server_new(/* tls= */ true, script), credential, t->file);
}

/* Ends the recording and reads it. */
static void traced_read(struct traced *t)
{
    FILE *f = fopen(t->file, "r");
    char bytes[4096];
    size_t n;

    assert_non_null(f);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        assert_ok(chsm_buf_add(&t->record, bytes, n, &t->w.err), t->w.err);
    (void)fclose(f);
}

static void traced_close(struct traced *t)
{
    chsm_log_open(NULL, NULL, CHSM_LOG_NOTE);
    arm_world_close(&t->w);
    chsm_buf_done(&t->log);
    chsm_buf_done(&t->record);
    (void)unlink(t->file);
    *strrchr(t->file, '/') = '\0';
    (void)rmdir(t->file);
}

static void both_lack(struct traced *t, const char *secret)
{
    assert_lacks(chsm_buf_str(&t->log), secret);
    assert_lacks(chsm_buf_str(&t->record), secret);
}

static void both_have(struct traced *t, const char *text)
{
    assert_contains(chsm_buf_str(&t->log), text);
    assert_contains(chsm_buf_str(&t->record), text);
}

static void secrets_stay_out(void **state)
{
    static const char *const script[] = {
        ANSWER("200 OK", "Set-Cookie: fpc=c00kie-value; path=/\r\nX-Strange: unknown-header-value\r\nContent-Type: application/json\r\n",
               "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"0paque-access-token-1\",\"refresh_token\":\"r3fresh-token\"}"),
        ANSWER("200 OK", "Content-Type: application/json\r\nx-ms-request-id: rid-1\r\nServer: S/1\r\n",
               "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"" ACCOUNT_KEY "\",\"permissions\":\"FULL\"}],\"plain\":\"kept\"}"),
        ANSWER("401 Unauthorized", "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"" JWT "\"\r\n", ""), NULL };
    static const char *const secrets[] = {
        "p+w=&", "p%2Bw", "0paque-a", "r3fresh", "c00kie", "unknown-header", ACCOUNT_KEY, "Eby8vdM0", "eyJ", "sas-sign", "b0dy-token", "c3VwZXI",
    };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *body = json_pack("{s:s,s:s,s:s}", "azureStorageBlobContainerUri", "https://a.test/c?sv=2&sig=sas-signature", "token", "b0dy-token",
                                  "name", "kept-too");
    struct traced t;

    (void)state;
    traced_open(&t, "environment", script);
    assert_ok(chsm_arm_do(&t.w.arm, "POST", "/x/listKeys?api-version=1&code=c3VwZXI", body, CHSM_REPEAT_SAFE, 0, &r, NULL, &t.w.err), t.w.err);
    chsm_response_done(&r);
    assert_int_equal(chsm_arm_do(&t.w.arm, "GET", "/y", NULL, CHSM_REPEAT_START, 0, &r, NULL, &t.w.err), -1);
    traced_read(&t);
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        both_lack(&t, secrets[i]);
    both_have(&t, "/tenant-1/oauth2/v2.0/token");
    both_have(&t, "grant_type=client_credentials&client_id=client-1&");
    both_have(&t, "&client_secret=REDACTED");
    both_have(&t, "/x/listKeys?api-version=1&code=REDACTED");
    both_have(&t, "\"name\":\"kept-too\"");
    both_have(&t, "\"plain\":\"kept\"");
    both_have(&t, "\"expires_in\":3599");
    both_have(&t, "x-ms-request-id: rid-1");
    both_have(&t, "Authorization: REDACTED");
    both_have(&t, "Set-Cookie: REDACTED");
    both_have(&t, "insufficient_claims");
    traced_close(&t);
}

/* Bodies that are no JSON, whatever their type says; an answer that never comes. */
static void other_bodies(void **state)
{
    static const char *const script[] = {
        ANSWER("200 OK", "Content-Type: text/html\r\n", "<p>go to https://u:pass-word@p.test/?sig=abc</p>"),
        ANSWER("200 OK", "Content-Type: application/json\r\n", "{\"access_token\":\"cut-0ff-tok"),
        ANSWER("200 OK", "Content-Type: application/octet-stream\r\n", "raw-bytes"),
        ANSWER("200 OK", "Content-Type: text/plain\r\n", "\xff\xfe no text"),
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct traced t;

    (void)state;
    traced_open(&t, "token", script);
    for (size_t i = 0; script[i]; i++) {
        chsm_response_done(&r);
        if (chsm_arm_do(&t.w.arm, "POST", "/x", NULL, CHSM_REPEAT_START, 0, &r, NULL, &t.w.err) < 0)
            assert_null(script[i + 1]);
    }
    traced_read(&t);
    both_lack(&t, "pass-word");
    both_lack(&t, "sig=abc");
    both_lack(&t, "cut-0ff");
    both_lack(&t, "raw-bytes");
    both_have(&t, "<p>go to https://REDACTED@p.test/");
    both_have(&t, "(9 bytes)");
    both_have(&t, "that are no text");
    both_have(&t, "cut off");
    assert_contains(chsm_buf_str(&t.record), "\"event\":\"failure\"");
    assert_contains(chsm_buf_str(&t.record), "\"sent\":true");
    traced_close(&t);
}

/* Every line is JSON; the numbers pair requests with answers. */
static void record_is_read_back(void **state)
{
    static const char *const script[] = { ANSWER("503 Busy", "Retry-After: 0\r\n", ""), ANSWER("200 OK", "", "{}"), NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    static const char *const events[] = { "start", "request", "answer", "request", "answer" };
    static const int numbers[] = { 0, 1, 1, 2, 2 };
    struct stat st;
    struct traced t;
    size_t n = 0;

    (void)state;
    traced_open(&t, "token", script);
    assert_ok(chsm_arm_do(&t.w.arm, "GET", "/x", NULL, CHSM_REPEAT_SAFE, 0, &r, NULL, &t.w.err), t.w.err);
    traced_read(&t);
    for (char *rest = NULL, *line = strtok_r(t.record.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), n++) {
        json_auto_t *event = json_loads(line, 0, NULL);

        assert_in_range(n, 0, ARRAY_LEN(events) - 1);
        assert_string_equal(chsm_json_str(event, "event"), events[n]);
        assert_int_equal(json_integer_value(json_object_get(event, "exchange")), numbers[n]);
    }
    assert_int_equal(n, ARRAY_LEN(events));
    assert_int_equal(stat(t.file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    traced_close(&t);
}

/* A disk that is full ends the record with a warning, not the work. */
static void full_disk(void **state)
{
    static const char *const script[] = { ANSWER("200 OK", "", "{}"), ANSWER("200 OK", "", "{}"), NULL };
    const struct rlimit none = { 0, RLIM_INFINITY };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct rlimit before;
    struct traced t;

    (void)state;
    traced_open(&t, "token", script);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    for (int i = 0; i < 2; i++) {
        chsm_response_done(&r);
        assert_ok(chsm_arm_do(&t.w.arm, "GET", "/x", NULL, CHSM_REPEAT_SAFE, 0, &r, NULL, &t.w.err), t.w.err);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_contains(chsm_buf_str(&t.log), "the record ends here");
    assert_null(strstr(strstr(chsm_buf_str(&t.log), "the record ends here") + 1, "the record ends here"));
    traced_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_stay_out), cmocka_unit_test(other_bodies), cmocka_unit_test(record_is_read_back),
        cmocka_unit_test(full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
