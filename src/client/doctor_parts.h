/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the doctor, for each other only. */
#ifndef CHSM_CLIENT_DOCTOR_PARTS_H
#define CHSM_CLIENT_DOCTOR_PARTS_H

#include "client/doctor.h"

/* The host that the first readable copy begins with; NULL = there is none. Borrowed. */
const char *chsm_doctor_host(const json_t *look);

/* The first host of a file's entry that is not of the cluster of `host`; NULL = there is none, or it is not known. Borrowed. */
const char *chsm_doctor_foreign(const struct chsm_doctor *d, const json_t *entry, const char *host);

/* The daemon: its unit, its process, its socket. */
CHSM_MUST_CHECK int chsm_doctor_service(struct chsm_doctor *d, struct chsm_err *err);

/* The nodes' names and ports, and what the daemon has learned of them. */
CHSM_MUST_CHECK int chsm_doctor_network(struct chsm_doctor *d, bool all_nodes, struct chsm_err *err);

#endif
