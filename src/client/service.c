/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>

#include "client/file.h"
#include "client/service.h"
#include "util/clock.h"
#include "util/path.h"

#define DAEMON   "azcloudhsm_client"
#define OTHERS_MAX 64u      /* daemons beside the first */
#define PROC_MAX (1u << 20) /* bytes of a file below /proc */
#define AHEAD    60000      /* ms: who was started later than this from now on has a clock of another machine or container */
#define SLACK    100        /* ms: the times of processes are told in hundredths of a second, those of files in clock ticks */

void chsm_service_done(struct chsm_service *s)
{
    free(s->unit);
    free(s->config);
    chsm_paths_done(&s->argv);
    *s = (struct chsm_service){ 0 };
}

void chsm_daemon_done(struct chsm_daemon *d)
{
    for (size_t i = 0; i < d->others; i++)
        chsm_daemon_done(&d->other[i]);
    free(d->other);
    free(d->config);
    chsm_paths_done(&d->argv);
    *d = (struct chsm_daemon){ 0 };
}

/* One word of a command line, its quotes taken away; NULL at the end. */
static const char *take_word(const char *p, const char *end, struct chsm_buf *word, struct chsm_err *err)
{
    char quote = 0;

    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == end)
        return NULL;
    for (; p < end && (quote || (*p != ' ' && *p != '\t')); p++) {
        if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? 0 : *p;
        else if (chsm_buf_add(word, p, 1, err) < 0)
            return NULL;
    }
    return p;
}

static int parse_command(const char *p, const char *end, struct chsm_paths *ret, struct chsm_err *err)
{
    AUTO_PATHS struct chsm_paths words = { 0 };

    while (p < end && strchr("-@:+! \t", *p))
        p++;
    for (;;) {
        AUTO_BUF struct chsm_buf word = CHSM_BUF(CHSM_CLIENT_FILE_MAX);

        p = take_word(p, end, &word, err);
        if (!p)
            break;
        if (chsm_paths_add(&words, chsm_buf_str(&word), err) < 0)
            return -1;
    }
    chsm_paths_done(ret);
    *ret = words;
    words = (struct chsm_paths){ 0 };
    return 0;
}

int chsm_service_parse(const char *text, size_t n, struct chsm_paths *ret, struct chsm_err *err)
{
    static const char key[] = "ExecStart";
    const char *stop = text + n;

    for (const char *line = text, *end; line < stop; line = end + 1) {
        const char *p = line;

        end = memchr(line, '\n', (size_t)(stop - line));
        if (!end)
            end = stop;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if ((size_t)(end - p) < sizeof key - 1 || memcmp(p, key, sizeof key - 1) != 0)
            continue;
        p += sizeof key - 1;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if (p < end && *p == '=' && parse_command(p + 1, end - (end > p + 1 && end[-1] == '\r'), ret, err) < 0)
            return -1;
    }
    return 0;
}

static int parse_file(const char *path, struct chsm_paths *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);

    /* What cannot be read tells nothing; the unit is still there. */
    if (chsm_client_read(path, CHSM_CLIENT_FILE_MAX, &text, NULL, NULL) < 0)
        return 0;
    return chsm_service_parse(chsm_buf_str(&text), text.len, ret, err);
}

static int parse_drop_ins(const char *root, const char *name, struct chsm_paths *ret, struct chsm_err *err)
{
    AUTO_FREE char *inside = chsm_strf("/etc/systemd/system/%s.d/*.conf", name);
    AUTO_FREE char *pattern = inside ? chsm_client_path(root, inside) : NULL;
    glob_t g = { 0 };
    int rc = 0;

    if (!pattern)
        return chsm_oom(err);
    if (glob(pattern, 0, NULL, &g) == 0)
        for (size_t i = 0; i < g.gl_pathc && rc == 0; i++)
            rc = parse_file(g.gl_pathv[i], ret, err);
    globfree(&g);
    return rc;
}

/* The first argument whose name ends with ".cfg"; a relative one is taken from `folder` (NULL = not known). */
static int find_config(const char *root, const struct chsm_paths *argv, const char *folder, char **ret, struct chsm_err *err)
{
    for (size_t i = 1; i < argv->n; i++) {
        size_t n = strlen(argv->v[i]);
        AUTO_FREE char *full = NULL;

        if (n <= 4 || strcmp(argv->v[i] + n - 4, ".cfg") != 0 || (argv->v[i][0] != '/' && !folder))
            continue;
        full = chsm_path_join(folder ? folder : "", argv->v[i]);
        *ret = full ? chsm_client_path(root, full) : NULL;
        return *ret ? 0 : chsm_oom(err);
    }
    return 0;
}

int chsm_service_read(const char *root, const struct chsm_client *client, struct chsm_service *ret, struct chsm_err *err)
{
    AUTO_SERVICE struct chsm_service s = { .enabled = client->found[CHSM_CLIENT_UNIT_WANTED].n > 0 };
    const struct chsm_paths *units = &client->found[CHSM_CLIENT_UNIT];
    char target[PATH_MAX];
    ssize_t n;

    if (units->n > 0) {
        s.unit = strdup(units->v[0]);
        if (!s.unit)
            return chsm_oom(err);
        n = readlink(s.unit, target, sizeof target);
        s.masked = n == (ssize_t)strlen("/dev/null") && memcmp(target, "/dev/null", (size_t)n) == 0;
        if (parse_file(s.unit, &s.argv, err) < 0 ||
            parse_drop_ins(root, chsm_client_kind_name(CHSM_CLIENT_UNIT), &s.argv, err) < 0 ||
            find_config(root, &s.argv, NULL, &s.config, err) < 0)
            return -1;
    }
    *ret = s;
    s = (struct chsm_service){ 0 };
    return 0;
}

/* A file below /proc; an empty text when it cannot be read: processes come and go. */
static void read_proc(const char *proc, const char *leaf, struct chsm_buf *text)
{
    AUTO_FREE char *path = chsm_path_join(proc, leaf);

    chsm_buf_clear(text);
    if (!path || chsm_client_read(path, PROC_MAX, text, NULL, NULL) < 0)
        chsm_buf_clear(text);
}

static bool is_daemon(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');

    return strcmp(slash ? slash + 1 : argv0, DAEMON) == 0;
}

/* When the machine was started, in ms since 1970; 0 = not known. */
static int64_t boot_time(const char *proc)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(PROC_MAX);
    double uptime;
    char *end;

    read_proc(proc, "uptime", &text);
    uptime = strtod(chsm_buf_str(&text), &end);
    return *end == ' ' && uptime > 0 && uptime < 1e10 ? chsm_now() - (int64_t)(uptime * 1000) : 0;
}

/* Field 22 of proc_pid_stat(5), after the name, which may hold blanks and brackets. */
static int64_t start_time(const char *proc, const char *pid)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(PROC_MAX);
    AUTO_FREE char *leaf = chsm_strf("%s/stat", pid);
    int64_t boot = boot_time(proc), ticks = sysconf(_SC_CLK_TCK);
    unsigned long long after;
    int64_t started;
    const char *p;
    char *end;

    if (!leaf || boot <= 0 || ticks <= 0)
        return 0;
    read_proc(proc, leaf, &text);
    p = strrchr(chsm_buf_str(&text), ')');
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    if (!p || !isdigit((unsigned char)*p))
        return 0;
    after = strtoull(p, &end, 10);
    if (*end != ' ' || after >= 1ull << 50)
        return 0;
    started = boot + (int64_t)after * 1000 / ticks;
    return started < chsm_now() + AHEAD ? started : 0;
}

/*
 * What stands for "/" to the process, in *ret: `root`, but where it certainly has another one, as in a container. Whether it has
 * can be seen only with its user's rights, or root's.
 */
static int root_of(const char *root, const char *proc, const char *pid, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *own = chsm_client_path(root, "/");
    AUTO_FREE char *link = chsm_strf("%s/%s/root", proc, pid);
    struct stat here, there;
    bool other;

    if (!own || !link)
        return chsm_oom(err);
    other = stat(own, &here) == 0 && stat(link, &there) == 0 && (here.st_dev != there.st_dev || here.st_ino != there.st_ino);
    *ret = other ? TAKE(link) : TAKE(own);
    return 0;
}

static int take_process(const char *root, const char *proc, const char *pid, const struct chsm_buf *cmdline,
                        struct chsm_daemon *d, struct chsm_err *err)
{
    AUTO_FREE char *link = chsm_strf("%s/%s/cwd", proc, pid);
    AUTO_FREE char *top = NULL;
    char folder[PATH_MAX], *end;
    ssize_t n = link ? readlink(link, folder, sizeof folder - 1) : -1;

    if (root_of(root, proc, pid, &top, err) < 0)
        return -1;
    for (size_t at = 0; at < cmdline->len && d->argv.n < CHSM_PATHS_MAX; at += strlen(cmdline->p + at) + 1)
        if (chsm_paths_add(&d->argv, cmdline->p + at, err) < 0)
            return -1;
    d->pid = (pid_t)strtol(pid, &end, 10);
    if (*end || d->pid <= 0)
        d->pid = 0;
    d->started = start_time(proc, pid);
    if (n > 0)
        folder[n] = '\0';
    return find_config(top, &d->argv, n > 0 ? folder : NULL, &d->config, err);
}

/* Room for one more, in the first place or among the others. */
static int add_daemon(struct chsm_daemon *first, struct chsm_daemon **ret, struct chsm_err *err)
{
    struct chsm_daemon *grown;

    if (first->pid == 0) {
        *ret = first;
        return 0;
    }
    grown = reallocarray(first->other, first->others + 1, sizeof *grown);
    if (!grown)
        return chsm_oom(err);
    first->other = grown;
    grown[first->others] = (struct chsm_daemon){ .visible = true };
    *ret = &grown[first->others++];
    return 0;
}

int chsm_daemon_find(const char *root, struct chsm_daemon *ret, struct chsm_err *err)
{
    AUTO_FREE char *proc = chsm_client_path(root, "/proc");
    AUTO_DAEMON struct chsm_daemon d = { .pid = 0 };
    AUTO_BUF struct chsm_buf text = CHSM_BUF(PROC_MAX);
    const struct dirent *e;
    DIR *folder;
    int rc = 0;

    if (!proc)
        return chsm_oom(err);
    folder = opendir(proc);
    while (folder && rc == 0 && (e = readdir(folder)) != NULL) {
        AUTO_FREE char *leaf = e->d_name[strspn(e->d_name, "0123456789")] == '\0' ? chsm_strf("%s/cmdline", e->d_name) : NULL;
        struct chsm_daemon *one;

        if (!leaf)
            continue;
        d.visible = true;
        read_proc(proc, leaf, &text);
        if (text.len == 0 || !is_daemon(text.p) || d.others == OTHERS_MAX)
            continue;
        rc = add_daemon(&d, &one, err);
        if (rc == 0)
            rc = take_process(root, proc, e->d_name, &text, one, err);
    }
    if (folder)
        (void)closedir(folder);
    if (rc < 0)
        return -1;
    *ret = d;
    d = (struct chsm_daemon){ .pid = 0 };
    return 0;
}

bool chsm_daemon_newer(const struct chsm_daemon *d, int64_t changed)
{
    return d->pid != 0 && d->started > changed + SLACK;
}

bool chsm_daemon_older(const struct chsm_daemon *d, int64_t changed)
{
    return d->pid != 0 && d->started != 0 && d->started + SLACK < changed;
}
