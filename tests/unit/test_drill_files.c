/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a drill: plan, journal, client configuration. */
#include "config.h"

#include "tests/unit/check.h"

#include "client/endpoint.h"
#include "drill/journal.h"
#include "drill/plan.h"
#include "util/enc.h"
#include "util/path.h"

static char dir[] = "/tmp/chsm-drill-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const names[] = { "plan.yaml", "journal.jsonl", "azcloudhsm_resource.cfg" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = chsm_path_join(dir, names[i]);

        (void)unlink(path);
    }
    return rmdir(dir);
}

static char *put(const char *name, const char *text)
{
    char *path = chsm_path_join(dir, name);
    struct chsm_err err = { 0 };

    assert_ok(chsm_file_write(path, text, strlen(text), 0600, &err), err);
    return path;
}

static const char good[] =
    "apiVersion: chsmctl/v1\nkind: Drill\nmetadata: {name: t}\nspec:\n"
    "  subscription: 22222222-2222-4222-8222-222222222222\n"
    "  source: {resourceGroup: a, cluster: one, client: {directory: src, env: {A: \"1\"}}}\n"
    "  destination: {resourceGroup: b, cluster: two, client: {directory: dst}}\n"
    "  identity: /subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i\n"
    "  storage: {containerUri: https://account.blob.core.windows.net/backups}\n"
    "  pkcs11: {module: /lib/p.so, timeout: 90s, logins: [{name: cu1, pin: \"file:pins/cu1\"}]}\n"
    "  verify: {require: proven, proofs: true}\n"
    "  objectives: {rto: 4h, rpo: 30m, required: true}\n"
    "  evidence: ev\n";

static void a_plan_is_read_whole(void **state)
{
    AUTO_FREE char *path = put("plan.yaml", good);
    AUTO_FREE char *pin = chsm_strf("file:%s/pins/cu1", dir);
    AUTO_FREE char *evidence = chsm_strf("%s/ev", dir);
    AUTO_PLAN struct chsm_plan p = { 0 };
    AUTO_BUF struct chsm_buf problems = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_plan_load(path, &p, &problems, &err), err);
    assert_string_equal(p.source.cluster, "one");
    assert_string_equal(p.source.env[0], "A=1");
    assert_null(p.source.env[1]);
    assert_string_equal(p.logins[0].pin, pin);
    assert_string_equal(p.evidence, evidence);
    assert_string_equal(p.module, "/lib/p.so");
    assert_int_equal(p.pkcs11_timeout, 90000);
    assert_int_equal(p.rto, 4 * 3600000);
    assert_int_equal(p.require, CHSM_REQUIRE_PROVEN);
    assert_true(p.objectives_required);
    assert_false(p.no_proofs);
}

/* One word of the good plan replaced: the problem must name the place and what is expected. */
static void expect_problem(const char *from, const char *to, const char *place, const char *text)
{
    const char *at = strstr(good, from);
    AUTO_FREE char *plan = chsm_strf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    AUTO_FREE char *path = put("plan.yaml", plan);
    AUTO_PLAN struct chsm_plan p = { 0 };
    AUTO_BUF struct chsm_buf problems = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    assert_fails(chsm_plan_load(path, &p, &problems, &err), CHSM_CONFIG, err);
    assert_contains(chsm_buf_str(&problems), place);
    assert_contains(chsm_buf_str(&problems), text);
}

static void mistakes_of_a_plan_are_placed(void **state)
{
    (void)state;
    expect_problem("kind: Drill", "kind: Fleet", "plan.yaml:2:7: kind", "\"Drill\" is expected");
    expect_problem("cluster: two", "clustr: two", ":7:43:", "did you mean \"cluster\"?");
    expect_problem("cluster: two", "clustr: two", "spec.destination", "\"cluster\" is missing");
    expect_problem("b, cluster: two", "a, cluster: ONE", "spec.destination.cluster", "the destination is the source");
    expect_problem("directory: dst", "directory: src", "client.directory", "same cluster on both sides");
    expect_problem("https://account", "http://account", "containerUri", "https://");
    expect_problem("net/backups", "net/backups?sig=x", "containerUri", "no SAS");
    expect_problem("\"file:pins/cu1\"", "user1234", "logins[0].pin", "never the secret itself");
    expect_problem("rto: 4h", "rto: soon", ":12:21:", "a duration");
    expect_problem("required: true", "required: perhaps", "objectives.required", "true or false");
    expect_problem("require: proven", "require: maximal", "verify.require", "\"proven\" is expected");
    expect_problem("logins: [{name: cu1, pin: \"file:pins/cu1\"}]", "logins: []", "pkcs11.logins", "at least one");
    expect_problem("{A: \"1\"}", "{A: 1}", "client.env.A", "a text is expected");
    expect_problem("22222222-2222-4222-8222-222222222222", "mine", "spec.subscription", "a UUID");
    expect_problem("  evidence: ev\n", "", "spec", "\"evidence\" is missing");
}

static void a_problem_never_quotes_a_pin(void **state)
{
    AUTO_FREE char *plan = chsm_strf("%s", good);
    AUTO_FREE char *path = NULL;
    AUTO_PLAN struct chsm_plan p = { 0 };
    AUTO_BUF struct chsm_buf problems = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    (void)state;
    memcpy(strstr(plan, "file:pins/cu1"), "hunter2secret", strlen("hunter2secret"));
    path = put("plan.yaml", plan);
    assert_fails(chsm_plan_load(path, &p, &problems, &err), CHSM_CONFIG, err);
    assert_lacks(chsm_buf_str(&problems), "hunter2");
    assert_lacks(err.text, "hunter2");
}

static void journal_text(struct chsm_buf *ret)
{
    AUTO_FREE char *path = chsm_path_join(dir, "journal.jsonl");
    struct chsm_journal *j = NULL;
    struct chsm_err err = { 0 };

    (void)unlink(path);
    assert_ok(chsm_journal_create(path, &j, &err), err);
    assert_ok(chsm_journal_add(j, "run-begin", NULL, NULL, &err), err);
    assert_ok(chsm_journal_add(j, "intent", "restore", json_pack("{s:s}", "backup_id", "x"), &err), err);
    assert_ok(chsm_journal_add(j, "job-started", "restore", json_pack("{s:s}", "job_id", "y"), &err), err);
    chsm_journal_close(j);
    assert_fails(chsm_journal_create(path, &j, &err), CHSM_REFUSED, err);
    assert_ok(chsm_file_read(path, 1 << 20, ret, &err), err);
}

static void a_journal_is_chained(void **state)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(1 << 20);
    struct chsm_err err = { 0 };
    size_t lines = 0;

    (void)state;
    journal_text(&text);
    assert_ok(chsm_journal_verify(text.p, text.len, &lines, &err), err);
    assert_int_equal(lines, 3);
    /* A torn last line is what a power cut leaves; the rest still counts. */
    assert_ok(chsm_journal_verify(text.p, text.len - 5, &lines, &err), err);
    assert_int_equal(lines, 2);
    /* Any byte of any line but the last is covered by the line after it. */
    for (size_t i = 0; i < (size_t)(strchr(strchr(text.p, '\n') + 1, '\n') - text.p); i++) {
        text.p[i] ^= 1;
        if (chsm_journal_verify(text.p, text.len, &lines, &err) == 0 && lines == 3)
            fail_msg("a changed byte at %zu was not noticed", i);
        text.p[i] ^= 1;
    }
}

static void endpoints_compare_by_meaning(void **state)
{
    json_auto_t *cluster = json_pack("{s:{s:[{s:s}]}}", "properties", "hsms", "fqdn", "hsm1.chsm-a-x.cloudhsm.azure.net");
    json_auto_t *silent = json_pack("{s:{s:n}}", "properties", "hsms");

    (void)state;
    assert_true(chsm_endpoint_eq("hsm1.chsm-a-x.privatelink.cloudhsm.azure.net", "HSM1.chsm-a-x.cloudhsm.azure.net"));
    assert_false(chsm_endpoint_eq("hsm1.chsm-a-x.cloudhsm.azure.net", "hsm1.chsm-a-xx.cloudhsm.azure.net"));
    assert_true(chsm_endpoint_of_cluster("hsm1.chsm-a-x.privatelink.cloudhsm.azure.net", cluster));
    assert_false(chsm_endpoint_of_cluster("hsm1.chsm-b-x.privatelink.cloudhsm.azure.net", cluster));
    assert_true(chsm_endpoint_of_cluster("hsm1.chsm-b-x.privatelink.cloudhsm.azure.net", silent));
}

static void a_client_configuration_names_its_cluster(void **state)
{
    AUTO_FREE char *path = put("azcloudhsm_resource.cfg", "{\"servers\":[{\"hostname\":\"hsm1.x.cloudhsm.azure.net\"}]}");
    AUTO_FREE char *host = NULL;
    struct chsm_err err = { 0 };
    char *none = (char *)1;

    (void)state;
    assert_ok(chsm_client_endpoint(dir, &host, &err), err);
    assert_string_equal(host, "hsm1.x.cloudhsm.azure.net");
    free(put("azcloudhsm_resource.cfg", "{\"servers\":[]}"));
    assert_fails(chsm_client_endpoint(dir, &none, &err), CHSM_CONFIG, err);
    (void)unlink(path);
    assert_ok(chsm_client_endpoint(dir, &none, &err), err);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_read_whole),
        cmocka_unit_test(mistakes_of_a_plan_are_placed),
        cmocka_unit_test(a_problem_never_quotes_a_pin),
        cmocka_unit_test(a_journal_is_chained),
        cmocka_unit_test(endpoints_compare_by_meaning),
        cmocka_unit_test(a_client_configuration_names_its_cluster),
    };

    return cmocka_run_group_tests_name("drill_files", tests, make_dir, remove_dir);
}
