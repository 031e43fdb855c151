/* SPDX-License-Identifier: Apache-2.0 */
/* Regions: "UK South" and "uksouth" are one (ARM takes both and answers with either). */
#ifndef CHSM_AZURE_LOCATION_H
#define CHSM_AZURE_LOCATION_H

#include "azure/arm.h"

#define CHSM_RESOURCES_API "2024-03-01" /* resource groups */

/* Lower case without blanks, malloc()ed; CHSM_USAGE when there is anything but letters, digits and blanks in it. */
CHSM_MUST_CHECK int chsm_location_normal(const char *location, char **ret, struct chsm_err *err);

bool chsm_location_eq(const char *a, const char *b);

/* The region of a resource group: what az takes when --location is left out. malloc()ed. */
CHSM_MUST_CHECK int chsm_location_of_group(struct chsm_arm *arm, const char *subscription, const char *group, chsm_deadline d,
                                           char **ret, struct chsm_err *err);

#endif
