/* SPDX-License-Identifier: Apache-2.0 */
/* A token from the environment, for tests and pipelines: it has one audience and cannot be renewed. */
#include "config.h"

#include "azure/credential_kind.h"
#include "azure/login.h"

#define ARM_APPLICATION "797f4846-ba00-4fd7-ba43-dac1f8f63013"     /* Resource Manager's name in tokens of version 2 */

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

static bool same_host(const char *a, const char *b)
{
    AUTO_FREE char *x = chsm_url_origin(a);
    AUTO_FREE char *y = chsm_url_origin(b);

    return x && y && strcmp(x, y) == 0;
}

/* "https://ACCOUNT.blob.SUFFIX": a token for one account. */
static bool in_storage(const char *audience, const struct chsm_cloud *cloud)
{
    AUTO_FREE char *base = cloud->storage_suffix ? chsm_strf("https://blob.%s", cloud->storage_suffix) : NULL;

    return base && chsm_url_within(audience, base);
}

/*
 * Every other link asks for a token for the resource. This one would hand the same token to whoever asks, and a vault or storage
 * account would get the token that opens the whole subscription. Resource Manager has several names, and tokens without a
 * readable audience are taken on trust.
 */
static bool meant_for(const char *audience, const char *resource, const struct chsm_cloud *cloud)
{
    AUTO_FREE char *origin = audience ? chsm_url_origin(audience) : NULL;

    if (!audience || chsm_streq(resource, cloud->arm_resource))
        return true;
    if (!origin)
        return strcmp(audience, ARM_APPLICATION) != 0;
    return same_host(audience, resource) || (chsm_streq(resource, cloud->storage_resource) && in_storage(audience, cloud));
}

static int check_audience(const struct chsm_link *l, const char *resource, struct chsm_err *err)
{
    json_auto_t *claims = chsm_login_claims(&l->secret);
    const char *audience = chsm_json_str(claims, "audience");

    if (!claims)
        return chsm_oom(err);
    if (meant_for(audience, resource, l->cloud))
        return 0;
    (void)chsm_fail(err, CHSM_AUTH, "AZURE_ACCESS_TOKEN holds a token for %s, and one for %s is wanted; it was not sent there", audience, resource);
    return chsm_err_hint(err, "put a token for %s there, or sign in in a way that can get both (chsmctl(1), SIGNING IN)", resource);
}

static int acquire(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    if (ask->fresh || ask->claims) {
        (void)chsm_fail(err, CHSM_AUTH, "the service refused the token in AZURE_ACCESS_TOKEN, which cannot be renewed");
        return chsm_err_hint(err, "put a new token for %s there", ask->resource);
    }
    if (check_audience(l, ask->resource, err) < 0)
        return -1;
    ret->life = INT64_MAX;
    return chsm_secret_set(&ret->value, l->secret.p, l->secret.len, err);
}

const struct chsm_link_kind chsm_link_static = { "token", "AccessTokenCredential", CHSM_LINK_DEFAULT, setup, acquire };
