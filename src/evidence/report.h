/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a run. report.json ("chsmctl.report/v1") is the record; every other form is rendered from it alone, so
 * that two forms can never disagree.
 */
#ifndef CHSM_EVIDENCE_REPORT_H
#define CHSM_EVIDENCE_REPORT_H

#include "util/json.h"

#define CHSM_REPORT_FORMAT "chsmctl.report/v1"

/* report.txt: verdict first, then differences, then everything else. Appends to *out. */
CHSM_MUST_CHECK int chsm_report_text(const json_t *report, struct chsm_buf *out, struct chsm_err *err);

#endif
