/* SPDX-License-Identifier: Apache-2.0 */
/* Modules that hang, crash, print, lie or lose things: one clear error, or an incomplete list, never a short one that passes. */
#include "config.h"

#include <dirent.h>

#include "check.h"
#include "keys/challenge.h"
#include "p11_world.h"
#include "pkcs11/child.h"
#include "util/environment.h"
#include "util/buf.h"
#include "util/log.h"

#define KEYS 6          /* objects of the token: 3 pairs */

static struct world world;
static char module[4096];
static char fault_env[64];
static struct chsm_buf logged = { .max = 1 << 20 };

static void keep_log(void *ctx, enum chsm_level level, const char *line)
{
    (void)ctx, (void)level;
    (void)!chsm_buf_addf(&logged, NULL, "%s\n", line);
}

static int make_world(void **state)
{
    char self[2048] = { 0 };

    (void)state;
    /* libtool builds the module into .libs beside this program. */
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    *strrchr(self, '/') = '\0';
    (void)snprintf(module, sizeof module, "%s/.libs/p11_quirk.so", self);
    assert_int_equal(access(module, R_OK), 0);
    assert_true(world_make(&world));
    world_enter(&world);
    world_ec(&world, world_p256, sizeof world_p256, "one", "one", "s");
    world_ec(&world, world_p256, sizeof world_p256, "two", "two", "s");
    world_ec(&world, world_p384, sizeof world_p384, "three", "three", "s");
    world_leave(&world);
    chsm_log_open(keep_log, NULL, CHSM_LOG_DEBUG);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    chsm_log_open(NULL, NULL, CHSM_LOG_WARN);
    chsm_buf_done(&logged);
    world_remove(&world);
    return 0;
}

static struct chsm_hsm_target faulty(const char *fault)
{
    struct chsm_hsm_target t = world_target(&world);

    (void)snprintf(fault_env, sizeof fault_env, "P11_FAULT=%s", fault);
    world.env[1] = fault_env;
    t.module = module;
    chsm_buf_clear(&logged);
    return t;
}

static struct chsm_hsm *open_faulty(const char *fault)
{
    struct chsm_hsm_target t = faulty(fault);
    AUTO_SECRET struct chsm_secret pin = world_pin();
    struct chsm_hsm *h = NULL;
    struct chsm_err e = { 0 };

    assert_ok(chsm_hsm_open(&t, &pin, &h, &e), e);
    return h;
}

static int open_fails(const struct chsm_hsm_target *t, const char *pin_text, struct chsm_err *e)
{
    AUTO_SECRET struct chsm_secret pin = { 0 };
    struct chsm_hsm *h = NULL;

    assert_int_equal(chsm_secret_set(&pin, pin_text, strlen(pin_text), NULL), 0);
    *e = (struct chsm_err){ 0 };
    return chsm_hsm_open(t, &pin, &h, e);
}

/* Lists with a fault: the session must say that it is incomplete, and why. */
static void incomplete(const char *fault, const char *why)
{
    AUTO_HSM struct chsm_hsm *h = open_faulty(fault);
    struct chsm_section s = world_list(h);

    if (s.complete)
        fail_msg("%s: %zu objects pass for a complete list", fault, s.n);
    assert_contains(s.why, why);
    chsm_section_done(&s);
}

static void complete(const char *fault)
{
    AUTO_HSM struct chsm_hsm *h = open_faulty(fault);
    struct chsm_section s = world_list(h);

    if (!s.complete)
        fail_msg("%s: %s", fault, s.why);
    assert_int_equal(s.n, KEYS);
    assert_int_equal(world_find(&s, CHSM_CLASS_PRIVATE, "two")->id.len, 3);
    assert_memory_equal(world_find(&s, CHSM_CLASS_PRIVATE, "two")->id.p, "two", 3);
    chsm_section_done(&s);
}

static void a_wrong_pin_is_tried_once(void **state)
{
    struct chsm_hsm_target t = faulty("none");
    struct chsm_err e;

    (void)state;
    assert_fails(open_fails(&t, "cu1:wrong", &e), CHSM_PKCS11, e);
    assert_int_equal(e.ck_rv, CKR_PIN_INCORRECT);
    assert_contains(e.text, "C_Login");
    assert_contains(e.text, "CKR_PIN_INCORRECT (0xa0)");
    assert_lacks(e.text, "wrong");
    assert_lacks(e.hint, "cu1:wrong");
}

static void modules_that_are_none(void **state)
{
    struct chsm_hsm_target t = faulty("none");
    struct chsm_err e;

    (void)state;
    t.module = "/nowhere/libhsm.so";
    assert_fails(open_fails(&t, WORLD_PIN, &e), CHSM_CONFIG, e);
    assert_contains(e.text, "/nowhere/libhsm.so");
    t.module = "/bin/true";
    assert_fails(open_fails(&t, WORLD_PIN, &e), CHSM_PKCS11, e);
    assert_contains(e.text, "true");
}

static void tokens_that_are_not_there(void **state)
{
    struct chsm_hsm_target t = faulty("none");
    struct chsm_err e;

    (void)state;
    t.token_label = "another";
    assert_fails(open_fails(&t, WORLD_PIN, &e), CHSM_PKCS11, e);
    assert_contains(e.text, "\"another\"");
    assert_contains(e.hint, "\"" WORLD_LABEL "\"");
    t.token_label = NULL;
    t.slot_given = true;
    t.slot = 4711;
    assert_fails(open_fails(&t, WORLD_PIN, &e), CHSM_PKCS11, e);
    assert_contains(e.text, "4711");
}

static void a_call_that_hangs_is_named(void **state)
{
    struct chsm_hsm_target t = faulty("hang:C_Login");
    AUTO_SECRET struct chsm_secret pin = world_pin();
    struct chsm_section s = { 0 };
    struct chsm_hsm *h = NULL;
    struct chsm_err e = { 0 };
    int64_t start = chsm_mono();

    (void)state;
    t.timeout = 1500;
    assert_fails(open_fails(&t, WORLD_PIN, &e), CHSM_DEADLINE, e);
    assert_contains(e.text, "C_Login did not return within");
    assert_true(chsm_mono() - start < 10000);

    t = faulty("hang:C_FindObjects");
    t.timeout = 1500;
    assert_ok(chsm_hsm_open(&t, &pin, &h, &e), e);
    assert_fails(chsm_hsm_list(h, "cu1", &s, &e), CHSM_DEADLINE, e);
    assert_contains(e.text, "C_FindObjects");
    /* The session is over; nothing more can be got from it. */
    assert_fails(chsm_hsm_list(h, "cu1", &s, &e), CHSM_PKCS11, e);
    chsm_hsm_close(h);
}

static void a_call_that_crashes_is_named(void **state)
{
    struct chsm_hsm *h;
    struct chsm_section s = { 0 };
    struct chsm_hsm_target t = faulty("abort:C_Login");
    struct chsm_err e;

    (void)state;
    assert_fails(open_fails(&t, WORLD_PIN, &e), CHSM_PKCS11, e);
    assert_contains(e.text, "signal 6");
    assert_contains(e.text, "in C_Login");
    h = open_faulty("abort:C_GetAttributeValue");
    assert_fails(chsm_hsm_list(h, "cu1", &s, &e), CHSM_PKCS11, e);
    assert_contains(e.text, "in C_GetAttributeValue");
    chsm_hsm_close(h);
}

static void a_crash_in_finalize_is_a_warning(void **state)
{
    struct chsm_hsm *h = open_faulty("abort:C_Finalize");
    struct chsm_section s = world_list(h);

    (void)state;
    assert_true(s.complete);
    assert_int_equal(s.n, KEYS);
    chsm_section_done(&s);
    chsm_hsm_close(h);
    chsm_hsm_settle();
    assert_contains(chsm_buf_str(&logged), "signal 6");
    assert_contains(chsm_buf_str(&logged), "C_Finalize");
}

static void searches_that_lie_are_incomplete(void **state)
{
    (void)state;
    incomplete("repeat", "repeats itself");
    incomplete("early", "did not find all of them");
    incomplete("overlong", "claims 1025 handles");
    incomplete("lost", "ended the login");
    incomplete("vanish", "CKR_OBJECT_HANDLE_INVALID");
    incomplete("huge", "claims 1099511627776 bytes");
}

static void odd_but_honest_modules_are_read_fully(void **state)
{
    (void)state;
    complete("none");
    complete("short");
    complete("spoil");
    complete("swap");
    complete("writable");
}

/* Sessions that die are opened again, and the list begins anew; questions find their keys again by what these are. */
static void lost_sessions_come_back(void **state)
{
    struct chsm_bytes input = { (unsigned char *)(uintptr_t)"text", 4 }, answer = { 0 };
    struct chsm_hsm *h;
    struct chsm_section s;
    struct chsm_err e = { 0 };
    unsigned long rv = 0;

    (void)state;
    complete("cut:C_GetAttributeValue");
    assert_contains(chsm_buf_str(&logged), "the list begins anew");
    h = open_faulty("cut:C_Sign");
    s = world_list(h);
    for (size_t i = 0; i < s.n; i++) {
        struct chsm_challenge c = { .kind = CHSM_KIND_ECDSA_SIGN, .input = input };
        const struct chsm_record *r = &s.records[i];

        if (r->cls != CHSM_CLASS_PRIVATE)
            continue;
        assert_ok(chsm_hsm_prove(h, r->index, CHSM_KIND_ECDSA_SIGN, &input, &answer, &rv, &e), e);
        assert_int_equal(chsm_challenge_check(r, &c, &answer, &e), 1);
    }
    chsm_bytes_done(&answer);
    chsm_section_done(&s);
    chsm_hsm_close(h);
}

static void session_objects_are_counted_and_left_out(void **state)
{
    AUTO_HSM struct chsm_hsm *h = open_faulty("session");
    struct chsm_section s = world_list(h);

    (void)state;
    assert_true(s.complete);
    assert_int_equal(s.session_objects, 1);
    assert_int_equal(s.n, KEYS - 1);
    chsm_section_done(&s);
}

static void without_a_login_the_list_is_incomplete(void **state)
{
    struct chsm_hsm_target t = faulty("none");
    AUTO_HSM struct chsm_hsm *h = NULL;
    struct chsm_section s;
    struct chsm_err e = { 0 };

    (void)state;
    assert_ok(chsm_hsm_open(&t, NULL, &h, &e), e);
    s = world_list(h);
    assert_false(s.complete);
    assert_contains(s.why, "not logged in");
    assert_int_equal(s.n, KEYS / 2);
    chsm_section_done(&s);
}

static void what_a_module_prints_is_logged_without_the_pin(void **state)
{
    struct chsm_hsm *h = open_faulty("print");
    const char *text;

    (void)state;
    chsm_hsm_close(h);
    text = chsm_buf_str(&logged);
    assert_contains(text, "module: logging in with REDACTED");
    assert_lacks(text, WORLD_PIN);
    assert_lacks(text, "pass4711");
    assert_contains(text, "a line of more than");
    assert_lacks(text, "xxxxxxxx");
}

/* 0xb3 is "session gone" in PKCS#11 and "refused by policy" in the firmware: the session itself decides. */
static void refusals_and_random_errors_of_a_proof(void **state)
{
    struct chsm_hsm *h = open_faulty("refuse");
    struct chsm_section s = world_list(h);
    const struct chsm_record *r = world_find(&s, CHSM_CLASS_PRIVATE, "one");
    struct chsm_bytes input = { (unsigned char *)(uintptr_t)"text", 4 }, answer = { 0 };
    struct chsm_err e = { 0 };
    unsigned long rv = 0;
    char text[256];

    (void)state;
    assert_int_equal(chsm_hsm_prove(h, r->index, CHSM_KIND_ECDSA_SIGN, &input, &answer, &rv, &e), 1);
    assert_int_equal(rv, CKR_SESSION_HANDLE_INVALID);
    assert_contains(chsm_ckr_text(rv, text, sizeof text), "CKR_SESSION_HANDLE_INVALID (0xb3)");
    assert_contains(text, "policy");
    assert_null(answer.p);
    chsm_section_done(&s);
    chsm_hsm_close(h);

    h = open_faulty("once");
    s = world_list(h);
    assert_ok(chsm_hsm_prove(h, world_find(&s, CHSM_CLASS_PRIVATE, "one")->index, CHSM_KIND_ECDSA_SIGN, &input, &answer, &rv, &e), e);
    assert_int_equal(answer.len, 64);
    chsm_bytes_done(&answer);
    chsm_section_done(&s);
    chsm_hsm_close(h);
}

static unsigned open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static void sessions_leave_no_descriptors(void **state)
{
    unsigned before = open_descriptors();
    struct chsm_hsm_target t = faulty("abort:C_Login");
    struct chsm_err e;

    (void)state;
    assert_fails(open_fails(&t, WORLD_PIN, &e), CHSM_PKCS11, e);
    chsm_hsm_close(open_faulty("none"));
    assert_int_equal(open_descriptors(), before);
}

static void the_child_inherits_no_secrets(void **state)
{
    static const char *const inherited[] = { "PATH=/bin", "AZURE_CLIENT_SECRET=a", "arm_x=b", "MY_TOKEN_FILE=c", "DbPassword=d",
                                             "IDENTITY_HEADER=e", "MSI_ENDPOINT=f", "HOME=/root", "TOKENLESS", NULL };
    static const char *const additions[] = { "HOME=/h", "PASSWORD_HINT=wanted", NULL };
    char **env = chsm_child_environment(inherited, additions, NULL);

    (void)state;
    assert_non_null(env);
    assert_string_equal(env[0], "PATH=/bin");
    assert_string_equal(env[1], "HOME=/h");
    assert_string_equal(env[2], "PASSWORD_HINT=wanted");
    assert_null(env[3]);
    free(env);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_pin_is_tried_once),
        cmocka_unit_test(modules_that_are_none),
        cmocka_unit_test(tokens_that_are_not_there),
        cmocka_unit_test(a_call_that_hangs_is_named),
        cmocka_unit_test(a_call_that_crashes_is_named),
        cmocka_unit_test(a_crash_in_finalize_is_a_warning),
        cmocka_unit_test(searches_that_lie_are_incomplete),
        cmocka_unit_test(odd_but_honest_modules_are_read_fully),
        cmocka_unit_test(lost_sessions_come_back),
        cmocka_unit_test(session_objects_are_counted_and_left_out),
        cmocka_unit_test(without_a_login_the_list_is_incomplete),
        cmocka_unit_test(what_a_module_prints_is_logged_without_the_pin),
        cmocka_unit_test(refusals_and_random_errors_of_a_proof),
        cmocka_unit_test(sessions_leave_no_descriptors),
        cmocka_unit_test(the_child_inherits_no_secrets),
    };

    if (argc == 2 && chsm_streq(argv[1], CHSM_WORKER_ARG))
        return chsm_hsm_worker();
    return cmocka_run_group_tests_name("pkcs11_fault", tests, make_world, drop_world);
}
