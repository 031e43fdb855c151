/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"

const struct chsm_cmd chsm_commands[] = {
    { "login", "show", NULL, "show who is signed in, and how", chsm_cmd_login_show, chsm_opts_login_show },

    { "cluster", "show", NULL, "show one cluster", chsm_cmd_cluster_show, chsm_opts_cluster_show },
    { "cluster", "list", NULL, "list clusters of a group or subscription", chsm_cmd_cluster_list, chsm_opts_cluster_list },
    { "cluster", "create", NULL, "make a cluster", chsm_cmd_cluster_create, chsm_opts_cluster_create },
    { "cluster", "update", NULL, "replace the tags of a cluster", chsm_cmd_cluster_update, chsm_opts_cluster_update },
    { "cluster", "delete", NULL, "delete a cluster and its keys", chsm_cmd_cluster_delete, chsm_opts_cluster_delete },
    { "cluster", "wait", NULL, "wait until a cluster is ready", chsm_cmd_cluster_wait, chsm_opts_cluster_wait },
    { "cluster", "nodes", NULL, "is every node up; is every key on every node", chsm_cmd_cluster_nodes, chsm_opts_cluster_nodes },
    { "identity", "create", NULL, "make a managed identity", chsm_cmd_identity_create, chsm_opts_identity_create },
    { "identity", "apply", NULL, "give a cluster its managed identity", chsm_cmd_identity_apply, chsm_opts_identity_apply },
    { "identity", "remove", NULL, "take a cluster's managed identity away", chsm_cmd_identity_remove, chsm_opts_identity_remove },
    { "identity", "show", NULL, "show the managed identity of a cluster", chsm_cmd_identity_show, chsm_opts_identity_show },
    { "backup", "check", NULL, "ask whether a backup would work", chsm_cmd_backup_check, chsm_opts_backup_check },
    { "backup", "start", NULL, "back a cluster up and follow the job", chsm_cmd_backup_start, chsm_opts_backup_start },
    { "backup", "show", NULL, "show a backup job", chsm_cmd_backup_show, chsm_opts_job },
    { "backup", "wait", NULL, "follow a backup job to its end", chsm_cmd_backup_wait, chsm_opts_job },
    { "backup", "list", NULL, "list the backups in a container", chsm_cmd_backup_list, chsm_opts_backup_list },
    { "restore", "check", NULL, "ask whether a restore would work", chsm_cmd_restore_check, chsm_opts_restore_check },
    { "restore", "start", NULL, "restore into a new cluster, follow the job", chsm_cmd_restore_start, chsm_opts_restore_start },
    { "restore", "show", NULL, "show a restore job", chsm_cmd_restore_show, chsm_opts_job },
    { "restore", "wait", NULL, "follow a restore job to its end", chsm_cmd_restore_wait, chsm_opts_restore_wait },
    { "storage", "prepare", NULL, "make and correct what a backup needs", chsm_cmd_storage_prepare, chsm_opts_storage_prepare },
    { "storage", "show", NULL, "tell what would make a backup fail", chsm_cmd_storage_show, chsm_opts_storage_show },
    { "storage", "harden", NULL, "switch the shared keys of an account off", chsm_cmd_storage_harden, chsm_opts_storage_harden },
    { "storage", "folders", NULL, "list the backups in a container", chsm_cmd_storage_folders, chsm_opts_storage_folders },
    { "keys", "inventory", NULL, "write down every key of an HSM", chsm_cmd_keys_inventory, chsm_opts_keys_inventory },
    { "keys", "list", NULL, "list the keys of an HSM or of an inventory", chsm_cmd_keys_list, chsm_opts_keys_list },
    { "keys", "verify", NULL, "prove that an HSM holds the keys of an inventory", chsm_cmd_keys_verify, chsm_opts_keys_verify },
    { "keys", "diff", "A B", "compare two inventories, without an HSM", chsm_cmd_keys_diff, chsm_opts_keys_diff },
    { "keys", "prove", NULL, "prove that private and secret keys work", chsm_cmd_keys_prove, chsm_opts_keys_prove },
    { "client", "show", NULL, "what this machine's client consists of", chsm_cmd_client_show, chsm_opts_client_show },
    { "client", "doctor", NULL, "what is wrong with it, and what to do", chsm_cmd_client_doctor, chsm_opts_client_doctor },
    { "client", "point", "[-- PROGRAM WORD...]", "make this machine's client use a cluster", chsm_cmd_client_point, chsm_opts_client_point },
    { "drill", "run", "PLAN", "run a whole drill and leave evidence", chsm_cmd_drill_run, NULL },
    { 0 },
};
