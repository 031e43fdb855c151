/* SPDX-License-Identifier: Apache-2.0 */
/* The options of every command that looks at the nodes through the client's management tool. */
#ifndef CHSM_CLI_NODES_OPTIONS_H
#define CHSM_CLI_NODES_OPTIONS_H

#include "cli/args.h"
#include "nodes/mgmt_run.h"

#define CHSM_OPTS_MGMT \
    { "mgmt-util", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, mgmt_util), "FILE", "azcloudhsm_mgmt_util of the client" }, \
    { "mgmt-user", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, mgmt_user), "NAME", "crypto officer (default: admin)" }, \
    { "mgmt-pin", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, mgmt_pin), "SRC", "its password, from where --login takes PINs" }, \
    { "mgmt-config", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, mgmt_config), "FILE", "argument of the tool (azcloudhsm_resource.cfg)" }, \
    { "mgmt-directory", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, mgmt_directory), "DIR", "working directory of the tool" }, \
    { "mgmt-timeout", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, mgmt_timeout), "TIME", "for one run of it (default 120s)" }, \
    { "mgmt-inline", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, mgmt_inline), NULL, "type the password into the login line" }

/*
 * The tool of --mgmt-util, ... *password is the caller's, and so are the strings of the arguments; both must outlive *ret.
 * CHSM_USAGE on a mistake.
 */
CHSM_MUST_CHECK int chsm_nodes_options(const struct chsm_args *args, struct chsm_secret *password, struct chsm_mgmt_tool *ret,
                                       struct chsm_err *err);

#endif
