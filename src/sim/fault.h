/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that make requests go wrong on purpose: DIR/faults.json, changed under the folder's lock. */
#ifndef CHSM_SIM_FAULT_H
#define CHSM_SIM_FAULT_H

#include "sim/http.h"

enum sim_fault_kind {
    SIM_FAULT_NONE,
    SIM_FAULT_STATUS,       /* answers `status` without handling the request */
    SIM_FAULT_BODY,         /* answers `body` without handling the request; 200 unless a status is given */
    SIM_FAULT_STALL,        /* handles the request after `ms` */
    SIM_FAULT_RESET,        /* closes the connection, the request is not handled */
    SIM_FAULT_DROP,         /* handles the request, then closes the connection without an answer */
    SIM_FAULT_TRUNCATE,     /* handles the request, sends a part of the answer, then closes the connection */
};

struct sim_fault {
    enum sim_fault_kind kind;
    unsigned status;
    int64_t ms;             /* STALL */
    int64_t retry_after;    /* seconds; -1 = no header */
    char *code, *body;      /* may be NULL */
};
void sim_fault_done(struct sim_fault *f);

/* "status", "stall", ...; "" for none. */
const char *sim_fault_name(enum sim_fault_kind kind);
bool sim_fault_parse_kind(const char *name, enum sim_fault_kind *ret);

/* What shall happen to this request: the first rule that is due. Every rule that matches counts it. */
CHSM_MUST_CHECK int sim_fault_take(const char *dir, const struct sim_request *rq, struct sim_fault *ret, struct chsm_err *err);

/*
 * Adds a rule: {path, method?, nth, count, kind, status?, code?, retryAfter?, ms?, body?}. It fires at the nth to the
 * (nth+count-1)th request that matches. CHSM_USAGE when the pattern is no POSIX extended regular expression.
 */
CHSM_MUST_CHECK int sim_fault_add(const char *dir, json_t *rule, struct chsm_err *err);

/* All rules, each with "seen"; the caller owns *ret. */
CHSM_MUST_CHECK int sim_fault_list(const char *dir, json_t **ret, struct chsm_err *err);
CHSM_MUST_CHECK int sim_fault_clear(const char *dir, struct chsm_err *err);

#endif
