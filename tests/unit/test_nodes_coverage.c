/* SPDX-License-Identifier: Apache-2.0 */
/* What may be concluded from what the nodes said, and what may not. */
#include "config.h"

#include "nodes/coverage.h"
#include "nodes_data.h"

/* The answers of a session; each has a whole default. */
struct session {
    const char *start, *login, *members, *users, *keys, *again, *single;
};

static const char start[] =
    "Connected to 'server 0': hostname '10.0.2.4', port 2225...\nE2E enabled on server 0(10.0.2.4)\n"
    "Connected to 'server 1': hostname '10.0.2.5', port 2225...\nConnected to 'server 2': hostname '10.0.2.6', port 2225...\n";
static const char login[] = "loginHSM success on server 0(10.0.2.4)\nloginHSM success on server 1(10.0.2.5)\nloginHSM success on server 2(10.0.2.6)\n";
static const char members[] = "Cluster info from server 0(10.0.2.4):\nNode Id Hostname Port\n1 hsm1.x.cloudhsm.azure.net 2225\n"
                              "2 hsm2.x.cloudhsm.azure.net 2225\n3 hsm3.x.cloudhsm.azure.net 2225\n";

#define LIST(n, last, list) \
    "Keys on server " #n "(10.0.2." #last "):\nNumber of keys found 3\nnumber of keys matched from start index 0::3\n" list "\n"
#define DONE(n, last) "findAllKeys success on server " #n "(10.0.2." #last ")\n"
#define HASH_A "Key Hash:\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
#define HASH_B "Key Hash:\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
#define ALL "6(o),7(o),9(s)"
#define USERS(n, last, more) \
    "Users on server " #n "(10.0.2." #last "):\nNumber of users found:2\nUser Id User Type User Name MofnPubKey LoginFailureCnt 2FA\n1 CO admin NO 0 NO\n" more

static const char keys[] = LIST(0, 4, ALL) DONE(0, 4) LIST(1, 5, ALL) DONE(1, 5) LIST(2, 6, ALL) DONE(2, 6);
static const char again[] = LIST(0, 4, ALL) HASH_A DONE(0, 4) LIST(1, 5, ALL) HASH_A DONE(1, 5) LIST(2, 6, ALL) HASH_A DONE(2, 6);
static const char users[] = USERS(0, 4, "3 CU cu1 NO 0 NO\n") USERS(1, 5, "3 CU cu1 NO 4 NO\n") USERS(2, 6, "3 CU cu1 NO 0 NO\n");

/* All the answers, read as chsm_nodes_read() does. */
static void read_session(const struct session *s, struct chsm_nodes_reading *r)
{
    const char *a = s->start ? s->start : start, *b = s->login ? s->login : login, *c = s->members ? s->members : members;
    const char *d = s->users ? s->users : users, *e = s->keys ? s->keys : keys, *f = s->again ? s->again : again;
    struct chsm_err err = { 0 };
    bool failed;

    assert_ok(chsm_mgmt_parse_start(a, strlen(a), &r->servers, &err), err);
    assert_ok(chsm_mgmt_parse_outcome(b, strlen(b), "loginHSM", &r->logins, &failed, &err), err);
    if (*c)
        assert_ok(chsm_mgmt_parse_members(c, strlen(c), &r->members, &err), err);
    if (*d)
        assert_ok(chsm_mgmt_parse_users(d, strlen(d), &r->users, &err), err);
    if (*e)
        assert_ok(chsm_mgmt_parse_keys(e, strlen(e), &r->keys, &err), err);
    if (*f)
        assert_ok(chsm_mgmt_parse_keys(f, strlen(f), &r->again, &err), err);
    if (s->single) {
        assert_ok(chsm_mgmt_parse_status(s->single, strlen(s->single), &r->confirmed[0].status, &err), err);
        r->confirmed[0].handle = 9;
        r->n_confirmed = 1;
    }
}

/* The outcome, and that `reason` (NULL = any) is among the reasons. */
static void assert_outcome(struct session s, enum chsm_coverage_outcome wanted, const char *reason)
{
    AUTO_NODES_READING struct chsm_nodes_reading r = { .n_open = 0 };
    AUTO_COVERAGE struct chsm_coverage c = { .n = 0 };
    struct chsm_err err = { 0 };
    bool found = !reason;

    read_session(&s, &r);
    assert_ok(chsm_coverage_make(&r, &c, &err), err);
    assert_string_equal(chsm_coverage_outcome_name(c.outcome), chsm_coverage_outcome_name(wanted));
    for (size_t i = 0; i < r.n_open; i++)
        found |= reason && strstr(r.open[i], reason);
    if (!found)
        for (size_t i = 0; i < r.n_open; i++)
            print_error("reason: %s\n", r.open[i]);
    assert_true(found);
    assert_true((c.outcome == CHSM_COVERAGE_FULL) == (r.n_open == 0 && c.outcome != CHSM_COVERAGE_PARTIAL));
}

static void full_coverage(void **state)
{
    (void)state;
    assert_outcome((struct session){ 0 }, CHSM_COVERAGE_FULL, NULL);
    assert_outcome((struct session){ .again = "" }, CHSM_COVERAGE_FULL, NULL);
}

static void what_is_not_established(void **state)
{
    static const struct { struct session s; const char *reason; } cases[] = {
        { { .members = "" }, "which nodes the cluster has is not known" },
        { { .members = "Cluster info from server 0(10.0.2.4):\nNode Id Hostname Port\n1 hsm1.x 2225\n2 hsm2.x 2225\n" }, "names 2 nodes" },
        { { .start = "Connected to 'server 0': hostname '10.0.2.4', port 2225...\nConnected to 'server 1': hostname '10.0.2.5', port 2225...\n"
                     "Connected to 'server 2': hostname '10.0.2.5', port 2225...\n" }, "another server has the same address" },
        { { .keys = "", .again = "" }, "did not list its keys" },
        { { .users = "" }, "did not list its users" },
        { { .start = "Connected to 'server 0': hostname '10.0.2.4', port 2225...\n" }, "the cluster has 3 nodes" },
        { { .start = "" }, "named no server" },
        { { .login = "loginHSM success on server 0(10.0.2.4)\nloginHSM success on server 2(10.0.2.6)\n" }, "server 1(10.0.2.5): the crypto officer's login" },
        { { .login = "loginHSM success on server 0(10.0.2.4)\nloginHSM success on server 7(10.9.9.9)\n" }, "server 7(10.9.9.9) answers to loginHSM" },
        { { .keys = LIST(0, 4, ALL) DONE(0, 4) LIST(1, 5, ALL) DONE(1, 5) LIST(2, 6, ALL), .again = "" }, "did not say that it succeeded" },
        { { .keys = LIST(0, 4, ALL) DONE(0, 4) LIST(1, 5, ALL) DONE(1, 5), .again = "" }, "server 2(10.0.2.6): it did not list its keys" },
        { { .keys = LIST(0, 4, ALL) DONE(0, 4) LIST(1, 5, ALL) DONE(1, 5) "findAllKeys failed on server 2(10.0.2.6)\n", .again = "" },
          "server 2(10.0.2.6): it did not list its keys" },
        { { .keys = LIST(0, 4, "6,7") DONE(0, 4) LIST(1, 5, "6,7") DONE(1, 5) LIST(2, 6, "6,7") DONE(2, 6), .again = "" }, "more keys than it lists" },
        { { .again = LIST(0, 4, ALL) HASH_A DONE(0, 4) LIST(1, 5, ALL) HASH_B DONE(1, 5) LIST(2, 6, ALL) HASH_A DONE(2, 6) }, "hashes" },
        { { .again = LIST(0, 4, "6,7,8") HASH_A DONE(0, 4) LIST(1, 5, ALL) HASH_A DONE(1, 5) LIST(2, 6, ALL) HASH_A DONE(2, 6) },
          "changed between two readings" },
        { { .users = USERS(0, 4, "3 CU cu1 NO 0 NO\n") USERS(1, 5, "3 CU cu1 NO 0 NO\n") USERS(2, 6, "4 CU cu1 NO 0 NO\n") }, "not the same id" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_outcome(cases[i].s, CHSM_COVERAGE_OPEN, cases[i].reason);
}

static void nodes_that_are_not_reached(void **state)
{
    static const char down[] = "Connected to 'server 0': hostname '10.0.2.4', port 2225...\nConnected to 'server 1': hostname '10.0.2.5', port 2225...\n"
                               "Connetion to server 10.0.2.6(10.0.2.6) on port 2225 failed\nServer 2(10.0.2.6) is not connected\n";
    static const char bare[] = "Connected to 'server 0': hostname '10.0.2.4', port 2225...\nConnected to 'server 1': hostname '10.0.2.5', port 2225...\n"
                               "Connected to 'server 2': hostname '10.0.2.6', port 2225...\nServer 2(10.0.2.6) is in unencrypted mode now...\n";

    (void)state;
    assert_outcome((struct session){ .start = down }, CHSM_COVERAGE_OPEN, "server 2(10.0.2.6): not connected");
    assert_outcome((struct session){ .start = bare }, CHSM_COVERAGE_OPEN, "server 2(10.0.2.6): unencrypted");
}

#define LOST LIST(0, 4, ALL) DONE(0, 4) LIST(1, 5, "6,7") DONE(1, 5) LIST(2, 6, ALL) DONE(2, 6)
#define LOST_SAID \
    LIST(0, 4, ALL) DONE(0, 4) "Keys on server 1(10.0.2.5):\nNumber of keys found 2\n6(o),7(o)\n" DONE(1, 5) LIST(2, 6, ALL) DONE(2, 6)

static void a_key_that_a_node_lacks(void **state)
{
    AUTO_NODES_READING struct chsm_nodes_reading r = { .n_open = 0 };
    AUTO_COVERAGE struct chsm_coverage c = { .n = 0 };
    struct chsm_err err = { 0 };

    (void)state;
    read_session(&(struct session){ .keys = LOST_SAID, .again = "" }, &r);
    assert_ok(chsm_coverage_make(&r, &c, &err), err);
    assert_int_equal(c.outcome, CHSM_COVERAGE_PARTIAL);
    assert_int_equal(c.n_handles, 3);
    assert_int_equal(c.on_every_node, 2);
    assert_int_equal(c.node[1].n_missing, 1);
    assert_int_equal(c.node[1].missing[0], 9);
    assert_int_equal(c.node[0].n_missing + c.node[2].n_missing, 0);
}

/* A list that says that it is longer tells what is there, but not what is missing. */
static void a_cut_list_lacks_nothing(void **state)
{
    (void)state;
    assert_outcome((struct session){ .keys = LOST, .again = "" }, CHSM_COVERAGE_OPEN, "more keys than it lists");
}

static void a_loss_that_is_contradicted(void **state)
{
    static const char found[] = "Cluster Status:\nNode id 1 status: 0x00000000 : HSM Return: SUCCESS\nNode id 2 status: 0x00000000 : HSM Return: SUCCESS\n"
                                "Node id 3 status: 0x00000000 : HSM Return: SUCCESS\nCfm3FindKey returned: 0x00 : HSM Return: SUCCESS\n";
    static const char lost[] = "Cluster Status:\nNode id 1 status: 0x00000000 : HSM Return: SUCCESS\nNode id 2 status: 0x000000a8 : HSM Error: no\n"
                               "Node id 3 status: 0x00000000 : HSM Return: SUCCESS\nCfm3FindKey returned: 0xa8 : HSM Error: no\n";
    static const char fewer[] = "Cluster Status:\nNode id 1 status: 0x00000000 : HSM Return: SUCCESS\nNode id 3 status: 0x00000000 : HSM Return: SUCCESS\n";

    (void)state;
    assert_outcome((struct session){ .keys = LOST_SAID, .again = "", .single = found }, CHSM_COVERAGE_OPEN, "findSingleKey finds on every node");
    assert_outcome((struct session){ .keys = LOST_SAID, .again = "", .single = lost }, CHSM_COVERAGE_PARTIAL, NULL);
    assert_outcome((struct session){ .keys = LOST_SAID, .again = "", .single = fewer }, CHSM_COVERAGE_PARTIAL, NULL);
    /* The second list has it: then it is no loss, and no peace either. */
    assert_outcome((struct session){ .keys = LOST_SAID }, CHSM_COVERAGE_OPEN, "changed between two readings");
}

/* If the nodes number their keys each on its own, handles do not compare them; their own hashes say so. */
static void handles_that_compare_nothing(void **state)
{
    static const char apart[] = LIST(0, 4, "6,7,9") HASH_A DONE(0, 4) LIST(1, 5, "16,17,19") HASH_A DONE(1, 5) LIST(2, 6, "26,27,29") HASH_A DONE(2, 6);

    (void)state;
    assert_outcome((struct session){ .keys = apart, .again = apart }, CHSM_COVERAGE_OPEN, "hashes over keys, owners and shares are equal");
}

static void a_user_that_a_node_lacks(void **state)
{
    AUTO_NODES_READING struct chsm_nodes_reading r = { .n_open = 0 };
    AUTO_COVERAGE struct chsm_coverage c = { .n = 0 };
    struct chsm_err err = { 0 };
    json_auto_t *json = NULL;

    (void)state;
    read_session(&(struct session){ .users = USERS(0, 4, "3 CU cu1 NO 0 NO\n") "Users on server 1(10.0.2.5):\nNumber of users found:1\nUser Id User Type "
                                             "User Name MofnPubKey LoginFailureCnt 2FA\n1 CO admin NO 0 NO\n" USERS(2, 6, "3 CU cu1 NO 0 NO\n") }, &r);
    assert_ok(chsm_coverage_make(&r, &c, &err), err);
    assert_int_equal(c.outcome, CHSM_COVERAGE_PARTIAL);
    assert_int_equal(c.node[1].users_missing, 1);
    assert_ok(chsm_coverage_to_json(&c, &json, &err), err);
    assert_string_equal(json_string_value(json_array_get(json_object_get(json_array_get(json_object_get(json, "users"), 1), "missing_on"), 0)),
                        "server 1(10.0.2.5)");
}

/* The published output in which two servers have one number: their addresses tell them apart, and place both. */
static void one_number_for_two_servers(void **state)
{
    static const char twice[] = LIST(0, 4, ALL) DONE(0, 4) LIST(1, 5, ALL) DONE(1, 5) LIST(1, 6, ALL) DONE(1, 6);

    (void)state;
    assert_outcome((struct session){ .keys = twice, .again = "" }, CHSM_COVERAGE_FULL, NULL);
}

static void nothing_is_not_covered(void **state)
{
    static const char none[] = "Keys on server 0(10.0.2.4):\nNumber of keys found 0\n" DONE(0, 4)
                               "Keys on server 1(10.0.2.5):\nNumber of keys found 0\n" DONE(1, 5)
                               "Keys on server 2(10.0.2.6):\nNumber of keys found 0\n" DONE(2, 6);

    (void)state;
    assert_outcome((struct session){ .keys = none, .again = "" }, CHSM_COVERAGE_OPEN, "no node lists a key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_coverage),
        cmocka_unit_test(what_is_not_established),
        cmocka_unit_test(nodes_that_are_not_reached),
        cmocka_unit_test(a_key_that_a_node_lacks),
        cmocka_unit_test(a_cut_list_lacks_nothing),
        cmocka_unit_test(a_loss_that_is_contradicted),
        cmocka_unit_test(handles_that_compare_nothing),
        cmocka_unit_test(a_user_that_a_node_lacks),
        cmocka_unit_test(one_number_for_two_servers),
        cmocka_unit_test(nothing_is_not_covered),
    };

    return cmocka_run_group_tests_name("nodes_coverage", tests, NULL, NULL);
}
