/* SPDX-License-Identifier: Apache-2.0 */
/* DIR/requests.jsonl: every request in one line, without secrets, for tests to assert on. */
#ifndef CHSM_SIM_REQLOG_H
#define CHSM_SIM_REQLOG_H

#include "sim/fault.h"
#include "sim/http.h"

/*
 * The line as an object: time, service, method, path (decoded), query, status (0 = no answer was sent), fault, handled
 * (it got through to its service), authorization ("bearer" or "none"), body (JSON or form members, secrets replaced; null
 * otherwise). NULL when out of memory.
 */
json_t *sim_reqlog_entry(const struct sim_request *rq, unsigned status, const struct sim_fault *fault, int64_t now);

/* Appends it with one write(). */
CHSM_MUST_CHECK int sim_reqlog_add(const char *dir, const struct sim_request *rq, unsigned status, const struct sim_fault *fault,
                                   struct chsm_err *err);

#endif
