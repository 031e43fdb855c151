/* SPDX-License-Identifier: Apache-2.0 */
/* Starts whose answer is lost: what is looked at, what is said, and that nothing is started again. */
#include "config.h"

#include "azure/job_start.h"
#include "tests/unit/azure_requests.h"
#include "tests/unit/azure_world.h"
#include "util/clock.h"

#define ID "572a45927fc240e1ac075de27371680b"
#define OTHER "08d79645a7fc240e1ac075de2737168f"
#define BACKUP "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592"
#define CONTAINER "https://a.blob.core.windows.net/c"
#define CLUSTER(state, active) ANSWER("200 OK", "", "{\"id\":\"/x\",\"name\":\"chsm1\",\"location\":\"ukwest\",\"properties\":{" \
    "\"provisioningState\":\"" state "\",\"activationState\":\"" active "\"}}")
#define FRESH CLUSTER("Succeeded", "NotActivated")
#define NO_LIST ANSWER("404 Not Found", "", "{\"error\":{\"code\":\"InvalidResourceType\",\"message\":\"x\"}}")
#define LOST ""
#define CUT(kind) "HTTP/1.1 202 Accepted\r\nLocation: /subscriptions/x/" kind "OperationStatus/" ID "?s=x\r\nContent-Length: 9\r\n\r\n{"
#define JOB(word) ANSWER("200 OK", "", "{\"properties\":{\"status\":\"" word "\",\"jobId\":\"" ID "\"}}")

static const struct chsm_cluster_ref chsm1 = { SUBSCRIPTION, "rg", "chsm1" };

static int restore_within(struct arm_world *w, int64_t deadline, struct chsm_job *j)
{
    const struct chsm_restore_request q = { .destination = &chsm1, .container_uri = CONTAINER, .backup_id = BACKUP };

    return chsm_restore_start(&w->arm, &q, chsm_deadline_in(deadline), j, &w->err);
}

static int restore(struct arm_world *w, struct chsm_job *j)
{
    return restore_within(w, 20000, j);
}

/* A backup into a container that the same server has. */
static int backup(struct arm_world *w, int64_t deadline, struct chsm_job *j)
{
    AUTO_FREE char *container = chsm_strf("%s/account/backups", server_url(w->server));

    return chsm_backup_start(&w->arm, &chsm1, container, chsm_deadline_in(deadline), j, &w->err);
}

static void assert_one_start(struct arm_world *w)
{
    unsigned posts = 0;

    for (unsigned i = 0; i < server_count(w->server); i++)
        posts += strncmp(server_request(w->server, i), "POST ", 5) == 0;
    assert_int_equal(posts, 1);
    requests_check(w->server);
}

static void a_restore_that_shows(void **state)
{
    static const char *const signs[] = { CLUSTER("Succeeded", "Active"), CLUSTER("Updating", "NotActivated"), CLUSTER("Failed", "Failed") };
    static const char *const said[] = { "chsm1 is now Succeeded and Active: a restore runs or has run", "chsm1 is now Updating and NotActivated",
                                        "chsm1 is now Failed and Failed" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        const char *const script[] = { FRESH, LOST, FRESH, signs[i], NO_LIST, NULL };
        struct chsm_job j = { 0 };
        struct arm_world w;

        arm_world_open(&w, "token", script);
        assert_fails(restore(&w, &j), CHSM_SERVICE, w.err);
        assert_contains(w.err.text, "it is unknown whether the restore job started");
        assert_contains(w.err.text, said[i]);
        assert_contains(w.err.hint, "`chsmctl cluster wait -g rg -n chsm1 --activation Active`");
        assert_one_start(&w);
        arm_world_close(&w);
    }
}

/* A wait before the repetition is time enough for somebody else's restore: the rules are asked again. */
static void a_repetition_passes_the_rules_again(void **state)
{
    static const char *const used[] = { FRESH, ANSWER("429 Slow", "Retry-After: 1\r\n", ""), CLUSTER("Succeeded", "Active"), NULL };
    static const char *const gone[] = { FRESH, ANSWER("429 Slow", "Retry-After: 1\r\n", ""), ANSWER("403 No", "", ""), NULL };
    static const char *const fresh[] = { FRESH, ANSWER("429 Slow", "Retry-After: 1\r\n", ""), FRESH,
                                         ANSWER("202 Accepted", "Location: /subscriptions/x/restoreOperationStatus/" ID "\r\n", ""), NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", used);
    assert_fails(restore(&w, &j), CHSM_REFUSED, w.err);
    assert_contains(w.err.text, "safety rule destination-activated");
    assert_one_start(&w);
    arm_world_close(&w);

    arm_world_open(&w, "token", gone);
    assert_fails(restore(&w, &j), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "looking at the destination before the restore");
    assert_one_start(&w);
    arm_world_close(&w);

    arm_world_open(&w, "token", fresh);
    assert_ok(restore(&w, &j), w.err);
    assert_string_equal(j.id, ID);
    assert_int_equal(server_count(w.server), 4);
    chsm_job_done(&j);
    arm_world_close(&w);
}

/* Only the whole time of looking allows "most likely". */
static void a_restore_that_does_not_show(void **state)
{
    static const char *const script[] = { FRESH, ANSWER("504 Gateway Timeout", "", ""), FRESH, FRESH, FRESH, FRESH, FRESH, FRESH,
                                          FRESH, FRESH, FRESH, FRESH, FRESH, NO_LIST, NULL };
    static const char *const shorter[] = { FRESH, ANSWER("500 Oops", "", ""), FRESH, NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(restore(&w, &j), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "chsm1 is still Succeeded and NotActivated after ");
    assert_contains(w.err.text, "most likely no restore started");
    assert_contains(w.err.hint, "see the cluster's activity log");
    assert_contains(w.err.hint, "then `chsmctl restore start -g rg -n chsm1 -u " CONTAINER " --backup-id " BACKUP "`");
    assert_int_equal(server_count(w.server), 3 + CHSM_LOST_PAUSES_RESTORE + 1);
    assert_one_start(&w);
    arm_world_close(&w);

    arm_world_open(&w, "token", shorter);
    w.arm.poll_interval = 60000;
    assert_fails(restore_within(&w, 700, &j), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "it may have started");
    assert_lacks(w.err.text, "most likely");
    assert_contains(w.err.hint, "start nothing before you know");
    arm_world_close(&w);
}

static void a_list_of_jobs_is_believed(void **state)
{
    char now[CHSM_TIME_LEN], before[CHSM_TIME_LEN];
    AUTO_FREE char *list = NULL, *answer = NULL;
    const char *script[] = { FRESH, LOST, CLUSTER("Succeeded", "Active"), NULL, NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    chsm_time_format(chsm_now() + 1000, false, now);
    chsm_time_format(chsm_now() - 3600000, false, before);
    list = chsm_strf("{\"value\":[{\"properties\":{\"status\":\"Failed\",\"jobId\":\"" OTHER "\",\"startTime\":\"%s\"}},"
                     "{\"properties\":{\"status\":\"InProgress\",\"jobId\":\"" ID "\",\"startTime\":\"%s\"}}]}", before, now);
    answer = server_json("200 OK", "", list);
    script[3] = answer;
    arm_world_open(&w, "token", script);
    assert_fails(restore(&w, &j), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "the service lists restore job " ID);
    assert_lacks(w.err.text, OTHER);
    assert_contains(w.err.hint, "`chsmctl restore wait -g rg -n chsm1 --job-id " ID "`");
    assert_contains(server_request(w.server, 3), "/cloudHsmClusters/chsm1/restoreOperationStatus?api-version=");
    assert_one_start(&w);
    arm_world_close(&w);
}

/* An answer that was cut off behind its headers has named the job; when it is there, nothing was lost. */
static void a_job_that_was_named_is_found(void **state)
{
    static const char *const script[] = { FRESH, CUT("restore"), JOB("InProgress"), NULL };
    static const char *const late[] = { CUT("backup"), NO_LIST, NO_LIST, JOB("InProgress"), NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(restore(&w, &j), w.err);
    assert_string_equal(j.id, ID);
    assert_string_equal(j.status, "InProgress");
    assert_contains(server_request(w.server, 2), "/cloudHsmClusters/chsm1/restoreOperationStatus/" ID "?");
    assert_one_start(&w);
    chsm_job_done(&j);
    arm_world_close(&w);

    arm_world_open(&w, "token", late);      /* each look that fails asks for a job of the other kind as well */
    assert_ok(backup(&w, 20000, &j), w.err);
    assert_string_equal(j.id, ID);
    assert_one_start(&w);
    chsm_job_done(&j);
    arm_world_close(&w);
}

/* The listing of a container with one backup of that moment; malloc()ed. */
static char *listing(int64_t when, char folder[80])
{
    char time[CHSM_TIME_LEN], digits[CHSM_TIME_LEN];
    AUTO_FREE char *xml = NULL;
    size_t n = 0;

    chsm_time_format(when, false, time);
    for (const char *p = time; *p; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    digits[n] = '\0';
    (void)snprintf(folder, 80, "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-%s00", digits);
    xml = chsm_strf("<?xml version=\"1.0\"?><EnumerationResults><Blobs><BlobPrefix><Name>%s/</Name></BlobPrefix></Blobs><NextMarker/>"
                    "</EnumerationResults>", folder);
    return chsm_strf("HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n%s", xml);
}

static void a_backup_that_shows(void **state)
{
    static const struct { int64_t age; const char *said, *hint; } cases[] = {
        { -2000, "most likely it is this one", "`chsmctl backup list -u https://localhost:" },
        { 60000, "older than the request by its name: another one's, unless a clock is off", "start nothing before you know" },
        { 3600000, "most likely no backup started", "start again: `chsmctl backup start -g rg -n chsm1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char folder[80];
        AUTO_FREE char *xml = listing(chsm_now() - cases[i].age, folder);
        bool looks_on = cases[i].age > 0;
        const char *const once[] = { LOST, xml, NO_LIST, NULL };
        const char *const on[] = { LOST, xml, xml, xml, xml, xml, xml, NO_LIST, NULL };
        struct chsm_job j = { 0 };
        struct arm_world w;

        arm_world_open(&w, "token", looks_on ? on : once);
        assert_fails(backup(&w, 20000, &j), CHSM_SERVICE, w.err);
        assert_contains(w.err.text, "it is unknown whether the backup job started");
        assert_contains(w.err.text, cases[i].said);
        assert_contains(w.err.hint, cases[i].hint);
        if (cases[i].age < 300000)
            assert_contains(w.err.text, folder);
        assert_one_start(&w);
        arm_world_close(&w);
    }
}

static void a_container_that_may_not_be_read(void **state)
{
    static const char forbidden[] = ANSWER("403 Forbidden", "x-ms-error-code: AuthorizationPermissionMismatch\r\n", "");
    static const char *const script[] = { ANSWER("202 Accepted", "", ""), forbidden, NO_LIST, NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(backup(&w, 20000, &j), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "the container could not be looked at");
    assert_contains(w.err.text, "it may have started");
    assert_contains(w.err.text, "named no job");
    assert_contains(w.err.hint, "activity log");
    assert_lacks(w.err.text, "most likely");
    assert_one_start(&w);
    arm_world_close(&w);
}

static void every_row_was_sent(void **state)
{
    (void)state;
    requests_all_seen("lost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repetition_passes_the_rules_again),
        cmocka_unit_test(a_restore_that_shows), cmocka_unit_test(a_restore_that_does_not_show),
        cmocka_unit_test(a_list_of_jobs_is_believed), cmocka_unit_test(a_job_that_was_named_is_found),
        cmocka_unit_test(a_backup_that_shows), cmocka_unit_test(a_container_that_may_not_be_read),
        cmocka_unit_test(every_row_was_sent),
    };

    setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
