/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the simulated clusters: per cluster a folder DIR/clusters/<name, lower case>/ with
 *   address.json               {"fqdns": [..]}: by which host names the simulated client library finds the cluster
 *   azcloudhsm_resource.cfg    {"servers": [{"hostname": "<first fqdn>"}]}: the client's configuration file, ready to use
 *   softhsm2.conf              SoftHSM's configuration, tokens below keys/tokens (absolute path)
 *   keys/                      all that a backup contains
 *     tokens/                  one SoftHSM token per crypto user
 *     users.json               [{name, salt, hash, iterations, label, pin}]
 *     shares.json              [{owner, class, id, with: [names]}]
 *     overlay.json             attributes that damaged objects show (keystore_overlay.h); only in a cluster that was corrupted
 * Everything here works on files; only sim_keystore_seed() and sim_cmd_corrupt() load SoftHSM, and must therefore run in a
 * process of their own (not in the server). Link libchsmsimkeys.la.
 */
#ifndef CHSM_SIM_KEYSTORE_H
#define CHSM_SIM_KEYSTORE_H

#include <jansson.h>

#include "util/err.h"

/*
 * Makes the cluster's folder with an empty keys/. `fqdns` ends with NULL and has at least one name. CHSM_SERVICE when the
 * folder exists or cannot be made, CHSM_USAGE for a name that cannot be a cluster's (letters, digits, "-").
 */
CHSM_MUST_CHECK int sim_keystore_create(const char *dir, const char *cluster, const char *const *fqdns, struct chsm_err *err);

/* Removes the cluster's folder and everything in it; a cluster that is not there is not an error. */
CHSM_MUST_CHECK int sim_keystore_destroy(const char *dir, const char *cluster, struct chsm_err *err);

/* Copies keys/ into `folder`, which is made (parents too) and must not hold a backup already. */
CHSM_MUST_CHECK int sim_keystore_backup(const char *dir, const char *cluster, const char *folder, struct chsm_err *err);

/*
 * Replaces keys/ by the content of `folder` (made by sim_keystore_backup()): copied beside it first, then swapped by rename,
 * so that a reader sees the old or the new keys. CHSM_SERVICE when `folder` holds no backup; the cluster is then as it was.
 */
CHSM_MUST_CHECK int sim_keystore_restore(const char *dir, const char *cluster, const char *folder, struct chsm_err *err);

/*
 * Makes users and their keys from the `users` sequence of a seed file (format: cfg/sim-demo.yaml). The whole sequence is
 * checked first; a mistake is CHSM_CONFIG and begins with its path ("users[0].keys[3].bits: ..."). The keys are generated
 * inside SoftHSM, beside the present ones, and appear all at once at the end. A user that exists already is an error.
 */
CHSM_MUST_CHECK int sim_keystore_seed(const char *dir, const char *cluster, const json_t *users, struct chsm_err *err);

/*
 * `chsm-sim corrupt --dir DIR [options] CLUSTER KIND [ID]`; argv[0] is "corrupt". Damages the cluster's present keys as KIND says
 * (corrupt.h), prints one line about what it did, and returns the exit status. With neither ID nor --label it takes the first
 * suitable key (by ID) of the user.
 */
int sim_cmd_corrupt(int argc, char **argv);

#endif
