/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of objects beyond their flags, on several sessions as on one. */
#include "config.h"

#include "check.h"
#include "p11_world.h"
#include "util/json.h"

#define MANY 40u

static struct world world;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void create(CK_ATTRIBUTE *t, CK_ULONG n)
{
    CK_OBJECT_HANDLE h;

    assert_int_equal(world.fl->C_CreateObject(world.session, t, n, &h), CKR_OK);
}

/* SoftHSM keeps the dates of private objects and cannot tell them. */
static void make_limited(char *name, CK_BBOOL *private)
{
    CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_BYTE value[16] = { 7 };
    CK_DATE start = { "2026", "01", "02" }, end = { "2031", "12", "31" };
    CK_MECHANISM_TYPE allowed[] = { CKM_AES_KEY_WRAP, CKM_AES_ECB, CKM_AES_CBC };
    CK_ATTRIBUTE wrap[] = { { CKA_EXTRACTABLE, &yes, 1 }, { CKA_CLASS, &cls, sizeof cls } };
    CK_ATTRIBUTE t[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_KEY_TYPE, &type, sizeof type }, { CKA_TOKEN, &yes, 1 },
                         { CKA_PRIVATE, private, 1 }, { CKA_VALUE, value, sizeof value }, { CKA_LABEL, name, strlen(name) },
                         { CKA_ID, name, 3 }, { CKA_WRAP, &yes, 1 }, { CKA_START_DATE, &start, sizeof start },
                         { CKA_END_DATE, &end, sizeof end }, { CKA_ALLOWED_MECHANISMS, allowed, sizeof allowed },
                         { CKA_WRAP_TEMPLATE, wrap, sizeof wrap } };

    create(t, ARRAY_LEN(t));
}

static void make_dsa(void)
{
    CK_OBJECT_CLASS cls = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_DSA;
    CK_BYTE prime[128] = { 0xc1 }, subprime[20] = { 0x81 }, base[128] = { 5 }, value[128] = { 9 }, name[] = "dsa";
    CK_ATTRIBUTE t[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_KEY_TYPE, &type, sizeof type }, { CKA_TOKEN, &yes, 1 },
                         { CKA_PRIVATE, &no, 1 }, { CKA_PRIME, prime, sizeof prime }, { CKA_SUBPRIME, subprime, sizeof subprime },
                         { CKA_BASE, base, sizeof base }, { CKA_VALUE, value, sizeof value }, { CKA_LABEL, name, 3 },
                         { CKA_ID, name, 3 } };

    create(t, ARRAY_LEN(t));
}

static void make_many(void)
{
    CK_BYTE value[16] = { 0 };
    char id[16];

    for (unsigned i = 0; i < MANY; i++) {
        value[0] = (CK_BYTE)i;
        (void)snprintf(id, sizeof id, "many-%02u", i);
        world_secret(&world, i % 2 ? CKK_AES : CKK_GENERIC_SECRET, value, sizeof value, id, id);
    }
}

static int make_world(void **state)
{
    char open_name[] = "limited", sealed_name[] = "sealed";

    (void)state;
    assert_true(world_make(&world));
    world_enter(&world);
    make_limited(open_name, &no);
    make_limited(sealed_name, &yes);
    make_dsa();
    make_many();
    world_ec(&world, world_p256, sizeof world_p256, "pair", "pair", "s");
    world_leave(&world);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    world_remove(&world);
    return 0;
}

static struct chsm_section list_with(unsigned jobs)
{
    struct chsm_hsm_target t = world_target(&world);
    AUTO_SECRET struct chsm_secret pin = world_pin();
    AUTO_HSM struct chsm_hsm *h = NULL;
    struct chsm_section s;
    struct chsm_err e = { 0 };

    t.jobs = jobs;
    assert_ok(chsm_hsm_open(&t, &pin, &h, &e), e);
    s = world_list(h);
    if (!s.complete)
        fail_msg("%u sessions: %s", jobs, s.why);
    assert_int_equal(s.n, MANY + 5);
    return s;
}

static void equals(const struct chsm_record *r, const char *json)
{
    json_t *want = json_loads(json, 0, NULL), *have = json_deep_copy(r->more);
    AUTO_FREE char *text = json_dumps(have, JSON_SORT_KEYS);

    if (!want || !json_equal(want, have))
        fail_msg("attributes are %s", text);
    json_decref(want);
    json_decref(have);
}

static void limits_are_read(void **state)
{
    struct chsm_section s = list_with(1);

    (void)state;
    equals(world_find(&s, CHSM_CLASS_SECRET, "limited"),
           "{\"start-date\": \"2026-01-02\", \"end-date\": \"2031-12-31\","
           " \"allowed-mechanisms\": [\"0x00001081\", \"0x00001082\", \"0x00002109\"],"
           " \"wrap-template\": [\"0x00000000=0400000000000000\", \"0x00000162=01\"]}");
    equals(world_find(&s, CHSM_CLASS_SECRET, "sealed"),
           "{\"start-date\": \"unreadable\", \"end-date\": \"unreadable\","
           " \"allowed-mechanisms\": [\"0x00001081\", \"0x00001082\", \"0x00002109\"],"
           " \"wrap-template\": [\"0x00000000=0400000000000000\", \"0x00000162=01\"]}");
    assert_null(world_find(&s, CHSM_CLASS_SECRET, "many-03")->more);
    chsm_section_done(&s);
}

static void a_dsa_key_is_carried_with_its_size_and_value(void **state)
{
    struct chsm_section s = list_with(1);
    const struct chsm_record *dsa = world_find(&s, CHSM_CLASS_PUBLIC, "dsa");

    (void)state;
    assert_int_equal(dsa->type, CHSM_TYPE_DSA);
    assert_int_equal(dsa->bits, 1024);
    assert_non_null(chsm_record_value_digest(dsa));
    chsm_section_done(&s);
}

/* Number by number, several sessions say what one says. */
static void several_sessions_read_the_same(void **state)
{
    static const unsigned jobs[] = { 0, 2, 7, CHSM_HSM_JOBS_MAX };
    struct chsm_section one = list_with(1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        struct chsm_section s = list_with(jobs[i]);

        for (size_t k = 0; k < s.n; k++) {
            const struct chsm_record *a = &one.records[k], *b = &s.records[k];

            assert_int_equal(b->index, k);
            assert_true(a->cls == b->cls && a->type == b->type && a->bits == b->bits && a->flags == b->flags);
            assert_true(chsm_bytes_eq(&a->id, &b->id) && chsm_bytes_eq(&a->label, &b->label) && chsm_bytes_eq(&a->spki, &b->spki));
        }
        chsm_section_done(&s);
    }
    chsm_section_done(&one);
}

static int cmocka_main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_read),
        cmocka_unit_test(a_dsa_key_is_carried_with_its_size_and_value),
        cmocka_unit_test(several_sessions_read_the_same),
    };

    return cmocka_run_group_tests_name("pkcs11_attributes", tests, make_world, drop_world);
}

int main(int argc, char **argv)
{
    /* The worker is this same program, as chsmctl is for itself. */
    if (argc == 2 && chsm_streq(argv[1], CHSM_WORKER_ARG))
        return chsm_hsm_worker();
    return cmocka_main();
}
