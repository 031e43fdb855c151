/* SPDX-License-Identifier: Apache-2.0 */
/* The listeners: libmicrohttpd on 127.0.0.1, TLS for all services but IMDS, a thread per connection. */
#ifndef CHSM_SIM_SERVER_H
#define CHSM_SIM_SERVER_H

#include "sim/cloud.h"

struct sim_server;

/* Starts to listen on base .. base+3 (arm, login, imds, blob), or on free ports when base is 0. */
CHSM_MUST_CHECK int sim_server_start(const char *dir, long base, struct sim_server **ret, struct chsm_err *err);

/* "https://127.0.0.1:PORT" of a service; borrowed. */
const char *sim_server_url(const struct sim_server *s, enum sim_service service);

/* Ends all connections, also the stalled ones, and frees the server. NULL is allowed. */
void sim_server_stop(struct sim_server *s);

#endif
