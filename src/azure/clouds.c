/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/clouds.h"
#include "azure/retry.h"
#include "util/path.h"
#include "util/redact.h"

/* entra-auth.md §9; ARM tokens are asked for the endpoint itself, as the SDKs do. */
static const struct { const char *name, *resource_manager, *authority, *storage, *hsm; } built_in[] = {
    { "AzureCloud", "https://management.azure.com", "https://login.microsoftonline.com", "core.windows.net", "managedhsm.azure.net" },
    { "AzureUSGovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us", "core.usgovcloudapi.net",
      "managedhsm.usgovcloudapi.net" },
    { "AzureChinaCloud", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn", "core.chinacloudapi.cn",
      "managedhsm.azure.cn" },
};

#define STORAGE_RESOURCE "https://storage.azure.com"
#define FILE_BYTES_MAX (1u << 20)

void chsm_cloud_done(struct chsm_cloud *c)
{
    free(c->name);
    free(c->resource_manager);
    free(c->authority);
    free(c->arm_resource);
    free(c->storage_suffix);
    free(c->storage_resource);
    free(c->hsm_suffix);
    free(c->hsm_resource);
    *c = (struct chsm_cloud){ 0 };
}

static const char *env(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

/* People put passwords and signatures into addresses: what is wrong with one is shown without them. */
static int no_address(const char *what, const char *url, struct chsm_err *err)
{
    AUTO_FREE char *shown = url ? chsm_redact_url(url) : NULL;

    return chsm_fail(err, CHSM_CONFIG, "%s is no https address: %s", what, shown ? shown : "it is not there");
}

/* An https address without the slash at its end. */
static int address(const char *what, const char *url, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *origin = url ? chsm_url_origin(url) : NULL;
    size_t n;
    char *s;

    if (!origin || strncmp(origin, "https://", 8) != 0 || strpbrk(url, "?#"))
        return no_address(what, url, err);
    n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    s = strndup(url, n);
    if (!s)
        return chsm_oom(err);
    free(*ret);
    *ret = s;
    return 0;
}

static int word(const char *s, size_t n, char **ret, struct chsm_err *err)
{
    *ret = strndup(s, n);
    return *ret ? 0 : chsm_oom(err);
}

/* The domains of storage and HSMs, with or without a dot in front, and what follows from them. hsm NULL = none. */
static int suffixes(struct chsm_cloud *c, const char *storage, const char *hsm, struct chsm_err *err)
{
    storage += strspn(storage, ".");
    hsm = hsm ? hsm + strspn(hsm, ".") : NULL;
    if (word(storage, strlen(storage), &c->storage_suffix, err) < 0 ||
        word(STORAGE_RESOURCE, strlen(STORAGE_RESOURCE), &c->storage_resource, err) < 0)
        return -1;
    if (!hsm || !*hsm)
        return 0;
    c->hsm_resource = chsm_strf("https://%s", hsm);
    return c->hsm_resource ? word(hsm, strlen(hsm), &c->hsm_suffix, err) : chsm_oom(err);
}

static int from_table(size_t i, struct chsm_cloud *c, struct chsm_err *err)
{
    if (word(built_in[i].name, strlen(built_in[i].name), &c->name, err) < 0 ||
        suffixes(c, built_in[i].storage, built_in[i].hsm, err) < 0 ||
        address("resource manager", built_in[i].resource_manager, &c->resource_manager, err) < 0 ||
        address("authority", built_in[i].authority, &c->authority, err) < 0)
        return -1;
    return address("resource manager", built_in[i].resource_manager, &c->arm_resource, err);
}

/* A token audience is a name that looks like a URL; the slash at its end is cut like everywhere here. */
static int audience(const json_t *cloud, struct chsm_cloud *c, struct chsm_err *err)
{
    const char *s = json_string_value(json_array_get(chsm_json_get(cloud, "authentication.audiences"), 0));
    size_t n;

    if (!s || !*s)
        s = c->resource_manager;
    n = strlen(s);
    while (n > 0 && s[n - 1] == '/')
        n--;
    return word(s, n, &c->arm_resource, err);
}

/* Metadata may leave the domain of Managed HSMs out. */
static const char *known_hsm(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
        if (strcasecmp(name, built_in[i].name) == 0)
            return built_in[i].hsm;
    return NULL;
}

/* AD FS has its tenant in the address. */
static int set_authority(const char *login, struct chsm_cloud *c, struct chsm_err *err)
{
    size_t n;

    if (address("loginEndpoint in the cloud metadata", login, &c->authority, err) < 0)
        return -1;
    n = strlen(c->authority);
    if (n > 5 && strcasecmp(c->authority + n - 5, "/adfs") == 0)
        c->authority[n - 5] = '\0';
    return 0;
}

static int from_json(const json_t *cloud, const char *url, struct chsm_cloud *c, struct chsm_err *err)
{
    const char *name = chsm_json_str(cloud, "name"), *manager = chsm_json_str(cloud, "resourceManager");
    const char *storage = json_string_value(chsm_json_get(cloud, "suffixes.storage"));
    const char *hsm = json_string_value(chsm_json_get(cloud, "suffixes.mhsmDns"));
    const char *login = json_string_value(chsm_json_get(cloud, "authentication.loginEndpoint"));
    AUTO_FREE char *origin = url ? chsm_url_origin(url) : NULL;
    bool stack = !manager && json_is_string(json_object_get(cloud, "portalEndpoint"));

    name = name ? name : stack ? "AzureStack" : "unnamed";
    if (stack)
        manager = origin;
    /* Azure Stack's host is "management." and then the domain of everything. */
    if (!storage && stack && origin && strchr(origin, '.'))
        storage = strchr(origin, '.');
    storage = storage ? storage : built_in[0].storage;
    /* Old metadata names a login host that was renamed long ago. */
    if (strcmp(name, "AzureCloud") == 0 && login && strncmp(login, "https://login.windows.net", 25) == 0)
        login = built_in[0].authority;
    if (word(name, strlen(name), &c->name, err) < 0 || suffixes(c, storage, hsm ? hsm : known_hsm(name), err) < 0 ||
        address("resourceManager in the cloud metadata", manager, &c->resource_manager, err) < 0 || set_authority(login, c, err) < 0)
        return -1;
    return audience(cloud, c, err);
}

static bool named(const json_t *cloud, const char *name)
{
    const char *n = chsm_json_str(cloud, "name");

    return n && strcasecmp(n, name) == 0;
}

static bool same_origin(const char *a, const char *b)
{
    AUTO_FREE char *x = a ? chsm_url_origin(a) : NULL;
    AUTO_FREE char *y = b ? chsm_url_origin(b) : NULL;

    return x && y && strcmp(x, y) == 0;
}

int chsm_cloud_read(const json_t *metadata, const char *name, const char *url, struct chsm_cloud *ret, struct chsm_err *err)
{
    AUTO(chsm_cloud_done) struct chsm_cloud c = { 0 };
    const json_t *found = json_is_object(metadata) ? metadata : NULL;
    AUTO_FREE char *shown = url ? chsm_redact_url(url) : NULL;
    const json_t *each;
    size_t i;

    json_array_foreach(metadata, i, each)
        if (name ? named(each, name) : same_origin(chsm_json_str(each, "resourceManager"), url))
            found = each;
    if (!found && !name && (url || json_array_size(metadata) == 1))
        found = json_array_get(metadata, 0);
    if (!found && !name && json_array_size(metadata) > 1)
        return chsm_fail(err, CHSM_CONFIG, "the file describes several clouds, and nothing says which one is meant");
    if (!found || (name && !named(found, name)))
        return chsm_fail(err, CHSM_CONFIG, "the cloud metadata%s%s describe no cloud%s%s", shown ? " at " : "", shown ? shown : "",
                         name ? " named " : "", name ? name : "");
    if (from_json(found, url, &c, err) < 0)
        return -1;
    *ret = c;
    c = (struct chsm_cloud){ 0 };
    return 0;
}

/* As Azure CLI takes it: the whole address; the bare address of an ARM endpoint is completed. */
static int metadata_url(const char *given, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *origin = chsm_url_origin(given);
    const char *path;

    if (!origin || strncmp(origin, "https://", 8) != 0)
        return no_address("ARM_CLOUD_METADATA_URL", given, err);
    path = given + 8 + strcspn(given + 8, "/?#");
    if (*path == '\0' || strcmp(path, "/") == 0)
        *ret = chsm_strf("%s/metadata/endpoints?api-version=2022-09-01", origin);
    else
        *ret = strdup(given);
    return *ret ? 0 : chsm_oom(err);
}

static int parse(const struct chsm_buf *b, const char *what, json_t **ret, struct chsm_err *err)
{
    const char *text = chsm_buf_str(b);
    size_t n = b->len;

    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {       /* ARM begins this answer with a byte order mark */
        text += 3;
        n -= 3;
    }
    return chsm_json_parse(text, n, what, CHSM_CONFIG, ret, err);
}

static int fetch(struct chsm_http *http, const char *url, json_t **ret, struct chsm_err *err)
{
    static const char *const headers[] = { "Accept: application/json", NULL };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO_FREE char *shown = chsm_redact_url(url);

    if (chsm_retry_http(http, &(struct chsm_request){ .method = "GET", .url = url, .headers = headers }, &r, err) < 0) {
        if (err && err->code == CHSM_SERVICE)
            err->code = CHSM_CONFIG;
        return chsm_err_prefix(err, "cloud metadata");
    }
    if (r.status != 200)
        return chsm_fail(err, CHSM_CONFIG, "cloud metadata: GET %s: HTTP %ld", shown ? shown : "", r.status);
    return parse(&r.body, "cloud metadata", ret, err);
}

static int from_metadata(const char *given, const char *name, struct chsm_http *http, struct chsm_cloud *c, struct chsm_err *err)
{
    AUTO_FREE char *url = NULL;
    json_auto_t *metadata = NULL;

    if (metadata_url(given, &url, err) < 0 || fetch(http, url, &metadata, err) < 0)
        return -1;
    return chsm_cloud_read(metadata, name, url, c, err);
}

static bool is_file(const char *name)
{
    size_t n = strlen(name);

    return strchr(name, '/') || (n > 5 && strcasecmp(name + n - 5, ".json") == 0);
}

static int from_file(const char *path, struct chsm_cloud *c, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(FILE_BYTES_MAX);
    json_auto_t *metadata = NULL;

    if (chsm_file_read(path, FILE_BYTES_MAX, &text, err) < 0)
        return chsm_err_prefix(err, "--cloud");
    if (parse(&text, path, &metadata, err) < 0)
        return -1;
    return chsm_cloud_read(metadata, NULL, NULL, c, err) < 0 ? chsm_err_prefix(err, "%s", path) : 0;
}

static int find(const char *name, struct chsm_http *http, struct chsm_cloud *c, struct chsm_err *err)
{
    const char *url = env("ARM_CLOUD_METADATA_URL");

    if (!name && !url)
        return from_table(0, c, err);
    for (size_t i = 0; name && i < ARRAY_LEN(built_in); i++)
        if (strcasecmp(name, built_in[i].name) == 0)
            return from_table(i, c, err);
    if (name && is_file(name))
        return from_file(name, c, err);
    if (url)
        return from_metadata(url, name, http, c, err);
    (void)chsm_fail(err, CHSM_CONFIG, "unknown cloud: %s", name);
    return chsm_err_hint(err, "use AzureCloud, AzureUSGovernment or AzureChinaCloud, a file with the cloud's metadata, "
                              "or name their address in ARM_CLOUD_METADATA_URL");
}

int chsm_cloud_find(const char *name, struct chsm_http *http, struct chsm_cloud *ret, struct chsm_err *err)
{
    AUTO(chsm_cloud_done) struct chsm_cloud c = { 0 };
    const char *authority = env("AZURE_AUTHORITY_HOST");

    if (find(name, http, &c, err) < 0 || (authority && address("AZURE_AUTHORITY_HOST", authority, &c.authority, err) < 0))
        return -1;
    *ret = c;
    c = (struct chsm_cloud){ 0 };
    return 0;
}
