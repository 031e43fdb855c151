/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of a cluster, for people: from the JSON of a coverage alone. */
#ifndef CHSM_EVIDENCE_REPORT_NODES_H
#define CHSM_EVIDENCE_REPORT_NODES_H

#include "util/json.h"

/* One coverage: a table of the nodes, what is missing, and what is not established. Appends to *out. */
CHSM_MUST_CHECK int chsm_report_coverage(const json_t *coverage, struct chsm_buf *out, struct chsm_err *err);

/* One line for the head of a report that has the member "nodes", which may be why it failed. */
CHSM_MUST_CHECK int chsm_report_nodes_line(const json_t *report, struct chsm_buf *out, struct chsm_err *err);

/* The member "nodes" of a report, with its heading; nothing when there is none. */
CHSM_MUST_CHECK int chsm_report_nodes(const json_t *report, struct chsm_buf *out, struct chsm_err *err);

#endif
