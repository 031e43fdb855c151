/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for seeded tokens. */
#ifndef CHSM_SIM_KEYSTORE_CERTIFICATE_H
#define CHSM_SIM_KEYSTORE_CERTIFICATE_H

#include "util/enc.h"

/*
 * An X.509 certificate (DER) for the subject "CN=<name>" and the public key `spki`, or a fresh P-256 key when spki is empty,
 * issued by an authority that is made for it and forgotten. *ret_subject is the DER of the subject's name.
 */
CHSM_MUST_CHECK int sim_certificate_make(const struct chsm_bytes *name, const struct chsm_bytes *spki, struct chsm_bytes *ret,
                                         struct chsm_bytes *ret_subject, struct chsm_err *err);

#endif
