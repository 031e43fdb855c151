/* SPDX-License-Identifier: Apache-2.0 */
/* What services say in WWW-Authenticate (RFC 7235 §2.1; facts: entra-auth.md §10). Pure. */
#ifndef CHSM_AZURE_CHALLENGE_H
#define CHSM_AZURE_CHALLENGE_H

#include "util/err.h"

#define CHSM_CHALLENGES_MAX 8
#define CHSM_CHALLENGE_PARAMS_MAX 16

struct chsm_challenge_param { char *name, *value; };   /* name in lower case; the value without quotes */

struct chsm_challenge {
    char *scheme;                               /* lower case: "bearer" */
    char *token68;                              /* what some schemes have in the place of parameters; NULL = none */
    struct chsm_challenge_param param[CHSM_CHALLENGE_PARAMS_MAX];
    size_t params;
};

struct chsm_challenges {
    struct chsm_challenge one[CHSM_CHALLENGES_MAX];
    size_t n;
};
void chsm_challenges_done(struct chsm_challenges *c);
#define AUTO_CHALLENGES AUTO(chsm_challenges_done)

/*
 * Takes a header's value apart: any number of challenges, parameters in any order, quoted or not, separated by commas or,
 * as some services do, by blanks. CHSM_SERVICE when it is malformed or has too many parts. NULL is an empty header.
 */
CHSM_MUST_CHECK int chsm_challenges_parse(const char *header, struct chsm_challenges *ret, struct chsm_err *err);

/* The value of a parameter, NULL when it is not there; borrowed. */
const char *chsm_challenge_get(const struct chsm_challenge *c, const char *name);

/*
 * The claims of a Bearer challenge with error="insufficient_claims", as JSON text: base64 or base64url, with or without padding.
 * 0 and *ret, the caller's; 1 when the header has no such challenge, -1 when the claims are missing or no JSON object.
 */
CHSM_MUST_CHECK int chsm_challenge_claims(const char *header, char **ret);

/*
 * What a vault's challenge asks for. *ret_resource: the resource, or the scope without "/.default", no slash at the end;
 * *ret_tenant: the first part of the path of `authorization` (or authorization_uri). Its host is not told: a token is only
 * asked of the authority that the user configured. 0, 1 when there is no such challenge, -1 CHSM_SERVICE when it is not
 * usable, or `url` does not lie in the resource's domain (its host has to end in "." and the resource's host): then
 * no token may be sent there.
 */
CHSM_MUST_CHECK int chsm_challenge_vault(const char *header, const char *url, char **ret_resource, char **ret_tenant,
                                         struct chsm_err *err);

/* The realm of a Basic challenge as Azure Arc's agent writes it: up to the end of the parameter, bare or quoted. NULL: none. */
char *chsm_challenge_basic_realm(const char *header);

#endif
