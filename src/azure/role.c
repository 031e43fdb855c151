/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/resource.h"
#include "azure/role.h"
#include "util/enc.h"

#define PROVIDER    "/providers/Microsoft.Authorization/roleAssignments"
#define DEFINITIONS "/providers/Microsoft.Authorization/roleDefinitions/"
#define PATIENCE_MS 120000 /* replication of a new principal; docs speak of a minute or two */
#define FIRST_MS    5000
#define LONGEST_MS  30000

int chsm_role_name(const char *scope, const char *principal, const char *role, char ret[37], struct chsm_err *err)
{
    AUTO_FREE char *text = chsm_strf("%s\n%s\n%s", scope, principal, role);
    unsigned char d[CHSM_SHA256_LEN];

    if (!text)
        return chsm_oom(err);
    for (char *p = text; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    chsm_sha256(text, strlen(text), d);
    d[6] = (unsigned char)((d[6] & 0x0f) | 0x80); /* RFC 9562 §5.8: version 8, a name's digest of our own choice */
    d[8] = (unsigned char)((d[8] & 0x3f) | 0x80);
    (void)snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2], d[3], d[4],
                   d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
    return 0;
}

json_t *chsm_role_body(const char *scope, const char *principal)
{
    size_t n = strlen("/subscriptions/");

    n += strcspn(scope + n, "/");
    /* principalType: without it a fresh identity is not found, for it has not reached every part of the directory yet. */
    return json_pack("{s:{s:o,s:s,s:s}}", "properties", "roleDefinitionId",
                     json_sprintf("%.*s" DEFINITIONS CHSM_BLOB_CONTRIBUTOR, (int)n, scope), "principalId", principal,
                     "principalType", "ServicePrincipal");
}

/* Whether an assignment that was listed at `scope` counts there. A management group is no prefix of what lies in it. */
static bool covers(const char *above, const char *scope)
{
    static const char groups[] = "/providers/Microsoft.Management/managementGroups/";
    size_t n = strlen(above);

    if (strncasecmp(above, groups, strlen(groups)) == 0)
        return true;
    return n > 0 && strncasecmp(above, scope, n) == 0 && (scope[n] == '\0' || scope[n] == '/' || n == 1);
}

bool chsm_role_conditional(const json_t *assignment)
{
    const json_t *condition = json_object_get(json_object_get(assignment, "properties"), "condition");

    return condition && !json_is_null(condition);
}

/* A PUT of the same role at the same scope would take the condition away, or end in a conflict. */
static bool replaced_by_put(const json_t *assignment, const char *scope)
{
    const json_t *p = json_object_get(assignment, "properties");
    const char *role = chsm_json_str(p, "roleDefinitionId");

    return chsm_arm_id_eq(chsm_json_str(p, "scope"), scope) && strcasecmp(strrchr(role, '/') + 1, CHSM_BLOB_CONTRIBUTOR) == 0;
}

static bool suits(const json_t *assignment, const char *scope, const char *principal)
{
    const json_t *p = json_object_get(assignment, "properties");
    const char *role = chsm_json_str(p, "roleDefinitionId"), *at = chsm_json_str(p, "scope"),
               *who = chsm_json_str(p, "principalId");
    const char *last = role ? strrchr(role, '/') : NULL;

    return last && at && who && strcasecmp(who, principal) == 0 && covers(at, scope) &&
           (strcasecmp(last + 1, CHSM_BLOB_CONTRIBUTOR) == 0 || strcasecmp(last + 1, CHSM_BLOB_OWNER) == 0);
}

/* The best of those that suit: without a condition, else the one that a PUT would meet, else any. */
static json_t *best(const json_t *all, const char *scope, const char *principal)
{
    json_t *each, *found = NULL;
    size_t i;

    json_array_foreach (all, i, each) {
        if (!suits(each, scope, principal))
            continue;
        if (!chsm_role_conditional(each))
            return each;
        if (!found || replaced_by_put(each, scope))
            found = each;
    }
    return found;
}

int chsm_role_find(struct chsm_steps *s, const char *scope, const char *principal, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_resource_path(scope, PROVIDER, CHSM_ROLE_API);
    AUTO_FREE char *url = path ? chsm_strf("%s&$filter=principalId%%20eq%%20%%27%s%%27", path, principal) : NULL;
    json_auto_t *all = NULL;
    struct chsm_err why = { 0 };

    if (!url)
        return chsm_oom(err);
    *ret = NULL;
    if (chsm_arm_list(s->arm, url, s->deadline, &all, &why) < 0) {
        if (chsm_steps_absent(&why))
            return 0;
        if (err)
            *err = why;
        return chsm_err_prefix(err, "looking for role assignments");
    }
    *ret = json_incref(best(all, scope, principal));
    return 0;
}

/* Sends the PUT until the directory knows the principal. *ret_made is false when another assignment of the same was there. */
static int assign(struct chsm_steps *s, const char *path, const json_t *body, bool *ret_made, struct chsm_err *err)
{
    int64_t began = chsm_mono(), pause = s->arm->poll_interval > 0 ? s->arm->poll_interval : FIRST_MS;

    for (;;) {
        struct chsm_err why = { 0 };
        json_auto_t *got = NULL;

        *ret_made = true;
        if (chsm_steps_write(s, "PUT", path, body, "role", &got, &why) == 0)
            return 0;
        if (strcasecmp(why.service_code, "RoleAssignmentExists") == 0) {
            *ret_made = false;
            return 0;
        }
        if (strcasecmp(why.service_code, "PrincipalNotFound") != 0 || chsm_mono() - began + pause > PATIENCE_MS) {
            if (err)
                *err = why;
            return -1;
        }
        if (s->watch)
            s->watch((void *)(uintptr_t) "role: the directory does not know the identity yet", &(struct chsm_lro){ .wait = -1 },
                     chsm_mono() - began);
        if (chsm_sleep(pause, s->deadline, err) < 0)
            return chsm_err_prefix(err, "%s", why.text);
        pause = 2 * pause < LONGEST_MS ? 2 * pause : LONGEST_MS;
    }
}

int chsm_role_prepare(struct chsm_steps *s, const char *scope, const char *principal, const char *identity_name,
                      bool scope_is_new, struct chsm_err *err)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *path = NULL;
    json_auto_t *body = chsm_role_body(scope, principal);
    json_auto_t *found = NULL;
    bool made = true;
    char name[37];

    if (!body)
        return chsm_oom(err);
    if (chsm_role_name(scope, principal, CHSM_BLOB_CONTRIBUTOR, name, err) < 0 ||
        (!scope_is_new && chsm_role_find(s, scope, principal, &found, err) < 0))
        return -1;
    if (found && (!chsm_role_conditional(found) || replaced_by_put(found, scope)))
        return chsm_steps_say(s, "role", identity_name, chsm_json_str(found, "id"), CHSM_STEP_EXISTS,
                              json_pack("{s:s*,s:s,s:s*}", "scope", json_string_value(chsm_json_get(found, "properties.scope")),
                                        "principalId", principal, "note",
                                        chsm_role_conditional(found)
                                            ? "it has a condition and was left alone; `chsmctl backup check` tries it"
                                            : NULL),
                              err);
    id = chsm_strf("%s" PROVIDER "/%s", scope, name);
    path = id ? chsm_resource_path(id, NULL, CHSM_ROLE_API) : NULL;
    if (!path)
        return chsm_oom(err);
    if (assign(s, path, body, &made, err) < 0)
        return -1;
    return chsm_steps_say(s, "role", identity_name, id, made ? CHSM_STEP_CREATED : CHSM_STEP_EXISTS,
                          json_pack("{s:s,s:s,s:s*}", "scope", scope, "principalId", principal, "note",
                                    made && !s->dry_run ? "takes effect within 10 minutes" : NULL),
                          err);
}
