/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "util/json.h"
#include "util/path.h"

int chsm_json_parse(const char *text, size_t n, const char *what, enum chsm_code code, json_t **ret, struct chsm_err *err)
{
    json_error_t je;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);

    if (!value) {
        enum json_error_code why = json_error_code(&je);

        /* jansson's own text quotes the input, which may be a secret. */
        return chsm_fail(err, code, "%s: not valid JSON at line %d, column %d%s", what, je.line, je.column,
                         why == json_error_premature_end_of_input ? " (it ends too early)"
                         : why == json_error_duplicate_key        ? " (a member appears twice)"
                         : why == json_error_end_of_input_expected ? " (something follows the end)"
                                                                   : "");
    }
    *ret = value;
    return 0;
}

int chsm_json_load(const char *path, size_t max, json_t **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(max);

    if (chsm_file_read(path, max, &b, err) < 0)
        return -1;
    return chsm_json_parse(chsm_buf_str(&b), b.len, path, CHSM_CONFIG, ret, err);
}

int chsm_json_save(const char *path, const json_t *value, struct chsm_err *err)
{
    AUTO_FREE char *text = json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    AUTO_FREE char *line = text ? chsm_strf("%s\n", text) : NULL;

    if (!line)
        return chsm_oom(err);
    return chsm_file_write(path, line, strlen(line), 0600, err);
}

char *chsm_json_canonical(const json_t *value)
{
    return json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

const char *chsm_json_str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_t *chsm_json_get(const json_t *object, const char *path)
{
    const json_t *at = object;

    while (at && *path) {
        size_t n = strcspn(path, ".");

        at = json_object_getn(at, path, n);
        path += n + (path[n] == '.');
    }
    return (json_t *)at;
}
