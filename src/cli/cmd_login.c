/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/login.h"
#include "cli/commands.h"
#include "cli/connect.h"

static const struct chsm_column columns[] = {
    { "SOURCE", "source" },
    { "DETAIL", "detail" },
    { "CLOUD", "cloud" },
    { "TENANT", "tenant" },
    { "OBJECT", "object" },
    { "APPLICATION", "application" },
    { "USER", "user" },
    { "AUDIENCE", "audience" },
    { "EXPIRES", "expires" },
    { 0 },
};

const struct chsm_opt chsm_opts_login_show[] = {
    { "resource", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, resource), "URL", "audience of the token (default: ARM's)" },
    { "hsm-url", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, hsm_url), "URL", "ask this Managed HSM or vault, too" },
    { 0 },
};

/* ".default" is the scope's, and a slash at the end would be a part of the audience. */
static int resource_of(const char *given, char **ret, struct chsm_err *err)
{
    static const char *const end = "/.default";
    size_t n = given ? strlen(given) : 0;

    if (!given)
        return 0;
    if (n > strlen(end) && strcmp(given + n - strlen(end), end) == 0)
        n -= strlen(end);
    while (n > 0 && given[n - 1] == '/')
        n--;
    if (n == 0 || strpbrk(given, " \t\r\n"))
        return chsm_fail(err, CHSM_USAGE, "--resource is no audience of a token: %s", given);
    *ret = strndup(given, n);
    return *ret ? 0 : chsm_oom(err);
}

int chsm_cmd_login_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_ARM struct chsm_arm *arm = NULL;
    AUTO_FREE char *resource = NULL;
    json_auto_t *shown = NULL;
    struct chsm_arm_opts opts;

    (void)ret_code;
    if (args->resource && args->hsm_url)
        return chsm_fail(err, CHSM_USAGE, "--resource and --hsm-url exclude each other: the HSM names its resource");
    if (resource_of(args->resource, &resource, err) < 0 || chsm_connect_opts(args, &opts, err) < 0 || chsm_arm_open(&opts, &arm, err) < 0 ||
        chsm_login_show(arm, &(struct chsm_login_ask){ resource, args->hsm_url }, opts.http.limit, &shown, err) < 0)
        return -1;
    return chsm_out_resource(shown, columns, err);
}
