/* SPDX-License-Identifier: Apache-2.0 */
/* The small files of the client: what is read from their text, and how azcloudhsm_resource.cfg is changed. */
#include "config.h"

#include "tests/unit/check.h"

#include "client/endpoint.h"
#include "client/learned.h"
#include "client/members.h"
#include "client/service.h"

#define NEW_HOST "hsm1.chsm-new-x.privatelink.cloudhsm.azure.net"

/* Points the text to NEW_HOST and holds the result against `wanted` (NULL: nothing to change). */
static void expect_point(const char *text, const char *wanted)
{
    AUTO_FREE char *got = NULL;
    struct chsm_err err = { 0 };

    assert_ok(chsm_resource_point(text, strlen(text), "cfg", NEW_HOST, &got, &err), err);
    if (wanted)
        assert_string_equal(got, wanted);
    else
        assert_null(got);
}

static void only_the_host_name_changes(void **state)
{
    (void)state;
    expect_point("{\"servers\":[{\"hostname\":\"a\"}]}", "{\"servers\":[{\"hostname\":\"" NEW_HOST "\"}]}");
    /* Blanks, order, members that nobody knows, numbers as they are written, escapes, the end of the file. */
    expect_point("\n{ \"z\" : 1.50e3,\t\"servers\" : [ { \"port\":2225 , \"hostname\" :\t\"old\\u0041\" , \"x\" : [ "
                 "{\"hostname\":\"}]\"} ] } ],"
                 " \"a\\\"\":{\"servers\":[{\"hostname\":\"old\"}]}, \"y\":\"\\u00e9\\/\"}\r\n\n",
                 "\n{ \"z\" : 1.50e3,\t\"servers\" : [ { \"port\":2225 , \"hostname\" :\t\"" NEW_HOST
                 "\" , \"x\" : [ {\"hostname\":\"}]\"} ] } ],"
                 " \"a\\\"\":{\"servers\":[{\"hostname\":\"old\"}]}, \"y\":\"\\u00e9\\/\"}\r\n\n");
    /* A member name may be written with escapes. */
    expect_point("{\"s\\u0065rvers\":[{\"n\":-1,\"host\\u006eame\":\"o\"}]}",
                 "{\"s\\u0065rvers\":[{\"n\":-1,\"host\\u006eame\":\"" NEW_HOST "\"}]}");
}

static void what_is_right_stays(void **state)
{
    (void)state;
    expect_point("{\"servers\":[{\"hostname\":\"" NEW_HOST "\"}]}", NULL);
    expect_point("{\"servers\":[{\"hostname\":\"HSM1.chsm-new-x.PRIVATELINK.cloudhsm.azure.net\"}]}", NULL);
    /* The name without "privatelink" is another one to write, though of the same node. */
    expect_point("{\"servers\":[{\"hostname\":\"hsm1.chsm-new-x.cloudhsm.azure.net\"}]}",
                 "{\"servers\":[{\"hostname\":\"" NEW_HOST "\"}]}");
}

static void other_servers_keep_their_number(void **state)
{
    static const char odd[] = "{\"servers\":[{\"hostname\":\"hsm1.o.x\"},{\"hostname\":\"10.0.0.7\"}]}";
    AUTO_FREE char *got = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    expect_point(
        "{\"servers\":[{\"hostname\":\"hsm2.o.x\"},{\"p\":1,\"hostname\":\"hsm3.o.x\"},{\"hostname\":\"hsm1.o.x\",\"q\":2}]}",
        "{\"servers\":[{\"hostname\":\"" NEW_HOST "\"},{\"p\":1,\"hostname\":\"hsm3.chsm-new-x.privatelink.cloudhsm.azure.net\"},"
        "{\"hostname\":\"" NEW_HOST "\",\"q\":2}]}");
    assert_fails(chsm_resource_point(odd, strlen(odd), "cfg", NEW_HOST, &got, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "10.0.0.7");
    assert_null(got);
}

static void broken_files_are_refused(void **state)
{
    static const char *const broken[] = {
        "",
        "{",
        "[]",
        "null",
        "7",
        "{\"servers\":{}}",
        "{\"servers\":[]}",
        "{\"servers\":[{}]}",
        "{\"servers\":[{\"hostname\":7}]}",
        "{\"servers\":[{\"hostname\":\"\"}]}",
        "{\"servers\":[{\"hostname\":\"a\"},7]}",
        "{\"servers\":[{\"hostname\":\"a\"}],\"servers\":[]}",
        "{\"servers\":[{\"hostname\":\"a\"}]}x",
        "{\"servers\":[{\"hostname\":\"a\",}]}",
        "\xef\xbb\xbf{\"servers\":[{\"hostname\":\"a\"}]}",
        "{\"servers\":[{\"hostname\":\"\xff\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        char *got = NULL;
        struct chsm_err err = { 0 };

        assert_fails(chsm_resource_point(broken[i], strlen(broken[i]), "cfg", NEW_HOST, &got, &err), CHSM_CONFIG, err);
        assert_contains(err.text, "cfg");
        assert_null(got);
    }
}

static void names_of_nodes(void **state)
{
    static const char *const good[] = { "hsm1.a-b.c", "localhost", "10.0.2.4", "fd00::1", "A1" };
    static const char *const bad[] = { "", "a b", "a\"b", "a..b", ".a", "a.", "-a", "a-.b", "a_b", "a/b", "h\xc3\xa9" };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_ok(chsm_endpoint_check(good[i], &err), err);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(chsm_endpoint_check(bad[i], &err), CHSM_USAGE, err);
    assert_int_equal(chsm_endpoint_number("HSM3.x"), 3);
    assert_int_equal(chsm_endpoint_number("hsm0.x") + chsm_endpoint_number("hsm12.x") + chsm_endpoint_number("hsm1.") +
                         chsm_endpoint_number("hs"),
                     0);
    assert_true(chsm_endpoint_siblings("hsm1.a.cloudhsm.azure.net", "hsm3.a.privatelink.cloudhsm.azure.net"));
    assert_false(chsm_endpoint_siblings("hsm1.a.cloudhsm.azure.net", "hsm1.ab.cloudhsm.azure.net"));
}

static void expect_private(const char *host, const char *wanted)
{
    AUTO_FREE char *got = chsm_endpoint_private(host);

    assert_string_equal(got, wanted);
}

static void private_names_and_the_first_node(void **state)
{
    json_auto_t *cluster = json_pack("{s:{s:[{s:n},{s:s},{s:s}]}}", "properties", "hsms", "fqdn", "fqdn",
                                     "hsm2.c.cloudhsm.azure.net", "fqdn", "hsm1.c.cloudhsm.azure.net");
    json_auto_t *silent = json_pack("{s:{s:n}}", "properties", "hsms");
    json_auto_t *hostile = json_pack("{s:{s:[{s:s}]}}", "properties", "hsms", "fqdn", "a\",\"b");
    AUTO_FREE char *first = NULL;
    char *none = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    expect_private("hsm1.c.cloudhsm.azure.net", "hsm1.c.privatelink.cloudhsm.azure.net");
    expect_private("hsm1.c.privatelink.cloudhsm.azure.net", "hsm1.c.privatelink.cloudhsm.azure.net");
    expect_private("hsm1.c.cloudhsm.azure.us", "hsm1.c.privatelink.cloudhsm.azure.us");
    expect_private("privatelink.cloudhsm.azure.net", "privatelink.cloudhsm.azure.net");
    expect_private("hsm1.notprivatelink.cloudhsm.azure.net", "hsm1.notprivatelink.privatelink.cloudhsm.azure.net");
    expect_private("127.0.0.1", "127.0.0.1");
    assert_ok(chsm_endpoint_first(cluster, &first, &err), err);
    assert_string_equal(first, "hsm1.c.privatelink.cloudhsm.azure.net");
    assert_ok(chsm_endpoint_first(silent, &none, &err), err);
    assert_null(none);
    assert_fails(chsm_endpoint_first(hostile, &none, &err), CHSM_USAGE, err);
}

static enum chsm_learned judge(const char *text, const char *host, const char *const *addresses)
{
    AUTO_PATHS struct chsm_paths learned = { 0 }, known = { 0 };
    struct chsm_err err = { 0 };
    const char *which;

    assert_ok(chsm_learned_parse(text, strlen(text), &learned, &err), err);
    for (; addresses && *addresses; addresses++)
        assert_ok(chsm_paths_add(&known, *addresses, &err), err);
    return chsm_learned_judge(&learned, host, &known, &which);
}

static void learned_addresses(void **state)
{
    static const char *const own[] = { "10.0.2.4", "10.0.2.5", "10.0.2.6", NULL };
    AUTO_PATHS struct chsm_paths learned = { 0 };
    struct chsm_err err = { 0 };
    static const char text[] = "{\"nodes\":[{\"host\":\"10.0.2.4:2225\"},{\"ip\":\"fd00::2\"},\"hsm1.c.cloudhsm.azure.net.\"],"
                               "\"version\":\"3.1.2\",\"n\":10.0.2.4}";

    (void)state;
    assert_ok(chsm_learned_parse(text, strlen(text), &learned, &err), err);
    assert_int_equal(learned.n, 3);
    assert_string_equal(learned.v[0], "10.0.2.4");
    assert_string_equal(learned.v[1], "fd00::2");
    assert_string_equal(learned.v[2], "hsm1.c.cloudhsm.azure.net");
    assert_int_equal(judge("", NEW_HOST, NULL), CHSM_LEARNED_OWN);
    assert_int_equal(judge("hsm2.chsm-new-x.cloudhsm.azure.net", NEW_HOST, NULL), CHSM_LEARNED_OWN);
    assert_int_equal(judge("hsm2.chsm-old-x.cloudhsm.azure.net", NEW_HOST, NULL), CHSM_LEARNED_FOREIGN);
    assert_int_equal(judge("10.0.2.5 10.0.2.4", NEW_HOST, NULL), CHSM_LEARNED_UNKNOWN);
    assert_int_equal(judge("10.0.2.5 10.0.2.4", NEW_HOST, own), CHSM_LEARNED_OWN);
    assert_int_equal(judge("10.0.2.5 10.0.3.4", NEW_HOST, own), CHSM_LEARNED_FOREIGN);
    assert_int_equal(judge("hsm1.c.cloudhsm.azure.net", "10.0.2.4", NULL), CHSM_LEARNED_UNKNOWN);
}

static void expect_words(const char *text, const char *wanted)
{
    AUTO_PATHS struct chsm_paths words = { 0 };
    AUTO_BUF struct chsm_buf joined = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    assert_ok(chsm_service_parse(text, strlen(text), &words, &err), err);
    for (size_t i = 0; i < words.n; i++)
        assert_ok(chsm_buf_addf(&joined, &err, "[%s]", words.v[i]), err);
    assert_string_equal(chsm_buf_str(&joined), wanted);
}

static void the_command_of_a_unit(void **state)
{
    (void)state;
    expect_words("[Service]\nExecStart=/opt/c /opt/r.cfg\nExecReload=/bin/kill -HUP $MAINPID\n", "[/opt/c][/opt/r.cfg]");
    expect_words("ExecStart = -\"/opt/a b/c\" 'x y' \"\"z\r\n", "[/opt/a b/c][x y][z]");
    expect_words("ExecStart=/a\nExecStart=\nExecStart=/b c", "[/b][c]");
    expect_words("ExecStart=/a\nExecStart=", "");
    expect_words("#ExecStart=/a\nExecStartPre=/b\nXExecStart=/c", "");
    expect_words("ExecStart=/a \"open", "[/a][open]");
}

static enum chsm_member member(const char *state, enum chsm_name name, bool open)
{
    struct chsm_reach r = { .name = name, .open = open };

    return chsm_member_judge(state, &r);
}

static void what_may_be_said_of_a_node(void **state)
{
    static const char *const down[] = { "Deploying",  "ConfiguringSlb", "Starting",         "Failed",
                                        "Relocating", "Deleting",       "DeletingSlbEntry", "InitialProvisioning",
                                        "Updating",   "Degraded",       "DelayedDeletion",  "SomethingNew" };

    (void)state;
    assert_int_equal(member("Started", CHSM_NAME_RESOLVED, true), CHSM_MEMBER_FINE);
    assert_int_equal(member(NULL, CHSM_NAME_RESOLVED, true), CHSM_MEMBER_FINE);
    assert_int_equal(member("null", CHSM_NAME_RESOLVED, true), CHSM_MEMBER_FINE);
    assert_int_equal(member("Unknown", CHSM_NAME_RESOLVED, true), CHSM_MEMBER_OPEN);
    assert_int_equal(member("Started", CHSM_NAME_RESOLVED, false), CHSM_MEMBER_DOWN);
    assert_int_equal(member("Started", CHSM_NAME_UNKNOWN, false), CHSM_MEMBER_OPEN);
    assert_int_equal(member("Started", CHSM_NAME_NO_ANSWER, false), CHSM_MEMBER_OPEN);
    for (size_t i = 0; i < ARRAY_LEN(down); i++)
        assert_int_equal(member(down[i], CHSM_NAME_RESOLVED, true), CHSM_MEMBER_DOWN);
}

static void private_addresses(void **state)
{
    static const char *const yes[] = { "10.0.0.1",   "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "169.254.1.1",
                                       "100.64.0.1", "::1",        "fd00::1",        "fe80::1" };
    static const char *const no[] = { "20.1.2.3", "172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1", "2001:db8::1", "" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_true(chsm_reach_private(yes[i]));
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_false(chsm_reach_private(no[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_host_name_changes),
        cmocka_unit_test(what_is_right_stays),
        cmocka_unit_test(other_servers_keep_their_number),
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(names_of_nodes),
        cmocka_unit_test(private_names_and_the_first_node),
        cmocka_unit_test(learned_addresses),
        cmocka_unit_test(the_command_of_a_unit),
        cmocka_unit_test(what_may_be_said_of_a_node),
        cmocka_unit_test(private_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
