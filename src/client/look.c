/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "client/endpoint.h"
#include "client/file.h"
#include "client/learned.h"
#include "client/look.h"
#include "client/resource.h"
#include "client/settings.h"
#include "keys/record.h"
#include "util/clock.h"
#include "util/path.h"

#define VERSION_MAX 64u

/* What the text of one file says: members of its entry. */
typedef int reader(const char *text, size_t n, const char *path, json_t **ret, struct chsm_err *err);

static json_t *list_of(const struct chsm_paths *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n; i++) {
        struct chsm_bytes bytes = { (unsigned char *)p->v[i], strlen(p->v[i]) };
        AUTO_FREE char *text = chsm_bytes_text(&bytes);

        (void)json_array_append_new(list, text ? json_string(text) : json_null());
    }
    return list;
}

static int read_resource(const char *text, size_t n, const char *path, json_t **ret, struct chsm_err *err)
{
    json_auto_t *cfg = NULL, *hosts = json_array();

    if (chsm_resource_parse(text, n, path, &cfg, err) < 0)
        return -1;
    for (size_t i = 0; chsm_resource_host(cfg, i); i++)
        if (json_array_append_new(hosts, json_string(chsm_resource_host(cfg, i))) < 0)
            return chsm_oom(err);
    *ret = json_pack("{s:O}", "hosts", hosts);
    return *ret ? 0 : chsm_oom(err);
}

static int read_application(const char *text, size_t n, const char *path, json_t **ret, struct chsm_err *err)
{
    json_t *settings = NULL;

    if (chsm_settings_parse(text, n, path, &settings, err) < 0)
        return -1;
    *ret = json_pack("{s:o}", "settings", settings);
    return *ret ? 0 : chsm_oom(err);
}

static int read_learned(const char *text, size_t n, const char *path, json_t **ret, struct chsm_err *err)
{
    AUTO_PATHS struct chsm_paths addresses = { 0 };

    (void)path;
    if (chsm_learned_parse(text, n, &addresses, err) < 0)
        return -1;
    *ret = json_pack("{s:o}", "addresses", list_of(&addresses));
    return *ret ? 0 : chsm_oom(err);
}

/* The first line, if it is short and text. */
static int read_version(const char *text, size_t n, const char *path, json_t **ret, struct chsm_err *err)
{
    struct chsm_bytes line = { (unsigned char *)(uintptr_t)text, strcspn(text, "\r\n") };
    AUTO_FREE char *shown = NULL;

    if (line.len == 0 || line.len > VERSION_MAX || line.len > n)
        return chsm_fail(err, CHSM_CONFIG, "%s does not begin with a version", path);
    shown = chsm_bytes_text(&line);
    *ret = shown ? json_pack("{s:s}", "version", shown) : NULL;
    return *ret ? 0 : chsm_oom(err);
}

/* One entry: the path, and what the file says or why it says nothing. */
static json_t *entry_of(const char *path, reader *read)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
    json_auto_t *said = NULL;
    struct chsm_err why = { 0 };
    json_t *entry = json_pack("{s:s}", "path", path);

    if (chsm_client_read(path, CHSM_CLIENT_FILE_MAX, &text, NULL, &why) < 0 ||
        read(chsm_buf_str(&text), text.len, path, &said, &why) < 0)
        (void)json_object_set_new(entry, "error", json_string(why.text));
    else
        (void)json_object_update(entry, said);
    return entry;
}

static int add_files(const struct chsm_paths *files, reader *read, json_t *list, struct chsm_err *err)
{
    for (size_t i = 0; i < files->n; i++)
        if (json_array_append_new(list, entry_of(files->v[i], read)) < 0)
            return chsm_oom(err);
    return 0;
}

static int look_copies(const struct chsm_client *client, json_t *list, struct chsm_err *err)
{
    json_t *entry;
    size_t i;

    if (add_files(&client->found[CHSM_CLIENT_RESOURCE], read_resource, list, err) < 0)
        return -1;
    json_array_foreach(list, i, entry) {
        char mode[8] = "";
        struct stat st;

        if (lstat(client->found[CHSM_CLIENT_RESOURCE].v[i], &st) < 0)
            continue;
        (void)snprintf(mode, sizeof mode, "%04o", (unsigned)st.st_mode & 07777);
        if (json_object_set_new(entry, "link", json_boolean(S_ISLNK(st.st_mode))) < 0 ||
            json_object_set_new(entry, "mode", json_string(mode)) < 0)
            return chsm_oom(err);
    }
    return 0;
}

/* Certificates that the daemon's own files name count as well. */
static int look_certificates(const char *root, const struct chsm_client *client, const json_t *configurations, json_t *list,
                             struct chsm_err *err)
{
    struct chsm_client all = { .bases = { 0 } };
    struct chsm_paths *paths = &all.found[CHSM_CLIENT_OWNER_CERT];
    const json_t *cfg, *named;
    size_t i, k;
    int rc = 0;

    for (i = 0; i < client->found[CHSM_CLIENT_OWNER_CERT].n && rc == 0; i++)
        rc = chsm_paths_add(paths, client->found[CHSM_CLIENT_OWNER_CERT].v[i], err);
    json_array_foreach(configurations, i, cfg) {
        json_array_foreach(json_object_get(cfg, "certificates"), k, named) {
            AUTO_FREE char *path = json_string_value(named)[0] == '/' ? chsm_client_path(root, json_string_value(named)) : NULL;

            if (path && rc == 0)
                rc = chsm_client_add(&all, CHSM_CLIENT_OWNER_CERT, path, err);
        }
    }
    if (rc == 0)
        rc = add_files(paths, chsm_settings_certificate, list, err);
    chsm_client_done(&all);
    return rc;
}

/* Older SDKs have their version in the name of their folder. */
static int look_versions(const struct chsm_client *client, json_t *list, struct chsm_err *err)
{
    static const char prefix[] = "AzureCloudHSM-ClientSDK-";

    if (add_files(&client->found[CHSM_CLIENT_VERSION], read_version, list, err) < 0)
        return -1;
    for (size_t i = 0; i < client->bases.n; i++) {
        const char *at = strstr(client->bases.v[i], prefix);

        if (at && json_array_append_new(
                      list, json_pack("{s:s, s:s}", "path", client->bases.v[i], "version", at + sizeof prefix - 1)) < 0)
            return chsm_oom(err);
    }
    return 0;
}

static int look_directories(const char *const *directories, json_t *list, struct chsm_err *err)
{
    for (; *directories; directories++) {
        AUTO_FREE char *path = chsm_path_join(*directories, chsm_client_kind_name(CHSM_CLIENT_APPLICATION));
        AUTO_FREE char *full = realpath(*directories, NULL);

        if (!path || json_array_append_new(list, json_pack("{s:s, s:b}", "path", full ? full : *directories, "application",
                                                           access(path, F_OK) == 0)) < 0)
            return chsm_oom(err);
    }
    return 0;
}

static json_t *service_json(const struct chsm_service *s)
{
    if (!s->unit)
        return json_null();
    return json_pack("{s:s, s:b, s:b, s:o, s:s*}", "unit", s->unit, "enabled", s->enabled, "masked", s->masked, "argv",
                     list_of(&s->argv), "config", s->config);
}

/* Whether it was started before one of the copies was last changed; true only when that is certain. */
static bool is_outdated(const struct chsm_daemon *d, const struct chsm_client *client)
{
    const struct chsm_paths *copies = &client->found[CHSM_CLIENT_RESOURCE];
    struct stat st;

    for (size_t i = 0; i < copies->n; i++)
        if (stat(copies->v[i], &st) == 0 && chsm_daemon_older(d, chsm_client_changed(copies->v[i], &st)))
            return true;
    return false;
}

static int look_daemon(const char *root, const struct chsm_client *client, json_t **ret, struct chsm_err *err)
{
    AUTO_DAEMON struct chsm_daemon d = { .pid = 0 };
    AUTO_PATHS struct chsm_paths sockets = { 0 };
    char when[CHSM_TIME_LEN] = "";
    json_t *used = NULL;
    bool seen = false;

    if (chsm_daemon_find(root, &d, err) < 0)
        return -1;
    if (d.started)
        chsm_time_format(d.started, /* ms= */ false, when);
    if (d.pid && chsm_daemon_sockets(root, d.pid, &sockets, &seen, err) < 0)
        return -1;
    if (d.config)
        used = entry_of(d.config, chsm_settings_daemon);
    *ret = json_pack("{s:b, s:I, s:o, s:s*, s:b, s:o*, s:o*}", "visible", d.visible, "pid", (json_int_t)d.pid, "argv",
                     list_of(&d.argv), "started", *when ? when : NULL, "outdated", is_outdated(&d, client), "sockets",
                     seen ? list_of(&sockets) : NULL, "configuration", used);
    return *ret ? 0 : chsm_oom(err);
}

/* Names of nodes in /etc/hosts, which the client does not read. One that cannot be read has none. */
static int look_hosts_file(const char *root, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_client_path(root, "/etc/hosts");
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
    AUTO_PATHS struct chsm_paths found = { 0 };
    json_t *list = json_array();
    bool comment = false;

    if (!path || chsm_client_read(path, CHSM_CLIENT_FILE_MAX, &text, NULL, NULL) < 0)
        chsm_buf_clear(&text);
    for (size_t i = 0; i < text.len; i++) {
        comment = text.p[i] == '#' || (comment && text.p[i] != '\n');
        text.p[i] = comment ? ' ' : text.p[i];
    }
    *ret = list;
    if (chsm_learned_parse(chsm_buf_str(&text), text.len, &found, err) < 0)
        return -1;
    for (size_t i = 0; i < found.n; i++)
        if (!chsm_endpoint_is_address(found.v[i]) && json_array_append_new(list, json_string(found.v[i])) < 0)
            return chsm_oom(err);
    return 0;
}

int chsm_client_look(const char *root, const struct chsm_client *client, const struct chsm_service *service,
                     const char *const *directories, json_t **ret, struct chsm_err *err)
{
    json_auto_t *copies = json_array(), *certificates = json_array(), *configurations = json_array(),
                *applications = json_array();
    json_auto_t *folders = json_array(), *learned = json_array(), *versions = json_array(), *daemon = NULL, *hosts = NULL;

    if (look_copies(client, copies, err) < 0 ||
        add_files(&client->found[CHSM_CLIENT_DAEMON], chsm_settings_daemon, configurations, err) < 0 ||
        add_files(&client->found[CHSM_CLIENT_MGMT], chsm_settings_daemon, configurations, err) < 0 ||
        add_files(&client->found[CHSM_CLIENT_APPLICATION], read_application, applications, err) < 0 ||
        add_files(&client->found[CHSM_CLIENT_CLUSTER_INFO], read_learned, learned, err) < 0 ||
        look_certificates(root, client, configurations, certificates, err) < 0 || look_versions(client, versions, err) < 0 ||
        look_directories(directories, folders, err) < 0 || look_hosts_file(root, &hosts, err) < 0 ||
        look_daemon(root, client, &daemon, err) < 0)
        return -1;
    *ret = json_pack("{s:o, s:O, s:O, s:O, s:O, s:O, s:o, s:O, s:O, s:o, s:O, s:O}", "bases", list_of(&client->bases), "copies",
                     copies, "owner_certificates", certificates, "configurations", configurations, "applications", applications,
                     "working_directories", folders, "libraries", list_of(&client->found[CHSM_CLIENT_LIBRARY]), "learned",
                     learned, "versions", versions, "service", service_json(service), "daemon", daemon, "hosts_file", hosts);
    return *ret ? 0 : chsm_oom(err);
}
