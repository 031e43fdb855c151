/* SPDX-License-Identifier: Apache-2.0 */
/* User-assigned managed identities as resources of their own (facts: arm.md §4.2). */
#ifndef CHSM_AZURE_IDENTITY_H
#define CHSM_AZURE_IDENTITY_H

#include "azure/arm.h"

#define CHSM_IDENTITY_API "2023-01-31"

struct chsm_identity_ref {
    const char *subscription, *group, *name;
};

/* "/subscriptions/.../userAssignedIdentities/NAME", malloc()ed; CHSM_USAGE when a part breaks Azure's naming rules. */
CHSM_MUST_CHECK int chsm_identity_id(const struct chsm_identity_ref *ref, char **ret, struct chsm_err *err);

CHSM_MUST_CHECK int chsm_identity_get(struct chsm_arm *arm, const char *identity_id, chsm_deadline d, json_t **ret,
                                      struct chsm_err *err);

struct chsm_identity_spec {
    const char *location; /* as chsm_location_normal() gives it; NULL: the group's */
    const json_t *tags;   /* NULL: none */
};

struct chsm_identity_created {
    bool created;     /* false: it was there, nothing was sent */
    json_t *identity; /* the caller's */
};

/*
 * PUT, which is done when it is answered. An identity that is there is left alone; in another location, or with other tags
 * than are asked for, it is refused (rule identity-differs). Its principal may take minutes to be known to the directory.
 */
CHSM_MUST_CHECK int chsm_identity_create(struct chsm_arm *arm, const struct chsm_identity_ref *ref,
                                         const struct chsm_identity_spec *spec, chsm_deadline d,
                                         struct chsm_identity_created *ret, struct chsm_err *err);

#endif
