/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>

#include "util/table.h"

struct chsm_table {
    size_t columns;
    char **cells;   /* row by row, the headers first */
    size_t n, cap;
};

void chsm_table_free(struct chsm_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

/* Cells hold foreign text (labels): control characters would break the table or drive the terminal. */
static char *clean(const char *s)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(1u << 20);

    for (s = s ? s : ""; *s; s++) {
        int rc = iscntrl((unsigned char)*s) ? chsm_buf_addf(&b, NULL, "\\x%02x", (unsigned char)*s) : chsm_buf_add(&b, s, 1, NULL);

        if (rc < 0)
            return NULL;
    }
    return chsm_buf_take(&b);
}

int chsm_table_row(struct chsm_table *t, const char *const *cells, struct chsm_err *err)
{
    if (t->n + t->columns > t->cap) {
        size_t cap = (t->cap + t->columns) * 2;
        char **grown = realloc(t->cells, cap * sizeof *grown);

        if (!grown)
            return chsm_oom(err);
        t->cells = grown;
        t->cap = cap;
    }
    for (size_t i = 0; i < t->columns; i++) {
        char *cell = clean(cells[i]);

        if (!cell) {
            while (i-- > 0)
                free(t->cells[--t->n]);
            return chsm_oom(err);
        }
        t->cells[t->n++] = cell;
    }
    return 0;
}

struct chsm_table *chsm_table_new(const char *const *headers)
{
    struct chsm_table *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    while (headers[t->columns])
        t->columns++;
    if (chsm_table_row(t, headers, NULL) < 0) {
        chsm_table_free(t);
        return NULL;
    }
    return t;
}

/* Columns on a screen: characters, not bytes (UTF-8 continuation bytes do not count). */
static size_t width(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static size_t column_width(const struct chsm_table *t, size_t column)
{
    size_t most = 0;

    for (size_t i = column; i < t->n; i += t->columns)
        if (width(t->cells[i]) > most)
            most = width(t->cells[i]);
    return most;
}

static int add_line(const struct chsm_table *t, size_t row, const size_t *widths, unsigned indent, struct chsm_buf *out, struct chsm_err *err)
{
    if (chsm_buf_addf(out, err, "%*s", (int)indent, "") < 0)
        return -1;
    for (size_t c = 0; c < t->columns; c++) {
        const char *cell = t->cells[row * t->columns + c];
        bool last = c + 1 == t->columns;

        if (chsm_buf_addf(out, err, "%s%*s", cell, last ? 0 : (int)(widths[c] - width(cell) + 2), "") < 0)
            return -1;
    }
    while (out->len && out->p[out->len - 1] == ' ')
        out->p[--out->len] = '\0';
    return chsm_buf_adds(out, "\n", err);
}

static int add_rule(const struct chsm_table *t, const size_t *widths, unsigned indent, struct chsm_buf *out, struct chsm_err *err)
{
    if (chsm_buf_addf(out, err, "%*s", (int)indent, "") < 0)
        return -1;
    for (size_t c = 0; c < t->columns; c++) {
        for (size_t i = 0; i < widths[c]; i++)
            if (chsm_buf_adds(out, "-", err) < 0)
                return -1;
        if (chsm_buf_adds(out, c + 1 == t->columns ? "\n" : "  ", err) < 0)
            return -1;
    }
    return 0;
}

int chsm_table_render(const struct chsm_table *t, unsigned indent, struct chsm_buf *out, struct chsm_err *err)
{
    AUTO_FREE size_t *widths = calloc(t->columns, sizeof *widths);

    if (!widths)
        return chsm_oom(err);
    for (size_t c = 0; c < t->columns; c++)
        widths[c] = column_width(t, c);
    for (size_t row = 0; row < t->n / t->columns; row++) {
        if (add_line(t, row, widths, indent, out, err) < 0)
            return -1;
        if (row == 0 && add_rule(t, widths, indent, out, err) < 0)
            return -1;
    }
    return 0;
}

int chsm_table_tsv(const struct chsm_table *t, struct chsm_buf *out, struct chsm_err *err)
{
    for (size_t i = t->columns; i < t->n; i++)
        if (chsm_buf_addf(out, err, "%s%s", t->cells[i], (i + 1) % t->columns ? "\t" : "\n") < 0)
            return -1;
    return 0;
}

static int add_csv_cell(const char *cell, struct chsm_buf *out, struct chsm_err *err)
{
    if (!strpbrk(cell, ",\"\r\n"))
        return chsm_buf_adds(out, cell, err);
    if (chsm_buf_adds(out, "\"", err) < 0)
        return -1;
    for (; *cell; cell++)
        if (chsm_buf_addf(out, err, "%s%c", *cell == '"' ? "\"" : "", *cell) < 0)
            return -1;
    return chsm_buf_adds(out, "\"", err);
}

int chsm_table_csv(const struct chsm_table *t, struct chsm_buf *out, struct chsm_err *err)
{
    for (size_t i = 0; i < t->n; i++)
        if (add_csv_cell(t->cells[i], out, err) < 0 || chsm_buf_adds(out, (i + 1) % t->columns ? "," : "\n", err) < 0)
            return -1;
    return 0;
}
