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
    char *storage_resource; /* what tokens for blobs are asked for: "https://storage.azure.com" */
    char *hsm_suffix;       /* of Managed HSMs: "managedhsm.azure.net"; NULL = the cloud has none */
    char *hsm_resource;     /* what tokens for them are asked for: "https://managedhsm.azure.net"; NULL = the cloud has none */
};
void chsm_cloud_done(struct chsm_cloud *c);

/*
 * `name` is that of a built-in cloud, a file with ARM's metadata (it has a slash or ends in ".json"), or a cloud in the metadata at
 * ARM_CLOUD_METADATA_URL. NULL: the cloud of ARM_CLOUD_METADATA_URL (fetched without a token, https only), else AzureCloud.
 * AZURE_AUTHORITY_HOST replaces the authority. CHSM_CONFIG when it cannot be had.
 */
CHSM_MUST_CHECK int chsm_cloud_find(const char *name, struct chsm_http *http, struct chsm_cloud *ret, struct chsm_err *err);

/*
 * Reads ARM's metadata as they came from `url` (NULL: from a file): one object, or an array from which `name`, else the cloud whose
 * resource manager is url's host, else the only or, with a url, the first one is taken. Azure Stack's form (api-version 1.0 and
 * 2015-01-01) names no resource manager: it is url's own. CHSM_CONFIG; pure.
 */
CHSM_MUST_CHECK int chsm_cloud_read(const json_t *metadata, const char *name, const char *url, struct chsm_cloud *ret,
                                    struct chsm_err *err);

#endif
