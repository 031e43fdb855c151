/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/check.h"

#include "util/clock.h"
#include "util/program.h"

struct run { struct chsm_buf out, errors; int status; struct chsm_err err; };

static int shell(struct run *r, const char *script, int64_t limit)
{
    char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)script, NULL };
    char *env[] = { (char[]){ "PATH=/usr/bin:/bin" }, (char[]){ "ONLY=this" }, NULL };
    struct chsm_program p = { .path = "/bin/sh", .argv = argv, .env = env, .directory = "/bin", .limit = limit, .out = &r->out,
                              .errors = &r->errors };

    chsm_buf_done(&r->out);
    chsm_buf_done(&r->errors);
    r->out = CHSM_BUF(1000);
    r->errors = CHSM_BUF(1000);
    r->status = -1;
    return chsm_program_run(&p, &r->status, &r->err);
}

static void done(struct run *r)
{
    chsm_buf_done(&r->out);
    chsm_buf_done(&r->errors);
}

static void outputs(void **state)
{
    AUTO(done) struct run r = { .status = 0 };

    (void)state;
    assert_ok(shell(&r, "echo out; echo err >&2; cat; echo $ONLY; echo ${HOME:-none}; exit 3", 10000), r.err);
    assert_int_equal(r.status, 3);
    assert_string_equal(chsm_buf_str(&r.out), "out\nthis\nnone\n");
    assert_string_equal(chsm_buf_str(&r.errors), "err\n");
    assert_ok(shell(&r, "kill -9 $$", 10000), r.err);
    assert_int_equal(r.status, 137);
    assert_ok(shell(&r, "[ \"$(pwd -P)\" = \"$(cd /bin && pwd -P)\" ]", 10000), r.err);
    assert_int_equal(r.status, 0);
}

static void limits(void **state)
{
    AUTO(done) struct run r = { .status = 0 };
    int64_t began = chsm_mono();

    (void)state;
    assert_fails(shell(&r, "echo begun; sleep 60", 200), CHSM_DEADLINE, r.err);
    assert_fails(shell(&r, "exec >&- 2>&-; sleep 60", 200), CHSM_DEADLINE, r.err);      /* says nothing more, and does not end */
    assert_int_equal(shell(&r, "head -c 5000 /dev/zero", 10000), -1);
    assert_ok(shell(&r, "sleep 5 & echo done", 20000), r.err);     /* its child is not waited for */
    assert_string_equal(chsm_buf_str(&r.out), "done\n");
    assert_true(chsm_mono() - began < 4500);
}

static void cannot_start(void **state)
{
    struct chsm_buf out = CHSM_BUF(10), errors = CHSM_BUF(10);
    char *argv[] = { (char[]){ "x" }, NULL };
    struct chsm_program p = { .path = "/nowhere/x", .argv = argv, .env = argv + 1, .limit = 1000, .out = &out, .errors = &errors };
    struct chsm_err err;
    int status;

    (void)state;
    assert_fails(chsm_program_run(&p, &status, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "/nowhere/x");
}

static void found_in_absolute_folders_only(void **state)
{
    AUTO_FREE char *sh = NULL;
    AUTO_FREE char *none = NULL;

    (void)state;
    setenv("PATH", ":.:bin:/nowhere:/bin", 1);
    sh = chsm_program_find("sh");
    assert_string_equal(sh, "/bin/sh");
    setenv("PATH", ".::bin", 1);
    assert_int_equal(chdir("/bin"), 0);
    none = chsm_program_find("sh");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs), cmocka_unit_test(limits), cmocka_unit_test(cannot_start),
        cmocka_unit_test(found_in_absolute_folders_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
