/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor concludes from one look, and how it finds what holds a handle. */
#include "config.h"

#include "tests/unit/check.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "client/doctor.h"
#include "client/handles.h"
#include "client/pem.h"
#include "client/settings.h"
#include "util/json.h"

#define DOMAIN ".c-x.privatelink.cloudhsm.azure.net"
#define HOST   "hsm1" DOMAIN
#define NOW    INT64_C(1795860672000) /* 2026-11-28T10:11:12Z */
#define HANDLE 262169u

/* A machine with which nothing is wrong. */
static const char sound[] =
    "{'copies':[{'path':'/b/r.cfg','hosts':['" HOST "']},{'path':'/c/r.cfg','hosts':['hsm2.c-x.cloudhsm.azure.net']}],"
    "'owner_certificates':[{'path':'/PO.crt','subject':'CN = p','sha256':'aa','not_after':'2030-01-01T00:00:00Z'}],"
    "'configurations':[{'path':'/c.cfg','hosts':['10.0.2.5'],'certificates':[]}],"
    "'applications':[{'path':'/a.cfg','settings':{'PORT':'1111'}}],'working_directories':[{'path':'/w','application':true}],"
    "'learned':[{'path':'/cluster.info','addresses':['10.0.2.4','10.0.2.6']}],'hosts_file':[],"
    "'service':{'unit':'/u','enabled':true,'masked':false,'argv':[],'config':'/dev/null'},"
    "'daemon':{'visible':true,'pid':7,'outdated':false,'started':'2026-11-01T00:00:00Z','sockets':['/tmp/s']}}";

struct machine {
    json_t *look;
    struct chsm_reach node[3];
    struct chsm_doctor d;
};

/* The sound machine, but for one member that is `value` (JSON with '). */
static struct machine *make_machine(const char *member, const char *value)
{
    struct machine *m = calloc(1, sizeof *m);
    char text[4096];
    struct chsm_err err = { 0 };

    (void)snprintf(text, sizeof text, "%s", sound);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    m->look = json_loads(text, 0, NULL);
    assert_non_null(m->look);
    if (member) {
        (void)snprintf(text, sizeof text, "%s", value);
        for (char *p = text; *p; p++)
            *p = *p == '\'' ? '"' : *p;
        assert_int_equal(json_object_set_new(m->look, member, json_loads(text, JSON_DECODE_ANY, NULL)), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        char name[64], address[16];

        (void)snprintf(name, sizeof name, "hsm%u" DOMAIN, i + 1);
        (void)snprintf(address, sizeof address, "10.0.2.%u", i + 4);
        assert_ok(chsm_reach_init(&m->node[i], name, &err), err);
        m->node[i].name = CHSM_NAME_RESOLVED;
        m->node[i].open = true;
        assert_ok(chsm_paths_add(&m->node[i].addresses, address, &err), err);
    }
    m->d = (struct chsm_doctor){ .look = m->look, .now = NOW, .nodes = m->node, .n_nodes = 3 };
    return m;
}

static void free_machine(struct machine *m)
{
    json_decref(m->look);
    chsm_doctor_done(&m->d);
    for (unsigned i = 0; i < 3; i++)
        chsm_reach_done(&m->node[i]);
    free(m);
}

/* The worst finding is of this level, and one of that level and check has these words and (but for ok) a remedy. */
static void expect_finding(struct machine *m, enum chsm_finding_level level, const char *check, const char *words)
{
    struct chsm_err err = { 0 };
    const json_t *f;
    bool found = false;
    size_t i;

    assert_ok(chsm_doctor_judge(&m->d, true, &err), err);
    json_array_foreach(m->d.findings, i, f)
        found = found || (chsm_streq(chsm_json_str(f, "level"), chsm_doctor_level_name(level)) &&
                          chsm_streq(chsm_json_str(f, "check"), check) && strstr(chsm_json_str(f, "what"), words) &&
                          (level == CHSM_DOCTOR_OK || chsm_json_str(f, "remedy")));
    if (!found || chsm_doctor_worst(&m->d) != level) {
        AUTO_FREE char *all = json_dumps(m->d.findings, JSON_INDENT(1));

        print_error("%s, %s, \"%s\" is not the worst in %s\n", chsm_doctor_level_name(level), check, words, all);
    }
    assert_true(found);
    assert_int_equal(chsm_doctor_worst(&m->d), level);
    free_machine(m);
}

static void a_sound_machine_has_no_findings(void **state)
{
    (void)state;
    expect_finding(make_machine(NULL, NULL), CHSM_DOCTOR_OK, "configuration", "2 copies point to " HOST);
}

static void every_damage_has_its_finding(void **state)
{
    static const struct {
        const char *member, *value;
        enum chsm_finding_level level;
        const char *check, *words;
    } damages[] = {
        { "copies", "[]", CHSM_DOCTOR_PROBLEM, "configuration", "there is no azcloudhsm_resource.cfg" },
        { "copies", "[{'path':'/b','hosts':['" HOST "']},{'path':'/c','error':'/c: not JSON'}]", CHSM_DOCTOR_PROBLEM,
          "configuration", "not JSON" },
        { "copies", "[{'path':'/b','hosts':['" HOST "']},{'path':'/c','hosts':['hsm1.other.cloudhsm.azure.net']}]",
          CHSM_DOCTOR_PROBLEM, "configuration", "/c points to hsm1.other.cloudhsm.azure.net" },
        { "configurations", "[{'path':'/m.cfg','hosts':['10.0.9.9']}]", CHSM_DOCTOR_WARNING, "configuration",
          "/m.cfg names 10.0.9.9" },
        { "configurations", "[{'path':'/m.cfg','error':'/m.cfg: bad'}]", CHSM_DOCTOR_WARNING, "configuration", "bad" },
        { "owner_certificates", "[]", CHSM_DOCTOR_PROBLEM, "owner certificate", "there is no PO.crt" },
        { "owner_certificates", "[{'path':'/p','error':'/p is no certificate'}]", CHSM_DOCTOR_PROBLEM, "owner certificate",
          "no certificate" },
        { "owner_certificates", "[{'path':'/p','subject':'s','sha256':'aa','not_after':'2026-11-28T10:11:11Z'}]",
          CHSM_DOCTOR_PROBLEM, "owner certificate", "has expired" },
        { "owner_certificates", "[{'path':'/p','subject':'s','sha256':'aa','not_after':'2026-12-20T00:00:00Z'}]",
          CHSM_DOCTOR_WARNING, "owner certificate", "valid until 2026-12-20" },
        { "owner_certificates", "[{'path':'/p','subject':'s','sha256':'aa','not_after':''}]", CHSM_DOCTOR_UNKNOWN,
          "owner certificate", "does not say" },
        { "owner_certificates",
          "[{'path':'/p','subject':'s','sha256':'aa','not_after':'2030-01-01T00:00:00Z'},"
          "{'path':'/q','subject':'s','sha256':'bb','not_after':'2030-01-01T00:00:00Z'}]",
          CHSM_DOCTOR_WARNING, "owner certificate", "/p and /q" },
        { "working_directories", "[{'path':'/w','application':false}]", CHSM_DOCTOR_WARNING, "application",
          "/w, the working directory" },
        { "applications", "[{'path':'/a','error':'/a:3: this is no KEY=value'}]", CHSM_DOCTOR_WARNING, "application", "/a:3" },
        { "applications", "[{'path':'/a','settings':{'USER_KEK_HANDLE':'262150'}}]", CHSM_DOCTOR_WARNING, "handle",
          "USER_KEK_HANDLE=262150" },
        { "service", "null", CHSM_DOCTOR_WARNING, "service", "there is no azure-cloud-hsm.service" },
        { "service", "{'unit':'/u','masked':true}", CHSM_DOCTOR_WARNING, "service", "masked" },
        { "service", "{'unit':'/u','enabled':false}", CHSM_DOCTOR_WARNING, "service", "not enabled" },
        { "service", "{'unit':'/u','enabled':true,'config':'/none/r.cfg'}", CHSM_DOCTOR_PROBLEM, "service",
          "/none/r.cfg, which cannot be read" },
        { "daemon", "{'visible':false}", CHSM_DOCTOR_UNKNOWN, "daemon", "cannot be seen" },
        { "daemon", "{'visible':true,'pid':0}", CHSM_DOCTOR_PROBLEM, "daemon", "does not run" },
        { "daemon", "{'visible':true,'pid':7,'outdated':true,'started':'x','sockets':['/s']}", CHSM_DOCTOR_PROBLEM, "daemon",
          "from before" },
        { "daemon", "{'visible':true,'pid':7}", CHSM_DOCTOR_UNKNOWN, "daemon", "sockets cannot be seen" },
        { "daemon", "{'visible':true,'pid':7,'sockets':[]}", CHSM_DOCTOR_PROBLEM, "daemon", "no local socket" },
        { "daemon",
          "{'visible':true,'pid':7,'sockets':['/s'],'configuration':{'path':'/x.cfg','hosts':['hsm1.other.cloudhsm.azure.net']}}",
          CHSM_DOCTOR_PROBLEM, "daemon", "/x.cfg, which points to hsm1.other.cloudhsm.azure.net" },
        { "learned", "[{'path':'/ci','addresses':['10.0.2.4','10.9.9.9']}]", CHSM_DOCTOR_PROBLEM, "learned addresses",
          "/ci remembers 10.9.9.9" },
        { "learned", "[{'path':'/ci','error':'/ci: x'}]", CHSM_DOCTOR_UNKNOWN, "learned addresses", "/ci" },
        { "hosts_file", "['" HOST "']", CHSM_DOCTOR_WARNING, "node", "/etc/hosts" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damages); i++)
        expect_finding(make_machine(damages[i].member, damages[i].value), damages[i].level, damages[i].check, damages[i].words);
}

static void every_node_is_judged(void **state)
{
    struct machine *m = make_machine(NULL, NULL);
    struct chsm_err err = { 0 };

    (void)state;
    m->node[1].open = false;
    m->node[1].why = strdup("10.0.2.5: Connection refused");
    expect_finding(m, CHSM_DOCTOR_PROBLEM, "node", "does not answer: 10.0.2.5: Connection refused");
    m = make_machine(NULL, NULL);
    m->node[2].public = true;
    expect_finding(m, CHSM_DOCTOR_PROBLEM, "node", "no private address");
    m = make_machine("learned", "[]");
    m->node[2].name = CHSM_NAME_UNKNOWN;
    m->node[2].why = strdup("no such name");
    expect_finding(m, CHSM_DOCTOR_PROBLEM, "node", "no such name");
    m = make_machine("learned", "[]");
    m->node[2].name = CHSM_NAME_NO_ANSWER;
    m->node[2].why = strdup("no answer");
    expect_finding(m, CHSM_DOCTOR_UNKNOWN, "node", "no answer");
    /* An address in the configuration: nothing is known of the other nodes, and nothing of what was learned. */
    m = make_machine("learned", "[{'path':'/ci','addresses':['10.0.2.9']}]");
    m->d.n_nodes = 1;
    assert_ok(chsm_doctor_judge(&m->d, false, &err), err);
    assert_int_equal(chsm_doctor_worst(&m->d), CHSM_DOCTOR_UNKNOWN);
    free_machine(m);
}

static void hosts_that_follow_from_one(void **state)
{
    json_auto_t *named = json_pack("{s:[{s:s},{s:[s]}]}", "copies", "error", "x", "hosts", "hsm2.c.cloudhsm.azure.net");
    json_auto_t *address = json_pack("{s:[{s:[s]}]}", "copies", "hosts", "10.0.2.4");
    json_auto_t *none = json_pack("{s:[]}", "copies");
    AUTO_PATHS struct chsm_paths hosts = { 0 }, one = { 0 }, empty = { 0 };
    struct chsm_err err = { 0 };
    bool all;

    (void)state;
    assert_ok(chsm_doctor_hosts(named, &hosts, &all, &err), err);
    assert_true(all);
    assert_int_equal(hosts.n, 3);
    assert_string_equal(hosts.v[0], "hsm2.c.cloudhsm.azure.net");
    assert_string_equal(hosts.v[1], "hsm1.c.cloudhsm.azure.net");
    assert_ok(chsm_doctor_hosts(address, &one, &all, &err), err);
    assert_false(all);
    assert_int_equal(one.n, 1);
    assert_ok(chsm_doctor_hosts(none, &empty, &all, &err), err);
    assert_int_equal(empty.n, 0);
}

/* PEM of a DER SEQUENCE of integers: version, n, e, then the private numbers, all of them `number`. */
static char *fake_rsa(uint32_t number)
{
    unsigned char der[512] = { 0x30, 0x82, 0, 0, 0x02, 1, 0, 0x02, 0x81, 129, 0 };
    size_t n = 11;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *copy;
    long len;

    memset(der + n, 0xc3, 128);
    n += 128;
    for (int i = 0; i < 7; i++) {
        der[n++] = 0x02;
        der[n++] = 4;
        for (int k = 3; k >= 0; k--)
            der[n++] = (unsigned char)(((i == 0 ? 65537u : number) >> (8 * k)) & 0xff);
    }
    der[2] = (unsigned char)((n - 4) >> 8);
    der[3] = (unsigned char)((n - 4) & 0xff);
    assert_true(PEM_write_bio(bio, PEM_STRING_RSA, "", der, (long)n) > 0);
    len = BIO_get_mem_data(bio, &text);
    copy = chsm_strf("%.*s", (int)len, text);
    BIO_free(bio);
    return copy;
}

static char *pem_of(EVP_PKEY *key, bool traditional)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *copy;
    long len;

    assert_int_equal(traditional ? PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL)
                                 : PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
                     1);
    len = BIO_get_mem_data(bio, &text);
    copy = chsm_strf("%.*s", (int)len, text);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return copy;
}

static void expect_pem(const char *text, enum chsm_pem wanted, uint32_t wanted_handle)
{
    uint32_t handle = 1;

    assert_int_equal(chsm_pem_judge(text, strlen(text), &handle), wanted);
    assert_int_equal(handle, wanted_handle);
}

static void fake_private_keys(void **state)
{
    /* An EC key whose number is the handle: SEQUENCE { 1, 00..00 040019, [0] P-256 }. */
    static const char ec[] =
        "-----BEGIN EC PRIVATE KEY-----\n"
        "MDECAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAZoAoGCCqGSM49\nAwEH\n-----END EC PRIVATE KEY-----\n";
    AUTO_FREE char *rsa = fake_rsa(HANDLE), *odd = fake_rsa(5);
    char *real[4];
    AUTO_FREE char *both = NULL;

    (void)state;
    expect_pem(rsa, CHSM_PEM_FAKE, HANDLE);
    expect_pem(odd, CHSM_PEM_FAKE, 0);
    expect_pem(ec, CHSM_PEM_FAKE, HANDLE);
    real[0] = pem_of(EVP_RSA_gen(1024), false);
    real[1] = pem_of(EVP_RSA_gen(1024), true);
    real[2] = pem_of(EVP_EC_gen("P-256"), false);
    real[3] = pem_of(EVP_EC_gen("P-256"), true);
    for (size_t i = 0; i < ARRAY_LEN(real); i++)
        expect_pem(real[i], CHSM_PEM_REAL, 0);
    both = chsm_strf("%s some words\n%s", real[2], rsa);
    expect_pem(both, CHSM_PEM_FAKE, HANDLE);
    expect_pem("", CHSM_PEM_NONE, 0);
    expect_pem("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", CHSM_PEM_NONE, 0);
    for (size_t i = 0; i < ARRAY_LEN(real); i++)
        free(real[i]);
}

static int add_record(struct chsm_section *s, unsigned long cls, const char *id)
{
    struct chsm_record *r = chsm_section_add(s);

    r->cls = cls;
    return chsm_bytes_set(&r->id, id, strlen(id), NULL);
}

static void certificates_with_a_handle_for_an_id(void **state)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    struct chsm_section *s = chsm_inventory_add(&inv);
    json_auto_t *found = NULL;
    struct chsm_err err = { 0 };

    (void)state;
    s->login = strdup("cu1");
    assert_int_equal(add_record(s, CHSM_CLASS_CERTIFICATE, "262150"), 0);
    assert_int_equal(add_record(s, CHSM_CLASS_CERTIFICATE, "262151"), 0);
    assert_int_equal(add_record(s, CHSM_CLASS_PRIVATE, "262151"), 0); /* this one really is an ID */
    assert_int_equal(add_record(s, CHSM_CLASS_CERTIFICATE, "12345678901"), 0);
    assert_int_equal(add_record(s, CHSM_CLASS_CERTIFICATE, "007"), 0);
    assert_int_equal(add_record(s, CHSM_CLASS_CERTIFICATE, "\x02\x01"), 0);
    assert_int_equal(add_record(s, CHSM_CLASS_CERTIFICATE, ""), 0);
    assert_ok(chsm_handles_certificates(&inv, &found, &err), err);
    assert_int_equal(json_array_size(found), 1);
    assert_string_equal(chsm_json_str(json_array_get(found, 0), "handle"), "262150");
}

static void settings(void **state)
{
    static const char text[] = "DAEMON_ID=1  \r\n# a comment\n\n  PORT = "
                               "1111\nPORT=2222\nEMPTY=\nURL=https://a.b/c?sig=secret&api-version=1\nBYTES=\xff\n";
    static const char *const bad[] = { "novalue", "=x", "A B=c", "ok=1\n\x01=2" };
    json_auto_t *got = NULL, *cfg = NULL;
    static const char twin[] =
        "{\"client\":{\"e2e_owner_crt_path\":\"/c.crt\"},\"server\":{\"hostname\":\"a\"},\"servers\":[{\"hostname\":\"b\",\"e\":"
        "{\"owner_cert_path\":\"/d.crt\"}},{\"hostname\":\"a\"},{\"hostname\":7}]}";
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_settings_parse(text, strlen(text), "app", &got, &err), err);
    assert_int_equal(json_object_size(got), 5);
    assert_string_equal(chsm_json_str(got, "DAEMON_ID"), "1");
    assert_string_equal(chsm_json_str(got, "PORT"), "2222");
    assert_lacks(chsm_json_str(got, "URL"), "secret");
    assert_string_equal(chsm_json_str(got, "BYTES"), "\\xff");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(chsm_settings_parse(bad[i], strlen(bad[i]), "app", &cfg, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "app:2");
    assert_ok(chsm_settings_daemon(twin, strlen(twin), "cfg", &cfg, &err), err);
    assert_int_equal(json_array_size(json_object_get(cfg, "hosts")), 2);
    assert_int_equal(json_array_size(json_object_get(cfg, "certificates")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_machine_has_no_findings),
        cmocka_unit_test(every_damage_has_its_finding),
        cmocka_unit_test(every_node_is_judged),
        cmocka_unit_test(hosts_that_follow_from_one),
        cmocka_unit_test(fake_private_keys),
        cmocka_unit_test(certificates_with_a_handle_for_an_id),
        cmocka_unit_test(settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
