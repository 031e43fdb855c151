/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "client/endpoint.h"
#include "client/file.h"
#include "util/path.h"

#define HOST_MAX  253u
#define LABEL_MAX 63u

static const char privatelink[] = "privatelink.";

int chsm_client_endpoint(const char *directory, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(directory ? directory : ".", CHSM_RESOURCE_CFG);
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
    json_auto_t *cfg = NULL;

    if (!path)
        return chsm_oom(err);
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        *ret = NULL;
        return 0;
    }
    if (chsm_client_read(path, CHSM_CLIENT_FILE_MAX, &text, NULL, err) < 0 ||
        chsm_resource_parse(chsm_buf_str(&text), text.len, path, &cfg, err) < 0)
        return -1;
    *ret = strdup(chsm_resource_host(cfg, 0));
    return *ret ? 0 : chsm_oom(err);
}

/* The next character of a host name that counts; skips "privatelink." where a label begins. */
static const char *skip_label(const char *p)
{
    return strncasecmp(p, privatelink, sizeof privatelink - 1) == 0 ? p + sizeof privatelink - 1 : p;
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

unsigned chsm_endpoint_number(const char *host)
{
    bool named = strncasecmp(host, "hsm", 3) == 0 && host[3] >= '1' && host[3] <= '9' && host[4] == '.' && host[5];

    return named ? (unsigned)(host[3] - '0') : 0;
}

int chsm_endpoint_node(const char *host, unsigned number, char **ret, struct chsm_err *err)
{
    char *name;

    if (chsm_endpoint_number(host) == 0) {
        *ret = NULL;
        return 0;
    }
    name = chsm_strf("hsm%u%s", number, host + 4);
    if (!name)
        return chsm_oom(err);
    *ret = name;
    return 0;
}

bool chsm_endpoint_siblings(const char *a, const char *b)
{
    return chsm_endpoint_number(a) && chsm_endpoint_number(b) && chsm_endpoint_eq(a + 4, b + 4);
}

bool chsm_endpoint_same_cluster(const char *a, const char *b)
{
    return chsm_endpoint_eq(a, b) || chsm_endpoint_siblings(a, b);
}

char *chsm_endpoint_private(const char *host)
{
    const char *at = strcasestr(host, ".cloudhsm."), *label = at;
    size_t before = at ? (size_t)(at - host) : 0;

    while (label && label > host && label[-1] != '.')
        label--;
    if (!at || strncasecmp(label, privatelink, sizeof privatelink - 1) == 0)
        return strdup(host);
    return chsm_strf("%.*s.%s%s", (int)before, host, privatelink, at + 1);
}

bool chsm_endpoint_is_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

int chsm_endpoint_check(const char *host, struct chsm_err *err)
{
    size_t n = strlen(host), label = 0;

    if (chsm_endpoint_is_address(host))
        return 0;
    if (n == 0 || n > HOST_MAX)
        return chsm_fail(err, CHSM_USAGE, "a host name has 1 to %u characters", HOST_MAX);
    for (size_t i = 0; i <= n; i++) {
        bool end = host[i] == '.' || host[i] == '\0';

        if (end && (label == 0 || label > LABEL_MAX || host[i - 1] == '-'))
            return chsm_fail(err, CHSM_USAGE, "\"%s\" is no host name: a part of it is empty, too long, or ends with \"-\"",
                             host);
        if (!end && !isalnum((unsigned char)host[i]) && !(host[i] == '-' && label > 0))
            return chsm_fail(err, CHSM_USAGE, "\"%s\" is no host name: it may have letters, digits, \"-\" and \".\"", host);
        label = end ? 0 : label + 1;
    }
    return 0;
}

int chsm_endpoint_first(const json_t *cluster, char **ret, struct chsm_err *err)
{
    const json_t *hsms = chsm_json_get(cluster, "properties.hsms"), *hsm;
    const char *first = NULL;
    char *name;
    size_t i;

    json_array_foreach(hsms, i, hsm) {
        const char *fqdn = chsm_json_str(hsm, "fqdn");

        if (fqdn && *fqdn && (!first || (chsm_endpoint_number(fqdn) && chsm_endpoint_number(fqdn) < chsm_endpoint_number(first))))
            first = fqdn;
    }
    if (!first) {
        *ret = NULL;
        return 0;
    }
    if (chsm_endpoint_check(first, err) < 0)
        return chsm_err_prefix(err, "the cluster's own name of a node");
    name = chsm_endpoint_private(first);
    if (!name)
        return chsm_oom(err);
    *ret = name;
    return 0;
}
