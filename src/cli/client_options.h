/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of the noun "client" have in common. */
#ifndef CHSM_CLI_CLIENT_OPTIONS_H
#define CHSM_CLI_CLIENT_OPTIONS_H

#include "cli/args.h"
#include "client/service.h"

#define CHSM_OPTS_CLIENT \
    { "directory", NULL, 'd', CHSM_OPT_LIST, offsetof(struct chsm_args, client_directories), "DIR", "look in this folder alone; may be repeated" }, \
    { "root", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, root), "DIR", "look below this folder instead of /" }

#define CHSM_OPTS_REACH \
    { "port", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, port), "N", "port of the nodes (default 2225)" }, \
    { "connect-timeout", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, connect_timeout), "TIME", "for names and connections (default 5s)" }

/* --port: 1 to 65535. CHSM_USAGE. */
CHSM_MUST_CHECK int chsm_client_port(const struct chsm_args *args, unsigned *ret, struct chsm_err *err);

/*
 * Finds the client of the options, its unit and its daemon. The unit's own configuration file counts as a copy, wherever it is, when no
 * folder is named.
 */
CHSM_MUST_CHECK int chsm_client_options(const struct chsm_args *args, struct chsm_client *ret, struct chsm_service *ret_service,
                                        struct chsm_err *err);

/* "--NAME": a time; `standard` when it is not given. CHSM_USAGE. */
CHSM_MUST_CHECK int chsm_client_time(const char *value, const char *option, int64_t standard, int64_t *ret, struct chsm_err *err);

#endif
