/* SPDX-License-Identifier: Apache-2.0 */
/* What the management tool prints, in both dialects, with the traps that published outputs hold; and what is no such output. */
#include "config.h"

#include "nodes/mgmt_parse.h"
#include "nodes_data.h"

static void assert_handles(const struct chsm_mgmt_keys *k, size_t n, const unsigned long *handles)
{
    assert_int_equal(k->n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(k->handles[i], handles[i]);
}

static struct chsm_mgmt_key_lists keys_of(const char *file)
{
    AUTO_BUF struct chsm_buf text = mgmt_data(file);
    struct chsm_mgmt_key_lists l = { 0 };
    struct chsm_err err = { 0 };

    assert_ok(chsm_mgmt_parse_keys(text.p, text.len, &l, &err), err);
    return l;
}

static void keys_with_hash(void **state)
{
    AUTO_MGMT_KEYS struct chsm_mgmt_key_lists l = keys_of("aws/findAllKeys-hash-12-keys.txt");
    const unsigned long handles[] = { 9, 10, 12, 13, 21, 22, 31, 32, 270001, 270002, 270017, 270018 };

    (void)state;
    assert_int_equal(l.n, 2);
    assert_handles(&l.v[0], 12, handles);
    assert_handles(&l.v[1], 12, handles);
    assert_string_equal(l.v[1].server.address, "192.0.2.12");
    assert_int_equal(strlen(l.v[0].hash), 64);
    assert_string_equal(l.v[0].hash, l.v[1].hash);
    assert_true(l.v[0].success && !l.v[0].cut);
}

static void list_counts_not_the_number(void **state)
{
    AUTO_MGMT_KEYS struct chsm_mgmt_key_lists l = keys_of("aws/findAllKeys-hash-count-too-small.txt");
    AUTO_MGMT_KEYS struct chsm_mgmt_key_lists u = keys_of("aws/findKey-u-count-too-small.txt");

    (void)state;
    assert_int_equal(l.v[0].said, 3);
    assert_int_equal(l.v[0].n, 4);
    assert_false(l.v[0].cut);
    assert_int_equal(u.v[0].said, 6);
    assert_int_equal(u.v[0].n, 8);
}

static void servers_by_number_and_address(void **state)
{
    AUTO_MGMT_KEYS struct chsm_mgmt_key_lists l = keys_of("aws/findAllKeys-no-hash-number-twice.txt");

    (void)state;
    assert_int_equal(l.n, 3);
    assert_int_equal(l.v[1].server.number, 1);
    assert_int_equal(l.v[2].server.number, 1);
    assert_string_equal(l.v[2].server.address, "192.0.2.13");
    assert_string_equal(l.v[2].hash, "");
}

static void find_key_in_both_dialects(void **state)
{
    static const struct { const char *file; size_t n; unsigned long last; } files[] = {
        { "azure/findKey-3-keys.txt", 3, 8 },
        { "azure/findKey-9-keys-run-together.txt", 9, 14 },
        { "azure/findKey-13-keys-run-together.txt", 13, 18 },
        { "aws/findKey-10-keys-2-nodes.txt", 10, 270004 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        AUTO_MGMT_KEYS struct chsm_mgmt_key_lists l = keys_of(files[i].file);

        assert_int_equal(l.n, 1);
        assert_int_equal(l.v[0].server.number, -1);
        assert_int_equal(l.v[0].n, files[i].n);
        assert_int_equal(l.v[0].handles[files[i].n - 1], files[i].last);
    }
}

/* A whole answer of one server around `body`. */
static int parse_body(const char *body, struct chsm_mgmt_key_lists *l, struct chsm_err *err)
{
    AUTO_FREE char *text = chsm_strf("cloudmgmt>findAllKeys 0 0\r\nKeys on server 0(10.0.2.4):\r\n%s", body);

    assert_non_null(text);
    return chsm_mgmt_parse_keys(text, strlen(text), l, err);
}

static void keys_that_are_understood(void **state)
{
    static const struct { const char *body; size_t n; bool cut; } good[] = {
        { "Number of keys found 0\nnumber of keys matched from start index 0::0\n\nfindAllKeys success on server 0(10.0.2.4)\n", 0, false },
        { "Number of keys found 2\nnumber of keys matched from start index 0::2\n7,\n6\n", 2, false },
        { "Number of keys found 3\nnumber of keys matched from start index 0::3\n6(o),7(s)\n", 2, true },
        { "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o),6(o)\n", 1, true },
        { "Total number of keys present: 2 Number of matching keys from start index 0::1 Handles of matching keys: 6, 7", 2, false },
        { "Number of keys found: 1\nINF: shutdown_ssl_socket: SSL_shutdown sent close_notify alert\n\033[1m4294967295(o)\033[0m\n", 1, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        AUTO_MGMT_KEYS struct chsm_mgmt_key_lists l = { 0 };
        struct chsm_err err = { 0 };

        assert_ok(parse_body(good[i].body, &l, &err), err);
        assert_int_equal(l.v[0].n, good[i].n);
        assert_int_equal(l.v[0].cut, good[i].cut);
    }
}

/* Each of these could be a list with a piece missing: an error, never a shorter list. */
static void keys_that_are_not_understood(void **state)
{
    static const char *const bad[] = {
        "",
        "Number of keys found 2\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o),7(o),\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o),7\n8(o)\n",
        "Number of keys found 2\nnumber of keys matched from start index 5::7\n6(o),7(o)\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::26(o),7(o)\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o);7(o)\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o),0(o)\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o),4294967296(o)\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o),7(x)\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o),...\n",
        "Number of keys found 2\nnumber of keys matched from start index 0::2\n6(o)\nSegmentation fault\n",
        "Number of keys found 2\nNumber of keys found 2\n6(o),7(o)\n",
        "Number of keys found 2\n6(o),7(o)\nKeys on server 0(10.0.2.4):\nNumber of keys found 2\n6(o),7(o)\n",
        "Number of keys found 2\n6(o),7(o)\nKey Hash:\nnot a hash\n",
        "Number of keys found 2\n6(o),7(o)\nKey Hash:\n",
        "Number of keys found 2\n6(o),7(o)\nfindAllKeys success on server 3(10.0.2.9)\n",
        "Number of keys found 2\n6(o),7(o)\nfindAllKeys failed on server 0(10.0.2.4)\n",
        "Number of keys found 2\n6(o),7(o)\nKeys on server one(10.0.2.4):\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct chsm_mgmt_key_lists l = { 0 };
        struct chsm_err err = { 0 };

        assert_fails(parse_body(bad[i], &l, &err), CHSM_SERVICE, err);
        assert_null(l.v);
    }
}

static void a_server_that_fails_has_no_list(void **state)
{
    static const char text[] = "Keys on server 0(10.0.2.4):\nNumber of keys found 1\n6(o)\nfindAllKeys success on server 0(10.0.2.4)\n"
                               "findAllKeys failed on server 1(10.0.2.5)\nServer 2 is not connected\n";
    AUTO_MGMT_KEYS struct chsm_mgmt_key_lists l = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_mgmt_parse_keys(text, sizeof text - 1, &l, &err), err);
    assert_int_equal(l.n, 2);
    assert_true(l.v[0].success && !l.v[0].failed);
    assert_true(l.v[1].failed && l.v[1].n == 0);
}

static void users_out_of_sync(void **state)
{
    AUTO_BUF struct chsm_buf text = mgmt_data("aws/listUsers-out-of-sync.txt");
    AUTO_MGMT_USERS struct chsm_mgmt_user_lists l = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_mgmt_parse_users(text.p, text.len, &l, &err), err);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.v[0].n, 6);
    assert_int_equal(l.v[1].n, 5);
    assert_string_equal(l.v[0].v[5].name, "keeper2");
    assert_string_equal(l.v[0].v[0].type, "PCO");
    assert_int_equal(l.v[0].v[3].id, 4);
}

static void users_whose_names_are_not_ascii_stay_apart(void **state)
{
    static const char text[] = "Users on server 0(10.0.2.4):\nNumber of users found:2\n"
                               "User Id  User Type  User Name  MofnPubKey  LoginFailureCnt\n1 CU b\303\244r NO 0\n2 CU b\303\266r NO 0\n";
    AUTO_MGMT_USERS struct chsm_mgmt_user_lists l = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_mgmt_parse_users(text, sizeof text - 1, &l, &err), err);
    assert_int_equal(l.v[0].n, 2);
    assert_string_equal(l.v[0].v[1].name, "b\\xc3\\xb6r");
}

static void users_of_the_other_tool(void **state)
{
    AUTO_BUF struct chsm_buf text = mgmt_data("aws/util-listUsers-count-too-small.txt");
    AUTO_MGMT_USERS struct chsm_mgmt_user_lists l = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_mgmt_parse_users(text.p, text.len, &l, &err), err);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.v[0].said, 3);
    assert_int_equal(l.v[0].n, 4);
    assert_string_equal(l.v[0].v[2].name, "ledger");
}

#define USERS "Users on server 0(10.0.2.4):\nNumber of users found:1\n"
#define HEADER "User Id  User Type  User Name  MofnPubKey  LoginFailureCnt\n"

static void users_that_are_not_understood(void **state)
{
    static const char *const bad[] = {
        "", USERS, USERS HEADER, USERS "1 CO admin NO 0\n", USERS HEADER "1 CO admin NO\n", USERS HEADER "1 CO admin NO zero\n",
        USERS HEADER "one CO admin NO 0\n", USERS HEADER "1 C0 admin NO 0\n", USERS HEADER "1 CO admin NO 0 NO 7\n",
        USERS HEADER "1 CO admin NO 0\n2 CO admin NO 0\n", USERS HEADER "1 CO admin NO 0\nError: truncated\n", HEADER "1 CO admin NO 0\n",
        USERS HEADER "1 CO admin NO 0\n" USERS HEADER "1 CO admin NO 0\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct chsm_mgmt_user_lists l = { 0 };
        struct chsm_err err = { 0 };

        assert_fails(chsm_mgmt_parse_users(bad[i], strlen(bad[i]), &l, &err), CHSM_SERVICE, err);
    }
}

static void members_are_not_health(void **state)
{
    AUTO_BUF struct chsm_buf text = mgmt_data("azure/getClusterInfo-one-of-three-connected.txt");
    struct chsm_mgmt_members m;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_mgmt_parse_members(text.p, text.len, &m, &err), err);
    assert_int_equal(m.n, 3);
    assert_int_equal(m.servers, 1);
    assert_int_equal(m.v[0].id, 1);
    assert_int_equal(m.v[2].port, 2225);
    assert_int_equal(m.down.n, 2);
    assert_int_equal(m.down.v[1].server.number, 2);
    assert_false(m.differ);
}

static void members_that_differ(void **state)
{
    static const char text[] = "Cluster info from server 0(10.0.2.4):\nNode Id Hostname Port\n1 a.example 2225\n2 b.example 2225\n"
                               "Cluster info from server 1(10.0.2.5):\nNode Id Hostname Port\n1 a.example 2225\n";
    static const char *const bad[] = { "", "Cluster info from server 0(10.0.2.4):\nNode Id Hostname Port\n", "Cluster info from server 0:\n",
                                       "Cluster info from server 0(10.0.2.4):\n1 a.example\n", "1 a.example 2225\n",
                                       "Cluster info from server 0(10.0.2.4):\n1 a.example 2225\n1 b.example 2225\n",
                                       "Cluster info from server 0(10.0.2.4):\n1 a.example 2225\n2 A.example 2225\n" };
    struct chsm_mgmt_members m;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_mgmt_parse_members(text, sizeof text - 1, &m, &err), err);
    assert_true(m.differ);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(chsm_mgmt_parse_members(bad[i], strlen(bad[i]), &m, &err), CHSM_SERVICE, err);
}

static void start_of(const char *file, size_t n, const enum chsm_node_state *states, bool numbered)
{
    AUTO_BUF struct chsm_buf text = mgmt_data(file);
    struct chsm_mgmt_servers s;
    struct chsm_err err = { 0 };

    assert_ok(chsm_mgmt_parse_start(text.p, text.len, &s, &err), err);
    assert_int_equal(s.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(s.v[i].state, states[i]);
        assert_int_equal(s.v[i].server.number, numbered ? (int)i : -1);
        assert_true(s.v[i].server.address[0] != '\0');
    }
}

static void the_start_tells_how_the_nodes_are(void **state)
{
    const enum chsm_node_state up[] = { CHSM_NODE_CONNECTED, CHSM_NODE_CONNECTED, CHSM_NODE_CONNECTED };
    const enum chsm_node_state fresh[] = { CHSM_NODE_UNENCRYPTED, CHSM_NODE_NOT_CONNECTED, CHSM_NODE_NOT_CONNECTED };

    (void)state;
    start_of("azure/mgmt_util-start-3-nodes.txt", 3, up, true);
    start_of("azure/mgmt_util-start-not-initialized.txt", 3, fresh, true);
    start_of("aws/start.txt", 3, up, false);
}

static void logins_per_server(void **state)
{
    AUTO_BUF struct chsm_buf aws = mgmt_data("aws/login.txt"), azure = mgmt_data("azure/mgmt_util-login-createUser.txt");
    static const char partly[] = "loginHSM success on server 0(10.0.2.4)\nloginHSM failed on server 1(10.0.2.5) HSM Error: RET_USER_LOGIN_FAILURE\n";
    struct chsm_mgmt_servers s;
    struct chsm_err err = { 0 };
    bool failed;

    (void)state;
    assert_ok(chsm_mgmt_parse_outcome(aws.p, aws.len, "loginHSM", &s, &failed, &err), err);
    assert_true(s.n == 3 && !failed);
    assert_ok(chsm_mgmt_parse_outcome(azure.p, azure.len, "createUser", &s, &failed, &err), err);
    assert_true(s.n == 3 && !failed);
    assert_ok(chsm_mgmt_parse_outcome(partly, sizeof partly - 1, "loginHSM", &s, &failed, &err), err);
    assert_true(s.n == 2 && failed && s.v[1].state == CHSM_NODE_UNKNOWN);
    assert_ok(chsm_mgmt_parse_outcome("loginHSM success", 16, "loginHSM", &s, &failed, &err), err);
    assert_true(s.n == 0 && failed);
}

static void status_with_every_heading(void **state)
{
    static const struct { const char *file; size_t nodes; unsigned long first, code, result; } files[] = {
        { "aws/findSingleKey-3-nodes.txt", 3, 1, 0, 0 },
        { "aws/findSingleKey-heading-without-colon.txt", 3, 0, 0, 0 },
        { "aws/findSingleKey-unknown.txt", 2, 1, 0xa8, 0xa8 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        AUTO_BUF struct chsm_buf text = mgmt_data(files[i].file);
        struct chsm_mgmt_status s;
        struct chsm_err err = { 0 };

        assert_ok(chsm_mgmt_parse_status(text.p, text.len, &s, &err), err);
        assert_int_equal(s.nodes, files[i].nodes);
        assert_int_equal(s.node[0].id, files[i].first);
        assert_int_equal(s.node[s.nodes - 1].code, files[i].code);
        assert_true(s.has_result && s.result == files[i].result);
    }
}

static void status_in_the_azure_dialect(void **state)
{
    static const char after[] = "cloudmgmt>findSingleKey -k 6\nCluster Status: Node id 3 status: 0x00000000 : HSM Return: SUCCESS Node id 1 status: "
                                "0x000000a8 : HSM Error: Invalid object handle\nCfm3FindKey returned: 0x00 :\nHSM Return: SUCCESS\n";
    static const char *const bad[] = {
        "", "Cluster Status:\n", "Cluster Status:\nNode id 1 status: 0x00000000 : HSM Error: no\n", "Node id 1 status: 0x000000a8 : HSM Return: SUCCESS\n",
        "Node id 1 status: 0\n", "Node id 1 status: 0x00000000 : HSM Return: SUCCESS\nNode id 1 status: 0x00000000 : HSM Return: SUCCESS\n",
        "Node id 1 status: 0x00000000\nwhat else\n", "Node id 1 status: 0x100000000\n",
    };
    struct chsm_mgmt_status s;
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_mgmt_parse_status(after, sizeof after - 1, &s, &err), err);
    assert_int_equal(s.nodes, 2);
    assert_int_equal(s.node[1].code, 0xa8);
    assert_true(s.has_result && s.result == 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(chsm_mgmt_parse_status(bad[i], strlen(bad[i]), &s, &err), CHSM_SERVICE, err);
}

static int parse_all(const char *text, size_t n)
{
    AUTO_MGMT_KEYS struct chsm_mgmt_key_lists keys = { 0 };
    AUTO_MGMT_USERS struct chsm_mgmt_user_lists users = { 0 };
    struct chsm_mgmt_members members;
    struct chsm_mgmt_servers servers;
    struct chsm_mgmt_status status;
    struct chsm_err err = { 0 };
    int good = 0;

    good += chsm_mgmt_parse_keys(text, n, &keys, &err) == 0;
    good += chsm_mgmt_parse_users(text, n, &users, &err) == 0;
    good += chsm_mgmt_parse_members(text, n, &members, &err) == 0;
    good += chsm_mgmt_parse_status(text, n, &status, &err) == 0;
    return good + (chsm_mgmt_parse_start(text, n, &servers, &err) == 0);
}

static void hostile_text(void **state)
{
    const size_t large = CHSM_MGMT_TEXT_MAX + 1;
    char *text = malloc(large);

    (void)state;
    assert_non_null(text);
    memset(text, 'A', large);
    assert_int_equal(parse_all(text, large), 0);                /* too large for anything */
    assert_int_equal(parse_all(text, large - 1), 1);            /* one endless line: only the start is read leniently */
    memset(text, '\n', large);
    assert_int_equal(parse_all(text, large - 1), 1);
    memset(text, '6', large);
    assert_int_equal(parse_all(text, large - 1), 1);
    free(text);
    assert_int_equal(parse_all("Keys on server 0(10.0.2.4):\0", 28), 0);
    assert_int_equal(parse_all("\001\002", 2), 0);
    assert_int_equal(parse_all("\033[", 2), 0);
    assert_int_equal(parse_all(NULL, 0), 1);
}

static void too_many_servers(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1u << 20);
    struct chsm_mgmt_key_lists l = { 0 };
    struct chsm_mgmt_servers s;
    struct chsm_err err = { 0 };

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_ok(chsm_buf_addf(&text, &err, "Keys on server %d(10.1.0.%d):\nNumber of keys found 1\n6(o)\nServer %d(10.1.0.%d) is not connected\n",
                                i, i, i, i), err);
    assert_fails(chsm_mgmt_parse_keys(text.p, text.len, &l, &err), CHSM_SERVICE, err);
    assert_fails(chsm_mgmt_parse_start(text.p, text.len, &s, &err), CHSM_SERVICE, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_with_hash),
        cmocka_unit_test(list_counts_not_the_number),
        cmocka_unit_test(servers_by_number_and_address),
        cmocka_unit_test(find_key_in_both_dialects),
        cmocka_unit_test(keys_that_are_understood),
        cmocka_unit_test(keys_that_are_not_understood),
        cmocka_unit_test(a_server_that_fails_has_no_list),
        cmocka_unit_test(users_out_of_sync),
        cmocka_unit_test(users_whose_names_are_not_ascii_stay_apart),
        cmocka_unit_test(users_of_the_other_tool),
        cmocka_unit_test(users_that_are_not_understood),
        cmocka_unit_test(members_are_not_health),
        cmocka_unit_test(members_that_differ),
        cmocka_unit_test(the_start_tells_how_the_nodes_are),
        cmocka_unit_test(logins_per_server),
        cmocka_unit_test(status_with_every_heading),
        cmocka_unit_test(status_in_the_azure_dialect),
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(too_many_servers),
    };

    return cmocka_run_group_tests_name("nodes_parse", tests, NULL, NULL);
}
