/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <stdarg.h>

#include "cli/output.h"
#include "util/log.h"
#include "util/table.h"
#include "util/yaml.h"

#define TEXT_MAX (256u << 20)
#define NOTE_MAX 16384u
#define PROGRESS_MAX 79u /* a line of a terminal, and its end */

enum chsm_format { CHSM_OUT_TEXT, CHSM_OUT_JSON, CHSM_OUT_YAML, CHSM_OUT_TSV, CHSM_OUT_CSV, CHSM_OUT_NONE };

static struct {
    enum chsm_format format;
    bool quiet, terminal, line_open;
    char last[512];
} out;

/* Foreign text (names, labels, what a configuration says) must not drive the terminal: control characters as in tables. */
static void print_clean(FILE *to, const char *text, bool lines)
{
    while (*text) {
        size_t n = 0;

        while (text[n] && (!iscntrl((unsigned char)text[n]) || (lines && text[n] == '\n')))
            n++;
        (void)fwrite(text, 1, n, to);
        text += n;
        if (*text)
            (void)fprintf(to, "\\x%02x", (unsigned char)*text++);
    }
}

static void end_line(void)
{
    if (out.line_open)
        (void)fputs("\r\033[K", stderr);
    out.line_open = false;
}

static void on_log(void *ctx, enum chsm_level level, const char *line)
{
    (void)ctx;
    end_line();
    (void)fprintf(stderr, "%s%s\n", level == CHSM_LOG_WARN ? "warning: " : level == CHSM_LOG_DEBUG ? "debug: " : "", line);
}

int chsm_out_open(const struct chsm_args *args, struct chsm_err *err)
{
    static const char *const names[] = { [CHSM_OUT_TEXT] = "text", [CHSM_OUT_JSON] = "json", [CHSM_OUT_YAML] = "yaml", [CHSM_OUT_TSV] = "tsv",
                                         [CHSM_OUT_CSV] = "csv", [CHSM_OUT_NONE] = "none" };
    enum chsm_level level = args->debug ? CHSM_LOG_DEBUG : args->verbose ? CHSM_LOG_INFO : CHSM_LOG_NOTE;
    size_t i = 0;

    if (args->output) {
        /* Reports are text and lists are tables; either word means what is made for people. */
        const char *name = strcmp(args->output, "table") == 0 ? "text" : args->output;

        while (i < ARRAY_LEN(names) && strcmp(names[i], name) != 0)
            i++;
        if (i == ARRAY_LEN(names))
            return chsm_fail(err, CHSM_USAGE, "--output %s is not known: table, json, yaml, tsv, csv or none", args->output);
    }
    out.format = (enum chsm_format)i;
    out.quiet = args->only_errors;
    out.terminal = isatty(STDERR_FILENO) && !chsm_streq(getenv("TERM"), "dumb");
    chsm_log_open(args->only_errors ? NULL : on_log, NULL, level);
    return 0;
}

static int print_yaml(const json_t *value, struct chsm_err *err)
{
    AUTO_FREE char *text = chsm_yaml_text(value);

    if (!text)
        return chsm_oom(err);
    printf("%s", text);
    return 0;
}

static int print_json(const json_t *value, struct chsm_err *err)
{
    AUTO_FREE char *text = json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    if (!text)
        return chsm_oom(err);
    printf("%s\n", text);
    return 0;
}

/* A value as a cell: strings as they are, the rest as JSON. */
static char *cell(const json_t *v)
{
    if (!v || json_is_null(v))
        return strdup("");
    return json_is_string(v) ? strdup(json_string_value(v)) : chsm_json_canonical(v);
}

static int add_row(struct chsm_table *t, const json_t *value, const struct chsm_column *columns, struct chsm_err *err)
{
    char *cells[16] = { 0 };
    int rc = 0;

    for (size_t i = 0; columns[i].heading && i < ARRAY_LEN(cells) && rc == 0; i++) {
        cells[i] = cell(chsm_json_get(value, columns[i].path));
        rc = cells[i] ? 0 : chsm_oom(err);
    }
    if (rc == 0)
        rc = chsm_table_row(t, (const char *const *)cells, err);
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        free(cells[i]);
    return rc;
}

static int print_table(const struct chsm_table *t, struct chsm_buf *text, struct chsm_err *err)
{
    if (out.format == CHSM_OUT_CSV)
        return chsm_table_csv(t, text, err);
    return out.format == CHSM_OUT_TSV ? chsm_table_tsv(t, text, err) : chsm_table_render(t, 0, text, err);
}

static int print_columns(const json_t *value, const struct chsm_column *columns, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(TEXT_MAX);
    const char *headings[17] = { 0 };
    AUTO_TABLE struct chsm_table *t = NULL;
    const json_t *item;
    size_t i;

    for (i = 0; columns[i].heading && i < ARRAY_LEN(headings) - 1; i++)
        headings[i] = columns[i].heading;
    t = chsm_table_new(headings);
    if (!t)
        return chsm_oom(err);
    if (json_is_array(value)) {
        json_array_foreach(value, i, item)
            if (add_row(t, item, columns, err) < 0)
                return -1;
    } else if (add_row(t, value, columns, err) < 0)
        return -1;
    if (print_table(t, &text, err) < 0)
        return -1;
    printf("%s", chsm_buf_str(&text));
    return 0;
}

/* The forms that show a value as it is. 1 when the format is another one. */
static int print_value(const json_t *value, struct chsm_err *err)
{
    end_line();
    switch (out.format) {
    case CHSM_OUT_JSON: return print_json(value, err);
    case CHSM_OUT_YAML: return print_yaml(value, err);
    case CHSM_OUT_NONE: return 0;
    case CHSM_OUT_TEXT:
    case CHSM_OUT_TSV:
    case CHSM_OUT_CSV: break;
    }
    return 1;
}

int chsm_out_resource(const json_t *value, const struct chsm_column *columns, struct chsm_err *err)
{
    int rc = print_value(value, err);

    return rc == 1 ? print_columns(value, columns, err) : rc;
}

int chsm_out_report(const json_t *value, const char *text, struct chsm_err *err)
{
    int rc = print_value(value, err);

    if (rc == 1)
        print_clean(stdout, text, /* lines= */ true);
    return rc < 0 ? -1 : 0;
}

bool chsm_out_is_text(void)
{
    return out.format == CHSM_OUT_TEXT;
}

bool chsm_out_is_table(void)
{
    return out.format == CHSM_OUT_TEXT || out.format == CHSM_OUT_TSV || out.format == CHSM_OUT_CSV;
}

void chsm_out_progress(const char *text)
{
    if (out.quiet)
        return;
    if (out.terminal) {
        end_line();
        (void)snprintf(out.last, PROGRESS_MAX, "%s", text);
        print_clean(stderr, out.last, /* lines= */ false);
        (void)fflush(stderr);
        out.line_open = *text != '\0';
    } else if (*text && strcmp(text, out.last) != 0) {
        (void)snprintf(out.last, sizeof out.last, "%s", text);
        print_clean(stderr, text, /* lines= */ false);
        (void)fputc('\n', stderr);
    }
}

void chsm_out_note(const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list ap;

    if (out.quiet)
        return;
    end_line();
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    print_clean(stderr, text, /* lines= */ true);
    (void)fputc('\n', stderr);
}

void chsm_out_tell(const char *message)
{
    end_line();
    for (; *message; message++)
        (void)fputc((unsigned char)*message < 0x20 || *message == 0x7f ? ' ' : *message, stderr);
    (void)fputc('\n', stderr);
}

void chsm_out_problems(const char *lines)
{
    end_line();
    print_clean(stderr, lines, /* lines= */ true);
}

void chsm_out_error(const struct chsm_err *err)
{
    end_line();
    (void)fputs("chsmctl: ", stderr);
    print_clean(stderr, err->text, /* lines= */ false);
    if (err->hint[0]) {
        (void)fputs("\n         ", stderr);
        print_clean(stderr, err->hint, /* lines= */ false);
    }
    (void)fputc('\n', stderr);
}

int chsm_out_close(struct chsm_err *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot write to stdout");
    return 0;
}
