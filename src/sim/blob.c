/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blob service: who may ask, and two requests, listing a container and making one (facts: storage.md §2). The blobs are
 * the files that backups left below DIR/blobs/ACCOUNT/CONTAINER.
 */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "sim/blob.h"
#include "sim/token.h"
#include "util/enc.h"

static const char *const versions[] = { "2019-12-12", "2020-10-02", "2021-12-02", "2022-11-02",
                                        "2023-11-03", "2024-11-04", "2025-11-05", NULL };

static const struct {
    unsigned status;
    const char *code, *message;
} failures[] = {
    [SIM_BLOB_NO_RESOURCE] = { 404, "ResourceNotFound", "The specified resource does not exist." },
    [SIM_BLOB_ANONYMOUS] = { 409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account." },
    [SIM_BLOB_NO_VERSION] = { 403, "AuthenticationFailed",
                              "Server failed to authenticate the request. Make sure the value of Authorization "
                              "header is formed correctly including the signature." },
    [SIM_BLOB_BAD_VERSION] = { 400, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format." },
    [SIM_BLOB_BAD_TOKEN] = { 401, "InvalidAuthenticationInfo",
                             "Authentication information is not given in the correct format. Check the value "
                             "of Authorization header." },
    [SIM_BLOB_BAD_AUDIENCE] = { 401, "InvalidAuthenticationInfo", "Audience validation failed. Audience did not match." },
    [SIM_BLOB_EXPIRED] = { 401, "InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired." },
    [SIM_BLOB_KEYS_OFF] = { 403, "KeyBasedAuthenticationNotPermitted",
                            "Key based authentication is not permitted on this storage account." },
    [SIM_BLOB_FIREWALL] = { 403, "AuthorizationFailure", "This request is not authorized to perform this operation." },
    [SIM_BLOB_NO_ROLE] = { 403, "AuthorizationPermissionMismatch",
                           "This request is not authorized to perform this operation using this "
                           "permission." },
    [SIM_BLOB_NO_CONTAINER] = { 404, "ContainerNotFound", "The specified container does not exist." },
    [SIM_BLOB_EXISTS] = { 409, "ContainerAlreadyExists", "The specified container already exists." },
    [SIM_BLOB_BAD_NAME] = { 400, "InvalidResourceName", "The specified resource name contains invalid characters." },
    [SIM_BLOB_BAD_QUERY] = { 400, "InvalidQueryParameterValue",
                             "Value for one of the query parameters specified in the request URI is "
                             "invalid." },
    [SIM_BLOB_BAD_METHOD] = { 405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb." },
};

int sim_blob_fail(struct sim_call *c, enum sim_blob_failure f, struct chsm_err *err)
{
    char id[37], now[CHSM_TIME_LEN];
    AUTO_FREE char *body = NULL;

    if (chsm_uuid(id, err) < 0)
        return -1;
    chsm_time_format(c->now, true, now);
    body = chsm_strf(
        "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\nRequestId:%s\nTime:%s</Message>"
        "</Error>",
        failures[f].code, failures[f].message, id, now);
    if (!body)
        return chsm_oom(err);
    if (sim_answer_text(c->an, failures[f].status, "application/xml", body, err) < 0)
        return -1;
    if (failures[f].status == 401 &&
        sim_answer_header(c->an, err, "WWW-Authenticate",
                          "Bearer authorization_uri=%s/%s/oauth2/authorize resource_id=https://storage.azure.com",
                          c->cloud->url[SIM_LOGIN], sim_root_str(c->root, "tenant")) < 0)
        return -1;
    return sim_answer_header(c->an, err, "x-ms-error-code", "%s", failures[f].code);
}

/* The account is the first part of the host name, else of the path; the container comes next. *ret_rest: parts after it. */
static json_t *find_account(const struct sim_call *c, const char **ret_container, size_t *ret_rest)
{
    const char *host = sim_header(c->rq, "Host"), *key, *name;
    const char *dot = host ? strstr(host, ".blob.localhost") : NULL;
    size_t at = dot ? 0 : 1;
    json_t *each;
    size_t n;

    name = dot ? host : c->rq->segs > 0 ? c->rq->seg[0] : "";
    n = dot ? (size_t)(dot - host) : strlen(name);
    *ret_container = c->rq->segs > at ? c->rq->seg[at] : NULL;
    *ret_rest = c->rq->segs > at + 1 ? c->rq->segs - at - 1 : 0;
    json_object_foreach (json_object_get(c->root, "resources"), key, each) {
        const char *known = chsm_json_str(each, "name");

        if (sim_resource_is(each, SIM_ACCOUNT_TYPE) && strlen(known) == n && strncasecmp(known, name, n) == 0)
            return each;
    }
    return NULL;
}

static bool audience_ok(const char *aud, const char *account)
{
    AUTO_FREE char *own = chsm_strf("https://%s.blob.core.windows.net", account);
    const char *const known[] = { CHSM_SIM_STORAGE, own };
    size_t n = aud ? strlen(aud) : 0;

    while (n > 0 && aud[n - 1] == '/')
        n--;
    for (size_t i = 0; own && i < ARRAY_LEN(known); i++)
        if (strlen(known[i]) == n && strncmp(known[i], aud, n) == 0)
            return true;
    return false;
}

static bool version_known(const char *version)
{
    for (size_t i = 0; versions[i]; i++)
        if (strcmp(versions[i], version) == 0)
            return true;
    return false;
}

/* Who asks; *ret is the caller's object id, a new string. SIM_BLOB_OK when the token will do. */
static enum sim_blob_failure authenticate(struct sim_call *c, const json_t *account, char **ret)
{
    const char *header = sim_header(c->rq, "Authorization"), *version = sim_header(c->rq, "x-ms-version");
    const json_t *p = json_object_get(account, "properties");
    json_auto_t *claims = NULL;

    if (sim_query(c->rq, "sig") || (header && strncmp(header, "SharedKey ", 10) == 0))
        return json_is_false(json_object_get(p, "allowSharedKeyAccess")) ? SIM_BLOB_KEYS_OFF : SIM_BLOB_NO_VERSION;
    if (!header)
        return json_is_false(json_object_get(p, "allowBlobPublicAccess")) ? SIM_BLOB_ANONYMOUS : SIM_BLOB_NO_RESOURCE;
    if (strncasecmp(header, "Bearer ", 7) != 0 || !version)
        return SIM_BLOB_NO_VERSION;
    if (!version_known(version))
        return SIM_BLOB_BAD_VERSION;
    if (sim_token_check(c->cloud->signing, header + 7, &claims, NULL) < 0 ||
        !chsm_streq(chsm_json_str(claims, "tid"), sim_root_str(c->root, "tenant")))
        return SIM_BLOB_BAD_TOKEN;
    if (!audience_ok(chsm_json_str(claims, "aud"), chsm_json_str(account, "name")))
        return SIM_BLOB_BAD_AUDIENCE;
    if (json_integer_value(json_object_get(claims, "exp")) * 1000 <= c->now)
        return SIM_BLOB_EXPIRED;
    *ret = strdup(sim_root_str(claims, "oid"));
    return SIM_BLOB_OK;
}

/* The firewall lets nobody in from the outside when public access is off or the default is Deny; rules are not looked at. */
static bool walled(const json_t *account)
{
    return chsm_streq(json_string_value(chsm_json_get(account, "properties.publicNetworkAccess")), "Disabled") ||
           chsm_streq(json_string_value(chsm_json_get(account, "properties.networkAcls.defaultAction")), "Deny");
}

static enum sim_blob_failure authorize(struct sim_call *c, const json_t *account, const char *container, bool write)
{
    AUTO_FREE char *who = NULL;
    AUTO_FREE char *scope = chsm_strf("%s/blobServices/default/containers/%s", chsm_json_str(account, "id"), container);
    enum sim_blob_failure f = authenticate(c, account, &who);

    if (f != SIM_BLOB_OK)
        return f;
    if (walled(account))
        return SIM_BLOB_FIREWALL;
    if (!who || !scope || !sim_role_has(c->root, who, write ? SIM_BLOB_CONTRIBUTOR : SIM_BLOB_READER, scope))
        return SIM_BLOB_NO_ROLE;
    return SIM_BLOB_OK;
}

static int create(struct sim_call *c, const json_t *account, const char *container, struct chsm_err *err)
{
    json_t *made;

    if (!sim_container_name_ok(container))
        return sim_blob_fail(c, SIM_BLOB_BAD_NAME, err);
    made = sim_container_make(account, container);
    if (!made)
        return chsm_oom(err);
    if (sim_resource(c->root, chsm_json_str(made, "id"))) {
        json_decref(made);
        return sim_blob_fail(c, SIM_BLOB_EXISTS, err);
    }
    c->state->dirty = true;
    sim_answer_empty(c->an, 201);
    return sim_resource_put(c->root, made, err);
}

int sim_blob(struct sim_call *c, struct chsm_err *err)
{
    const char *container = NULL, *restype = sim_query(c->rq, "restype"), *comp = sim_query(c->rq, "comp");
    size_t rest = 0;
    const json_t *account = find_account(c, &container, &rest);
    bool get = chsm_streq(c->rq->method, "GET"), put = chsm_streq(c->rq->method, "PUT");
    enum sim_blob_failure f;

    if (!account || !container)
        return sim_blob_fail(c, SIM_BLOB_NO_RESOURCE, err);
    if (!get && !put)
        return sim_blob_fail(c, SIM_BLOB_BAD_METHOD, err);
    f = authorize(c, account, container, put);
    if (f == SIM_BLOB_OK && (rest > 0 || !chsm_streq(restype, "container") || (get && !chsm_streq(comp, "list"))))
        f = SIM_BLOB_BAD_QUERY;
    if (f != SIM_BLOB_OK)
        return sim_blob_fail(c, f, err);
    return put ? create(c, account, container, err) : sim_blob_list(c, account, container, err);
}
