/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of sign-in provides; for credential*.c alone. */
#ifndef CHSM_AZURE_CREDENTIAL_KIND_H
#define CHSM_AZURE_CREDENTIAL_KIND_H

#include "azure/credential.h"
#include "util/json.h"

struct chsm_token {
    struct chsm_secret value;
    int64_t life;                   /* ms from now; 0 = not known: ask again every time; INT64_MAX = as long as it works */
};

struct chsm_credential_kind {
    const char *name;
    /* Reads the environment. -1 with CHSM_AUTH: not configured here (why); with another code: configured, but wrongly. */
    int (*setup)(struct chsm_credential *c, bool chosen, struct chsm_err *why);
    /* Gets a token for "{resource}/.default". CHSM_AUTH, or CHSM_INTERRUPTED. `fresh`: the service refused the last one. */
    int (*acquire)(struct chsm_credential *c, const char *resource, bool fresh, struct chsm_token *ret, struct chsm_err *err);
};

extern const struct chsm_credential_kind chsm_credential_static, chsm_credential_secret, chsm_credential_imds;

struct chsm_cached {
    struct chsm_cached *next;
    char *resource;
    struct chsm_token token;
    int64_t got;                    /* chsm_mono() */
};

struct chsm_credential {
    const struct chsm_credential_kind *kind;
    struct chsm_http *http;
    const struct chsm_cloud *cloud;
    char *tenant, *client_id;       /* NULL: not needed */
    char *endpoint;                 /* the address that is asked */
    struct chsm_secret secret;
    struct chsm_cached *cached;
};

/* A set and non-empty environment variable, else NULL. */
const char *chsm_credential_env(const char *name);

/* Copies an environment variable; a missing one is CHSM_AUTH "NAME is not set". */
CHSM_MUST_CHECK int chsm_credential_need(const char *name, char **ret, struct chsm_err *why);

/*
 * Reads a token endpoint's 200 answer: access_token, and its life by expires_on (epoch or RFC 3339) or expires_in, each a
 * number or a string (entra-auth.md §1, §5.2). The body is wiped on the way. CHSM_AUTH.
 */
CHSM_MUST_CHECK int chsm_token_read(struct chsm_response *r, struct chsm_token *ret, struct chsm_err *err);

/* ms that the token of an answer has to run at `now` (ms since 1970); 0 when it does not say. Pure. */
int64_t chsm_token_life(const json_t *answer, int64_t now);

/* Fills *err (CHSM_AUTH) from a token endpoint's error answer; `secret` is taken out of the text. Always -1. */
int chsm_token_refused(const struct chsm_response *r, const char *what, const struct chsm_secret *secret, struct chsm_err *err);

/* Turns the failure to reach a token endpoint into CHSM_AUTH, unless the deadline or the user ended it. Always -1. */
int chsm_token_unreachable(const struct chsm_credential *c, struct chsm_err *err);

/* A bearer token is one word of visible ASCII. */
bool chsm_token_ok(const char *p, size_t n);

#endif
