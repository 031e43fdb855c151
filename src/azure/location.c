/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>

#include "azure/location.h"
#include "azure/resource.h"

int chsm_location_normal(const char *location, char **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(256);

    for (const char *p = location ? location : ""; *p; p++) {
        char c = (char)tolower((unsigned char)*p);

        if (*p == ' ')
            continue;
        if (!isalnum((unsigned char)*p) || (*p & 0x80) || chsm_buf_add(&out, &c, 1, NULL) < 0)
            return chsm_fail(err, CHSM_USAGE, "\"%s\" is no location: letters and digits, for example uksouth", location);
    }
    if (out.len == 0)
        return chsm_fail(err, CHSM_USAGE, "the location is empty");
    *ret = chsm_buf_take(&out);
    return *ret ? 0 : chsm_oom(err);
}

bool chsm_location_eq(const char *a, const char *b)
{
    AUTO_FREE char *x = NULL;
    AUTO_FREE char *y = NULL;

    return chsm_location_normal(a, &x, NULL) == 0 && chsm_location_normal(b, &y, NULL) == 0 && strcmp(x, y) == 0;
}

int chsm_location_of_group(struct chsm_arm *arm, const char *subscription, const char *group, chsm_deadline d, char **ret,
                           struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { 0 };
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    json_auto_t *body = NULL;

    if (chsm_name_subscription(subscription, err) < 0 || chsm_name_group(group, err) < 0)
        return -1;
    id = chsm_strf("/subscriptions/%s/resourceGroups/%s", subscription, group);
    path = id ? chsm_resource_path(id, NULL, CHSM_RESOURCES_API) : NULL;
    if (!path)
        return chsm_oom(err);
    if (chsm_arm_do(arm, "GET", path, NULL, CHSM_REPEAT_SAFE, d, &r, &body, err) < 0)
        return -1;
    if (!chsm_json_str(body, "location"))
        return chsm_fail(err, CHSM_SERVICE, "the answer about resource group %s names no location", group);
    return chsm_location_normal(chsm_json_str(body, "location"), ret, err);
}
