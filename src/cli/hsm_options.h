/* SPDX-License-Identifier: Apache-2.0 */
/* The options of every command that talks to an HSM: which library, which token, which logins. */
#ifndef CHSM_CLI_HSM_OPTIONS_H
#define CHSM_CLI_HSM_OPTIONS_H

#include "cli/args.h"
#include "drill/reader.h"

#define CHSM_OPTS_HSM \
    { "module", NULL, 'm', CHSM_OPT_TEXT, offsetof(struct chsm_args, module), "FILE", "PKCS#11 library (default: CHSMCTL_MODULE)" }, \
    { "login", NULL, 'l', CHSM_OPT_LIST, offsetof(struct chsm_args, logins), "NAME=SRC", "PIN from file:, env:, fd:, cmd: or prompt" }, \
    { "directory", NULL, 'd', CHSM_OPT_TEXT, offsetof(struct chsm_args, directory), "DIR", "working directory of the library" }, \
    { "module-env", NULL, 0, CHSM_OPT_LIST, offsetof(struct chsm_args, module_env), "NAME=VAL", "environment of the library" }, \
    { "module-init", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, module_init), "STRING", "what its C_Initialize is told (NSS)" }, \
    { "token-label", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, token_label), "LABEL", "which token, where there are several" }, \
    { "slot", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, slot), "ID", "which slot, where there are several" }, \
    { "serial", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, serial), "SERIAL", "which token, by its serial number" }, \
    { "uri", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, uri), "URI", "which token, library and PIN source: RFC 7512" }, \
    { "accept-shared-login", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, accept_shared_login), NULL, "be whoever is logged in already" }, \
    { "module-timeout", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, module_timeout), "TIME", "for one step of it (default 120s)" }, \
    { "jobs", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, jobs), "N", "sessions to use at once (default: measured)" }, \
    { "cluster-id", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, cluster_id), "ID", "resource id to note in the result" }

/* The library and the token of --module, --uri, --slot, ...; strings are borrowed, also from the URI last read. CHSM_USAGE on a mistake. */
CHSM_MUST_CHECK int chsm_hsm_options_target(const struct chsm_args *args, struct chsm_hsm_target *ret, struct chsm_err *err);

/*
 * Reads the PINs of all --login, NAME=uri with the pin-source of the URI last read; *ret has list->n logins, the caller runs
 * chsm_logins_free().
 */
CHSM_MUST_CHECK int chsm_hsm_options_logins(const struct chsm_list *list, struct chsm_login **ret, struct chsm_err *err);

#endif
