/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "sim/arm.h"
#include "sim/login.h"
#include "sim/token.h"
#include "util/clock.h"
#include "util/enc.h"

static const char *const cluster_versions[] = { "2025-03-31", "2025-12-01-preview", "2026-01-01-preview", NULL };
static const char *const identity_versions[] = { "2018-11-30", "2023-01-31", "2024-11-30", NULL };
static const char *const resources_versions[] = {
    "2016-06-01", "2019-11-01", "2020-06-01", "2021-04-01", "2022-09-01", "2022-12-01", "2024-03-01", "2025-04-01", NULL,
};
static const char *const metadata_versions[] = { "1.0", "2015-01-01", "2019-05-01", "2022-09-01", NULL };

static const struct sim_type cluster_type = { SIM_CLUSTER_TYPE, cluster_versions };
static const struct sim_type identity_type = { SIM_IDENTITY_TYPE, identity_versions };
static const struct sim_type subscription_type = { "Microsoft.Resources/subscriptions", resources_versions };
static const struct sim_type group_type = { SIM_GROUP_TYPE, resources_versions };
static const struct sim_type metadata_type = { "metadata", metadata_versions };

#define SUB "/subscriptions/{}"
#define GROUP SUB "/resourceGroups/{}"
#define HSM "/providers/Microsoft.HardwareSecurityModules"
#define CLUSTER GROUP HSM "/cloudHsmClusters/{}"
#define IDENTITY "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"

static const struct sim_route routes[] = {
    { "GET", "/subscriptions", &subscription_type, sim_arm_subscriptions },
    { "GET", SUB, &subscription_type, sim_arm_subscription },
    { "GET", GROUP, &group_type, sim_arm_group_get },
    { "PUT", GROUP, &group_type, sim_arm_group_put },
    { "GET", GROUP IDENTITY, &identity_type, sim_arm_resource_list },
    { "GET", SUB IDENTITY, &identity_type, sim_arm_resource_list },
    { "GET", GROUP IDENTITY "/{}", &identity_type, sim_arm_resource_get },
    { "PUT", GROUP IDENTITY "/{}", &identity_type, sim_arm_identity_put },
    { "DELETE", GROUP IDENTITY "/{}", &identity_type, sim_arm_resource_delete },
    { "GET", SUB HSM "/cloudHsmClusters", &cluster_type, sim_arm_resource_list },
    { "GET", SUB HSM "/locations/{}/cloudHsmOperationResults/{}", &cluster_type, sim_arm_cluster_delete_status },
    { "GET", GROUP HSM "/cloudHsmClusters", &cluster_type, sim_arm_resource_list },
    { "GET", CLUSTER, &cluster_type, sim_arm_resource_get },
    { "PUT", CLUSTER, &cluster_type, sim_arm_cluster_put },
    { "PATCH", CLUSTER, &cluster_type, sim_arm_cluster_patch },
    { "DELETE", CLUSTER, &cluster_type, sim_arm_cluster_delete },
    { "POST", CLUSTER "/backup", &cluster_type, sim_arm_backup },
    { "POST", CLUSTER "/restore", &cluster_type, sim_arm_restore },
    { "POST", CLUSTER "/validateBackupProperties", &cluster_type, sim_arm_validate_backup },
    { "POST", CLUSTER "/validateRestoreProperties", &cluster_type, sim_arm_validate_restore },
    { "GET", CLUSTER "/backupOperationStatus/{}", &cluster_type, sim_arm_job_status },
    { "GET", CLUSTER "/restoreOperationStatus/{}", &cluster_type, sim_arm_job_status },
    { 0 },
};

int sim_arm_fail(struct sim_call *c, struct chsm_err *err, unsigned status, const char *code, const char *fmt, ...)
{
    AUTO_FREE char *message = NULL;
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = vasprintf(&message, fmt, ap);
    va_end(ap);
    if (rc < 0) {
        message = NULL;
        return chsm_oom(err);
    }
    return sim_answer_json(c->an, status, json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message), err);
}

/* Matches the path against a pattern, names in any case, and collects what stands at each {}. */
static bool match(const char *pattern, const struct sim_request *rq, const char *arg[6])
{
    size_t i = 0, args = 0;

    for (const char *p = pattern; *p; i++) {
        size_t n = strcspn(++p, "/");

        if (i == rq->segs)
            return false;
        if (n == 2 && p[0] == '{')
            arg[args++] = rq->seg[i];
        else if (strlen(rq->seg[i]) != n || strncasecmp(rq->seg[i], p, n) != 0)
            return false;
        p += n;
    }
    return i == rq->segs;
}

static const struct sim_route *find_in(const struct sim_route *table, struct sim_call *c, bool *ret_known_path)
{
    for (; table->method; table++) {
        const char *arg[6] = { NULL };

        if (!match(table->pattern, c->rq, arg))
            continue;
        *ret_known_path = true;
        if (!chsm_streq(table->method, c->rq->method))
            continue;
        memcpy(c->arg, arg, sizeof arg);
        return table;
    }
    return NULL;
}

static const struct sim_route *find_route(struct sim_call *c, bool *ret_known_path)
{
    const struct sim_route *route = find_in(routes, c, ret_known_path);

    return route ? route : find_in(sim_storage_routes, c, ret_known_path);
}

bool sim_arm_audience(const struct sim_cloud *cloud, const char *audience)
{
    const char *const known[] = { "https://management.azure.com", "https://management.core.windows.net", cloud->url[SIM_ARM] };
    size_t n = strlen(audience);

    while (n > 0 && audience[n - 1] == '/')
        n--;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strlen(known[i]) == n && strncmp(known[i], audience, n) == 0)
            return true;
    return false;
}

static int unauthorized(struct sim_call *c, struct chsm_err *err, const char *code, const char *message)
{
    if (sim_arm_fail(c, err, 401, code, "%s", message) < 0)
        return -1;
    return sim_answer_header(c->an, err, "WWW-Authenticate",
                             "Bearer authorization_uri=\"%s/%s\", error=\"invalid_token\", error_description=\"%s\"",
                             c->cloud->url[SIM_LOGIN], sim_root_str(c->root, "tenant"), message);
}

/* A token that was revoked, and whose bearer said that it understands this answer (entra-auth.md §10). */
static int insufficient(struct sim_call *c, const char *claims, struct chsm_err *err)
{
    AUTO_FREE char *coded = chsm_base64url(claims, strlen(claims));

    if (!coded)
        return chsm_oom(err);
    if (sim_arm_fail(c, err, 401, "InvalidAuthenticationToken", "The access token has been revoked; sign in again.") < 0)
        return -1;
    return sim_answer_header(c->an, err, "WWW-Authenticate",
                             "Bearer realm=\"\", authorization_uri=\"%s/common/oauth2/authorize\", client_id=\"00000003\", "
                             "error=\"insufficient_claims\", claims=\"%s\"", c->cloud->url[SIM_LOGIN], coded);
}

/* Checks the caller's token; answers 401 (an->status is then set) when it will not do. */
static int authenticate(struct sim_call *c, struct chsm_err *err)
{
    const char *header = sim_header(c->rq, "Authorization"), *aud;
    json_auto_t *claims = NULL;
    char until[CHSM_TIME_LEN], now[CHSM_TIME_LEN];
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *challenge = NULL;
    int64_t exp;

    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return unauthorized(c, err, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
    if (sim_token_check(c->cloud->signing, header + 7, &claims, NULL) < 0)
        return unauthorized(c, err, "InvalidAuthenticationToken", "The access token is invalid.");
    if (!chsm_streq(chsm_json_str(claims, "tid"), sim_root_str(c->root, "tenant")))
        return unauthorized(c, err, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.");
    aud = chsm_json_str(claims, "aud");
    if (!aud || !sim_arm_audience(c->cloud, aud))
        return unauthorized(c, err, "InvalidAuthenticationTokenAudience",
                            "The access token has been obtained for wrong audience or resource. It should exactly match with one of the "
                            "allowed audiences 'https://management.core.windows.net/','https://management.azure.com/'.");
    exp = json_integer_value(json_object_get(claims, "exp")) * 1000;
    challenge = exp > c->now ? sim_login_challenge(c->root, claims) : NULL;
    if (challenge)
        return insufficient(c, challenge, err);
    if (exp > c->now)
        return 0;
    chsm_time_format(exp, false, until);
    chsm_time_format(c->now, false, now);
    text = chsm_strf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", until, now);
    return text ? unauthorized(c, err, "ExpiredAuthenticationToken", text) : chsm_oom(err);
}

static bool version_known(const struct sim_type *type, const char *version)
{
    for (size_t i = 0; type->versions[i]; i++)
        if (strcasecmp(type->versions[i], version) == 0)
            return true;
    return false;
}

static int bad_version(struct sim_call *c, const struct sim_type *type, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf list = CHSM_BUF(4096);

    for (size_t i = 0; type->versions[i]; i++)
        if (chsm_buf_addf(&list, err, "%s%s", i ? "," : "", type->versions[i]) < 0)
            return -1;
    return sim_arm_fail(c, err, 400, "InvalidApiVersionParameter", "The api-version '%s' is invalid. The supported versions are '%s'.",
                        c->version, chsm_buf_str(&list));
}

bool sim_is_uuid(const char *s)
{
    return strlen(s) == 36 && strspn(s, "0123456789abcdefABCDEF-") == 36;
}

/* Subscription and group are ARM's own business, before any resource provider is asked. */
static int check_scope(struct sim_call *c, const struct sim_route *route, struct chsm_err *err)
{
    AUTO_FREE char *group = NULL;

    if (!c->arg[0])
        return 0;
    if (!sim_is_uuid(c->arg[0]))
        return sim_arm_fail(c, err, 400, "InvalidSubscriptionId", "The provided subscription identifier '%s' is malformed or invalid.",
                            c->arg[0]);
    if (strcasecmp(c->arg[0], sim_root_str(c->root, "subscription")) != 0)
        return sim_arm_fail(c, err, 404, "SubscriptionNotFound", "The subscription '%s' could not be found.", c->arg[0]);
    if (strncmp(route->pattern, GROUP, strlen(GROUP)) != 0 || (route->type == &group_type && chsm_streq(route->method, "PUT")))
        return 0;
    group = chsm_strf("/subscriptions/%s/resourceGroups/%s", c->arg[0], c->arg[1]);
    if (!group)
        return chsm_oom(err);
    if (!sim_resource(c->root, group))
        return sim_arm_fail(c, err, 404, "ResourceGroupNotFound", "Resource group '%s' could not be found.", c->arg[1]);
    return 0;
}

static int read_body(struct sim_call *c, struct chsm_err *err)
{
    if (c->rq->body.len == 0)
        return 0;
    if (chsm_json_parse(c->rq->body.p, c->rq->body.len, "request", CHSM_SERVICE, &c->body, NULL) == 0 && json_is_object(c->body))
        return 0;
    return sim_arm_fail(c, err, 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.");
}

/* A URL that ARM signed itself must come back unchanged. */
static int check_signature(struct sim_call *c, struct chsm_err *err)
{
    if ((!sim_query(c->rq, "s") && !sim_query(c->rq, "t") && !sim_query(c->rq, "h")) || sim_url_ok(c->cloud->signing, c->rq->target))
        return 0;
    return sim_arm_fail(c, err, 403, "InvalidSignature", "The signature of the request URL does not match.");
}

static int serve(struct sim_call *c, const struct sim_route *route, struct chsm_err *err)
{
    c->type = route->type;
    if (check_scope(c, route, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    if (!version_known(c->type, c->version))
        return bad_version(c, c->type, err);
    if (sim_arm_check_provider(c, c->type->name, err) < 0 || sim_arm_settle(c, err) < 0 || sim_arm_groups_settle(c, err) < 0)
        return -1;
    if (!c->an->status && read_body(c, err) < 0)
        return -1;
    return c->an->status ? 0 : route->handler(c, err);
}

static int dispatch(struct sim_call *c, struct chsm_err *err)
{
    bool known_path = false;
    const struct sim_route *route;

    c->version = sim_query(c->rq, "api-version");
    if (!c->version || !*c->version)
        return sim_arm_fail(c, err, 400, "MissingApiVersionParameter",
                            "The api-version query parameter (?api-version=) is required for all requests.");
    if (strcasecmp(c->rq->path, "/metadata/endpoints") == 0)
        return version_known(&metadata_type, c->version) ? sim_arm_metadata(c, err) : bad_version(c, &metadata_type, err);
    if (authenticate(c, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    if (check_signature(c, err) < 0)
        return -1;
    if (c->an->status)
        return 0;
    route = find_route(c, &known_path);
    if (!route && known_path)
        return sim_arm_fail(c, err, 405, "MethodNotAllowed", "The requested resource does not support http method '%s'.", c->rq->method);
    if (!route)
        return sim_arm_fail(c, err, 404, "InvalidResourceType", "The resource type could not be found for the request '%s'.", c->rq->path);
    return serve(c, route, err);
}

/* The headers that ARM puts on every answer. */
static int add_headers(struct sim_call *c, struct chsm_err *err)
{
    const char *correlation = sim_header(c->rq, "x-ms-correlation-request-id"), *client = sim_header(c->rq, "x-ms-client-request-id");
    bool reads = chsm_streq(c->rq->method, "GET"), deletes = chsm_streq(c->rq->method, "DELETE");
    char id[37], when[CHSM_TIME_LEN], digits[CHSM_TIME_LEN];
    size_t n = 0;

    if (chsm_uuid(id, err) < 0)
        return -1;
    if (!correlation || !sim_is_uuid(correlation))
        correlation = id;
    chsm_time_format(c->now, false, when);
    for (const char *p = when; *p; p++)
        if (*p != '-' && *p != ':')
            digits[n++] = *p;
    digits[n] = '\0';
    if (sim_answer_header(c->an, err, "x-ms-request-id", "%s", id) < 0 ||
        sim_answer_header(c->an, err, "x-ms-correlation-request-id", "%s", correlation) < 0 ||
        sim_answer_header(c->an, err, "x-ms-routing-request-id", "SIMULATOR:%s:%s", digits, id) < 0 ||
        sim_answer_header(c->an, err, reads ? "x-ms-ratelimit-remaining-subscription-reads" :
                          deletes ? "x-ms-ratelimit-remaining-subscription-deletes" : "x-ms-ratelimit-remaining-subscription-writes",
                          reads ? "1099" : "799") < 0)
        return -1;
    if (client && chsm_streq(sim_header(c->rq, "x-ms-return-client-request-id"), "true"))
        return sim_answer_header(c->an, err, "x-ms-client-request-id", "%s", client);
    return 0;
}

int sim_arm(struct sim_call *c, struct chsm_err *err)
{
    return dispatch(c, err) < 0 ? -1 : add_headers(c, err);
}
