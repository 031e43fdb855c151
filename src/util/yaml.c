/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>

#include <libfyaml.h>

#include "util/path.h"
#include "util/yaml.h"

#define TEXT_MAX (1u << 20)
#define LEVELS_MAX 64

struct chsm_yaml {
    char *name;
    json_t *root;
    json_t *marks;              /* path -> line * 2^20 + column: a dictionary that jansson already has */
};

struct reader {
    struct fy_parser *parser;
    const char *text;
    struct chsm_yaml *y;
    struct chsm_err *err;
    struct fy_diag *diag;       /* collects the errors: when libfyaml 0.7.12 prints one beside the text, it may read beyond it */
    unsigned depth;
};

static int read_value(struct reader *r, struct fy_event *event, const char *path, struct chsm_mark outer, json_t **ret);

static int fail_at(struct reader *r, struct chsm_mark m, const char *what, const char *detail)
{
    return chsm_fail(r->err, CHSM_CONFIG, "%s:%u:%u: %s%s", r->y->name, m.line, m.column, what, detail);
}

static struct chsm_mark mark_of(struct fy_token *token, struct chsm_mark otherwise)
{
    const struct fy_mark *m = token ? fy_token_start_mark(token) : NULL;

    return m ? (struct chsm_mark){ (unsigned)m->line + 1, (unsigned)m->column + 1 } : otherwise;
}

static void print_nothing(struct fy_diag *diag, void *user, const char *text, size_t n)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)n;
}

/* "plan.yaml:3:2: missing comma in flow mapping" */
static int fail_report(struct reader *r)
{
    void *at = NULL;
    const struct fy_diag_error *e = fy_diag_errors_iterate(r->diag, &at);

    if (!e || !e->msg)
        return chsm_fail(r->err, CHSM_CONFIG, "%s: not valid YAML", r->y->name);
    return chsm_fail(r->err, CHSM_CONFIG, "%s:%d:%d: %s", r->y->name, e->line, e->column, e->msg);
}

/* The next event, or NULL with the parser's own complaint and its place in *err. */
static struct fy_event *next(struct reader *r)
{
    struct fy_event *event = fy_parser_parse(r->parser);

    if (!event)
        (void)fail_report(r);
    return event;
}

static bool one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return true;
    return false;
}

static json_t *number(const char *s)
{
    const char *p = s + (*s == '-' || *s == '+');
    char *end;

    if (!isdigit((unsigned char)*p) && !(*p == '.' && isdigit((unsigned char)p[1])))
        return NULL;
    errno = 0;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'o')) {
        long long v = p == s ? strtoll(p + 2, &end, p[1] == 'x' ? 16 : 8) : 0;

        return p == s && isxdigit((unsigned char)p[2]) && !*end && !errno ? json_integer(v) : NULL;
    }
    if (p[strspn(p, "0123456789")] == '\0') {
        long long v = strtoll(s, &end, 10);

        return !*end && !errno ? json_integer(v) : NULL;
    }
    if (p[strspn(p, "0123456789.eE+-")] == '\0') {
        double v = strtod(s, &end);

        return !*end && isfinite(v) ? json_real(v) : NULL;
    }
    return NULL;
}

/* The core schema's tag resolution for plain scalars (YAML 1.2.2 §10.3.2). */
static json_t *plain(const char *s)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const trues[] = { "true", "True", "TRUE", NULL };
    static const char *const falses[] = { "false", "False", "FALSE", NULL };
    json_t *n;

    if (one_of(s, nulls))
        return json_null();
    if (one_of(s, trues))
        return json_true();
    if (one_of(s, falses))
        return json_false();
    n = number(s);
    return n ? n : json_string(s);
}

static int remember(struct reader *r, const char *path, struct chsm_mark m)
{
    json_int_t packed = ((json_int_t)m.line << 20) | (m.column < (1u << 20) ? m.column : 0);

    return json_object_set_new(r->y->marks, path, json_integer(packed)) < 0 ? chsm_oom(r->err) : 0;
}

/*
 * libfyaml 0.7.12 takes '' twice in a row, in single quotes, for three quotes, and fills the missing end with whatever stood in its
 * memory: such a text is refused before it is looked at.
 */
static bool is_misread(const struct reader *r, struct fy_token *token)
{
    const struct fy_mark *from = fy_token_start_mark(token), *to = fy_token_end_mark(token);

    return fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED && from && to && from->input_pos < to->input_pos &&
           memmem(r->text + from->input_pos, to->input_pos - from->input_pos, "''''", 4);
}

static int fail_misread(struct reader *r, struct chsm_mark m)
{
    return fail_at(r, m, "two quotes in a row in single quotes are not supported; use double quotes", "");
}

static int read_scalar(struct reader *r, struct fy_event *event, struct chsm_mark m, json_t **ret)
{
    struct fy_token *token = event->scalar.value;
    const char *text;

    if (event->scalar.tag)
        return fail_at(r, m, "tags are not supported here", "");
    if (token && is_misread(r, token))
        return fail_misread(r, m);
    text = token ? fy_token_get_text0(token) : "";
    if (!text || (token && strlen(text) != fy_token_get_text_length(token)))
        return fail_at(r, m, "a NUL character", "");
    *ret = fy_token_scalar_style(token) == FYSS_PLAIN ? plain(text) : json_string(text);
    return *ret ? 0 : fail_at(r, m, "not valid UTF-8", "");
}

static int read_sequence(struct reader *r, const char *path, struct chsm_mark m, json_t **ret)
{
    json_auto_t *array = json_array();
    size_t n = 0;

    for (;;) {
        struct fy_event *event = next(r);
        AUTO_FREE char *inner = chsm_strf("%s[%zu]", path, n++);
        json_t *value = NULL;
        int rc;

        if (!event)
            return -1;
        if (event->type == FYET_SEQUENCE_END) {
            fy_parser_event_free(r->parser, event);
            *ret = json_incref(array);
            return 0;
        }
        rc = inner ? read_value(r, event, inner, m, &value) : chsm_oom(r->err);
        fy_parser_event_free(r->parser, event);
        if (rc < 0)
            return -1;
        if (json_array_append_new(array, value) < 0)
            return chsm_oom(r->err);
    }
}

/* The key of one pair in fresh memory; NULL with *done at the mapping's end, NULL without it on failure. */
static char *read_key(struct reader *r, struct chsm_mark outer, struct chsm_mark *ret_mark, bool *done)
{
    struct fy_event *event = next(r);
    const char *text = NULL;
    char *key = NULL;

    *done = event && event->type == FYET_MAPPING_END;
    if (event && event->type == FYET_SCALAR && event->scalar.value && is_misread(r, event->scalar.value)) {
        (void)fail_misread(r, mark_of(event->scalar.value, outer));
    } else if (event && event->type == FYET_SCALAR) {
        *ret_mark = mark_of(event->scalar.value, outer);
        text = event->scalar.value ? fy_token_get_text0(event->scalar.value) : "";
        key = strdup(text ? text : "");
        if (!key)
            (void)chsm_oom(r->err);
    } else if (event && !*done) {
        (void)fail_at(r, outer, "a key must be plain text", "");
    }
    if (event)
        fy_parser_event_free(r->parser, event);
    return key;
}

static int read_pair(struct reader *r, json_t *object, const char *path, const char *key, struct chsm_mark m)
{
    AUTO_FREE char *inner = chsm_strf("%s%s%s", path, *path ? "." : "", key);
    struct fy_event *event;
    json_t *value = NULL;
    int rc;

    if (!inner)
        return chsm_oom(r->err);
    if (json_object_get(object, key))
        return fail_at(r, m, "this key appears a second time: ", key);
    event = next(r);
    if (!event)
        return -1;
    rc = read_value(r, event, inner, m, &value);
    fy_parser_event_free(r->parser, event);
    if (rc < 0)
        return -1;
    return json_object_set_new(object, key, value) < 0 ? fail_at(r, m, "not valid UTF-8", "") : 0;
}

static int read_mapping(struct reader *r, const char *path, struct chsm_mark m, json_t **ret)
{
    json_auto_t *object = json_object();

    for (;;) {
        struct chsm_mark at = m;
        bool done;
        AUTO_FREE char *key = read_key(r, m, &at, &done);

        if (done) {
            *ret = json_incref(object);
            return 0;
        }
        if (!key || read_pair(r, object, path, key, at) < 0)
            return -1;
    }
}

static int read_value(struct reader *r, struct fy_event *event, const char *path, struct chsm_mark outer, json_t **ret)
{
    struct chsm_mark m = outer;
    int rc;

    if (++r->depth > LEVELS_MAX)
        return fail_at(r, outer, "nested too deeply", "");
    switch (event->type) {
    case FYET_SCALAR:
        m = mark_of(event->scalar.value, outer);
        rc = read_scalar(r, event, m, ret);
        break;
    case FYET_SEQUENCE_START:
        m = mark_of(event->sequence_start.sequence_start, outer);
        rc = read_sequence(r, path, m, ret);
        break;
    case FYET_MAPPING_START:
        m = mark_of(event->mapping_start.mapping_start, outer);
        rc = read_mapping(r, path, m, ret);
        break;
    case FYET_ALIAS:
        rc = fail_at(r, outer, "aliases are not supported here: write the value out", "");
        break;
    default:
        rc = fail_at(r, outer, "a value was expected", "");
    }
    r->depth--;
    if (rc == 0 && remember(r, path, m) < 0) {
        json_decref(*ret);
        return -1;
    }
    return rc;
}

/* stream start, document start, one value, document end, stream end. */
static int read_document(struct reader *r)
{
    bool have = false;

    for (;;) {
        struct fy_event *event = next(r);
        bool end;
        int rc = 0;

        if (!event)
            return -1;
        end = event->type == FYET_STREAM_END;
        if (event->type == FYET_DOCUMENT_START && have)
            rc = chsm_fail(r->err, CHSM_CONFIG, "%s: a second document follows the first", r->y->name);
        else if (event->type == FYET_SCALAR || event->type == FYET_MAPPING_START || event->type == FYET_SEQUENCE_START || event->type == FYET_ALIAS) {
            rc = read_value(r, event, "", (struct chsm_mark){ 1, 1 }, &r->y->root);
            have = true;
        }
        fy_parser_event_free(r->parser, event);
        if (rc < 0)
            return -1;
        if (end)
            return have ? 0 : chsm_fail(r->err, CHSM_CONFIG, "%s: it is empty", r->y->name);
    }
}

static int parse_with(struct reader *r, const char *text, size_t n)
{
    const struct fy_diag_cfg diag_cfg = { .output_fn = print_nothing, .level = FYET_ERROR, .module_mask = UINT_MAX };
    struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2, .diag = fy_diag_create(&diag_cfg) };
    int rc;

    r->diag = cfg.diag;
    r->parser = cfg.diag ? fy_parser_create(&cfg) : NULL;
    if (!r->parser) {
        fy_diag_unref(cfg.diag);
        return chsm_oom(r->err);
    }
    fy_diag_set_collect_errors(cfg.diag, true);
    rc = fy_parser_set_string(r->parser, text, n) == 0 ? read_document(r) : chsm_oom(r->err);
    /* Only this frees what was collected, and only while the parser lives. */
    fy_diag_set_collect_errors(cfg.diag, false);
    fy_parser_destroy(r->parser);
    fy_diag_unref(cfg.diag);
    return rc;
}

/* libfyaml 0.7.12 takes a byte that is no UTF-8 for the end of the text, without a word. */
static bool is_utf8(const char *text, size_t n)
{
    json_t *s = json_stringn(text, n);

    json_decref(s);
    return s != NULL;
}

int chsm_yaml_parse(const char *text, size_t n, const char *name, struct chsm_yaml **ret, struct chsm_err *err)
{
    AUTO_YAML struct chsm_yaml *y = calloc(1, sizeof *y);
    struct reader r = { .text = text, .y = y, .err = err };
    int rc;

    if (!y || !(y->name = strdup(name)) || !(y->marks = json_object()))
        return chsm_oom(err);
    if (n > TEXT_MAX)
        return chsm_fail(err, CHSM_CONFIG, "%s: larger than %u bytes", name, TEXT_MAX);
    if (!is_utf8(text, n) || memchr(text, '\0', n))
        return chsm_fail(err, CHSM_CONFIG, "%s: not valid UTF-8 text", name);
    rc = parse_with(&r, text, n);
    if (rc < 0)
        return -1;
    *ret = TAKE(y);
    return 0;
}

int chsm_yaml_load(const char *path, struct chsm_yaml **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(TEXT_MAX);

    if (chsm_file_read(path, TEXT_MAX, &b, err) < 0)
        return -1;
    return chsm_yaml_parse(chsm_buf_str(&b), b.len, path, ret, err);
}

json_t *chsm_yaml_root(const struct chsm_yaml *y)
{
    return y->root;
}

const char *chsm_yaml_name(const struct chsm_yaml *y)
{
    return y->name;
}

struct chsm_mark chsm_yaml_mark(const struct chsm_yaml *y, const char *path)
{
    AUTO_FREE char *p = strdup(path);

    while (p) {
        json_t *packed = json_object_get(y->marks, p);
        char *dot = strrchr(p, '.'), *bracket = strrchr(p, '[');
        char *cut = dot > bracket ? dot : bracket;

        if (packed)
            return (struct chsm_mark){ (unsigned)(json_integer_value(packed) >> 20), (unsigned)(json_integer_value(packed) & 0xfffff) };
        if (!*p)
            break;
        if (cut)
            *cut = '\0';
        else
            *p = '\0';
    }
    return (struct chsm_mark){ 0, 0 };
}

void chsm_yaml_free(struct chsm_yaml *y)
{
    if (!y)
        return;
    free(y->name);
    json_decref(y->root);
    json_decref(y->marks);
    free(y);
}

char *chsm_yaml_text(const json_t *value)
{
    AUTO_FREE char *json = json_dumps(value, JSON_SORT_KEYS | JSON_ENCODE_ANY);
    /* JSON is YAML: read it as such and write it in block style. */
    struct fy_document *doc = json ? fy_document_build_from_string(NULL, json, strlen(json)) : NULL;
    char *text = doc ? fy_emit_document_to_string(doc, FYECF_MODE_BLOCK | FYECF_WIDTH_INF) : NULL;

    fy_document_destroy(doc);
    return text;
}
