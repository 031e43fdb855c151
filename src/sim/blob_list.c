/* SPDX-License-Identifier: Apache-2.0 */
/* A container's listing, from the files on disk. */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "sim/arm.h"
#include "sim/blob.h"

#define PAGE_MAX  5000
#define DEPTH_MAX 12
#define PARTIAL   ".partial" /* jobs.c: a backup that is being written */
#define LIST_MAX  (8u << 20)

struct names {
    char **item;
    size_t n, room;
};

static void names_done(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->item[i]);
    free(l->item);
}

static int add(struct names *l, const char *name, struct chsm_err *err)
{
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        char **item = reallocarray(l->item, room, sizeof *item);

        if (!item)
            return chsm_oom(err);
        l->item = item;
        l->room = room;
    }
    l->item[l->n] = strdup(name);
    return l->item[l->n++] ? 0 : chsm_oom(err);
}

static void close_dir(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

static int walk(const char *root, const char *below, unsigned depth, struct names *l, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_strf("%s/%s", root, below);
    AUTO(close_dir) DIR *d = path ? opendir(path) : NULL;
    const struct dirent *e;

    if (!path)
        return chsm_oom(err);
    if (!d)
        return errno == ENOENT ? 0 : chsm_fail_errno(err, CHSM_CONFIG, "%s", path);
    while ((e = readdir(d))) {
        AUTO_FREE char *name = chsm_strf("%s%s%s", below, *below ? "/" : "", e->d_name);
        AUTO_FREE char *full = name ? chsm_strf("%s/%s", root, name) : NULL;
        size_t n = strlen(e->d_name);
        struct stat st;

        if (!full)
            return chsm_oom(err);
        if (e->d_name[0] == '.' || (n > strlen(PARTIAL) && chsm_streq(e->d_name + n - strlen(PARTIAL), PARTIAL)) ||
            lstat(full, &st) < 0)
            continue;
        if (S_ISREG(st.st_mode) ? add(l, name, err) < 0
                                : S_ISDIR(st.st_mode) && depth < DEPTH_MAX && walk(root, name, depth + 1, l, err) < 0)
            return -1;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int escape(struct chsm_buf *out, const char *text, struct chsm_err *err)
{
    for (; *text; text++) {
        const char *s = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;

        if ((s ? chsm_buf_adds(out, s, err) : chsm_buf_add(out, text, 1, err)) < 0)
            return -1;
    }
    return 0;
}

static int element(struct chsm_buf *out, const char *name, const char *text, struct chsm_err *err)
{
    if (chsm_buf_addf(out, err, "<%s>", name) < 0 || escape(out, text, err) < 0)
        return -1;
    return chsm_buf_addf(out, err, "</%s>", name);
}

struct asked {
    const char *prefix, *delimiter, *marker;
    size_t max;
};

/* The entries of one page: blobs, and prefixes up to the delimiter, each once. *ret_next: the first that did not fit. */
static int entries(const struct names *l, const struct asked *q, struct chsm_buf *out, char **ret_next, struct chsm_err *err)
{
    AUTO_FREE char *last = strdup("");
    size_t shown = 0, skip = strlen(q->prefix);

    for (size_t i = 0; i < l->n && last; i++) {
        const char *name = l->item[i], *cut;
        bool folder;
        char *entry;

        if (strncmp(name, q->prefix, skip) != 0)
            continue;
        cut = *q->delimiter ? strstr(name + skip, q->delimiter) : NULL;
        folder = cut != NULL;
        entry = folder ? strndup(name, (size_t)(cut - name) + strlen(q->delimiter)) : strdup(name);
        if (!entry)
            return chsm_oom(err);
        if (strcmp(entry, last) == 0 || strcmp(entry, q->marker) < 0) {
            free(entry);
            continue;
        }
        free(last);
        last = entry;
        if (shown++ == q->max) {
            *ret_next = strdup(entry);
            return *ret_next ? 0 : chsm_oom(err);
        }
        if (chsm_buf_adds(out, folder ? "<BlobPrefix>" : "<Blob>", err) < 0 || element(out, "Name", entry, err) < 0 ||
            (!folder && chsm_buf_adds(out, "<Properties><BlobType>BlockBlob</BlobType></Properties>", err) < 0) ||
            chsm_buf_adds(out, folder ? "</BlobPrefix>" : "</Blob>", err) < 0)
            return -1;
    }
    return last ? 0 : chsm_oom(err);
}

static int answer(struct sim_call *c, const struct names *l, const struct asked *q, const char *container, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(LIST_MAX);
    AUTO_FREE char *next = NULL;

    if (chsm_buf_addf(
            &out, err,
            "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"%s/\" ContainerName="
            "\"%s\">",
            c->cloud->url[SIM_BLOB], container) < 0 ||
        element(&out, "Prefix", q->prefix, err) < 0 || element(&out, "Marker", q->marker, err) < 0 ||
        element(&out, "Delimiter", q->delimiter, err) < 0 || chsm_buf_adds(&out, "<Blobs>", err) < 0 ||
        entries(l, q, &out, &next, err) < 0 || chsm_buf_adds(&out, "</Blobs>", err) < 0 ||
        element(&out, "NextMarker", next ? next : "", err) < 0 || chsm_buf_adds(&out, "</EnumerationResults>", err) < 0)
        return -1;
    return sim_answer_text(c->an, 200, "application/xml", chsm_buf_str(&out), err);
}

int sim_blob_list(struct sim_call *c, const json_t *account, const char *container, struct chsm_err *err)
{
    AUTO_FREE char *id = chsm_strf("%s/blobServices/default/containers/%s", chsm_json_str(account, "id"), container);
    const json_t *there = id ? sim_resource(c->root, id) : NULL;
    const char *prefix = sim_query(c->rq, "prefix"), *delimiter = sim_query(c->rq, "delimiter"),
               *marker = sim_query(c->rq, "marker");
    const char *max = sim_query(c->rq, "maxresults"), *folder;
    struct asked q = { prefix ? prefix : "", delimiter ? delimiter : "", marker ? marker : "", PAGE_MAX };
    AUTO(names_done) struct names l = { 0 };
    AUTO_FREE char *root = NULL;
    char *end = NULL;

    if (!id)
        return chsm_oom(err);
    if (!there)
        return sim_blob_fail(c, SIM_BLOB_NO_CONTAINER, err);
    if (max) {
        unsigned long n = strtoul(max, &end, 10);

        if (!isdigit((unsigned char)*max) || *end || n < 1)
            return sim_blob_fail(c, SIM_BLOB_BAD_QUERY, err);
        q.max = n < PAGE_MAX ? n : PAGE_MAX;
    }
    folder = chsm_json_str(json_object_get(there, "sim"), "folder");
    root = chsm_strf("%s/%s", c->cloud->dir, folder);
    if (!root)
        return chsm_oom(err);
    if (walk(root, "", 0, &l, err) < 0)
        return -1;
    if (l.n > 0)
        qsort(l.item, l.n, sizeof *l.item, by_name);
    return answer(c, &l, &q, container, err);
}
