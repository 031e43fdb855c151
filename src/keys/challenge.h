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

/*
 * Every question begins with these 16 bytes, followed by 32 random ones, so that no proof can be mistaken for anything else.
 * (But those to decrypt, unwrap or agree: there the question is a ciphertext or a point made here, for this one use.)
 */
#define CHSM_CHALLENGE_PREFIX "chsmctl/proof/v1"
#define CHSM_CHALLENGE_PREFIX_LEN 16
#define CHSM_CHALLENGE_NONCE_LEN 32
#define CHSM_CHALLENGE_LEN (CHSM_CHALLENGE_PREFIX_LEN + CHSM_CHALLENGE_NONCE_LEN)

/*
 * The kinds; each is also the name of the operation that the HSM session performs (pkcs11/hsm.h).
 *
 * Private keys. "input" is signed as it is; "text" and "secret" are 32 random bytes that we have encrypted to the public key.
 */
#define CHSM_KIND_RSA_SIGN      "rsa-pkcs1-sha256-sign"     /* PKCS#1 v1.5 with SHA-256 over input; answer = signature */
#define CHSM_KIND_RSA_PSS       "rsa-pss-sha256-sign"       /* PSS, SHA-256, MGF1-SHA-256, 32 bytes of salt */
#define CHSM_KIND_RSA_OAEP      "rsa-oaep-sha1-decrypt"     /* OAEP, SHA-1, MGF1-SHA-1, no label; answer = text */
#define CHSM_KIND_RSA_OAEP256   "rsa-oaep-sha256-decrypt"   /* the same with SHA-256 and MGF1-SHA-256 */
#define CHSM_KIND_RSA_DECRYPT   "rsa-pkcs1-decrypt"         /* PKCS#1 v1.5; answer = text */
/* C_UnwrapKey of secret into a session object; answer = HMAC-SHA-256 of the prefix, or AES-ECB of the prefix, under it */
#define CHSM_KIND_RSA_OAEP_UNWRAP       "rsa-oaep-sha1-unwrap-hmac"
#define CHSM_KIND_RSA_OAEP256_UNWRAP    "rsa-oaep-sha256-unwrap-hmac"
#define CHSM_KIND_RSA_UNWRAP            "rsa-pkcs1-unwrap-hmac"
#define CHSM_KIND_RSA_OAEP_UNWRAP_AES   "rsa-oaep-sha1-unwrap-aes"
#define CHSM_KIND_RSA_OAEP256_UNWRAP_AES "rsa-oaep-sha256-unwrap-aes"
#define CHSM_KIND_RSA_UNWRAP_AES        "rsa-pkcs1-unwrap-aes"
#define CHSM_KIND_ECDSA_SIGN    "ecdsa-sha256-sign"         /* ECDSA over SHA-256(input); answer = raw r||s */
#define CHSM_KIND_EDDSA_SIGN    "eddsa-sign"                /* Ed25519 or Ed448, pure, no context, over input */
#define CHSM_KIND_ECDH          "ecdh-hmac-sha256"          /* input = our point (X9.62 uncompressed, RFC 7748 raw); CKM_ECDH1_DERIVE, KDF
                                                               null, to a session secret; answer = HMAC-SHA-256 of the prefix under it */
#define CHSM_KIND_ECDH_KDF      "ecdh-x963-sha256-hmac"     /* the same with KDF SHA-256 (ANSI X9.63) and no shared info, 32 bytes */
/*
 * Secret keys, recorded at the source. "blocks" are the prefix and SHA-256(input), 48 bytes: who edits an inventory cannot
 * choose what is encrypted or decrypted. IVs are zero; the first counter block is the prefix.
 */
#define CHSM_KIND_AES_ENCRYPT   "aes-ecb-encrypt"           /* of blocks */
#define CHSM_KIND_AES_CBC       "aes-cbc-encrypt"
#define CHSM_KIND_AES_CTR       "aes-ctr-encrypt"
#define CHSM_KIND_AES_KW        "aes-kw-encrypt"            /* CKM_AES_KEY_WRAP, default IV, by C_Encrypt */
#define CHSM_KIND_AES_DECRYPT   "aes-ecb-decrypt"
#define CHSM_KIND_AES_CBC_DEC   "aes-cbc-decrypt"
#define CHSM_KIND_AES_CTR_DEC   "aes-ctr-decrypt"
#define CHSM_KIND_AES_CMAC      "aes-cmac"                  /* over input */
#define CHSM_KIND_AES_KW_WRAP   "aes-kw-wrap"               /* C_WrapKey of a session secret with blocks as its value; whichever
                                                               padding the module means by CKM_AES_KEY_WRAP (PKCS#5 in Cloud HSM's family) */
#define CHSM_KIND_AES_KWP_WRAP  "aes-kwp-wrap"              /* CKM_AES_KEY_WRAP_KWP */
#define CHSM_KIND_AES_PAD_WRAP  "aes-kw-pad-wrap"           /* CKM_AES_KEY_WRAP_PAD, whichever padding the module means by it */
#define CHSM_KIND_AES_NOPAD_WRAP "aes-kw-nopad-wrap"        /* CKM_CLOUDHSM_AES_KEY_WRAP_NO_PAD */
#define CHSM_KIND_AES_CBC_WRAP  "aes-cbc-wrap"
#define CHSM_KIND_AES_ECB_WRAP  "aes-ecb-wrap"
#define CHSM_KIND_AES_DERIVE    "aes-ecb-derive-hmac"       /* CKM_AES_ECB_ENCRYPT_DATA of blocks; HMAC-SHA-256 of the prefix */
#define CHSM_KIND_AES_CBC_UNWRAP "aes-cbc-unwrap-hmac"      /* C_UnwrapKey of blocks; HMAC-SHA-256 of the prefix */
#define CHSM_KIND_AES_ECB_UNWRAP "aes-ecb-unwrap-hmac"
#define CHSM_KIND_DES3_ENCRYPT  "des3-ecb-encrypt"
#define CHSM_KIND_DES3_CBC      "des3-cbc-encrypt"
#define CHSM_KIND_DES3_DECRYPT  "des3-ecb-decrypt"
#define CHSM_KIND_DES3_CBC_DEC  "des3-cbc-decrypt"
#define CHSM_KIND_DES3_CMAC     "des3-cmac"
#define CHSM_KIND_DES3_CBC_WRAP "des3-cbc-wrap"
#define CHSM_KIND_DES3_ECB_WRAP "des3-ecb-wrap"
#define CHSM_KIND_DES3_CBC_UNWRAP "des3-cbc-unwrap-hmac"
#define CHSM_KIND_DES3_ECB_UNWRAP "des3-ecb-unwrap-hmac"
#define CHSM_KIND_HMAC          "hmac-sha256"               /* over input */
#define CHSM_KIND_HMAC1         "hmac-sha1"
#define CHSM_KIND_HMAC224       "hmac-sha224"
#define CHSM_KIND_HMAC384       "hmac-sha384"
#define CHSM_KIND_HMAC512       "hmac-sha512"

/* Randomness is passed in so that tests can freeze it; chsm_random() is the real one. */
typedef int chsm_random_fn(void *p, size_t n, struct chsm_err *err);

struct chsm_challenge {
    const char *kind;               /* CHSM_KIND_*; NULL: nothing can be asked, see reason */
    const char *reason;             /* why not ("its usage allows neither ..."); a constant */
    bool possible;                  /* kind NULL: there could have been a question, but the source's record has none, or is damaged */
    struct chsm_bytes input;        /* what is sent to the HSM */
    struct chsm_bytes expected;     /* the answer itself (decrypt, unwrap, ecdh), empty for signatures and recorded answers */
    struct chsm_bytes opening;      /* beside expected: from what the input was made, so that others can make it again: the padded
                                       message (input = opening^e mod n), or our ephemeral private key (PKCS#8 DER). No secret: it
                                       was used for this one question */
};
void chsm_challenge_done(struct chsm_challenge *c);
#define AUTO_CHALLENGE AUTO(chsm_challenge_done)

/*
 * What a private key of the destination is to be asked, from the *source's* record: its public key and usage flags.
 * For a secret key: its recorded question. `attempt` counts from 0: the next choice after the HSM refused a mechanism.
 * kind is NULL with a reason when there is no possible proof (left). -1 = no randomness, or no memory.
 */
CHSM_MUST_CHECK int chsm_challenge_make(const struct chsm_record *source, unsigned attempt, chsm_random_fn *rnd,
                                        struct chsm_challenge *ret, struct chsm_err *err);

/* Inventory time: a fresh question for a secret key, by its type and usage flags; attempt, kind and reason as above. */
CHSM_MUST_CHECK int chsm_challenge_record(const struct chsm_record *key, unsigned attempt, chsm_random_fn *rnd,
                                          struct chsm_challenge *ret, struct chsm_err *err);

/*
 * Stores question and digest of the answer in the record (inventory time). An answer that no such key can give (wrong length,
 * the question itself, one byte repeated) is not stored: the record then says why (recorded.why).
 */
CHSM_MUST_CHECK int chsm_challenge_keep(struct chsm_record *key, const struct chsm_challenge *c, const struct chsm_bytes *answer,
                                        struct chsm_err *err);

/*
 * Whether `answer` is what only the source's key could give. 1 yes, 0 no, -1 the check itself was not possible (then
 * nothing is proven either).
 */
CHSM_MUST_CHECK int chsm_challenge_check(const struct chsm_record *source, const struct chsm_challenge *c,
                                         const struct chsm_bytes *answer, struct chsm_err *err);

#endif
