/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/identity.h"
#include "azure/location.h"
#include "azure/resource.h"
#include "azure/tags.h"
#include "util/safety.h"

int chsm_identity_id(const struct chsm_identity_ref *ref, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;

    if (chsm_name_subscription(ref->subscription, err) < 0 || chsm_name_group(ref->group, err) < 0)
        return -1;
    if (!chsm_identity_name_ok(ref->name))
        return chsm_fail(err, CHSM_USAGE,
                         "identity \"%s\": 3 to 128 letters, digits, '-' or '_', beginning with a letter or digit",
                         ref->name ? ref->name : "");
    id = chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.ManagedIdentity/userAssignedIdentities/%s",
                   ref->subscription, ref->group, ref->name);
    if (!id)
        return chsm_oom(err);
    *ret = TAKE(id);
    return 0;
}

static int request(struct chsm_arm *arm, const char *method, const char *id, const json_t *body, chsm_deadline d, json_t **ret,
                   struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_resource_path(id, NULL, CHSM_IDENTITY_API);
    AUTO_RESPONSE struct chsm_response r = { 0 };
    json_auto_t *answer = NULL;

    if (!path)
        return chsm_oom(err);
    if (chsm_arm_do(arm, method, path, body, CHSM_REPEAT_SAFE, d, &r, &answer, err) < 0)
        return -1;
    if (!json_is_object(answer))
        return chsm_fail(err, CHSM_SERVICE, "%s %s: HTTP %ld without a resource", method, id, r.status);
    *ret = TAKE(answer);
    return 0;
}

int chsm_identity_get(struct chsm_arm *arm, const char *identity_id, chsm_deadline d, json_t **ret, struct chsm_err *err)
{
    if (chsm_name_identity(identity_id, err) < 0)
        return -1;
    return request(arm, "GET", identity_id, NULL, d, ret, err);
}

static int accept_existing(const struct chsm_identity_ref *ref, const json_t *found, const struct chsm_identity_spec *spec,
                           struct chsm_err *err)
{
    const char *location = chsm_json_str(found, "location");

    if (spec->location && !chsm_location_eq(location, spec->location))
        return chsm_refuse(err, CHSM_RULE_IDENTITY_DIFFERS, "%s is in %s instead of %s", ref->name,
                           location ? location : "no location", spec->location);
    if (spec->tags && !chsm_tags_equal(json_object_get(found, "tags"), spec->tags, /* caseless= */ false))
        return chsm_refuse(err, CHSM_RULE_IDENTITY_DIFFERS, "%s has other tags", ref->name);
    return 0;
}

static int make(struct chsm_arm *arm, const char *id, const struct chsm_identity_spec *spec, chsm_deadline d, json_t **ret,
                struct chsm_err *err)
{
    json_auto_t *body = json_pack("{s:s}", "location", spec->location);
    json_auto_t *made = NULL;

    if (!body ||
        (spec->tags && json_object_size(spec->tags) > 0 && json_object_set_new(body, "tags", json_deep_copy(spec->tags)) < 0))
        return chsm_oom(err);
    if (request(arm, "PUT", id, body, d, &made, err) < 0)
        return -1;
    if (!json_string_value(chsm_json_get(made, "properties.principalId")))
        return chsm_fail(err, CHSM_SERVICE, "the identity %s was created, but the answer names no principal", id);
    *ret = TAKE(made);
    return 0;
}

int chsm_identity_create(struct chsm_arm *arm, const struct chsm_identity_ref *ref, const struct chsm_identity_spec *spec,
                         chsm_deadline d, struct chsm_identity_created *ret, struct chsm_err *err)
{
    struct chsm_identity_spec whole = *spec;
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *location = NULL;
    json_auto_t *identity = NULL;
    struct chsm_err why = { 0 };

    if (chsm_identity_id(ref, &id, err) < 0)
        return -1;
    if (request(arm, "GET", id, NULL, d, &identity, &why) == 0) {
        if (accept_existing(ref, identity, spec, err) < 0)
            return -1;
        *ret = (struct chsm_identity_created){ .identity = TAKE(identity) };
        return 0;
    }
    if (!chsm_arm_absent(&why)) {
        if (err)
            *err = why;
        return -1;
    }
    if (!spec->location && chsm_location_of_group(arm, ref->subscription, ref->group, d, &location, err) < 0)
        return -1;
    whole.location = spec->location ? spec->location : location;
    if (make(arm, id, &whole, d, &identity, err) < 0)
        return -1;
    *ret = (struct chsm_identity_created){ .created = true, .identity = TAKE(identity) };
    return 0;
}
