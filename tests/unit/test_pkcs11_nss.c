/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of proof that SoftHSM has not, against NSS softokn: the right key proves itself, another one does not. */
#include "config.h"

#include <dlfcn.h>
#include <glob.h>
#include <sys/wait.h>

#include "check.h"
#include "keys/challenge.h"
#include "p11_world.h"
#include "util/path.h"

#define ATTEMPTS 40u

static char library[256], parameters[256];
static struct world world = { .dir = "/tmp/chsm-nss-XXXXXX" };
static bool there;

/* `kinds` of which every one is asked. */
static const struct key {
    const char *label;
    CK_KEY_TYPE type;
    const char *usage;
    const char *kinds;
} keys[] = {
    { "rsa-d", CKK_RSA, "d", "rsa-oaep-sha1-decrypt rsa-oaep-sha256-decrypt rsa-pkcs1-decrypt" },
    { "rsa-u", CKK_RSA, "u", "rsa-oaep-sha256-unwrap-hmac rsa-oaep-sha256-unwrap-aes rsa-pkcs1-unwrap-hmac" },
    { "rsa-s", CKK_RSA, "s", "rsa-pkcs1-sha256-sign rsa-pss-sha256-sign" },
    { "aes-w", CKK_AES, "w", "aes-kw-wrap aes-kwp-wrap aes-kw-pad-wrap aes-cbc-wrap aes-ecb-wrap" },
    { "aes-u", CKK_AES, "u", "aes-cbc-unwrap-hmac aes-ecb-unwrap-hmac" },
    { "des-w", CKK_DES3, "w", "des3-cbc-wrap des3-ecb-wrap" },
    { "des-u", CKK_DES3, "u", "des3-cbc-unwrap-hmac des3-ecb-unwrap-hmac" },
};

static void make_key(const struct key *k, const char *label, unsigned char first)
{
    /* Of odd parity, for DES. */
    static const unsigned char odd[] = { 0x01, 0x02, 0x04, 0x07, 0x08, 0x0b, 0x0d, 0x0e, 0x10, 0x13, 0x15, 0x16, 0x19, 0x1a, 0x1c, 0x1f };
    unsigned char value[32];

    for (size_t i = 0; i < sizeof value; i++)
        value[i] = odd[(i * 5 + first) % sizeof odd];
    if (k->type == CKK_RSA)
        world_rsa(&world, label, label, k->usage);
    else
        world_secret_for(&world, k->type, value, k->type == CKK_DES3 ? 24 : 32, label, k->usage);
}

static const char *other(const char *label)
{
    static char text[64];

    (void)snprintf(text, sizeof text, "%s/other", label);
    return text;
}

/* NSS takes its parameters in the field after the flags. */
static void make_keys(void)
{
    struct {
        CK_C_INITIALIZE_ARGS standard;
        void *more;
    } full = { { .flags = CKF_OS_LOCKING_OK, .pReserved = parameters }, NULL };
    void *so = dlopen(library, RTLD_NOW), *symbol = so ? dlsym(so, "C_GetFunctionList") : NULL;
    CK_C_GetFunctionList get;
    CK_SLOT_ID slots[8];
    CK_ULONG n = ARRAY_LEN(slots);

    assert_non_null(symbol);
    memcpy(&get, &symbol, sizeof get);
    assert_int_equal(get(&world.fl), CKR_OK);
    assert_int_equal(world.fl->C_Initialize(&full), CKR_OK);
    assert_int_equal(world.fl->C_GetSlotList(CK_TRUE, slots, &n), CKR_OK);
    assert_int_equal(world.fl->C_OpenSession(slots[n - 1], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &world.session), CKR_OK);
    assert_int_equal(world.fl->C_Login(world.session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)WORLD_PIN, strlen(WORLD_PIN)), CKR_OK);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        make_key(&keys[i], keys[i].label, 1);
        make_key(&keys[i], other(keys[i].label), 2);
    }
    assert_int_equal(world.fl->C_Finalize(NULL), CKR_OK);
}

/* The exit status of what runs in a process of its own, where NSS may leak as it likes. */
static int apart(void (*run)(void))
{
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void make_database(void)
{
    AUTO_FREE char *pin = chsm_path_join(world.dir, "pin"), *where = chsm_strf("sql:%s", world.dir);

    assert_int_equal(chsm_file_write(pin, WORLD_PIN, strlen(WORLD_PIN), 0600, NULL), 0);
    (void)execlp("certutil", "certutil", "-N", "-d", where, "-f", pin, NULL);
    _exit(127);
}

static int make_world(void **state)
{
    static const char *const patterns[] = { "/usr/lib/*-linux-gnu*/libsoftokn3.so", "/usr/lib/*-linux-gnu*/nss/libsoftokn3.so", "/usr/lib64/libsoftokn3.so" };
    glob_t found = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        (void)glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found);
    if (found.gl_pathc > 0)
        (void)snprintf(library, sizeof library, "%s", found.gl_pathv[0]);
    globfree(&found);
    assert_non_null(mkdtemp(world.dir));
    (void)snprintf(parameters, sizeof parameters, "configdir='sql:%s' certPrefix='' keyPrefix='' secmod='secmod.db' flags=", world.dir);
    there = *library && apart(make_database) == 0;
    if (there)
        assert_int_equal(apart(make_keys), 0);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    world_remove(&world);
    return 0;
}

typedef int question_fn(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd, struct chsm_challenge *ret, struct chsm_err *err);

static void question_of(const struct chsm_record *r, question_fn *question, const char *kind, struct chsm_challenge *ret)
{
    struct chsm_err e = { 0 };

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        chsm_challenge_done(ret);
        assert_ok(question(r, i, chsm_random, ret, &e), e);
        if (ret->kind && strcmp(ret->kind, kind) == 0)
            return;
    }
    fail_msg("there is no way to %s", kind);
}

/* False when it refuses. */
static bool ask(struct chsm_hsm *h, const struct chsm_record *r, const struct chsm_challenge *c, struct chsm_bytes *answer)
{
    struct chsm_err e = { 0 };
    unsigned long rv = 0;
    int rc = chsm_hsm_prove(h, r->index, c->kind, &c->input, answer, &rv, &e);

    if (rc < 0)
        fail_msg("%s: %s", c->kind, e.text);
    return rc == 0;
}

static void proves(struct chsm_hsm *h, const struct chsm_section *s, const struct key *k, const char *kind)
{
    unsigned long cls = k->type == CKK_RSA ? CHSM_CLASS_PRIVATE : CHSM_CLASS_SECRET;
    struct chsm_record *right = (struct chsm_record *)(uintptr_t)world_find(s, cls, k->label);
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    struct chsm_err e = { 0 };

    question_of(right, cls == CHSM_CLASS_SECRET ? chsm_challenge_record : chsm_challenge_make, kind, &c);
    assert_true(ask(h, right, &c, &answer));
    if (cls == CHSM_CLASS_SECRET) {
        assert_ok(chsm_challenge_keep(right, &c, &answer, &e), e);
        assert_non_null(right->recorded.kind);
        assert_true(ask(h, right, &c, &answer));
    }
    assert_int_equal(chsm_challenge_check(right, &c, &answer, &e), 1);
    if (ask(h, world_find(s, cls, other(k->label)), &c, &answer))
        assert_int_equal(chsm_challenge_check(right, &c, &answer, &e), 0);
}

static void every_kind_tells_the_right_key_from_another(void **state)
{
    struct chsm_hsm_target t = { .module = library, .init = parameters, .token_label = "NSS Certificate DB", .timeout = 60000 };
    AUTO_SECRET struct chsm_secret pin = world_pin();
    AUTO_HSM struct chsm_hsm *h = NULL;
    struct chsm_section s;
    struct chsm_err e = { 0 };
    size_t before = 0, after = 0;

    (void)state;
    if (!there)
        skip();
    assert_ok(chsm_hsm_open(&t, &pin, &h, &e), e);
    s = world_list(h);
    assert_ok(chsm_hsm_count(h, &before, &e), e);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        AUTO_FREE char *list = strdup(keys[i].kinds);
        char *at = list, *kind;

        while ((kind = strsep(&at, " ")) != NULL)
            proves(h, &s, &keys[i], kind);
    }
    assert_ok(chsm_hsm_count(h, &after, &e), e);
    assert_int_equal(after, before);
    chsm_section_done(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_tells_the_right_key_from_another),
    };

    /* The worker is this same program, as chsmctl is for itself. */
    if (argc == 2 && chsm_streq(argv[1], CHSM_WORKER_ARG))
        return chsm_hsm_worker();
    return cmocka_run_group_tests_name("pkcs11_nss", tests, make_world, drop_world);
}
