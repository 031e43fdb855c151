/* SPDX-License-Identifier: Apache-2.0 */
/* Joins sign-in (src/azure) and keys in tokens (pkcs11), which do not know each other. */
#ifndef CHSM_CLI_TOKEN_KEY_H
#define CHSM_CLI_TOKEN_KEY_H

#include "azure/credential.h"

chsm_key_open chsm_token_key_open;

#endif
