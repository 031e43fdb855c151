/* SPDX-License-Identifier: Apache-2.0 */
/* Options: one table serves the parser, the help and the manual's test. */
#ifndef CHSM_CLI_ARGS_H
#define CHSM_CLI_ARGS_H

#include "util/err.h"

#define CHSM_LIST_MAX 64

struct chsm_list {
    const char *item[CHSM_LIST_MAX + 1];    /* ended by NULL */
    size_t n;
};

/* Every option of every command; strings are borrowed from argv. */
struct chsm_args {
    bool help, verbose, debug, only_errors;
    const char *output, *subscription, *cloud, *credential, *ca_file, *poll_interval, *timeout;
    const char *request_timeout;
    const char *group, *name;
    bool no_wait;
    const char *identity, *method;
    const char *container, *backup_id, *job_id, *source_group, *source_name;
    const char *activation;

    const char *container_name, *scope, *default_action, *subnet, *endpoint, *prefix;
    bool manual_request, register_providers, no_change, accept_changes, force;

    const char *module, *directory, *token_label, *slot, *module_timeout, *cluster_id, *jobs, *serial, *uri, *module_init;
    const char *file, *inventory, *require, *evidence, *proof, *waivers;
    bool no_proofs, accept_shared_login, cross_check, allow_unexpected, same_cluster;
    const char *mgmt_util, *mgmt_user, *mgmt_pin, *mgmt_config, *mgmt_directory, *mgmt_timeout;
    bool mgmt_inline, per_node;
    struct chsm_list logins, module_env, ignore, ids;

    const char *location, *sku, *label_scope, *confirm, *max_age, *source_uuid, *role_delay;
    bool yes, deleted;
    struct chsm_list tags;

    const char *resource, *hsm_url;

    const char *positional, *second;

    const char *record;

    const char *root, *hostname, *restart_file, *restart_timeout, *wait_timeout, *port, *connect_timeout;
    bool dry_run;
    struct chsm_list client_directories, scan, words;     /* words: what stands after "--", where a command takes a program */
};

enum chsm_opt_kind {
    CHSM_OPT_FLAG,
    CHSM_OPT_TEXT,
    CHSM_OPT_LIST,      /* may be given again */
    CHSM_OPT_WORDS,     /* takes all words up to the next option, as az's --tags does */
};

struct chsm_opt {
    const char *name;           /* without the dashes */
    const char *alias;          /* a second long name, as az has it; NULL */
    char letter;                /* 0 = none */
    enum chsm_opt_kind kind;
    size_t offset;              /* in struct chsm_args */
    const char *arg;            /* "FILE" for the help; NULL for flags */
    const char *help;
};

extern const struct chsm_opt chsm_global_opts[];    /* ended by a row without name */

/*
 * Reads argv[0..n) by the global and the command's table. `positional` names one or two arguments ("PLAN", "A B"), or with "..." in it a
 * program and its words after "--" ("[-- PROGRAM WORD...]"); NULL = none. Accepts --name value,
 * --name=value, -n value and -nvalue; "--" ends the options. CHSM_USAGE with the exact word on a mistake.
 */
CHSM_MUST_CHECK int chsm_args_parse(int n, char **argv, const struct chsm_opt *opts, const char *positional, struct chsm_args *ret,
                                    struct chsm_err *err);

/* CHSM_USAGE when value is NULL: "--name is needed". */
CHSM_MUST_CHECK int chsm_args_need(const char *value, const char *option, struct chsm_err *err);

#endif
