/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an HSM login by login: the inventory of a source, and the verification of a destination. One login at a time:
 * the HSM's daemon shares login state between processes (facts: cloudhsm-client.md §6).
 */
#ifndef CHSM_DRILL_READER_H
#define CHSM_DRILL_READER_H

#include "keys/compare.h"
#include "keys/sample.h"
#include "pkcs11/hsm.h"

struct chsm_login {
    char *name;                 /* names the section of the inventory; not secret */
    struct chsm_secret pin;     /* exactly what C_Login gets ("user:password" for Cloud HSM) */
};

/* Wipes the PINs and frees the array; NULL is allowed. */
void chsm_logins_free(struct chsm_login *logins, size_t n);

/* `what` is "listing", "proving"; total 0 = not known. */
typedef void chsm_progress_fn(void *ctx, const char *what, const char *login, size_t done, size_t total);

struct chsm_reader {
    struct chsm_hsm_target target;
    const struct chsm_login *logins;
    size_t n;
    const char *cluster;        /* resource id for the inventory; NULL = not known */
    bool cross_check;           /* sign with each signing key a second time, through libp11 and OpenSSL (verify only) */
    struct chsm_proofs proofs;  /* which keys are asked: for a challenge to record (source; a sample counts as all), for a proof (destination) */
    bool keys_only;             /* verify: leave out what can prove nothing (public keys, certificates, data) */
    const struct chsm_bytes *ids;       /* only private and secret keys with one of these IDs are asked or verified; n_ids 0 = all */
    size_t n_ids;
    const char *const *ignore;  /* as in struct chsm_comparison; verify only */
    chsm_progress_fn *progress; /* may be NULL */
    void *ctx;
};

/*
 * The inventory of an HSM. Unless reader->proofs says none, each secret key that can is given a challenge, and the digest of its answer is
 * recorded; EC private keys whose public half is not certain are tied to it by a signature. Nothing is left in the token.
 */
CHSM_MUST_CHECK int chsm_reader_inventory(const struct chsm_reader *reader, struct chsm_inventory *ret, struct chsm_err *err);

/*
 * Reads the destination and compares it with `source`, which must outlive the result. CHSM_USAGE when a login is not in
 * `source`. *ret_destination and *ret_comparison are the caller's; the comparison borrows from both inventories.
 */
CHSM_MUST_CHECK int chsm_reader_verify(const struct chsm_reader *reader, const struct chsm_inventory *source,
                                       struct chsm_inventory *ret_destination, struct chsm_comparison *ret_comparison, struct chsm_err *err);

/* Whether the key takes part: its kind and its ID are wanted. */
bool chsm_reader_wants(const struct chsm_reader *r, const struct chsm_record *key);

/*
 * Pairs ambiguous findings of the source, from `first` on, with the candidate of the destination that answers their challenge.
 * What does not prove itself, or is not in the sample, stays ambiguous.
 */
CHSM_MUST_CHECK int chsm_reader_resolve(const struct chsm_reader *r, struct chsm_hsm *hsm, struct chsm_comparison *c, size_t first, struct chsm_err *err);

/*
 * Ties private keys on curves to the public key of the section under which a signature of theirs verifies, or with which an
 * agreement of theirs comes out right (repeated and empty IDs). A key that no public key fits stays as it is. Only keys that the
 * reader wants are asked.
 */
CHSM_MUST_CHECK int chsm_reader_halves(const struct chsm_reader *r, struct chsm_hsm *hsm, struct chsm_section *s, struct chsm_err *err);

#endif
