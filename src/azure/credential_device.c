/* SPDX-License-Identifier: Apache-2.0 */
/* Device code: a person signs in on another device (entra-auth.md §7, RFC 8628). Only when it is asked for by name. */
#include "config.h"

#include "azure/credential_kind.h"
#include "azure/retry.h"

#define CLIENT "04b07795-8ddb-461a-bbee-02f9e1bf7b46"     /* Azure CLI's, which every tenant knows */
#define GRANT "urn:ietf:params:oauth:grant-type:device_code"
#define FORM_MAX (2u * CHSM_SECRET_MAX)
#define INTERVAL_S 5
#define SLOWER_S 5              /* RFC 8628 §3.5 */
#define LIFE_S 900
#define LOST_MAX 5              /* polls in a row without an answer */

struct device {
    struct chsm_secret code;
    int64_t interval, until;    /* ms; chsm_mono() */
};

static void device_done(struct device *d)
{
    chsm_secret_done(&d->code);
}

static int setup(struct chsm_link *l, struct chsm_err *err)
{
    const char *tenant = chsm_credential_env("AZURE_TENANT_ID"), *client = chsm_credential_env("AZURE_CLIENT_ID");

    if (!l->opts->tell)
        return chsm_fail(err, CHSM_CONFIG, "nobody is there to whom a code could be shown");
    l->tenant = strdup(tenant ? tenant : "organizations");
    l->client_id = strdup(client ? client : CLIENT);
    if (!l->tenant || !l->client_id)
        return chsm_oom(err);
    return chsm_tenant_ok(l->tenant) ? 0 : chsm_fail(err, CHSM_CONFIG, "AZURE_TENANT_ID is no tenant: only letters, digits, '.' and '-' "
                                                                        "may be in it");
}

/* client_id, scope and claims: the same in the first request and in a renewal. */
static int begin_form(const struct chsm_link *l, const struct chsm_ask *ask, struct chsm_buf *form, struct chsm_err *err)
{
    AUTO_FREE char *scope = chsm_strf("%s/.default openid profile offline_access", ask->resource);
    AUTO_FREE char *claims = chsm_claims_merge(ask->claims);

    if (!scope || !claims)
        return chsm_oom(err);
    if (chsm_form_add(form, "client_id", l->client_id, err) < 0 || chsm_form_add(form, "scope", scope, err) < 0)
        return -1;
    return chsm_form_add(form, "claims", claims, err);
}

/* The token of a 200, and the refresh token beside it. */
static int keep(struct chsm_link *l, struct chsm_response *r, struct chsm_token *ret, struct chsm_err *err)
{
    json_t *answer = NULL;
    const char *refresh;
    int rc;

    if (chsm_token_read_more(r, ret, &answer, err) < 0)
        return -1;
    refresh = chsm_json_str(answer, "refresh_token");
    rc = refresh ? chsm_secret_set(&l->secret, refresh, strlen(refresh), err) : 0;
    chsm_token_forget(answer);
    if (rc < 0)
        chsm_secret_done(&ret->value);
    return rc;
}

static int64_t number(const json_t *answer, const char *key, int64_t otherwise, int64_t most)
{
    const json_t *v = json_object_get(answer, key);
    json_int_t n = json_is_integer(v) ? json_integer_value(v) : otherwise;

    return n < 1 ? otherwise : n > most ? most : n;
}

static int read_code(struct chsm_link *l, struct chsm_response *r, struct device *ret, struct chsm_err *err)
{
    json_t *answer = NULL;
    const char *code, *message;
    int rc;

    rc = chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "answer of the sign-in service", CHSM_AUTH, &answer, err);
    chsm_buf_clear(&r->body);
    if (rc < 0)
        return -1;
    code = chsm_json_str(answer, "device_code");
    message = chsm_json_str(answer, "message");
    ret->interval = number(answer, "interval", INTERVAL_S, 300) * 1000;
    ret->until = chsm_mono() + number(answer, "expires_in", LIFE_S, 3600) * 1000;
    if (!code || !*code || !message)
        rc = chsm_fail(err, CHSM_AUTH, "sign-in: the service gave no device code");
    else
        rc = chsm_secret_set(&ret->code, code, strlen(code), err);
    if (rc == 0)
        l->opts->tell(message);
    chsm_token_forget(answer);
    return rc;
}

static int get_code(struct chsm_link *l, const struct chsm_ask *ask, struct device *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf form = CHSM_BUF(FORM_MAX);
    AUTO_RESPONSE struct chsm_response r = { .retry_after = -1 };
    AUTO_FREE char *url = chsm_form_url(l, l->tenant, "devicecode");

    if (!url)
        return chsm_oom(err);
    if (begin_form(l, ask, &form, err) < 0)
        return -1;
    if (chsm_form_post_again(l, url, &form, &r, err) < 0)
        return chsm_token_unreachable(l, err);
    return r.status == 200 ? read_code(l, &r, ret, err) : chsm_token_refused(&r, url, NULL, err);
}

/* After one poll: 0 = go on, 1 = there is the token, -1. */
static int judge(struct chsm_link *l, struct device *d, struct chsm_response *r, struct chsm_token *ret, struct chsm_err *err)
{
    char error[64];

    if (r->status == 200)
        return keep(l, r, ret, err) < 0 ? -1 : 1;
    chsm_token_error(r, error, sizeof error);
    if (strcmp(error, "slow_down") == 0)
        d->interval += SLOWER_S * 1000;
    else if (strcmp(error, "authorization_pending") != 0 && !chsm_retry_transient(r->status))
        return chsm_token_refused(r, "sign-in by device code", &d->code, err);
    return 0;
}

static int poll_until(struct chsm_link *l, struct device *d, const char *url, struct chsm_token *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf form = CHSM_BUF_SECRET(FORM_MAX);
    unsigned lost = 0;
    int rc;

    if (chsm_form_add(&form, "grant_type", GRANT, err) < 0 || chsm_form_add(&form, "client_id", l->client_id, err) < 0 ||
        chsm_form_add(&form, "device_code", d->code.p, err) < 0)
        return -1;
    for (;;) {
        AUTO_RESPONSE struct chsm_response r = { .retry_after = -1 };

        if (chsm_mono() + d->interval > d->until)
            return chsm_fail(err, CHSM_AUTH, "sign-in by device code: nobody entered the code in time");
        if (chsm_sleep(d->interval, chsm_http_limited(l->http), err) < 0)
            return chsm_err_prefix(err, "sign-in by device code");
        rc = chsm_form_post(l, url, &form, &r, err);
        if (rc < 0 && (r.hopeless || ++lost == LOST_MAX || chsm_interrupted()))
            return chsm_token_unreachable(l, err);
        if (rc < 0)
            continue;
        lost = 0;
        rc = judge(l, d, &r, ret, err);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
}

/* With the refresh token. 1: it is not good any more, a person has to sign in again. */
static int renew(struct chsm_link *l, const struct chsm_ask *ask, const char *url, struct chsm_token *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf form = CHSM_BUF_SECRET(FORM_MAX);
    AUTO_RESPONSE struct chsm_response r = { .retry_after = -1 };
    char error[64];

    if (chsm_form_add(&form, "grant_type", "refresh_token", err) < 0 || begin_form(l, ask, &form, err) < 0 ||
        chsm_form_add(&form, "refresh_token", l->secret.p, err) < 0)
        return -1;
    if (chsm_form_post_again(l, url, &form, &r, err) < 0)
        return chsm_token_unreachable(l, err);
    if (r.status == 200)
        return keep(l, &r, ret, err);
    chsm_token_error(&r, error, sizeof error);
    if (strcmp(error, "invalid_grant") == 0 || strcmp(error, "interaction_required") == 0)
        return 1;
    return chsm_token_refused(&r, url, &l->secret, err);
}

static int acquire(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    AUTO(device_done) struct device d = { .interval = 0 };
    AUTO_FREE char *url = chsm_form_url(l, l->tenant, "token");
    int rc = 1;

    if (!url)
        return chsm_oom(err);
    if (l->secret.p && !ask->claims)
        rc = renew(l, ask, url, ret, err);
    if (rc <= 0)
        return rc;
    chsm_secret_done(&l->secret);
    if (get_code(l, ask, &d, err) < 0)
        return -1;
    return poll_until(l, &d, url, ret, err);
}

const struct chsm_link_kind chsm_link_device = { "device-code", "DeviceCodeCredential", 0, setup, acquire };
