/* SPDX-License-Identifier: Apache-2.0 */
/* A token from the environment, for tests and pipelines: nothing is known about it, and it cannot be renewed. */
#include "config.h"

#include "azure/credential_kind.h"

static int setup(struct chsm_credential *c, bool chosen, struct chsm_err *why)
{
    const char *token = chsm_credential_env("AZURE_ACCESS_TOKEN");

    (void)chosen;
    if (!token)
        return chsm_fail(why, CHSM_AUTH, "AZURE_ACCESS_TOKEN is not set");
    if (!chsm_token_ok(token, strlen(token)))
        return chsm_fail(why, CHSM_CONFIG, "AZURE_ACCESS_TOKEN holds no token (blanks or control characters in it)");
    return chsm_secret_set(&c->secret, token, strlen(token), why);
}

static int acquire(struct chsm_credential *c, const char *resource, bool fresh, struct chsm_token *ret, struct chsm_err *err)
{
    if (fresh) {
        (void)chsm_fail(err, CHSM_AUTH, "the service refused the token in AZURE_ACCESS_TOKEN, which cannot be renewed");
        return chsm_err_hint(err, "put a new token for %s there", resource);
    }
    ret->life = INT64_MAX;
    return chsm_secret_set(&ret->value, c->secret.p, c->secret.len, err);
}

const struct chsm_credential_kind chsm_credential_static = { "token", setup, acquire };
