/* SPDX-License-Identifier: Apache-2.0 */
/* What a link of the chain provides; for credential*.c alone. */
#ifndef CHSM_AZURE_CREDENTIAL_KIND_H
#define CHSM_AZURE_CREDENTIAL_KIND_H

#include "azure/credential.h"
#include "util/json.h"

struct chsm_token {
    struct chsm_secret value;
    int64_t life;                   /* ms from now; 0 = not known: ask again every time; INT64_MAX = as long as it works */
    int64_t renew;                  /* ms from now when the answer says that it may be renewed (refresh_in); 0 = it does not */
};

struct chsm_link;

/* What a link's functions return beside 0 and -1: not available here, the next one may be; *err says why. */
#define CHSM_LINK_ABSENT 1

struct chsm_link_kind {
    const char *name, *sdk;         /* "azure-cli", "AzureCliCredential" */
    unsigned groups;                /* CHSM_LINK_* */
    /* Reads the environment; no request. 0, CHSM_LINK_ABSENT, or -1: configured, but wrongly. */
    int (*setup)(struct chsm_link *l, struct chsm_err *err);
    /* Gets a token. 0, CHSM_LINK_ABSENT, or -1 with CHSM_AUTH, CHSM_INTERRUPTED, CHSM_DEADLINE. */
    int (*acquire)(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err);
};
enum { CHSM_LINK_DEFAULT = 1, CHSM_LINK_PROD = 2, CHSM_LINK_DEV = 4 };

extern const struct chsm_link_kind chsm_link_static, chsm_link_environment, chsm_link_workload, chsm_link_managed, chsm_link_az,
    chsm_link_azd, chsm_link_device;

struct chsm_certificate;
enum chsm_managed { CHSM_MANAGED_IMDS, CHSM_MANAGED_APP, CHSM_MANAGED_APP_2017, CHSM_MANAGED_SHELL, CHSM_MANAGED_ARC };

struct chsm_link {
    const struct chsm_link_kind *kind;
    const struct chsm_credential_opts *opts;    /* of the credential */
    struct chsm_http *http;
    const struct chsm_cloud *cloud;
    bool alone;                     /* chosen by name: no link comes after it */
    bool ready;                     /* setup() was good */
    const char *detail;             /* static text; NULL = none */
    char *why;                      /* why it gave no token */
    char *tenant, *client_id;       /* NULL: not needed */
    char *endpoint;                 /* the address that is asked */
    char *path;                     /* of the token file or the program */
    struct chsm_secret secret;      /* client secret, identity header, refresh token */
    struct chsm_certificate *certificate;
    enum chsm_managed managed;
    bool probed;                    /* the metadata service has answered */
};

/* A set and non-empty environment variable, else NULL. */
const char *chsm_credential_env(const char *name);
/* "1" or "true" in any case. */
bool chsm_credential_env_true(const char *name);

/* Copies an environment variable; CHSM_LINK_ABSENT "NAME is not set". */
CHSM_MUST_CHECK int chsm_credential_need(const char *name, char **ret, struct chsm_err *why);

/* chsm_fail() with CHSM_AUTH that returns CHSM_LINK_ABSENT. */
CHSM_PRINTF(2, 3) int chsm_link_absent(struct chsm_err *err, const char *fmt, ...);

/* Letters, digits, '.' and '-', not empty (entra-auth.md §1). */
bool chsm_tenant_ok(const char *s);

/*
 * AZURE_TENANT_ID and AZURE_CLIENT_ID into the link. 0, CHSM_LINK_ABSENT when one is missing, -1 CHSM_CONFIG when the tenant
 * or the cloud's authority is none that may be called.
 */
CHSM_MUST_CHECK int chsm_link_app(struct chsm_link *l, struct chsm_err *err);

/*
 * The tenant that a token is asked of: the link's own, or the challenge's where AZURE_ADDITIONALLY_ALLOWED_TENANTS allows it
 * and AZURE_IDENTITY_DISABLE_MULTITENANTAUTH does not forbid it. *ret is borrowed, NULL = none. CHSM_AUTH when not allowed.
 */
CHSM_MUST_CHECK int chsm_link_tenant(const struct chsm_link *l, const struct chsm_ask *ask, const char **ret, struct chsm_err *err);

/* Appends "&name=value", percent-encoded. What was encoded is wiped. */
CHSM_MUST_CHECK int chsm_form_add(struct chsm_buf *form, const char *name, const char *value, struct chsm_err *err);

/* Adds what is secret or unique about one request (the secret, a fresh assertion); `url` is the token endpoint. */
typedef int chsm_form_fill(struct chsm_link *l, const char *url, struct chsm_buf *form, struct chsm_err *err);

/*
 * Asks the cloud's token endpoint: grant type, client id, scope and claims, and what `fill` adds, anew for each try. Tries
 * again on what entra-auth.md §13 says may pass. CHSM_AUTH with code, trace id, correlation id and a remedy.
 */
CHSM_MUST_CHECK int chsm_form_token(struct chsm_link *l, const char *grant, const struct chsm_ask *ask, chsm_form_fill *fill,
                                    struct chsm_token *ret, struct chsm_err *err);

/* "{authority}/{tenant}/oauth2/v2.0/{what}", or AD FS' form of it. NULL when out of memory. */
char *chsm_form_url(const struct chsm_link *l, const char *tenant, const char *what);

/* One POST of a form without repetition. The caller runs chsm_response_done(). */
CHSM_MUST_CHECK int chsm_form_post(struct chsm_link *l, const char *url, const struct chsm_buf *form, struct chsm_response *ret,
                                   struct chsm_err *err);

/* The same, repeated on what may pass (entra-auth.md §13): for a form that may arrive twice. 0 when an answer came, whatever its status. */
CHSM_MUST_CHECK int chsm_form_post_again(struct chsm_link *l, const char *url, const struct chsm_buf *form, struct chsm_response *ret,
                                         struct chsm_err *err);

/* The claims parameter: "we understand claims challenges", with those of a challenge (entra-auth.md §10). NULL: out of memory. */
char *chsm_claims_merge(const char *challenge);

/*
 * Reads a token endpoint's 200 answer: access_token, and its life by expires_on (epoch or RFC 3339) or expires_in, each a
 * number or a string (entra-auth.md §1, §5.2). *ret_more (may be NULL) gets the answer with everything else, its access_token
 * wiped. The body is wiped on the way. CHSM_AUTH.
 */
CHSM_MUST_CHECK int chsm_token_read(struct chsm_response *r, struct chsm_token *ret, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_token_read_more(struct chsm_response *r, struct chsm_token *ret, json_t **ret_more, struct chsm_err *err);
/* Wipes the strings of an object and drops it. */
void chsm_token_forget(json_t *answer);

/* ms that the token of an answer has to run at `now` (ms since 1970); 0 when it does not say. Pure. */
int64_t chsm_token_life(const json_t *answer, int64_t now);

/* Whether an error answer of a token endpoint says that the same request may be answered better later (§13). Pure. */
bool chsm_token_transient(const struct chsm_response *r);

/* The member "error" of an error answer, in `out`; "" when there is none. */
void chsm_token_error(const struct chsm_response *r, char *out, size_t size);

/* Fills *err (CHSM_AUTH) from a token endpoint's error answer; `secret` is taken out of the text. Always -1. */
int chsm_token_refused(const struct chsm_response *r, const char *what, const struct chsm_secret *secret, struct chsm_err *err);

/* Turns the failure to reach a token endpoint into CHSM_AUTH, unless the deadline or the user ended it. Always -1. */
int chsm_token_unreachable(const struct chsm_link *l, struct chsm_err *err);

/* A bearer token is one word of visible ASCII. */
bool chsm_token_ok(const char *p, size_t n);

#endif
