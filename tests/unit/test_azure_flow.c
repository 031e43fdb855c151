/* SPDX-License-Identifier: Apache-2.0 */
/* Applying an identity, starting jobs and following them, against a scripted resource manager. */
#include "config.h"

#include "azure/job.h"
#include "tests/unit/azure_world.h"

#define ID "572a45927fc240e1ac075de27371680b"
#define MI(name) "/subscriptions/" SUBSCRIPTION "/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" name
#define BACKUP "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592"
#define CONTAINER "https://a.blob.core.windows.net/c"
#define CLUSTER(state, active, tags, identity) ANSWER("200 OK", "", "{\"id\":\"/x\",\"name\":\"chsm1\",\"location\":\"ukwest\"," \
    "\"sku\":{\"family\":\"B\",\"name\":\"Standard_B1\"},\"tags\":" tags ",\"identity\":" identity ",\"properties\":{\"provisioningState\":\"" \
    state "\",\"activationState\":\"" active "\",\"publicNetworkAccess\":\"Disabled\",\"statusMessage\":\"because\"}}")
#define NONE "{\"type\":\"None\"}"
#define USER(name) "{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"" MI(name) "\":{\"principalId\":null,\"clientId\":null}}}"
#define TAGS "{\"Dept\":\"hsm\"}"
#define ACCEPTED(kind) ANSWER("202 Accepted", "Location: /subscriptions/x/" kind "OperationStatus/" ID "?api-version=1&s=x\r\n", "")
#define JOB(word) ANSWER("200 OK", "", "{\"properties\":{\"status\":\"" word "\",\"jobId\":\"" ID "\",\"endTime\":\"2025-06-13T14:36:53Z\"}}")

static const struct chsm_cluster_ref chsm1 = { SUBSCRIPTION, "rg", "chsm1" }, chsm2 = { SUBSCRIPTION, "RG", "CHSM1" },
                                     other = { SUBSCRIPTION, "rg", "source" };

static int apply(struct arm_world *w, const char *identity, bool patch, bool *changed)
{
    struct chsm_cluster_task task = { .arm = &w->arm, .ref = &chsm1, .deadline = chsm_deadline_in(20000) };
    struct chsm_cluster_result r = { 0 };
    int rc = chsm_cluster_identity_apply(&task, identity, patch, &r, &w->err);

    *changed = r.changed;
    json_decref(r.cluster);
    return rc;
}

static void identity_is_put(void **state)
{
    static const char *const script[] = { CLUSTER("Succeeded", "NotActivated", TAGS, NONE),
                                          CLUSTER("Updating", "NotActivated", TAGS, USER("mi-1")),
                                          CLUSTER("Updating", "NotActivated", TAGS, USER("mi-1")),
                                          CLUSTER("Succeeded", "NotActivated", TAGS, USER("mi-1")),
                                          CLUSTER("Succeeded", "NotActivated", TAGS, USER("mi-1")), NULL };
    struct arm_world w;
    bool changed;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(apply(&w, MI("mi-1"), false, &changed), w.err);
    assert_true(changed);
    assert_contains(server_request(w.server, 1),
                    "PUT /subscriptions/" SUBSCRIPTION "/resourceGroups/rg/providers/Microsoft.HardwareSecurityModules/"
                                                 "cloudHsmClusters/chsm1?api-version=2025-03-31 HTTP/1.1\r\n");
    assert_contains(server_request(w.server, 1), "\"tags\":{\"Dept\":\"hsm\"}");
    assert_contains(server_request(w.server, 1), "\"userAssignedIdentities\":{\"" MI("mi-1") "\":{}}");
    assert_lacks(server_request(w.server, 1), "provisioningState");
    arm_world_close(&w);
}

static void identity_that_is_there_sends_nothing(void **state)
{
    static const char *const script[] = { CLUSTER("Succeeded", "Active", TAGS, USER("MI-1")), NULL };
    struct arm_world w;
    bool changed = true;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(apply(&w, MI("mi-1"), false, &changed), w.err);     /* ids do not depend on case */
    assert_false(changed);
    assert_int_equal(server_count(w.server), 1);
    arm_world_close(&w);
}

/* The first try was taken and its answer lost; the second one is in its way, or somebody else's change is in ours. */
static void conflicts_are_looked_into(void **state)
{
    static const char busy[] = ANSWER("409 Conflict", "", "{\"error\":{\"code\":\"Conflict\",\"message\":\"busy\"}}");
    static const char *const ours[] = { CLUSTER("Succeeded", "Active", TAGS, NONE), "", busy, CLUSTER("Updating", "Active", TAGS, USER("mi-1")),
                                        CLUSTER("Succeeded", "Active", TAGS, USER("mi-1")), NULL };
    static const char *const others[] = { CLUSTER("Succeeded", "Active", TAGS, NONE), busy, CLUSTER("Succeeded", "Active", "{\"new\":\"tag\"}", NONE),
                                          CLUSTER("Succeeded", "Active", "{\"new\":\"tag\"}", USER("mi-1")),
                                          CLUSTER("Succeeded", "Active", "{\"new\":\"tag\"}", USER("mi-1")), NULL };
    struct arm_world w;
    bool changed = false;

    (void)state;
    arm_world_open(&w, "token", ours);
    assert_ok(apply(&w, MI("mi-1"), false, &changed), w.err);
    assert_true(changed);
    assert_int_equal(server_count(w.server), 5);
    arm_world_close(&w);
    arm_world_open(&w, "token", others);
    assert_ok(apply(&w, MI("mi-1"), false, &changed), w.err);
    assert_contains(server_request(w.server, 3), "PUT ");
    assert_contains(server_request(w.server, 3), "\"tags\":{\"new\":\"tag\"}");
    arm_world_close(&w);
}

static void other_identities_are_refused(void **state)
{
    static const char *const script[] = {
        CLUSTER("Succeeded", "Active", TAGS, USER("other")),
        CLUSTER("Succeeded", "Active", TAGS, "{\"type\":\"SystemAssigned\"}"),
        CLUSTER("Succeeded", "Active", TAGS,
                "{\"type\":\"SystemAssigned,UserAssigned\",\"userAssignedIdentities\":{\"" MI("mi-1") "\":{}}}"), NULL };
    struct arm_world w;
    bool changed;

    (void)state;
    arm_world_open(&w, "token", script);
    for (unsigned i = 1; i <= 3; i++) {
        assert_fails(apply(&w, MI("mi-1"), false, &changed), CHSM_REFUSED, w.err);
        assert_int_equal(server_count(w.server), i);
    }
    arm_world_close(&w);
}

static void lost_tags_are_reported(void **state)
{
    static const char *const script[] = { CLUSTER("Succeeded", "Active", TAGS, NONE),
                                          CLUSTER("Succeeded", "Active", "{}", USER("mi-1")),
                                          CLUSTER("Succeeded", "Active", "{}", USER("mi-1")), NULL };
    struct arm_world w;
    bool changed;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(apply(&w, MI("mi-1"), true, &changed), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "tags.Dept: \"hsm\" -> absent");
    assert_contains(server_request(w.server, 1), "PATCH ");
    arm_world_close(&w);
}

static void identity_that_does_not_stick(void **state)
{
    static const char *const script[] = { CLUSTER("Succeeded", "Active", TAGS, NONE),
                                          CLUSTER("Succeeded", "Active", TAGS, NONE),
                                          CLUSTER("Succeeded", "Active", TAGS, NONE),
                                          CLUSTER("Succeeded", "Active", TAGS, NONE),
                                          CLUSTER("Failed", "Active", TAGS, NONE), NULL };
    struct arm_world w;
    bool changed;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(apply(&w, MI("mi-1"), false, &changed), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "does not have the identity");
    assert_fails(apply(&w, MI("mi-1"), false, &changed), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "because");
    arm_world_close(&w);
}

static int restore(struct arm_world *w, const struct chsm_cluster_ref *source, const char *container, const char *backup,
                   struct chsm_job *j)
{
    struct chsm_restore_request q = { .destination = &chsm1, .source = source, .container_uri = container, .backup_id = backup };

    return chsm_restore_start(&w->arm, &q, chsm_deadline_in(20000), j, &w->err);
}

static void restore_guards(void **state)
{
    static const char *const script[] = { CLUSTER("Succeeded", "Active", TAGS, NONE),
                                          CLUSTER("Failed", "NotActivated", TAGS, NONE),
                                          CLUSTER("Updating", "NotActivated", TAGS, NONE),
                                          CLUSTER("Succeeded", "notactivated", TAGS, NONE),
                                          ANSWER("200 OK", "", "{}"), ANSWER("404 Not Found", "", ""), NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(restore(&w, &chsm2, CONTAINER, BACKUP, &j), CHSM_REFUSED, w.err);      /* the source, in other letters */
    assert_contains(w.err.text, "source");
    assert_fails(restore(&w, &other, CONTAINER "?sv=1&sig=abc", BACKUP, &j), CHSM_REFUSED, w.err);
    assert_fails(restore(&w, &other, "http://a/c", BACKUP, &j), CHSM_USAGE, w.err);
    assert_fails(restore(&w, &other, CONTAINER, "latest", &j), CHSM_USAGE, w.err);
    assert_int_equal(server_count(w.server), 0);
    assert_fails(restore(&w, &other, CONTAINER, BACKUP, &j), CHSM_REFUSED, w.err);
    assert_contains(w.err.text, "is Active, not NotActivated");
    for (unsigned i = 0; i < 4; i++)
        assert_fails(restore(&w, NULL, CONTAINER, BACKUP, &j), CHSM_REFUSED, w.err);
    assert_fails(restore(&w, NULL, CONTAINER, BACKUP, &j), CHSM_SERVICE, w.err);
    for (unsigned i = 0; i < server_count(w.server); i++)
        assert_lacks(server_request(w.server, i), "POST ");
    arm_world_close(&w);
}

static void restore_starts(void **state)
{
    static const char *const script[] = { CLUSTER("Succeeded", "NotActivated", TAGS, NONE), ACCEPTED("restore"), NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(restore(&w, &other, CONTAINER, BACKUP, &j), w.err);
    assert_string_equal(j.id, ID);
    assert_string_equal(j.status, "InProgress");
    assert_int_equal(j.kind, CHSM_JOB_RESTORE);
    assert_contains(server_request(w.server, 1), "/cloudHsmClusters/chsm1/restore?api-version=2025-03-31 HTTP/1.1\r\n");
    assert_contains(server_request(w.server, 1),
                    "{\"azureStorageBlobContainerUri\":\"" CONTAINER "\",\"backupId\":\"" BACKUP "\"}");
    chsm_job_done(&j);
    arm_world_close(&w);
}

static void start_that_did_not_start(void **state)
{
    static const char *const script[] = { ANSWER("409 Conflict", "", "{\"error\":{\"code\":\"Conflict\",\"message\":\"busy\"}}"),
                                          ANSWER("429 Slow", "Retry-After: 1\r\n", ""), ACCEPTED("backup"),
                                          ANSWER("202 Accepted",
                                                 "Location: https://evil.example/backupOperationStatus/" ID "\r\n", ""), NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(chsm_backup_start(&w.arm, &chsm1, CONTAINER, 0, &j, &w.err), CHSM_SERVICE, w.err);
    assert_lacks(w.err.text, "unknown whether");
    assert_contains(w.err.hint, "may be running");
    assert_string_equal(w.err.service_code, "Conflict");
    assert_ok(chsm_backup_start(&w.arm, &chsm1, CONTAINER, 0, &j, &w.err), w.err);      /* throttled, then taken */
    assert_string_equal(j.id, ID);
    chsm_job_done(&j);
    assert_int_equal(server_count(w.server), 3);
    assert_fails(chsm_backup_start(&w.arm, &chsm1, CONTAINER, 0, &j, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "nothing was sent there");
    assert_fails(chsm_backup_start(&w.arm, &chsm1, CONTAINER "?sig=x", 0, &j, &w.err), CHSM_REFUSED, w.err);
    assert_int_equal(server_count(w.server), 4);
    arm_world_close(&w);
}

static int wait_for(struct arm_world *w, struct chsm_job *j)
{
    *j = (struct chsm_job){ .kind = CHSM_JOB_RESTORE, .id = ID };
    return chsm_job_wait(&w->arm, &chsm1, j, chsm_deadline_in(20000), NULL, NULL, &w->err);
}

static void job_is_followed_to_its_end(void **state)
{
    static const char *const script[] = { ANSWER("202 Accepted", "Location: /elsewhere\r\n", ""), JOB("InProgress"),
                                          JOB("Succeeded"), NULL };
    struct chsm_job j;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(wait_for(&w, &j), w.err);
    assert_string_equal(j.status, "Succeeded");
    for (unsigned i = 0; i < 3; i++)
        assert_contains(server_request(w.server, i),
                        "/cloudHsmClusters/chsm1/restoreOperationStatus/" ID "?api-version=2025-03-31 HTTP/1.1\r\n");
    chsm_job_done(&j);
    arm_world_close(&w);
}

/* HTTP 200 is no success: only the word is. */
static void job_that_does_not_succeed(void **state)
{
    static const char *const script[] = {
        ANSWER("200 OK", "",
               "{\"properties\":{\"status\":\"Failed\",\"error\":{\"code\":\"Denied\",\"message\":\"no access\"}}}"),
        JOB("Cancelled"), ANSWER("403 Forbidden", "", "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"x\"}}"),
        NULL };
    static const char *const texts[] = { "ended as Failed: Denied: no access", "ended as Cancelled", "AuthorizationFailed" };
    struct chsm_job j;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_fails(wait_for(&w, &j), CHSM_SERVICE, w.err);
        assert_contains(w.err.text, texts[i]);
        chsm_job_done(&j);
    }
    arm_world_close(&w);
}

static void job_outlives_the_deadline(void **state)
{
    static const char *const script[] = { JOB("InProgress"), NULL };
    struct chsm_job j = { .kind = CHSM_JOB_RESTORE, .id = ID };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    w.arm.poll_interval = 60000;
    assert_fails(chsm_job_wait(&w.arm, &chsm1, &j, chsm_deadline_in(700), NULL, NULL, &w.err), CHSM_DEADLINE, w.err);
    assert_contains(w.err.text, "restore job " ID " is still running");
    assert_contains(w.err.hint, "--job-id " ID);
    chsm_job_done(&j);
    arm_world_close(&w);
}

static void job_shown_once(void **state)
{
    static const char *const script[] = { ANSWER("202 Accepted", "", ""), JOB("Failed"), NULL };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(chsm_job_show(&w.arm, &chsm1, CHSM_JOB_RESTORE, ID, 0, &j, &w.err), w.err);
    assert_string_equal(j.status, "InProgress");
    chsm_job_done(&j);
    assert_ok(chsm_job_show(&w.arm, &chsm1, CHSM_JOB_RESTORE, ID, 0, &j, &w.err), w.err);
    assert_string_equal(j.status, "Failed");
    chsm_job_done(&j);
    assert_fails(chsm_job_show(&w.arm, &chsm1, CHSM_JOB_RESTORE, "../../x", 0, &j, &w.err), CHSM_USAGE, w.err);
    arm_world_close(&w);
}

static void cluster_wait(void **state)
{
    static const char *const script[] = { CLUSTER("Provisioning", "NotDefined", TAGS, NONE),
                                          CLUSTER("Succeeded", "NotActivated", TAGS, NONE),
                                          CLUSTER("Succeeded", "Active", TAGS, NONE),
                                          CLUSTER("Succeeded", "Failed", TAGS, NONE), NULL };
    json_t *cluster = NULL;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(chsm_cluster_wait(&w.arm, &chsm1, "Active", chsm_deadline_in(20000), NULL, NULL, &cluster, &w.err), w.err);
    assert_string_equal(chsm_cluster_activation(cluster), "Active");
    json_decref(cluster);
    assert_int_equal(server_count(w.server), 3);
    assert_fails(chsm_cluster_wait(&w.arm, &chsm1, "Active", chsm_deadline_in(20000), NULL, NULL, NULL, &w.err), CHSM_SERVICE,
                 w.err);
    arm_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_is_put), cmocka_unit_test(identity_that_is_there_sends_nothing),
        cmocka_unit_test(conflicts_are_looked_into), cmocka_unit_test(other_identities_are_refused),
        cmocka_unit_test(lost_tags_are_reported), cmocka_unit_test(identity_that_does_not_stick),
        cmocka_unit_test(restore_guards),
        cmocka_unit_test(restore_starts), cmocka_unit_test(start_that_did_not_start),
        cmocka_unit_test(job_is_followed_to_its_end), cmocka_unit_test(job_that_does_not_succeed),
        cmocka_unit_test(job_outlives_the_deadline),
        cmocka_unit_test(job_shown_once), cmocka_unit_test(cluster_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
