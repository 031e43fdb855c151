/* SPDX-License-Identifier: Apache-2.0 */
/* Replacing several copies of azcloudhsm_resource.cfg: all of them or none, whatever happens between the parts. */
#include "config.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/wait.h>

#include "tests/unit/check.h"

#include "client/file.h"
#include "client/point.h"
#include "util/clock.h"
#include "util/path.h"

#define HOST "hsm1.new.cloudhsm.azure.net"
#define OLD  "{\"servers\": [{\"hostname\": \"hsm1.old.cloudhsm.azure.net\"}]}\n"
#define NOW  1795860672000 /* 2026-11-28T10:11:12Z */

struct world {
    char dir[32];
    struct chsm_paths copies;
};

static int make_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct chsm_err err = { 0 };

    (void)snprintf(w->dir, sizeof w->dir, "/tmp/chsm-point-XXXXXX");
    if (!mkdtemp(w->dir))
        return -1;
    for (int i = 0; i < 3; i++) {
        AUTO_FREE char *path = chsm_strf("%s/%d/" CHSM_RESOURCE_CFG, w->dir, i);
        AUTO_FREE char *folder = chsm_path_dir(path);

        assert_ok(chsm_dir_make(folder, 0755, &err), err);
        assert_ok(chsm_file_write(path, OLD, strlen(OLD), 0640, &err), err);
        assert_ok(chsm_paths_add(&w->copies, path, &err), err);
    }
    *state = w;
    return 0;
}

static int remove_world(void **state)
{
    struct world *w = *state;
    AUTO_FREE char *inside = chsm_strf("%s/?/*", w->dir);
    AUTO_FREE char *folders = chsm_strf("%s/?", w->dir);
    glob_t g = { 0 };

    (void)glob(inside, 0, NULL, &g);
    (void)glob(folders, GLOB_APPEND, NULL, &g);
    for (size_t i = 0; i < g.gl_pathc; i++)
        (void)remove(g.gl_pathv[i]);
    globfree(&g);
    chsm_paths_done(&w->copies);
    (void)rmdir(w->dir);
    free(w);
    return 0;
}

/* How many files are below the world, besides the copies themselves. */
static size_t others(const struct world *w)
{
    AUTO_FREE char *inside = chsm_strf("%s/?/*", w->dir);
    glob_t g = { 0 };
    size_t n;

    (void)glob(inside, 0, NULL, &g);
    n = g.gl_pathc;
    globfree(&g);
    return n - w->copies.n;
}

static void expect_text(const char *path, const char *wanted)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(4096);
    struct chsm_err err = { 0 };

    assert_ok(chsm_file_read(path, 4096, &text, &err), err);
    assert_string_equal(chsm_buf_str(&text), wanted);
}

static const char new_text[] = "{\"servers\": [{\"hostname\": \"" HOST "\"}]}\n";

static void all_copies_change_and_keep_backups(void **state)
{
    struct world *w = *state;
    AUTO_POINT struct chsm_point p = { 0 }, again = { 0 };
    struct chsm_err err = { 0 };
    struct stat st;

    assert_ok(chsm_point_plan(&w->copies, HOST, &p, &err), err);
    assert_int_equal(p.changes, 3);
    assert_int_equal(others(w), 0);
    assert_ok(chsm_point_stage(&p, NOW, &err), err);
    expect_text(w->copies.v[1], OLD);
    assert_ok(chsm_point_commit(&p, &err), err);
    for (size_t i = 0; i < 3; i++) {
        expect_text(w->copies.v[i], new_text);
        expect_text(p.copies[i].backup, OLD);
        assert_contains(p.copies[i].backup, CHSM_RESOURCE_CFG ".bak-20261128T101112Z");
        assert_int_equal(stat(w->copies.v[i], &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
    }
    assert_int_equal(others(w), 3);
    assert_ok(chsm_point_plan(&w->copies, HOST, &again, &err), err);
    assert_int_equal(again.changes, 0);
}

static void a_backup_is_never_overwritten(void **state)
{
    struct world *w = *state;
    AUTO_POINT struct chsm_point p = { 0 }, back = { 0 };
    struct chsm_err err = { 0 };

    assert_ok(chsm_point_plan(&w->copies, HOST, &p, &err), err);
    assert_ok(chsm_point_stage(&p, NOW, &err), err);
    assert_ok(chsm_point_commit(&p, &err), err);
    assert_ok(chsm_point_plan(&w->copies, "hsm1.third", &back, &err), err);
    assert_ok(chsm_point_stage(&back, NOW, &err), err);
    assert_ok(chsm_point_commit(&back, &err), err);
    expect_text(p.copies[0].backup, OLD);
    expect_text(back.copies[0].backup, new_text);
    assert_contains(back.copies[0].backup, "Z-2");
}

static void what_fails_before_the_first_rename_leaves_nothing(void **state)
{
    struct world *w = *state;
    AUTO_POINT struct chsm_point p = { 0 };
    AUTO_FREE char *folder = chsm_path_dir(w->copies.v[2]);
    AUTO_FREE char *away = chsm_strf("%s-away", folder);
    struct chsm_err err = { 0 };

    assert_ok(chsm_point_plan(&w->copies, HOST, &p, &err), err);
    assert_int_equal(rename(folder, away), 0);
    assert_fails(chsm_point_stage(&p, NOW, &err), CHSM_CONFIG, err);
    assert_contains(err.hint, "no copy");
    assert_int_equal(rename(away, folder), 0);
    assert_int_equal(others(w), 0);
    for (size_t i = 0; i < 3; i++)
        expect_text(w->copies.v[i], OLD);
}

static void what_fails_in_the_middle_is_put_back(void **state)
{
    struct world *w = *state;
    AUTO_POINT struct chsm_point p = { 0 };
    struct chsm_err err = { 0 };

    assert_ok(chsm_point_plan(&w->copies, HOST, &p, &err), err);
    assert_ok(chsm_point_stage(&p, NOW, &err), err);
    assert_int_equal(unlink(p.copies[2].temp), 0);
    assert_fails(chsm_point_commit(&p, &err), CHSM_CONFIG, err);
    assert_contains(err.hint, "the 2 before it were put back");
    for (size_t i = 0; i < 3; i++) {
        expect_text(w->copies.v[i], OLD);
        expect_text(p.copies[i].backup, OLD);
    }
    assert_int_equal(others(w), 3);
}

static void somebody_elses_change_is_not_lost(void **state)
{
    struct world *w = *state;
    AUTO_POINT struct chsm_point p = { 0 };
    struct chsm_err err = { 0 };

    assert_ok(chsm_point_plan(&w->copies, HOST, &p, &err), err);
    assert_ok(chsm_point_stage(&p, NOW, &err), err);
    assert_ok(chsm_file_write(w->copies.v[1], "theirs", 6, 0600, &err), err);
    assert_fails(chsm_point_commit(&p, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "somebody else");
    expect_text(w->copies.v[0], OLD);
    expect_text(w->copies.v[1], "theirs");
    expect_text(w->copies.v[2], OLD);
}

/* A process that is gone at this point, as if killed: nothing of it cleans up. */
static void vanish_after(struct world *w, size_t renames)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        struct chsm_point p = { 0 };

        if (chsm_point_plan(&w->copies, HOST, &p, NULL) < 0 || chsm_point_stage(&p, NOW, NULL) < 0)
            _exit(1);
        for (size_t i = 0; i < renames; i++)
            if (rename(p.copies[i].temp, p.copies[i].path) < 0)
                _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_process_that_vanishes_leaves_every_copy_whole(void **state)
{
    struct world *w = *state;
    AUTO_POINT struct chsm_point p = { 0 };
    struct chsm_err err = { 0 };

    for (size_t renames = 0; renames < 3; renames++) {
        vanish_after(w, renames);
        for (size_t i = 0; i < 3; i++)
            expect_text(w->copies.v[i], i < renames ? new_text : OLD);
        for (size_t i = 0; i < renames; i++)
            assert_ok(chsm_file_write(w->copies.v[i], OLD, strlen(OLD), 0640, &err), err);
    }
    /* The next run does not mind what is lying about. */
    assert_ok(chsm_point_plan(&w->copies, HOST, &p, &err), err);
    assert_ok(chsm_point_stage(&p, NOW, &err), err);
    assert_ok(chsm_point_commit(&p, &err), err);
    for (size_t i = 0; i < 3; i++)
        expect_text(w->copies.v[i], new_text);
}

static void of_two_runs_at_once_one_changes_nothing(void **state)
{
    struct world *w = *state;
    AUTO_POINT struct chsm_point first = { 0 }, second = { 0 };
    struct chsm_err err = { 0 };

    assert_ok(chsm_point_plan(&w->copies, HOST, &first, &err), err);
    assert_ok(chsm_point_plan(&w->copies, "hsm1.third.cloudhsm.azure.net", &second, &err), err);
    assert_ok(chsm_point_stage(&first, NOW, &err), err);
    assert_fails(chsm_point_stage(&second, NOW, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "is being changed by somebody else");
    assert_ok(chsm_point_commit(&first, &err), err);
    chsm_point_done(&first);
    assert_int_equal(others(w), 3);
    assert_fails(chsm_point_stage(&second, NOW, &err), CHSM_CONFIG, err);
    assert_contains(err.text, "was changed by somebody else");
    assert_int_equal(others(w), 3);
}

/* Somebody puts an old file back, or turns a link around: its modification time says nothing of that. */
static void what_was_moved_or_linked_here_has_changed(void **state)
{
    const struct world *w = *state;
    const char *path = w->copies.v[0];
    AUTO_FREE char *link = chsm_strf("%s/1/link", w->dir);
    AUTO_FREE char *through = chsm_strf("%s/1/link/" CHSM_RESOURCE_CFG, w->dir);
    AUTO_FREE char *folder = chsm_path_dir(path);
    const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
    struct stat st;
    int64_t before;

    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_int_equal(stat(path, &st), 0);
    before = chsm_client_changed(path, &st);
    assert_true(before > 1000 * 1000 && before <= chsm_now() + 1000);
    (void)usleep(50 * 1000);
    assert_int_equal(symlink(folder, link), 0);
    assert_int_equal(chsm_client_changed(path, &st), before);
    assert_true(chsm_client_changed(through, &st) > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_copies_change_and_keep_backups, make_world, remove_world),
        cmocka_unit_test_setup_teardown(a_backup_is_never_overwritten, make_world, remove_world),
        cmocka_unit_test_setup_teardown(what_fails_before_the_first_rename_leaves_nothing, make_world, remove_world),
        cmocka_unit_test_setup_teardown(what_fails_in_the_middle_is_put_back, make_world, remove_world),
        cmocka_unit_test_setup_teardown(a_process_that_vanishes_leaves_every_copy_whole, make_world, remove_world),
        cmocka_unit_test_setup_teardown(of_two_runs_at_once_one_changes_nothing, make_world, remove_world),
        cmocka_unit_test_setup_teardown(what_was_moved_or_linked_here_has_changed, make_world, remove_world),
        cmocka_unit_test_setup_teardown(somebody_elses_change_is_not_lost, make_world, remove_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
