/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the cloud's token endpoint (entra-auth.md §1, §10, §13). */
#include "config.h"

#include <strings.h>

#include "azure/credential_kind.h"
#include "azure/retry.h"

#define FORM_MAX (4u * CHSM_SECRET_MAX)

int chsm_form_add(struct chsm_buf *form, const char *name, const char *value, struct chsm_err *err)
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

char *chsm_form_url(const struct chsm_link *l, const char *tenant, const char *what)
{
    if (strcasecmp(tenant, "adfs") == 0)
        return chsm_strf("%s/adfs/oauth2/%s", l->cloud->authority, what);
    return chsm_strf("%s/%s/oauth2/v2.0/%s", l->cloud->authority, tenant, what);
}

char *chsm_claims_merge(const char *challenge)
{
    json_auto_t *all = challenge ? json_loads(challenge, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *access;

    if (!json_is_object(all)) {
        json_decref(all);
        all = json_object();
    }
    access = json_object_get(all, "access_token");
    if (!json_is_object(access)) {
        access = json_object();
        if (json_object_set_new(all, "access_token", access) < 0)
            return NULL;
    }
    if (json_object_set_new(access, "xms_cc", json_pack("{s:[s]}", "values", "cp1")) < 0)
        return NULL;
    return json_dumps(all, JSON_COMPACT);
}

int chsm_form_post(struct chsm_link *l, const char *url, const struct chsm_buf *form, struct chsm_response *ret, struct chsm_err *err)
{
    /* Its answers and logs call it the correlation id: the same as that of the requests the token is for. */
    AUTO_FREE char *id = chsm_strf("client-request-id: %s", chsm_http_correlation(l->http));
    const char *const headers[] = { "Accept: application/json", id, NULL };
    struct chsm_request rq = { .method = "POST", .url = url, .content_type = "application/x-www-form-urlencoded", .headers = headers,
                               .body = form->p, .body_len = form->len, .body_secret = true };

    return id ? chsm_http_do(l->http, &rq, ret, err) : chsm_oom(err);
}

/* The form of one try, from the beginning: an assertion is good for one request. */
static int build(struct chsm_link *l, const char *grant, const struct chsm_ask *ask, bool adfs, struct chsm_buf *form, struct chsm_err *err)
{
    AUTO_FREE char *scope = chsm_strf("%s/.default", ask->resource);
    AUTO_FREE char *claims = chsm_claims_merge(ask->claims);

    if (!scope || !claims)
        return chsm_oom(err);
    if (chsm_form_add(form, "grant_type", grant, err) < 0 || chsm_form_add(form, "client_id", l->client_id, err) < 0)
        return -1;
    if (adfs)
        return chsm_form_add(form, "resource", ask->resource, err);
    return chsm_form_add(form, "scope", scope, err) < 0 ? -1 : chsm_form_add(form, "claims", claims, err);
}

/* After one try: whether there is another one, and the wait for it. */
static bool again(const struct chsm_link *l, unsigned tries, int rc, const struct chsm_response *r, const struct chsm_err *err)
{
    struct chsm_attempt a = { .repeat = CHSM_REPEAT_SAFE, .tries = tries, .renewed = true, .status = r->status,
                              .retry_after = r->retry_after, .sent = r->sent, .hopeless = r->hopeless, .code = rc < 0 ? err->code : CHSM_OK };

    if (rc == 0 && chsm_token_transient(r))
        a.status = 503;
    if (chsm_retry_decide(&a) != CHSM_RETRY_AGAIN)
        return false;
    return chsm_retry_wait(tries, r->retry_after, chsm_http_limited(l->http), NULL) == 0;
}

int chsm_form_post_again(struct chsm_link *l, const char *url, const struct chsm_buf *form, struct chsm_response *ret, struct chsm_err *err)
{
    struct chsm_err held = { 0 };
    int rc;

    for (unsigned tries = 1;; tries++) {
        rc = chsm_form_post(l, url, form, ret, &held);
        if ((rc == 0 && ret->status == 200) || !again(l, tries, rc, ret, &held))
            break;
        chsm_response_done(ret);
    }
    if (rc < 0 && err)
        *err = held;
    return rc;
}

int chsm_form_token(struct chsm_link *l, const char *grant, const struct chsm_ask *ask, chsm_form_fill *fill, struct chsm_token *ret,
                    struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { .retry_after = -1 };
    AUTO_FREE char *url = NULL;
    const char *tenant = NULL;
    struct chsm_err held = { 0 };
    int rc;

    if (chsm_link_tenant(l, ask, &tenant, err) < 0)
        return -1;
    url = chsm_form_url(l, tenant, "token");
    if (!url)
        return chsm_oom(err);
    for (unsigned tries = 1;; tries++) {
        AUTO_BUF struct chsm_buf form = CHSM_BUF_SECRET(FORM_MAX);

        chsm_response_done(&r);
        if (build(l, grant, ask, strcasecmp(tenant, "adfs") == 0, &form, err) < 0 || fill(l, url, &form, err) < 0)
            return -1;
        rc = chsm_form_post(l, url, &form, &r, &held);
        if (rc == 0 && r.status == 200) {
            if (chsm_token_read(&r, ret, &held) == 0)
                return 0;
            r.status = 0;       /* a proxy's page, or half an answer: as good as none */
        }
        if (!again(l, tries, rc, &r, &held))
            break;
    }
    if (rc < 0 || r.status == 0) {
        if (err)
            *err = held;
        return chsm_token_unreachable(l, err);
    }
    (void)chsm_token_refused(&r, url, &l->secret, err);
    return chsm_err_prefix(err, "sign-in of client %s in tenant %s", l->client_id, tenant);
}
