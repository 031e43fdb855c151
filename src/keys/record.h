/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key record: what is known of one object of one HSM, and nothing that changes by itself (no handle).
 * Class, type and attribute numbers are those of PKCS#11 v2.40 (§4.2, §2); keys/ itself includes no PKCS#11 header.
 */
#ifndef CHSM_KEYS_RECORD_H
#define CHSM_KEYS_RECORD_H

#include <limits.h>

#include <jansson.h>

#include "util/enc.h"

/* CKO_* */
enum { CHSM_CLASS_DATA = 0, CHSM_CLASS_CERTIFICATE = 1, CHSM_CLASS_PUBLIC = 2, CHSM_CLASS_PRIVATE = 3, CHSM_CLASS_SECRET = 4 };
/* CKK_* */
enum {
    CHSM_TYPE_RSA = 0x00, CHSM_TYPE_DSA = 0x01, CHSM_TYPE_DH = 0x02, CHSM_TYPE_EC = 0x03, CHSM_TYPE_GENERIC = 0x10,
    CHSM_TYPE_DES2 = 0x14, CHSM_TYPE_DES3 = 0x15, CHSM_TYPE_AES = 0x1f, CHSM_TYPE_SHA1_HMAC = 0x28, CHSM_TYPE_SHA256_HMAC = 0x2b,
    CHSM_TYPE_SHA384_HMAC = 0x2c, CHSM_TYPE_SHA512_HMAC = 0x2d, CHSM_TYPE_SHA224_HMAC = 0x2e, CHSM_TYPE_EC_EDWARDS = 0x40,
    CHSM_TYPE_EC_MONTGOMERY = 0x41,
};
#define CHSM_TYPE_NONE ULONG_MAX    /* certificates and data objects have no key type */

/* Where the public key of a record comes from. */
enum chsm_spki_from {
    CHSM_SPKI_NONE,
    CHSM_SPKI_OWN,          /* from the object's own attributes */
    CHSM_SPKI_PUBLIC_HALF,  /* an EC private key tells no point: from the one public key with the same ID in the same section */
    CHSM_SPKI_CHECK_VALUE,  /* the same, where the ID repeats or is empty: from the one public key that the check value is of */
    CHSM_SPKI_PROVEN,       /* from the public key under which a signature of this very private key verified */
};

/*
 * The attributes that are true or false, in the order of their numbers. Most records tell most of them, so that a record keeps
 * them as bits: 100,000 records have to fit into memory twice.
 */
enum chsm_flag {
    CHSM_FLAG_PRIVATE, CHSM_FLAG_TRUSTED, CHSM_FLAG_SENSITIVE, CHSM_FLAG_ENCRYPT, CHSM_FLAG_DECRYPT, CHSM_FLAG_WRAP, CHSM_FLAG_UNWRAP,
    CHSM_FLAG_SIGN, CHSM_FLAG_VERIFY, CHSM_FLAG_DERIVE, CHSM_FLAG_EXTRACTABLE, CHSM_FLAG_LOCAL, CHSM_FLAG_NEVER_EXTRACTABLE,
    CHSM_FLAG_ALWAYS_SENSITIVE, CHSM_FLAG_DESTROYABLE, CHSM_FLAG_WRAP_WITH_TRUSTED,
    CHSM_FLAG_COUNT
};

/* "sign", "never-extractable": the names in files and messages. */
extern const char *const chsm_flag_names[CHSM_FLAG_COUNT];

/* Name in chsm_record.more of the SHA-256 (hexadecimal) of CKA_VALUE of certificates and data objects. */
#define CHSM_MORE_VALUE_SHA256 "value-sha256"

/* A recorded question to a secret key, and the digest of its only right answer (design §5). */
struct chsm_recorded {
    char *kind;                             /* "aes-ecb-encrypt", ...: a name of keys/challenge.h; NULL = none */
    struct chsm_bytes input;
    unsigned char answer_sha256[CHSM_SHA256_LEN];
    char *why;                              /* kind NULL: why nothing could be recorded; NULL = nobody asked */
};

struct chsm_record {
    unsigned long cls;                      /* CKO_* */
    unsigned long type;                     /* CKK_*, CHSM_TYPE_NONE */
    struct chsm_bytes id;                   /* CKA_ID; may be empty, may repeat */
    struct chsm_bytes label;                /* CKA_LABEL: bytes, not always UTF-8 */
    unsigned bits;                          /* modulus, field or key size; 0 = unknown */
    char *curve;                            /* "P-256", ..., else a dotted OID; NULL = no EC key */
    struct chsm_bytes spki;                 /* DER SubjectPublicKeyInfo (RFC 5280 §4.1); empty = unknown */
    enum chsm_spki_from spki_from;
    struct chsm_bytes check_value;          /* CKA_CHECK_VALUE; empty = none */
    uint32_t flags_told;                    /* bit 1 << enum chsm_flag: the module answered it */
    uint32_t flags;                         /* its value; 0 where it was not told */
    json_t *more;                           /* other attributes by name, sets as sorted arrays; NULL = none */
    struct chsm_recorded recorded;
    json_t *unknown;                        /* members of the file that this version does not know; kept for rewriting */
    size_t index;                           /* place in the list of the HSM session that read it; never stored */
};

/* How the check values of pairs come about: tested on the public keys of each listing before it is trusted. */
enum chsm_pair_rule {
    CHSM_PAIR_RULE_UNTESTED,    /* no public key tells one */
    CHSM_PAIR_RULE_SHA1,        /* first 3 bytes of SHA-1 over the SubjectPublicKeyInfo: fits every public key that tells one */
    CHSM_PAIR_RULE_OTHER,       /* something else: they are compared, and nothing is concluded from them */
};

struct chsm_section {                       /* what one login saw */
    char *login;                            /* name of the login ("cu1") */
    bool complete;                          /* false: something could not be read; then nothing may be called missing */
    char *why;                              /* the reason when not complete, else NULL */
    enum chsm_pair_rule pair_rule;          /* set by chsm_section_link() */
    size_t session_objects;                 /* left out: not part of any backup */
    struct chsm_record *records;
    size_t n;
    size_t cap;
    json_t *token;                          /* label, manufacturer, model, serial, firmware, slot: strings; may be NULL */
    json_t *unknown;                        /* members of the file that this version does not know; kept for rewriting */
};

void chsm_record_done(struct chsm_record *r);
void chsm_section_done(struct chsm_section *s);

/* Adds an empty record and lends it to the caller until the next call. NULL when out of memory. */
struct chsm_record *chsm_section_add(struct chsm_section *s);

/* Puts the records into the order of reports: class, ID, label, then all else that is told. Each keeps its index. */
void chsm_section_sort(struct chsm_section *s);

/* Whether every public key of the section that tells a check value tells the one that the rule gives. */
enum chsm_pair_rule chsm_section_pair_rule(const struct chsm_section *s);

/*
 * Gives private keys of the section that tell none their public key: where the rule of check values holds and the key tells
 * one, the only public key with its ID that fits it; else where exactly one public key with the same non-empty ID, type and
 * curve exists (facts: pkcs11-stack.md §3: with a repeated ID "the first" is the wrong one as often as not). Sets pair_rule.
 */
CHSM_MUST_CHECK int chsm_section_link(struct chsm_section *s, struct chsm_err *err);

/* Whether public key `pub` may be the other half of the private key `priv`: same type, curve or size, and ID. */
bool chsm_record_halves(const struct chsm_record *priv, const struct chsm_record *pub);

/* SHA-256 of the SPKI as 64 hex digits (the design's "fingerprint"); false when the public key is unknown. */
bool chsm_record_fingerprint(const struct chsm_record *r, char out[65]);

/* The value of a boolean attribute; `absent` when the module did not answer it, or there is none of that name. */
bool chsm_record_flag(const struct chsm_record *r, const char *name, bool absent);

/* Sets an attribute; the value is stolen, also on failure. A boolean with a known name becomes a flag. */
CHSM_MUST_CHECK int chsm_record_set(struct chsm_record *r, const char *name, json_t *value, struct chsm_err *err);

/* All attributes as one JSON object {"sign": true, ...}, the caller's; NULL when out of memory. And back, into an empty record. */
json_t *chsm_record_attributes(const struct chsm_record *r);
CHSM_MUST_CHECK int chsm_record_set_attributes(struct chsm_record *r, const json_t *attributes, struct chsm_err *err);

/* The digest of the value of a certificate or data object; NULL = not told. Borrowed. */
const char *chsm_record_value_digest(const struct chsm_record *r);

/* "private-key", "0x80000001"...; in `out` (at least 24 bytes), which is returned. */
const char *chsm_class_name(unsigned long cls, char *out, size_t size);
const char *chsm_type_name(unsigned long type, char *out, size_t size);
/* The numbers back; false when the name is unknown. */
bool chsm_class_from_name(const char *name, unsigned long *ret);
bool chsm_type_from_name(const char *name, unsigned long *ret);

/* "private-key rsa-2048 id 0a0b (label \"payroll\")": how messages name a key; malloc()ed, NULL when out of memory. */
char *chsm_record_describe(const struct chsm_record *r);

/* Bytes as text: UTF-8 without control characters as it is, all else escaped as \xHH. malloc()ed. */
char *chsm_bytes_text(const struct chsm_bytes *b);

#endif
