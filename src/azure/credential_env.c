/* SPDX-License-Identifier: Apache-2.0 */
/* What the links read from the environment, and which tenant they ask (entra-auth.md §1, §8). */
#include "config.h"

#include <strings.h>

#include "azure/credential_kind.h"

const char *chsm_credential_env(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

bool chsm_credential_env_true(const char *name)
{
    const char *v = chsm_credential_env(name);

    return v && (strcmp(v, "1") == 0 || strcasecmp(v, "true") == 0);
}

int chsm_credential_need(const char *name, char **ret, struct chsm_err *why)
{
    const char *v = chsm_credential_env(name);

    if (!v)
        return chsm_link_absent(why, "%s is not set", name);
    free(*ret);
    *ret = strdup(v);
    return *ret ? 0 : chsm_oom(why);
}

bool chsm_tenant_ok(const char *s)
{
    return *s && s[strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-")] == '\0';
}

int chsm_link_app(struct chsm_link *l, struct chsm_err *err)
{
    int rc = chsm_credential_need("AZURE_TENANT_ID", &l->tenant, err);

    if (rc == 0)
        rc = chsm_credential_need("AZURE_CLIENT_ID", &l->client_id, err);
    if (rc != 0)
        return rc;
    if (!chsm_tenant_ok(l->tenant))
        return chsm_fail(err, CHSM_CONFIG, "AZURE_TENANT_ID is no tenant: only letters, digits, '.' and '-' may be in it");
    if (!chsm_token_ok(l->client_id, strlen(l->client_id)))
        return chsm_fail(err, CHSM_CONFIG, "AZURE_CLIENT_ID is no client id: blanks, control or foreign characters are in it");
    if (strncasecmp(l->cloud->authority, "https://", 8) != 0)
        return chsm_fail(err, CHSM_CONFIG, "the sign-in authority must be https: %s", l->cloud->authority);
    return 0;
}

/* Whether a list "a;b;c" names the tenant; "*" names all. */
static bool allowed(const char *list, const char *tenant)
{
    while (list && *list) {
        size_t n;

        list += strspn(list, "; \t");
        n = strcspn(list, "; \t");
        if ((n == 1 && *list == '*') || (n == strlen(tenant) && strncasecmp(list, tenant, n) == 0))
            return true;
        list += n;
    }
    return false;
}

int chsm_link_tenant(const struct chsm_link *l, const struct chsm_ask *ask, const char **ret, struct chsm_err *err)
{
    bool asked = ask->tenant && *ask->tenant && !chsm_credential_env_true("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH");

    *ret = l->tenant;
    if (!asked || (l->tenant && (strcasecmp(l->tenant, ask->tenant) == 0 || strcasecmp(l->tenant, "adfs") == 0)))
        return 0;
    if (!chsm_tenant_ok(ask->tenant))
        return chsm_fail(err, CHSM_AUTH, "the service's challenge names no tenant");
    if (l->tenant && !allowed(chsm_credential_env("AZURE_ADDITIONALLY_ALLOWED_TENANTS"), ask->tenant)) {
        (void)chsm_fail(err, CHSM_AUTH, "the service wants a token of tenant %s, and the sign-in is for %s", ask->tenant, l->tenant);
        return chsm_err_hint(err, "check the address and AZURE_TENANT_ID; AZURE_ADDITIONALLY_ALLOWED_TENANTS allows other tenants");
    }
    *ret = ask->tenant;
    return 0;
}
