/* SPDX-License-Identifier: Apache-2.0 */
/* Headers on their way in and out of the gate; for http.c alone. */
#ifndef CHSM_AZURE_HTTP_HEADERS_H
#define CHSM_AZURE_HTTP_HEADERS_H

#include <curl/curl.h>

#include "azure/http.h"

#define CHSM_HTTP_HEADERS_MAX (4 * CHSM_HTTP_HEADER_MAX)    /* all header lines of one answer together */

/* Takes in one header line of n bytes, its line end included. Only the headers that struct chsm_response names are kept. */
CHSM_MUST_CHECK int chsm_headers_take(struct chsm_response *r, const char *line, size_t n, struct chsm_err *err);

/* Forgets the headers so far: a new status line began (an answer after "100 Continue"). */
void chsm_headers_forget(struct chsm_response *r);

/* "120" or an HTTP date (RFC 9110 §10.2.3) as seconds from `now` (ms since 1970), within 0..600; -1 when unusable. */
long chsm_retry_after_parse(const char *value, int64_t now);

/* "1500" (ms) as seconds, rounded up, within 0..600; -1 when unusable. */
long chsm_retry_after_ms(const char *value);

/* The request's header lines; NULL with *err filled. Ended by chsm_headers_free(), which wipes them. */
struct curl_slist *chsm_headers_build(const struct chsm_request *rq, struct chsm_err *err);
void chsm_headers_free(struct curl_slist *list);

#endif
