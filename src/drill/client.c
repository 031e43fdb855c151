/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

#include "drill/client.h"
#include "util/path.h"

#define CFG_MAX 65536

int chsm_client_endpoint(const char *directory, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(directory ? directory : ".", CHSM_RESOURCE_CFG);
    json_auto_t *cfg = NULL;
    const char *host;

    if (!path)
        return chsm_oom(err);
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        *ret = NULL;
        return 0;
    }
    if (chsm_json_load(path, CFG_MAX, &cfg, err) < 0)
        return -1;
    host = chsm_json_str(json_array_get(json_object_get(cfg, "servers"), 0), "hostname");
    if (!host || !*host) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s names no server", path);
        return chsm_err_hint(err, "it should look like {\"servers\":[{\"hostname\":\"hsm1...cloudhsm.azure.net\"}]}");
    }
    *ret = strdup(host);
    return *ret ? 0 : chsm_oom(err);
}

/* The next character of a host name that counts; skips "privatelink." where a label begins. */
static const char *skip_label(const char *p)
{
    static const char label[] = "privatelink.";

    return strncasecmp(p, label, sizeof label - 1) == 0 ? p + sizeof label - 1 : p;
}

static char *plain_host(const char *host)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(1024);
    const char *p = skip_label(host);

    while (*p) {
        if (chsm_buf_add(&b, p, 1, NULL) < 0)
            return NULL;
        p = *p == '.' ? skip_label(p + 1) : p + 1;
    }
    return chsm_buf_take(&b);
}

bool chsm_endpoint_eq(const char *a, const char *b)
{
    AUTO_FREE char *x = plain_host(a);
    AUTO_FREE char *y = plain_host(b);

    return x && y && strcasecmp(x, y) == 0;
}

bool chsm_endpoint_of_cluster(const char *endpoint, const json_t *cluster)
{
    const json_t *hsms = chsm_json_get(cluster, "properties.hsms"), *hsm;
    size_t i, named = 0;

    json_array_foreach(hsms, i, hsm) {
        const char *fqdn = chsm_json_str(hsm, "fqdn");

        named += fqdn != NULL;
        if (fqdn && chsm_endpoint_eq(fqdn, endpoint))
            return true;
    }
    return named == 0;
}
