/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/arm.h"

#define PAGES_MAX 1000

static void arm_auto(struct chsm_arm **arm)
{
    chsm_arm_close(*arm);
}

int chsm_arm_open(const struct chsm_arm_opts *opts, struct chsm_arm **ret, struct chsm_err *err)
{
    AUTO(arm_auto) struct chsm_arm *arm = calloc(1, sizeof *arm);

    if (!arm)
        return chsm_oom(err);
    arm->poll_interval = opts->poll_interval;
    if (chsm_http_new(&opts->http, &arm->http, err) < 0)
        return -1;
    memcpy(arm->correlation, chsm_http_correlation(arm->http), sizeof arm->correlation);
    if (chsm_cloud_find(opts->cloud, arm->http, &arm->cloud, err) < 0 ||
        chsm_credential_open(&opts->credential, arm->http, &arm->cloud, &arm->credential, err) < 0)
        return -1;
    *ret = TAKE(arm);
    return 0;
}

void chsm_arm_close(struct chsm_arm *arm)
{
    if (!arm)
        return;
    chsm_credential_free(arm->credential);
    chsm_cloud_done(&arm->cloud);
    chsm_http_free(arm->http);
    free(arm);
}

/* Resource Manager answers objects, or nothing; what its Content-Type says of them does not matter. */
static int take_json(void *ctx, const struct chsm_response *r, struct chsm_err *err)
{
    const char *type = r->content_type ? r->content_type : "";
    json_auto_t *json = NULL;
    struct chsm_err why;
    json_t **ret = ctx;

    if (r->body.len == 0)
        return 0;
    if (chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "the answer", CHSM_SERVICE, &json, &why) == 0 &&
        json_is_object(json)) {
        *ret = TAKE(json);
        return 0;
    }
    (void)chsm_fail(err, CHSM_SERVICE, "%s%s%s%s", json ? "the answer is no JSON object" : why.text, *type ? " (" : "", type,
                    *type ? ")" : "");
    return chsm_err_hint(err, "this is no answer of Azure's: look for a proxy or gateway on the way that answers in its place");
}

/* Fills in the body, and sends. */
static int send_message(struct chsm_arm *arm, struct chsm_message *message, const json_t *body, chsm_deadline deadline,
                        struct chsm_response *response, struct chsm_err *err)
{
    static const char *const headers[] = { "Accept: application/json", NULL };
    const struct chsm_channel channel = { .http = arm->http, .credential = arm->credential, .resource = arm->cloud.arm_resource,
                                          .base = arm->cloud.resource_manager, .correlation = arm->correlation, .headers = headers,
                                          .explain = chsm_arm_error };
    AUTO_FREE char *payload = body ? json_dumps(body, JSON_COMPACT) : NULL;

    *response = (struct chsm_response){ .retry_after = -1 };
    if (body && !payload)
        return chsm_oom(err);
    message->content_type = payload ? "application/json" : NULL;
    message->body = payload;
    message->body_len = payload ? strlen(payload) : 0;
    return chsm_send(&channel, message, deadline, response, err);
}

int chsm_arm_do(struct chsm_arm *arm, const char *method, const char *path, const json_t *body, enum chsm_repeat repeat,
                chsm_deadline deadline, struct chsm_response *response, json_t **ret_json, struct chsm_err *err)
{
    struct chsm_message message = { .method = method, .url = path, .repeat = repeat };
    json_t *json = NULL;

    if (ret_json) {
        message.take = take_json;
        message.ctx = &json;
    }
    if (send_message(arm, &message, body, deadline, response, err) < 0)
        return -1;
    if (ret_json)
        *ret_json = json;
    return 0;
}

int chsm_arm_start(struct chsm_arm *arm, const char *path, const json_t *body, const struct chsm_arm_guard *guard,
                   chsm_deadline deadline, struct chsm_response *response, struct chsm_err *err)
{
    struct chsm_message message = { .method = "POST", .url = path, .repeat = CHSM_REPEAT_START, .again = guard->ask,
                                    .again_ctx = guard->ctx };

    return send_message(arm, &message, body, deadline, response, err);
}

static int add_page(json_t *all, const json_t *page, struct chsm_err *err)
{
    json_t *value = json_object_get(page, "value");

    if (!json_is_array(value))
        return chsm_fail(err, CHSM_SERVICE, "the answer is no list");
    return json_array_extend(all, value) < 0 ? chsm_oom(err) : 0;
}

int chsm_arm_list(struct chsm_arm *arm, const char *path, chsm_deadline deadline, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *next = strdup(path);
    json_auto_t *all = json_array();

    if (!all || !next)
        return chsm_oom(err);
    for (unsigned pages = 0; pages < PAGES_MAX; pages++) {
        AUTO_RESPONSE struct chsm_response r = { 0 };
        json_auto_t *page = NULL;
        const json_t *link;

        if (chsm_arm_do(arm, "GET", next, NULL, CHSM_REPEAT_SAFE, deadline, &r, &page, err) < 0 || add_page(all, page, err) < 0)
            return -1;
        link = json_object_get(page, "nextLink");
        if (link && !json_is_null(link) && !json_is_string(link))   /* half a list must not pass for the whole one */
            return chsm_fail(err, CHSM_SERVICE, "the list goes on at something that is no address");
        if (json_string_length(link) == 0) {
            *ret = TAKE(all);
            return 0;
        }
        free(next);
        next = strdup(json_string_value(link));
        if (!next)
            return chsm_oom(err);
    }
    return chsm_fail(err, CHSM_SERVICE, "the list does not end: more than %d pages", PAGES_MAX);
}

bool chsm_arm_id_eq(const char *a, const char *b)
{
    size_t na = a ? strlen(a) : 0, nb = b ? strlen(b) : 0;

    while (na > 0 && a[na - 1] == '/')
        na--;
    while (nb > 0 && b[nb - 1] == '/')
        nb--;
    return na > 0 && na == nb && strncasecmp(a, b, na) == 0;
}
