/* SPDX-License-Identifier: Apache-2.0 */
/* What a foreign program or library gets to see of our environment. */
#ifndef CHSM_UTIL_ENVIRONMENT_H
#define CHSM_UTIL_ENVIRONMENT_H

#include "util/err.h"

/*
 * `inherited` without what a vendor's code has no business with (AZURE_*, ARM_*, IDENTITY_*, MSI_*, and whatever calls itself
 * a token, secret or password), and with `additions` ("NAME=VALUE") in the place of its own. Both end with NULL and may be
 * NULL. The list ends with NULL and is one allocation, the caller's; its strings are borrowed. NULL when out of memory.
 */
char **chsm_child_environment(const char *const *inherited, const char *const *additions, struct chsm_err *err);

#endif
