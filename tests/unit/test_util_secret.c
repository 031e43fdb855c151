/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: every source, and that nothing of them is left in memory that is given back. Linked with -Wl,--wrap=free. */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/check.h"

#include "util/path.h"
#include "util/secret.h"

#define PIN "s3cret-PIN-0815"

static char folder[] = "/tmp/chsm-secret-XXXXXX";

/* Every block that our code gives back is searched; size 0 stands for the size that malloc() knows. */
static size_t freed_with_pin;
void __real_free(void *p);
void __wrap_free(void *p);
size_t malloc_usable_size(void *p);

void __wrap_free(void *p)
{
    if (p && memmem(p, malloc_usable_size(p), PIN, strlen(PIN)))
        freed_with_pin++;
    __real_free(p);
}

static char *path_in(const char *name)
{
    return chsm_path_join(folder, name);
}

static void put(const char *name, const char *text, size_t n)
{
    AUTO_FREE char *path = path_in(name);
    struct chsm_err err = { 0 };

    assert_ok(chsm_file_write(path, text, n, 0600, &err), err);
}

static int read_file(const char *name, struct chsm_secret *s, struct chsm_err *err)
{
    AUTO_FREE char *path = path_in(name);
    AUTO_FREE char *source = chsm_strf("file:%s", path);

    return chsm_secret_read(source, "PIN of cu1", s, err);
}

static void file_loses_one_newline_only(void **state)
{
    static const struct { const char *text, *secret; } cases[] = {
        { PIN, PIN }, { PIN "\n", PIN }, { PIN "\n\n", PIN "\n" }, { " " PIN " \n", " " PIN " " }, { "cu1:user1234\n", "cu1:user1234" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_SECRET struct chsm_secret s = { 0 };
        struct chsm_err err = { 0 };

        put("pin", cases[i].text, strlen(cases[i].text));
        assert_ok(read_file("pin", &s, &err), err);
        assert_string_equal(s.p, cases[i].secret);
        assert_int_equal(s.len, strlen(cases[i].secret));
    }
}

static void carriage_return_without_newline_is_part_of_it(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    put("pin", "abc\r", 4);
    assert_ok(read_file("pin", &s, &err), err);
    assert_int_equal(s.len, 4);
}

static void empty_and_missing_are_errors(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    put("empty", "", 0);
    assert_fails(read_file("empty", &s, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "PIN of cu1");
    put("newline", "\n", 1);
    assert_fails(read_file("newline", &s, &err), CHSM_CONFIG, err);
    assert_fails(read_file("absent", &s, &err), CHSM_CONFIG, err);
    assert_fails(read_file("", &s, &err), CHSM_CONFIG, err);
    put("nul", "ab\0cd", 5);
    assert_fails(read_file("nul", &s, &err), CHSM_CONFIG, err);
    assert_null(s.p);
}

static void too_large_is_refused_and_leaves_the_old(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    AUTO_FREE char *big = malloc(CHSM_SECRET_MAX + 2);
    struct chsm_err err = { 0 };

    (void)state;
    memset(big, 'x', CHSM_SECRET_MAX + 2);
    assert_ok(chsm_secret_set(&s, "old", 3, &err), err);
    put("big", big, CHSM_SECRET_MAX + 1);
    assert_fails(read_file("big", &s, &err), CHSM_CONFIG, err);
    assert_fails(chsm_secret_set(&s, big, CHSM_SECRET_MAX + 1, &err), CHSM_CONFIG, err);
    assert_string_equal(s.p, "old");
    put("big", big, CHSM_SECRET_MAX);
    assert_ok(read_file("big", &s, &err), err);
    assert_int_equal(s.len, CHSM_SECRET_MAX);
}

static void environment_and_descriptor(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    struct chsm_err err = { 0 };
    char source[32];
    int fds[2];

    (void)state;
    assert_int_equal(setenv("CHSM_TEST_PIN", PIN, 1), 0);
    assert_ok(chsm_secret_read("env:CHSM_TEST_PIN", "PIN", &s, &err), err);
    assert_string_equal(s.p, PIN);
    assert_int_equal(setenv("CHSM_TEST_PIN", "", 1), 0);
    assert_fails(chsm_secret_read("env:CHSM_TEST_PIN", "PIN", &s, &err), CHSM_CONFIG, err);
    assert_int_equal(unsetenv("CHSM_TEST_PIN"), 0);
    assert_fails(chsm_secret_read("env:CHSM_TEST_PIN", "PIN", &s, &err), CHSM_CONFIG, err);
    assert_string_equal(s.p, PIN);

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "from-pipe\n", 10), 10);
    (void)close(fds[1]);
    (void)snprintf(source, sizeof source, "fd:%d", fds[0]);
    assert_ok(chsm_secret_read(source, "PIN", &s, &err), err);
    assert_string_equal(s.p, "from-pipe");
    (void)close(fds[0]);
    assert_fails(chsm_secret_read(source, "PIN", &s, &err), CHSM_CONFIG, err);
}

static void program_is_run_without_a_shell(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    AUTO_FREE char *witness = path_in("witness");
    AUTO_FREE char *injected = chsm_strf("cmd:echo x;touch %s", witness);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_secret_read("cmd:printf %s " PIN, "PIN", &s, &err), err);
    assert_string_equal(s.p, PIN);
    assert_ok(chsm_secret_read("cmd:echo  two   words", "PIN", &s, &err), err);
    assert_string_equal(s.p, "two words");
    assert_ok(chsm_secret_read(injected, "PIN", &s, &err), err);
    assert_string_equal(s.p, injected + strlen("cmd:echo "));
    assert_int_equal(access(witness, F_OK), -1);
}

static void program_that_fails_gives_no_secret(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_fails(chsm_secret_read("cmd:false", "PIN", &s, &err), CHSM_CONFIG, err);
    assert_fails(chsm_secret_read("cmd:true", "PIN", &s, &err), CHSM_CONFIG, err);
    assert_fails(chsm_secret_read("cmd:/nonexistent/program", "PIN", &s, &err), CHSM_CONFIG, err);
    assert_fails(chsm_secret_read("cmd:cat /dev/zero", "PIN", &s, &err), CHSM_CONFIG, err);
    /* It printed something and then failed: a truncated answer of a password manager is no PIN. */
    put("half.sh", "echo half\nexit 3\n", 17);
    {
        AUTO_FREE char *path = path_in("half.sh");
        AUTO_FREE char *source = chsm_strf("cmd:sh %s", path);

        assert_fails(chsm_secret_read(source, "PIN", &s, &err), CHSM_CONFIG, err);
        assert_lacks(err.text, "half\n");
    }
    assert_null(s.p);
}

/* Whoever types the PIN itself in place of a source must not find it in the message. */
static void wrong_source_is_not_quoted(void **state)
{
    static const char *const wrong[] = { PIN, "pass:" PIN, "fd:" PIN, "fd:3x", "fd:-1", "fd:", "file:", "env:", "cmd:", "", "PROMPT",
                                         "fd:99999999999999999999" };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO_SECRET struct chsm_secret s = { 0 };

        assert_false(chsm_secret_source_ok(wrong[i]));
        assert_fails(chsm_secret_read(wrong[i], "PIN of cu1", &s, &err), CHSM_CONFIG, err);
        assert_lacks(err.text, PIN);
        assert_lacks(err.hint, PIN);
    }
    assert_true(chsm_secret_source_ok("file:x"));
    assert_true(chsm_secret_source_ok("env:X"));
    assert_true(chsm_secret_source_ok("fd:0"));
    assert_true(chsm_secret_source_ok("cmd:pass show hsm"));
    assert_true(chsm_secret_source_ok("prompt"));
}

static void nothing_is_left_in_freed_memory(void **state)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    struct chsm_err err = { 0 };
    AUTO_FREE char *witness = strdup(PIN);

    (void)state;
    freed_with_pin = 0;
    __wrap_free(TAKE(witness));
    assert_int_equal(freed_with_pin, 1);    /* the detector works */

    freed_with_pin = 0;
    put("pin", PIN "\n", strlen(PIN) + 1);
    assert_ok(read_file("pin", &s, &err), err);
    assert_ok(chsm_secret_set(&s, s.p, s.len, &err), err);
    assert_string_equal(s.p, PIN);
    assert_int_equal(setenv("CHSM_TEST_PIN", PIN, 1), 0);
    assert_ok(chsm_secret_read("env:CHSM_TEST_PIN", "PIN", &s, &err), err);
    put("pin.sh", "cat $(dirname $0)/pin\n", 22);
    {
        AUTO_FREE char *path = path_in("pin.sh");
        AUTO_FREE char *source = chsm_strf("cmd:sh %s", path);

        assert_ok(chsm_secret_read(source, "PIN", &s, &err), err);
    }
    assert_string_equal(s.p, PIN);
    chsm_secret_done(&s);
    assert_null(s.p);
    assert_int_equal(s.len, 0);
    chsm_secret_done(&s);
    assert_int_equal(freed_with_pin, 0);
}

static void secret_buffer_grows_without_a_trace(void **state)
{
    struct chsm_buf b = CHSM_BUF_SECRET(1 << 20);
    struct chsm_err err = { 0 };

    (void)state;
    freed_with_pin = 0;
    for (int i = 0; i < 2000; i++)
        assert_ok(chsm_buf_adds(&b, PIN, &err), err);
    chsm_buf_done(&b);
    assert_int_equal(freed_with_pin, 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "pin", "empty", "newline", "nul", "big", "half.sh", "pin.sh" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *path = path_in(names[i]);

        (void)unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_loses_one_newline_only),
        cmocka_unit_test(carriage_return_without_newline_is_part_of_it),
        cmocka_unit_test(empty_and_missing_are_errors),
        cmocka_unit_test(too_large_is_refused_and_leaves_the_old),
        cmocka_unit_test(environment_and_descriptor),
        cmocka_unit_test(program_is_run_without_a_shell),
        cmocka_unit_test(program_that_fails_gives_no_secret),
        cmocka_unit_test(wrong_source_is_not_quoted),
        cmocka_unit_test(nothing_is_left_in_freed_memory),
        cmocka_unit_test(secret_buffer_grows_without_a_trace),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
