/* SPDX-License-Identifier: Apache-2.0 */
/* From findings to the verdict of the run, and both as JSON. */
#include "config.h"

#include "keys/compare.h"
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

const char *chsm_means_name(enum chsm_means m)
{
    static const char *const names[] = {
        [CHSM_MEANS_NONE] = "none", [CHSM_MEANS_ID] = "id", [CHSM_MEANS_FINGERPRINT] = "fingerprint", [CHSM_MEANS_DESCRIPTOR] = "descriptor",
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
    return f->source && f->destination && can_prove_class(f->source) && (f->verdict == CHSM_V_INTACT || f->verdict == CHSM_V_PRESENT);
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
    if (checked < 0 && (f->verdict == CHSM_V_MISSING || f->verdict == CHSM_V_CHANGED || f->verdict == CHSM_V_IMPOSTOR || f->verdict == CHSM_V_UNEXPECTED))
        return 0;
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

enum chsm_outcome chsm_finding_outcome(const struct chsm_finding *f, const struct chsm_policy *policy)
{
    switch (f->verdict) {
    case CHSM_V_PROVEN:
        return CHSM_PASS;
    case CHSM_V_INTACT:
        if (policy->require == CHSM_REQUIRE_PROVEN)
            return can_prove_class(f->source) ? CHSM_OPEN : CHSM_PASS;
        /* A key that could have proven itself and was not asked is open under the default bar. */
        return policy->require == CHSM_REQUIRE_BEST && f->provable ? CHSM_OPEN : CHSM_PASS;
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

/* The outside of a key: what names it in a report. */
static int describe(const struct chsm_record *r, json_t *o)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len);
    AUTO_FREE char *label = chsm_bytes_text(&r->label);
    AUTO_FREE char *text = chsm_bytes_text(&r->id);
    char cls[24], type[24], fp[65];
    json_t *more = id && label && text
                       ? json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*}", "class", chsm_class_name(r->cls, cls, sizeof cls), "id", id, "id_text", text,
                                   "label", label, "type", r->type == CHSM_TYPE_NONE ? NULL : chsm_type_name(r->type, type, sizeof type), "curve", r->curve)
                       : NULL;
    int rc = more ? json_object_update(o, more) : -1;

    if (rc == 0 && r->bits)
        rc = json_object_set_new(o, "bits", json_integer(r->bits));
    if (rc == 0 && chsm_record_fingerprint(r, fp))
        rc = json_object_set_new(o, "fingerprint", json_string(fp));
    json_decref(more);
    return rc;
}

static json_t *finding_json(const struct chsm_finding *f, const struct chsm_policy *policy)
{
    static const char *const outcomes[] = { [CHSM_PASS] = "pass", [CHSM_FAIL] = "fail", [CHSM_OPEN] = "open" };
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:O*, s:O*}", "login", f->login, "verdict", chsm_verdict_name(f->verdict), "outcome",
                          outcomes[chsm_finding_outcome(f, policy)], "matched_by", chsm_means_name(f->means), "reason", f->reason, "changes",
                          f->changes, "proof", f->proof);

    if (o && describe(f->source ? f->source : f->destination, o) == 0)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *totals_json(const struct chsm_comparison *c)
{
    size_t count[CHSM_V_COUNT_] = { 0 }, expected = 0;
    json_t *o = json_object();

    for (size_t i = 0; i < c->n; i++) {
        count[c->findings[i].verdict]++;
        expected += c->findings[i].source != NULL;
    }
    for (int v = 0; o && v < CHSM_V_COUNT_; v++)
        (void)json_object_set_new(o, verdict_names[v], json_integer((json_int_t)count[v]));
    if (o)
        (void)json_object_set_new(o, "expected", json_integer((json_int_t)expected));
    return o;
}

int chsm_comparison_to_json(const struct chsm_comparison *c, const struct chsm_policy *policy, json_t **ret, struct chsm_err *err)
{
    json_auto_t *keys = json_array(), *open = json_array();
    json_t *o;

    for (size_t i = 0; i < c->n; i++)
        if (json_array_append_new(keys, finding_json(&c->findings[i], policy)) < 0)
            return chsm_oom(err);
    for (size_t i = 0; i < c->n_open; i++)
        if (json_array_append_new(open, json_string(c->open[i])) < 0)
            return chsm_oom(err);
    o = json_pack("{s:s, s:s, s:b, s:o, s:O, s:O}", "verdict", chsm_outcome_name(chsm_comparison_outcome(c, policy)), "require",
                  chsm_require_name(policy->require), "allow_unexpected", policy->allow_unexpected, "totals", totals_json(c), "open", open, "keys", keys);
    if (!o)
        return chsm_oom(err);
    *ret = o;
    return 0;
}
