/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "evidence/store.h"
#include "util/enc.h"
#include "util/path.h"
#include "util/safety.h"

#define SUMS "SHA256SUMS"
#define SUMS_MAX (1u << 20)

struct chsm_evidence {
    char *dir;
};

static int entry(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Names of everything in the directory, sorted; -1 when it cannot be read. */
static int names_of(const char *dir, struct dirent ***ret, struct chsm_err *err)
{
    int n = scandir(dir, ret, entry, alphasort);

    if (n < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot read the folder %s", dir);
    return n;
}

static void names_free(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

int chsm_evidence_open(const char *dir, struct chsm_evidence **ret, struct chsm_err *err)
{
    struct chsm_evidence *ev;
    struct dirent **names;
    int n;

    if (chsm_dir_make(dir, 0700, err) < 0)
        return chsm_err_prefix(err, "evidence");
    n = names_of(dir, &names, err);
    if (n < 0)
        return -1;
    names_free(names, n);
    if (n > 0) {
        (void)chsm_refuse(err, CHSM_RULE_EVIDENCE_EXISTS, "the folder %s is not empty", dir);
        return chsm_err_hint(err, "name a new folder");
    }
    ev = calloc(1, sizeof *ev);
    if (ev)
        ev->dir = strdup(dir);
    if (!ev || !ev->dir) {
        chsm_evidence_free(ev);
        return chsm_oom(err);
    }
    *ret = ev;
    return 0;
}

void chsm_evidence_free(struct chsm_evidence *ev)
{
    if (!ev)
        return;
    free(ev->dir);
    free(ev);
}

char *chsm_evidence_path(const struct chsm_evidence *ev, const char *name)
{
    return chsm_path_join(ev->dir, name);
}

int chsm_evidence_put(struct chsm_evidence *ev, const char *name, const void *data, size_t n, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_evidence_path(ev, name);

    return path ? chsm_file_write(path, data, n, 0600, err) : chsm_oom(err);
}

int chsm_evidence_put_json(struct chsm_evidence *ev, const char *name, const json_t *value, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_evidence_path(ev, name);

    return path ? chsm_json_save(path, value, err) : chsm_oom(err);
}

static int add_sum(const struct chsm_evidence *ev, const char *name, struct chsm_buf *out, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_evidence_path(ev, name);
    struct stat st;
    char digest[65];

    if (!path)
        return chsm_oom(err);
    if (strcmp(name, SUMS) == 0 || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    if (chsm_sha256_file(path, digest, err) < 0)
        return -1;
    return chsm_buf_addf(out, err, "%s  %s\n", digest, name);
}

int chsm_evidence_seal(struct chsm_evidence *ev, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(SUMS_MAX);
    struct dirent **names;
    int n = names_of(ev->dir, &names, err), rc = 0;

    if (n < 0)
        return -1;
    for (int i = 0; rc == 0 && i < n; i++)
        rc = add_sum(ev, names[i]->d_name, &out, err);
    names_free(names, n);
    return rc < 0 ? -1 : chsm_evidence_put(ev, SUMS, chsm_buf_str(&out), out.len, err);
}
