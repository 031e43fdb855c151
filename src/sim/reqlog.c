/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <fcntl.h>
#include <strings.h>

#include "sim/reqlog.h"
#include "util/clock.h"
#include "util/path.h"

#define REDACTED "REDACTED"

static bool one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

/* Query parameters are shown only when they are known to be harmless: polling URLs carry signatures. */
static json_t *shown_query(const struct sim_request *rq)
{
    static const char *const harmless[] = {
        "api-version", "resource", "$filter", "$skiptoken", "client_id", "object_id", "msi_res_id", "mi_res_id", "$expand",
        "restype", "comp", "prefix", "delimiter", "maxresults", "marker",
        "metricnames", "aggregation", "interval", "timespan",
    };
    json_t *query = json_object();

    for (size_t i = 0; query && i < rq->queries; i++)
        (void)json_object_set_new(query, rq->query[i].name, json_string(one_of(rq->query[i].name, harmless, ARRAY_LEN(harmless)) ?
                                                                        rq->query[i].value : REDACTED));
    return query;
}

static void hide_secrets(json_t *value)
{
    static const char *const secret[] = {
        "client_secret", "client_assertion", "token", "access_token", "refresh_token", "device_code", "password", "assertion",
    };
    const char *key;
    json_t *member;
    size_t i;

    json_array_foreach(value, i, member)
        hide_secrets(member);
    if (!json_is_object(value))
        return;
    json_object_foreach(value, key, member)
        if (one_of(key, secret, ARRAY_LEN(secret)))
            (void)json_object_set_new(value, key, json_string(REDACTED));
        else
            hide_secrets(member);
}

static json_t *shown_body(const struct sim_request *rq)
{
    const char *type = sim_header(rq, "Content-Type");
    json_t *body = NULL;
    int rc = -1;

    if (rq->body.len > 0 && type && strncasecmp(type, "application/json", 16) == 0)
        rc = chsm_json_parse(rq->body.p, rq->body.len, "request", CHSM_SERVICE, &body, NULL);
    else if (rq->body.len > 0 && type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0)
        rc = sim_form_parse(chsm_buf_str(&rq->body), &body, NULL);
    if (rc < 0)
        return json_null();
    hide_secrets(body);
    return body;
}

json_t *sim_reqlog_entry(const struct sim_request *rq, unsigned status, const struct sim_fault *fault, int64_t now)
{
    const char *authorization = sim_header(rq, "Authorization");
    char when[CHSM_TIME_LEN];

    chsm_time_format(now, true, when);
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:i,s:s,s:b,s:s,s:o}", "time", when, "service", sim_service_name(rq->service), "method", rq->method,
                     "path", rq->path, "query", shown_query(rq), "status", (int)status, "fault", sim_fault_name(fault->kind),
                     "handled", (int)sim_fault_handles(fault),
                     "authorization", authorization && strncasecmp(authorization, "Bearer ", 7) == 0 ? "bearer" : "none",
                     "body", shown_body(rq));
}

int sim_reqlog_add(const char *dir, const struct sim_request *rq, unsigned status, const struct sim_fault *fault, struct chsm_err *err)
{
    json_auto_t *entry = sim_reqlog_entry(rq, status, fault, chsm_now());
    AUTO_FREE char *text = entry ? json_dumps(entry, JSON_COMPACT) : NULL;
    AUTO_FREE char *line = text ? chsm_strf("%s\n", text) : NULL;
    AUTO_FREE char *path = chsm_path_join(dir, "requests.jsonl");
    AUTO_CLOSE int fd = -1;

    if (!line || !path)
        return chsm_oom(err);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", path);
    return chsm_fd_write(fd, line, strlen(line), err);
}
