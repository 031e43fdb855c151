/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a module's tokens is meant. */
#ifndef CHSM_PKCS11_CHOOSE_H
#define CHSM_PKCS11_CHOOSE_H

#include "pkcs11/session.h"

/*
 * Looks at all slots with a token; exactly one initialised token has to fit the choice, and becomes s->slot. CHSM_PKCS11 names
 * what there is. *ret_token: strings that describe it, the caller's.
 */
CHSM_MUST_CHECK int chsm_choose(struct chsm_session *s, const struct chsm_token_choice *choice, CK_TOKEN_INFO *ret_info,
                                json_t **ret_token, struct chsm_err *err);

#endif
