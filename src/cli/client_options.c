/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/client_options.h"
#include "client/reach.h"
#include "client/resource.h"
#include "util/clock.h"

/* The file that the daemon is started with is a copy as well, wherever it is. */
static int add_configured(const struct chsm_service *service, struct chsm_client *c, struct chsm_err *err)
{
    const char *name = service->config ? strrchr(service->config, '/') : NULL;

    if (!name || strcmp(name + 1, CHSM_RESOURCE_CFG) != 0 || access(service->config, F_OK) < 0)
        return 0;
    return chsm_client_add(c, CHSM_CLIENT_RESOURCE, service->config, err);
}

int chsm_client_options(const struct chsm_args *args, struct chsm_client *ret, struct chsm_service *ret_service,
                        struct chsm_err *err)
{
    struct chsm_client_where where = { .root = args->root, .directories = args->client_directories.item };

    if (chsm_client_find(&where, ret, err) < 0 || chsm_service_read(args->root, ret, ret_service, err) < 0)
        return -1;
    return args->client_directories.n == 0 ? add_configured(ret_service, ret, err) : 0;
}

int chsm_client_time(const char *value, const char *option, int64_t standard, int64_t *ret, struct chsm_err *err)
{
    int64_t ms = standard;

    if (value && chsm_duration_parse(value, &ms, err) < 0)
        return chsm_err_prefix(err, "%s", option);
    if (ms <= 0)
        return chsm_fail(err, CHSM_USAGE, "%s %s is no time to do anything in", option, value);
    *ret = ms;
    return 0;
}

int chsm_client_port(const struct chsm_args *args, unsigned *ret, struct chsm_err *err)
{
    char *end = NULL;
    long n = args->port ? strtol(args->port, &end, 10) : CHSM_NODE_PORT;

    if (n < 1 || n > 65535 || (end && *end))
        return chsm_fail(err, CHSM_USAGE, "--port %s is no port: 1 to 65535", args->port);
    *ret = (unsigned)n;
    return 0;
}
