/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <sys/stat.h>

#include "client/install.h"
#include "util/buf.h"

/* Folders of installs, new and old; the same patterns are looked for in each of them. */
static const char *const installs[] = {
    "/opt/azurecloudhsm",
    "/usr/local/bin/AzureCloudHSM-ClientSDK-*",
    "/usr/local/lib64/AzureCloudHSM-ClientSDK-*",
};

/* Where files are below such a folder, or below one that is named. client/ and mgmt_util/ are the layout of Windows, which has two copies. */
static const struct {
    const char *name;
    const char *pattern[8];
} kinds[CHSM_CLIENT_KINDS] = {
    [CHSM_CLIENT_RESOURCE] = { "azcloudhsm_resource.cfg", { "%", "bin/%", "client/%", "mgmt_util/%" } },
    [CHSM_CLIENT_APPLICATION] = { "azcloudhsm_application.cfg", { "%", "bin/%", "utils/azcloudhsm_util/%" } },
    [CHSM_CLIENT_DAEMON] = { "azcloudhsm_client.cfg", { "%", "bin/%", "client/%" } },
    [CHSM_CLIENT_MGMT] = { "azcloudhsm_mgmt_util.cfg", { "%", "bin/%", "mgmt_util/%" } },
    [CHSM_CLIENT_OWNER_CERT] = { "PO.crt", { "cert/%", "%", "bin/%", "bin/cert/%", "client/cert/%" } },
    [CHSM_CLIENT_LIBRARY] = { "libazcloudhsm_pkcs11.so", { "lib64/%", "%", "lib/%", "bin/%" } },
    [CHSM_CLIENT_CLUSTER_INFO] = { "cluster.info",
                                   { "%", "daemon/*/%", "bin/%", "bin/daemon/*/%", "client/daemon/*/%", "data/*/%" } },
    [CHSM_CLIENT_VERSION] = { "VERSION", { "%", "bin/%" } },
    [CHSM_CLIENT_UNIT] = { "azure-cloud-hsm.service",
                           { "/etc/systemd/system/%", "/run/systemd/system/%", "/usr/lib/systemd/system/%",
                             "/lib/systemd/system/%" } },
    [CHSM_CLIENT_UNIT_WANTED] = { "azure-cloud-hsm.service",
                                  { "/etc/systemd/system/*.wants/%", "/etc/systemd/system/*.requires/%" } },
};

const char *chsm_client_kind_name(enum chsm_client_kind kind)
{
    return kinds[kind].name;
}

void chsm_paths_done(struct chsm_paths *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->v[i]);
    free(p->v);
    *p = (struct chsm_paths){ 0 };
}

int chsm_paths_add(struct chsm_paths *p, const char *path, struct chsm_err *err)
{
    if (p->n == CHSM_PATHS_MAX)
        return chsm_fail(err, CHSM_CONFIG, "there are more than %u files like %s", CHSM_PATHS_MAX, path);
    if (p->n % 16 == 0) {
        char **grown = realloc(p->v, (p->n + 16) * sizeof *grown);

        if (!grown)
            return chsm_oom(err);
        p->v = grown;
    }
    p->v[p->n] = strdup(path);
    return p->v[p->n++] ? 0 : (p->n--, chsm_oom(err));
}

void chsm_client_done(struct chsm_client *c)
{
    chsm_paths_done(&c->bases);
    for (size_t i = 0; i < CHSM_CLIENT_KINDS; i++)
        chsm_paths_done(&c->found[i]);
}

char *chsm_client_path(const char *root, const char *path)
{
    size_t n = root ? strlen(root) : 0;

    while (n > 0 && root[n - 1] == '/')
        n--;
    return chsm_strf("%.*s%s", (int)n, root ? root : "", path);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static bool is_link(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* One file under two names is kept under the name that is no link. */
static int add_found(struct chsm_paths *p, const char *path, struct chsm_err *err)
{
    for (size_t i = 0; i < p->n; i++) {
        char *own;

        if (!same_file(p->v[i], path))
            continue;
        if (!is_link(p->v[i]) || is_link(path))
            return 0;
        own = strdup(path);
        if (!own)
            return chsm_oom(err);
        free(p->v[i]);
        p->v[i] = own;
        return 0;
    }
    return chsm_paths_add(p, path, err);
}

int chsm_client_add(struct chsm_client *c, enum chsm_client_kind kind, const char *path, struct chsm_err *err)
{
    return add_found(&c->found[kind], path, err);
}

/* What is special to glob() in the name of a folder is not meant so. */
static int add_quoted(struct chsm_buf *b, const char *text, struct chsm_err *err)
{
    for (; *text; text++)
        if ((strchr("*?[\\", *text) && chsm_buf_adds(b, "\\", err) < 0) || chsm_buf_add(b, text, 1, err) < 0)
            return -1;
    return 0;
}

/* The files that BASE/PATTERN stands for, where "%" is `name`. An unreadable folder has none. */
static int add_pattern(const char *base, const char *pattern, const char *name, struct chsm_paths *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(16384);
    const char *mark = strchr(pattern, '%');
    size_t before = mark ? (size_t)(mark - pattern) : strlen(pattern);
    glob_t g = { 0 };
    int rc;

    if (add_quoted(&b, base, err) < 0 ||
        chsm_buf_addf(&b, err, "%s%.*s%s", *pattern == '/' ? "" : "/", (int)before, pattern, mark ? name : "") < 0)
        return -1;
    rc = glob(chsm_buf_str(&b), 0, NULL, &g);
    if (rc != 0 && rc != GLOB_NOMATCH) {
        globfree(&g);
        return rc == GLOB_NOSPACE ? chsm_oom(err) : 0;
    }
    rc = 0;
    for (size_t i = 0; i < g.gl_pathc && rc == 0; i++)
        rc = add_found(ret, g.gl_pathv[i], err);
    globfree(&g);
    return rc;
}

/* Below each folder in turn, so that what belongs together stands together. */
static int find_below(const char *base, enum chsm_client_kind kind, bool absolute, struct chsm_client *c, struct chsm_err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds[kind].pattern) && kinds[kind].pattern[i]; i++) {
        const char *pattern = kinds[kind].pattern[i];

        if ((*pattern == '/') == absolute && add_pattern(base, pattern, kinds[kind].name, &c->found[kind], err) < 0)
            return -1;
    }
    return 0;
}

static int find_kind(const struct chsm_client_where *where, enum chsm_client_kind kind, struct chsm_client *c,
                     struct chsm_err *err)
{
    AUTO_FREE char *top = chsm_client_path(where->root, "");

    if (!top)
        return chsm_oom(err);
    for (size_t i = 0; i < c->bases.n; i++)
        if (find_below(c->bases.v[i], kind, /* absolute= */ false, c, err) < 0)
            return -1;
    return find_below(top, kind, /* absolute= */ true, c, err);
}

/* An archive of an SDK may lie beside its folder. */
static void keep_folders(struct chsm_paths *p)
{
    size_t kept = 0;
    struct stat st;

    for (size_t i = 0; i < p->n; i++) {
        if (stat(p->v[i], &st) == 0 && S_ISDIR(st.st_mode))
            p->v[kept++] = p->v[i];
        else
            free(p->v[i]);
    }
    p->n = kept;
}

static int find_bases(const struct chsm_client_where *where, struct chsm_client *c, struct chsm_err *err)
{
    AUTO_FREE char *top = chsm_client_path(where->root, "");

    if (!top)
        return chsm_oom(err);
    for (size_t i = 0; where->directories && where->directories[i]; i++) {
        struct stat st;

        if (stat(where->directories[i], &st) < 0)
            return chsm_fail_errno(err, CHSM_CONFIG, "--directory %s", where->directories[i]);
        if (!S_ISDIR(st.st_mode))
            return chsm_fail(err, CHSM_CONFIG, "--directory %s is no folder", where->directories[i]);
        if (add_found(&c->bases, where->directories[i], err) < 0)
            return -1;
    }
    if (c->bases.n > 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(installs); i++)
        if (add_pattern(top, installs[i], "", &c->bases, err) < 0)
            return -1;
    keep_folders(&c->bases);
    return 0;
}

int chsm_client_find(const struct chsm_client_where *where, struct chsm_client *ret, struct chsm_err *err)
{
    AUTO_CLIENT struct chsm_client c = { .bases = { 0 } };

    if (find_bases(where, &c, err) < 0)
        return -1;
    for (size_t kind = 0; kind < CHSM_CLIENT_KINDS; kind++)
        if (find_kind(where, (enum chsm_client_kind)kind, &c, err) < 0)
            return -1;
    *ret = c;
    c = (struct chsm_client){ .bases = { 0 } };
    return 0;
}
