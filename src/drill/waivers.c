/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "drill/plan_check.h"
#include "drill/waivers.h"
#include "util/clock.h"

#define DAY_MS (24 * 60 * 60 * (int64_t)1000)
#define WAIVERS_MAX 10000

#define TEXT(name, required, type, member) { name, CHSM_FIELD_TEXT, offsetof(type, member), required, NULL }

static const struct chsm_field top_fields[] = {
    { "apiVersion", CHSM_FIELD_CONST, 0, true, "chsmctl/v1" },
    { "kind", CHSM_FIELD_CONST, 0, true, "Waivers" },
    { "waivers", CHSM_FIELD_LIST, 0, true, NULL },
};

/* One item as it is written. `id` and `attributes` are looked at apart: an ID may be empty, and attributes are a list. */
struct raw {
    char *login, *cls, *fingerprint, *label, *verdict, *reason, *expires;
};

static const struct chsm_field item_fields[] = {
    TEXT("login", false, struct raw, login),
    TEXT("class", false, struct raw, cls),
    { "id", CHSM_FIELD_ANY, 0, false, NULL },
    TEXT("fingerprint", false, struct raw, fingerprint),
    TEXT("label", false, struct raw, label),
    TEXT("verdict", true, struct raw, verdict),
    { "attributes", CHSM_FIELD_LIST, 0, false, NULL },
    TEXT("reason", true, struct raw, reason),
    TEXT("expires", true, struct raw, expires),
};

static void raw_done(struct raw *r)
{
    free(r->login);
    free(r->cls);
    free(r->fingerprint);
    free(r->label);
    free(r->verdict);
    free(r->reason);
    free(r->expires);
}

/* A day counts to its end, a moment to itself. */
static int read_expiry(const char *text, int64_t *ret)
{
    AUTO_FREE char *midnight = chsm_strf("%sT00:00:00Z", text);

    if (chsm_time_parse(text, ret, NULL) == 0)
        return 0;
    if (strlen(text) != strlen("2027-01-31") || !midnight || chsm_time_parse(midnight, ret, NULL) < 0)
        return -1;
    *ret += DAY_MS;
    return 0;
}

static bool is_hex(const char *text, size_t digits)
{
    size_t n = strspn(text, "0123456789abcdef");

    return text[n] == '\0' && (digits ? n == digits : n % 2 == 0);
}

static void read_id(struct chsm_check *c, const char *path, struct chsm_waiver *w)
{
    AUTO_FREE char *at = chsm_strf("%s.id", path);
    json_t *v = at ? chsm_check_at(c, at) : NULL;

    if (!v)
        return;
    if (!json_is_string(v) || !is_hex(json_string_value(v), 0)) {
        chsm_check_note(c, at, "CKA_ID in lower-case hexadecimal is expected, in quotes (\"\" = without an ID)");
        return;
    }
    w->id = strdup(json_string_value(v));
    c->count += !w->id;
}

static void read_attributes(struct chsm_check *c, const char *path, struct chsm_waiver *w)
{
    AUTO_FREE char *at = chsm_strf("%s.attributes", path);
    json_t *list = at ? chsm_check_at(c, at) : NULL, *one;
    size_t i;

    if (w->verdict == CHSM_V_CHANGED && !list)
        chsm_check_note(c, path, "which attributes may differ? \"attributes\" is needed with the verdict changed");
    if (w->verdict != CHSM_V_CHANGED && list)
        chsm_check_note(c, at, "it has a meaning with the verdict changed only");
    if (!json_is_array(list))
        return;
    w->attributes = calloc(json_array_size(list) + 1, sizeof *w->attributes);
    c->count += !w->attributes;
    json_array_foreach(list, i, one) {
        if (!json_is_string(one))
            chsm_check_note(c, at, "the names of attributes are expected, as the report has them");
        else if (w->attributes && !(w->attributes[i] = strdup(json_string_value(one))))
            c->count++;
        if (!json_is_string(one) || !w->attributes)
            return;
    }
}

static void read_verdict(struct chsm_check *c, const char *path, const struct raw *raw, struct chsm_waiver *w)
{
    AUTO_FREE char *at = chsm_strf("%s.verdict", path);

    if (!raw->verdict || !at)
        return;
    if (!chsm_verdict_from_name(raw->verdict, &w->verdict))
        chsm_check_note(c, at, "\"%s\" is no verdict: missing, changed, unexpected, ambiguous, unproven, present or intact is expected", raw->verdict);
    else if (w->verdict == CHSM_V_IMPOSTOR)
        chsm_check_note(c, at, "other key material under a known name cannot be waived");
    else if (!chsm_waiver_allows(w->verdict))
        chsm_check_note(c, at, "\"%s\" needs no waiver", raw->verdict);
}

/* Takes the texts over from *raw. */
static void read_item(struct chsm_check *c, const char *path, struct raw *raw, struct chsm_waiver *w)
{
    AUTO_FREE char *expires = chsm_strf("%s.expires", path);

    w->cls = ULONG_MAX;
    read_id(c, path, w);
    read_verdict(c, path, raw, w);
    read_attributes(c, path, w);
    if (raw->cls && !chsm_class_from_name(raw->cls, &w->cls))
        chsm_check_note(c, path, "class \"%s\" is not known: private-key, public-key, secret-key, certificate or data", raw->cls);
    if (raw->fingerprint && !is_hex(raw->fingerprint, 64))
        chsm_check_note(c, path, "a fingerprint has 64 hexadecimal digits");
    if (!w->id && !raw->fingerprint && !raw->label)
        chsm_check_note(c, path, "which key? One of \"id\", \"fingerprint\" and \"label\" is needed");
    if (raw->expires && expires && read_expiry(raw->expires, &w->expires) < 0)
        chsm_check_note(c, expires, "\"%s\" is no day (2027-01-31) and no moment (2027-01-31T12:00:00Z)", raw->expires);
    w->login = TAKE(raw->login);
    w->fingerprint = TAKE(raw->fingerprint);
    w->label = TAKE(raw->label);
    w->reason = TAKE(raw->reason);
}

static void read_all(struct chsm_check *c, struct chsm_waivers *w)
{
    size_t n = json_array_size(chsm_check_at(c, "waivers"));

    if (n > WAIVERS_MAX) {
        chsm_check_note(c, "waivers", "at most %d are supported", WAIVERS_MAX);
        return;
    }
    w->v = calloc(n + 1, sizeof *w->v);
    c->count += !w->v;
    for (size_t i = 0; w->v && i < n; i++) {
        AUTO(raw_done) struct raw raw = { 0 };
        char path[48];

        (void)snprintf(path, sizeof path, "waivers[%zu]", i);
        w->n = i + 1;
        chsm_check_map(c, path, item_fields, ARRAY_LEN(item_fields), &raw);
        read_item(c, path, &raw, &w->v[i]);
    }
}

static int read_document(const struct chsm_yaml *y, struct chsm_waivers *ret, struct chsm_buf *problems, struct chsm_err *err)
{
    AUTO_WAIVERS struct chsm_waivers w = { 0 };
    struct chsm_check c = { .yaml = y, .folder = ".", .problems = problems };

    chsm_check_map(&c, "", top_fields, ARRAY_LEN(top_fields), &w);
    read_all(&c, &w);
    if (c.count)
        return chsm_fail(err, CHSM_CONFIG, "%s: %zu mistake%s in the waivers", chsm_yaml_name(y), c.count, c.count == 1 ? "" : "s");
    *ret = w;
    w = (struct chsm_waivers){ 0 };
    return 0;
}

int chsm_waivers_load(const char *path, struct chsm_waivers *ret, struct chsm_buf *problems, struct chsm_err *err)
{
    AUTO_YAML struct chsm_yaml *y = NULL;

    return chsm_yaml_load(path, &y, err) < 0 ? -1 : read_document(y, ret, problems, err);
}

int chsm_waivers_parse(const char *text, size_t n, const char *name, struct chsm_waivers *ret, struct chsm_buf *problems, struct chsm_err *err)
{
    AUTO_YAML struct chsm_yaml *y = NULL;

    return chsm_yaml_parse(text, n, name, &y, err) < 0 ? -1 : read_document(y, ret, problems, err);
}
