/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Fake PEM" files, made by getCaviumPrivKey: a private key file that holds no key but the handle of one (facts:
 * cloudhsm-client.md §2, §13). After a restore the key may have another handle, and the file means another key, or none. How the
 * handle stands in the file is not published; what can be known is that its numbers are no key.
 */
#ifndef CHSM_CLIENT_PEM_H
#define CHSM_CLIENT_PEM_H

#include "util/err.h"

enum chsm_pem {
    CHSM_PEM_NONE, /* no private key in it, or an encrypted one */
    CHSM_PEM_REAL, /* a private key that fits its public half, or has none to be held against */
    CHSM_PEM_FAKE, /* RSA factors that are not those of the modulus, an EC number that is not of the point or far too small */
};

/*
 * The worst of all private keys in the text (PEM; other text around it does not count). *ret_handle is the number of at most 32 bits
 * among the private ones of a fake, 0 when there is none. Pure; nothing of a real key stays in memory.
 */
enum chsm_pem chsm_pem_judge(const char *text, size_t n, uint32_t *ret_handle);

#endif
