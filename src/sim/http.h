/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange of the simulated cloud as plain data: no socket, so that tests can make requests by hand. */
#ifndef CHSM_SIM_HTTP_H
#define CHSM_SIM_HTTP_H

#include "util/buf.h"
#include "util/json.h"

enum sim_service { SIM_ARM, SIM_LOGIN, SIM_IMDS, SIM_BLOB, SIM_SERVICES };

/* "arm", "login", "imds", "blob". */
const char *sim_service_name(enum sim_service service);

struct sim_pair { char *name, *value; };

#define SIM_SEGMENTS 24     /* an ARM id of a container has 12 */
#define SIM_PAIRS 48
#define SIM_BODY_MAX (1u << 20)

struct sim_request {
    enum sim_service service;
    char *method;
    char *target;                       /* as it came: "/a//b%2Dc?x=y" */
    char *path;                         /* decoded, double slashes folded: "/a/b-c"; for fault rules and the log */
    char *seg[SIM_SEGMENTS];            /* decoded one by one, so that %2F stays inside its segment */
    size_t segs;
    struct sim_pair query[SIM_PAIRS];   /* decoded */
    size_t queries;
    struct sim_pair header[SIM_PAIRS];
    size_t headers;
    struct chsm_buf body;
};

/* Takes a request target apart. CHSM_SERVICE when it is malformed (bad escapes, NUL, too many parts). */
CHSM_MUST_CHECK int sim_request_init(struct sim_request *rq, enum sim_service service, const char *method, const char *target,
                                     struct chsm_err *err);
CHSM_MUST_CHECK int sim_request_header(struct sim_request *rq, const char *name, const char *value, struct chsm_err *err);
void sim_request_done(struct sim_request *rq);

/* First value of a query parameter or a header (names in any case); NULL when it is not there. Borrowed. */
const char *sim_query(const struct sim_request *rq, const char *name);
const char *sim_header(const struct sim_request *rq, const char *name);

/*
 * Reads application/x-www-form-urlencoded text into an object of strings. CHSM_SERVICE when it is malformed.
 * The caller owns *ret.
 */
CHSM_MUST_CHECK int sim_form_parse(const char *text, json_t **ret, struct chsm_err *err);

struct sim_answer {
    unsigned status;                    /* 0 until somebody answered */
    const char *type;                   /* Content-Type, static; NULL without a body */
    char *body;
    size_t len;
    struct sim_pair header[16];
    size_t headers;
};

/* Replaces the answer's status and body. `body` is stolen; NULL (out of memory while it was built) is an error. */
CHSM_MUST_CHECK int sim_answer_json(struct sim_answer *an, unsigned status, json_t *body, struct chsm_err *err);
CHSM_MUST_CHECK int sim_answer_text(struct sim_answer *an, unsigned status, const char *type, const char *body, struct chsm_err *err);
void sim_answer_empty(struct sim_answer *an, unsigned status);
CHSM_MUST_CHECK CHSM_PRINTF(4, 5) int sim_answer_header(struct sim_answer *an, struct chsm_err *err, const char *name, const char *fmt, ...);
void sim_answer_done(struct sim_answer *an);

#endif
