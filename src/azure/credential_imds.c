/* SPDX-License-Identifier: Apache-2.0 */
/* Managed identity from the instance metadata service (entra-auth.md §5). Plain http by design, never through a proxy. */
#include "config.h"

#include "azure/credential_kind.h"
#include "azure/retry.h"

#define IMDS "http://169.254.169.254"
#define IMDS_PATH "/metadata/identity/oauth2/token"
#define PROBE_MS 1000

/* Is anything there? Asked without "Metadata: true", so that no token comes back; any answer will do. */
static int probe(struct chsm_credential *c, struct chsm_err *why)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    chsm_deadline before = chsm_http_limit(c->http, chsm_deadline_in(PROBE_MS));
    int rc = chsm_http_do(c->http, &(struct chsm_request){ .method = "GET", .url = c->endpoint, .plain_ok = true }, &r, why);

    (void)chsm_http_limit(c->http, before);
    if (rc < 0)
        return why->code == CHSM_INTERRUPTED ? -1 : chsm_fail(why, CHSM_AUTH, "no metadata service answers at " IMDS);
    if (r.status == 403 && strstr(chsm_buf_str(&r.body), "unreachable"))    /* a container runtime's proxy, not IMDS */
        return chsm_fail(why, CHSM_AUTH, "no metadata service is reachable at " IMDS);
    return 0;
}

static int setup(struct chsm_credential *c, bool chosen, struct chsm_err *why)
{
    const char *host = chsm_credential_env("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    const char *client = chsm_credential_env("AZURE_CLIENT_ID");
    size_t n;

    if (chsm_credential_env("IDENTITY_ENDPOINT") || chsm_credential_env("MSI_ENDPOINT"))
        return chsm_fail(why, CHSM_AUTH,
                         "this machine offers the identity endpoint of App Service or Azure Arc; only IMDS is supported");
    if (client) {
        c->client_id = strdup(client);
        if (!c->client_id)
            return chsm_oom(why);
    }
    n = host ? strlen(host) : 0;
    while (n > 0 && host[n - 1] == '/')
        n--;
    c->endpoint = host ? chsm_strf("%.*s" IMDS_PATH, (int)n, host) : strdup(IMDS IMDS_PATH);
    if (!c->endpoint)
        return chsm_oom(why);
    return chosen || host ? 0 : probe(c, why);
}

static int build_url(const struct chsm_credential *c, const char *resource, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *r = chsm_url_encode(resource);
    AUTO_FREE char *id = c->client_id ? chsm_url_encode(c->client_id) : NULL;

    if (!r || (c->client_id && !id))
        return chsm_oom(err);
    *ret = chsm_strf("%s?api-version=2018-02-01&resource=%s%s%s", c->endpoint, r, id ? "&client_id=" : "", id ? id : "");
    return *ret ? 0 : chsm_oom(err);
}

static int acquire(struct chsm_credential *c, const char *resource, bool fresh, struct chsm_token *ret, struct chsm_err *err)
{
    static const char *const headers[] = { "Metadata: true", "Accept: application/json", NULL };
    AUTO_FREE char *url = NULL;
    AUTO_RESPONSE struct chsm_response r = { 0 };
    struct chsm_request rq = { .method = "GET", .headers = headers, .plain_ok = true, .body_secret = true };
    int64_t began = chsm_mono();

    (void)fresh;
    if (build_url(c, resource, &url, err) < 0)
        return -1;
    rq.url = url;
    for (unsigned tries = 1;; tries++) {
        int64_t ms;

        chsm_response_done(&r);
        if (chsm_http_do(c->http, &rq, &r, err) < 0)
            return chsm_token_unreachable(c, err);
        if (r.status == 200)
            return chsm_token_read(&r, ret, err);
        ms = chsm_retry_imds(r.status, r.retry_after, tries, chsm_mono() - began);
        if (ms < 0)
            break;
        if (chsm_sleep(ms, chsm_http_limited(c->http), err) < 0)
            return chsm_err_prefix(err, "managed identity: waiting after HTTP %ld", r.status);
    }
    (void)chsm_token_refused(&r, c->endpoint, NULL, err);
    return chsm_err_prefix(err, "managed identity");
}

const struct chsm_credential_kind chsm_credential_imds = { "managed-identity", setup, acquire };
