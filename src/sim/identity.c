/* SPDX-License-Identifier: Apache-2.0 */
/* Managed identity where it is not the metadata service (facts: entra-auth.md §5.2, §5.4). */
#include "config.h"

#include <strings.h>

#include "sim/identity.h"
#include "util/enc.h"
#include "util/path.h"

/* App Service answers errors in a form of its own. */
static int app_refuse(struct sim_call *c, unsigned status, const char *text, struct chsm_err *err)
{
    return sim_answer_json(c->an, status, json_pack("{s:i,s:s}", "statusCode", (int)status, "message", text), err);
}

/* The header that only this machine's processes know. `other` belongs to the other version, and must not be there. */
static bool proves(const struct sim_call *c, const char *name, const char *other)
{
    const char *value = sim_header(c->rq, name);

    return value && !sim_header(c->rq, other) && chsm_streq(value, sim_root_str(c->root, "identityHeader"));
}

int sim_identity_app(struct sim_call *c, struct chsm_err *err)
{
    const char *version = sim_query(c->rq, "api-version"), *resource = sim_query(c->rq, "resource");
    bool old = chsm_streq(version, "2017-09-01");
    const json_t *identity = NULL;
    int rc;

    if (!chsm_streq(c->rq->method, "GET"))
        return app_refuse(c, 405, "Only GET is allowed.", err);
    if (!old && !chsm_streq(version, "2019-08-01"))
        return app_refuse(c, 400, "The api-version is not supported.", err);
    if (!(old ? proves(c, "secret", "X-IDENTITY-HEADER") : proves(c, "X-IDENTITY-HEADER", "secret")))
        return app_refuse(c, 401, "The identity header is missing or wrong.", err);
    if (!resource || !*resource)
        return app_refuse(c, 400, "The resource is missing.", err);
    if (sim_query(c->rq, old ? "client_id" : "clientid"))
        return app_refuse(c, 400, "A parameter of another api-version was given.", err);
    rc = sim_identity_find(c, old ? "clientid" : "client_id", &identity, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    return sim_identity_issue(c, identity, resource, true, err);
}

int sim_identity_shell(struct sim_call *c, struct chsm_err *err)
{
    const char *type = sim_header(c->rq, "Content-Type"), *metadata = sim_header(c->rq, "Metadata");
    json_auto_t *form = NULL;
    const json_t *identity = NULL;
    int rc;

    if (!chsm_streq(c->rq->method, "POST") || !chsm_streq(metadata, "true"))
        return sim_identity_refuse(c, 400, "invalid_request", "POST with the header Metadata: true is needed", err);
    if (!type || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0 ||
        sim_form_parse(chsm_buf_str(&c->rq->body), &form, NULL) < 0 || !chsm_json_str(form, "resource") || json_object_size(form) != 1 ||
        c->rq->queries > 0)
        return sim_identity_refuse(c, 400, "invalid_request", "The body must be resource=... and nothing else", err);
    rc = sim_identity_find(c, "client_id", &identity, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    return sim_identity_issue(c, identity, chsm_json_str(form, "resource"), false, err);
}

/* A key of its own for each challenge, in a file that proves that its reader is on this machine. */
static int arc_challenge(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *folder = chsm_path_join(c->cloud->dir, SIM_ARC_FOLDER);
    AUTO_FREE char *path = NULL;
    char name[37], key[37];

    if (chsm_uuid(name, err) < 0 || chsm_uuid(key, err) < 0)
        return -1;
    path = folder ? chsm_strf("%s/%s.key", folder, name) : NULL;
    if (!path || json_object_set_new(c->root, "arcKey", json_string(key)) < 0)
        return chsm_oom(err);
    c->state->dirty = true;
    if (chsm_dir_make(folder, 0700, err) < 0 || chsm_file_write(path, key, strlen(key), 0600, err) < 0 ||
        sim_identity_refuse(c, 401, "unauthorized_client", "Missing Basic Authorization header", err) < 0)
        return -1;
    return sim_answer_header(c->an, err, "WWW-Authenticate", "Basic realm=%s/%s.key", SIM_ARC_TOKENS, name);
}

int sim_identity_arc(struct sim_call *c, struct chsm_err *err)
{
    const char *authorization = sim_header(c->rq, "Authorization"), *resource = sim_query(c->rq, "resource");
    const json_t *identity = NULL;
    int rc;

    if (!chsm_streq(c->rq->method, "GET") || !chsm_streq(sim_header(c->rq, "Metadata"), "true"))
        return sim_identity_refuse(c, 400, "invalid_request", "GET with the header Metadata: true is needed", err);
    if (!sim_query(c->rq, "api-version") || !resource || !*resource)
        return sim_identity_refuse(c, 400, "invalid_request", "api-version and resource are needed", err);
    if (!authorization)
        return arc_challenge(c, err);
    if (strncmp(authorization, "Basic ", 6) != 0 || !*sim_root_str(c->root, "arcKey") ||
        !chsm_streq(authorization + 6, sim_root_str(c->root, "arcKey")))
        return sim_identity_refuse(c, 401, "unauthorized_client", "The key is wrong, or was used before", err);
    (void)json_object_del(c->root, "arcKey");
    c->state->dirty = true;
    rc = sim_identity_find(c, "client_id", &identity, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    return sim_identity_issue(c, identity, resource, false, err);
}
