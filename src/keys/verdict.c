/* SPDX-License-Identifier: Apache-2.0 */
/* From findings to the verdict of the run, and both as JSON. */
#include "config.h"

#include "keys/waiver.h"
#include "util/buf.h"
#include "util/json.h"

static const char *const verdict_names[] = {
    [CHSM_V_PROVEN] = "proven",     [CHSM_V_INTACT] = "intact",         [CHSM_V_PRESENT] = "present",
    [CHSM_V_MISSING] = "missing",   [CHSM_V_CHANGED] = "changed",       [CHSM_V_IMPOSTOR] = "impostor",
    [CHSM_V_UNEXPECTED] = "unexpected", [CHSM_V_AMBIGUOUS] = "ambiguous", [CHSM_V_UNPROVEN] = "unproven",
};
static_assert(ARRAY_LEN(verdict_names) == CHSM_V_COUNT_, "every verdict has a name");

static const char *const require_names[] = {
    [CHSM_REQUIRE_BEST] = "best", [CHSM_REQUIRE_PRESENT] = "present", [CHSM_REQUIRE_INTACT] = "intact", [CHSM_REQUIRE_PROVEN] = "proven",
};

const char *chsm_verdict_name(enum chsm_verdict v)
{
    return verdict_names[v];
}

bool chsm_verdict_from_name(const char *name, enum chsm_verdict *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(verdict_names); i++)
        if (strcmp(name, verdict_names[i]) == 0) {
            *ret = (enum chsm_verdict)i;
            return true;
        }
    return false;
}

const char *chsm_means_name(enum chsm_means m)
{
    static const char *const names[] = {
        [CHSM_MEANS_NONE] = "none", [CHSM_MEANS_ID] = "id", [CHSM_MEANS_FINGERPRINT] = "fingerprint", [CHSM_MEANS_DESCRIPTOR] = "descriptor",
        [CHSM_MEANS_PROOF] = "proof",
    };

    return names[m];
}

const char *chsm_outcome_name(enum chsm_outcome o)
{
    return o == CHSM_PASS ? "verified" : o == CHSM_FAIL ? "failed" : "inconclusive";
}

const char *chsm_require_name(enum chsm_require r)
{
    return require_names[r];
}

bool chsm_require_from_name(const char *name, enum chsm_require *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(require_names); i++)
        if (strcmp(name, require_names[i]) == 0) {
            *ret = (enum chsm_require)i;
            return true;
        }
    return false;
}

static bool can_prove_class(const struct chsm_record *r)
{
    return r->cls == CHSM_CLASS_PRIVATE || r->cls == CHSM_CLASS_SECRET;
}

bool chsm_finding_wants_proof(const struct chsm_finding *f)
{
    return f->source && f->destination && can_prove_class(f->source) &&
           (f->verdict == CHSM_V_INTACT || f->verdict == CHSM_V_PRESENT || f->verdict == CHSM_V_CHANGED);
}

int chsm_finding_reason(struct chsm_finding *f, const char *why, struct chsm_err *err)
{
    char *copy = strdup(why);

    if (!copy)
        return chsm_oom(err);
    free(f->reason);
    f->reason = copy;
    return 0;
}

static json_t *hex_json(const void *p, size_t n)
{
    AUTO_FREE char *hex = chsm_hex(p, n);

    return hex ? json_string(hex) : NULL;
}

/* Whoever checks it again needs the question, the answer and the source's public key (which the inventory holds). */
static json_t *proof_json(const struct chsm_finding *f, const struct chsm_challenge *c, const struct chsm_bytes *answer)
{
    char fp[65];
    json_t *o = json_pack("{s:s, s:o, s:o}", "kind", c->kind, "input", hex_json(c->input.p, c->input.len), "answer", hex_json(answer->p, answer->len));

    if (o && chsm_record_fingerprint(f->source, fp))
        (void)json_object_set_new(o, "fingerprint", json_string(fp));
    if (o && c->expected.len)
        (void)json_object_set_new(o, "expected", hex_json(c->expected.p, c->expected.len));
    if (o && c->opening.len)
        (void)json_object_set_new(o, "opening", hex_json(c->opening.p, c->opening.len));
    return o;
}

int chsm_finding_prove(struct chsm_finding *f, const struct chsm_challenge *c, const struct chsm_bytes *answer, int checked, const char *why,
                       struct chsm_err *err)
{
    f->provable = true;
    if (checked >= 0 && !(f->proof = proof_json(f, c, answer)))
        return chsm_oom(err);
    /* What is known to be wrong stays wrong: an answer that did not come cannot make it merely unproven. */
    if (checked < 0 && (f->verdict == CHSM_V_MISSING || f->verdict == CHSM_V_IMPOSTOR || f->verdict == CHSM_V_UNEXPECTED))
        return 0;
    if (checked < 0 && f->verdict == CHSM_V_CHANGED)
        return chsm_finding_excuse(f, true, why, err);
    if (checked == 0) {
        f->verdict = CHSM_V_IMPOSTOR;
        return chsm_finding_reason(f, "its answer to the challenge is not that of the source's key", err);
    }
    if (checked < 0) {
        f->verdict = CHSM_V_UNPROVEN;
        return chsm_finding_reason(f, why, err);
    }
    if (f->verdict == CHSM_V_INTACT || f->verdict == CHSM_V_PRESENT) {
        f->verdict = CHSM_V_PROVEN;
        free(f->reason);
        f->reason = NULL;
    }
    return 0;
}

int chsm_finding_cross_check(struct chsm_finding *f, const struct chsm_challenge *c, const struct chsm_bytes *answer, int checked,
                             const char *why, struct chsm_err *err)
{
    AUTO_FREE char *text = NULL;

    if (checked == 1)
        return json_object_set_new(f->proof, "cross_check", proof_json(f, c, answer)) < 0 ? chsm_oom(err) : 0;
    if (checked == 0) {
        f->verdict = CHSM_V_IMPOSTOR;
        return chsm_finding_reason(f, "its signature through the second stack is not that of the source's key", err);
    }
    text = chsm_strf("no cross-check: %s", why);
    return text ? chsm_finding_reason(f, text, err) : chsm_oom(err);
}

int chsm_finding_excuse(struct chsm_finding *f, bool possible, const char *why, struct chsm_err *err)
{
    AUTO_FREE char *both = f->reason ? chsm_strf("%s; no proof: %s", f->reason, why) : chsm_strf("no proof: %s", why);

    f->provable = possible;
    return both ? chsm_finding_reason(f, both, err) : chsm_oom(err);
}

/* What is left of a finding when nobody minds its verdict: whether the key itself is the source's. */
static enum chsm_verdict waived(const struct chsm_finding *f)
{
    switch (f->verdict) {
    case CHSM_V_CHANGED:
        return f->proof ? CHSM_V_PROVEN : f->witnessed ? CHSM_V_INTACT : CHSM_V_PRESENT;
    case CHSM_V_INTACT:
    case CHSM_V_PRESENT:
    case CHSM_V_MISSING:
    case CHSM_V_UNEXPECTED:
    case CHSM_V_AMBIGUOUS:
    case CHSM_V_UNPROVEN:
        return CHSM_V_PROVEN;       /* that there is no proof is just what was accepted */
    case CHSM_V_PROVEN:
    case CHSM_V_IMPOSTOR:
    case CHSM_V_COUNT_:
        break;
    }
    return f->verdict;
}

static enum chsm_outcome outcome_of(const struct chsm_finding *f, enum chsm_verdict verdict, const struct chsm_policy *policy)
{
    switch (verdict) {
    case CHSM_V_PROVEN:
        return CHSM_PASS;
    case CHSM_V_INTACT:
        if (policy->require == CHSM_REQUIRE_PROVEN)
            return can_prove_class(f->source) ? CHSM_OPEN : CHSM_PASS;
        /*
         * Under the default bar a key that could have proven itself and was not asked is open, and so is a secret key that
         * cannot: all that speaks for it is a check value of 24 bits, which tells mix-ups and no more.
         */
        if (policy->require != CHSM_REQUIRE_BEST)
            return CHSM_PASS;
        return f->provable || f->source->cls == CHSM_CLASS_SECRET ? CHSM_OPEN : CHSM_PASS;
    case CHSM_V_PRESENT:
        return policy->require == CHSM_REQUIRE_PRESENT ? CHSM_PASS : CHSM_OPEN;
    case CHSM_V_UNEXPECTED:
        return policy->allow_unexpected ? CHSM_PASS : CHSM_FAIL;
    case CHSM_V_MISSING:
    case CHSM_V_CHANGED:
    case CHSM_V_IMPOSTOR:
        return CHSM_FAIL;
    case CHSM_V_AMBIGUOUS:
    case CHSM_V_UNPROVEN:
    case CHSM_V_COUNT_:
        break;
    }
    return CHSM_OPEN;
}

enum chsm_outcome chsm_finding_outcome(const struct chsm_finding *f, const struct chsm_policy *policy)
{
    const struct chsm_waiver *expired;
    enum chsm_outcome outcome = outcome_of(f, f->verdict, policy);

    if (outcome == CHSM_PASS || !chsm_waiver_for(policy->waivers, f, policy->now, &expired))
        return outcome;
    return outcome_of(f, waived(f), policy);
}

enum chsm_outcome chsm_comparison_outcome(const struct chsm_comparison *c, const struct chsm_policy *policy)
{
    enum chsm_outcome outcome = c->n_open || c->n == 0 ? CHSM_OPEN : CHSM_PASS;

    for (size_t i = 0; i < c->n; i++) {
        enum chsm_outcome o = chsm_finding_outcome(&c->findings[i], policy);

        if (o == CHSM_FAIL)
            return CHSM_FAIL;
        if (o == CHSM_OPEN)
            outcome = CHSM_OPEN;
    }
    return outcome;
}
