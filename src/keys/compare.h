/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The comparison of two inventories: which key of the destination is which key of the source, and what became of it.
 * Pure: no I/O, no clock. Everything that could not be established is said, and is never a pass.
 */
#ifndef CHSM_KEYS_COMPARE_H
#define CHSM_KEYS_COMPARE_H

#include "keys/challenge.h"
#include "keys/inventory.h"

enum chsm_verdict {
    CHSM_V_PROVEN,      /* did what only the same key can do */
    CHSM_V_INTACT,      /* everything that the HSM tells is equal, and something of it depends on the key material */
    CHSM_V_PRESENT,     /* found and equal, but nothing that was compared depends on the key material */
    CHSM_V_MISSING,
    CHSM_V_CHANGED,
    CHSM_V_IMPOSTOR,    /* the same ID, other key material */
    CHSM_V_UNEXPECTED,  /* only at the destination */
    CHSM_V_AMBIGUOUS,   /* several candidates that nothing tells apart */
    CHSM_V_UNPROVEN,    /* it should have proven itself and could not: `reason` */
    CHSM_V_COUNT_
};

/* How source and destination were found to belong together. */
enum chsm_means { CHSM_MEANS_NONE, CHSM_MEANS_ID, CHSM_MEANS_FINGERPRINT, CHSM_MEANS_DESCRIPTOR, CHSM_MEANS_PROOF };

enum chsm_outcome { CHSM_PASS, CHSM_FAIL, CHSM_OPEN };     /* of a finding; and of the run: verified, failed, inconclusive */

enum chsm_require {
    CHSM_REQUIRE_BEST,      /* default: proven where the key can, else intact; a secret key: proven */
    CHSM_REQUIRE_PRESENT,
    CHSM_REQUIRE_INTACT,
    CHSM_REQUIRE_PROVEN,    /* every private and secret key */
};

struct chsm_waivers;

struct chsm_policy {
    enum chsm_require require;
    bool allow_unexpected;
    const struct chsm_waivers *waivers;     /* NULL = none (keys/waiver.h) */
    int64_t now;                            /* ms since 1970: what waivers expire against */
};

struct chsm_finding {
    const char *login;                      /* of the section; borrowed */
    const struct chsm_record *source;       /* NULL: unexpected. Borrowed from the inventories */
    const struct chsm_record *destination;  /* NULL: missing or not established */
    enum chsm_means means;
    enum chsm_verdict verdict;
    bool provable;                          /* a private or secret key of which nobody has shown that no proof is possible */
    bool witnessed;                         /* something equal on both sides depends on the key material */
    json_t *changes;                        /* array of {attribute, source, destination, loosened, ignored}; NULL = none */
    char *reason;                           /* why not more; NULL = nothing to say */
    json_t *proof;                          /* all that is needed to check it again without an HSM; NULL = none */
};

struct chsm_comparison {
    struct chsm_finding *findings;          /* one for each source record, then the unexpected ones, section by section */
    size_t n, cap;
    char **open;                            /* why the run cannot be verified whatever the findings: "login cu2: ..." */
    size_t n_open;
    char **notes;                           /* worth knowing, and no reason against anything */
    size_t n_notes;
    /*
     * Set before comparing. Attributes whose differences are noted but do not count, ended by NULL; NULL = none. Only names
     * that chsm_attribute_may_be_ignored() allows: what tells one key from another always counts.
     */
    const char *const *ignore;
};

/* The label, a flag, or another attribute of chsm_record.more; not ID, check value, size, curve, public key or value digest. */
bool chsm_attribute_may_be_ignored(const char *name);

void chsm_comparison_done(struct chsm_comparison *c);
#define AUTO_COMPARISON AUTO(chsm_comparison_done)

/*
 * Compares login by login. The inventories must outlive the result. Every record of the source gets exactly one finding.
 * Verdicts here are at most `intact`: proofs are added by chsm_finding_prove(). Of *ret only `ignore` is read.
 */
CHSM_MUST_CHECK int chsm_compare(const struct chsm_inventory *source, const struct chsm_inventory *destination,
                                 struct chsm_comparison *ret, struct chsm_err *err);

/*
 * The same in parts, for who reads the destination login by login: the findings of one login are added to *c; at the end
 * chsm_compare_rest() adds what only one side has.
 */
CHSM_MUST_CHECK int chsm_compare_section(struct chsm_comparison *c, const struct chsm_section *source, const struct chsm_section *destination,
                                         struct chsm_err *err);
CHSM_MUST_CHECK int chsm_compare_rest(struct chsm_comparison *c, const struct chsm_inventory *source, const struct chsm_inventory *destination,
                                      struct chsm_err *err);

/* Drops the findings from `first` on that keep() does not want. */
void chsm_comparison_keep(struct chsm_comparison *c, size_t first, bool (*keep)(const struct chsm_finding *f, const void *ctx), const void *ctx);

/* Adds something worth knowing that speaks against nothing. */
CHSM_MUST_CHECK int chsm_comparison_remark(struct chsm_comparison *c, const char *text, struct chsm_err *err);

/* Adds a reason why the run cannot be verified, whatever the findings. */
CHSM_MUST_CHECK int chsm_comparison_note(struct chsm_comparison *c, const char *text, struct chsm_err *err);

/*
 * Pairs a record that is ambiguous with a candidate of the destination that only it can be (it has proven so): the finding
 * `source` takes the destination of the finding `destination`, which vanishes; the findings after it move up.
 */
CHSM_MUST_CHECK int chsm_comparison_pair(struct chsm_comparison *c, size_t source, size_t destination, struct chsm_err *err);

/* Whether two ambiguous findings of one login could be the same key: nothing that is told speaks against it. */
bool chsm_finding_candidate(const struct chsm_finding *source, const struct chsm_finding *destination);

/* Whether a proof is worth asking for: a private or secret key that is matched and no impostor. */
bool chsm_finding_wants_proof(const struct chsm_finding *f);

/*
 * Takes in the outcome of a challenge. checked: 1 right, 0 wrong (impostor), -1 there is no answer, and `why` says so
 * (unproven). The proof is kept in the finding. A changed or missing key never becomes proven.
 */
CHSM_MUST_CHECK int chsm_finding_prove(struct chsm_finding *f, const struct chsm_challenge *c, const struct chsm_bytes *answer,
                                       int checked, const char *why, struct chsm_err *err);

/*
 * The outcome of a second proof, by an independent stack, of a finding that is proven already. checked as above: 1 is kept
 * beside the proof, 0 is an impostor, -1 keeps the verdict and says why there was no cross-check.
 */
CHSM_MUST_CHECK int chsm_finding_cross_check(struct chsm_finding *f, const struct chsm_challenge *c, const struct chsm_bytes *answer,
                                             int checked, const char *why, struct chsm_err *err);

/* Replaces the reason of a finding. */
CHSM_MUST_CHECK int chsm_finding_reason(struct chsm_finding *f, const char *why, struct chsm_err *err);

/* There was no proof: `possible` says whether there could have been one. Keeps the reason. */
CHSM_MUST_CHECK int chsm_finding_excuse(struct chsm_finding *f, bool possible, const char *why, struct chsm_err *err);

/*
 * What a finding means under a policy; the table of doc/EVIDENCE.md. A waiver takes the weight of the verdict, not of the rest: a
 * waived change still needs the proof that the key itself would have needed.
 */
enum chsm_outcome chsm_finding_outcome(const struct chsm_finding *f, const struct chsm_policy *policy);

/* The verdict of the run: failed if any finding failed; open if any is, or anything was not established, or nothing was compared. */
enum chsm_outcome chsm_comparison_outcome(const struct chsm_comparison *c, const struct chsm_policy *policy);

const char *chsm_verdict_name(enum chsm_verdict v);         /* "proven" ... */
const char *chsm_means_name(enum chsm_means m);             /* "id", "fingerprint", "descriptor", "proof", "none" */
const char *chsm_outcome_name(enum chsm_outcome o);         /* "verified", "failed", "inconclusive" */
bool chsm_verdict_from_name(const char *name, enum chsm_verdict *ret);
bool chsm_require_from_name(const char *name, enum chsm_require *ret);
const char *chsm_require_name(enum chsm_require r);

/*
 * The comparison as report members: {"verdict", "require", "totals": {verdict: n}, "open": [...], "notes": [...],
 * "keys": [one per finding]}. The caller owns *ret.
 */
CHSM_MUST_CHECK int chsm_comparison_to_json(const struct chsm_comparison *c, const struct chsm_policy *policy, json_t **ret,
                                            struct chsm_err *err);

#endif
