/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/file.h>

#include "sim/state.h"
#include "util/clock.h"
#include "util/path.h"

#define STATE_MAX (16u << 20)

static const struct { const char *name; int64_t ms; } timings[] = {
    { "provision", 2000 },          /* PUT to provisioningState Succeeded */
    { "update", 500 },              /* PUT over an existing cluster to Succeeded */
    { "backup", 2000 },             /* a job's run; recorded: 8..10 s */
    { "restore", 3000 },            /* recorded: 60 and 90 s */
    { "activation", 2000 },         /* end of the restore job to activationState Active */
    { "snapshotAge", 1097000 },     /* the snapshot precedes the request; recorded: 18 min 17 s to 56 min 41 s */
    { "tokenLifetime", 3599000 },
    { "principal", 0 },             /* from a new identity to when a role assignment without principalType finds it */
    { "principalTyped", 0 },        /* the same with principalType */
    { "roleDelay", 0 },             /* from a new role assignment to its effect; Azure: up to 10 min */
    { "storage", 300 },             /* a new account to provisioningState Succeeded */
    { "endpoint", 300 },            /* a new private endpoint to its end */
    { "register", 300 },            /* the registration of a provider */
    { "deviceInterval", 5000 },     /* between two polls of the device code flow; whole seconds */
    { "retryAfter", -1 },           /* the header is sent when this is set; Cloud HSM sends none */
};

static const char *const names[ARRAY_LEN(timings) + 1] = {
    "provision", "update", "backup", "restore", "activation", "snapshotAge", "tokenLifetime", "principal", "principalTyped", "roleDelay",
    "storage", "endpoint", "register", "deviceInterval", "retryAfter", NULL,
};

const char *const *sim_timing_names(void)
{
    return names;
}

int64_t sim_timing(const json_t *root, const char *name)
{
    const json_t *set = json_object_get(json_object_get(root, "timing"), name);

    if (json_is_integer(set))
        return json_integer_value(set);
    for (size_t i = 0; i < ARRAY_LEN(timings); i++)
        if (chsm_streq(timings[i].name, name))
            return timings[i].ms;
    assert(!"a timing that exists");
    return 0;
}

int sim_timing_set(json_t *root, const char *name, const char *value, struct chsm_err *err)
{
    json_t *timing = json_object_get(root, "timing");
    int64_t ms;
    size_t i = 0;

    while (names[i] && !chsm_streq(names[i], name))
        i++;
    if (!names[i])
        return chsm_fail(err, CHSM_USAGE, "no timing is called '%s' (see chsm-sim help)", name);
    if (chsm_duration_parse(value, &ms, err) < 0)
        return chsm_err_prefix(err, "%s", name);
    if (!timing) {
        timing = json_object();
        if (json_object_set_new(root, "timing", timing) < 0)
            return chsm_oom(err);
    }
    return json_object_set_new(timing, name, json_integer(ms)) < 0 ? chsm_oom(err) : 0;
}

int sim_state_lock(const char *dir, struct sim_state *ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(dir, "lock");
    AUTO_CLOSE int fd = -1;
    char *copy;

    if (!path)
        return chsm_oom(err);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", path);
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return chsm_fail_errno(err, CHSM_CONFIG, "cannot lock %s", path);
    copy = strdup(dir);
    if (!copy)
        return chsm_oom(err);
    *ret = (struct sim_state){ .dir = copy, .lock = fd };
    fd = -1;
    return 0;
}

int sim_state_open(const char *dir, struct sim_state *ret, struct chsm_err *err)
{
    AUTO_STATE struct sim_state s = { .lock = -1 };
    AUTO_FREE char *path = chsm_path_join(dir, "state.json");

    if (!path)
        return chsm_oom(err);
    if (access(dir, F_OK) < 0 || sim_state_lock(dir, &s, err) < 0 || access(path, F_OK) < 0) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s holds no simulated cloud", dir);
        return chsm_err_hint(err, "make one: chsm-sim seed --dir %s FILE.yaml", dir);
    }
    if (chsm_json_load(path, STATE_MAX, &s.root, err) < 0)
        return -1;
    *ret = s;
    s = (struct sim_state){ .lock = -1 };
    return 0;
}

int sim_state_save(struct sim_state *s, struct chsm_err *err)
{
    AUTO_FREE char *path = NULL;

    if (!s->dirty)
        return 0;
    path = chsm_path_join(s->dir, "state.json");
    if (!path)
        return chsm_oom(err);
    if (chsm_json_save(path, s->root, err) < 0)
        return -1;
    s->dirty = false;
    return 0;
}

void sim_state_close(struct sim_state *s)
{
    json_decref(s->root);
    free(s->dir);
    if (s->lock >= 0)
        (void)close(s->lock);       /* releases the lock as well */
    *s = (struct sim_state){ .lock = -1 };
}

char *sim_lower(const char *s)
{
    char *out = strdup(s);

    for (char *p = out; p && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

json_t *sim_resource(const json_t *root, const char *id)
{
    AUTO_FREE char *key = sim_lower(id);

    return key ? json_object_get(json_object_get(root, "resources"), key) : NULL;
}

int sim_resource_put(json_t *root, json_t *resource, struct chsm_err *err)
{
    const char *id = chsm_json_str(resource, "id");
    AUTO_FREE char *key = id ? sim_lower(id) : NULL;
    json_t *all = json_object_get(root, "resources");

    if (!key || !all) {
        json_decref(resource);
        return chsm_oom(err);
    }
    return json_object_set_new(all, key, resource) < 0 ? chsm_oom(err) : 0;
}

void sim_resource_drop(json_t *root, const char *id)
{
    AUTO_FREE char *key = sim_lower(id);

    if (key)
        (void)json_object_del(json_object_get(root, "resources"), key);
}

json_t *sim_resource_public(const json_t *resource)
{
    json_t *copy = json_deep_copy(resource);

    if (copy)
        (void)json_object_del(copy, "sim");
    return copy;
}

bool sim_resource_is(const json_t *resource, const char *type)
{
    const char *is = chsm_json_str(resource, "type");

    return is && strcasecmp(is, type) == 0;
}

int64_t sim_when(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

json_t *sim_time(int64_t when)
{
    char text[CHSM_TIME_LEN];

    chsm_time_format(when, false, text);
    return json_string(text);
}
