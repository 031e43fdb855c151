/* SPDX-License-Identifier: Apache-2.0 */
/* Where a token may go, and what counts as a name, an id or a container address. */
#include "config.h"

#include "tests/unit/check.h"

#include "azure/http.h"
#include "azure/resource.h"

#define GUID "00000000-1111-2222-3333-444455556666"
#define IDENTITY "/subscriptions/" GUID "/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi-1"

static void within(void **state)
{
    static const char arm[] = "https://management.azure.com";
    static const char *const yes[] = {
        "https://management.azure.com", "https://management.azure.com/", "https://management.azure.com:443/x?y", "HTTPS://Management.Azure.COM/x",
        "https://centraluseuap.management.azure.com/subscriptions", "https://a.b.management.azure.com?x=1",
    };
    static const char *const no[] = {
        "http://management.azure.com/", "https://management.azure.com.evil.net/", "https://evilmanagement.azure.com/",
        "https://management.azure.com@evil.net/", "https://management.azure.com:pw@evil.net/", "https://user@management.azure.com/",
        "https://management.azure.com:444/", "https://azure.com/", "https://evil.net/?https://management.azure.com/",
        "https://evil.net#@management.azure.com/", "https://evil.net\\.management.azure.com/", "https://evil.net\\@management.azure.com/",
        "https:///management.azure.com/", "https:/management.azure.com/", "https:management.azure.com", "//management.azure.com/",
        "https://management.azure.com%2eevil.net/", "https://evil.net%2f.management.azure.com/", "https://management.azure.com./",
        "https://management.azure.com\t/", "https://management.azure.com /", " https://management.azure.com/", "https://.management.azure.com/",
        "https://m\xc3\xa4nagement.azure.com/", "ftp://management.azure.com/", "file:///etc/passwd", "/subscriptions", "", "https://",
        "https://management.azure.com:99999/",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!chsm_url_within(yes[i], arm))
            fail_msg("refused: %s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (chsm_url_within(no[i], arm))
            fail_msg("accepted: %s", no[i]);
    assert_false(chsm_url_within(NULL, arm));
    assert_true(chsm_url_within("https://127.0.0.1:8443/x", "https://127.0.0.1:8443"));
    assert_false(chsm_url_within("https://1.127.0.0.1:8443/x", "https://127.0.0.1:8443"));
    assert_false(chsm_url_within("http://localhost/", "http://localhost"));
}

static void origin(void **state)
{
    static const struct { const char *url, *origin; } cases[] = {
        { "https://Login.Example.COM/x", "https://login.example.com" }, { "https://h:443", "https://h" }, { "http://h:80/",
                                                                                                            "http://h" },
        { "https://h:8443?x", "https://h:8443" }, { "http://[::1]:5/", "http://[::1]:5" }, { "h/x", NULL }, { "https://u@h/",
                                                                                                              NULL },
        { "gopher://h/", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *got = chsm_url_origin(cases[i].url);

        if (cases[i].origin)
            assert_string_equal(got, cases[i].origin);
        else
            assert_null(got);
    }
}

static void loopback(void **state)
{
    static const char *const yes[] = { "https://127.0.0.1", "http://127.1.2.3:80/x", "https://[::1]:8443/", "https://LocalHost:1/a?b" };
    static const char *const no[] = { "https://127.evil.net/", "https://127.0.0.1.evil.net/", "https://localhost.evil.net/", "https://10.0.0.1/",
                                      "https://[::1].evil.net/", "https://128.0.0.1/", "127.0.0.1", "", "https://127.0.0.1@evil.net/" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!chsm_url_loopback(yes[i]))
            fail_msg("not: %s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (chsm_url_loopback(no[i]))
            fail_msg("taken for this machine: %s", no[i]);
}

static void encode(void **state)
{
    AUTO_FREE char *s = chsm_url_encode("aZ0-._~ +/=&%\xc3\xa4");

    (void)state;
    assert_string_equal(s, "aZ0-._~%20%2B%2F%3D%26%25%C3%A4");
}

static void names(void **state)
{
    struct chsm_err err;
    char long_group[92];

    (void)state;
    memset(long_group, 'g', 91);
    long_group[91] = '\0';
    assert_ok(chsm_name_subscription(GUID, &err), err);
    assert_fails(chsm_name_subscription(GUID "0", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_subscription("my subscription", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_subscription(NULL, &err), CHSM_USAGE, err);
    assert_ok(chsm_name_group("rg_1.(x)-\xc3\xa4", &err), err);
    assert_fails(chsm_name_group("rg.", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_group("a/b", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_group("", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_group(long_group, &err), CHSM_USAGE, err);
    assert_ok(chsm_name_group(long_group + 1, &err), err);
    assert_ok(chsm_name_cluster("abc", &err), err);
    assert_ok(chsm_name_cluster("chsm-12345678901234567-", &err), err);
    assert_fails(chsm_name_cluster("chsm-12345678901234567-x", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_cluster("ab", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_cluster("a_b", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_cluster("../../x", &err), CHSM_USAGE, err);
    assert_ok(chsm_name_identity(IDENTITY, &err), err);
    assert_fails(chsm_name_identity(IDENTITY "/x", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_identity(IDENTITY "?x", &err), CHSM_USAGE, err);
    assert_fails(chsm_name_identity("mi-1", &err), CHSM_USAGE, err);
}

static void containers(void **state)
{
    static const char *const bad[] = { "http://a.blob.core.windows.net/c", "https://a.blob.core.windows.net",
                                       "https://a.blob.core.windows.net/",
                                       "a/c", "https://u:p@a/c", "https://a/c#x", "", "https://a/c d" };
    struct chsm_err err;

    (void)state;
    assert_ok(chsm_container_check("https://a.blob.core.windows.net/c", &err), err);
    assert_ok(chsm_container_check("https://localhost:4444/a/c", &err), err);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(chsm_container_check(bad[i], &err), CHSM_USAGE, err);
    assert_fails(chsm_container_check("https://a.blob.core.windows.net/c?sv=1&sig=s3cr3t", &err), CHSM_REFUSED, err);
    assert_contains(err.text, "SAS");
    assert_contains(err.text, "safety rule sas: ");
    assert_lacks(err.text, "s3cr3t");
    assert_lacks(err.hint, "s3cr3t");
}

static void paths(void **state)
{
    AUTO_FREE char *p = chsm_resource_path("/subscriptions/x/resourceGroups/r (1)\xc3\xa4", "/backup", "2025-03-31");

    (void)state;
    assert_string_equal(p, "/subscriptions/x/resourceGroups/r%20(1)%C3%A4/backup?api-version=2025-03-31");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within), cmocka_unit_test(origin), cmocka_unit_test(loopback), cmocka_unit_test(encode), cmocka_unit_test(names),
        cmocka_unit_test(containers),
        cmocka_unit_test(paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
