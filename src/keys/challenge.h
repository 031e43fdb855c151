/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs of possession. A challenge is what the HSM is asked to do with a key; the answer is checked here, on the host,
 * with OpenSSL, against the source's record. The HSM's own C_Verify proves nothing (facts: cloudhsm-client.md §11).
 */
#ifndef CHSM_KEYS_CHALLENGE_H
#define CHSM_KEYS_CHALLENGE_H

#include "keys/record.h"

/*
 * A PKCS#11 refusal after which another question is worth trying: the module has not that mechanism, not for this key, or not
 * with these parameters. It says nothing about the key material; a refusal never proves anything and never fails a key.
 */
bool chsm_challenge_try_next(unsigned long ck_rv);

/* Every signed message begins with these 16 bytes, so that no proof can be mistaken for anything else. */
#define CHSM_CHALLENGE_PREFIX "chsmctl/proof/v1"
#define CHSM_CHALLENGE_PREFIX_LEN 16

/* The kinds; each is also the name of the operation that the HSM session performs (pkcs11/hsm.h). */
#define CHSM_KIND_RSA_SIGN      "rsa-pkcs1-sha256-sign" /* CKM_SHA256_RSA_PKCS over input; answer = signature */
#define CHSM_KIND_RSA_DECRYPT   "rsa-pkcs1-decrypt"     /* CKM_RSA_PKCS; input = ciphertext, answer = plaintext */
#define CHSM_KIND_RSA_OAEP      "rsa-oaep-sha1-decrypt" /* CKM_RSA_PKCS_OAEP, SHA-1, MGF1-SHA-1, no label */
#define CHSM_KIND_ECDSA_SIGN    "ecdsa-sha256-sign"     /* CKM_ECDSA over SHA-256(input); answer = raw r||s */
#define CHSM_KIND_ECDH          "ecdh-hmac-sha256"      /* input = peer point (uncompressed); CKM_ECDH1_DERIVE, KDF null, to a
                                                           session generic secret; answer = HMAC-SHA-256 of the prefix under it */
#define CHSM_KIND_AES_ENCRYPT   "aes-ecb-encrypt"       /* CKM_AES_ECB over whole blocks */
#define CHSM_KIND_AES_DECRYPT   "aes-ecb-decrypt"
#define CHSM_KIND_HMAC          "hmac-sha256"           /* CKM_SHA256_HMAC over input */

/* Randomness is passed in so that tests can freeze it; chsm_random() is the real one. */
typedef int chsm_random_fn(void *p, size_t n, struct chsm_err *err);

struct chsm_challenge {
    const char *kind;               /* CHSM_KIND_*; NULL: nothing can be asked, see reason */
    const char *reason;             /* why not ("usage forbids signing, decryption and derivation"); a constant */
    bool possible;                  /* kind NULL: a question could have been recorded at the source, and nobody tried */
    struct chsm_bytes input;        /* what is sent to the HSM */
    struct chsm_bytes expected;     /* the answer itself (decrypt, ecdh), empty for signatures and recorded answers */
};
void chsm_challenge_done(struct chsm_challenge *c);
#define AUTO_CHALLENGE AUTO(chsm_challenge_done)

/*
 * What a private key of the destination is to be asked, from the *source's* record: its public key and usage flags.
 * For a secret key: its recorded question. `attempt` counts from 0: the next choice after the HSM refused a mechanism.
 * kind is NULL with a reason when there is no possible proof (left). -1 = broken input.
 */
CHSM_MUST_CHECK int chsm_challenge_make(const struct chsm_record *source, unsigned attempt, chsm_random_fn *rnd,
                                        struct chsm_challenge *ret, struct chsm_err *err);

/* Inventory time: a fresh question for a secret key, by its type and usage flags; attempt, kind and reason as above. */
CHSM_MUST_CHECK int chsm_challenge_record(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd,
                                          struct chsm_challenge *ret, struct chsm_err *err);

/* Stores question and digest of the answer in the record (inventory time). */
CHSM_MUST_CHECK int chsm_challenge_keep(struct chsm_record *key, const struct chsm_challenge *c, const struct chsm_bytes *answer,
                                        struct chsm_err *err);

/*
 * Whether `answer` is what only the source's key could give. 1 yes, 0 no, -1 the check itself was not possible (then
 * nothing is proven either).
 */
CHSM_MUST_CHECK int chsm_challenge_check(const struct chsm_record *source, const struct chsm_challenge *c,
                                         const struct chsm_bytes *answer, struct chsm_err *err);

#endif
