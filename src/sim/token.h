/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated cloud signs: access tokens (RS256 JWT) and the polling URLs that ARM hands out. */
#ifndef CHSM_SIM_TOKEN_H
#define CHSM_SIM_TOKEN_H

#include <openssl/evp.h>

#include "util/enc.h"
#include "util/json.h"

struct sim_claims {
    const char *audience, *tenant, *client_id, *object_id;
    int64_t issued, expires;        /* ms since 1970 */
    bool cae;                       /* its bearer understands claims challenges (xms_cc: cp1) */
    int64_t not_before;             /* s: the nbf that a claims challenge asked for; 0 = none did */
};

/* base64url without padding to bytes. */
CHSM_MUST_CHECK int sim_unbase64url(const char *text, size_t n, struct chsm_bytes *ret, struct chsm_err *err);

/* A signed token; the caller frees it. */
CHSM_MUST_CHECK int sim_token_make(EVP_PKEY *key, const struct sim_claims *claims, char **ret, struct chsm_err *err);

/* The claims of a token whose signature is ours. CHSM_AUTH otherwise. The caller owns *ret. */
CHSM_MUST_CHECK int sim_token_check(EVP_PKEY *key, const char *token, json_t **ret, struct chsm_err *err);

/*
 * "PATH?api-version=V&t=<18 digits>&c=<2968>&s=<342>&h=<43>": the form and length of the URLs that were recorded
 * (facts: arm.md §2.2). The caller frees it.
 */
CHSM_MUST_CHECK int sim_url_sign(EVP_PKEY *key, const char *path, const char *version, int64_t now, char **ret, struct chsm_err *err);

/* Whether a target with "&s=" carries exactly what sim_url_sign() made. */
bool sim_url_ok(EVP_PKEY *key, const char *target);

#endif
