/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of waivers. What is read of it is compared with a second, plain reading of the same YAML:
 *   - a file with anything in it that is not understood is refused, with at least one mistake named, and nothing is returned;
 *   - a finding is waived exactly when one of the items names its key, its verdict and all of its changes, and has not expired;
 *   - an impostor fails under every bar, whatever the file says.
 */
#include "config.h"

#include "drill/waivers.h"
#include "fuzz.h"
#include "fuzz_json.h"
#include "util/json.h"
#include "util/yaml.h"

#define CHANGED_MAX 3u      /* sets of changes */
#define MOMENTS_MAX 10u

static unsigned char bytes[] = { 1, 1, 'k', 'e', 'y' };

/* The keys of the findings: with and without an ID, a label, a public key. */
static struct key {
    const char *login, *class_name, *id, *label;
    struct chsm_record record;
} keys[] = {
    { "cu1", "private-key", "0101", "payroll", { .cls = CHSM_CLASS_PRIVATE, .id = { bytes, 2 }, .spki = { bytes + 2, 3 }, .spki_from = CHSM_SPKI_OWN } },
    { "cu2", "secret-key", "0101", "payroll", { .cls = CHSM_CLASS_SECRET, .id = { bytes, 2 } } },
    { "cu1", "secret-key", "", "", { .cls = CHSM_CLASS_SECRET } },
    { "cu1", "public-key", "01", "payroll", { .cls = CHSM_CLASS_PUBLIC, .id = { bytes, 1 }, .spki = { bytes + 2, 3 }, .spki_from = CHSM_SPKI_OWN } },
};

static const char *const changed[CHANGED_MAX][2] = { { NULL, NULL }, { "label", NULL }, { "label", "extractable" } };

/* What the item says of one thing, if it says anything, is so. */
static bool says(const json_t *item, const char *member, const char *so)
{
    const json_t *v = json_object_get(item, member);

    return !v || json_is_null(v) || chsm_streq(json_string_value(v), so);
}

static bool lists(const json_t *item, const char *name)
{
    const json_t *v;
    size_t i;

    json_array_foreach(json_object_get(item, "attributes"), i, v)
        if (chsm_streq(json_string_value(v), name))
            return true;
    return false;
}

static bool covers(const json_t *item, const struct key *k, enum chsm_verdict verdict, unsigned set)
{
    char fp[65] = "";

    (void)chsm_record_fingerprint(&k->record, fp);
    if (!says(item, "login", k->login) || !says(item, "class", k->class_name) || !says(item, "id", k->id) || !says(item, "fingerprint", fp) ||
        !says(item, "label", k->label) || !chsm_streq(chsm_json_str(item, "verdict"), chsm_verdict_name(verdict)))
        return false;
    for (unsigned i = 0; verdict == CHSM_V_CHANGED && i < 2 && changed[set][i]; i++)
        if (!lists(item, changed[set][i]))
            return false;
    return true;
}

static json_t *changes_of(unsigned set)
{
    json_t *changes = json_array();

    for (unsigned i = 0; i < 2 && changed[set][i]; i++)
        MUST(json_array_append_new(changes, json_pack("{s:s, s:n, s:n, s:b}", "attribute", changed[set][i], "source", "destination", "loosened", 0)) == 0);
    return changes;
}

static void check_finding(const struct chsm_waivers *w, const json_t *items, const struct chsm_finding *f, const struct key *k, unsigned set, int64_t now)
{
    const struct chsm_waiver *expired, *counts = chsm_waiver_for(w, f, now, &expired);
    bool waived = false, too_late = false;

    for (size_t i = 0; i < w->n; i++) {
        bool fits = covers(json_array_get(items, i), k, f->verdict, set);

        waived = waived || (fits && now < w->v[i].expires);
        too_late = too_late || fits;
    }
    MUST((counts != NULL) == waived && (expired != NULL) == (too_late && !waived));
    for (enum chsm_require bar = CHSM_REQUIRE_BEST; bar <= CHSM_REQUIRE_PROVEN; bar++) {
        struct chsm_policy policy = { .require = bar, .waivers = w, .now = now };

        MUST(f->verdict != CHSM_V_IMPOSTOR || chsm_finding_outcome(f, &policy) == CHSM_FAIL);
        MUST(f->verdict != CHSM_V_MISSING || waived || chsm_finding_outcome(f, &policy) == CHSM_FAIL);
    }
}

static void check_waivers(const struct chsm_waivers *w, const json_t *items)
{
    int64_t moments[MOMENTS_MAX] = { 0, INT64_MAX };
    size_t n = 2;

    for (size_t i = 0; i < w->n && n < MOMENTS_MAX; i++) {
        moments[n++] = w->v[i].expires - 1;
        moments[n++] = w->v[i].expires;
    }
    for (unsigned k = 0; k < ARRAY_LEN(keys); k++) {
        for (unsigned set = 0; set < CHANGED_MAX; set++) {
            json_auto_t *changes = changes_of(set);
            struct chsm_finding f = { .login = keys[k].login, .source = &keys[k].record, .changes = changes };

            for (f.verdict = 0; f.verdict < CHSM_V_COUNT_; f.verdict++)
                for (size_t i = 0; i < n; i++)
                    check_finding(w, items, &f, &keys[k], set, moments[i]);
        }
    }
}

/* Every member is one that the manual knows. */
static void check_closed(const json_t *root)
{
    static const char *const known[] = { "login", "class", "id", "fingerprint", "label", "verdict", "attributes", "reason", "expires" };
    const json_t *item;
    const char *name;
    json_t *v;
    size_t i;

    MUST(json_object_size(root) == 3 && json_is_array(json_object_get(root, "waivers")));
    json_array_foreach(json_object_get(root, "waivers"), i, item) {
        MUST(json_is_object(item));
        json_object_foreach((json_t *)(uintptr_t)item, name, v) {
            bool is_known = false;

            for (size_t k = 0; k < ARRAY_LEN(known); k++)
                is_known = is_known || strcmp(known[k], name) == 0;
            MUST(is_known);
        }
        MUST(chsm_json_str(item, "reason") && *chsm_json_str(item, "reason"));
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return fuzz_json_mutate(data, size, max, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_WAIVERS struct chsm_waivers w = { 0 };
    AUTO_BUF struct chsm_buf problems = CHSM_BUF(16u << 20);
    AUTO_YAML struct chsm_yaml *yaml = NULL;
    struct chsm_err err = { 0 };

    for (unsigned k = 0; k < ARRAY_LEN(keys); k++)
        keys[k].record.label = (struct chsm_bytes){ (unsigned char *)(uintptr_t)keys[k].label, strlen(keys[k].label) };
    if (chsm_waivers_parse((const char *)data, size, "waivers", &w, &problems, &err) < 0) {
        MUST(err.code == CHSM_CONFIG && err.text[0] && !w.v && w.n == 0);
        return 0;
    }
    MUST(problems.len == 0);
    MUST(chsm_yaml_parse((const char *)data, size, "waivers", &yaml, &err) == 0);
    check_closed(chsm_yaml_root(yaml));
    MUST(w.n == json_array_size(json_object_get(chsm_yaml_root(yaml), "waivers")));
    check_waivers(&w, json_object_get(chsm_yaml_root(yaml), "waivers"));
    return 0;
}
