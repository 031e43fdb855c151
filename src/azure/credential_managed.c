/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed identity from whatever this machine offers (entra-auth.md §5). Plain http by design: never with a bearer token,
 * never redirected, never through a proxy.
 */
#include "config.h"

#include <strings.h>

#include "azure/credential_managed.h"
#include "azure/retry.h"
#include "util/redact.h"

#define IMDS "http://169.254.169.254"
#define IMDS_PATH "/metadata/identity/oauth2/token"
#define ARC_ENDPOINT "http://127.0.0.1:40342" IMDS_PATH
#define ARC_AGENT "/opt/azcmagent/bin/himds"
#define PROBE_MS 1000
#define LONG_MS (2 * INT64_C(3600000))

static const struct source {
    const char *detail, *version, *client;  /* what is shown; api-version; name of the parameter for a user-assigned identity */
    const char *header, *header_env;        /* the header that proves that we are on this machine */
} sources[] = {
    [CHSM_MANAGED_IMDS] = { "instance metadata service", "2018-02-01", "client_id", NULL, NULL },
    [CHSM_MANAGED_APP] = { "App Service or Container Apps", "2019-08-01", "client_id", "X-IDENTITY-HEADER", "IDENTITY_HEADER" },
    [CHSM_MANAGED_APP_2017] = { "App Service", "2017-09-01", "clientid", "secret", "MSI_SECRET" },
    [CHSM_MANAGED_SHELL] = { "Cloud Shell", NULL, NULL, NULL, NULL },
    [CHSM_MANAGED_ARC] = { "Azure Arc", "2020-06-01", "client_id", NULL, NULL },
};

static int choose(struct chsm_link *l, const char **ret_endpoint, struct chsm_err *err)
{
    const char *identity = chsm_credential_env("IDENTITY_ENDPOINT"), *header = chsm_credential_env("IDENTITY_HEADER");
    const char *msi = chsm_credential_env("MSI_ENDPOINT");

    *ret_endpoint = identity;
    if (identity && header && chsm_credential_env("IDENTITY_SERVER_THUMBPRINT"))
        return chsm_fail(err, CHSM_CONFIG, "managed identity of Service Fabric (IDENTITY_SERVER_THUMBPRINT) is not supported");
    if (identity && header) {
        l->managed = CHSM_MANAGED_APP;
    } else if (msi) {
        l->managed = chsm_credential_env("MSI_SECRET") ? CHSM_MANAGED_APP_2017 : CHSM_MANAGED_SHELL;
        *ret_endpoint = msi;
    } else if ((identity && chsm_credential_env("IMDS_ENDPOINT")) || access(ARC_AGENT, F_OK) == 0) {
        l->managed = CHSM_MANAGED_ARC;
        *ret_endpoint = identity ? identity : ARC_ENDPOINT;
    } else {
        l->managed = CHSM_MANAGED_IMDS;
        *ret_endpoint = NULL;
    }
    return 0;
}

static int set_endpoint(struct chsm_link *l, const char *given, struct chsm_err *err)
{
    const char *host = chsm_credential_env("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    size_t n = host ? strlen(host) : 0;
    AUTO_FREE char *origin = NULL;
    AUTO_FREE char *shown = NULL;

    while (n > 0 && host[n - 1] == '/')
        n--;
    l->endpoint = given ? strdup(given) : host ? chsm_strf("%.*s" IMDS_PATH, (int)n, host) : strdup(IMDS IMDS_PATH);
    l->probed = l->managed != CHSM_MANAGED_IMDS || host || l->alone;
    if (!l->endpoint)
        return chsm_oom(err);
    origin = chsm_url_origin(l->endpoint);
    shown = chsm_redact_url(l->endpoint);
    if (origin && shown)
        return 0;
    return chsm_fail(err, CHSM_CONFIG, "the address of the managed identity's endpoint is no address: %s", shown ? shown : "");
}

static int setup(struct chsm_link *l, struct chsm_err *err)
{
    const char *client = chsm_credential_env("AZURE_CLIENT_ID"), *endpoint = NULL, *header;

    if (choose(l, &endpoint, err) < 0)
        return -1;
    l->detail = sources[l->managed].detail;
    header = sources[l->managed].header_env ? chsm_credential_env(sources[l->managed].header_env) : NULL;
    if (client && l->managed == CHSM_MANAGED_SHELL) {
        (void)chsm_fail(err, CHSM_CONFIG, "Cloud Shell has no user-assigned identities, and AZURE_CLIENT_ID names one");
        return chsm_err_hint(err, "unset AZURE_CLIENT_ID, or choose another --credential");
    }
    if (client && !(l->client_id = strdup(client)))
        return chsm_oom(err);
    if (header && !chsm_token_ok(header, strlen(header)))
        return chsm_fail(err, CHSM_CONFIG, "%s holds blanks or control characters", sources[l->managed].header_env);
    if (header && chsm_secret_set(&l->secret, header, strlen(header), err) < 0)
        return -1;
    return set_endpoint(l, endpoint, err);
}

/* Is anything there? Asked without "Metadata: true", so that no token comes back; any answer will do. */
static int probe(struct chsm_link *l, struct chsm_err *why)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    chsm_deadline before = chsm_http_limited(l->http), mine = chsm_deadline_in(PROBE_MS);
    int rc;

    if (l->probed)
        return 0;
    (void)chsm_http_limit(l->http, before && before < mine ? before : mine);
    rc = chsm_http_do(l->http, &(struct chsm_request){ .method = "GET", .url = l->endpoint, .plain_ok = true }, &r, why);
    (void)chsm_http_limit(l->http, before);
    if (rc < 0)
        return why->code == CHSM_INTERRUPTED ? -1 : chsm_link_absent(why, "no metadata service answers at " IMDS);
    if (r.status == 403 && strstr(chsm_buf_str(&r.body), "unreachable"))    /* a container runtime's proxy, not IMDS */
        return chsm_link_absent(why, "no metadata service is reachable at " IMDS);
    l->probed = true;
    return 0;
}

/* The endpoint may carry a query already. */
static int build_url(const struct chsm_link *l, const char *resource, char **ret, struct chsm_err *err)
{
    const struct source *s = &sources[l->managed];
    AUTO_FREE char *r = chsm_url_encode(resource);
    AUTO_FREE char *id = l->client_id ? chsm_url_encode(l->client_id) : NULL;

    if (!r || (l->client_id && !id))
        return chsm_oom(err);
    if (s->version)
        *ret = chsm_strf("%s%capi-version=%s&resource=%s%s%s%s%s", l->endpoint, strchr(l->endpoint, '?') ? '&' : '?', s->version, r,
                         id ? "&" : "", id ? s->client : "", id ? "=" : "", id ? id : "");
    else
        *ret = strdup(l->endpoint);
    return *ret ? 0 : chsm_oom(err);
}

static int exchange(struct chsm_link *l, const char *url, const char *resource, struct chsm_response *r, struct chsm_err *err)
{
    const struct source *s = &sources[l->managed];
    AUTO_BUF struct chsm_buf proof = CHSM_BUF_SECRET(CHSM_SECRET_MAX), form = CHSM_BUF(4096);
    const char *headers[] = { "Accept: application/json", "Metadata: true", NULL };
    struct chsm_request rq = { .method = "GET", .url = url, .headers = headers, .plain_ok = true, .body_secret = true };

    if (l->managed == CHSM_MANAGED_ARC)
        return chsm_arc_exchange(l, url, CHSM_ARC_TOKENS, r, err);
    if (s->header) {
        if (chsm_buf_addf(&proof, err, "%s: %s", s->header, l->secret.p) < 0)
            return -1;
        headers[1] = chsm_buf_str(&proof);
    }
    if (l->managed == CHSM_MANAGED_SHELL) {
        if (chsm_form_add(&form, "resource", resource, err) < 0)
            return -1;
        rq.method = "POST";
        rq.content_type = "application/x-www-form-urlencoded";
        rq.body = form.p;
        rq.body_len = form.len;
    }
    return chsm_http_do(l->http, &rq, r, err);
}

/* ms until the next try, -1 = no further one. */
static int64_t wait_for(const struct chsm_link *l, const struct chsm_response *r, enum chsm_code code, unsigned tries, int64_t elapsed)
{
    struct chsm_attempt a = { .tries = tries, .status = r->status, .retry_after = r->retry_after, .sent = r->sent,
                              .hopeless = r->hopeless, .code = code };

    return l->managed == CHSM_MANAGED_IMDS ? chsm_retry_imds(&a, elapsed) : chsm_retry_endpoint(&a);
}

/* An old Arc agent does not know user-assigned identities, and gives the machine's own without a word. */
static int check_identity(const struct chsm_link *l, const json_t *answer, struct chsm_err *err)
{
    const char *got = chsm_json_str(answer, "client_id");

    if (l->managed != CHSM_MANAGED_ARC || !l->client_id || (got && strcasecmp(got, l->client_id) == 0))
        return 0;
    (void)chsm_fail(err, CHSM_AUTH, "the Azure Arc agent gave a token of another identity than AZURE_CLIENT_ID names");
    return chsm_err_hint(err, "unset AZURE_CLIENT_ID to use the machine's own identity, or update the agent");
}

/* An answer that holds no token (half of one, somebody else's page) is as good as none: its status becomes 0. */
static int read_answer(struct chsm_link *l, struct chsm_response *r, struct chsm_token *ret, struct chsm_err *err)
{
    struct chsm_token token = { 0 };
    json_t *answer = NULL;
    int rc;

    if (chsm_token_read_more(r, &token, &answer, err) < 0) {
        r->status = 0;
        return -1;
    }
    rc = check_identity(l, answer, err);
    chsm_token_forget(answer);
    /* A day's token is renewed after half of it, as Microsoft's clients do (§11): the endpoint may be away for a while. */
    if (token.renew == 0 && token.life >= LONG_MS)
        token.renew = token.life / 2;
    if (rc == 0)
        *ret = token;
    else
        chsm_secret_done(&token.value);
    return rc;
}

/* Without an answer of use. Where somebody is there, the search ends: see may_be_another(). */
static int unreachable(const struct chsm_link *l, const struct chsm_response *r, struct chsm_err *err)
{
    (void)chsm_token_unreachable(l, err);
    if (l->alone || r->sent || err->code != CHSM_AUTH || l->managed != CHSM_MANAGED_IMDS)
        return -1;
    return chsm_link_absent(err, "no metadata service answers at %s", l->endpoint);
}

/*
 * Whether the next link of a chain may be meant: no identity here, several and none named, or something else than a metadata service
 * at its address. An endpoint that the environment names, or a service that is there and fails, ends the search: another link would
 * act as somebody else.
 */
static bool may_be_another(const struct chsm_link *l, long status)
{
    if (l->alone)
        return false;
    return status == 400 || (l->managed == CHSM_MANAGED_IMDS && status >= 300 && status < 500 && status != 410 && !chsm_retry_transient(status));
}

/* -1 with *err as it was: r->status says it all. */
static int try_once(struct chsm_link *l, const char *url, const char *resource, struct chsm_response *r, struct chsm_token *ret,
                    struct chsm_err *err)
{
    chsm_response_done(r);
    if (exchange(l, url, resource, r, err) < 0)
        return -1;
    return r->status == 200 ? read_answer(l, r, ret, err) : -1;
}

static int acquire_until(struct chsm_link *l, const char *url, const char *resource, struct chsm_token *ret, struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { .retry_after = -1 };
    AUTO_FREE char *shown = NULL;
    int64_t began = chsm_mono(), ms;
    struct chsm_err held;

    for (unsigned tries = 1;; tries++) {
        held = (struct chsm_err){ 0 };
        if (try_once(l, url, resource, &r, ret, &held) == 0)
            return 0;
        ms = wait_for(l, &r, held.code, tries, chsm_mono() - began);
        if (ms < 0)
            break;
        if (chsm_sleep(ms, chsm_http_limited(l->http), err) < 0)
            return r.status ? chsm_err_prefix(err, "managed identity: waiting after HTTP %ld", r.status)
                            : chsm_err_prefix(err, "managed identity: waiting after %s", held.text);
    }
    if (held.code != CHSM_OK) {
        *err = held;
        return unreachable(l, &r, err);
    }
    shown = chsm_redact_url(l->endpoint);
    (void)chsm_token_refused(&r, shown ? shown : "", &l->secret, err);
    (void)chsm_err_prefix(err, "managed identity (%s)", l->detail);
    return may_be_another(l, r.status) ? CHSM_LINK_ABSENT : -1;
}

static int acquire(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    AUTO_FREE char *url = NULL;
    int rc;

    if (ask->claims) {
        (void)chsm_fail(err, CHSM_AUTH, "the token of the managed identity has been revoked, and a managed identity cannot answer that");
        return chsm_err_hint(err, "ask the tenant's administrator what revoked it; a new token comes when the old one has expired");
    }
    rc = probe(l, err);
    if (rc != 0 || (rc = build_url(l, ask->resource, &url, err)) != 0)
        return rc;
    return acquire_until(l, url, ask->resource, ret, err);
}

const struct chsm_link_kind chsm_link_managed = {
    "managed-identity", "ManagedIdentityCredential", CHSM_LINK_DEFAULT | CHSM_LINK_PROD, setup, acquire,
};
