/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison as the report has it. */
#include "config.h"

#include "keys/waiver.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/json.h"

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

/* The waiver that let it pass, or that would have, had it not expired. */
static int add_waiver(const struct chsm_finding *f, const struct chsm_policy *policy, json_t *o)
{
    struct chsm_policy without = *policy;
    const struct chsm_waiver *expired = NULL, *w = NULL;
    char until[CHSM_TIME_LEN];

    without.waivers = NULL;
    if (chsm_finding_outcome(f, &without) != CHSM_PASS)
        w = chsm_waiver_for(policy->waivers, f, policy->now, &expired);
    if (!w && !expired)
        return 0;
    chsm_time_format((w ? w : expired)->expires, false, until);
    return json_object_set_new(o, w ? "waived" : "waiver_expired", json_pack("{s:s, s:s}", "reason", (w ? w : expired)->reason, "expires", until));
}

static json_t *finding_json(const struct chsm_finding *f, const struct chsm_policy *policy)
{
    static const char *const outcomes[] = { [CHSM_PASS] = "pass", [CHSM_FAIL] = "fail", [CHSM_OPEN] = "open" };
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:O*, s:O*}", "login", f->login, "verdict", chsm_verdict_name(f->verdict), "outcome",
                          outcomes[chsm_finding_outcome(f, policy)], "matched_by", chsm_means_name(f->means), "reason", f->reason, "changes",
                          f->changes, "proof", f->proof);

    if (o && describe(f->source ? f->source : f->destination, o) == 0 && add_waiver(f, policy, o) == 0)
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
        (void)json_object_set_new(o, chsm_verdict_name((enum chsm_verdict)v), json_integer((json_int_t)count[v]));
    if (o)
        (void)json_object_set_new(o, "expected", json_integer((json_int_t)expected));
    return o;
}

static json_t *texts_json(char *const *v, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < n; i++)
        if (json_array_append_new(list, json_string(v[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *ignored_json(const char *const *names)
{
    json_t *list = json_array();

    for (; list && names && *names; names++)
        if (json_array_append_new(list, json_string(*names)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

int chsm_comparison_to_json(const struct chsm_comparison *c, const struct chsm_policy *policy, json_t **ret, struct chsm_err *err)
{
    json_auto_t *keys = json_array();
    json_t *o;

    for (size_t i = 0; i < c->n; i++)
        if (json_array_append_new(keys, finding_json(&c->findings[i], policy)) < 0)
            return chsm_oom(err);
    o = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:O}", "verdict", chsm_outcome_name(chsm_comparison_outcome(c, policy)), "require",
                  chsm_require_name(policy->require), "allow_unexpected", policy->allow_unexpected, "ignored_attributes", ignored_json(c->ignore),
                  "totals", totals_json(c), "open", texts_json(c->open, c->n_open), "notes", texts_json(c->notes, c->n_notes), "keys", keys);
    if (!o)
        return chsm_oom(err);
    *ret = o;
    return 0;
}
