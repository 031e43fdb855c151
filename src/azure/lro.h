/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long-running operations: one engine for every polling style of ARM (facts: arm.md §2.2). The decision what an answer
 * means is a pure function, so that it can be tested answer by answer.
 */
#ifndef CHSM_AZURE_LRO_H
#define CHSM_AZURE_LRO_H

#include "azure/arm.h"

enum chsm_lro_style { CHSM_LRO_DONE, CHSM_LRO_ASYNC, CHSM_LRO_LOCATION, CHSM_LRO_RESOURCE };

enum chsm_lro_state { CHSM_LRO_RUNNING, CHSM_LRO_SUCCEEDED, CHSM_LRO_FAILED, CHSM_LRO_CANCELED };

struct chsm_lro {
    enum chsm_lro_style style;
    char *url;                  /* what is polled next; absolute or a path */
    enum chsm_lro_state state;
    json_t *body;               /* the last body that said something; NULL */
    long wait;                  /* seconds that the service asked for; -1 = it named none */
    char *status;               /* the word itself ("InProgress"), NULL when the answer had none */
    char *resource;             /* the resource that the operation works on; NULL when it is none */
    bool deleting;              /* the operation is over when the resource is gone */
};
void chsm_lro_done(struct chsm_lro *l);

/* Begins from the answer of the starting request; resource_url is polled when there is no polling header. */
CHSM_MUST_CHECK int chsm_lro_begin(struct chsm_lro *l, const struct chsm_response *r, const json_t *body,
                                   const char *resource_url,
                                   struct chsm_err *err);

/*
 * Takes in one poll's answer. Status decides, never the HTTP code alone: 200 with "Failed" is a failure, 200 with
 * "InProgress" goes on, "Cancelled" and "Canceled" are one, endTime means nothing. -1: the *poll* failed (4xx/5xx), the
 * operation's fate is unknown.
 */
CHSM_MUST_CHECK int chsm_lro_step(struct chsm_lro *l, const struct chsm_response *r, const json_t *body, struct chsm_err *err);

/* Called before each wait and every second of it with what is known; for progress. */
typedef void chsm_lro_watch(void *ctx, const struct chsm_lro *l, int64_t elapsed_ms);

/*
 * Why an operation did not succeed: its status, and the error in its body, wherever that stands (error, properties.error, the
 * body itself, properties.statusMessage). Always -1, CHSM_SERVICE.
 */
int chsm_lro_failed(const struct chsm_lro *l, const char *what, struct chsm_err *err);

/* Polls to the end. 0 whatever the end state; -1 when it could not be learnt (CHSM_DEADLINE, CHSM_INTERRUPTED, ...). */
CHSM_MUST_CHECK int chsm_lro_wait(struct chsm_arm *arm, struct chsm_lro *l, chsm_deadline deadline, chsm_lro_watch *watch,
                                  void *ctx,
                                  struct chsm_err *err);

struct chsm_lro_follow {        /* how an operation is followed */
    chsm_deadline deadline;
    chsm_lro_watch *watch;      /* may be NULL */
    void *ctx;
};

/*
 * Sends PUT, PATCH, DELETE or a POST that may be repeated, and follows the operation that it starts to its true end: 0 only
 * when that is a success. `path` is the resource's own path with its api-version. *ret (may be NULL) gets the resource as it
 * is in the end, read once more after a PUT or PATCH when the last answer was about the operation; the last answer of a POST;
 * NULL after a DELETE, which has succeeded, too, when the resource was not there. CHSM_SERVICE with the operation's own error
 * when it failed or was canceled; when it cannot be followed any more, the error says that it goes on. A conflict (err->http is
 * 409) may be one with an earlier try whose answer was lost: who knows what was wanted looks whether it is so now.
 */
CHSM_MUST_CHECK int chsm_lro_run(struct chsm_arm *arm, const char *method, const char *path, const json_t *body,
                                 const struct chsm_lro_follow *follow, json_t **ret, struct chsm_err *err);

#endif
