/* SPDX-License-Identifier: Apache-2.0 */
/* A CONNECT proxy on loopback that leads every host to one port, and remembers what it was asked. */
#ifndef CHSM_TESTS_AZURE_PROXY_H
#define CHSM_TESTS_AZURE_PROXY_H

struct proxy;

/*
 * `answer` is said to every CONNECT: NULL leads on to 127.0.0.1:`port`; "" closes the connection; "-" says nothing; all else
 * is sent as it is. Exits the test program when it cannot start.
 */
struct proxy *proxy_new(unsigned port, const char *answer);
void proxy_free(struct proxy *p);

unsigned proxy_port(const struct proxy *p);
unsigned proxy_count(struct proxy *p);              /* connections so far */
const char *proxy_head(struct proxy *p);            /* the head of the last request, "" when there was none */

#endif
