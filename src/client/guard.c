/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <sys/stat.h>

#include "client/file.h"
#include "client/guard.h"
#include "client/service.h"
#include "client/settings.h"
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

static int check(const struct chsm_daemon *d, const char *endpoint, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
    json_auto_t *settings = NULL;
    const char *foreign;
    struct stat st;

    /* A file that cannot be read, or understood, tells nothing against it. */
    if (chsm_client_read(d->config, CHSM_CLIENT_FILE_MAX, &text, &st, NULL) < 0 ||
        chsm_settings_daemon(chsm_buf_str(&text), text.len, d->config, &settings, NULL) < 0)
        return 0;
    foreign = foreign_host(settings, endpoint);
    if (foreign) {
        (void)chsm_refuse(err, CHSM_RULE_DAEMON_OF_OTHER_CLUSTER, "process %ld was started with %s, which points to %s, and not to %s",
                          (long)d->pid, d->config, foreign, endpoint);
        return chsm_err_hint(err, RESTART);
    }
    if (!chsm_daemon_older(d, (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000))
        return 0;
    (void)chsm_refuse(err, CHSM_RULE_DAEMON_OF_OTHER_CLUSTER, "%s was changed after process %ld had read it: it may serve the cluster from before",
                      d->config, (long)d->pid);
    return chsm_err_hint(err, RESTART);
}

int chsm_client_guard(const char *root, const char *endpoint, struct chsm_err *err)
{
    AUTO_DAEMON struct chsm_daemon d = { .pid = 0 };
    const char *set = getenv("CHSMCTL_CLIENT_ROOT");

    if (!root && set && *set)
        root = set;
    if (chsm_daemon_find(root, &d, err) < 0)
        return -1;
    return d.pid && d.others == 0 && d.config ? check(&d, endpoint, err) : 0;
}
