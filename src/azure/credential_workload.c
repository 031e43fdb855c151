/* SPDX-License-Identifier: Apache-2.0 */
/* Workload identity: a token of another issuer is the assertion (entra-auth.md §4). The file is replaced while we run. */
#include "config.h"

#include "azure/credential_kind.h"
#include "util/path.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static int setup(struct chsm_link *l, struct chsm_err *err)
{
    int rc = chsm_credential_need("AZURE_FEDERATED_TOKEN_FILE", &l->path, err);

    if (rc == 0)
        rc = chsm_link_app(l, err);
    l->detail = "federated token";
    return rc;
}

/* What stands between the blanks of the file. */
static int read_file(const char *path, struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF_SECRET(CHSM_SECRET_MAX);
    const char *p;
    size_t n;

    if (chsm_file_read(path, CHSM_SECRET_MAX, &text, err) < 0) {
        if (err)
            err->code = CHSM_AUTH;
        return chsm_err_prefix(err, "AZURE_FEDERATED_TOKEN_FILE");
    }
    if (text.len > 0 && memchr(text.p, '\0', text.len))
        return chsm_fail(err, CHSM_AUTH, "AZURE_FEDERATED_TOKEN_FILE: %s holds no token (a NUL byte is in it)", path);
    p = chsm_buf_str(&text);
    p += strspn(p, " \t\r\n");
    n = strlen(p);
    while (n > 0 && strchr(" \t\r\n", p[n - 1]))
        n--;
    if (!chsm_token_ok(p, n))
        return chsm_fail(err, CHSM_AUTH, "AZURE_FEDERATED_TOKEN_FILE: %s holds no token", path);
    return chsm_secret_set(ret, p, n, err);
}

static int add_assertion(struct chsm_link *l, const char *url, struct chsm_buf *form, struct chsm_err *err)
{
    (void)url;
    if (read_file(l->path, &l->secret, err) < 0)
        return -1;
    if (chsm_form_add(form, "client_assertion_type", ASSERTION_TYPE, err) < 0)
        return -1;
    return chsm_form_add(form, "client_assertion", l->secret.p, err);
}

static int acquire(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    int rc = chsm_form_token(l, "client_credentials", ask, add_assertion, ret, err);

    chsm_secret_done(&l->secret);
    return rc;
}

const struct chsm_link_kind chsm_link_workload = {
    "workload-identity", "WorkloadIdentityCredential", CHSM_LINK_DEFAULT | CHSM_LINK_PROD, setup, acquire,
};
