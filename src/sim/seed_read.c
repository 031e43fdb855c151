/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "sim/seed_read.h"

int sim_seed_bad(const struct sim_seeding *s, struct chsm_err *err, const char *path, const char *fmt, ...)
{
    struct chsm_mark mark = chsm_yaml_mark(s->yaml, path);
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return chsm_fail(err, CHSM_CONFIG, "%s:%u:%u: %s%s%s", chsm_yaml_name(s->yaml), mark.line, mark.column, path, *path ? ": " : "", text);
}

/* "path.key", or "key" at the top. */
static char *below(const char *path, const char *key)
{
    return chsm_strf("%s%s%s", path, *path ? "." : "", key);
}

int sim_seed_keys(const struct sim_seeding *s, const json_t *value, const char *path, const char *const *keys, struct chsm_err *err)
{
    const char *key;
    json_t *member;

    if (!json_is_object(value))
        return sim_seed_bad(s, err, path, "must be a mapping");
    json_object_foreach((json_t *)value, key, member) {
        AUTO_FREE char *at = below(path, key);
        size_t i = 0;

        while (keys[i] && !chsm_streq(keys[i], key))
            i++;
        if (!keys[i])
            return at ? sim_seed_bad(s, err, at, "no such key is known here") : chsm_oom(err);
    }
    return 0;
}

int sim_seed_str(const struct sim_seeding *s, const json_t *value, const char *path, const char *key, bool required, const char **ret,
                 struct chsm_err *err)
{
    const json_t *member = json_object_get(value, key);
    AUTO_FREE char *at = below(path, key);

    if (!at)
        return chsm_oom(err);
    if (!member && !required)
        return 0;
    if (!member)
        return sim_seed_bad(s, err, path, "'%s' is missing", key);
    if (!json_is_string(member) || json_string_length(member) == 0)
        return sim_seed_bad(s, err, at, "must be a string that is not empty");
    *ret = json_string_value(member);
    return 0;
}

int sim_seed_list(struct sim_seeding *s, const json_t *value, const char *path, const char *key, sim_seed_each *each, struct chsm_err *err)
{
    json_t *list = json_object_get(value, key), *item;
    AUTO_FREE char *at = below(path, key);
    size_t i;

    if (!at)
        return chsm_oom(err);
    if (list && !json_is_array(list))
        return sim_seed_bad(s, err, at, "must be a sequence");
    json_array_foreach(list, i, item) {
        AUTO_FREE char *one = chsm_strf("%s[%zu]", at, i);

        if (!one)
            return chsm_oom(err);
        if (each(s, item, one, err) < 0)
            return -1;
    }
    return 0;
}
