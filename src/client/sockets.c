/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets that a process listens on, from /proc (proc_net(5), proc_pid_fd(5)). */
#include "config.h"

#include <dirent.h>

#include "client/file.h"
#include "client/service.h"
#include "util/path.h"

#define TABLE_MAX (4u << 20) /* bytes of a table of all sockets */
#define FDS_MAX   4096u      /* descriptors of one process that are looked at */
#define COLUMNS   12

struct inodes {
    char (*v)[24];
    size_t n;
};

/* The sockets of the process, as text: numbers are only compared. False when they cannot be seen. */
static bool read_inodes(const char *fds, struct inodes *ret)
{
    const struct dirent *e;
    DIR *folder = opendir(fds);

    if (!folder)
        return false;
    ret->v = calloc(FDS_MAX, sizeof *ret->v);
    while (ret->v && ret->n < FDS_MAX && (e = readdir(folder)) != NULL) {
        static const char prefix[] = "socket:[";
        AUTO_FREE char *path = e->d_name[0] == '.' ? NULL : chsm_path_join(fds, e->d_name);
        char target[64];
        ssize_t n = path ? readlink(path, target, sizeof target - 1) : -1;

        if (n < (ssize_t)sizeof prefix || memcmp(target, prefix, sizeof prefix - 1) != 0)
            continue;
        target[n] = '\0';
        target[strcspn(target, "]")] = '\0';
        (void)snprintf(ret->v[ret->n++], sizeof *ret->v, "%.23s", target + sizeof prefix - 1);
    }
    (void)closedir(folder);
    return ret->v != NULL;
}

static bool owns(const struct inodes *inodes, const char *inode)
{
    for (size_t i = 0; i < inodes->n; i++)
        if (strcmp(inodes->v[i], inode) == 0)
            return true;
    return false;
}

/* Num RefCount Protocol Flags Type St Inode Path; the flag of a socket that listens is 0x10000. */
static int add_unix(char **word, size_t n, const struct inodes *inodes, struct chsm_paths *ret, struct chsm_err *err)
{
    if (n < 8 || strcmp(word[3], "00010000") != 0 || !owns(inodes, word[6]))
        return 0;
    return chsm_paths_add(ret, word[7], err);
}

/* sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode; 0A is LISTEN, the port stands in hexadecimal after ":". */
static int add_tcp(char **word, size_t n, const struct inodes *inodes, struct chsm_paths *ret, struct chsm_err *err)
{
    const char *port = n < 10 ? NULL : strchr(word[1], ':');
    AUTO_FREE char *text = NULL;
    char *end;

    if (!port || strcmp(word[3], "0A") != 0 || !owns(inodes, word[9]))
        return 0;
    text = chsm_strf("TCP port %ld", strtol(port + 1, &end, 16));
    return !text ? chsm_oom(err) : *end ? 0 : chsm_paths_add(ret, text, err);
}

typedef int adder(char **word, size_t n, const struct inodes *inodes, struct chsm_paths *ret, struct chsm_err *err);

static int read_table(const char *proc, const char *leaf, adder *add, const struct inodes *inodes, struct chsm_paths *ret,
                      struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(proc, leaf);
    AUTO_BUF struct chsm_buf text = CHSM_BUF(TABLE_MAX);
    char *lines = NULL;

    if (!path)
        return chsm_oom(err);
    if (chsm_client_read(path, TABLE_MAX, &text, NULL, NULL) < 0 || !text.p)
        return 0;
    for (char *line = strtok_r(text.p, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
        char *word[COLUMNS], *words = NULL;
        size_t n = 0;

        for (char *w = strtok_r(line, " ", &words); w && n < COLUMNS; w = strtok_r(NULL, " ", &words))
            word[n++] = w;
        if (add(word, n, inodes, ret, err) < 0)
            return -1;
    }
    return 0;
}

int chsm_daemon_sockets(const char *root, pid_t pid, struct chsm_paths *ret, bool *ret_seen, struct chsm_err *err)
{
    AUTO_FREE char *proc = chsm_client_path(root, "/proc");
    AUTO_FREE char *fds = proc ? chsm_strf("%s/%ld/fd", proc, (long)pid) : NULL;
    struct inodes inodes = { 0 };
    int rc = 0;

    if (!fds)
        return chsm_oom(err);
    *ret_seen = read_inodes(fds, &inodes);
    if (*ret_seen)
        rc = read_table(proc, "net/unix", add_unix, &inodes, ret, err) < 0 ||
                     read_table(proc, "net/tcp", add_tcp, &inodes, ret, err) < 0
                 ? -1
                 : 0;
    free(inodes.v);
    return rc;
}
