/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means. No I/O, no clock: each poll is one step of a state machine (arm.md §2.2). */
#include "config.h"

#include <strings.h>

#include "azure/lro.h"

#define WAIT_MIN 1 /* seconds; the service may ask for 0, a loop without a pause helps nobody */
#define WAIT_MAX 600

void chsm_lro_done(struct chsm_lro *l)
{
    free(l->url);
    free(l->status);
    free(l->resource);
    json_decref(l->body);
    *l = (struct chsm_lro){ .wait = -1 };
}

/* The final answer of a Location may be the resource, whose own properties.status may mean something else altogether. */
static bool is_resource(const json_t *body)
{
    return chsm_json_str(body, "id") && chsm_json_str(body, "type") && json_is_object(json_object_get(body, "properties"));
}

/* The word for the state. */
static const char *word_of(const json_t *body, enum chsm_lro_style style)
{
    static const char *const operation[] = { "status", "properties.status", "properties.provisioningState" };
    static const char *const resource[] = { "properties.provisioningState", "properties.status", "status" };
    const char *const *paths = style == CHSM_LRO_RESOURCE || style == CHSM_LRO_DONE ? resource : operation;

    if (style != CHSM_LRO_ASYNC && is_resource(body))
        return json_string_value(chsm_json_get(body, "properties.provisioningState"));
    for (size_t i = 0; i < ARRAY_LEN(operation); i++) {
        const char *w = json_string_value(chsm_json_get(body, paths[i]));

        if (w && *w)
            return w;
    }
    return NULL;
}

/* Three words end an operation (one of them in two spellings); every other word means that it still runs. */
static enum chsm_lro_state state_of(const char *word)
{
    if (strcasecmp(word, "Succeeded") == 0)
        return CHSM_LRO_SUCCEEDED;
    if (strcasecmp(word, "Failed") == 0)
        return CHSM_LRO_FAILED;
    if (strcasecmp(word, "Canceled") == 0 || strcasecmp(word, "Cancelled") == 0)
        return CHSM_LRO_CANCELED;
    return CHSM_LRO_RUNNING;
}

static int set_string(char **at, const char *value, struct chsm_err *err)
{
    char *copy = value ? strdup(value) : NULL;

    if (value && !copy)
        return chsm_oom(err);
    free(*at);
    *at = copy;
    return 0;
}

/* A running operation may move its status address; an address of the same kind, or a better kind, replaces the old one. */
static int set_address(struct chsm_lro *l, const struct chsm_response *r, struct chsm_err *err)
{
    if (r->async_operation && *r->async_operation) {
        l->style = CHSM_LRO_ASYNC;
        return set_string(&l->url, r->async_operation, err);
    }
    if (r->location && *r->location && l->style != CHSM_LRO_ASYNC) {
        l->style = CHSM_LRO_LOCATION;
        return set_string(&l->url, r->location, err);
    }
    return 0;
}

/* Keeps what the answer said; the state is then known. */
static int take(struct chsm_lro *l, const struct chsm_response *r, const json_t *body, const char *word, struct chsm_err *err)
{
    if (set_string(&l->status, word, err) < 0)
        return -1;
    if (body) {
        json_t *copy = json_deep_copy(body);

        if (!copy)
            return chsm_oom(err);
        json_decref(l->body);
        l->body = copy;
    }
    l->wait = r->retry_after;
    if (l->wait >= 0 && l->wait < WAIT_MIN)
        l->wait = WAIT_MIN;
    if (l->wait > WAIT_MAX)
        l->wait = WAIT_MAX;
    return l->state == CHSM_LRO_RUNNING ? set_address(l, r, err) : 0;
}

int chsm_lro_begin(struct chsm_lro *l, const struct chsm_response *r, const json_t *body, const char *resource_url,
                   struct chsm_err *err)
{
    struct chsm_lro n = { .style = CHSM_LRO_DONE, .wait = -1 };
    const char *word = word_of(body, CHSM_LRO_RESOURCE);

    if (r->status != 200 && r->status != 201 && r->status != 202 && r->status != 204)
        return chsm_arm_error(r, "the start of an operation at", resource_url ? resource_url : "", err);
    if (word)
        n.state = state_of(word);
    else
        n.state = r->status == 202 || r->async_operation ? CHSM_LRO_RUNNING : CHSM_LRO_SUCCEEDED;
    /* A resource may look settled in the very answer that says where to follow what has begun. */
    if (n.state == CHSM_LRO_SUCCEEDED && (r->status == 202 || (r->async_operation && *r->async_operation)))
        n.state = CHSM_LRO_RUNNING;
    if (take(&n, r, body, word, err) < 0 || set_string(&n.resource, resource_url, err) < 0)
        goto failed;
    if (n.state == CHSM_LRO_RUNNING && n.style == CHSM_LRO_DONE) {
        if (!resource_url) {
            (void)chsm_fail(err, CHSM_SERVICE,
                            "the operation runs, but the answer (HTTP %ld) does not say where to ask for its end", r->status);
            goto failed;
        }
        n.style = CHSM_LRO_RESOURCE;
        if (set_string(&n.url, resource_url, err) < 0)
            goto failed;
    }
    *l = n;
    return 0;
failed:
    chsm_lro_done(&n);
    return -1;
}

/* What a 2xx poll without a word for its state means; -1 when it means nothing. */
static int wordless(const struct chsm_lro *l, const struct chsm_response *r, const json_t *body, enum chsm_lro_state *ret,
                    struct chsm_err *err)
{
    if (r->status == 202) {
        *ret = CHSM_LRO_RUNNING;
    } else if (l->style == CHSM_LRO_ASYNC) {
        return chsm_fail(err, CHSM_SERVICE, "the answer about the operation (HTTP %ld) names no status", r->status);
    } else if (l->style == CHSM_LRO_RESOURCE && !body) {
        return chsm_fail(err, CHSM_SERVICE, "the answer about the resource (HTTP %ld) is empty", r->status);
    } else {
        *ret = CHSM_LRO_SUCCEEDED; /* Location: the final answer itself; resource: no provisioningState = Succeeded */
    }
    return 0;
}

/* 404 alone may be a proxy's. */
static bool absent(const struct chsm_response *r)
{
    struct chsm_err why = { 0 };

    return r->status == 404 && chsm_arm_error(r, "GET", "", &why) < 0 && chsm_arm_absent(&why);
}

/* A deletion is over when the resource is gone; a status address that is gone, too, leaves only the resource to look at. */
static int vanished(struct chsm_lro *l, struct chsm_err *err)
{
    if (l->style == CHSM_LRO_RESOURCE) {
        l->state = CHSM_LRO_SUCCEEDED;
        return 0;
    }
    l->style = CHSM_LRO_RESOURCE;
    l->wait = -1;
    return set_string(&l->url, l->resource, err);
}

int chsm_lro_step(struct chsm_lro *l, const struct chsm_response *r, const json_t *body, struct chsm_err *err)
{
    const char *word = word_of(body, l->style);
    enum chsm_lro_state state = CHSM_LRO_RUNNING, before = l->state;

    if (l->deleting && l->resource && (absent(r) || (r->status == 204 && l->style == CHSM_LRO_RESOURCE)))
        return vanished(l, err);
    if (r->status < 200 || r->status >= 300)
        return chsm_arm_error(r, "asking for the state of an operation at", l->url ? l->url : "", err);
    if (word)
        state = state_of(word);
    else if (wordless(l, r, body, &state, err) < 0)
        return -1;
    if (l->deleting && l->style == CHSM_LRO_RESOURCE && state == CHSM_LRO_SUCCEEDED)
        state = CHSM_LRO_RUNNING; /* it is still there */
    l->state = state;
    if (take(l, r, body, word, err) == 0)
        return 0;
    l->state = before;
    return -1;
}

/* Where the error stands differs from service to service. */
static const json_t *error_of(const json_t *body)
{
    static const char *const paths[] = { "error", "properties.error", "properties.error.error" };
    const json_t *found = body;

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const json_t *e = chsm_json_get(body, paths[i]);

        if (json_is_object(e))
            found = e;
    }
    return found;
}

int chsm_lro_failed(const struct chsm_lro *l, const char *what, struct chsm_err *err)
{
    const json_t *e = error_of(l->body);
    const char *code = chsm_json_str(e, "code"), *said = json_string_value(chsm_json_get(l->body, "properties.statusMessage"));
    AUTO_FREE char *text = chsm_arm_error_text(e);

    if (!text)
        return chsm_oom(err);
    (void)chsm_fail(err, CHSM_SERVICE, "%s ended as %s%s%s: %s", what, l->status ? l->status : "not succeeded", code ? ", " : "",
                    code ? code : "",
                    *text           ? text
                    : said && *said ? said
                                    : "the service gives no reason");
    if (err && code)
        (void)snprintf(err->service_code, sizeof err->service_code, "%s", code);
    return chsm_arm_error_hint(err);
}
