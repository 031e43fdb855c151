/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/inventory.h"
#include "util/json.h"

#define RECORDS_MAX 1000000

/* The members that this version does not know, for rewriting; NULL when there are none. */
static int unknown_of(const json_t *o, const char *const *known, size_t n, json_t **ret, struct chsm_err *err)
{
    json_t *rest = json_copy((json_t *)(uintptr_t)o);

    if (!rest)
        return chsm_oom(err);
    for (size_t i = 0; i < n; i++)
        (void)json_object_del(rest, known[i]);
    if (json_object_size(rest) == 0) {
        json_decref(rest);
        rest = NULL;
    }
    *ret = rest;
    return 0;
}

static int read_section(const json_t *o, struct chsm_section *s, struct chsm_err *err)
{
    static const char *const known[] = { "login", "complete", "why", "session_objects", "token", "public_keys", "pair_check_values", "records" };
    const char *login = chsm_json_str(o, "login"), *why = chsm_json_str(o, "why");
    const json_t *complete = json_object_get(o, "complete"), *records = json_object_get(o, "records"), *item;
    size_t i;

    if (!login || !*login || !json_is_boolean(complete) || !json_is_array(records))
        return chsm_fail(err, CHSM_CONFIG, "a section needs \"login\", \"complete\" and \"records\"");
    s->complete = json_is_true(complete);
    s->session_objects = (size_t)json_integer_value(json_object_get(o, "session_objects"));
    s->pair_rule = chsm_pair_rule_from_name(chsm_json_str(o, "pair_check_values"));
    s->login = strdup(login);
    s->why = why ? strdup(why) : NULL;
    s->token = json_deep_copy(json_object_get(o, "token"));
    if (!s->login || (why && !s->why))
        return chsm_oom(err);
    if (json_array_size(records) > RECORDS_MAX)
        return chsm_fail(err, CHSM_CONFIG, "more than %d records", RECORDS_MAX);
    json_array_foreach(records, i, item) {
        struct chsm_record *r = chsm_section_add(s);

        if (!r)
            return chsm_oom(err);
        if (chsm_record_from_json(item, json_object_get(o, "public_keys"), r, err) < 0)
            return chsm_err_prefix(err, "login %s, record %zu", login, i);
    }
    return unknown_of(o, known, ARRAY_LEN(known), &s->unknown, err);
}

/* "chsmctl.inventory/vN": another N is another format; what a later v1 adds is kept and ignored. */
static int check_format(const json_t *json, struct chsm_err *err)
{
    const char *format = chsm_json_str(json, "format");

    if (!format || strncmp(format, "chsmctl.inventory/", strlen("chsmctl.inventory/")) != 0)
        return chsm_fail(err, CHSM_CONFIG, "it is no inventory of chsmctl (\"format\" is missing or another)");
    if (strcmp(format, CHSM_INVENTORY_FORMAT) != 0) {
        (void)chsm_fail(err, CHSM_CONFIG, "its format is %.60s; this program reads " CHSM_INVENTORY_FORMAT, format);
        return chsm_err_hint(err, "use a newer chsmctl");
    }
    return 0;
}

/* A file that was cut, edited or mixed up must not become a baseline by accident. */
static int check_content(const json_t *json, struct chsm_err *err)
{
    json_auto_t *rest = json_copy((json_t *)(uintptr_t)json);
    AUTO_FREE char *text = NULL;
    char digest[65];

    if (!rest)
        return chsm_oom(err);
    (void)json_object_del(rest, "content_sha256");
    text = chsm_json_canonical(rest);
    if (!text)
        return chsm_oom(err);
    chsm_sha256_hex(text, strlen(text), digest);
    if (!chsm_streq(chsm_json_str(json, "content_sha256"), digest))
        return chsm_fail(err, CHSM_CONFIG, "its content was changed: \"content_sha256\" does not fit");
    return 0;
}

static int copy_text(const json_t *json, const char *key, char **ret, struct chsm_err *err)
{
    const char *s = chsm_json_str(json, key);

    if (s && !(*ret = strdup(s)))
        return chsm_oom(err);
    return 0;
}

static int read_head(const json_t *json, struct chsm_inventory *inv, struct chsm_err *err)
{
    static const char *const known[] = {
        "format", "created", "tool", "cluster", "endpoint", "module", "module_sha256", "complete", "count", "fingerprint", "sections", "content_sha256",
    };

    if (copy_text(json, "created", &inv->created, err) < 0 || copy_text(json, "tool", &inv->tool, err) < 0 ||
        copy_text(json, "cluster", &inv->cluster, err) < 0 || copy_text(json, "endpoint", &inv->endpoint, err) < 0 ||
        copy_text(json, "module", &inv->module, err) < 0 || copy_text(json, "module_sha256", &inv->module_sha256, err) < 0)
        return -1;
    return unknown_of(json, known, ARRAY_LEN(known), &inv->unknown, err);
}

static int read_sections(const json_t *json, struct chsm_inventory *inv, struct chsm_err *err)
{
    const json_t *sections = json_object_get(json, "sections"), *item;
    size_t i;

    if (!json_is_array(sections))
        return chsm_fail(err, CHSM_CONFIG, "\"sections\" is missing");
    json_array_foreach(sections, i, item) {
        const char *login = chsm_json_str(item, "login");
        struct chsm_section *s;

        if (login && chsm_inventory_section(inv, login))
            return chsm_fail(err, CHSM_CONFIG, "login %s has two sections", login);
        s = chsm_inventory_add(inv);
        if (!s)
            return chsm_oom(err);
        if (read_section(item, s, err) < 0)
            return -1;
    }
    return 0;
}

/* What the file says of its content is said of this content. */
static int check_fingerprint(const json_t *json, const struct chsm_inventory *inv, struct chsm_err *err)
{
    char fp[65];

    if (chsm_inventory_fingerprint(inv, fp, err) < 0)
        return -1;
    if (!chsm_streq(chsm_json_str(json, "fingerprint"), fp))
        return chsm_fail(err, CHSM_CONFIG, "its \"fingerprint\" is not that of its records");
    return 0;
}

int chsm_inventory_from_json(const json_t *json, struct chsm_inventory *ret, struct chsm_err *err)
{
    struct chsm_inventory inv = { 0 };

    if (check_format(json, err) < 0 || check_content(json, err) < 0)
        return -1;
    if (read_head(json, &inv, err) < 0 || read_sections(json, &inv, err) < 0 || check_fingerprint(json, &inv, err) < 0) {
        chsm_inventory_done(&inv);
        return -1;
    }
    chsm_inventory_done(ret);
    *ret = inv;
    return 0;
}
