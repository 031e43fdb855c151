/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "azure/tags.h"

#define TAGS_MAX  50
#define NAME_MAX_ 512
#define VALUE_MAX 256

static const json_t *find(const json_t *tags, const char *name)
{
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)tags, key, value)
        if (strcasecmp(key, name) == 0)
            return value;
    return NULL;
}

static size_t letters(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static int add(json_t *tags, const char *word, struct chsm_err *err)
{
    size_t n = strcspn(word, "=");
    const char *value = word[n] ? word + n + 1 : "";
    AUTO_FREE char *name = strndup(word, n);

    if (!name)
        return chsm_oom(err);
    if (n == 0 || letters(name) > NAME_MAX_ || strpbrk(name, "<>%&\\?/"))
        return chsm_fail(err, CHSM_USAGE, "tag \"%s\": a name has 1 to %d characters, none of <>%%&\\?/", word, NAME_MAX_);
    if (letters(value) > VALUE_MAX)
        return chsm_fail(err, CHSM_USAGE, "tag \"%s\": a value has at most %d characters", name, VALUE_MAX);
    if (find(tags, name))
        return chsm_fail(err, CHSM_USAGE, "tag \"%s\" is given twice", name);
    return json_object_set_new(tags, name, json_string(value)) < 0 ? chsm_fail(err, CHSM_USAGE, "tag \"%s\" is not UTF-8", name)
                                                                   : 0;
}

int chsm_tags_parse(const char *const *words, json_t **ret, struct chsm_err *err)
{
    json_auto_t *tags = json_object();

    if (!tags)
        return chsm_oom(err);
    for (size_t i = 0; words[i]; i++) {
        if (!*words[i] && i == 0 && !words[1])
            break;
        if (add(tags, words[i], err) < 0)
            return -1;
    }
    if (json_object_size(tags) > TAGS_MAX)
        return chsm_fail(err, CHSM_USAGE, "%zu tags are more than a resource may have (%d)", json_object_size(tags), TAGS_MAX);
    *ret = json_incref(tags);
    return 0;
}

bool chsm_tags_equal(const json_t *a, const json_t *b, bool caseless)
{
    const char *key;
    json_t *value;

    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach ((json_t *)(uintptr_t)a, key, value) {
        const char *x = json_string_value(value), *y = json_string_value(find(b, key));

        if (!x || !y || (caseless ? strcasecmp(x, y) : strcmp(x, y)) != 0)
            return false;
    }
    return true;
}
