/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/login.h"
#include "util/enc.h"
#include "util/redact.h"

#define SECONDS_MAX 253402300799LL     /* the end of the year 9999 */
#define KEYS_PATH "/keys?api-version=7.4&maxresults=1"

/* The second part of a JWT. Its signature is not ours to check: the resource does that, and nothing here depends on it. */
static json_t *decode(const struct chsm_secret *token)
{
    AUTO_BYTES struct chsm_bytes bytes = { 0 };
    const char *first = strchr(token->p, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    size_t n = second ? (size_t)(second - first - 1) : 0;
    AUTO_FREE char *text = second ? chsm_strf("%.*s%.*s", (int)n, first + 1, (int)((4 - n % 4) % 4), "===") : NULL;
    json_t *claims = NULL;

    for (char *c = text; c && *c; c++)
        *c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
    if (text && chsm_unbase64(text, &bytes, NULL) == 0)
        claims = json_loadb((const char *)bytes.p, bytes.len, 0, NULL);
    if (text)
        chsm_wipe(text, strlen(text));
    chsm_wipe(bytes.p, bytes.len);
    return claims;
}

/* The first of these claims that is a text; json_null() otherwise. New. */
static json_t *text_of(const json_t *claims, const char *const *names)
{
    for (; *names; names++)
        if (chsm_json_str(claims, *names))
            return json_string(chsm_json_str(claims, *names));
    return json_null();
}

static json_t *expiry(const json_t *claims)
{
    const json_t *exp = json_object_get(claims, "exp");
    char when[CHSM_TIME_LEN];

    if (!json_is_integer(exp) || json_integer_value(exp) < 0 || json_integer_value(exp) > SECONDS_MAX)
        return json_null();
    chsm_time_format(json_integer_value(exp) * 1000, false, when);
    return json_string(when);
}

json_t *chsm_login_claims(const struct chsm_secret *token)
{
    static const char *const tenant[] = { "tid", NULL }, *const object[] = { "oid", NULL }, *const application[] = { "appid", "azp", NULL },
                      *const audience[] = { "aud", NULL }, *const user[] = { "upn", "preferred_username", "unique_name", NULL };
    json_auto_t *claims = decode(token);

    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "tenant", text_of(claims, tenant), "object", text_of(claims, object), "application",
                     text_of(claims, application), "audience", text_of(claims, audience), "user", text_of(claims, user), "expires",
                     expiry(claims), "claimsChallenge", json_object_get(claims, "xms_cc") != NULL);
}

/* The answer itself matters: whoever may not list keys is signed in all the same. */
static int no_explanation(const struct chsm_response *r, const char *method, const char *url, struct chsm_err *err)
{
    return chsm_fail(err, CHSM_SERVICE, "%s %.*s: HTTP %ld", method, (int)strcspn(url, "?"), url, r->status);
}

/* Asks the HSM, so that its challenge tells resource and tenant. *ret_status: what it says to the token. */
static int ask_hsm(struct chsm_arm *arm, const char *url, chsm_deadline deadline, struct chsm_vault *vault, long *ret_status,
                   struct chsm_err *err)
{
    AUTO_RESPONSE struct chsm_response r = { .retry_after = -1 };
    AUTO_FREE char *base = chsm_url_origin(url);
    struct chsm_channel channel = { .http = arm->http, .credential = arm->credential, .base = base, .correlation = arm->correlation,
                                    .explain = no_explanation, .vault = vault };
    struct chsm_message message = { .method = "GET", .url = KEYS_PATH, .repeat = CHSM_REPEAT_SAFE };
    AUTO_FREE char *shown = chsm_redact_url(url);      /* somebody may have put a password into it */
    struct chsm_err why = { 0 };

    if (!base || strncmp(base, "https://", 8) != 0)
        return chsm_fail(err, CHSM_USAGE, "the HSM's address is no https address: %s", shown ? shown : "");
    if (chsm_send(&channel, &message, deadline, &r, &why) < 0 && (!vault->resource || r.status == 0)) {
        if (err)
            *err = why;
        return -1;
    }
    *ret_status = r.status;
    return 0;
}

static int describe(struct chsm_arm *arm, const struct chsm_secret *token, const char *resource, json_t *hsm, json_t **ret,
                    struct chsm_err *err)
{
    json_auto_t *all = chsm_login_claims(token);
    json_auto_t *rest = json_pack("{s:s,s:s,s:s,s:s,s:s,s:O}", "source", chsm_credential_source(arm->credential), "detail",
                                  chsm_credential_detail(arm->credential), "cloud", arm->cloud.name, "authority", arm->cloud.authority,
                                  "resource", resource, "hsm", hsm);

    if (!all || !rest || json_object_update(all, rest) < 0)
        return chsm_oom(err);
    *ret = TAKE(all);
    return 0;
}

int chsm_login_show(struct chsm_arm *arm, const struct chsm_login_ask *ask, chsm_deadline deadline, json_t **ret, struct chsm_err *err)
{
    AUTO(chsm_vault_done) struct chsm_vault vault = { 0 };
    json_auto_t *hsm = json_null();
    const struct chsm_secret *token = NULL;
    struct chsm_ask wanted = { .resource = ask->resource ? ask->resource : arm->cloud.arm_resource };
    chsm_deadline before;
    long status = 0;
    int rc;

    if (ask->hsm_url) {
        if (ask_hsm(arm, ask->hsm_url, deadline, &vault, &status, err) < 0)
            return -1;
        wanted = (struct chsm_ask){ .resource = vault.resource, .tenant = vault.tenant };
        hsm = json_pack("{s:s,s:i}", "url", ask->hsm_url, "status", (int)status);
    }
    before = chsm_http_limit(arm->http, deadline);
    rc = chsm_credential_ask(arm->credential, &wanted, &token, err);
    (void)chsm_http_limit(arm->http, before);
    return rc < 0 ? -1 : describe(arm, token, wanted.resource, hsm, ret, err);
}
