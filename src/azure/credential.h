/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-in (facts: entra-auth.md). Tokens live in memory only and never leave this folder except inside a request. */
#ifndef CHSM_AZURE_CREDENTIAL_H
#define CHSM_AZURE_CREDENTIAL_H

#include "azure/clouds.h"
#include "azure/http.h"

struct chsm_credential;

/*
 * Chooses by `name`: "environment" (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), "managed-identity" (IMDS;
 * AZURE_POD_IDENTITY_AUTHORITY_HOST replaces its address), "token" (AZURE_ACCESS_TOKEN, for tests and CI). NULL: the first
 * of token, environment, managed-identity that is configured. CHSM_AUTH when there is none: the error lists each and why.
 * http and cloud are borrowed for the credential's life.
 */
CHSM_MUST_CHECK int chsm_credential_new(const char *name, struct chsm_http *http, const struct chsm_cloud *cloud,
                                        struct chsm_credential **ret, struct chsm_err *err);
void chsm_credential_free(struct chsm_credential *c);

/*
 * A token for "{resource}/.default", from the cache when it has 5 more minutes (or half its life, if that is less) to run;
 * `fresh` passes the cache by (the service refused the cached one). Borrowed until the next call. CHSM_AUTH on failure.
 */
CHSM_MUST_CHECK int chsm_credential_token(struct chsm_credential *c, const char *resource, bool fresh,
                                          const struct chsm_secret **ret, struct chsm_err *err);

/* "environment" ...; borrowed. */
const char *chsm_credential_source(const struct chsm_credential *c);

#endif
