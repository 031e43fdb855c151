/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of the noun "keys" have in common. */
#ifndef CHSM_CLI_KEYS_COMMON_H
#define CHSM_CLI_KEYS_COMMON_H

#include "cli/hsm_options.h"

#define CHSM_OPTS_PROOF                                                                                                              \
    { "proof", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, proof), "WHICH", "keys to ask: all (default), none or sample:N" },   \
    { "no-proofs", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, no_proofs), NULL, "the same as --proof none" }

/* The HSM of the options and its logins; the caller frees *ret_logins with chsm_logins_free(). */
CHSM_MUST_CHECK int chsm_keys_reader(const struct chsm_args *args, struct chsm_reader *ret, struct chsm_login **ret_logins, struct chsm_err *err);

/* Reads an inventory; the caller runs chsm_inventory_done(). */
CHSM_MUST_CHECK int chsm_keys_load(const char *path, struct chsm_inventory *ret, struct chsm_err *err);

#endif
