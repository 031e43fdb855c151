/* SPDX-License-Identifier: Apache-2.0 */
/* Making, changing and deleting clusters, and asking whether a job would work, against a service that answers as it likes. */
#include "config.h"

#include "azure/identity.h"
#include "azure/job.h"
#include "azure/location.h"
#include "azure/tags.h"
#include "tests/unit/azure_world.h"

#define GROUP                        "/subscriptions/" SUBSCRIPTION "/resourceGroups/rg"
#define MI(name)                     GROUP "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" name
#define ERROR(status, code, message) ANSWER(status, "", "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}")
#define NOT_THERE                    ERROR("404 Not Found", "ResourceNotFound", "x")
#define CLUSTER(state, active, sku, tags, identity)                                                                              \
    ANSWER("200 OK", "",                                                                                                         \
           "{\"id\":\"/x\",\"name\":\"chsm1\",\"location\":\"UK West\","                                                         \
           "\"sku\":{\"family\":\"B\",\"name\":\"" sku "\"},\"tags\":" tags ",\"identity\":" identity                            \
           ",\"properties\":{\"provisioningState\":\"" state "\",\"activationState\":\"" active                                  \
           "\",\"publicNetworkAccess\":\"Disabled\",\"statusMessage\":\"because\"}}")
#define PLAIN(state, active) CLUSTER(state, active, "Standard_B1", "{}", NONE)
#define NONE                 "{\"type\":\"None\"}"
#define USER(name)           "{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"" MI(name) "\":{}}}"
#define JOB                  "572a45927fc240e1ac075de27371680b"
#define BACKUP               "cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592"
#define CONTAINER            "https://a.blob.core.windows.net/c"
#define RESULT(word)                                                                                                             \
    ANSWER("200 OK", "",                                                                                                         \
           "{\"properties\":{\"status\":\"" word "\",\"jobId\":\"" JOB "\","                                                     \
           "\"error\":{\"code\":\"Denied\",\"message\":\"no access\"}}}")

static const struct chsm_cluster_ref chsm1 = { SUBSCRIPTION, "rg", "chsm1" }, source = { SUBSCRIPTION, "rg", "source" };

static struct chsm_cluster_task task(struct arm_world *w)
{
    return (struct chsm_cluster_task){ .arm = &w->arm, .ref = &chsm1, .deadline = chsm_deadline_in(20000) };
}

static int tags(const char *const *words, json_t **ret, struct chsm_err *err)
{
    *ret = NULL;
    return chsm_tags_parse(words, ret, err);
}

static void tags_are_read(void **state)
{
    static const char *const bad[][3] = { { "a<b=1" }, { "=1" },      { "a=1", "A=2" }, { "a\\b" },
                                          { "a/b=1" }, { "", "a=1" }, { "\xff=1" } };
    struct chsm_err err;
    json_t *t;

    (void)state;
    assert_ok(tags((const char *[]){ "team=hsm", "empty", "eq=a=b", NULL }, &t, &err), err);
    assert_int_equal(json_object_size(t), 3);
    assert_string_equal(chsm_json_str(t, "eq"), "a=b");
    assert_string_equal(chsm_json_str(t, "empty"), "");
    json_decref(t);
    assert_ok(tags((const char *[]){ "", NULL }, &t, &err), err);
    assert_int_equal(json_object_size(t), 0);
    json_decref(t);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(tags(bad[i], &t, &err), CHSM_USAGE, err);
}

/* 256 characters of any script are 256, however many bytes they take. */
static void tags_are_measured_in_characters(void **state)
{
    char long_[2 + 2 * 257 + 1] = "n=";
    struct chsm_err err;
    json_t *t;

    (void)state;
    for (int i = 0; i < 256; i++)
        memcpy(long_ + 2 + 2 * i, "\xc3\xa9", 3);
    assert_ok(tags((const char *[]){ long_, NULL }, &t, &err), err);
    json_decref(t);
    memcpy(long_ + 2 + 2 * 256, "x", 2);
    assert_fails(tags((const char *[]){ long_, NULL }, &t, &err), CHSM_USAGE, err);
}

static void tags_are_compared(void **state)
{
    json_auto_t *a = json_pack("{s:s, s:s}", "Team", "HSM", "x", "y"), *b = json_pack("{s:s, s:s}", "x", "y", "team", "hsm");
    json_auto_t *none = json_object();

    (void)state;
    assert_true(chsm_tags_equal(NULL, none, false));
    assert_true(chsm_tags_equal(a, b, true));
    assert_false(chsm_tags_equal(a, b, false));
    assert_false(chsm_tags_equal(a, none, true));
    assert_false(chsm_tags_equal(none, a, true));
}

static void regions(void **state)
{
    struct chsm_err err;
    char *s = NULL;

    (void)state;
    assert_ok(chsm_location_normal("UK South", &s, &err), err);
    assert_string_equal(s, "uksouth");
    free(s);
    assert_fails(chsm_location_normal("uk-south", &s, &err), CHSM_USAGE, err);
    assert_fails(chsm_location_normal("", &s, &err), CHSM_USAGE, err);
    assert_true(chsm_location_eq("UK West", "ukwest"));
    assert_false(chsm_location_eq("UK West", "uksouth"));
    assert_false(chsm_location_eq(NULL, "uksouth"));
    assert_string_equal(chsm_label_scope("tenantreuse"), "TenantReuse");
    assert_null(chsm_label_scope("Reuse"));
}

static void backups_tell_their_time(void **state)
{
    (void)state;
    assert_int_equal(chsm_backup_id_time(BACKUP), chsm_time_utc(2025, 6, 13, 14, 36, 45) + 920);
    assert_int_equal(chsm_backup_id_time("cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025133314364592"), -1);
    assert_int_equal(chsm_backup_id_time("mhsm-x"), -1);
}

static int guard(const struct chsm_cluster_ref *from, const char *uuid, int64_t max_age, const char *id, struct chsm_err *err)
{
    const struct chsm_restore_request q = {
        .destination = &chsm1,
        .source = from,
        .container_uri = CONTAINER,
        .backup_id = id,
        .source_uuid = uuid,
        .max_age = max_age,
    };

    return chsm_restore_guard_words(&q, chsm_time_utc(2025, 6, 13, 15, 36, 46), err);
}

static void restores_are_guarded(void **state)
{
    struct chsm_err err;

    (void)state;
    assert_ok(guard(&source, "0E35C989-c582-4b3c-958d-596e4c4fe133", 3601000, BACKUP, &err), err);
    assert_fails(guard(&chsm1, NULL, 0, BACKUP, &err), CHSM_REFUSED, err);
    assert_fails(guard(NULL, "1e35c989-c582-4b3c-958d-596e4c4fe133", 0, BACKUP, &err), CHSM_REFUSED, err);
    assert_contains(err.text, "backup-of-other-source");
    assert_fails(guard(NULL, "1e35c989-c582-4b3c-958d-596e4c4fe1330", 0, BACKUP, &err), CHSM_USAGE, err);
    assert_fails(guard(NULL, NULL, 3600000, BACKUP, &err), CHSM_REFUSED, err);
    assert_contains(err.text, "backup-too-old");
    assert_fails(guard(NULL, NULL, 0, "cloudhsm-x", &err), CHSM_USAGE, err);
    assert_fails(guard(NULL, NULL, 0, NULL, &err), CHSM_USAGE, err);
}

static int create(struct arm_world *w, const struct chsm_cluster_spec *spec, bool *changed)
{
    struct chsm_cluster_task t = task(w);
    struct chsm_cluster_result r = { 0 };
    int rc = chsm_cluster_create(&t, spec, &r, &w->err);

    if (changed)
        *changed = r.changed;
    json_decref(r.cluster);
    return rc;
}

/* The PUT arrived, its answer did not; the same PUT again meets a cluster that is being made. */
static void a_lost_answer_is_no_failure(void **state)
{
    static const char *const script[] = { NOT_THERE,
                                          "",
                                          ERROR("409 Conflict", "Conflict", "busy"),
                                          PLAIN("Provisioning", "NotDefined"),
                                          PLAIN("Succeeded", "NotActivated"),
                                          NULL };
    bool changed = false;
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(create(&w, &(struct chsm_cluster_spec){ .location = "ukwest" }, &changed), w.err);
    assert_true(changed);
    assert_int_equal(server_count(w.server), 5);
    arm_world_close(&w);
}

static void a_name_that_is_taken(void **state)
{
    static const char *const script[] = { NOT_THERE, ERROR("409 Conflict", "Conflict", "not available"), NOT_THERE,
                                          /* and what does not go on for other reasons */
                                          NOT_THERE, ERROR("403 Forbidden", "AuthorizationFailed", "no"), NULL };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(create(&w, &(struct chsm_cluster_spec){ .location = "ukwest" }, NULL), CHSM_SERVICE, w.err);
    assert_contains(w.err.hint, "another name");
    assert_fails(create(&w, &(struct chsm_cluster_spec){ .location = "ukwest" }, NULL), CHSM_SERVICE, w.err);
    assert_string_equal(w.err.service_code, "AuthorizationFailed");
    assert_int_equal(server_count(w.server), 5);
    arm_world_close(&w);
}

/* Only ARM's own word says that there is none: what a proxy answers must not make us create or call anything gone. */
static void a_foreign_404_is_no_absence(void **state)
{
    static const char *const script[] = { ANSWER("404 Not Found", "", "<html>"),
                                          ERROR("404 Not Found", "ResourceGroupNotFound", "x"), PLAIN("Deleting", "NotActivated"),
                                          ANSWER("404 Not Found", "", ""), NULL };
    struct chsm_cluster_task t;
    struct arm_world w;
    bool there = false;

    (void)state;
    arm_world_open(&w, "token", script);
    t = task(&w);
    for (int i = 0; i < 2; i++)
        assert_fails(create(&w, &(struct chsm_cluster_spec){ .location = "ukwest" }, NULL), CHSM_SERVICE, w.err);
    assert_fails(chsm_cluster_delete(&t, NULL, &there, &w.err), CHSM_SERVICE, w.err);
    assert_int_equal(server_count(w.server), 4); /* and a cluster that is being deleted is not deleted again */
    arm_world_close(&w);
}

static void what_was_made_is_looked_at(void **state)
{
    static const char *const script[] = { NOT_THERE,
                                          PLAIN("Succeeded", "NotActivated"),
                                          PLAIN("Succeeded", "NotActivated"),
                                          CLUSTER("Succeeded", "Active", "Standard_B1", "{\"a\":\"b\"}", USER("mi-1")),
                                          NOT_THERE,
                                          PLAIN("Provisioning", "NotDefined"),
                                          PLAIN("Failed", "NotDefined"),
                                          PLAIN("Failed", "NotDefined"),
                                          NULL };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(create(&w, &(struct chsm_cluster_spec){ .location = "ukwest", .sku = "Standard B10" }, NULL), CHSM_SERVICE,
                 w.err);
    assert_contains(w.err.text, "SKU: Standard_B1 instead of Standard B10");
    assert_fails(create(&w, &(struct chsm_cluster_spec){ .location = "uksouth", .identity = MI("mi-2") }, NULL), CHSM_REFUSED,
                 w.err);
    assert_contains(w.err.text, "location: UK West instead of uksouth");
    assert_contains(w.err.text, "mi-1 instead of ");
    assert_fails(create(&w, &(struct chsm_cluster_spec){ .location = "ukwest" }, NULL), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "because");
    arm_world_close(&w);
}

static int retag(struct arm_world *w, const char *value)
{
    json_auto_t *wanted = json_pack("{s:s}", "Dept", value);
    struct chsm_cluster_task t = task(w);
    struct chsm_cluster_result r = { 0 };
    int rc = chsm_cluster_retag(&t, wanted, &r, &w->err);

    json_decref(r.cluster);
    return rc;
}

static void what_else_changed_is_found(void **state)
{
#define BEFORE CLUSTER("Succeeded", "Active", "Standard_B1", "{\"Dept\":\"a\"}", USER("mi-1"))
    static const char *const script[] = { BEFORE,
                                          CLUSTER("Succeeded", "Active", "Standard_B2", "{\"Dept\":\"b\"}", USER("mi-1")),
                                          CLUSTER("Succeeded", "Active", "Standard_B2", "{\"Dept\":\"b\"}", USER("mi-1")),
                                          BEFORE,
                                          CLUSTER("Succeeded", "Active", "Standard_B1", "{\"Dept\":\"b\"}", NONE),
                                          CLUSTER("Succeeded", "Active", "Standard_B1", "{\"Dept\":\"b\"}", NONE),
                                          BEFORE,
                                          BEFORE,
                                          BEFORE,
                                          BEFORE,
                                          NULL };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(retag(&w, "b"), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "sku.name: \"Standard_B1\" -> \"Standard_B2\"");
    assert_fails(retag(&w, "b"), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "identity changed");
    assert_fails(retag(&w, "b"), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "does not have these tags");
    assert_ok(retag(&w, "a"), w.err);
    assert_int_equal(server_count(w.server), 10);
    arm_world_close(&w);
}

/* The status of a deletion lies at the subscription: who may not read it there sees the cluster go all the same. */
static void deletions_whose_status_tells_nothing(void **state)
{
    static const char accepted[] = ANSWER("202 Accepted", "Location: /subscriptions/" SUBSCRIPTION
        "/providers/Microsoft.HardwareSecurityModules/locations/ukwest/cloudHsmOperationResults/Delete1?api-version=2025-03-31\r\n", "");
    static const char *const script[] = { PLAIN("Succeeded", "NotActivated"), accepted, ERROR("403 Forbidden", "AuthorizationFailed", "no"),
                                          PLAIN("Deleting", "NotActivated"), NOT_THERE,
                                          PLAIN("Succeeded", "NotActivated"), accepted, NOT_THERE, NOT_THERE,
                                          PLAIN("Succeeded", "NotActivated"), accepted,
                                          ANSWER("200 OK", "", "{\"status\":\"Failed\",\"error\":{\"code\":\"Busy\",\"message\":\"a node hangs\"}}"),
                                          NULL };
    struct chsm_cluster_task t;
    struct arm_world w;
    bool there = false;

    (void)state;
    arm_world_open(&w, "token", script);
    t = task(&w);
    for (int i = 0; i < 2; i++) {
        assert_ok(chsm_cluster_delete(&t, NULL, &there, &w.err), w.err);
        assert_true(there);
    }
    assert_fails(chsm_cluster_delete(&t, NULL, &there, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "the deletion of cluster chsm1 ended as Failed");
    assert_contains(w.err.text, "a node hangs");
    assert_int_equal(server_count(w.server), 12);
    arm_world_close(&w);
}

/* A change of an active cluster may fail, too: nobody is then told to delete it. */
static void a_cluster_with_keys_is_not_to_be_deleted(void **state)
{
    static const char *const script[] = { PLAIN("Failed", "Active"), PLAIN("Failed", "Active"), PLAIN("Failed", "NotDefined"),
                                          PLAIN("Failed", "NotDefined"), NULL };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_fails(create(&w, &(struct chsm_cluster_spec){ 0 }, NULL), CHSM_SERVICE, w.err);
    assert_lacks(w.err.hint, "delete");
    assert_contains(w.err.hint, "it may hold keys: keep it");
    assert_fails(create(&w, &(struct chsm_cluster_spec){ 0 }, NULL), CHSM_SERVICE, w.err);
    assert_contains(w.err.hint, "chsmctl cluster delete");
    arm_world_close(&w);
}

/* What is suggested can be run: with the subscription that was meant, and a group that a shell takes. */
static void commands_to_go_on_with(void **state)
{
    static const char *const script[] = { PLAIN("Updating", "Active"), NULL };
    static const struct chsm_cluster_ref odd = { SUBSCRIPTION, "rg(1)", "chsm1" };
    const struct chsm_restore_request q = { .destination = &odd, .container_uri = CONTAINER, .backup_id = BACKUP };
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    unsetenv("AZURE_SUBSCRIPTION_ID");
    arm_world_open(&w, "token", script);
    assert_fails(chsm_restore_start(&w.arm, &q, chsm_deadline_in(20000), &j, &w.err), CHSM_REFUSED, w.err);
    assert_contains(w.err.hint, "`chsmctl cluster wait -s " SUBSCRIPTION " -g 'rg(1)' -n chsm1`");
    arm_world_close(&w);
}

/* 202 without an address for the operation: the cluster itself tells. Deletions that fail say why. */
static void deletions(void **state)
{
    static const char *const script[] = { PLAIN("Succeeded", "NotActivated"),
                                          ANSWER("202 Accepted", "", ""),
                                          PLAIN("Succeeded", "NotActivated"),
                                          PLAIN("Deleting", "NotActivated"),
                                          NOT_THERE,
                                          PLAIN("Succeeded", "NotDefined"),
                                          ANSWER("204 No Content", "", ""),
                                          NOT_THERE,
                                          PLAIN("Succeeded", "NotActivated"),
                                          ANSWER("202 Accepted", "", ""),
                                          PLAIN("Failed", "NotActivated"),
                                          PLAIN("Succeeded", "Unknown"),
                                          PLAIN("Succeeded", ""),
                                          NULL };
    struct chsm_cluster_task t;
    struct arm_world w;
    bool there = false;

    (void)state;
    arm_world_open(&w, "token", script);
    t = task(&w);
    for (int i = 0; i < 2; i++) {
        assert_ok(chsm_cluster_delete(&t, NULL, &there, &w.err), w.err);
        assert_true(there);
    }
    assert_fails(chsm_cluster_delete(&t, NULL, &there, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "because");
    for (int i = 0; i < 2; i++) /* what nobody knows may hold keys */
        assert_fails(chsm_cluster_delete(&t, "chsm2", &there, &w.err), CHSM_REFUSED, w.err);
    assert_int_equal(server_count(w.server), 13);
    arm_world_close(&w);
}

static int check(struct arm_world *w, int64_t role_delay)
{
    struct chsm_cluster_task t = task(w);
    struct chsm_job j = { 0 };
    int rc = chsm_backup_check(&t, CONTAINER, role_delay, &j, &w->err);

    if (rc == 0)
        assert_string_equal(j.status, "Succeeded");
    chsm_job_done(&j);
    return rc;
}

#define ACTIVE PLAIN("Succeeded", "Active")

/* Every way in which ARM may tell how it went: nobody has published which one it is. */
static void checks_in_every_style(void **state)
{
    static const char *const script[] = {
        ACTIVE,
        RESULT("Succeeded"),
        ACTIVE,
        RESULT("InProgress"),
        RESULT("InProgress"),
        RESULT("Succeeded"),
        ACTIVE,
        ANSWER("202 Accepted", "Location: /l\r\n", ""),
        ANSWER("202 Accepted", "Location: /l\r\n", ""),
        RESULT("Succeeded"),
        ACTIVE,
        ANSWER("202 Accepted", "Location: /l\r\n", ""),
        ANSWER("200 OK", "", ""),
        ACTIVE,
        ANSWER("202 Accepted", "Azure-AsyncOperation: /a\r\n", ""),
        ANSWER("200 OK", "", "{\"status\":\"Running\"}"),
        ANSWER("200 OK", "", "{\"status\":\"Succeeded\"}"),
        ACTIVE,
        RESULT("Failed"),
        ACTIVE,
        RESULT("Cancelled"),
        ACTIVE,
        ANSWER("202 Accepted", "Azure-AsyncOperation: /a\r\n", ""),
        ANSWER("200 OK", "", "{\"status\":\"Failed\",\"error\":{\"code\":\"Denied\",\"message\":\"no access\"}}"),
        ACTIVE,
        ANSWER("202 Accepted", "", ""),
        ACTIVE,
        ANSWER("200 OK", "", "{}"),
        ACTIVE,
        ANSWER("200 OK", "", "{\"properties\":{}}"),
        ACTIVE,
        ANSWER("200 OK", "", "{\"error\":{\"code\":\"Denied\",\"message\":\"no access\"}}"),
        NULL
    };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    for (int i = 0; i < 5; i++)
        assert_ok(check(&w, 0), w.err);
    for (int i = 0; i < 3; i++) {
        assert_fails(check(&w, 0), CHSM_SERVICE, w.err);
        assert_contains(w.err.text, "would not work: Denied: no access");
    }
    assert_fails(check(&w, 0), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "does not say where");
    for (int i = 0; i < 2; i++)
        assert_fails(check(&w, 0), CHSM_INCONCLUSIVE, w.err);
    assert_fails(check(&w, 0), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "would not work: Denied: no access");
    arm_world_close(&w);
}

static void a_new_role_is_waited_for(void **state)
{
    static const char *const script[] = {
        ACTIVE, ERROR("403 Forbidden", "AuthorizationPermissionMismatch", "not yet"),
        ANSWER("200 OK", "",
               "{\"properties\":{\"status\":\"Failed\",\"error\":{\"code\":\"AuthorizationFailure\",\"message\":\"not yet\"}}}"),
        RESULT("Succeeded"),
        /* A right that the caller himself lacks does not come by waiting. */
        ACTIVE, ERROR("403 Forbidden", "AuthorizationFailed", "The client 'x' does not have authorization to perform action 'y'"),
        ACTIVE, ERROR("403 Forbidden", "AuthorizationPermissionMismatch", "not yet"), NULL
    };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    assert_ok(check(&w, 5000), w.err);
    assert_fails(check(&w, 5000), CHSM_SERVICE, w.err);
    assert_fails(check(&w, 0), CHSM_SERVICE, w.err);
    assert_int_equal(server_count(w.server), 8);
    arm_world_close(&w);
}

static void checks_are_guarded(void **state)
{
    static const char *const script[] = { PLAIN("Succeeded", "NotActivated"), PLAIN("Updating", "Active"),
                                          PLAIN("Succeeded", "Active"), NULL };
    const struct chsm_restore_request q = { .destination = &chsm1, .container_uri = CONTAINER, .backup_id = BACKUP };
    struct chsm_cluster_task t;
    struct chsm_job j = { 0 };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    t = task(&w);
    for (int i = 0; i < 2; i++)
        assert_fails(check(&w, 0), CHSM_REFUSED, w.err);
    assert_fails(chsm_restore_check(&t, &q, 0, &j, &w.err), CHSM_REFUSED, w.err);
    assert_int_equal(server_count(w.server), 3);
    arm_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_read),
        cmocka_unit_test(tags_are_measured_in_characters),
        cmocka_unit_test(tags_are_compared),
        cmocka_unit_test(regions),
        cmocka_unit_test(backups_tell_their_time),
        cmocka_unit_test(restores_are_guarded),
        cmocka_unit_test(a_lost_answer_is_no_failure),
        cmocka_unit_test(a_name_that_is_taken),
        cmocka_unit_test(a_foreign_404_is_no_absence),
        cmocka_unit_test(what_was_made_is_looked_at),
        cmocka_unit_test(what_else_changed_is_found),
        cmocka_unit_test(deletions),
        cmocka_unit_test(deletions_whose_status_tells_nothing),
        cmocka_unit_test(a_cluster_with_keys_is_not_to_be_deleted),
        cmocka_unit_test(commands_to_go_on_with),
        cmocka_unit_test(checks_in_every_style),
        cmocka_unit_test(a_new_role_is_waited_for),
        cmocka_unit_test(checks_are_guarded),
    };

    return cmocka_run_group_tests_name("azure/change", tests, NULL, NULL);
}
