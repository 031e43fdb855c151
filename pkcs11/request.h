/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a worker and its one reply, for everything but lists. */
#ifndef CHSM_PKCS11_REQUEST_H
#define CHSM_PKCS11_REQUEST_H

#include "pkcs11/child.h"

/* The limit of one step in ms. */
int64_t chsm_request_limit(const struct chsm_hsm_target *target);

/* {"module", "label"?, "slot"?} with the module's real path; NULL on failure (CHSM_CONFIG: no such module). */
json_t *chsm_request_for(const struct chsm_hsm_target *target, struct chsm_err *err);

/* Sends the request, and the PIN after it when there is one. */
CHSM_MUST_CHECK int chsm_request_do(struct chsm_child *c, enum chsm_wire_type type, const json_t *request,
                                    const struct chsm_secret *pin, int64_t limit, struct chsm_err *err);

/* The body of a frame as JSON, the caller's. */
CHSM_MUST_CHECK int chsm_request_parse(const struct chsm_buf *frame, json_t **ret, struct chsm_err *err);

/* An error frame as an error value, redacted. */
void chsm_request_error(const struct chsm_child *c, const json_t *body, struct chsm_err *ret);

/*
 * The reply: 0 when it is of type `want`, 1 when the module refused an answer that was wanted (CHSM_WIRE_REFUSED), 2 when it has to be
 * asked again (CHSM_WIRE_LATER), -1 with the worker's error or with
 * one of its own. *ret is the caller's.
 */
CHSM_MUST_CHECK int chsm_request_reply(struct chsm_child *c, enum chsm_wire_type want, int64_t limit, json_t **ret,
                                       struct chsm_err *err);

#endif
