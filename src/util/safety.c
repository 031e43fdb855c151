/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>

#include "util/safety.h"

#define NONE "none"

/* One line each in `chsmctl help safety`, which is at most 80 columns wide: condition and text stay below 70 characters. */
const struct chsm_safety_rule chsm_safety_rules[CHSM_RULES] = {
    [CHSM_RULE_DESTINATION_IS_SOURCE] = {
        "destination-is-source", "the destination of a restore is the cluster that was backed up",
        "a restore into the source would destroy it", NONE },
    [CHSM_RULE_DESTINATION_NOT_READY] = {
        "destination-not-ready", "provisioningState of the destination is not Succeeded",
        "nothing is restored into a cluster that is not Succeeded", NONE },
    [CHSM_RULE_DESTINATION_ACTIVATED] = {
        "destination-activated", "activationState of the destination is not NotActivated",
        "a restore into a used cluster fails and leaves it unusable", NONE },
    [CHSM_RULE_SOURCE_NOT_ACTIVE] = {
        "source-not-active", "the source is not Succeeded and Active",
        "only an active cluster has keys that a backup could hold", NONE },
    [CHSM_RULE_BACKUP_TOO_OLD] = {
        "backup-too-old", "the backup was made longer ago than --max-age",
        "what was made since is not in it", "a larger --max-age" },
    [CHSM_RULE_BACKUP_OF_OTHER_SOURCE] = {
        "backup-of-other-source", "the backup is not of the source that --source-uuid names",
        "a restore of it would bring another cluster's keys", NONE },
    [CHSM_RULE_SAS] = {
        "sas", "the address of a storage container carries a SAS",
        "Cloud HSM does not support SAS, and a SAS is a secret", NONE },
    [CHSM_RULE_SECOND_IDENTITY] = {
        "second-identity", "the cluster has another managed identity than the one to apply",
        "Cloud HSM takes one user-assigned identity only", NONE },
    [CHSM_RULE_OTHER_IDENTITY] = {
        "other-identity", "the cluster has another identity than the one to remove",
        "only the identity that is named is taken away", NONE },
    [CHSM_RULE_IDENTITY_DIFFERS] = {
        "identity-differs", "a managed identity of that name exists, but is another one",
        "what is there is not changed by creating it", NONE },
    [CHSM_RULE_CLUSTER_DIFFERS] = {
        "cluster-differs", "a cluster of that name exists, but is another one",
        "what is there is not changed by creating it", NONE },
    [CHSM_RULE_DELETE_UNCONFIRMED] = {
        "delete-unconfirmed", "nobody at a terminal has typed the name, and --yes is not given",
        "a deleted cluster cannot be brought back", "--yes" },
    [CHSM_RULE_DELETE_ACTIVE] = {
        "delete-active", "the cluster may hold keys, and its name was not confirmed",
        "keys are lost with their cluster, but for backups", "--confirm NAME" },
    [CHSM_RULE_CLIENT_OF_OTHER_CLUSTER] = {
        "client-of-other-cluster", "a client folder points to no node of the cluster that is meant",
        "the library would talk to another cluster", NONE },
    [CHSM_RULE_CLIENTS_OF_ONE_CLUSTER] = {
        "clients-of-one-cluster", "the client folders of source and destination point to one host",
        "comparing a cluster with itself proves nothing", NONE },
    [CHSM_RULE_DAEMON_OF_OTHER_CLUSTER] = {
        "daemon-of-other-cluster", "this machine's client daemon serves another cluster than meant",
        "the library talks to the daemon's cluster", NONE },
    [CHSM_RULE_SAME_CLUSTER] = {
        "same-cluster", "the library points to where the inventory itself was taken",
        "verifying a cluster against itself proves no restore", "--allow-same-cluster" },
    [CHSM_RULE_PIN_FINAL_TRY] = {
        "pin-final-try", "the token says that the next wrong PIN locks the user",
        "one more wrong PIN would lock the user: no login is tried", NONE },
    [CHSM_RULE_PIN_LOCKED] = {
        "pin-locked", "the token says that the user's PIN is locked",
        "the user is locked: no login is tried", NONE },
    [CHSM_RULE_EVIDENCE_EXISTS] = {
        "evidence-exists", "the evidence folder is not empty, or has a journal",
        "evidence is never overwritten", NONE },
    [CHSM_RULE_OTHER_RESOURCE] = {
        "other-resource", "a name is taken by a thing of another kind, place or target",
        "what is there is never replaced", NONE },
    [CHSM_RULE_ACCOUNT_IN_USE] = {
        "account-in-use", "an account would be opened, or its readers cut off",
        "others may rely on what is there", "--accept-changes" },
    [CHSM_RULE_NO_CHANGE] = {
        "no-change", "what is there would be changed, with --no-change",
        "nothing that is there is changed", NONE },
    [CHSM_RULE_KEYS_IN_USE] = {
        "keys-in-use", "the shared keys of an account seem to be needed",
        "switching them off would cut somebody off", "--force" },
    [CHSM_RULE_FOREIGN_STORAGE] = {
        "foreign-storage", "the host of a container is no blob service of this cloud",
        "a token for storage opens all that its owner may open", NONE },
};

int chsm_refuse(struct chsm_err *err, enum chsm_rule rule, const char *fmt, ...)
{
    const struct chsm_safety_rule *r = &chsm_safety_rules[rule];
    char particulars[sizeof err->text];
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    (void)vsnprintf(particulars, sizeof particulars, fmt, ap);
    va_end(ap);
    (void)chsm_fail(err, CHSM_REFUSED, "safety rule %s: %s: %s", r->id, r->said, particulars);
    return strcmp(r->override, NONE) == 0 ? -1 : chsm_err_hint(err, "to do it all the same: %s", r->override);
}
