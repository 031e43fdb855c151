/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-in (facts: entra-auth.md). Tokens live in memory only and never leave this folder except inside a request. */
#ifndef CHSM_AZURE_CREDENTIAL_H
#define CHSM_AZURE_CREDENTIAL_H

#include "azure/clouds.h"
#include "azure/http.h"
#include "util/enc.h"

struct chsm_credential;

/*
 * A private key that stays where it is, with its certificate: what signs a client assertion in the place of a key file.
 * CHSM_DEADLINE when it has not done so by `until` (0 = in its own time).
 */
struct chsm_key {
    void *ctx;
    /* The certificate that goes with the key, DER. CHSM_PKCS11 when there is none. *ret is the caller's. */
    int (*certificate)(void *ctx, chsm_deadline until, struct chsm_bytes *ret, struct chsm_err *err);
    /* RSA with SHA-256 over `input`: PSS with a salt of 32 bytes, or PKCS#1 v1.5. *ret is the caller's. */
    int (*sign)(void *ctx, bool pss, const struct chsm_bytes *input, chsm_deadline until, struct chsm_bytes *ret, struct chsm_err *err);
    void (*close)(void *ctx);
};

/*
 * Opens the key that a PKCS#11 URI (RFC 7512) names. `pin` is used where the URI has no pin-source; NULL = none.
 * Nothing is asked of the token yet.
 */
typedef int chsm_key_open(const char *uri, const struct chsm_secret *pin, struct chsm_key *ret, struct chsm_err *err);

struct chsm_credential_opts {
    const char *name;               /* a link, or "prod", "dev"; NULL = what AZURE_TOKEN_CREDENTIALS says, else every link */
    chsm_key_open *open_key;        /* NULL = keys in tokens cannot be used */
    void (*tell)(const char *message);  /* shows a person what to do (device code); NULL = nobody is there */
};

/*
 * The links, in their order: token (AZURE_ACCESS_TOKEN), environment, workload-identity, managed-identity, azure-cli,
 * azure-developer-cli; device-code only by name. A name is also taken as the SDKs have it (AzureCliCredential), in any case.
 * CHSM_CONFIG when there is no such name, or a link is configured wrongly and none before it is ready; CHSM_AUTH when none is
 * configured: the error lists each and why. http and cloud are borrowed for the credential's life, the strings of opts for the call.
 */
CHSM_MUST_CHECK int chsm_credential_open(const struct chsm_credential_opts *opts, struct chsm_http *http,
                                         const struct chsm_cloud *cloud, struct chsm_credential **ret, struct chsm_err *err);

/* The same with nothing but a name. */
CHSM_MUST_CHECK int chsm_credential_new(const char *name, struct chsm_http *http, const struct chsm_cloud *cloud,
                                        struct chsm_credential **ret, struct chsm_err *err);
void chsm_credential_free(struct chsm_credential *c);

struct chsm_ask {                   /* the token that is wanted */
    const char *resource;           /* "https://management.azure.com": asked for as "{resource}/.default" */
    const char *tenant;             /* of a challenge; NULL = the link's own */
    const char *claims;             /* of a claims challenge, JSON text; NULL = none. Passes every cache by */
    bool fresh;                     /* the service refused the last one: passes the cache by */
};

/*
 * A token from the cache when it has 5 more minutes (or half its life, if that is less) to run, else a new one from the
 * first link that is available; that link is kept to. A link that is not available makes room for the next one, one that
 * is configured and refused ends the search. A renewal ahead of time that fails leaves the old token in use. Borrowed until
 * the next call. CHSM_AUTH: when no link gave a token, the error lists each and why.
 */
CHSM_MUST_CHECK int chsm_credential_ask(struct chsm_credential *c, const struct chsm_ask *ask, const struct chsm_secret **ret,
                                        struct chsm_err *err);

/* The same for a resource alone. */
CHSM_MUST_CHECK int chsm_credential_token(struct chsm_credential *c, const char *resource, bool fresh,
                                          const struct chsm_secret **ret, struct chsm_err *err);

/* The name of the link that gave the last token, or will be asked first; borrowed. */
const char *chsm_credential_source(const struct chsm_credential *c);

/* More about it ("client certificate", "Azure Arc"); "" when there is nothing to say. */
const char *chsm_credential_detail(const struct chsm_credential *c);

#endif
