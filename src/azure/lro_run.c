/* SPDX-License-Identifier: Apache-2.0 */
/* A whole operation in one call: its request, its end, and the resource as it is then (arm.md §2.2). */
#include "config.h"

#include <strings.h>

#include "azure/lro.h"

struct run {
    struct chsm_arm *arm;
    const char *method, *path;
    const struct chsm_lro_follow *follow;
};

static bool is(const struct run *r, const char *method)
{
    return strcmp(r->method, method) == 0;
}

/* What was asked for, without the query: "PUT /subscriptions/...". malloc()ed or NULL. */
static char *name_of(const struct run *r)
{
    return chsm_strf("%s %.*s", r->method, (int)strcspn(r->path, "?"), r->path);
}

static int await(const struct run *r, struct chsm_lro *l, struct chsm_err *err)
{
    AUTO_FREE char *name = name_of(r);

    if (!name)
        return chsm_oom(err);
    if (chsm_lro_wait(r->arm, l, r->follow->deadline, r->follow->watch, r->follow->ctx, err) < 0)
        return chsm_err_prefix(err, "%s was accepted and goes on", name);
    return l->state == CHSM_LRO_SUCCEEDED ? 0 : chsm_lro_failed(l, name, err);
}

/* The end of the operation is not the resource: it is read, and waited for should it not be settled yet. */
static int read_resource(const struct run *r, struct chsm_lro *l, struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response answer = { 0 };
    json_auto_t *body = NULL;

    if (chsm_arm_do(r->arm, "GET", r->path, NULL, CHSM_REPEAT_SAFE, r->follow->deadline, &answer, &body, err) < 0)
        return chsm_err_prefix(err, "reading what %s has made", r->method);
    l->style = CHSM_LRO_RESOURCE;
    free(l->url);
    l->url = strdup(r->path);
    if (!l->url)
        return chsm_oom(err);
    if (chsm_lro_step(l, &answer, body, err) < 0)
        return -1;
    return await(r, l, err);
}

/* Whether the last answer was the resource. What is done at once is answered with it; a Location may end with it. */
static bool has_resource(const struct chsm_lro *l)
{
    switch (l->style) {
    case CHSM_LRO_ASYNC: return false;
    case CHSM_LRO_LOCATION: return chsm_json_str(l->body, "id") != NULL;
    case CHSM_LRO_DONE:
    case CHSM_LRO_RESOURCE: break;
    }
    return l->body != NULL;
}

static int finish(const struct run *r, struct chsm_lro *l, struct chsm_err *err)
{
    if (await(r, l, err) < 0)
        return -1;
    if ((is(r, "PUT") || is(r, "PATCH")) && !has_resource(l))
        return read_resource(r, l, err);
    return 0;
}

int chsm_lro_run(struct chsm_arm *arm, const char *method, const char *path, const json_t *body,
                 const struct chsm_lro_follow *follow, json_t **ret, struct chsm_err *err)
{
    const struct run run = { arm, method, path, follow };
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO(chsm_lro_done) struct chsm_lro l = { .wait = -1 };
    json_auto_t *answer = NULL;
    struct chsm_err why = { 0 };
    bool gone;

    if (chsm_arm_do(arm, method, path, body, CHSM_REPEAT_SAFE, follow->deadline, &r, &answer, &why) < 0) {
        gone = is(&run, "DELETE") && chsm_arm_absent(&why); /* also when an earlier try, whose answer was lost, has deleted it */
        if (gone && ret)
            *ret = NULL;
        if (!gone && err)
            *err = why;
        return gone ? 0 : -1;
    }
    if (chsm_lro_begin(&l, &r, answer, path, err) < 0)
        return -1;
    l.deleting = is(&run, "DELETE");
    if (finish(&run, &l, err) < 0)
        return -1;
    if (ret)
        *ret = l.deleting ? NULL : TAKE(l.body);
    return 0;
}
