/* SPDX-License-Identifier: Apache-2.0 */
/* An application with a secret or a certificate from the environment; the secret wins (entra-auth.md §2, §3, §8). */
#include "config.h"

#include <strings.h>

#include "azure/credential_certificate.h"
#include "azure/credential_kind.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static int algorithm(bool *ret_pss, struct chsm_err *err)
{
    const char *name = chsm_credential_env("CHSMCTL_CLIENT_ASSERTION_ALG");

    *ret_pss = !name || strcasecmp(name, "PS256") == 0;
    if (*ret_pss || strcasecmp(name, "RS256") == 0)
        return 0;
    return chsm_fail(err, CHSM_CONFIG, "CHSMCTL_CLIENT_ASSERTION_ALG is PS256 (default) or RS256, not %s", name);
}

static int load_certificate(struct chsm_link *l, const char *path, struct chsm_err *err)
{
    const char *password = chsm_credential_env("AZURE_CLIENT_CERTIFICATE_PASSWORD");
    AUTO_SECRET struct chsm_secret secret = { 0 };
    struct chsm_certificate_opts o = { .path = path, .certificate = chsm_credential_env("CHSMCTL_CLIENT_CERTIFICATE"),
                                       .chain = chsm_credential_env_true("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"),
                                       .open_key = l->opts->open_key };

    if (password && chsm_secret_set(&secret, password, strlen(password), err) < 0)
        return -1;
    o.password = password ? &secret : NULL;
    if (algorithm(&o.pss, err) < 0)
        return -1;
    l->detail = chsm_certificate_in_token(path) ? "client certificate, key in a PKCS#11 token" : "client certificate";
    return chsm_certificate_load(&o, &l->certificate, err);
}

static int setup(struct chsm_link *l, struct chsm_err *err)
{
    const char *secret = chsm_credential_env("AZURE_CLIENT_SECRET"), *path = chsm_credential_env("AZURE_CLIENT_CERTIFICATE_PATH");
    int rc = chsm_link_app(l, err);

    if (rc != 0)
        return rc;
    if (!secret && path)
        return load_certificate(l, path, err);
    if (!secret && (chsm_credential_env("AZURE_USERNAME") || chsm_credential_env("AZURE_PASSWORD")))
        return chsm_link_absent(err, "AZURE_USERNAME and AZURE_PASSWORD are not supported: Microsoft is ending sign-in by password");
    if (!secret)
        return chsm_link_absent(err, "neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set");
    l->detail = "client secret";
    return chsm_secret_set(&l->secret, secret, strlen(secret), err);
}

static int add_secret(struct chsm_link *l, const char *url, struct chsm_buf *form, struct chsm_err *err)
{
    (void)url;
    return chsm_form_add(form, "client_secret", l->secret.p, err);
}

static int add_assertion(struct chsm_link *l, const char *url, struct chsm_buf *form, struct chsm_err *err)
{
    char *assertion = NULL;
    int rc;

    if (chsm_form_add(form, "client_assertion_type", ASSERTION_TYPE, err) < 0)
        return -1;
    if (chsm_certificate_assert(l->certificate, l->client_id, url, chsm_http_limited(l->http), &assertion, err) < 0)
        return chsm_err_prefix(err, "sign-in of client %s by certificate", l->client_id);
    rc = chsm_form_add(form, "client_assertion", assertion, err);
    chsm_wipe(assertion, strlen(assertion));
    free(assertion);
    return rc;
}

static int acquire(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    return chsm_form_token(l, "client_credentials", ask, l->certificate ? add_assertion : add_secret, ret, err);
}

const struct chsm_link_kind chsm_link_environment = {
    "environment", "EnvironmentCredential", CHSM_LINK_DEFAULT | CHSM_LINK_PROD, setup, acquire,
};
