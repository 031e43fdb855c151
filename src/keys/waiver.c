/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/waiver.h"
#include "util/json.h"

void chsm_waivers_done(struct chsm_waivers *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct chsm_waiver *one = &w->v[i];

        for (size_t k = 0; one->attributes && one->attributes[k]; k++)
            free(one->attributes[k]);
        free(one->attributes);
        free(one->login);
        free(one->id);
        free(one->fingerprint);
        free(one->label);
        free(one->reason);
    }
    free(w->v);
    *w = (struct chsm_waivers){ 0 };
}

bool chsm_waiver_allows(enum chsm_verdict v)
{
    return v != CHSM_V_PROVEN && v != CHSM_V_IMPOSTOR && v != CHSM_V_COUNT_;
}

static bool is_key(const struct chsm_waiver *w, const char *login, const struct chsm_record *r)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len);
    AUTO_FREE char *label = chsm_bytes_text(&r->label);
    char fp[65] = "";

    if (!id || !label)
        return false;
    (void)chsm_record_fingerprint(r, fp);
    return (!w->login || chsm_streq(w->login, login)) && (w->cls == ULONG_MAX || w->cls == r->cls) && (!w->id || chsm_streq(w->id, id)) &&
           (!w->fingerprint || chsm_streq(w->fingerprint, fp)) && (!w->label || chsm_streq(w->label, label));
}

static bool named(char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (chsm_streq(*names, name))
            return true;
    return false;
}

/* A change of another attribute than the waived ones is not waived. */
static bool covers_changes(const struct chsm_waiver *w, const struct chsm_finding *f)
{
    const json_t *change;
    size_t i;

    json_array_foreach(f->changes, i, change)
        if (!json_is_true(json_object_get(change, "ignored")) && !named(w->attributes, chsm_json_str(change, "attribute")))
            return false;
    return true;
}

const struct chsm_waiver *chsm_waiver_for(const struct chsm_waivers *w, const struct chsm_finding *f, int64_t now,
                                          const struct chsm_waiver **ret_expired)
{
    const struct chsm_record *r = f->source ? f->source : f->destination;

    *ret_expired = NULL;
    for (size_t i = 0; w && r && chsm_waiver_allows(f->verdict) && i < w->n; i++) {
        const struct chsm_waiver *one = &w->v[i];

        if (one->verdict != f->verdict || !is_key(one, f->login, r) || (f->verdict == CHSM_V_CHANGED && !covers_changes(one, f)))
            continue;
        if (now < one->expires) {
            *ret_expired = NULL;
            return one;
        }
        *ret_expired = one;
    }
    return NULL;
}
