/* SPDX-License-Identifier: Apache-2.0 */
/* Storage for backups: names, what an account lacks, and bodies, without a service. */
#include "config.h"

#include "azure/role.h"
#include "azure/storage.h"
#include "tests/unit/check.h"

#define SUB       "/subscriptions/00000000-0000-0000-0000-000000000000"
#define ACCOUNT   SUB "/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"
#define PRINCIPAL "44444444-4444-4444-8444-444444444444"

static void names(void **state)
{
    static const char *const accounts[] = { "", "ab", "Abc", "a-b", "abcdefghijklmnopqrstuvwxy", "ab_c" };
    static const char *const containers[] = { "", "ab", "A-b", "-ab", "ab-", "a--b", "a_b" };
    static const char *const endpoints[] = { "", "a", "-ab", "ab-", "ab.", "a b" };
    static const char *const subnets[] = { "",
                                           "/",
                                           "subnets/x",
                                           SUB,
                                           SUB "/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v",
                                           SUB "/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/",
                                           SUB "/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s/x",
                                           SUB "/resourceGroups/rg/providers/Microsoft.Other/virtualNetworks/v/subnets/s" };
    AUTO_FREE char *network = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
        assert_fails(chsm_name_account(accounts[i], &err), CHSM_USAGE, err);
    for (size_t i = 0; i < ARRAY_LEN(containers); i++)
        assert_fails(chsm_name_container(containers[i], &err), CHSM_USAGE, err);
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
        assert_fails(chsm_name_endpoint(endpoints[i], &err), CHSM_USAGE, err);
    for (size_t i = 0; i < ARRAY_LEN(subnets); i++)
        assert_fails(chsm_subnet_network(subnets[i], &network, &err), CHSM_USAGE, err);
    assert_ok(chsm_name_account("abcdefghijklmnopqrstuvwx", &err), err);
    assert_ok(chsm_name_container("a1-b2-c3", &err), err);
    assert_ok(chsm_name_endpoint("pe_1.x_", &err), err);
    assert_ok(
        chsm_subnet_network(SUB "/resourcegroups/rg/providers/microsoft.network/virtualnetworks/v/subnets/s", &network, &err),
        err);
    assert_string_equal(network, SUB "/resourcegroups/rg/providers/microsoft.network/virtualnetworks/v");
}

static void the_name_of_a_role(void **state)
{
    char a[37], b[37], c[37], d[37];
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_role_name(ACCOUNT, PRINCIPAL, CHSM_BLOB_CONTRIBUTOR, a, &err), err);
    assert_ok(
        chsm_role_name("/SUBSCRIPTIONS/"
                       "00000000-0000-0000-0000-000000000000/resourcegroups/RG/providers/Microsoft.Storage/storageAccounts/ACCT",
                       PRINCIPAL, CHSM_BLOB_CONTRIBUTOR, b, &err),
        err);
    assert_ok(chsm_role_name(ACCOUNT "x", PRINCIPAL, CHSM_BLOB_CONTRIBUTOR, c, &err), err);
    assert_ok(chsm_role_name(ACCOUNT, PRINCIPAL, CHSM_BLOB_OWNER, d, &err), err);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(a, d);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '8');
    assert_non_null(strchr("89ab", a[19]));
    /* Fixed for ever: another name would be a second assignment of the same. */
    assert_string_equal(a, "89eb7b44-57ed-86d2-81b4-5c334ca8ba38");
}

static void the_body_of_a_role(void **state)
{
    json_auto_t *body = chsm_role_body(ACCOUNT "/blobServices/default/containers/c", PRINCIPAL);

    (void)state;
    assert_string_equal(json_string_value(chsm_json_get(body, "properties.roleDefinitionId")),
                        SUB "/providers/Microsoft.Authorization/roleDefinitions/" CHSM_BLOB_CONTRIBUTOR);
    assert_string_equal(json_string_value(chsm_json_get(body, "properties.principalType")), "ServicePrincipal");
}

/* What an account with these properties lacks; "" = nothing. */
static void lacks(const char *properties, const char *patch, bool opens, bool closes)
{
    AUTO(chsm_account_drift_done) struct chsm_account_drift d = { 0 };
    json_auto_t *account = json_pack("{s:o}", "properties", json_loads(properties, 0, NULL));
    AUTO_FREE char *text = NULL;
    struct chsm_err err = { 0 };

    assert_ok(chsm_account_drift(account, &d, &err), err);
    text = chsm_json_canonical(d.patch);
    assert_string_equal(text, patch);
    assert_true(json_array_size(d.changes) == json_object_size(d.patch));
    assert_int_equal(d.opens != NULL, opens);
    assert_int_equal(d.closes_public, closes);
}

#define SAFE "\"allowBlobPublicAccess\":false,\"minimumTlsVersion\":\"TLS1_2\",\"supportsHttpsTrafficOnly\":true"

static void what_an_account_lacks(void **state)
{
    (void)state;
    lacks("{" SAFE "}", "{}", false, false);
    lacks("{" SAFE ",\"allowSharedKeyAccess\":true,\"publicNetworkAccess\":\"Disabled\"}", "{}", false, false);
    lacks("{\"allowBlobPublicAccess\":false,\"minimumTlsVersion\":\"TLS1_3\",\"supportsHttpsTrafficOnly\":true}", "{}", false,
          false);
    lacks("{}", "{\"allowBlobPublicAccess\":false,\"minimumTlsVersion\":\"TLS1_2\",\"supportsHttpsTrafficOnly\":true}", false,
          true);
    lacks("{\"allowBlobPublicAccess\":null,\"minimumTlsVersion\":\"TLS1_1\",\"supportsHttpsTrafficOnly\":true}",
          "{\"allowBlobPublicAccess\":false,\"minimumTlsVersion\":\"TLS1_2\"}", false, true);
    lacks("{" SAFE ",\"networkAcls\":{\"bypass\":\"None\",\"defaultAction\":\"Allow\"}}", "{}", false, false);
    lacks("{" SAFE ",\"networkAcls\":{\"bypass\":\"Logging, AzureServices\",\"defaultAction\":\"Deny\"}}", "{}", false, false);
    lacks("{" SAFE ",\"networkAcls\":{\"bypass\":\"None\",\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"192.0.2.1\"}]}}",
          "{\"networkAcls\":{\"bypass\":\"AzureServices\",\"defaultAction\":\"Deny\",\"ipRules\":[{\"value\":\"192.0.2.1\"}]}}",
          true, false);
    lacks("{" SAFE ",\"publicNetworkAccess\":\"Disabled\",\"networkAcls\":{\"bypass\":\"Logging\",\"defaultAction\":\"Allow\"}}",
          "{\"networkAcls\":{\"bypass\":\"Logging, AzureServices\",\"defaultAction\":\"Allow\"}}", true, false);
}

static void the_address_comes_from_the_account(void **state)
{
    json_auto_t *sovereign =
        json_pack("{s:{s:{s:s}}}", "properties", "primaryEndpoints", "blob", "https://acct.z1.blob.storage.azure.net//");
    json_auto_t *plain =
        json_pack("{s:{s:{s:s}}}", "properties", "primaryEndpoints", "blob", "http://acct.blob.core.windows.net/");
    json_auto_t *none = json_object();
    AUTO_FREE char *uri = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_container_uri(sovereign, "backups", &uri, &err), err);
    assert_string_equal(uri, "https://acct.z1.blob.storage.azure.net/backups");
    assert_fails(chsm_container_uri(plain, "backups", &uri, &err), CHSM_SERVICE, err);
    assert_fails(chsm_container_uri(none, "backups", &uri, &err), CHSM_SERVICE, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(the_name_of_a_role),
        cmocka_unit_test(the_body_of_a_role),
        cmocka_unit_test(what_an_account_lacks),
        cmocka_unit_test(the_address_comes_from_the_account),
    };

    return cmocka_run_group_tests_name("azure/storage", tests, NULL, NULL);
}
