/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/blob.h"
#include "azure/job.h"
#include "azure/resource.h"
#include "azure/send.h"
#include "util/safety.h"

#define PREFIX "cloudhsm-"
#define DIGITS 16 /* yyyyMMddHHmmss and hundredths (arm.md §3.6) */

struct place {       /* where a container URI points to */
    char *origin;    /* "https://host:port" */
    char *container; /* its address without a slash at the end */
    char *below;     /* what stands behind it, as it is in blob names: "" or "folder/" */
};

static void place_done(struct place *p)
{
    free(p->origin);
    free(p->container);
    free(p->below);
    *p = (struct place){ 0 };
}

/* Emulators and other services without names of their own carry the account as the first part of the path (storage.md §1). */
static bool account_in_path(const char *host)
{
    size_t n = strcspn(host, ":/");

    return *host == '[' || (n == 9 && strncmp(host, "localhost", n) == 0) || strspn(host, "0123456789.") >= n;
}

/* "account.blob.SUFFIX" or "account.z01.blob.SUFFIX"; the suffix may have a port. */
static bool host_in(const char *host, const char *suffix)
{
    AUTO_FREE char *end = chsm_strf(".blob.%s", suffix + (*suffix == '.'));
    size_t n = strlen(host), m = end ? strlen(end) : 0;

    return end && n > m && strcasecmp(host + n - m, end) == 0;
}

/*
 * A token for storage opens every account that its owner may open, so it does not go to any host that an address, a slip of the
 * pen or a rewritten answer names: only to the blob services of this cloud, and to emulators on this machine.
 */
static int check_host(const struct chsm_arm *arm, const char *origin, struct chsm_err *err)
{
    const char *host = origin + strlen("https://"), *suffix = arm->cloud.storage_suffix;

    if (chsm_url_loopback(origin) || (suffix && host_in(host, suffix)) || host_in(host, "storage.azure.net"))
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_FOREIGN_STORAGE, "%s; those of %s are ACCOUNT.blob.%s", host,
                      arm->cloud.name ? arm->cloud.name : "this cloud", suffix ? suffix : "(unknown)");
    return chsm_err_hint(err, "check the address; another cloud is chosen with --cloud");
}

static int split(const char *uri, struct place *ret, struct chsm_err *err)
{
    const char *host = uri + strlen("https://"), *p = host + strcspn(host, "/");
    const char *rest;

    for (unsigned parts = account_in_path(host) ? 2 : 1; parts > 0; parts--) {
        p += strspn(p, "/");
        if (!*p)
            return chsm_fail(err, CHSM_USAGE, "\"%s\" names no container", uri);
        p += strcspn(p, "/");
    }
    rest = p + strspn(p, "/");
    ret->origin = chsm_url_origin(uri);
    ret->container = strndup(uri, (size_t)(p - uri));
    ret->below = *rest ? chsm_strf("%s%s", rest, rest[strlen(rest) - 1] == '/' ? "" : "/") : strdup("");
    return ret->origin && ret->container && ret->below ? 0 : chsm_oom(err);
}

/* RFC 1123, whatever the locale is. */
static char *http_date(int64_t now)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)(now / 1000);
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return NULL;
    return chsm_strf("x-ms-date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
                     months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int get_page(const struct chsm_channel *channel, const char *url, chsm_deadline d, struct chsm_blob_page *ret,
                    struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO_FREE char *date = http_date(chsm_now());
    const char *const headers[] = { date, NULL };
    const struct chsm_message m = { .method = "GET", .url = url, .headers = headers, .repeat = CHSM_REPEAT_SAFE };
    struct chsm_err why = { 0 };

    if (!date)
        return chsm_oom(err);
    if (chsm_send(channel, &m, d, &r, &why) == 0)
        return chsm_blob_page_parse(chsm_buf_str(&r.body), r.body.len, ret, err);
    if (why.code == CHSM_SERVICE && why.http == 0 && !why.hint[0])
        (void)chsm_err_hint(&why, "is the account's name right? With public access off, its name resolves only where the private "
                                  "endpoint's DNS zone is");
    if (err)
        *err = why;
    return -1;
}

static char *page_url(const struct place *at, const char *prefix, const char *marker)
{
    AUTO_FREE char *full = chsm_strf("%s%s", at->below, prefix);
    AUTO_FREE char *p = full ? chsm_url_encode(full) : NULL;
    AUTO_FREE char *m = marker ? chsm_url_encode(marker) : strdup("");

    if (!p || !m)
        return NULL;
    return chsm_strf("%s?restype=container&comp=list&prefix=%s&delimiter=%%2F&maxresults=5000%s%s", at->container, p,
                     marker ? "&marker=" : "", m);
}

json_t *chsm_blob_folder_parse(const char *name)
{
    char time[CHSM_TIME_LEN] = "", source[37];
    int64_t when = chsm_backup_id_time(name);

    if (!chsm_backup_id_ok(name))
        return NULL;
    for (size_t i = 0; i < 36; i++)
        source[i] = (char)tolower((unsigned char)name[strlen(PREFIX) + i]);
    source[36] = '\0';
    if (when >= 0)
        chsm_time_format(when, true, time);
    return json_pack("{s:s,s:s,s:s*}", "name", name, "source", source, "time", *time ? time : NULL);
}

/* Adds the folders of a page; what is no folder of Cloud HSM is somebody else's business. */
static int add_page(json_t *all, const struct chsm_blob_page *page, const char *below, struct chsm_err *err)
{
    size_t i, skip = strlen(below);
    json_t *each;

    json_array_foreach (page->prefixes, i, each) {
        const char *full = json_string_value(each);
        size_t n = strlen(full);
        AUTO_FREE char *name = NULL;
        json_t *folder;

        if (n <= skip + 1 || full[n - 1] != '/' || strncmp(full, below, skip) != 0)
            continue;
        name = strndup(full + skip, n - skip - 1);
        if (!name)
            return chsm_oom(err);
        folder = chsm_blob_folder_parse(name);
        if (folder && json_array_append_new(all, folder) < 0)
            return chsm_oom(err);
    }
    return 0;
}

/* By the digits, then by the whole name, so that the order is always the same. */
static int newest_first(const void *a, const void *b)
{
    const char *x = chsm_json_str(*(const json_t *const *)a, "name"), *y = chsm_json_str(*(const json_t *const *)b, "name");
    int order = strcmp(y + strlen(y) - DIGITS, x + strlen(x) - DIGITS);

    return order ? order : strcmp(x, y);
}

static int sorted(const json_t *all, json_t **ret, struct chsm_err *err)
{
    size_t n = json_array_size(all);
    AUTO_FREE json_t **list = calloc(n + 1, sizeof *list);
    json_auto_t *out = json_array();

    if (!list || !out)
        return chsm_oom(err);
    for (size_t i = 0; i < n; i++)
        list[i] = json_array_get(all, i);
    qsort(list, n, sizeof *list, newest_first);
    for (size_t i = 0; i < n; i++)
        if (json_array_append(out, list[i]) < 0)
            return chsm_oom(err);
    *ret = TAKE(out);
    return 0;
}

static int all_pages(const struct chsm_channel *channel, const struct place *at, const char *prefix, chsm_deadline d, json_t *all,
                     struct chsm_err *err)
{
    AUTO_FREE char *marker = NULL;

    for (unsigned pages = 0; pages < CHSM_BLOB_PAGES_MAX; pages++) {
        AUTO(chsm_blob_page_done) struct chsm_blob_page page = { 0 };
        AUTO_FREE char *url = page_url(at, prefix, marker);

        if (!url)
            return chsm_oom(err);
        if (get_page(channel, url, d, &page, err) < 0 || add_page(all, &page, at->below, err) < 0)
            return -1;
        if (!page.next)
            return 0;
        if (chsm_streq(page.next, marker))
            return chsm_fail(err, CHSM_SERVICE, "the blob service's listing goes in circles");
        free(marker);
        marker = TAKE(page.next);
    }
    (void)chsm_fail(err, CHSM_SERVICE, "the listing of %s does not end: more than %d pages", at->container, CHSM_BLOB_PAGES_MAX);
    return chsm_err_hint(err, "name the source cluster, so that fewer folders are listed");
}

int chsm_blob_folders(struct chsm_arm *arm, const char *container_uri, const char *prefix, chsm_deadline d, json_t **ret,
                      struct chsm_err *err)
{
    static const char *const headers[] = { "x-ms-version: " CHSM_BLOB_VERSION, NULL };
    AUTO(place_done) struct place at = { 0 };
    struct chsm_channel channel;
    json_auto_t *all = json_array();

    if (!all)
        return chsm_oom(err);
    if (chsm_container_check(container_uri, err) < 0 || split(container_uri, &at, err) < 0 || check_host(arm, at.origin, err) < 0)
        return -1;
    channel = (struct chsm_channel){ .http = arm->http,
                                     .credential = arm->credential,
                                     .resource = arm->cloud.storage_resource,
                                     .base = at.origin,
                                     .headers = headers,
                                     .explain = chsm_blob_error };
    if (all_pages(&channel, &at, prefix ? prefix : PREFIX, d, all, err) < 0)
        return -1;
    return sorted(all, ret, err);
}
