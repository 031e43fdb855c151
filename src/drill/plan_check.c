/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <stdarg.h>

#include "drill/plan_check.h"
#include "util/clock.h"
#include "util/path.h"
#include "util/secret.h"

#define NAME_MAX_LEN 64

void chsm_check_note(struct chsm_check *c, const char *path, const char *fmt, ...)
{
    struct chsm_mark m = chsm_yaml_mark(c->yaml, path);
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->count++;
    /* The count alone makes the plan invalid; a full buffer only costs the later lines. */
    if (chsm_buf_addf(c->problems, NULL, "%s:%u:%u: %s: %s\n", chsm_yaml_name(c->yaml), m.line, m.column, *path ? path : "plan", text) < 0)
        return;
}

/* One "[3]" of a path; *path moves on behind it. NULL when there is no such item, or it is malformed. */
static json_t *item_at(const json_t *list, const char **path)
{
    char *end = NULL;
    unsigned long i = strtoul(*path + 1, &end, 10);

    if (end == *path + 1 || *end != ']')
        return NULL;
    *path = end + 1;
    return json_array_get(list, i);
}

json_t *chsm_check_at(const struct chsm_check *c, const char *path)
{
    json_t *at = chsm_yaml_root(c->yaml);

    while (at && *path) {
        size_t n = strcspn(path, ".[");

        if (n) {
            at = json_object_getn(at, path, n);
            path += n;
        }
        if (at && *path == '[')
            at = item_at(at, &path);
        path += *path == '.';
    }
    return at;
}

/* Edit distance of two short names (two rows of the Levenshtein table). */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[NAME_MAX_LEN + 1];

    if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
        return SIZE_MAX;
    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            size_t change = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[k - 1]));
            size_t best = row[k] < row[k - 1] ? row[k] + 1 : row[k - 1] + 1;

            diagonal = row[k];
            row[k] = change < best ? change : best;
        }
    }
    return row[n];
}

static void note_unknown(struct chsm_check *c, const char *path, const char *name, const struct chsm_field *fields, size_t n)
{
    const char *nearest = NULL;
    size_t least = 4;

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(name, fields[i].name);

        if (d < least) {
            least = d;
            nearest = fields[i].name;
        }
    }
    if (nearest)
        chsm_check_note(c, path, "this name is not known; did you mean \"%s\"?", nearest);
    else
        chsm_check_note(c, path, "this name is not known here");
}

static bool is_guid(const char *s)
{
    for (size_t i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    return s[36] == '\0';
}

static char *secret_source(const struct chsm_check *c, const char *s)
{
    AUTO_FREE char *path = NULL;

    if (strncmp(s, "file:", 5) != 0)
        return strdup(s);
    path = chsm_path_join(c->folder, s + 5);
    return path ? chsm_strf("file:%s", path) : NULL;
}

/* A field whose value is text: checked, then copied into *ret. */
static void read_text(struct chsm_check *c, const char *path, const struct chsm_field *f, const char *s, char **ret)
{
    char *copy = NULL;

    if (!s || !*s)
        chsm_check_note(c, path, "a text is expected here");
    else if (f->kind == CHSM_FIELD_GUID && !is_guid(s))
        chsm_check_note(c, path, "a UUID such as 00000000-0000-0000-0000-000000000000 is expected");
    else if (f->kind == CHSM_FIELD_URI && strncmp(s, "https://", 8) != 0)
        chsm_check_note(c, path, "a URI that begins with https:// is expected");
    else if (f->kind == CHSM_FIELD_URI && strpbrk(s, "?#"))
        chsm_check_note(c, path, "the URI of the container alone is expected, without a query: Cloud HSM takes no SAS");
    else if (f->kind == CHSM_FIELD_SECRET && !chsm_secret_source_ok(s))
        chsm_check_note(c, path, "file:PATH, env:NAME, fd:N, cmd:PROGRAM or prompt is expected, never the secret itself");
    else if (f->kind == CHSM_FIELD_PATH)
        copy = chsm_path_join(c->folder, s);
    else
        copy = f->kind == CHSM_FIELD_SECRET ? secret_source(c, s) : strdup(s);
    *ret = copy;
}

static void read_duration(struct chsm_check *c, const char *path, const json_t *v, int64_t *ret)
{
    struct chsm_err err;
    char number[32];
    const char *s = json_string_value(v);

    if (json_is_integer(v)) {
        (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        s = number;
    }
    if (!s || chsm_duration_parse(s, ret, &err) < 0)
        chsm_check_note(c, path, "a duration such as 90s, 5m or 2h is expected");
}

static void read_field(struct chsm_check *c, const char *path, const struct chsm_field *f, const json_t *v, void *structure)
{
    char *at = (char *)structure + f->offset;

    switch (f->kind) {
    case CHSM_FIELD_TEXT:
    case CHSM_FIELD_GUID:
    case CHSM_FIELD_PATH:
    case CHSM_FIELD_URI:
    case CHSM_FIELD_SECRET:
        read_text(c, path, f, json_string_value(v), (char **)(void *)at);
        break;
    case CHSM_FIELD_DURATION:
        read_duration(c, path, v, (int64_t *)(void *)at);
        break;
    case CHSM_FIELD_BOOL:
        if (!json_is_boolean(v))
            chsm_check_note(c, path, "true or false is expected");
        else
            *(bool *)at = json_is_true(v);
        break;
    case CHSM_FIELD_CONST:
        if (!chsm_streq(json_string_value(v), f->expected))
            chsm_check_note(c, path, "\"%s\" is expected", f->expected);
        break;
    case CHSM_FIELD_MAP:
        if (!json_is_object(v))
            chsm_check_note(c, path, "a mapping (name: value) is expected");
        break;
    case CHSM_FIELD_LIST:
        if (json_array_size(v) == 0)
            chsm_check_note(c, path, "a list with at least one item is expected");
        break;
    case CHSM_FIELD_ANY:
        break;
    }
}

void chsm_check_map(struct chsm_check *c, const char *path, const struct chsm_field *fields, size_t n, void *structure)
{
    json_t *map = chsm_check_at(c, path), *v;
    const char *name;

    if (!json_is_object(map)) {
        chsm_check_note(c, path, "a mapping (name: value) is expected");
        return;
    }
    json_object_foreach(map, name, v) {
        AUTO_FREE char *inner = chsm_strf("%s%s%s", path, *path ? "." : "", name);
        size_t i = 0;

        while (i < n && strcmp(fields[i].name, name) != 0)
            i++;
        if (!inner)
            c->count++;
        else if (i == n)
            note_unknown(c, inner, name, fields, n);
        else
            read_field(c, inner, &fields[i], v, structure);
    }
    for (size_t i = 0; i < n; i++)
        if (fields[i].required && !json_object_get(map, fields[i].name))
            chsm_check_note(c, path, "\"%s\" is missing", fields[i].name);
}
