/* SPDX-License-Identifier: Apache-2.0 */
/* The identity provider: client_credentials, tokens, errors in Entra's form (facts: entra-auth.md §1, §2, §13). */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "sim/login.h"
#include "sim/token.h"
#include "util/clock.h"
#include "util/enc.h"

int sim_login_refuse(struct sim_call *c, struct chsm_err *err, unsigned status, const char *error, int number, const char *fmt, ...)
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

json_t *sim_login_principal(const json_t *root, const char *client_id)
{
    size_t i;
    json_t *p;

    json_array_foreach(json_object_get(root, "principals"), i, p)
        if (strcasecmp(sim_root_str(p, "clientId"), client_id) == 0)
            return p;
    return NULL;
}

/* Reads the request's claims parameter. 0 when it is good or absent; 1 when the answer has been refused. */
static int read_claims(struct sim_call *c, const char *text, struct sim_claims *ret, struct chsm_err *err)
{
    json_auto_t *claims = NULL;
    const json_t *cc, *nbf, *one;
    char *end = NULL;
    size_t i;

    if (!text)
        return 0;
    if (chsm_json_parse(text, strlen(text), "claims", CHSM_SERVICE, &claims, NULL) < 0 || !json_is_object(claims))
        return sim_login_refuse(c, err, 400, "invalid_request", 90014, "The 'claims' parameter is not a JSON object.") < 0 ? -1 : 1;
    cc = chsm_json_get(claims, "access_token.xms_cc.values");
    json_array_foreach(cc, i, one)
        ret->cae = ret->cae || strcasecmp(json_is_string(one) ? json_string_value(one) : "", "cp1") == 0;
    nbf = chsm_json_get(claims, "access_token.nbf.value");
    if (json_is_string(nbf))
        ret->not_before = strtoll(json_string_value(nbf), &end, 10);
    if (end && *end)
        return sim_login_refuse(c, err, 400, "invalid_request", 90014, "The 'nbf' of the claims is no number.") < 0 ? -1 : 1;
    return 0;
}

int sim_login_issue(struct sim_call *c, const json_t *principal, const char *resource, const char *asked, const char *refresh,
                    struct chsm_err *err)
{
    int64_t life = sim_timing(c->root, "tokenLifetime");
    struct sim_claims claims = {
        .audience = resource, .tenant = sim_root_str(c->root, "tenant"), .client_id = sim_root_str(principal, "clientId"),
        .object_id = sim_root_str(principal, "objectId"), .issued = c->now, .expires = c->now + life,
    };
    AUTO_FREE char *token = NULL;
    int rc = read_claims(c, asked, &claims, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (sim_token_make(c->cloud->signing, &claims, &token, err) < 0)
        return -1;
    return sim_answer_json(c->an, 200, json_pack("{s:s,s:I,s:I,s:s,s:s*}", "token_type", "Bearer", "expires_in", (json_int_t)(life / 1000),
                                                 "ext_expires_in", (json_int_t)(life / 1000), "access_token", token, "refresh_token",
                                                 refresh), err);
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

int sim_login_scope(struct sim_call *c, const char *scope, bool user, char **ret, struct chsm_err *err)
{
    static const char *const more = " openid profile offline_access";
    size_t n = strlen(scope);
    AUTO_FREE char *first = NULL;
    int rc = 0;

    if (user && n > strlen(more) && chsm_streq(scope + n - strlen(more), more))
        n -= strlen(more);
    first = strndup(scope, n);
    if (!first)
        return chsm_oom(err);
    if (strchr(first, ' '))
        rc = sim_login_refuse(c, err, 400, "invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The "
                              "provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", scope);
    else if (!ends_with(first, "/.default"))
        rc = sim_login_refuse(c, err, 400, "invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential "
                              "flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope);
    else if (!(*ret = scope_resource(c, first)))
        rc = sim_login_refuse(c, err, 400, "invalid_resource", 500011, "The resource principal named %s was not found in the tenant named "
                              "%s.", first, sim_root_str(c->root, "tenant"));
    return rc < 0 ? -1 : c->an->status ? 1 : 0;
}

/* Exactly one proof of who the application is. 0: good; 1: refused. */
static int authenticate(struct sim_call *c, const json_t *principal, const json_t *form, struct chsm_err *err)
{
    const char *secret = chsm_json_str(form, "client_secret"), *known = chsm_json_str(principal, "secret");
    bool assertion = chsm_json_str(form, "client_assertion") || chsm_json_str(form, "client_assertion_type");
    int rc;

    if (secret && assertion)
        rc = sim_login_refuse(c, err, 400, "invalid_request", 90023, "Both client_secret and client_assertion are present.");
    else if (assertion)
        return sim_login_assertion(c, principal, form, err);
    else if (!secret)
        rc = sim_login_refuse(c, err, 401, "invalid_client", 7000218,
                              "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
    else if (!known || !same_secret(secret, known))
        rc = sim_login_refuse(c, err, 401, "invalid_client", 7000215,
                              "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
                              "the client secret ID, for a secret added to app '%s'.", sim_root_str(principal, "clientId"));
    else
        return 0;
    return rc < 0 ? -1 : 1;
}

static int client_credentials(struct sim_call *c, const json_t *form, struct chsm_err *err)
{
    const char *client = chsm_json_str(form, "client_id"), *scope = chsm_json_str(form, "scope");
    const json_t *principal = client ? sim_login_principal(c->root, client) : NULL;
    AUTO_FREE char *resource = NULL;
    int rc;

    if (!client || !scope)
        return sim_login_refuse(c, err, 400, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.",
                                client ? "scope" : "client_id");
    if (!principal)
        return sim_login_refuse(c, err, 400, "unauthorized_client", 700016,
                                "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has "
                                "not been installed by the administrator of the tenant or consented to by any user in the tenant.", client,
                                sim_root_str(c->root, "tenant"));
    rc = authenticate(c, principal, form, err);
    if (rc == 0)
        rc = sim_login_scope(c, scope, false, &resource, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    return sim_login_issue(c, principal, resource, chsm_json_str(form, "claims"), NULL, err);
}

/* A person's flows also take the tenants that stand for "whatever the person's is". */
static bool tenant_fits(const struct sim_call *c, bool person)
{
    const char *tenant = c->rq->seg[0];

    return strcasecmp(tenant, sim_root_str(c->root, "tenant")) == 0 ||
           (person && (chsm_streq(tenant, "organizations") || chsm_streq(tenant, "common")));
}

static int wrong_tenant(struct sim_call *c, struct chsm_err *err)
{
    return sim_login_refuse(c, err, 400, "invalid_request", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID "
                            "and are signing into the correct cloud.", c->rq->seg[0]);
}

static int read_form(struct sim_call *c, json_t **ret)
{
    const char *type = sim_header(c->rq, "Content-Type");

    if (!type || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
        return -1;
    return sim_form_parse(chsm_buf_str(&c->rq->body), ret, NULL);
}

static int token_endpoint(struct sim_call *c, const json_t *form, struct chsm_err *err)
{
    static const char *const device = "urn:ietf:params:oauth:grant-type:device_code";
    const char *grant = chsm_json_str(form, "grant_type");
    bool person;

    if (!grant)
        return sim_login_refuse(c, err, 400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.");
    person = chsm_streq(grant, device) || chsm_streq(grant, "device_code") || chsm_streq(grant, "refresh_token");
    if (!tenant_fits(c, person))
        return wrong_tenant(c, err);
    if (chsm_streq(grant, "client_credentials"))
        return client_credentials(c, form, err);
    if (chsm_streq(grant, "refresh_token"))
        return sim_login_refresh(c, form, err);
    if (person)
        return sim_login_device_poll(c, form, err);
    return sim_login_refuse(c, err, 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", grant);
}

/* "{tenant}" and then these words. */
static bool at(const struct sim_request *rq, const char *const *words, size_t n)
{
    if (rq->segs != n + 1)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(rq->seg[i + 1], words[i]) != 0)
            return false;
    return true;
}

static int wrong_method(struct sim_call *c, struct chsm_err *err)
{
    return sim_login_refuse(c, err, 405, "invalid_request", 900561, "The endpoint does not accept %s requests.", c->rq->method);
}

int sim_login(struct sim_call *c, struct chsm_err *err)
{
    static const char *const token[] = { "oauth2", "v2.0", "token" }, *const device[] = { "oauth2", "v2.0", "devicecode" };
    static const char *const configuration[] = { "v2.0", ".well-known", "openid-configuration" };
    json_auto_t *form = NULL;
    bool for_device = at(c->rq, device, ARRAY_LEN(device));

    if (at(c->rq, configuration, ARRAY_LEN(configuration))) {
        if (!chsm_streq(c->rq->method, "GET"))
            return wrong_method(c, err);
        return tenant_fits(c, true) ? sim_login_configuration(c, err) : wrong_tenant(c, err);
    }
    if (!for_device && !at(c->rq, token, ARRAY_LEN(token)))
        return sim_login_refuse(c, err, 404, "invalid_request", 900561, "There is nothing at this address.");
    if (!chsm_streq(c->rq->method, "POST"))
        return wrong_method(c, err);
    if (sim_header(c->rq, "Authorization"))
        return sim_login_refuse(c, err, 400, "invalid_request", 90023, "A token does not belong into a request for one.");
    if (read_form(c, &form) < 0)
        return sim_login_refuse(c, err, 400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.");
    if (for_device)
        return tenant_fits(c, true) ? sim_login_device(c, form, err) : wrong_tenant(c, err);
    return token_endpoint(c, form, err);
}
