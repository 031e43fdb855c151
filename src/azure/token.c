/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what token endpoints answer (entra-auth.md §1, §5.2, §13). */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "azure/credential_kind.h"
#include "util/log.h"

#define SECONDS_MAX 253402300799LL     /* the end of the year 9999 */

bool chsm_token_ok(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] <= 0x20 || (unsigned char)p[i] >= 0x7f)
            return false;
    return n > 0 && n <= CHSM_SECRET_MAX;
}

/* A whole number of seconds, as a number or as a decimal string; -1 when it is none. */
static int64_t seconds(const json_t *v)
{
    const char *s = json_string_value(v);
    int64_t n = -1;
    char *end;

    if (json_is_number(v)) {
        double d = json_number_value(v);

        return d >= 0 && d <= (double)SECONDS_MAX ? (int64_t)d : -1;
    }
    if (!s || !isdigit((unsigned char)*s))
        return -1;
    errno = 0;
    n = strtoll(s, &end, 10);
    return *end || errno || n > SECONDS_MAX ? -1 : n;
}

int64_t chsm_token_life(const json_t *answer, int64_t now)
{
    const json_t *on = json_object_get(answer, "expires_on");
    int64_t s = seconds(on), at;

    if (s >= 0)
        return s * 1000 > now ? s * 1000 - now : 0;
    if (json_is_string(on) && chsm_time_parse(json_string_value(on), &at, NULL) == 0)
        return at > now ? at - now : 0;
    s = seconds(json_object_get(answer, "expires_in"));
    return s > 0 ? s * 1000 : 0;
}

static int take(const json_t *answer, struct chsm_token *ret, struct chsm_err *err)
{
    json_t *token = json_object_get(answer, "access_token");
    const char *type = chsm_json_str(answer, "token_type");
    const char *p = json_string_value(token);
    size_t n = json_string_length(token);
    int64_t renew;

    if (!p || !chsm_token_ok(p, n) || (type && strcasecmp(type, "Bearer") != 0))
        return chsm_fail(err, CHSM_AUTH, "sign-in: the answer holds no bearer token");
    ret->life = chsm_token_life(answer, chsm_now());
    renew = json_is_number(json_object_get(answer, "refresh_in")) ? seconds(json_object_get(answer, "refresh_in")) : -1;
    ret->renew = renew > 0 ? renew * 1000 : 0;
    return chsm_secret_set(&ret->value, p, n, err);
}

/* Jansson frees its strings without wiping them. */
void chsm_token_forget(json_t *answer)
{
    json_t *value;
    const char *key;

    json_object_foreach(answer, key, value)
        if (json_is_string(value))
            chsm_wipe((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_decref(answer);
}

int chsm_token_read_more(struct chsm_response *r, struct chsm_token *ret, json_t **ret_more, struct chsm_err *err)
{
    struct chsm_token token = { 0 };
    json_t *answer = NULL;
    int rc = chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "answer of the sign-in service", CHSM_AUTH, &answer, err);

    chsm_buf_clear(&r->body);
    if (rc < 0)
        return -1;
    if (take(answer, &token, err) < 0) {
        chsm_token_forget(answer);
        return -1;
    }
    *ret = token;
    if (ret_more)
        *ret_more = answer;
    else
        chsm_token_forget(answer);
    return 0;
}

int chsm_token_read(struct chsm_response *r, struct chsm_token *ret, struct chsm_err *err)
{
    return chsm_token_read_more(r, ret, NULL, err);
}

/* Codes of §13, by their number after "AADSTS"; a hint, no more: what is done depends on `error` and the status. */
static const struct { int code; const char *hint; } hints[] = {
    { 7000215, "the client secret is wrong; a common slip is to give the secret's ID instead of its value" },
    { 7000222, "the client secret has expired: make a new one for this application" },
    { 7000218, "the application is no public client: sign in with AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, or allow "
               "public client flows" },
    { 7000214, "the application does not allow certificates of this subject and issuer" },
    { 700016, "the application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID" },
    { 700011, "the application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID" },
    { 70001, "the application is not in this tenant, or disabled: check AZURE_CLIENT_ID and AZURE_TENANT_ID" },
    { 700025, "the application is a public client: it takes neither secret nor certificate" },
    { 700027, "the certificate is not registered for this application, or has expired: upload its public part there; after an "
              "upload it can take minutes" },
    { 700024, "the assertion's time is not accepted: check this machine's clock, or the age of the federated token" },
    { 700030, "the application does not allow certificates of this subject: AZURE_CLIENT_SEND_CERTIFICATE_CHAIN goes with subject "
              "and issuer" },
    { 50012, "the certificate or its signature is not accepted: check which certificate is registered for the application" },
    { 50013, "the assertion is not accepted: check its signature, audience and time" },
    { 70021, "no federated credential of the application fits the token" },
    { 700211, "no federated credential of the application has the issuer of this token" },
    { 700212, "no federated credential of the application has the audience of this token" },
    { 700213, "no federated credential of the application has the subject of this token; after a change it can take minutes" },
    { 90002, "the tenant was not found: check AZURE_TENANT_ID and the cloud" },
    { 900382, "the tenant is in another cloud: check --cloud and AZURE_AUTHORITY_HOST" },
    { 90038, "the tenant is in another cloud: check --cloud and AZURE_AUTHORITY_HOST" },
    { 500011, "the resource is unknown in this tenant: check the cloud" },
    { 50001, "the resource is unknown in this tenant: check the cloud" },
    { 70011, "the scope is wrong: check the cloud" },
    { 700022, "the scope is wrong: check the cloud" },
    { 28002, "the scope is wrong: check the cloud" },
    { 65001, "nobody has consented to this application: an administrator has to" },
    { 53003, "Conditional Access blocks this sign-in: ask the tenant's administrator" },
    { 530032, "Conditional Access blocks this sign-in: ask the tenant's administrator" },
    { 53000, "Conditional Access wants a managed device" },
    { 50076, "more than a password is wanted: sign in again with \"az login\" or --credential device-code" },
    { 50079, "more than a password is wanted: sign in again with \"az login\" or --credential device-code" },
    { 50020, "the user is of another tenant: check AZURE_TENANT_ID" },
    { 50173, "the sign-in has been revoked or is too old: sign in again" },
    { 70008, "the sign-in has been revoked or is too old: sign in again" },
    { 700082, "the sign-in has been revoked or is too old: sign in again" },
    { 70043, "the sign-in has been revoked or is too old: sign in again" },
    { 70018, "the code was wrong: begin again" },
    { 70019, "the code has expired: begin again" },
    { 90055, "the tenant is throttled: wait some minutes" },
    { 50196, "the service sees a loop of the same requests: wait some minutes" },
};

static const struct { const char *text, *hint; } managed_hints[] = {
    { "Multiple user assigned identities", "name the one to use in AZURE_CLIENT_ID" },
    { "Identity not found", "assign a managed identity to this machine, or name one in AZURE_CLIENT_ID" },
};

/* Codes that say themselves that they pass. */
static const int passing[] = { 90006, 90012, 90024, 90033, 90090, 70012, 80005, 501621 };

/* The number after "AADSTS" in a text; 0 = none. */
static int aadsts(const char *text)
{
    const char *at = text ? strstr(text, "AADSTS") : NULL;
    char *end = NULL;
    long code = at ? strtol(at + strlen("AADSTS"), &end, 10) : 0;

    return end && *end == ':' && code > 0 && code < 100000000 ? (int)code : 0;
}

static void add_hint(struct chsm_err *err, const char *text)
{
    int code = aadsts(text);

    for (size_t i = 0; code && i < ARRAY_LEN(hints); i++)
        if (hints[i].code == code)
            (void)chsm_err_hint(err, "%s", hints[i].hint);
    for (size_t i = 0; i < ARRAY_LEN(managed_hints); i++)
        if (strstr(text, managed_hints[i].text))
            (void)chsm_err_hint(err, "%s", managed_hints[i].hint);
}

/* error + error_description, App Service's {"error":{code,message}} or {message}; `text` gets its first line. */
static void describe(const json_t *answer, const char **code, const char **text)
{
    const json_t *e = json_object_get(answer, "error");

    *code = json_is_object(e) ? chsm_json_str(e, "code") : json_string_value(e);
    *text = json_is_object(e) ? chsm_json_str(e, "message") : chsm_json_str(answer, "error_description");
    if (!*text)
        *text = chsm_json_str(answer, "message");
}

/* What Microsoft's support asks for; "" when the answer names none. */
static char *trace_ids(const json_t *answer)
{
    const char *trace = chsm_json_str(answer, "trace_id");
    const char *correlation = chsm_json_str(answer, "correlation_id");

    if (!trace && !correlation)
        return strdup("");
    return chsm_strf(" (trace id %s, correlation id %s)", trace ? trace : "none", correlation ? correlation : "none");
}

static json_t *parse(const struct chsm_response *r)
{
    json_t *answer = NULL;

    if (chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "answer", CHSM_AUTH, &answer, NULL) < 0)
        return NULL;
    return answer;
}

bool chsm_token_transient(const struct chsm_response *r)
{
    json_auto_t *answer = parse(r);
    const char *code = NULL, *text = NULL;
    int number;

    describe(answer, &code, &text);
    if (chsm_streq(code, "temporarily_unavailable") || chsm_streq(code, "server_error"))
        return true;
    number = aadsts(text);
    for (size_t i = 0; number && i < ARRAY_LEN(passing); i++)
        if (passing[i] == number)
            return true;
    return false;
}

void chsm_token_error(const struct chsm_response *r, char *out, size_t size)
{
    json_auto_t *answer = parse(r);
    const char *code = NULL, *text = NULL;

    describe(answer, &code, &text);
    (void)snprintf(out, size, "%s", code ? code : "");
}

int chsm_token_refused(const struct chsm_response *r, const char *what, const struct chsm_secret *secret, struct chsm_err *err)
{
    const char *const secrets[] = { secret ? secret->p : NULL, NULL };
    const char *code = NULL, *text = NULL;
    AUTO_FREE char *line = NULL;
    AUTO_FREE char *safe = NULL;
    AUTO_FREE char *ids = NULL;
    json_auto_t *answer = NULL;

    answer = parse(r);
    describe(answer, &code, &text);
    line = strndup(text ? text : "no description", text ? strcspn(text, "\r\n") : SIZE_MAX);
    safe = line ? chsm_redact_text(line, secrets) : NULL;
    ids = trace_ids(answer);
    if (!safe || !ids)
        return chsm_oom(err);
    (void)chsm_fail(err, CHSM_AUTH, "%s: HTTP %ld %s: %s%s", what, r->status, code ? code : "without a code", safe, ids);
    if (!err)
        return -1;
    err->http = r->status;
    (void)snprintf(err->service_code, sizeof err->service_code, "%s", code ? code : "");
    add_hint(err, safe);
    return -1;
}

int chsm_token_unreachable(const struct chsm_link *l, struct chsm_err *err)
{
    bool in_time = chsm_deadline_left(chsm_http_limited(l->http)) > 0;

    if (err && (err->code == CHSM_SERVICE || (err->code == CHSM_DEADLINE && in_time)))
        err->code = CHSM_AUTH;
    if (err && err->code == CHSM_AUTH && !*err->hint)
        (void)chsm_err_hint(err, "check the network and the proxy on the way to the sign-in service, then run the command again");
    return chsm_err_prefix(err, "sign-in");
}
