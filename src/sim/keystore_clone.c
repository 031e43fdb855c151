/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SoftHSM 2.6.1's object files: a generation number, then for each attribute its type, its kind, and the value; all numbers
 * have 8 bytes, big-endian. A boolean has 1 byte;
 * bytes, and templates, have their length first, sets of mechanisms the number of them.
 */
#include "config.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>

#include "sim/keystore_clone.h"
#include "util/path.h"

#define OBJECT_MAX (64u << 10)
#define WORD 8

enum { KIND_BOOLEAN = 1, KIND_NUMBER = 2, KIND_BYTES = 3, KIND_MECHANISMS = 5 };

void sim_clone_set_done(struct sim_clone_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->paths[i]);
    free(s->paths);
    *s = (struct sim_clone_set){ .n = 0 };
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has(const struct sim_clone_set *s, const char *path)
{
    return s && s->n && bsearch(&path, s->paths, s->n, sizeof *s->paths, compare);
}

/* token.object is the token itself, not one of its objects. */
static bool is_object(const char *path)
{
    return fnmatch("*/token.object", path, 0) != 0;
}

int sim_clone_files(const char *keys, const struct sim_clone_set *known, struct sim_clone_set *ret, struct chsm_err *err)
{
    AUTO_SIM_CLONE_SET struct sim_clone_set set = { .n = 0 };
    AUTO_FREE char *pattern = chsm_strf("%s/tokens/*/*.object", keys);
    glob_t found = { .gl_pathc = 0 };
    int rc = pattern ? glob(pattern, 0, NULL, &found) : GLOB_NOSPACE;

    if (rc != 0 && rc != GLOB_NOMATCH)
        return chsm_fail(err, CHSM_SERVICE, "cannot list the objects of %s", keys);
    set.paths = calloc(found.gl_pathc + 1, sizeof *set.paths);
    for (size_t i = 0; set.paths && i < found.gl_pathc; i++)
        if (is_object(found.gl_pathv[i]) && !has(known, found.gl_pathv[i]) && (set.paths[set.n] = strdup(found.gl_pathv[i])) != NULL)
            set.n++;
    globfree(&found);
    if (!set.paths)
        return chsm_oom(err);
    qsort(set.paths, set.n, sizeof *set.paths, compare);
    *ret = set;
    set = (struct sim_clone_set){ .n = 0 };
    return 0;
}

static uint64_t get_number(const char *p)
{
    uint64_t n = 0;

    for (size_t i = 0; i < WORD; i++)
        n = n << 8 | (unsigned char)p[i];
    return n;
}

static int put_number(struct chsm_buf *b, uint64_t n, struct chsm_err *err)
{
    unsigned char word[WORD];

    for (size_t i = WORD; i-- > 0; n >>= 8)
        word[i] = (unsigned char)n;
    return chsm_buf_add(b, word, sizeof word, err);
}

/* The size of the value that begins at p, its length included; 0 when it does not fit. */
static size_t value_size(uint64_t kind, const char *p, size_t left)
{
    uint64_t n;

    if (kind == KIND_BOOLEAN)
        return left >= 1 ? 1 : 0;
    if (left < WORD)
        return 0;
    if (kind == KIND_NUMBER)
        return WORD;
    n = get_number(p);
    if (kind == KIND_MECHANISMS && n <= OBJECT_MAX)
        n *= WORD;
    return n <= left - WORD ? WORD + (size_t)n : 0;
}

static int patch(const struct chsm_buf *from, const struct chsm_bytes *id, const struct chsm_bytes *label, struct chsm_buf *to,
                 struct chsm_err *err)
{
    size_t at = WORD, size;

    if (from->len < WORD)
        return chsm_fail(err, CHSM_SERVICE, "not an object file of SoftHSM");
    if (chsm_buf_add(to, from->p, WORD, err) < 0)
        return -1;
    for (; at < from->len; at += 2 * WORD + size) {
        const char *p = from->p + at;
        const struct chsm_bytes *other = NULL;
        uint64_t type, kind;

        if (from->len - at < 2 * WORD)
            return chsm_fail(err, CHSM_SERVICE, "an object file of SoftHSM is cut off");
        type = get_number(p);
        kind = get_number(p + WORD);
        size = value_size(kind, p + 2 * WORD, from->len - at - 2 * WORD);
        if (size == 0)
            return chsm_fail(err, CHSM_SERVICE, "an object file of SoftHSM is cut off");
        if (kind == KIND_BYTES)
            other = type == CKA_ID ? id : type == CKA_LABEL ? label : NULL;
        if (!other && chsm_buf_add(to, p, 2 * WORD + size, err) < 0)
            return -1;
        if (other && (chsm_buf_add(to, p, 2 * WORD, err) < 0 || put_number(to, other->len, err) < 0 ||
                      (other->len && chsm_buf_add(to, other->p, other->len, err) < 0)))
            return -1;
    }
    return 0;
}

/* The lock file is SoftHSM's, which would make it at its next start: thousands of them take their time. */
static int create(const char *path, const struct chsm_buf *content, struct chsm_err *err)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return chsm_fail_errno(err, CHSM_SERVICE, "%s", path);
    return content ? chsm_fd_write(fd, content->p, content->len, err) : 0;
}

static int clone_one(const char *original, const struct chsm_bytes *id, const struct chsm_bytes *label, struct chsm_err *err)
{
    AUTO_FREE char *folder = chsm_path_dir(original);
    AUTO_BUF struct chsm_buf from = CHSM_BUF_SECRET(OBJECT_MAX);
    AUTO_BUF struct chsm_buf to = CHSM_BUF_SECRET(OBJECT_MAX);
    AUTO_FREE char *object = NULL, *lock = NULL;
    char uuid[37];

    if (!folder)
        return chsm_oom(err);
    if (chsm_file_read(original, OBJECT_MAX, &from, err) < 0 || patch(&from, id, label, &to, err) < 0 || chsm_uuid(uuid, err) < 0)
        return -1;
    object = chsm_strf("%s/%s.object", folder, uuid);
    lock = chsm_strf("%s/%s.lock", folder, uuid);
    if (!object || !lock)
        return chsm_oom(err);
    return create(object, &to, err) < 0 ? -1 : create(lock, NULL, err);
}

int sim_clone_make(const struct sim_clone_set *originals, const struct chsm_bytes *id, const struct chsm_bytes *label, struct chsm_err *err)
{
    for (size_t i = 0; i < originals->n; i++)
        if (clone_one(originals->paths[i], id, label, err) < 0)
            return -1;
    return 0;
}
