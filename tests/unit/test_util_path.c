/* SPDX-License-Identifier: Apache-2.0 */
/* Files: the reader sees the old or the new content, never a part, and no litter. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/unit/check.h"

#include "util/clock.h"
#include "util/path.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/chsm-path-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);

    for (struct dirent *e; d && (e = readdir(d));) {
        AUTO_FREE char *child = chsm_path_join(path, e->d_name);

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlink(child) < 0)
            remove_tree(child);
    }
    if (d)
        (void)closedir(d);
    (void)rmdir(path);
}

static int remove_folder(void **state)
{
    (void)state;
    remove_tree(folder);
    return 0;
}

static size_t entries(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n - 2;
}

static void assert_file(const char *path, const char *text)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(1 << 20);
    struct chsm_err err = { 0 };

    assert_ok(chsm_file_read(path, 1 << 20, &b, &err), err);
    assert_string_equal(chsm_buf_str(&b), text);
}

static void written_with_the_exact_mode_and_no_litter(void **state)
{
    AUTO_FREE char *path = chsm_path_join(folder, "report.json");
    struct chsm_err err = { 0 };
    mode_t old = umask(077);
    struct stat st;

    (void)state;
    assert_ok(chsm_file_write(path, "one", 3, 0644, &err), err);
    (void)umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_file(path, "one");
    old = umask(0);
    assert_ok(chsm_file_write(path, "second", 6, 0600, &err), err);
    (void)umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_file(path, "second");
    assert_int_equal(entries(folder), 1);
}

/* A reader who opened the old file goes on reading the old content: the file is replaced, not rewritten. */
static void open_reader_keeps_the_old_content(void **state)
{
    AUTO_FREE char *path = chsm_path_join(folder, "inventory.json");
    struct chsm_err err = { 0 };
    AUTO_CLOSE int fd = -1;
    char got[8] = { 0 };

    (void)state;
    assert_ok(chsm_file_write(path, "old", 3, 0600, &err), err);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_ok(chsm_file_write(path, "newer", 5, 0600, &err), err);
    assert_int_equal(read(fd, got, sizeof got - 1), 3);
    assert_string_equal(got, "old");
    assert_file(path, "newer");
}

static void failure_leaves_everything_as_it_was(void **state)
{
    AUTO_FREE char *missing = chsm_path_join(folder, "no/such/folder/file");
    AUTO_FREE char *dir = chsm_path_join(folder, "occupied");
    AUTO_FREE char *inside = chsm_path_join(dir, "kept");
    struct chsm_err err = { 0 };

    (void)state;
    assert_fails(chsm_file_write(missing, "x", 1, 0600, &err), CHSM_CONFIG, err);
    assert_contains(err.text, missing);
    assert_int_equal(entries(folder), 0);

    assert_ok(chsm_dir_make(dir, 0700, &err), err);
    assert_ok(chsm_file_write(inside, "kept", 4, 0600, &err), err);
    assert_fails(chsm_file_write(dir, "x", 1, 0600, &err), CHSM_CONFIG, err);
    assert_int_equal(entries(folder), 1);
    assert_file(inside, "kept");
}

static void full_disk_is_an_error(void **state)
{
    struct chsm_err err = { 0 };
    AUTO_CLOSE int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    if (fd < 0)
        skip();
    assert_fails(chsm_fd_write(fd, "x", 1, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "No space left");
}

static void link_is_replaced_and_not_followed(void **state)
{
    AUTO_FREE char *target = chsm_path_join(folder, "target");
    AUTO_FREE char *name = chsm_path_join(folder, "link");
    struct chsm_err err = { 0 };
    struct stat st;

    (void)state;
    assert_ok(chsm_file_write(target, "target", 6, 0600, &err), err);
    assert_int_equal(symlink(target, name), 0);
    assert_ok(chsm_file_write(name, "new", 3, 0600, &err), err);
    assert_file(target, "target");
    assert_int_equal(lstat(name, &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void reading_is_bounded(void **state)
{
    AUTO_FREE char *path = chsm_path_join(folder, "five");
    AUTO_BUF struct chsm_buf b = CHSM_BUF(100);
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_file_write(path, "12345", 5, 0600, &err), err);
    assert_ok(chsm_file_read(path, 5, &b, &err), err);
    chsm_buf_clear(&b);
    assert_fails(chsm_file_read(path, 4, &b, &err), CHSM_CONFIG, err);
    assert_contains(err.text, path);
    assert_fails(chsm_file_read("/dev/zero", 50, &b, &err), CHSM_CONFIG, err);
    assert_fails(chsm_file_read(folder, 50, &b, &err), CHSM_CONFIG, err);
    assert_fails(chsm_file_read("/nonexistent/file", 50, &b, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "No such file");
}

static void folders_are_made_on_the_way(void **state)
{
    AUTO_FREE char *deep = chsm_path_join(folder, "a/b//c/");
    AUTO_FREE char *a = chsm_path_join(folder, "a");
    AUTO_FREE char *file = chsm_path_join(folder, "file");
    AUTO_FREE char *below = chsm_path_join(file, "x");
    struct chsm_err err = { 0 };
    struct stat st;

    (void)state;
    assert_ok(chsm_dir_make(deep, 0700, &err), err);
    assert_ok(chsm_dir_make(deep, 0755, &err), err);
    assert_int_equal(stat(a, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_ok(chsm_dir_make("/", 0700, &err), err);
    assert_ok(chsm_file_write(file, "", 0, 0600, &err), err);
    assert_fails(chsm_dir_make(file, 0700, &err), CHSM_CONFIG, err);
    assert_fails(chsm_dir_make(below, 0700, &err), CHSM_CONFIG, err);
    assert_fails(chsm_dir_make("", 0700, &err), CHSM_CONFIG, err);
}

static void paths_are_joined_and_cut(void **state)
{
    static const struct { const char *a, *b, *joined; } join[] = {
        { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "", "b", "b" }, { "a", "/b", "/b" }, { "/", "b", "/b" },
    };
    static const struct { const char *path, *dir; } cut[] = {
        { "a/b", "a" }, { "b", "." }, { "/b", "/" }, { "/a/b", "/a" }, { "./b", "." },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(join); i++) {
        AUTO_FREE char *s = chsm_path_join(join[i].a, join[i].b);

        assert_string_equal(s, join[i].joined);
    }
    for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
        AUTO_FREE char *s = chsm_path_dir(cut[i].path);

        assert_string_equal(s, cut[i].dir);
    }
}

static void *write_late(void *path)
{
    struct timespec a_while = { .tv_nsec = 150000000 };
    int fd;

    (void)nanosleep(&a_while, NULL);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    (void)nanosleep(&a_while, NULL);
    if (fd < 0 || write(fd, "late", 4) != 4)
        abort();
    (void)nanosleep(&a_while, NULL);
    if (write(fd, "r", 1) != 1)
        abort();
    (void)close(fd);
    return NULL;
}

/* A FIFO is read when its writer comes; without one it must not hold us, least of all against Ctrl-C. */
static void fifos_do_not_hang(void **state)
{
    AUTO_FREE char *path = chsm_path_join(folder, "fifo");
    AUTO_BUF struct chsm_buf text = CHSM_BUF(100);
    struct chsm_err err;
    pthread_t writer;
    int64_t began;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_late, path), 0);
    assert_ok(chsm_file_read(path, 100, &text, &err), err);
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_string_equal(chsm_buf_str(&text), "later");
    chsm_interrupt();
    began = chsm_mono();
    assert_fails(chsm_file_read(path, 100, &text, &err), CHSM_INTERRUPTED, err);
    assert_true(chsm_mono() - began < 2000);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_with_the_exact_mode_and_no_litter, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(open_reader_keeps_the_old_content, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(failure_leaves_everything_as_it_was, make_folder, remove_folder),
        cmocka_unit_test(full_disk_is_an_error),
        cmocka_unit_test_setup_teardown(link_is_replaced_and_not_followed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reading_is_bounded, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(folders_are_made_on_the_way, make_folder, remove_folder),
        cmocka_unit_test(paths_are_joined_and_cut),
        cmocka_unit_test_setup_teardown(fifos_do_not_hang, make_folder, remove_folder),     /* the last one: it interrupts */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
