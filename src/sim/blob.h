/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated blob service: what its two files share. */
#ifndef CHSM_SIM_BLOB_H
#define CHSM_SIM_BLOB_H

#include "sim/cloud.h"
#include "util/clock.h"

#define CHSM_SIM_STORAGE "https://storage.azure.com"

enum sim_blob_failure {
    SIM_BLOB_OK, SIM_BLOB_NO_RESOURCE, SIM_BLOB_ANONYMOUS, SIM_BLOB_NO_VERSION, SIM_BLOB_BAD_VERSION, SIM_BLOB_BAD_TOKEN,
    SIM_BLOB_BAD_AUDIENCE, SIM_BLOB_EXPIRED, SIM_BLOB_KEYS_OFF, SIM_BLOB_FIREWALL, SIM_BLOB_NO_ROLE, SIM_BLOB_NO_CONTAINER,
    SIM_BLOB_EXISTS, SIM_BLOB_BAD_NAME, SIM_BLOB_BAD_QUERY, SIM_BLOB_BAD_METHOD,
};

/* Answers with the service's XML error and its x-ms-error-code. */
CHSM_MUST_CHECK int sim_blob_fail(struct sim_call *c, enum sim_blob_failure f, struct chsm_err *err);

/* Answers a listing: prefix, delimiter, marker, maxresults; what a running backup has written so far is not shown. */
CHSM_MUST_CHECK int sim_blob_list(struct sim_call *c, const json_t *account, const char *container, struct chsm_err *err);

/* 3 to 63 lower-case letters, digits and single hyphens, a letter or digit at both ends. */
bool sim_container_name_ok(const char *name);

/* A container's ARM resource, with the folder that its backups go to; NULL when out of memory. */
json_t *sim_container_make(const json_t *account, const char *name);

#endif
