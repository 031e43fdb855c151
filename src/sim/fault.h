/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that make requests go wrong on purpose: DIR/faults.json, changed under the folder's lock. */
#ifndef CHSM_SIM_FAULT_H
#define CHSM_SIM_FAULT_H

#include "sim/http.h"

enum sim_fault_kind {
    SIM_FAULT_NONE,
    SIM_FAULT_STATUS,       /* answers `status`; the request is not handled, unless `handle` says so */
    SIM_FAULT_BODY,         /* answers `body`, likewise; 200 unless a status is given */
    SIM_FAULT_STALL,        /* handles the request after `ms` */
    SIM_FAULT_RESET,        /* closes the connection, the request is not handled */
    SIM_FAULT_DROP,         /* handles the request, then closes the connection without an answer */
    SIM_FAULT_TRUNCATE,     /* handles the request, sends a part of the answer, then closes the connection */
    SIM_FAULT_HEADER,       /* handles the request; the answer has a header of `size` bytes more */
    SIM_FAULT_TYPE,         /* handles the request; the answer says that it is of another type */
};

struct sim_fault {
    enum sim_fault_kind kind;
    unsigned status;
    int64_t ms;             /* STALL */
    int64_t retry_after;    /* seconds; -1 = no header */
    size_t size;            /* HEADER */
    bool handle;            /* STATUS and BODY: the request is handled before its answer is thrown away */
    char *code, *body;      /* may be NULL */
    char *type;             /* TYPE and BODY: the Content-Type; may be NULL */
    char *claims;           /* a status of 401: the claims challenge (JSON); may be NULL */
};
void sim_fault_done(struct sim_fault *f);

/* "status", "stall", ...; "" for none. */
const char *sim_fault_name(enum sim_fault_kind kind);
bool sim_fault_parse_kind(const char *name, enum sim_fault_kind *ret);

/* Whether the request reaches its service in spite of the fault. */
bool sim_fault_handles(const struct sim_fault *f);

/* What shall happen to this request: the first rule that is due. Every rule that matches counts it. */
CHSM_MUST_CHECK int sim_fault_take(const char *dir, const struct sim_request *rq, struct sim_fault *ret, struct chsm_err *err);

/* Replaces whatever answer there is by the one of a STATUS or BODY fault, in the form that the service's errors have. */
CHSM_MUST_CHECK int sim_fault_answer(const struct sim_fault *f, enum sim_service service, struct sim_answer *an, struct chsm_err *err);

/* What HEADER and TYPE do to an answer; the type is borrowed from *f. */
CHSM_MUST_CHECK int sim_fault_spoil(const struct sim_fault *f, struct sim_answer *an, struct chsm_err *err);

/*
 * Adds a rule: {path, method?, nth, count, kind, status?, code?, retryAfter?, ms?, body?, type?, claims?, size?, handle?}. It fires at the nth to the
 * (nth+count-1)th request that matches. CHSM_USAGE when the pattern is no POSIX extended regular expression.
 */
CHSM_MUST_CHECK int sim_fault_add(const char *dir, json_t *rule, struct chsm_err *err);

/* All rules, each with "seen"; the caller owns *ret. */
CHSM_MUST_CHECK int sim_fault_list(const char *dir, json_t **ret, struct chsm_err *err);
CHSM_MUST_CHECK int sim_fault_clear(const char *dir, struct chsm_err *err);

#endif
