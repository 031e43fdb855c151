/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is printed: results on stdout, the talk on stderr. What is made for people has its control characters as \xNN. */
#ifndef CHSM_CLI_OUTPUT_H
#define CHSM_CLI_OUTPUT_H

#include "cli/args.h"
#include "util/json.h"

/* Reads --output and the verbosity, and directs the log to stderr. */
CHSM_MUST_CHECK int chsm_out_open(const struct chsm_args *args, struct chsm_err *err);

/* One column of a result: a heading, and where its value is ("properties.status"). */
struct chsm_column {
    const char *heading, *path;
};

/*
 * Prints a resource or a list of them: whole as JSON or YAML, its columns as text or TSV. `columns` ends with a row
 * without heading.
 */
CHSM_MUST_CHECK int chsm_out_resource(const json_t *value, const struct chsm_column *columns, struct chsm_err *err);

/* Prints text when the format is text, else `value`. */
CHSM_MUST_CHECK int chsm_out_report(const json_t *value, const char *text, struct chsm_err *err);

/* Whether the format is text; whether it is one of rows and columns (text, TSV, CSV), for which a command may make rows of its own. */
bool chsm_out_is_text(void);
bool chsm_out_is_table(void);

/* Progress of one thing: rewritten in place on a terminal, one line per change otherwise. text "" ends the line. */
void chsm_out_progress(const char *text);

/* A line on stderr that is not part of the result (unless --only-show-errors). */
CHSM_PRINTF(1, 2) void chsm_out_note(const char *fmt, ...);

/* What a person has to do now, on stderr, whatever the verbosity; control characters are taken out. */
void chsm_out_tell(const char *message);

/* A list of mistakes, one a line, on stderr. */
void chsm_out_problems(const char *lines);

/* The error, its remedy and its codes, on stderr. */
void chsm_out_error(const struct chsm_err *err);

/* stdout could not be written (a full disk, a closed pipe): then nothing was delivered. */
CHSM_MUST_CHECK int chsm_out_close(struct chsm_err *err);

#endif
