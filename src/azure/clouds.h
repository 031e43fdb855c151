/* SPDX-License-Identifier: Apache-2.0 */
/* Which Azure: three built in, any other through ARM_CLOUD_METADATA_URL (facts: entra-auth.md §9). */
#ifndef CHSM_AZURE_CLOUDS_H
#define CHSM_AZURE_CLOUDS_H

#include "azure/http.h"
#include "util/json.h"

struct chsm_cloud {
    char *name;             /* "AzureCloud" */
    char *resource_manager; /* "https://management.azure.com", no slash at the end */
    char *authority;        /* "https://login.microsoftonline.com", no slash at the end */
    char *arm_resource;     /* what ARM tokens are asked for, no slash at the end */
    char *storage_suffix;   /* "core.windows.net" */
};
void chsm_cloud_done(struct chsm_cloud *c);

/*
 * By name, or, with name NULL, from ARM_CLOUD_METADATA_URL (fetched without a token, https only, 2019-05-01 arrays and
 * 2022-09-01 objects), else AzureCloud. AZURE_AUTHORITY_HOST replaces the authority. CHSM_CONFIG when it cannot be had.
 */
CHSM_MUST_CHECK int chsm_cloud_find(const char *name, struct chsm_http *http, struct chsm_cloud *ret, struct chsm_err *err);

/*
 * Reads ARM's metadata as they came from `url`: one object, or an array from which `name`, else the cloud whose resource
 * manager is url's host, else the first is taken. CHSM_CONFIG; pure.
 */
CHSM_MUST_CHECK int chsm_cloud_read(const json_t *metadata, const char *name, const char *url, struct chsm_cloud *ret,
                                    struct chsm_err *err);

#endif
