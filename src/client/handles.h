/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a handle is kept that a restore may give to another key, or to none (facts: cloudhsm-client.md §2): files with a fake private
 * key, and certificates whose ID is the decimal handle of their private key.
 */
#ifndef CHSM_CLIENT_HANDLES_H
#define CHSM_CLIENT_HANDLES_H

#include "keys/inventory.h"

#define CHSM_SCAN_FILES_MAX 20000u /* files and folders that are looked at, in all folders together */
#define CHSM_SCAN_FILE_MAX  65536u /* bytes of one that may be a key */
#define CHSM_SCAN_DEPTH_MAX 16

/*
 * Looks through the folders (ended by NULL) for fake private keys; symbolic links and other file systems are left out. *ret is
 * {"files": N, "complete": bool, "why": why not, "fakes": [{"path", "handle" (0: not readable)}]}, the caller's. CHSM_CONFIG when a
 * folder is not there, CHSM_INTERRUPTED.
 */
CHSM_MUST_CHECK int chsm_handles_scan(const char *const *folders, json_t **ret, struct chsm_err *err);

/* The certificates of an inventory with such an ID: [{"login", "label", "handle"}]. *ret is the caller's. */
CHSM_MUST_CHECK int chsm_handles_certificates(const struct chsm_inventory *inv, json_t **ret, struct chsm_err *err);

#endif
