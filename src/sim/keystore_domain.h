/* SPDX-License-Identifier: Apache-2.0 */
/* Domain parameters of DSA and Diffie-Hellman keys: fixed groups, for making new ones takes seconds. */
#ifndef CHSM_SIM_KEYSTORE_DOMAIN_H
#define CHSM_SIM_KEYSTORE_DOMAIN_H

#include "util/enc.h"

struct sim_domain {
    struct chsm_bytes p, q, g;      /* big-endian; q is empty for Diffie-Hellman */
};
void sim_domain_done(struct sim_domain *d);
#define AUTO_SIM_DOMAIN AUTO(sim_domain_done)

/* For DSA the groups of RFC 5114 §2.1 (1024 bits) and §2.3 (2048 bits), for Diffie-Hellman ffdhe2048 (RFC 7919). */
CHSM_MUST_CHECK int sim_domain_of(bool dsa, unsigned bits, struct sim_domain *ret, struct chsm_err *err);

#endif
