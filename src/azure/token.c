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

    if (!p || !chsm_token_ok(p, n) || (type && strcasecmp(type, "Bearer") != 0))
        return chsm_fail(err, CHSM_AUTH, "sign-in: the answer holds no bearer token");
    return chsm_secret_set(&ret->value, p, n, err);
}

int chsm_token_read(struct chsm_response *r, struct chsm_token *ret, struct chsm_err *err)
{
    struct chsm_token token = { 0 };
    json_t *answer = NULL, *value;
    const char *key;
    int rc;

    rc = chsm_json_parse(chsm_buf_str(&r->body), r->body.len, "answer of the sign-in service", CHSM_AUTH, &answer, err);
    chsm_buf_clear(&r->body);
    if (rc < 0)
        return -1;
    rc = take(answer, &token, err);
    token.life = chsm_token_life(answer, chsm_now());
    /* Jansson frees its strings without wiping them. */
    json_object_foreach(answer, key, value)
        if (json_is_string(value))
            chsm_wipe((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_decref(answer);
    if (rc == 0)
        *ret = token;
    return rc;
}

static const struct { const char *code, *hint; } hints[] = {
    { "AADSTS7000215", "the client secret is wrong; a common slip is to give the secret's ID instead of its value" },
    { "AADSTS7000222", "the client secret has expired: make a new one for this application" },
    { "AADSTS700016", "the application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID" },
    { "AADSTS90002", "the tenant was not found: check AZURE_TENANT_ID and the cloud" },
    { "AADSTS900382", "the tenant is in another cloud" },
    { "AADSTS90038", "the tenant is in another cloud" },
    { "AADSTS500011", "the resource is unknown in this tenant: check the cloud" },
    { "AADSTS70011", "the scope is wrong: check the cloud" },
    { "AADSTS53003", "Conditional Access blocks this sign-in" },
    { "Multiple user assigned identities", "name the one to use in AZURE_CLIENT_ID" },
    { "Identity not found", "assign a managed identity to this machine, or name one in AZURE_CLIENT_ID" },
};

static void add_hint(struct chsm_err *err, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        const char *at = strstr(text, hints[i].code);

        if (!at || isdigit((unsigned char)at[strlen(hints[i].code)]))
            continue;
        (void)chsm_err_hint(err, "%s", hints[i].hint);
        return;
    }
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

int chsm_token_refused(const struct chsm_response *r, const char *what, const struct chsm_secret *secret, struct chsm_err *err)
{
    const char *const secrets[] = { secret ? secret->p : NULL, NULL };
    const char *code = NULL, *text = NULL;
    AUTO_FREE char *line = NULL;
    AUTO_FREE char *safe = NULL;
    AUTO_FREE char *ids = NULL;
    json_auto_t *answer = NULL;

    if (chsm_json_parse(chsm_buf_str(&r->body), r->body.len, what, CHSM_AUTH, &answer, NULL) == 0)
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

int chsm_token_unreachable(const struct chsm_credential *c, struct chsm_err *err)
{
    bool in_time = chsm_deadline_left(chsm_http_limited(c->http)) > 0;

    if (err && (err->code == CHSM_SERVICE || (err->code == CHSM_DEADLINE && in_time)))
        err->code = CHSM_AUTH;
    return chsm_err_prefix(err, "sign-in");
}
