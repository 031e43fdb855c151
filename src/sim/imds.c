/* SPDX-License-Identifier: Apache-2.0 */
/* The instance metadata service's token endpoint (facts: entra-auth.md §5.2), and what stands for blob storage. */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "sim/identity.h"
#include "sim/token.h"

int sim_identity_refuse(struct sim_call *c, unsigned status, const char *error, const char *text, struct chsm_err *err)
{
    return sim_answer_json(c->an, status, json_pack("{s:s,s:s}", "error", error, "error_description", text), err);
}

#define REFUSE(c, status, error, text, err) (sim_identity_refuse((c), (status), (error), (text), (err)) < 0 ? -1 : 1)

struct selector { const char *query, *value; };

static bool selected(const json_t *identity, const struct sim_request *rq, const char *client)
{
    const json_t *p = json_object_get(identity, "properties");
    const struct selector by[] = {
        { client, chsm_json_str(p, "clientId") },
        { "object_id", chsm_json_str(p, "principalId") }, { "principal_id", chsm_json_str(p, "principalId") },
        { "msi_res_id", chsm_json_str(identity, "id") }, { "mi_res_id", chsm_json_str(identity, "id") },
    };

    for (size_t i = 0; i < ARRAY_LEN(by); i++) {
        const char *wanted = sim_query(rq, by[i].query);

        if (wanted && (!by[i].value || strcasecmp(wanted, by[i].value) != 0))
            return false;
    }
    return true;
}

int sim_identity_find(struct sim_call *c, const char *client, const json_t **ret, struct chsm_err *err)
{
    const char *const selectors[] = { client, "object_id", "principal_id", "msi_res_id", "mi_res_id" };
    size_t named = 0, count = 0;
    const char *key;
    json_t *resource;

    for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
        named += sim_query(c->rq, selectors[i]) != NULL;
    if (named > 1)
        return REFUSE(c, 400, "invalid_request", "Only one of client_id, object_id and msi_res_id may be given", err);
    json_object_foreach(json_object_get(c->root, "resources"), key, resource)
        if (sim_resource_is(resource, SIM_IDENTITY_TYPE) && selected(resource, c->rq, client)) {
            *ret = resource;
            count++;
        }
    if (count == 0)
        return REFUSE(c, 400, "invalid_request", "Identity not found", err);
    if (count > 1)
        return REFUSE(c, 400, "invalid_request", "Multiple user assigned identities exist, please specify the clientId / resourceId of the "
                      "identity in the token request", err);
    return 0;
}

int sim_identity_issue(struct sim_call *c, const json_t *identity, const char *resource, bool brief, struct chsm_err *err)
{
    const json_t *p = json_object_get(identity, "properties");
    int64_t life = sim_timing(c->root, "tokenLifetime");
    struct sim_claims claims = {
        .audience = resource, .tenant = sim_root_str(c->root, "tenant"), .client_id = chsm_json_str(p, "clientId"),
        .object_id = chsm_json_str(p, "principalId"), .issued = c->now, .expires = c->now + life,
    };
    AUTO_FREE char *token = NULL;
    AUTO_FREE char *in = chsm_strf("%lld", (long long)life / 1000);
    AUTO_FREE char *on = chsm_strf("%lld", (long long)(c->now + life) / 1000);
    AUTO_FREE char *since = chsm_strf("%lld", (long long)c->now / 1000);

    if (!in || !on || !since)
        return chsm_oom(err);
    if (sim_token_make(c->cloud->signing, &claims, &token, err) < 0)
        return -1;
    if (brief)
        return sim_answer_json(c->an, 200, json_pack("{s:s,s:s,s:s,s:s,s:s}", "access_token", token, "client_id", claims.client_id,
                                                     "expires_on", on, "resource", resource, "token_type", "Bearer"), err);
    return sim_answer_json(c->an, 200, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "access_token", token, "client_id", claims.client_id,
                                                 "expires_in", in, "expires_on", on, "ext_expires_in", in, "not_before", since,
                                                 "resource", resource, "token_type", "Bearer"), err);
}

static int metadata_service(struct sim_call *c, struct chsm_err *err)
{
    const char *metadata = sim_header(c->rq, "Metadata"), *resource = sim_query(c->rq, "resource");
    const json_t *identity = NULL;
    int rc;

    if (!chsm_streq(c->rq->method, "GET"))
        return sim_identity_refuse(c, 405, "method_not_allowed", "Only GET is allowed.", err);
    if (!metadata || strcasecmp(metadata, "true") != 0)
        return sim_identity_refuse(c, 400, "invalid_request", "Required metadata header not specified", err);
    if (!sim_query(c->rq, "api-version"))
        return sim_identity_refuse(c, 400, "invalid_request", "Required query variable 'api-version' is missing", err);
    if (!resource || !*resource)
        return sim_identity_refuse(c, 400, "invalid_request", "Required audience parameter not specified", err);
    rc = sim_identity_find(c, "client_id", &identity, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    return sim_identity_issue(c, identity, resource, false, err);
}

/* Everything that is served over plain http on this machine. */
int sim_imds(struct sim_call *c, struct chsm_err *err)
{
    static const struct { const char *path; int (*serve)(struct sim_call *, struct chsm_err *); } paths[] = {
        { "/metadata/identity/oauth2/token", metadata_service },
        { "/MSI/token", sim_identity_app },
        { "/shell/oauth2/token", sim_identity_shell },
        { "/arc/metadata/identity/oauth2/token", sim_identity_arc },
    };
    const char *authorization = sim_header(c->rq, "Authorization");

    /* A bearer token has no business on plain http, and a proxy has none between a machine and its own metadata service. */
    if (authorization && strncasecmp(authorization, "Bearer", 6) == 0)
        return sim_identity_refuse(c, 400, "invalid_request", "A bearer token was sent over plain http.", err);
    if (sim_header(c->rq, "X-Forwarded-For") || sim_header(c->rq, "Via"))
        return sim_identity_refuse(c, 400, "invalid_request", "The request came through a proxy.", err);
    /* Some clients put a slash before the query, and the service does not mind. */
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (strncasecmp(c->rq->path, paths[i].path, strlen(paths[i].path)) == 0 && strspn(c->rq->path + strlen(paths[i].path), "/") ==
            strlen(c->rq->path + strlen(paths[i].path)))
            return paths[i].serve(c, err);
    return sim_identity_refuse(c, 404, "not_found", "There is nothing at this address.", err);
}
