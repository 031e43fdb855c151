/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence directory of one run (design §9): folder 0700, files 0600, each written atomically, SHA256SUMS at the end. */
#ifndef CHSM_EVIDENCE_STORE_H
#define CHSM_EVIDENCE_STORE_H

#include "util/json.h"

struct chsm_evidence;

/*
 * Opens a fresh directory; it is made when it is not there. Refused (rule evidence-exists) when it holds anything: evidence is never
 * overwritten.
 */
CHSM_MUST_CHECK int chsm_evidence_open(const char *dir, struct chsm_evidence **ret, struct chsm_err *err);
void chsm_evidence_free(struct chsm_evidence *ev);
static inline void chsm_evidence_auto_(struct chsm_evidence **e) { chsm_evidence_free(*e); *e = NULL; }
#define AUTO_EVIDENCE AUTO(chsm_evidence_auto_)

/* Path of a file in it, malloc()ed; NULL when out of memory. */
char *chsm_evidence_path(const struct chsm_evidence *ev, const char *name);

CHSM_MUST_CHECK int chsm_evidence_put(struct chsm_evidence *ev, const char *name, const void *data, size_t n, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_evidence_put_json(struct chsm_evidence *ev, const char *name, const json_t *value, struct chsm_err *err);

/* Writes SHA256SUMS (the format of sha256sum(1)) over every regular file of the directory, sorted by name. */
CHSM_MUST_CHECK int chsm_evidence_seal(struct chsm_evidence *ev, struct chsm_err *err);

#endif
