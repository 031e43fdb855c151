/* SPDX-License-Identifier: Apache-2.0 */
/* Client secret from the environment (entra-auth.md §1, §2). */
#include "config.h"

#include <strings.h>

#include "azure/credential_kind.h"
#include "azure/retry.h"

#define FORM_MAX (4u * CHSM_SECRET_MAX)

static bool tenant_ok(const char *s)
{
    return *s && s[strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-")] == '\0';
}

static int setup(struct chsm_credential *c, bool chosen, struct chsm_err *why)
{
    const char *secret = chsm_credential_env("AZURE_CLIENT_SECRET");

    (void)chosen;
    if (chsm_credential_need("AZURE_TENANT_ID", &c->tenant, why) < 0 ||
        chsm_credential_need("AZURE_CLIENT_ID", &c->client_id, why) < 0)
        return -1;
    if (!secret)
        return chsm_fail(why, CHSM_AUTH, "AZURE_CLIENT_SECRET is not set");
    if (!tenant_ok(c->tenant))
        return chsm_fail(why, CHSM_CONFIG, "AZURE_TENANT_ID is no tenant: only letters, digits, '.' and '-' may be in it");
    if (strncasecmp(c->cloud->authority, "https://", 8) != 0)
        return chsm_fail(why, CHSM_CONFIG, "the sign-in authority must be https: %s", c->cloud->authority);
    c->endpoint = chsm_strf("%s/%s/oauth2/v2.0/token", c->cloud->authority, c->tenant);
    if (!c->endpoint)
        return chsm_oom(why);
    return chsm_secret_set(&c->secret, secret, strlen(secret), why);
}

static int field(struct chsm_buf *form, const char *name, const char *value, struct chsm_err *err)
{
    char *encoded = chsm_url_encode(value);
    int rc;

    if (!encoded)
        return chsm_oom(err);
    rc = chsm_buf_addf(form, err, "%s%s=%s", form->len ? "&" : "", name, encoded);
    chsm_wipe(encoded, strlen(encoded));
    free(encoded);
    return rc;
}

static int build_form(const struct chsm_credential *c, const char *resource, struct chsm_buf *form, struct chsm_err *err)
{
    AUTO_FREE char *scope = chsm_strf("%s/.default", resource);

    if (!scope)
        return chsm_oom(err);
    if (field(form, "grant_type", "client_credentials", err) < 0 || field(form, "client_id", c->client_id, err) < 0 ||
        field(form, "client_secret", c->secret.p, err) < 0)
        return -1;
    return field(form, "scope", scope, err);
}

static int acquire(struct chsm_credential *c, const char *resource, bool fresh, struct chsm_token *ret, struct chsm_err *err)
{
    static const char *const headers[] = { "Accept: application/json", NULL };
    AUTO_BUF struct chsm_buf form = CHSM_BUF_SECRET(FORM_MAX);
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_request rq = { .method = "POST", .url = c->endpoint, .content_type = "application/x-www-form-urlencoded",
                               .headers = headers, .body_secret = true };

    (void)fresh;
    if (build_form(c, resource, &form, err) < 0)
        return -1;
    rq.body = form.p;
    rq.body_len = form.len;
    if (chsm_retry_http(c->http, &rq, &r, err) < 0)
        return chsm_token_unreachable(c, err);
    if (r.status == 200)
        return chsm_token_read(&r, ret, err);
    (void)chsm_token_refused(&r, c->endpoint, &c->secret, err);
    return chsm_err_prefix(err, "sign-in of client %s in tenant %s", c->client_id, c->tenant);
}

const struct chsm_credential_kind chsm_credential_secret = { "environment", setup, acquire };
