/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authenticated exchange that Resource Manager, the blob service and the vaults share: token, host rule, repetition by
 * retry.h, the service's error as an error value.
 */
#ifndef CHSM_AZURE_SEND_H
#define CHSM_AZURE_SEND_H

#include "azure/credential.h"
#include "azure/retry.h"

/* What a vault's challenge said (challenge.h): whose token it wants. Kept for the next message to it. */
struct chsm_vault { char *resource, *tenant; };
void chsm_vault_done(struct chsm_vault *v);

/* One service as a command talks to it; everything is borrowed. */
struct chsm_channel {
    struct chsm_http *http;
    struct chsm_credential *credential;
    const char *resource;           /* the token's audience ("https://management.azure.com") */
    const char *base;               /* "https://host": tokens go there or to a subdomain of it, and nowhere else */
    const char *correlation;        /* x-ms-correlation-request-id and x-ms-client-request-id; NULL or "" = none */
    const char *const *headers;     /* "Name: value" sent with every message, ended by NULL; NULL = none (x-ms-version, ...) */

    /* Fills *err from an answer that is not 2xx. Always -1. */
    int (*explain)(const struct chsm_response *r, const char *method, const char *url, struct chsm_err *err);

    struct chsm_vault *vault;       /* Key Vault, Managed HSM: the first message goes without token and body, for its challenge
                                       names resource and tenant (`resource` is not used); NULL = other services */
};

struct chsm_message {
    const char *method;
    const char *url;                /* a path below base ("/..."), or absolute and within base (chsm_url_within()) */
    const char *content_type;       /* NULL = no body */
    const void *body;
    size_t body_len;
    const char *const *headers;     /* of this message alone, after the channel's; NULL = none */
    enum chsm_repeat repeat;
    bool answer_secret;             /* the answer holds a secret (listKeys): its buffer is wiped */

    /*
     * Takes in a 2xx answer; NULL = it is good as it is. -1: it is not what the service would answer (a page of a proxy, half
     * a document), and counts as one that was lost: asked again where that does no harm, status 0 in the end.
     */
    int (*take)(void *ctx, const struct chsm_response *r, struct chsm_err *err);
    void *ctx;

    /*
     * Asked before the message is sent another time: what allowed the first try may be over after the wait. -1: it is not sent
     * again, and *err says why; the response is then the one of the last try. NULL = nothing is asked.
     */
    int (*again)(void *ctx, struct chsm_err *err);
    void *again_ctx;
};

/*
 * Sends and, as far as repeat allows, sends again; a 401 gets one fresh token, one with the claims that it asks for
 * (entra-auth.md §10), or, once, one for the resource and tenant that a vault asks for. 0: the answer's status is 2xx.
 * -1: what explain() made of the answer, or CHSM_SERVICE, CHSM_AUTH, CHSM_DEADLINE, CHSM_INTERRUPTED; err->http is the
 * status, 0 when no answer came; the text names the request id and the correlation id. response is valid in both cases
 * (the caller runs chsm_response_done()): with CHSM_REPEAT_START, response->sent && status == 0 (or 5xx) means that it is
 * unknown whether the job started.
 */
CHSM_MUST_CHECK int chsm_send(const struct chsm_channel *channel, const struct chsm_message *message, chsm_deadline deadline,
                              struct chsm_response *response, struct chsm_err *err);

#endif
