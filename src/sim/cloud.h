/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated cloud: a request in, an answer out. Services below, the listener (server.h) above. */
#ifndef CHSM_SIM_CLOUD_H
#define CHSM_SIM_CLOUD_H

#include <openssl/evp.h>

#include "sim/http.h"
#include "sim/state.h"

struct sim_cloud {                      /* lives as long as the server */
    const char *dir;
    char *url[SIM_SERVICES];            /* "https://127.0.0.1:8443" */
    EVP_PKEY *signing;
};

struct sim_type;

struct sim_call {                       /* one request being answered */
    const struct sim_cloud *cloud;
    const struct sim_request *rq;
    struct sim_answer *an;
    struct sim_state *state;            /* locked; a handler that changes it sets state->dirty */
    json_t *root;                       /* state->root */
    int64_t now;
    const struct sim_type *type;        /* ARM: the route's resource type */
    const char *version;                /* ARM: its api-version */
    const char *arg[6];                 /* ARM: what the route's {} stood for: subscription, group, name, ... */
    json_t *body;                       /* ARM: the JSON object that was sent, NULL when there was no body */
};

/*
 * Answers one request: takes the lock, lets time pass, calls the service, saves. -1 is a failure of the simulator itself;
 * *an then holds a 500.
 */
CHSM_MUST_CHECK int sim_cloud_handle(const struct sim_cloud *cloud, const struct sim_request *rq, struct sim_answer *an,
                                     struct chsm_err *err);

/* The services. 0: c->an is filled; -1: internal failure. */
CHSM_MUST_CHECK int sim_login(struct sim_call *c, struct chsm_err *err);
CHSM_MUST_CHECK int sim_imds(struct sim_call *c, struct chsm_err *err);
CHSM_MUST_CHECK int sim_arm(struct sim_call *c, struct chsm_err *err);
CHSM_MUST_CHECK int sim_blob(struct sim_call *c, struct chsm_err *err);

/* What ARM tokens may be for: the audiences of Azure, and this simulator's own address. Slash at the end ignored. */
bool sim_arm_audience(const struct sim_cloud *cloud, const char *audience);

/* ARM's envelope. Returns 0, or -1 when out of memory. */
CHSM_MUST_CHECK CHSM_PRINTF(5, 6) int sim_arm_fail(struct sim_call *c, struct chsm_err *err, unsigned status, const char *code,
                                                   const char *fmt, ...);

/* A state's string member; "" when absent. */
const char *sim_root_str(const json_t *root, const char *key);

#endif
