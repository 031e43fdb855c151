/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the identity provider share. */
#ifndef CHSM_SIM_LOGIN_H
#define CHSM_SIM_LOGIN_H

#include "sim/cloud.h"
#include "util/enc.h"

#define SIM_ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define SIM_FEDERATED_AUDIENCE "api://AzureADTokenExchange"

/* Azure CLI's own application, a public client that every tenant knows. */
#define SIM_CLI_CLIENT "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

/* An error in Entra's form. Returns 0, or -1 when out of memory. */
CHSM_MUST_CHECK CHSM_PRINTF(6, 7) int sim_login_refuse(struct sim_call *c, struct chsm_err *err, unsigned status, const char *error,
                                                       int number, const char *fmt, ...);

/* A principal by its client id; NULL when there is none. Borrowed. */
json_t *sim_login_principal(const json_t *root, const char *client_id);

/*
 * The resource of a scope "RESOURCE/.default", with " openid profile offline_access" after it when `user`. 0 and *ret, the
 * caller's; 1 when the answer has been refused.
 */
CHSM_MUST_CHECK int sim_login_scope(struct sim_call *c, const char *scope, bool user, char **ret, struct chsm_err *err);

/*
 * Answers with a token for a resource. `claims` is the request's parameter (NULL = none): it must be JSON, "cp1" in it makes
 * the token one that understands claims challenges, and an "nbf" is carried over. `refresh` (NULL = none) goes along.
 */
CHSM_MUST_CHECK int sim_login_issue(struct sim_call *c, const json_t *principal, const char *resource, const char *claims,
                                    const char *refresh, struct chsm_err *err);

/* A signed JWT of somebody else, taken apart. */
struct sim_jwt {
    json_t *header, *claims;
    struct chsm_bytes signature;
    size_t covered;                 /* bytes of the text that the signature is over */
};
void sim_jwt_done(struct sim_jwt *j);
CHSM_MUST_CHECK int sim_jwt_parse(const char *text, struct sim_jwt *ret);
/* With PSS: a salt of 32 bytes and nothing else. */
bool sim_jwt_verify(const struct sim_jwt *j, const char *text, EVP_PKEY *key, bool pss);

/*
 * Checks client_assertion of a principal: one signed with a registered certificate, or a token of a federated issuer. 0: it is
 * good; 1: the answer has been refused.
 */
CHSM_MUST_CHECK int sim_login_assertion(struct sim_call *c, const json_t *principal, const json_t *form, struct chsm_err *err);

/* The device code flow: its first request, its polls, and refresh tokens. */
CHSM_MUST_CHECK int sim_login_device(struct sim_call *c, const json_t *form, struct chsm_err *err);
CHSM_MUST_CHECK int sim_login_device_poll(struct sim_call *c, const json_t *form, struct chsm_err *err);
CHSM_MUST_CHECK int sim_login_refresh(struct sim_call *c, const json_t *form, struct chsm_err *err);

/* The OpenID configuration of a tenant. */
CHSM_MUST_CHECK int sim_login_configuration(struct sim_call *c, struct chsm_err *err);

/* What a resource says to a token that was issued before `chsm-sim revoke`; NULL = nothing. JSON text, the caller's. */
char *sim_login_challenge(const json_t *root, const json_t *token_claims);

#endif
