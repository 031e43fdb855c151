/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes over the wire, without secrets: as lines of the debug log, and as JSON lines in a file for a support case. For
 * http*.c alone.
 */
#ifndef CHSM_AZURE_TRACE_H
#define CHSM_AZURE_TRACE_H

#include "azure/http_exchange.h"
#include "util/json.h"

/*
 * Makes the file (0600) and writes its first line; with file NULL only the log is kept. CHSM_CONFIG when the file exists or
 * cannot be made. Every later line is written at once, by itself, so that a process that is killed leaves whole lines.
 */
CHSM_MUST_CHECK int chsm_trace_open(const char *file, const char *correlation, struct chsm_trace **ret, struct chsm_err *err);
void chsm_trace_close(struct chsm_trace *t);

/* Whether anybody looks: the log's level is debug, or there is a file. */
bool chsm_trace_on(const struct chsm_trace *t);

/* Before the request leaves, and after its answer came or did not (`failure`, NULL = it came). Failures to write are warnings. */
void chsm_trace_request(struct chsm_trace *t, const struct chsm_exchange *x);
void chsm_trace_answer(struct chsm_trace *t, const struct chsm_exchange *x, int64_t ms, const char *failure);

/* trace_show.c: what may be shown. Results belong to the caller; NULL only when out of memory. */
json_t *chsm_trace_header(const char *line, size_t n);           /* "Name: value" */
json_t *chsm_trace_body(const char *type, const void *p, size_t n, bool secret);

#endif
