/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a drill: JSON lines, append-only, fsynced line by line, each line carrying the hash of the one before
 * (design §8). It is written before and after every action with an outside effect.
 */
#ifndef CHSM_DRILL_JOURNAL_H
#define CHSM_DRILL_JOURNAL_H

#include "util/json.h"

struct chsm_journal;

/* Makes a new file, mode 0600; refused (evidence-exists) when it exists. */
CHSM_MUST_CHECK int chsm_journal_create(const char *path, struct chsm_journal **ret, struct chsm_err *err);
void chsm_journal_close(struct chsm_journal *j);

/*
 * Appends {"n", "time", "event", "step", "data", "previous"} and syncs it to the disk. data is stolen and may be NULL. When this
 * fails nothing may be done that the line announces.
 */
CHSM_MUST_CHECK int chsm_journal_add(struct chsm_journal *j, const char *event, const char *step, json_t *data, struct chsm_err *err);

/*
 * Checks numbers and hashes of a journal's text; a torn last line (no newline) is no mistake. CHSM_EVIDENCE names the first
 * line that does not fit. *ret_lines gets the number of good lines. Pure.
 */
CHSM_MUST_CHECK int chsm_journal_verify(const char *text, size_t n, size_t *ret_lines, struct chsm_err *err);

#endif
