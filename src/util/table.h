/* SPDX-License-Identifier: Apache-2.0 */
/* A text table with aligned columns, as `az -o table` prints them. */
#ifndef CHSM_UTIL_TABLE_H
#define CHSM_UTIL_TABLE_H

#include "util/buf.h"

struct chsm_table;

/* `headers` ends with NULL and is copied. NULL when out of memory. */
struct chsm_table *chsm_table_new(const char *const *headers);
void chsm_table_free(struct chsm_table *t);
static inline void chsm_table_auto_(struct chsm_table **t) { chsm_table_free(*t); }
#define AUTO_TABLE AUTO(chsm_table_auto_)

/* Adds a row: as many strings as there are headers (NULL = empty cell); copied, control characters escaped. */
CHSM_MUST_CHECK int chsm_table_row(struct chsm_table *t, const char *const *cells, struct chsm_err *err);

/* Appends the table, each line indented by `indent` blanks, with a rule below the headers. */
CHSM_MUST_CHECK int chsm_table_render(const struct chsm_table *t, unsigned indent, struct chsm_buf *out, struct chsm_err *err);

/* Comma-separated rows with headers (RFC 4180, but for the line ends: \n). */
CHSM_MUST_CHECK int chsm_table_csv(const struct chsm_table *t, struct chsm_buf *out, struct chsm_err *err);

/* Tab-separated rows without headers. */
CHSM_MUST_CHECK int chsm_table_tsv(const struct chsm_table *t, struct chsm_buf *out, struct chsm_err *err);

#endif
