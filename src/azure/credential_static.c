/* SPDX-License-Identifier: Apache-2.0 */
/* A token from the environment, for tests and pipelines: nothing is known about it, and it cannot be renewed. */
#include "config.h"

#include "azure/credential_kind.h"

static int setup(struct chsm_link *l, struct chsm_err *why)
{
    const char *token = chsm_credential_env("AZURE_ACCESS_TOKEN");

    if (!token)
        return chsm_link_absent(why, "AZURE_ACCESS_TOKEN is not set");
    if (!chsm_token_ok(token, strlen(token)))
        return chsm_fail(why, CHSM_CONFIG, "AZURE_ACCESS_TOKEN holds no token (blanks or control characters in it)");
    l->detail = "AZURE_ACCESS_TOKEN";
    return chsm_secret_set(&l->secret, token, strlen(token), why);
}

static int acquire(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    if (ask->fresh || ask->claims) {
        (void)chsm_fail(err, CHSM_AUTH, "the service refused the token in AZURE_ACCESS_TOKEN, which cannot be renewed");
        return chsm_err_hint(err, "put a new token for %s there", ask->resource);
    }
    ret->life = INT64_MAX;
    return chsm_secret_set(&ret->value, l->secret.p, l->secret.len, err);
}

const struct chsm_link_kind chsm_link_static = { "token", "AccessTokenCredential", CHSM_LINK_DEFAULT, setup, acquire };
