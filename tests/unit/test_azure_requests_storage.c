/* SPDX-License-Identifier: Apache-2.0 */
/* Every request about storage, roles and networks, as it really leaves, held against the table of requests. */
#include "config.h"

#include "azure/storage.h"
#include "tests/unit/azure_requests.h"
#include "tests/unit/azure_world.h"

#define SUB             "/subscriptions/" SUBSCRIPTION
#define GROUP           SUB "/resourceGroups/rg"
#define MI              GROUP "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi-1"
#define SUBNET          GROUP "/providers/Microsoft.Network/virtualNetworks/vnet/subnets/inner"
#define PRINCIPAL       "44444444-4444-4444-8444-444444444444"
#define OK(body)        ANSWER("200 OK", "", body)
#define MADE(body)      ANSWER("201 Created", "", body)
#define NONE(code)      ANSWER("404 Not Found", "", "{\"error\":{\"code\":\"" code "\",\"message\":\"x\"}}")
#define IDENTITY        OK("{\"id\":\"" MI "\",\"properties\":{\"principalId\":\"" PRINCIPAL "\"}}")
#define NETWORK         OK("{\"id\":\"/n\",\"location\":\"uksouth\",\"properties\":{\"subnets\":[{\"id\":\"" SUBNET "\"}]}}")
#define ENDPOINT(state) "{\"id\":\"/e\",\"properties\":{\"provisioningState\":\"" state "\"}}"
#define ACCOUNT(https, tls, public, keys, bypass)                                                                                \
    OK("{\"id\":\"/a\",\"kind\":\"StorageV2\",\"location\":\"uksouth\",\"properties\":{"                                         \
       "\"provisioningState\":\"Succeeded\",\"supportsHttpsTrafficOnly\":" https ",\"minimumTlsVersion\":\"" tls "\","           \
       "\"allowBlobPublicAccess\":" public ",\"allowSharedKeyAccess\":" keys ",\"networkAcls\":{\"bypass\":\"" bypass "\","      \
                                           "\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"192.0.2.1\",\"action\":"        \
                                           "\"Allow\"}],\"virtualNetworkRules\":[]},"                                            \
                                           "\"primaryEndpoints\":{\"blob\":\"https://a.blob.test/\"}}}")
#define GOOD ACCOUNT("true", "TLS1_2", "false", "false", "AzureServices")

static const struct chsm_storage_ref ref = { SUBSCRIPTION, "rg", "account", "backups" };

static void open_world(struct arm_world *w, struct chsm_steps *s, const char *const *script)
{
    arm_world_open(w, "token", script);
    memcpy(w->arm.correlation, "11111111-2222-4333-8444-555555555555", sizeof w->arm.correlation);
    *s = (struct chsm_steps){ .arm = &w->arm, .deadline = chsm_deadline_in(20000) };
    assert_ok(chsm_steps_begin(s, &w->err), w->err);
}

static void close_world(struct arm_world *w, struct chsm_steps *s, const char *const *script)
{
    unsigned n = 0;

    while (script[n])
        n++;
    assert_int_equal(server_count(w->server), n);
    requests_check(w->server);
    chsm_steps_done(s);
    arm_world_close(w);
}

static void from_nothing(void **state)
{
    static const char *const script[] = {
        IDENTITY,
        NONE("ResourceGroupNotFound"),
        MADE("{\"location\":\"uksouth\"}"),
        NONE("ResourceNotFound"),
        OK("{\"nameAvailable\":true}"),
        ANSWER("409 Conflict", "", "{\"error\":{\"code\":\"MissingSubscriptionRegistration\",\"message\":\"x\"}}"),
        OK("{\"registrationState\":\"Registering\"}"),
        OK("{\"registrationState\":\"Registered\"}"),
        ANSWER("202 Accepted",
               "Location: " SUB "/providers/Microsoft.Storage/locations/uksouth/asyncoperations/1?monitor=true&t=1&c=2\r\n", ""),
        GOOD,
        NONE("ContainerNotFound"),
        MADE("{}"),
        OK("{\"value\":[]}"),
        MADE("{}"),
        NONE("ResourceNotFound"),
        NETWORK,
        ANSWER("201 Created",
               "Azure-AsyncOperation: " SUB
               "/providers/Microsoft.Network/locations/uksouth/operations/2?api-version=2024-05-01\r\n",
               ENDPOINT("Updating")),
        OK("{\"status\":\"Succeeded\"}"),
        OK(ENDPOINT("Succeeded")),
        NULL
    };
    json_auto_t *tags = json_pack("{s:s}", "a", "b");
    const struct chsm_storage_plan plan = { .ref = ref, .location = "uksouth", .tags = tags, .identity = MI, .subnet = SUBNET };
    struct chsm_steps s;
    struct arm_world w;

    (void)state;
    open_world(&w, &s, script);
    s.register_providers = true;
    assert_ok(chsm_storage_prepare(&s, &plan, &w.err), w.err);
    close_world(&w, &s, script);
}

static void what_is_there_is_corrected(void **state)
{
    static const char *const script[] = { IDENTITY,
                                          OK("{\"id\":\"/g\",\"location\":\"uksouth\"}"),
                                          ACCOUNT("false", "TLS1_0", "true", "true", "AzureServices"),
                                          OK("{\"value\":[]}"),
                                          GOOD,
                                          OK("{\"id\":\"/c\"}"),
                                          OK("{\"value\":[]}"),
                                          MADE("{}"),
                                          NONE("ResourceNotFound"),
                                          NETWORK,
                                          MADE(ENDPOINT("Succeeded")),
                                          IDENTITY,
                                          OK("{\"id\":\"/g\",\"location\":\"uksouth\"}"),
                                          ACCOUNT("true", "TLS1_2", "false", "false", "None"),
                                          GOOD,
                                          OK("{\"id\":\"/c\"}"),
                                          OK("{\"value\":[]}"),
                                          MADE("{}"),
                                          NULL };
    struct chsm_storage_plan plan = {
        .ref = ref, .identity = MI, .subnet = SUBNET, .role_on_container = true, .manual_request = true
    };
    struct chsm_steps s;
    struct arm_world w;

    (void)state;
    open_world(&w, &s, script);
    assert_ok(chsm_storage_prepare(&s, &plan, &w.err), w.err);
    plan.subnet = NULL;
    plan.accept_changes = true;
    assert_ok(chsm_storage_prepare(&s, &plan, &w.err), w.err);
    close_world(&w, &s, script);
}

static void looking_and_hardening(void **state)
{
    static const char *const script[] = { GOOD,
                                          OK("{\"id\":\"/c\"}"),
                                          IDENTITY,
                                          OK("{\"value\":[]}"),
                                          NONE("ManagementPolicyNotFound"),
                                          ACCOUNT("true", "TLS1_2", "false", "true", "AzureServices"),
                                          OK("{\"value\":[]}"),
                                          GOOD,
                                          NULL };
    struct chsm_steps s;
    struct arm_world w;
    json_t *list;

    (void)state;
    open_world(&w, &s, script);
    assert_ok(chsm_storage_findings(&s, &ref, MI, &list, &w.err), w.err);
    json_decref(list);
    assert_ok(chsm_storage_harden(&s, &ref, NULL, /* force= */ false, &list, &w.err), w.err);
    json_decref(list);
    close_world(&w, &s, script);
}

static void every_row_was_sent(void **state)
{
    (void)state;
    requests_all_seen("storage");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_nothing),
        cmocka_unit_test(what_is_there_is_corrected),
        cmocka_unit_test(looking_and_hardening),
        cmocka_unit_test(every_row_was_sent),
    };

    return cmocka_run_group_tests_name("azure/requests-storage", tests, NULL, NULL);
}
