/* SPDX-License-Identifier: Apache-2.0 */
/* What an application may sign in with, beside a secret: certificates, federated credentials. */
#ifndef CHSM_SIM_PRINCIPAL_H
#define CHSM_SIM_PRINCIPAL_H

#include "util/json.h"

/* Adds the first certificate of a PEM file. CHSM_CONFIG. */
CHSM_MUST_CHECK int sim_principal_certificate(json_t *principal, const char *file, struct chsm_err *err);

struct sim_federated { const char *issuer, *subject, *audience, *key; };   /* audience NULL = Entra's own; key: PEM file, public */
CHSM_MUST_CHECK int sim_principal_federated(json_t *principal, const struct sim_federated *f, struct chsm_err *err);

#endif
