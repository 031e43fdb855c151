/* SPDX-License-Identifier: Apache-2.0 */
/* The instance metadata service's token endpoint (facts: entra-auth.md §5.2), and what stands for blob storage. */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "sim/token.h"

static int refuse(struct sim_call *c, unsigned status, const char *error, const char *text, struct chsm_err *err)
{
    return sim_answer_json(c->an, status, json_pack("{s:s,s:s}", "error", error, "error_description", text), err);
}

static bool selected(const json_t *identity, const struct sim_request *rq)
{
    const json_t *p = json_object_get(identity, "properties");
    const struct { const char *query, *value; } by[] = {
        { "client_id", chsm_json_str(p, "clientId") },
        { "object_id", chsm_json_str(p, "principalId") },
        { "msi_res_id", chsm_json_str(identity, "id") },
    };

    for (size_t i = 0; i < ARRAY_LEN(by); i++) {
        const char *wanted = sim_query(rq, by[i].query);

        if (wanted && (!by[i].value || strcasecmp(wanted, by[i].value) != 0))
            return false;
    }
    return true;
}

/* Every identity of the cloud counts as assigned to the machine; *ret_count says how many the request may mean. */
static const json_t *find_identity(const struct sim_call *c, size_t *ret_count)
{
    const json_t *found = NULL;
    const char *key;
    json_t *resource;

    *ret_count = 0;
    json_object_foreach(json_object_get(c->root, "resources"), key, resource)
        if (sim_resource_is(resource, SIM_IDENTITY_TYPE) && selected(resource, c->rq)) {
            found = resource;
            ++*ret_count;
        }
    return found;
}

static int issue(struct sim_call *c, const json_t *identity, const char *resource, struct chsm_err *err)
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
    return sim_answer_json(c->an, 200, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "access_token", token, "client_id", claims.client_id,
                                                 "expires_in", in, "expires_on", on, "ext_expires_in", in, "not_before", since,
                                                 "resource", resource, "token_type", "Bearer"), err);
}

int sim_imds(struct sim_call *c, struct chsm_err *err)
{
    static const char *const selectors[] = { "client_id", "object_id", "msi_res_id" };
    const char *metadata = sim_header(c->rq, "Metadata"), *resource = sim_query(c->rq, "resource");
    const json_t *identity;
    size_t named = 0, count;

    if (strcasecmp(c->rq->path, "/metadata/identity/oauth2/token") != 0)
        return refuse(c, 404, "not_found", "There is nothing at this address.", err);
    if (!chsm_streq(c->rq->method, "GET"))
        return refuse(c, 405, "method_not_allowed", "Only GET is allowed.", err);
    if (!metadata || strcasecmp(metadata, "true") != 0)
        return refuse(c, 400, "invalid_request", "Required metadata header not specified", err);
    if (!sim_query(c->rq, "api-version"))
        return refuse(c, 400, "invalid_request", "Required query variable 'api-version' is missing", err);
    if (!resource || !*resource)
        return refuse(c, 400, "invalid_request", "Required audience parameter not specified", err);
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
        named += sim_query(c->rq, selectors[i]) != NULL;
    identity = find_identity(c, &count);
    if (named > 1)
        return refuse(c, 400, "invalid_request", "Only one of client_id, object_id and msi_res_id may be given", err);
    if (count == 0)
        return refuse(c, 400, "invalid_request", "Identity not found", err);
    if (count > 1)
        return refuse(c, 400, "invalid_request", "Multiple user assigned identities exist, please specify the clientId / resourceId of the "
                      "identity in the token request", err);
    return issue(c, identity, resource, err);
}
