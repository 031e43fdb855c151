/* SPDX-License-Identifier: Apache-2.0 */
/* ARM's error envelope as an error value (arm.md §2.3). */
#include "config.h"

#include <strings.h>

#include "azure/arm.h"
#include "util/log.h"

#define DEPTH_MAX 5
#define TEXT_MAX 16384

/* The cluster's own identity at the container, not the one that signs in. */
#define MAY_NOT "the cluster's managed identity needs the role Storage Blob Data Contributor on the container; `chsmctl storage " \
                "show` looks for it, and `chsmctl backup check` waits for one that is too new (up to 10 minutes)"

static const struct { const char *code, *hint; } hints[] = {
    { "InvalidAuthenticationToken", "the token is not one for this cloud's resource manager: check the cloud and sign in again" },
    { "InvalidAuthenticationTokenTenant", "the token is from another tenant than the subscription: check AZURE_TENANT_ID" },
    { "ExpiredAuthenticationToken", "the token has expired: sign in again" },
    { "AuthenticationFailed", "sign in again; when it persists, check the tenant and the cloud" },
    { "AuthorizationFailed",
      "give the identity that signs in a role with the action named above on this scope; new assignments take up to 10 minutes" },
    { "LinkedAuthorizationFailed",
      "the identity that signs in needs Microsoft.ManagedIdentity/userAssignedIdentities/assign/action on the "
                                   "managed identity (role Managed Identity Operator)" },
    { "AuthorizationPermissionMismatch", MAY_NOT },
    { "AuthorizationFailure", MAY_NOT },
    { "SubscriptionNotFound", "check the subscription id, and that this identity has a role in it" },
    { "InvalidSubscriptionId", "check the subscription id" },
    { "ResourceGroupNotFound", "check the resource group and the subscription" },
    { "ResourceNotFound", "check the name, the resource group and the subscription" },
    { "NoRegisteredProviderFound", "this cloud or region does not offer Cloud HSM in this api-version" },
    { "MissingSubscriptionRegistration",
      "register the provider that the message names: az provider register --namespace NAME (some minutes)" },
    { "QuotaExceeded", "the subscription's quota is used up: delete what is not needed, or ask Azure support for more" },
    { "SkuNotAvailable", "this SKU is not offered in this region: take another region or SKU" },
    { "LocationNotAvailableForResourceType", "the message lists the regions that have it: take one of them" },
    { "InvalidResourceLocation", "something of that name is in another region: take another name, or that region" },
    { "PropertyChangeNotAllowed", "this is fixed when the resource is made: make another one" },
    { "FailedIdentityOperation", "check the id of the managed identity (`chsmctl identity show --identity ID`)" },
    { "Conflict", "another operation is in progress on it: wait for it to end (`chsmctl cluster show`)" },
    { "ScopeLocked", "a lock on the resource, its group or subscription forbids this: have it removed first" },
    { "RequestDisallowedByPolicy", "an Azure Policy forbids this: its names are in the message" },
    { "TooManyRequests", "the service is throttling: try again later" },
};

int chsm_arm_error_hint(struct chsm_err *err)
{
    for (size_t i = 0; err && !*err->hint && i < ARRAY_LEN(hints); i++)
        if (strcasecmp(err->service_code, hints[i].code) == 0)
            (void)chsm_err_hint(err, "%s", hints[i].hint);
    return -1;
}

static void add_policies(const json_t *e, struct chsm_buf *out)
{
    const json_t *each;
    size_t i;

    json_array_foreach(json_object_get(e, "additionalInfo"), i, each) {
        const char *name = json_string_value(chsm_json_get(each, "info.policyDefinitionDisplayName"));
        const char *id = json_string_value(chsm_json_get(each, "info.policyAssignmentId"));

        if (!name)
            name = json_string_value(chsm_json_get(each, "info.policyDefinitionName"));
        /* A text that does not fit the bound is left out; the code and message are already there. */
        if (name && chsm_buf_addf(out, NULL, "; policy \"%s\"%s%s", name, id ? " assigned by " : "", id ? id : "") < 0)
            return;
    }
}

static void add_error(const json_t *e, unsigned depth, struct chsm_buf *out)
{
    const char *code = chsm_json_str(e, "code");
    const char *message = chsm_json_str(e, "message");
    const json_t *each;
    size_t i;

    if (depth > 0 && (code || message) &&
        chsm_buf_addf(out, NULL, "; %s: %s", code ? code : "without a code", message ? message : "no message") < 0)
        return;
    add_policies(e, out);
    if (depth == DEPTH_MAX)
        return;
    json_array_foreach(json_object_get(e, "details"), i, each)
        add_error(each, depth + 1, out);
    each = json_object_get(e, "innererror");
    if (each)
        add_error(each, depth + 1, out);
}

/* Line breaks and other control characters of a foreign text have no place in ours. */
static void flatten(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
}

char *chsm_arm_error_text(const json_t *e)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(TEXT_MAX);
    const char *message = chsm_json_str(e, "message");
    char *text;

    if (chsm_buf_adds(&out, message ? message : "", NULL) < 0)
        return NULL;
    add_error(e, 0, &out);
    text = chsm_redact_text(chsm_buf_str(&out), NULL);
    if (text)
        flatten(text);
    return text;
}

static char *message_of(const struct chsm_response *r, const json_t *e)
{
    AUTO_FREE char *text = chsm_arm_error_text(e);

    if (!text)
        return NULL;
    return chsm_strf("%s%s%s%s%s%s", *text ? text : "the answer says no more", r->request_id ? " (request id " : "",
                     r->request_id ? r->request_id : "", r->request_id ? ", correlation id " : "",
                     r->request_id ? r->correlation_id ? r->correlation_id : "none" : "", r->request_id ? ")" : "");
}

int chsm_arm_error(const struct chsm_response *r, const char *method, const char *url, struct chsm_err *err)
{
    AUTO_FREE char *shown = chsm_redact_url(url);
    AUTO_FREE char *message = NULL;
    json_auto_t *body = NULL;
    const json_t *e = NULL;
    const char *code;

    if (chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "error answer", CHSM_SERVICE, &body, NULL) == 0)
        e = json_is_object(json_object_get(body, "error")) ? json_object_get(body, "error") : body;
    code = chsm_json_str(e, "code");
    code = code ? code : r->error_code ? r->error_code : "";
    message = message_of(r, e);
    if (!shown || !message)
        return chsm_oom(err);
    (void)chsm_fail(err, r->status == 401 ? CHSM_AUTH : CHSM_SERVICE, "%s %s: HTTP %ld%s%s: %s", method, shown, r->status,
                    *code ? " " : "", code, message);
    if (!err)
        return -1;
    flatten(err->text);     /* a code is foreign text, too */
    err->http = r->status;
    (void)snprintf(err->service_code, sizeof err->service_code, "%s", code);
    flatten(err->service_code);
    return chsm_arm_error_hint(err);
}

bool chsm_arm_absent(const struct chsm_err *err)
{
    return err->http == 404 && (strcasecmp(err->service_code, "ResourceNotFound") == 0 || strcasecmp(err->service_code, "NotFound") == 0);
}
