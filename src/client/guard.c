/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <sys/stat.h>

#include "client/endpoint.h"
#include "client/file.h"
#include "client/guard.h"
#include "client/service.h"
#include "client/settings.h"
#include "util/path.h"
#include "util/safety.h"

#define RESTART "chsmctl client point makes a machine point to a cluster; the daemon has to be restarted then, and every application after it"

/* The host that the daemon's file names, when it certainly is of another cluster; NULL otherwise. Borrowed. */
static const char *foreign_host(const json_t *settings, const char *endpoint)
{
    const json_t *hosts = json_object_get(settings, "hosts"), *each;
    const char *foreign = NULL;
    size_t i;

    json_array_foreach(hosts, i, each) {
        const char *host = json_string_value(each);

        if (!host || chsm_endpoint_same_cluster(host, endpoint) || !chsm_endpoint_number(host))
            return NULL;
        foreign = host;
    }
    return chsm_endpoint_number(endpoint) ? foreign : NULL;
}

/* What the daemon's file says; NULL when it cannot be read or understood. *ret_changed: when that was last changed. */
static json_t *read_settings(const char *path, int64_t *ret_changed)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
    json_t *settings = NULL;
    struct stat st;

    if (chsm_client_read(path, CHSM_CLIENT_FILE_MAX, &text, &st, NULL) < 0 ||
        chsm_settings_daemon(chsm_buf_str(&text), text.len, path, &settings, NULL) < 0)
        return NULL;
    *ret_changed = chsm_client_changed(path, &st);
    return settings;
}

static int check_file(const struct chsm_daemon *d, const char *path, const json_t *settings, int64_t changed, const char *endpoint,
                      struct chsm_err *err)
{
    const char *foreign = foreign_host(settings, endpoint);

    if (foreign)
        return chsm_refuse(err, CHSM_RULE_DAEMON_OF_OTHER_CLUSTER, "process %ld was started with %s, which points to %s, and not to %s",
                           (long)d->pid, path, foreign, endpoint);
    if (chsm_daemon_older(d, changed))
        return chsm_refuse(err, CHSM_RULE_DAEMON_OF_OTHER_CLUSTER,
                           "%s was changed after process %ld had read it: it may serve the cluster from before", path, (long)d->pid);
    return 0;
}

/* 0 as well when its files tell nothing against it. One that is started with azcloudhsm_client.cfg has its hosts from the file beside that. */
static int check(const struct chsm_daemon *d, const char *endpoint, struct chsm_err *err)
{
    AUTO_FREE char *folder = d->config ? chsm_path_dir(d->config) : NULL;
    AUTO_FREE char *beside = folder ? chsm_path_join(folder, CHSM_RESOURCE_CFG) : NULL;
    json_auto_t *settings = NULL, *resource = NULL;
    int64_t changed = 0;

    if (!d->config)
        return 0;
    settings = read_settings(d->config, &changed);
    if (settings && check_file(d, d->config, settings, changed, endpoint, err) < 0)
        return -1;
    if (!beside || strcmp(beside, d->config) == 0 || json_array_size(json_object_get(settings, "hosts")) > 0)
        return 0;
    resource = read_settings(beside, &changed);
    return resource ? check_file(d, beside, resource, changed, endpoint, err) : 0;
}

int chsm_client_guard(const char *root, const char *endpoint, struct chsm_err *err)
{
    AUTO_DAEMON struct chsm_daemon d = { .pid = 0 };
    const char *set = getenv("CHSMCTL_CLIENT_ROOT");
    struct chsm_err why;

    if (!root && set && *set)
        root = set;
    if (chsm_daemon_find(root, &d, err) < 0)
        return -1;
    /* Of several, it is enough that one may be the right one. */
    for (size_t i = 0; i < d.others; i++)
        if (check(&d.other[i], endpoint, &why) == 0)
            return 0;
    if (d.pid == 0 || check(&d, endpoint, err) == 0)
        return 0;
    return chsm_err_hint(err, RESTART);
}
