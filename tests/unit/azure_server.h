/* SPDX-License-Identifier: Apache-2.0 */
/* A server on loopback that answers from a script, byte for byte, and remembers what it was asked. */
#ifndef CHSM_TESTS_AZURE_SERVER_H
#define CHSM_TESTS_AZURE_SERVER_H

#include <stdbool.h>

struct server;

/*
 * Each request gets the next answer of the script (NULL-terminated, borrowed): the raw bytes, after which the connection
 * is closed. "HEAD#HEX" has a body in hexadecimal. "+..." keeps the connection open; "" closes it without an answer; "-"
 * leaves the request without an answer, "~..." stalls behind what it says.
 * Requests beyond the script get 599. Exits the test program when it cannot start.
 */
struct server *server_new(bool tls, const char *const *script);

enum server_tls {
    SERVER_PLAIN, SERVER_GOOD,
    /* Not to be trusted by somebody who trusts server_ca(): */
    SERVER_EXPIRED, SERVER_NOT_YET, SERVER_WRONG_HOST, SERVER_SELF_SIGNED, SERVER_UNKNOWN_CA, SERVER_TLS_1_1,
};
struct server *server_new_tls(enum server_tls tls, const char *const *script);
void server_free(struct server *s);

const char *server_url(const struct server *s);         /* "https://localhost:PORT" */
unsigned server_port(const struct server *s);
const char *server_ca(const struct server *s);          /* its certificate as a PEM file; NULL without TLS */
char *server_ca_hash(const struct server *s);           /* the name that OpenSSL looks for in a folder; malloc()ed */
unsigned server_count(struct server *s);                /* requests so far */
unsigned server_bytes(struct server *s);                /* bytes of requests so far, behind the TLS handshake */
unsigned server_connections(struct server *s);          /* TCP connections so far */
const char *server_request(struct server *s, unsigned i);   /* the i-th request, head and body; "" when there was none */

/* A 200 answer with this JSON body; malloc()ed. */
char *server_json(const char *status, const char *headers, const char *body);

#endif
