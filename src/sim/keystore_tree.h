/* SPDX-License-Identifier: Apache-2.0 */
/* Whole folders: copied, removed, swapped. Only plain files and folders; anything else is an error. */
#ifndef CHSM_SIM_KEYSTORE_TREE_H
#define CHSM_SIM_KEYSTORE_TREE_H

#include "util/err.h"

/* Copies the folder `from` to `to`, which must not exist; its parent must. What was copied stays behind on failure. */
CHSM_MUST_CHECK int sim_tree_copy(const char *from, const char *to, struct chsm_err *err);

/* Removes a folder and all in it; one that is not there is no error. Clean-up after another failure may ignore the result. */
int sim_tree_remove(const char *path, struct chsm_err *err);

/*
 * Puts the folder `fresh` in the place of `present` (on the same file system) and removes what was there. In one step where
 * the file system can exchange names, else with a moment in which there is no `present`.
 */
CHSM_MUST_CHECK int sim_tree_swap(const char *fresh, const char *present, struct chsm_err *err);

#endif
