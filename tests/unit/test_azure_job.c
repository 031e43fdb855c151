/* SPDX-License-Identifier: Apache-2.0 */
/* Job results, the snapshot's time in them, and the forms of ids. */
#include "config.h"

#include "tests/unit/check.h"

#include "azure/job_id.h"

#define ID "572a45927fc240e1ac075de27371680b"
#define OTHER "08d796450000000000000000000000ff"

/* The answer that was recorded from the service. */
#define RECORDED "{\"properties\":{\"backupId\":\"cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592\"," \
    "\"azureStorageBlobContainerUri\":\"https://a.blob.core.windows.net/testbackup\",\"status\":\"Succeeded\"," \
    "\"statusDetails\":\"HSM Backup Time: 6/13/2025 1:40:04 PM +00:00 UTC.\",\"startTime\":\"2025-06-13T14:36:45Z\"," \
    "\"endTime\":\"2025-06-13T14:36:53Z\",\"jobId\":\"" ID "\"}}"

static int parse(const char *text, struct chsm_job *j, struct chsm_err *err)
{
    json_auto_t *body = json_loads(text, 0, NULL);

    assert_non_null(body);
    return chsm_job_parse(body, j, err);
}

static void recorded_success(void **state)
{
    struct chsm_job j = { .kind = CHSM_JOB_BACKUP };
    char when[CHSM_TIME_LEN];
    struct chsm_err err;

    (void)state;
    assert_ok(parse(RECORDED, &j, &err), err);
    assert_string_equal(j.id, ID);
    assert_string_equal(j.status, "Succeeded");
    assert_string_equal(j.backup_id, "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592");
    assert_true(chsm_backup_id_ok(j.backup_id));
    assert_string_equal(j.started, "2025-06-13T14:36:45Z");
    chsm_time_format(j.snapshot, false, when);
    assert_string_equal(when, "2025-06-13T13:40:04Z");
    assert_null(j.error_code);
    assert_non_null(j.raw);
    chsm_job_done(&j);
}

static void published_examples(void **state)
{
    static const char *const names[] = { "Backup_Pending", "Restore_Pending", "CreateOrValidate_Backup",
                                         "RequestOrValidate_Restore" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *top = getenv("abs_top_srcdir");
        AUTO_FREE char *file = chsm_strf("%s/tests/data/azure/CloudHsmCluster_%s_MaximumSet_Gen.json", top ? top : ".", names[i]);
        json_auto_t *all = NULL;
        struct chsm_job j = { .kind = CHSM_JOB_BACKUP };
        struct chsm_err err;

        assert_ok(chsm_json_load(file, 1u << 20, &all, &err), err);
        assert_ok(chsm_job_parse(chsm_json_get(all, "responses.200.body"), &j, &err), err);
        assert_string_equal(j.status, "InProgress");    /* although endTime is set */
        assert_string_equal(j.id, ID);
        assert_null(j.backup_id);
        assert_int_equal(j.snapshot, 0);
        chsm_job_done(&j);
    }
}

static void failures(void **state)
{
    struct chsm_job j = { .kind = CHSM_JOB_RESTORE, .id = ID };
    struct chsm_err err;

    (void)state;
    assert_ok(parse("{\"properties\":{\"status\":\"Failed\",\"error\":{\"code\":\"StorageDenied\",\"message\":\"no access\",\"details\":"
                    "[{\"code\":\"Inner\",\"message\":\"403\"}]}}}", &j, &err), err);
    assert_string_equal(j.error_code, "StorageDenied");
    assert_string_equal(j.error_message, "no access; Inner: 403");
    assert_string_equal(j.id, ID);      /* kept: the answer does not repeat it */
    assert_ok(parse("{\"properties\":{\"status\":\"Failed\",\"error\":{\"error\":{\"code\":\"Wrapped\",\"message\":\"x\"}}}}", &j,
                    &err), err);
    assert_string_equal(j.error_code, "Wrapped");
    assert_ok(parse("{\"properties\":{\"status\":\"Failed\",\"error\":null}}", &j, &err), err);
    assert_null(j.error_code);
    chsm_job_done(&j);
}

static void answers_that_are_none(void **state)
{
    static const char *const bad[] = {
        "{}", "{\"properties\":{}}", "{\"properties\":{\"status\":null}}", "[]", "{\"error\":{\"code\":\"x\"}}",
        "{\"properties\":{\"status\":\"Succeeded\",\"jobId\":\"" OTHER "\"}}",      /* about another job */
        "{\"properties\":{\"status\":\"Succeeded\",\"jobId\":\"../x\"}}",
    };
    struct chsm_job j = { .kind = CHSM_JOB_RESTORE, .id = ID };
    struct chsm_err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_fails(parse(bad[i], &j, &err), CHSM_SERVICE, err);
        assert_string_equal(j.id, ID);
        assert_null(j.status);
    }
}

static void snapshots(void **state)
{
    static const struct { const char *text, *utc; } cases[] = {
        { "HSM Backup Time: 6/13/2025 1:40:04 PM +00:00 UTC.", "2025-06-13T13:40:04Z" },
        { "HSM Backup Time: 12/1/2025 12:00:00 AM +00:00 UTC.", "2025-12-01T00:00:00Z" },
        { "HSM Backup Time: 12/31/2025 12:59:59 PM +00:00 UTC.", "2025-12-31T12:59:59Z" },
        { "Done. HSM Backup Time: 06/03/2025 11:05:09 AM +00:00", "2025-06-03T11:05:09Z" },
        { "HSM Backup Time: 6/13/2025 1:40:04\xe2\x80\xafPM +00:00 UTC.", "2025-06-13T13:40:04Z" },
        { "HSM Backup Time: 6/13/2025 13:40:04 +00:00 UTC.", "2025-06-13T13:40:04Z" },
        { "HSM Backup Time: 6/13/2025 1:40:04 PM UTC", "2025-06-13T13:40:04Z" },
        { "HSM Backup Time: 6/13/2025 1:40:04 PM -07:00", "2025-06-13T20:40:04Z" },
        { "HSM Backup Time: 2/29/2024 1:40:04 PM +00:00", "2024-02-29T13:40:04Z" },
        { "HSM Backup Time: 2/29/2025 1:40:04 PM +00:00", NULL }, { "HSM Backup Time: 13/6/2025 1:40:04 PM +00:00", NULL },
        { "HSM Backup Time: 6/13/2025 13:40:04 PM +00:00", NULL }, { "HSM Backup Time: 6/13/2025 0:40:04 AM +00:00", NULL },
        { "HSM Backup Time: 6/13/2025 1:40:04 PM", NULL }, { "HSM Backup Time: 6/13/25 1:40:04 PM +00:00", NULL },
        { "HSM Backup Time: 6/13/2025 1:60:04 PM +00:00", NULL }, { "HSM Backup Time: ", NULL }, { "HSM Backup Time: 6/", NULL },
        { "Backup operation is in progress", NULL }, { "", NULL }, { NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = chsm_job_snapshot(cases[i].text);
        char when[CHSM_TIME_LEN] = "";

        if (!cases[i].utc) {
            if (got != 0)
                fail_msg("taken: %s", cases[i].text);
            continue;
        }
        chsm_time_format(got, false, when);
        assert_string_equal(when, cases[i].utc);
    }
}

static void backup_ids(void **state)
{
    static const char good[] = "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592";
    static const char *const bad[] = {
        "backupId", "", "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-202506131436459", "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133",
        "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-20250613143645920", "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-202506131436459x",
        "Cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592", "cloudhsm-", "cloudhsm-0e35c989c582-4b3c-958d-596e4c4fe133-12",
        "mhsm-name-2025061314364592", "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592/..",
    };

    (void)state;
    assert_true(chsm_backup_id_ok(good));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(chsm_backup_id_ok(bad[i]));
    assert_false(chsm_backup_id_ok(NULL));
}

static void job_ids(void **state)
{
    static const char base[] = "https://management.azure.com/subscriptions/x/resourceGroups/r/providers/P/cloudHsmClusters/c";
    AUTO_FREE char *backup = chsm_strf("%s/backupOperationStatus/%s?api-version=2025-03-31&t=1&s=/restoreOperationStatus/x", base,
                                       ID);
    AUTO_FREE char *shouted = chsm_strf("%s/RESTOREOPERATIONSTATUS/572A45927FC240E1AC075DE27371680B", base);
    AUTO_FREE char *deeper = chsm_strf("%s/backupOperationStatus/%s/x", base, ID);
    AUTO_FREE char *in_query = chsm_strf("%s?x=/backupOperationStatus/%s", base, ID);
    char id[33] = "";

    (void)state;
    assert_true(chsm_job_id_from_url(backup, CHSM_JOB_BACKUP, id));
    assert_string_equal(id, ID);
    assert_false(chsm_job_id_from_url(backup, CHSM_JOB_RESTORE, id));
    assert_true(chsm_job_id_from_url(shouted, CHSM_JOB_RESTORE, id));
    assert_string_equal(id, ID);
    assert_false(chsm_job_id_from_url(deeper, CHSM_JOB_BACKUP, id));
    assert_false(chsm_job_id_from_url(in_query, CHSM_JOB_BACKUP, id));
    assert_false(chsm_job_id_from_url("", CHSM_JOB_BACKUP, id));
}

/* A promise is made only below the longest duration that was ever recorded. */
static void what_may_be_expected(void **state)
{
    static const struct { enum chsm_job_kind kind; int64_t elapsed; const char *said; } cases[] = {
        { CHSM_JOB_BACKUP, 0, "recorded: 8-10 s, by that at most 10 s to go" },
        { CHSM_JOB_BACKUP, 9999, "recorded: 8-10 s, by that at most 1 s to go" },
        { CHSM_JOB_BACKUP, 10000, "longer than any recorded (10 s)" },
        { CHSM_JOB_RESTORE, 48000, "recorded: 60-90 s, by that at most 42 s to go" },
        { CHSM_JOB_RESTORE, 3600000, "longer than any recorded (90 s)" },
    };
    char text[96];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        chsm_job_expected(cases[i].kind, cases[i].elapsed, text, sizeof text);
        assert_string_equal(text, cases[i].said);
    }
}

/* The command that a message names works as it stands. */
static void options_of_a_cluster(void **state)
{
    const struct chsm_cluster_ref plain = { "s-1", "rg", "chsm" }, odd = { "s-1", "rg(1)", "chsm" };
    char text[CHSM_CLUSTER_OPTIONS_LEN];

    (void)state;
    setenv("AZURE_SUBSCRIPTION_ID", "s-1", 1);
    chsm_cluster_options(&plain, text);
    assert_string_equal(text, "-g rg -n chsm");
    chsm_cluster_options(&odd, text);
    assert_string_equal(text, "-g 'rg(1)' -n chsm");
    setenv("AZURE_SUBSCRIPTION_ID", "s-2", 1);
    chsm_cluster_options(&plain, text);
    assert_string_equal(text, "-s s-1 -g rg -n chsm");
    unsetenv("AZURE_SUBSCRIPTION_ID");
    chsm_cluster_options(&plain, text);
    assert_string_equal(text, "-s s-1 -g rg -n chsm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_success), cmocka_unit_test(published_examples), cmocka_unit_test(failures),
        cmocka_unit_test(answers_that_are_none), cmocka_unit_test(snapshots), cmocka_unit_test(backup_ids), cmocka_unit_test(job_ids),
        cmocka_unit_test(what_may_be_expected), cmocka_unit_test(options_of_a_cluster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
