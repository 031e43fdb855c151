/* SPDX-License-Identifier: Apache-2.0 */
/* The identity provider: client_credentials with a secret, errors in Entra's form (facts: entra-auth.md §1, §2, §13). */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "sim/cloud.h"
#include "sim/token.h"
#include "util/clock.h"
#include "util/enc.h"

CHSM_PRINTF(6, 7)
static int refuse(struct sim_call *c, struct chsm_err *err, unsigned status, const char *error, int number, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    char trace[37], correlation[37], when[CHSM_TIME_LEN];
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (rc < 0) {
        text = NULL;
        return chsm_oom(err);
    }
    if (chsm_uuid(trace, err) < 0 || chsm_uuid(correlation, err) < 0)
        return -1;
    chsm_time_format(c->now, false, when);
    return sim_answer_json(c->an, status,
                           json_pack("{s:s,s:o,s:[i],s:s,s:s,s:s,s:o}", "error", error, "error_description",
                                     json_sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, text, trace,
                                                  correlation, when),
                                     "error_codes", number, "timestamp", when, "trace_id", trace, "correlation_id", correlation,
                                     "error_uri", json_sprintf("%s/error?code=%d", c->cloud->url[SIM_LOGIN], number)), err);
}

/* "RESOURCE/.default" to RESOURCE when it is one that this cloud knows; NULL otherwise. The caller frees it. */
static char *scope_resource(const struct sim_call *c, const char *scope)
{
    static const char *const known[] = { "https://storage.azure.com", "https://managedhsm.azure.net", "https://vault.azure.net" };
    size_t n = strlen(scope) - strlen("/.default");
    AUTO_FREE char *resource = strndup(scope, n);
    size_t bare = n;

    if (!resource)
        return NULL;
    while (bare > 0 && resource[bare - 1] == '/')
        bare--;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strlen(known[i]) == bare && strncmp(known[i], resource, bare) == 0)
            return TAKE(resource);
    return sim_arm_audience(c->cloud, resource) ? TAKE(resource) : NULL;
}

static const json_t *find_principal(const struct sim_call *c, const char *client_id)
{
    size_t i;
    json_t *p;

    json_array_foreach(json_object_get(c->root, "principals"), i, p)
        if (strcasecmp(sim_root_str(p, "clientId"), client_id) == 0)
            return p;
    return NULL;
}

static int issue(struct sim_call *c, const json_t *principal, const char *resource, struct chsm_err *err)
{
    int64_t life = sim_timing(c->root, "tokenLifetime");
    struct sim_claims claims = {
        .audience = resource, .tenant = sim_root_str(c->root, "tenant"), .client_id = sim_root_str(principal, "clientId"),
        .object_id = sim_root_str(principal, "objectId"), .issued = c->now, .expires = c->now + life,
    };
    AUTO_FREE char *token = NULL;

    if (sim_token_make(c->cloud->signing, &claims, &token, err) < 0)
        return -1;
    return sim_answer_json(c->an, 200, json_pack("{s:s,s:I,s:I,s:s}", "token_type", "Bearer", "expires_in", (json_int_t)(life / 1000),
                                                 "ext_expires_in", (json_int_t)(life / 1000), "access_token", token), err);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), e = strlen(end);

    return n > e && chsm_streq(s + n - e, end);
}

static bool same_secret(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && CRYPTO_memcmp(a, b, strlen(a)) == 0;
}

static int client_credentials(struct sim_call *c, const json_t *form, struct chsm_err *err)
{
    const char *client = chsm_json_str(form, "client_id"), *secret = chsm_json_str(form, "client_secret");
    const char *scope = chsm_json_str(form, "scope"), *tenant = sim_root_str(c->root, "tenant");
    const json_t *principal = client ? find_principal(c, client) : NULL;
    AUTO_FREE char *resource = NULL;

    if (!client || !scope)
        return refuse(c, err, 400, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.",
                      client ? "scope" : "client_id");
    if (!principal)
        return refuse(c, err, 400, "unauthorized_client", 700016,
                      "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been "
                      "installed by the administrator of the tenant or consented to by any user in the tenant.", client, tenant);
    if (!secret)
        return refuse(c, err, 401, "invalid_client", 7000218,
                      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
    if (!same_secret(secret, sim_root_str(principal, "secret")))
        return refuse(c, err, 401, "invalid_client", 7000215,
                      "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client "
                      "secret ID, for a secret added to app '%s'.", client);
    if (strchr(scope, ' '))
        return refuse(c, err, 400, "invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The provided value for "
                      "the input parameter 'scope' is not valid. The scope %s is not valid.", scope);
    if (!ends_with(scope, "/.default"))
        return refuse(c, err, 400, "invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a "
                      "scope value with /.default suffixed to the resource identifier (application ID URI).", scope);
    resource = scope_resource(c, scope);
    if (!resource)
        return refuse(c, err, 400, "invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s.", scope,
                      tenant);
    return issue(c, principal, resource, err);
}

static int token_endpoint(struct sim_call *c, struct chsm_err *err)
{
    json_auto_t *form = NULL;
    const char *type = sim_header(c->rq, "Content-Type"), *grant;

    if (strcasecmp(c->rq->seg[0], sim_root_str(c->root, "tenant")) != 0)
        return refuse(c, err, 400, "invalid_request", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are "
                      "signing into the correct cloud.", c->rq->seg[0]);
    if (!type || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0 ||
        sim_form_parse(chsm_buf_str(&c->rq->body), &form, NULL) < 0 || !(grant = chsm_json_str(form, "grant_type")))
        return refuse(c, err, 400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.");
    if (!chsm_streq(grant, "client_credentials"))
        return refuse(c, err, 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", grant);
    return client_credentials(c, form, err);
}

int sim_login(struct sim_call *c, struct chsm_err *err)
{
    const struct sim_request *rq = c->rq;

    if (rq->segs != 4 || strcasecmp(rq->seg[1], "oauth2") != 0 || strcasecmp(rq->seg[2], "v2.0") != 0 || strcasecmp(rq->seg[3], "token") != 0)
        return refuse(c, err, 404, "invalid_request", 900561, "There is nothing at this address.");
    if (!chsm_streq(rq->method, "POST"))
        return refuse(c, err, 405, "invalid_request", 900561, "The endpoint only accepts POST requests. Received a %s request.", rq->method);
    return token_endpoint(c, err);
}
