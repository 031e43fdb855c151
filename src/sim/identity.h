/* SPDX-License-Identifier: Apache-2.0 */
/* What the metadata service and the other endpoints of managed identity share. */
#ifndef CHSM_SIM_IDENTITY_H
#define CHSM_SIM_IDENTITY_H

#include "sim/cloud.h"

CHSM_MUST_CHECK int sim_identity_refuse(struct sim_call *c, unsigned status, const char *error, const char *text, struct chsm_err *err);

/*
 * The identity that a request means. Every identity of the cloud counts as assigned to the machine; selectors are query
 * parameters: `client`, and object_id, principal_id, msi_res_id, mi_res_id. 0 and *ret; 1 when the answer has been refused.
 */
CHSM_MUST_CHECK int sim_identity_find(struct sim_call *c, const char *client, const json_t **ret, struct chsm_err *err);

/* A token of that identity as the endpoints give it: numbers are strings. `brief`: without expires_in, as App Service. */
CHSM_MUST_CHECK int sim_identity_issue(struct sim_call *c, const json_t *identity, const char *resource, bool brief, struct chsm_err *err);

/* App Service and Container Apps (/MSI/token), Cloud Shell (/shell/oauth2/token), Azure Arc (/arc/metadata/identity/oauth2/token). */
CHSM_MUST_CHECK int sim_identity_app(struct sim_call *c, struct chsm_err *err);
CHSM_MUST_CHECK int sim_identity_shell(struct sim_call *c, struct chsm_err *err);
CHSM_MUST_CHECK int sim_identity_arc(struct sim_call *c, struct chsm_err *err);

/* Where an Arc agent keeps its keys, and where this one does below its own folder: a test puts one in the place of the other. */
#define SIM_ARC_TOKENS "/var/opt/azcmagent/tokens"
#define SIM_ARC_FOLDER "arc-tokens"

#endif
