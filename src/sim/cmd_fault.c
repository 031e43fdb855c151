/* SPDX-License-Identifier: Apache-2.0 */
/* `chsm-sim fault` and `chsm-sim set`. */
#include "config.h"

#include <stdio.h>

#include "sim/fault.h"
#include "sim/opts.h"
#include "sim/state.h"

struct fault_args {
    const char *dir, *path, *method, *nth, *count, *status, *code, *retry_after, *stall, *body, *type, *claims, *header;
    bool reset, truncate, drop, handle;
};

static int put_number(json_t *rule, const char *key, const char *text, const char *what, long low, long high, struct chsm_err *err)
{
    long value;

    if (!text)
        return 0;
    if (sim_number(text, what, low, high, &value, err) < 0)
        return -1;
    return json_object_set_new(rule, key, json_integer(value)) < 0 ? chsm_oom(err) : 0;
}

static int put_text(json_t *rule, const char *key, const char *text, struct chsm_err *err)
{
    return text && json_object_set_new(rule, key, json_string(text)) < 0 ? chsm_oom(err) : 0;
}

/* Exactly one kind of fault; --status and --content-type may go along with --body. */
static int choose_kind(const struct fault_args *a, enum sim_fault_kind *ret, struct chsm_err *err)
{
    const struct { bool given; enum sim_fault_kind kind; } kinds[] = {
        { a->body != NULL, SIM_FAULT_BODY }, { a->status && !a->body, SIM_FAULT_STATUS }, { a->stall != NULL, SIM_FAULT_STALL },
        { a->reset, SIM_FAULT_RESET }, { a->truncate, SIM_FAULT_TRUNCATE }, { a->drop, SIM_FAULT_DROP },
        { a->header != NULL, SIM_FAULT_HEADER }, { a->type && !a->body, SIM_FAULT_TYPE },
    };
    size_t given = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].given) {
            *ret = kinds[i].kind;
            given++;
        }
    if (given != 1)
        return chsm_fail(err, CHSM_USAGE, "give one of --status, --body, --stall, --reset, --truncate, --drop-answer, --huge-header, "
                                          "--content-type");
    if ((a->code || a->retry_after) && !a->status)
        return chsm_fail(err, CHSM_USAGE, "--code and --retry-after go with --status");
    if (a->claims && !chsm_streq(a->status, "401"))
        return chsm_fail(err, CHSM_USAGE, "--claims goes with --status 401");
    if (a->handle && !a->status && !a->body)
        return chsm_fail(err, CHSM_USAGE, "--handle goes with --status or --body: the other faults say themselves what is handled");
    return 0;
}

static int add(const struct fault_args *a, struct chsm_err *err)
{
    json_auto_t *rule = json_pack("{s:i,s:i,s:b}", "nth", 1, "count", 1, "handle", (int)a->handle);
    enum sim_fault_kind kind = SIM_FAULT_NONE;

    if (!rule)
        return chsm_oom(err);
    if (!a->path)
        return chsm_fail(err, CHSM_USAGE, "fault add needs --path");
    if (choose_kind(a, &kind, err) < 0 || put_text(rule, "path", a->path, err) < 0 || put_text(rule, "method", a->method, err) < 0 ||
        put_text(rule, "code", a->code, err) < 0 || put_text(rule, "body", a->body, err) < 0 ||
        put_text(rule, "type", a->type, err) < 0 || put_text(rule, "claims", a->claims, err) < 0 ||
        put_text(rule, "kind", sim_fault_name(kind), err) < 0 ||
        put_number(rule, "nth", a->nth, "--nth", 1, 1000000, err) < 0 ||
        put_number(rule, "count", a->count, "--count", 1, 1000000, err) < 0 ||
        put_number(rule, "status", a->status, "--status", 200, 599, err) < 0 ||
        put_number(rule, "retryAfter", a->retry_after, "--retry-after", 0, 86400, err) < 0 ||
        put_number(rule, "ms", a->stall, "--stall", 0, 3600000, err) < 0 ||
        put_number(rule, "size", a->header, "--huge-header", 1, 200000, err) < 0)
        return -1;
    return sim_fault_add(a->dir, rule, err);
}

static int list(const char *dir, struct chsm_err *err)
{
    json_auto_t *rules = NULL;
    size_t i;
    json_t *rule;

    if (sim_fault_list(dir, &rules, err) < 0)
        return -1;
    json_array_foreach(rules, i, rule) {
        AUTO_FREE char *text = json_dumps(rule, JSON_COMPACT | JSON_SORT_KEYS);

        if (!text)
            return chsm_oom(err);
        (void)puts(text);
    }
    return 0;
}

int sim_cmd_fault(int argc, char **argv, struct chsm_err *err)
{
    struct fault_args a = { 0 };
    const char *verb = NULL;
    const struct sim_opt opts[] = {
        { "dir", &a.dir, NULL }, { "path", &a.path, NULL }, { "method", &a.method, NULL }, { "nth", &a.nth, NULL },
        { "count", &a.count, NULL }, { "status", &a.status, NULL }, { "code", &a.code, NULL }, { "retry-after", &a.retry_after, NULL },
        { "stall", &a.stall, NULL }, { "body", &a.body, NULL }, { "reset", NULL, &a.reset }, { "truncate", NULL, &a.truncate },
        { "drop-answer", NULL, &a.drop }, { "huge-header", &a.header, NULL }, { "content-type", &a.type, NULL },
        { "claims", &a.claims, NULL }, { "handle", NULL, &a.handle },
    };

    if (sim_opts_parse(argc, argv, opts, ARRAY_LEN(opts), &verb, 1, err) < 0)
        return -1;
    if (!a.dir || !verb)
        return chsm_fail(err, CHSM_USAGE, "fault needs --dir and one of add, list, clear");
    if (chsm_streq(verb, "add"))
        return add(&a, err);
    if (chsm_streq(verb, "list"))
        return list(a.dir, err);
    if (chsm_streq(verb, "clear"))
        return sim_fault_clear(a.dir, err);
    return chsm_fail(err, CHSM_USAGE, "fault has no verb '%s': add, list, clear", verb);
}

int sim_cmd_set(int argc, char **argv, struct chsm_err *err)
{
    AUTO_STATE struct sim_state s = { .lock = -1 };
    const char *dir = NULL, *words[16] = { NULL };
    const struct sim_opt opts[] = { { "dir", &dir, NULL } };
    int n = sim_opts_parse(argc, argv, opts, ARRAY_LEN(opts), words, ARRAY_LEN(words), err);

    if (n < 0)
        return -1;
    if (!dir || n == 0)
        return chsm_fail(err, CHSM_USAGE, "set needs --dir and KEY=VALUE");
    if (sim_state_open(dir, &s, err) < 0)
        return -1;
    for (int i = 0; i < n; i++) {
        const char *equals = strchr(words[i], '=');
        AUTO_FREE char *key = equals ? strndup(words[i], (size_t)(equals - words[i])) : NULL;

        if (!key)
            return chsm_fail(err, CHSM_USAGE, "'%s' is not of the form KEY=VALUE", words[i]);
        if (sim_timing_set(s.root, key, equals + 1, err) < 0)
            return -1;
    }
    s.dirty = true;
    return sim_state_save(&s, err);
}
