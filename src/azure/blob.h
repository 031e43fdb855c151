/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blob service: which backups lie in a container (facts: storage.md §1, §2). Bearer tokens only; a token goes to the
 * host of the container that was asked for and nowhere else.
 */
#ifndef CHSM_AZURE_BLOB_H
#define CHSM_AZURE_BLOB_H

#include "azure/arm.h"

#define CHSM_BLOB_VERSION   "2022-11-02" /* x-ms-version */
#define CHSM_BLOB_PAGES_MAX 200 /* of up to 5,000 entries each */

/*
 * The backup folders of Cloud HSM in a container, newest first: array of {"name": "cloudhsm-UUID-DIGITS", "source": "UUID",
 * "time": RFC 3339}, `time` left out when the digits are no date. `container_uri` is https://ACCOUNT.blob.SUFFIX/CONTAINER,
 * or https://127.0.0.1:PORT/ACCOUNT/CONTAINER as emulators have it; a path behind the container is part of the names and not
 * shown.
 * `prefix` NULL: "cloudhsm-"; "cloudhsm-UUID-" gives those of one source. An empty array when there is none. Other names in
 * the container are passed over. The list is whole or an error: CHSM_USAGE, CHSM_REFUSED (chsm_container_check(); a host that
 * is no blob service of the cloud), CHSM_AUTH, CHSM_SERVICE with what to do about it, CHSM_DEADLINE, CHSM_INTERRUPTED.
 */
CHSM_MUST_CHECK int chsm_blob_folders(struct chsm_arm *arm, const char *container_uri, const char *prefix, chsm_deadline d,
                                      json_t **ret, struct chsm_err *err);

/* {name, source, time} of one folder name; NULL when it is none of Cloud HSM's, or out of memory. Pure. */
json_t *chsm_blob_folder_parse(const char *name);

/* One page of a listing by delimiter. */
struct chsm_blob_page {
    json_t *prefixes; /* array of strings, each with its delimiter at the end */
    char *next;       /* NULL: the last page */
};
void chsm_blob_page_done(struct chsm_blob_page *p);

/* Reads the XML of a listing; a document type, and with it every entity, is refused. CHSM_SERVICE. Pure. */
CHSM_MUST_CHECK int chsm_blob_page_parse(const char *xml, size_t n, struct chsm_blob_page *ret, struct chsm_err *err);

/* Fills *err from an answer of the blob service that is not 2xx: its code, message and, where known, a remedy. Pure. Always -1. */
int chsm_blob_error(const struct chsm_response *r, const char *method, const char *url, struct chsm_err *err);

#endif
