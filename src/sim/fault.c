/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <regex.h>
#include <strings.h>

#include "sim/fault.h"
#include "sim/state.h"
#include "util/path.h"

#define FAULTS_MAX (1u << 20)

static const char *const kinds[] = {
    [SIM_FAULT_NONE] = "", [SIM_FAULT_STATUS] = "status", [SIM_FAULT_BODY] = "body", [SIM_FAULT_STALL] = "stall",
    [SIM_FAULT_RESET] = "reset", [SIM_FAULT_DROP] = "drop-answer", [SIM_FAULT_TRUNCATE] = "truncate", [SIM_FAULT_HEADER] = "header",
    [SIM_FAULT_TYPE] = "content-type",
};

const char *sim_fault_name(enum sim_fault_kind kind)
{
    return kinds[kind];
}

bool sim_fault_parse_kind(const char *name, enum sim_fault_kind *ret)
{
    for (size_t i = 1; i < ARRAY_LEN(kinds); i++)
        if (chsm_streq(kinds[i], name)) {
            *ret = (enum sim_fault_kind)i;
            return true;
        }
    return false;
}

bool sim_fault_handles(const struct sim_fault *f)
{
    switch (f->kind) {
    case SIM_FAULT_RESET: return false;
    case SIM_FAULT_STATUS:
    case SIM_FAULT_BODY: return f->handle;
    case SIM_FAULT_NONE:
    case SIM_FAULT_STALL:
    case SIM_FAULT_DROP:
    case SIM_FAULT_TRUNCATE:
    case SIM_FAULT_HEADER:
    case SIM_FAULT_TYPE: break;
    }
    return true;
}

void sim_fault_done(struct sim_fault *f)
{
    free(f->code);
    free(f->body);
    free(f->type);
    free(f->claims);
    *f = (struct sim_fault){ 0 };
}

static int load(const char *dir, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(dir, "faults.json");

    if (!path)
        return chsm_oom(err);
    if (access(path, F_OK) == 0)
        return chsm_json_load(path, FAULTS_MAX, ret, err);
    *ret = json_array();
    return *ret ? 0 : chsm_oom(err);
}

static int save(const char *dir, const json_t *rules, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(dir, "faults.json");

    return path ? chsm_json_save(path, rules, err) : chsm_oom(err);
}

static bool matches(const json_t *rule, const struct sim_request *rq)
{
    const char *method = chsm_json_str(rule, "method"), *pattern = chsm_json_str(rule, "path");
    regex_t re;
    bool yes;

    if ((method && strcasecmp(method, rq->method) != 0) || !pattern || regcomp(&re, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        return false;
    yes = regexec(&re, rq->path, 0, NULL, 0) == 0;
    regfree(&re);
    return yes;
}

static int copy(const json_t *rule, const char *key, char **ret, struct chsm_err *err)
{
    const char *s = chsm_json_str(rule, key);

    *ret = s ? strdup(s) : NULL;
    return s && !*ret ? chsm_oom(err) : 0;
}

static int fill(const json_t *rule, struct sim_fault *ret, struct chsm_err *err)
{
    json_t *retry = json_object_get(rule, "retryAfter");
    struct sim_fault f = {
        .status = (unsigned)json_integer_value(json_object_get(rule, "status")), .ms = sim_when(rule, "ms"),
        .retry_after = retry ? json_integer_value(retry) : -1, .size = (size_t)sim_when(rule, "size"),
        .handle = json_is_true(json_object_get(rule, "handle")),
    };

    if (!sim_fault_parse_kind(chsm_json_str(rule, "kind"), &f.kind))
        return chsm_fail(err, CHSM_CONFIG, "faults.json has a rule of no known kind");
    if (copy(rule, "code", &f.code, err) < 0 || copy(rule, "body", &f.body, err) < 0 || copy(rule, "type", &f.type, err) < 0 ||
        copy(rule, "claims", &f.claims, err) < 0) {
        sim_fault_done(&f);
        return -1;
    }
    *ret = f;
    return 0;
}

int sim_fault_take(const char *dir, const struct sim_request *rq, struct sim_fault *ret, struct chsm_err *err)
{
    AUTO_STATE struct sim_state lock = { .lock = -1 };
    json_auto_t *rules = NULL;
    struct sim_fault found = { 0 };
    bool changed = false;
    size_t i;
    json_t *rule;
    int rc = 0;

    if (sim_state_lock(dir, &lock, err) < 0 || load(dir, &rules, err) < 0)
        return -1;
    json_array_foreach(rules, i, rule) {
        int64_t seen, nth = sim_when(rule, "nth");

        if (!matches(rule, rq))
            continue;
        seen = sim_when(rule, "seen") + 1;
        changed = true;
        if (json_object_set_new(rule, "seen", json_integer(seen)) < 0)
            rc = chsm_oom(err);
        if (rc == 0 && found.kind == SIM_FAULT_NONE && seen >= nth && seen < nth + sim_when(rule, "count"))
            rc = fill(rule, &found, err);
    }
    if (rc < 0 || (changed && save(dir, rules, err) < 0)) {
        sim_fault_done(&found);
        return -1;
    }
    *ret = found;
    return 0;
}

int sim_fault_add(const char *dir, json_t *rule, struct chsm_err *err)
{
    AUTO_STATE struct sim_state lock = { .lock = -1 };
    json_auto_t *rules = NULL;
    regex_t re;

    if (regcomp(&re, chsm_json_str(rule, "path"), REG_EXTENDED | REG_NOSUB) != 0)
        return chsm_fail(err, CHSM_USAGE, "'%s' is no extended regular expression", chsm_json_str(rule, "path"));
    regfree(&re);
    if (sim_state_lock(dir, &lock, err) < 0 || load(dir, &rules, err) < 0)
        return -1;
    return json_array_append(rules, rule) < 0 ? chsm_oom(err) : save(dir, rules, err);
}

int sim_fault_list(const char *dir, json_t **ret, struct chsm_err *err)
{
    AUTO_STATE struct sim_state lock = { .lock = -1 };

    return sim_state_lock(dir, &lock, err) < 0 ? -1 : load(dir, ret, err);
}

int sim_fault_clear(const char *dir, struct chsm_err *err)
{
    AUTO_STATE struct sim_state lock = { .lock = -1 };
    AUTO_FREE char *path = chsm_path_join(dir, "faults.json");

    if (!path)
        return chsm_oom(err);
    if (sim_state_lock(dir, &lock, err) < 0)
        return -1;
    return unlink(path) < 0 && errno != ENOENT ? chsm_fail_errno(err, CHSM_CONFIG, "%s", path) : 0;
}
