/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/nodes_options.h"
#include "util/buf.h"

int chsm_nodes_options(const struct chsm_args *args, struct chsm_secret *password, struct chsm_mgmt_tool *ret,
                       struct chsm_err *err)
{
    struct chsm_mgmt_tool t = { .program = args->mgmt_util,
                                .directory = args->mgmt_directory ? args->mgmt_directory : args->directory,
                                .config = args->mgmt_config,
                                .user = args->mgmt_user,
                                .password = password,
                                .in_line = args->mgmt_inline };
    AUTO_FREE char *what = NULL;

    if (chsm_args_need(args->mgmt_pin, "--mgmt-pin", err) < 0)
        return -1;
    /* What is wrong is not quoted: it may be the password itself. */
    if (!chsm_secret_source_ok(args->mgmt_pin)) {
        (void)chsm_fail(err, CHSM_USAGE, "--mgmt-pin is no source of a password");
        return chsm_err_hint(
            err, "it comes from file:PATH, env:NAME, fd:N, cmd:PROGRAM or prompt, e.g. --mgmt-pin file:/run/secrets/officer");
    }
    if (args->mgmt_timeout && chsm_duration_parse(args->mgmt_timeout, &t.timeout, err) < 0)
        return chsm_err_prefix(err, "--mgmt-timeout");
    if (args->mgmt_timeout && t.timeout <= 0)
        return chsm_fail(err, CHSM_USAGE, "--mgmt-timeout %s is no time to do anything in", args->mgmt_timeout);
    what = chsm_strf("password of %s", t.user ? t.user : "admin");
    if (!what)
        return chsm_oom(err);
    if (chsm_secret_read(args->mgmt_pin, what, password, err) < 0)
        return -1;
    *ret = t;
    return 0;
}
