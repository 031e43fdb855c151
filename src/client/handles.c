/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fts.h>

#include "client/file.h"
#include "client/handles.h"
#include "client/pem.h"
#include "util/clock.h"
#include "util/json.h"

#define HANDLE_DIGITS_MAX 10u /* of 32 bits */

struct scan {
    json_t *fakes;
    size_t seen;
    char *why; /* why it is not complete */
};

static int incomplete(struct scan *s, const char *path, const char *why, struct chsm_err *err)
{
    if (s->why)
        return 0;
    s->why = chsm_strf("%s: %s", path, why);
    return s->why ? 0 : chsm_oom(err);
}

static int look_at(struct scan *s, const char *path, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF_SECRET(CHSM_SCAN_FILE_MAX);
    struct chsm_err why = { 0 };
    uint32_t handle = 0;

    if (chsm_client_read(path, CHSM_SCAN_FILE_MAX, &text, NULL, &why) < 0)
        return incomplete(s, path, why.text, err);
    if (chsm_pem_judge(chsm_buf_str(&text), text.len, &handle) != CHSM_PEM_FAKE)
        return 0;
    return json_array_append_new(s->fakes, json_pack("{s:s, s:I}", "path", path, "handle", (json_int_t)handle)) < 0
               ? chsm_oom(err)
               : 0;
}

static int visit(struct scan *s, FTS *tree, FTSENT *e, struct chsm_err *err)
{
    if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
        return incomplete(s, e->fts_path, strerrordesc_np(e->fts_errno), err);
    if (e->fts_info == FTS_D && e->fts_level > CHSM_SCAN_DEPTH_MAX) {
        (void)fts_set(tree, e, FTS_SKIP);
        return incomplete(s, e->fts_path, "too deep", err);
    }
    /* What is larger is no file of one key; an empty one is none at all. */
    if (e->fts_info != FTS_F || e->fts_statp->st_size == 0 || e->fts_statp->st_size > (off_t)CHSM_SCAN_FILE_MAX)
        return 0;
    return look_at(s, e->fts_path, err);
}

static int walk(struct scan *s, FTS *tree, struct chsm_err *err)
{
    FTSENT *e;

    errno = 0;
    while ((e = fts_read(tree)) != NULL) {
        if (chsm_interrupted())
            return chsm_fail(err, CHSM_INTERRUPTED, "interrupted");
        if (++s->seen > CHSM_SCAN_FILES_MAX)
            return incomplete(s, e->fts_path, "there are too many files", err);
        if (visit(s, tree, e, err) < 0)
            return -1;
    }
    return 0;
}

int chsm_handles_scan(const char *const *folders, json_t **ret, struct chsm_err *err)
{
    json_auto_t *fakes = json_array();
    struct scan s = { .fakes = fakes };
    int rc = 0;

    for (size_t i = 0; folders[i] && rc == 0; i++) {
        char *paths[] = { (char *)(uintptr_t)folders[i], NULL };
        FTS *tree =
            access(folders[i], F_OK) == 0 ? fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, NULL) : NULL;

        rc = tree ? walk(&s, tree, err) : chsm_fail_errno(err, CHSM_CONFIG, "--scan %s", folders[i]);
        if (tree)
            (void)fts_close(tree);
    }
    if (rc == 0) {
        *ret = json_pack("{s:I, s:b, s:s*, s:O}", "files", (json_int_t)s.seen, "complete", s.why == NULL, "why", s.why, "fakes",
                         fakes);
        rc = *ret ? 0 : chsm_oom(err);
    }
    free(s.why);
    return rc;
}

/* An ID that is a number in decimal text, as Microsoft's sample writes it. */
static bool is_decimal(const struct chsm_bytes *id)
{
    for (size_t i = 0; i < id->len; i++)
        if (id->p[i] < '0' || id->p[i] > '9')
            return false;
    return id->len > 0 && id->len <= HANDLE_DIGITS_MAX && id->p[0] != '0';
}

/* A key with the same ID: then the ID is one, and no handle. */
static bool has_key(const struct chsm_section *s, const struct chsm_bytes *id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->records[i].cls != CHSM_CLASS_CERTIFICATE && s->records[i].cls != CHSM_CLASS_DATA &&
            chsm_bytes_eq(&s->records[i].id, id))
            return true;
    return false;
}

static int add_section(const struct chsm_section *s, json_t *list, struct chsm_err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct chsm_record *r = &s->records[i];
        AUTO_FREE char *label = NULL, *handle = NULL;

        if (r->cls != CHSM_CLASS_CERTIFICATE || !is_decimal(&r->id) || has_key(s, &r->id))
            continue;
        label = chsm_bytes_text(&r->label);
        handle = chsm_bytes_text(&r->id);
        if (!label || !handle ||
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "login", s->login, "label", label, "handle", handle)) < 0)
            return chsm_oom(err);
    }
    return 0;
}

int chsm_handles_certificates(const struct chsm_inventory *inv, json_t **ret, struct chsm_err *err)
{
    json_auto_t *list = json_array();

    for (size_t i = 0; i < inv->n; i++)
        if (add_section(&inv->sections[i], list, err) < 0)
            return -1;
    *ret = json_incref(list);
    return 0;
}
