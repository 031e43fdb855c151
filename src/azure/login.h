/* SPDX-License-Identifier: Apache-2.0 */
/* Who is signed in, for which audience, until when, by which link: never a token or a part of one. */
#ifndef CHSM_AZURE_LOGIN_H
#define CHSM_AZURE_LOGIN_H

#include "azure/arm.h"

struct chsm_login_ask {
    const char *resource;           /* a token's audience; NULL = Resource Manager's */
    const char *hsm_url;            /* "https://NAME.managedhsm.azure.net": what its challenge asks for; NULL = none */
};

/*
 * Gets a token, and says of it {"source", "detail", "cloud", "authority", "tenant", "object", "application", "audience",
 * "user", "expires", "claimsChallenge", "resource", "hsm"}; what the token does not tell is null. With hsm_url the HSM is asked, too
 * ("hsm": {"url", "status"}): its answer to a list of keys, whatever it is. *ret is the caller's.
 */
CHSM_MUST_CHECK int chsm_login_show(struct chsm_arm *arm, const struct chsm_login_ask *ask, chsm_deadline deadline, json_t **ret,
                                    struct chsm_err *err);

/* The claims of a token that are shown; empty for one that is no JWT. Pure. NULL when out of memory. */
json_t *chsm_login_claims(const struct chsm_secret *token);

#endif
