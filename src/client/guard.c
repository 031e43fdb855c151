/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <sys/stat.h>

#include "client/endpoint.h"
#include "client/file.h"
#include "client/guard.h"
#include "client/service.h"
#include "client/settings.h"
#include "util/log.h"
#include "util/path.h"
#include "util/safety.h"

#define RESTART "chsmctl client point makes a machine point to a cluster; the daemon has to be restarted then, and every application after it"

enum serves { SERVES_IT, SERVES_ANOTHER, SERVES_UNKNOWN };

/*
 * What the hosts of a file say of the daemon that has read it; *ret_host is one of another cluster, borrowed. In its own file a name or address
 * that the folder does not name counts against it: a verdict must not rest on two addresses being nodes of one cluster. What the
 * addresses in other files are, nobody has published.
 */
static enum serves judge(const json_t *settings, const char *endpoint, bool own, const char **ret_host)
{
    const json_t *hosts = json_object_get(settings, "hosts"), *each;
    bool certain = own || chsm_endpoint_number(endpoint) > 0;
    size_t i;

    *ret_host = NULL;
    json_array_foreach(hosts, i, each) {
        const char *host = json_string_value(each);

        if (host && chsm_endpoint_same_cluster(host, endpoint))
            return SERVES_IT;
        certain = certain && host && (own || chsm_endpoint_number(host) > 0);
        *ret_host = host;
    }
    return *ret_host && certain ? SERVES_ANOTHER : SERVES_UNKNOWN;
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

/* 0: it serves the cluster of `endpoint`; 1: its file does not tell; -1: refused. */
static int check_file(const struct chsm_daemon *d, const char *path, const char *endpoint, bool own, struct chsm_err *err)
{
    json_auto_t *settings = NULL;
    int64_t changed = 0;
    const char *host;
    enum serves serves;

    settings = read_settings(path, &changed);
    if (!settings)
        return 1;
    serves = judge(settings, endpoint, own, &host);
    if (serves == SERVES_ANOTHER)
        return chsm_refuse(err, CHSM_RULE_DAEMON_OF_OTHER_CLUSTER, "process %ld was started with %s, which points to %s, and not to %s",
                           (long)d->pid, path, host, endpoint);
    if (chsm_daemon_older(d, changed))
        return chsm_refuse(err, CHSM_RULE_DAEMON_OF_OTHER_CLUSTER,
                           "%s was changed after process %ld had read it: it may serve the cluster from before", path, (long)d->pid);
    return serves == SERVES_UNKNOWN;
}

/* The same of a daemon. One that is started with azcloudhsm_client.cfg has its hosts from the file beside that. */
static int check(const struct chsm_daemon *d, const char *endpoint, struct chsm_err *err)
{
    AUTO_FREE char *folder = d->config ? chsm_path_dir(d->config) : NULL;
    AUTO_FREE char *beside = folder ? chsm_path_join(folder, CHSM_RESOURCE_CFG) : NULL;
    bool own = beside && strcmp(beside, d->config) == 0;
    int rc;

    if (!beside)
        return 1;
    rc = check_file(d, d->config, endpoint, own, err);
    return rc == 1 && !own ? check_file(d, beside, endpoint, /* own= */ true, err) : rc;
}

int chsm_client_guard(const char *root, const char *endpoint, struct chsm_err *err)
{
    AUTO_DAEMON struct chsm_daemon d = { .pid = 0 };
    const char *set = getenv("CHSMCTL_CLIENT_ROOT");
    struct chsm_err why;
    int rc;

    if (!root && set && *set)
        root = set;
    if (chsm_daemon_find(root, &d, err) < 0)
        return -1;
    if (d.pid == 0)
        return 0;
    /* Of several, it is enough that one may be the right one. */
    rc = check(&d, endpoint, err);
    for (size_t i = 0; i < d.others && rc != 0; i++) {
        int other = check(&d.other[i], endpoint, &why);

        rc = other >= 0 && (rc < 0 || other == 0) ? other : rc;
    }
    if (rc < 0)
        return chsm_err_hint(err, RESTART);
    if (rc > 0)
        chsm_log(CHSM_LOG_WARN, "which cluster the client's daemon serves could not be established: make sure that it is the one of %s", endpoint);
    return 0;
}
