/* SPDX-License-Identifier: Apache-2.0 */
/* Name resolution with a deadline: getaddrinfo() has none, so it runs in threads that may be left behind. */
#ifndef CHSM_CLIENT_LOOKUP_H
#define CHSM_CLIENT_LOOKUP_H

#include "client/reach.h"

/* Sets name, addresses, public and why of all. Errors as of chsm_reach_all(). */
CHSM_MUST_CHECK int chsm_lookup_all(struct chsm_reach *v, size_t n, chsm_deadline deadline, struct chsm_err *err);

#endif
