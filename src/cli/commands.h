/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table. A new command is: its function in cmd_<noun>.c, its option table there, a row in commands.c, and its
 * section in the manual (a test compares table and manual).
 */
#ifndef CHSM_CLI_COMMANDS_H
#define CHSM_CLI_COMMANDS_H

#include "cli/args.h"

/* Does the work and prints its result. 0, or -1 with *err; a verdict is returned through *ret_code (CHSM_OK before). */
typedef int chsm_cmd_fn(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err);

struct chsm_cmd {
    const char *noun, *verb;
    const char *positional;         /* "PLAN", "A B"; NULL = none */
    const char *help;
    chsm_cmd_fn *run;
    const struct chsm_opt *opts;    /* ended by a row without name; NULL = none */
};

extern const struct chsm_cmd chsm_commands[];   /* ended by a row without noun */

extern const struct chsm_opt chsm_opts_cluster_show[], chsm_opts_cluster_list[], chsm_opts_cluster_wait[], chsm_opts_identity_apply[],
    chsm_opts_backup_start[], chsm_opts_restore_start[], chsm_opts_job[], chsm_opts_restore_wait[], chsm_opts_keys_inventory[], chsm_opts_keys_list[],
    chsm_opts_keys_verify[], chsm_opts_keys_diff[], chsm_opts_keys_prove[];

chsm_cmd_fn chsm_cmd_cluster_show, chsm_cmd_cluster_list, chsm_cmd_cluster_wait, chsm_cmd_identity_apply, chsm_cmd_identity_show,
    chsm_cmd_backup_start, chsm_cmd_backup_show, chsm_cmd_backup_wait, chsm_cmd_restore_start, chsm_cmd_restore_show, chsm_cmd_restore_wait,
    chsm_cmd_keys_inventory, chsm_cmd_keys_list, chsm_cmd_keys_verify, chsm_cmd_keys_diff, chsm_cmd_keys_prove, chsm_cmd_drill_run;

extern const struct chsm_opt chsm_opts_cluster_create[], chsm_opts_cluster_update[], chsm_opts_cluster_delete[], chsm_opts_identity_create[],
    chsm_opts_identity_show[], chsm_opts_identity_remove[], chsm_opts_backup_check[], chsm_opts_backup_list[], chsm_opts_restore_check[];
chsm_cmd_fn chsm_cmd_cluster_create, chsm_cmd_cluster_update, chsm_cmd_cluster_delete, chsm_cmd_identity_create, chsm_cmd_identity_remove,
    chsm_cmd_backup_check, chsm_cmd_backup_list, chsm_cmd_restore_check;

extern const struct chsm_opt chsm_opts_cluster_nodes[];
chsm_cmd_fn chsm_cmd_cluster_nodes;

extern const struct chsm_opt chsm_opts_client_show[], chsm_opts_client_doctor[], chsm_opts_client_point[];
chsm_cmd_fn chsm_cmd_client_show, chsm_cmd_client_doctor, chsm_cmd_client_point;

extern const struct chsm_opt chsm_opts_login_show[];
chsm_cmd_fn chsm_cmd_login_show;

extern const struct chsm_opt chsm_opts_storage_prepare[], chsm_opts_storage_show[], chsm_opts_storage_harden[], chsm_opts_storage_folders[];
chsm_cmd_fn chsm_cmd_storage_prepare, chsm_cmd_storage_show, chsm_cmd_storage_harden, chsm_cmd_storage_folders;

/* The help of everything (noun NULL), of a noun (verb NULL) or of one command, on stdout. */
void chsm_help(const char *noun, const char *verb);

#endif
