/* SPDX-License-Identifier: Apache-2.0 */
/* Two readings of one cluster: what differs that should not (arm.md §2.5). Pure. */
#include "config.h"

#include "azure/cluster.h"

#define DEPTH_MAX 32
#define VALUE_MAX 120       /* bytes of a value that a message shows */

/* What may change by itself, or is the very thing that was to change. */
static const char *const ignored[] = {
    "identity", "systemData", "etag", "properties.provisioningState", "properties.activationState", "properties.hsms",
    "properties.privateEndpointConnections", "properties.statusMessage",
};

/* ARM echoes the last casing that anybody used in these (arm.md §2.1). */
static const char *const caseless[] = { "id", "name", "type" };

static bool among(const char *path, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(path, list[i]) == 0)
            return true;
    return false;
}

static bool absent(const json_t *v)
{
    return !v || json_is_null(v);
}

static char *shown(const json_t *v)
{
    AUTO_FREE char *text = NULL;

    if (absent(v))
        return strdup("absent");
    text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (!text)
        return NULL;
    if (strlen(text) <= VALUE_MAX)
        return TAKE(text);
    return chsm_strf("%.*s...", VALUE_MAX, text);
}

static int report(const char *path, const json_t *a, const json_t *b, json_t *out, struct chsm_err *err)
{
    AUTO_FREE char *before = shown(a);
    AUTO_FREE char *after = shown(b);

    if (!before || !after || json_array_append_new(out, json_sprintf("%s: %s -> %s", path, before, after)) < 0)
        return chsm_oom(err);
    return 0;
}

static int compare(const char *path, const json_t *a, const json_t *b, unsigned depth, json_t *out, struct chsm_err *err);

static int compare_member(const char *path, const char *key, const json_t *a, const json_t *b, unsigned depth, json_t *out,
                          struct chsm_err *err)
{
    AUTO_FREE char *below = *path ? chsm_strf("%s.%s", path, key) : strdup(key);

    if (!below)
        return chsm_oom(err);
    return compare(below, json_object_get(a, key), json_object_get(b, key), depth + 1, out, err);
}

static int compare_objects(const char *path, const json_t *a, const json_t *b, unsigned depth, json_t *out, struct chsm_err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)a, key, value)
        if (compare_member(path, key, a, b, depth, out, err) < 0)
            return -1;
    json_object_foreach((json_t *)(uintptr_t)b, key, value)
        if (!json_object_get(a, key) && compare_member(path, key, a, b, depth, out, err) < 0)
            return -1;
    return 0;
}

static int compare(const char *path, const json_t *a, const json_t *b, unsigned depth, json_t *out, struct chsm_err *err)
{
    if (among(path, ignored, ARRAY_LEN(ignored)) || (absent(a) && absent(b)))
        return 0;
    if (json_is_object(a) && json_is_object(b) && depth < DEPTH_MAX)
        return compare_objects(path, a, b, depth, out, err);
    /* No tags and an empty set of tags are the same. */
    if ((absent(a) && json_is_object(b) && json_object_size(b) == 0) ||
        (absent(b) && json_is_object(a) && json_object_size(a) == 0))
        return 0;
    if (among(path, caseless, ARRAY_LEN(caseless)) && chsm_arm_id_eq(json_string_value(a), json_string_value(b)))
        return 0;
    return !absent(a) && !absent(b) && json_equal(a, b) ? 0 : report(path, a, b, out, err);
}

int chsm_cluster_diff(const json_t *before, const json_t *after, json_t **ret, struct chsm_err *err)
{
    json_auto_t *out = json_array();

    if (!out)
        return chsm_oom(err);
    if (compare("", before, after, 0, out, err) < 0)
        return -1;
    *ret = TAKE(out);
    return 0;
}
