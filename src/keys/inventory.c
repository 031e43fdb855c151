/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/inventory.h"
#include "util/json.h"

#define RECORDS_MAX 1000000

void chsm_inventory_done(struct chsm_inventory *inv)
{
    for (size_t i = 0; i < inv->n; i++)
        chsm_section_done(&inv->sections[i]);
    free(inv->sections);
    free(inv->created);
    free(inv->tool);
    free(inv->cluster);
    free(inv->endpoint);
    free(inv->module);
    free(inv->module_sha256);
    json_decref(inv->unknown);
    *inv = (struct chsm_inventory){ 0 };
}

struct chsm_section *chsm_inventory_add(struct chsm_inventory *inv)
{
    struct chsm_section *grown = reallocarray(inv->sections, inv->n + 1, sizeof *grown);

    if (!grown)
        return NULL;
    inv->sections = grown;
    grown[inv->n] = (struct chsm_section){ 0 };
    return &grown[inv->n++];
}

const struct chsm_section *chsm_inventory_section(const struct chsm_inventory *inv, const char *login)
{
    for (size_t i = 0; i < inv->n; i++)
        if (chsm_streq(inv->sections[i].login, login))
            return &inv->sections[i];
    return NULL;
}

bool chsm_inventory_complete(const struct chsm_inventory *inv)
{
    for (size_t i = 0; i < inv->n; i++)
        if (!inv->sections[i].complete)
            return false;
    return inv->n > 0;
}

size_t chsm_inventory_count(const struct chsm_inventory *inv)
{
    size_t n = 0;

    for (size_t i = 0; i < inv->n; i++)
        n += inv->sections[i].n;
    return n;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The records in the order of their canonical text; not whole: without recorded questions and unknown members. */
static int sorted_records(const struct chsm_section *s, bool whole, json_t **ret, struct chsm_err *err)
{
    json_t *array = json_array();
    char **texts = calloc(s->n ? s->n : 1, sizeof *texts);
    bool ok = array && texts;

    for (size_t i = 0; ok && i < s->n; i++) {
        struct chsm_record r = s->records[i];
        json_auto_t *o = NULL;

        if (!whole) {
            r.recorded.kind = NULL;
            r.recorded.why = NULL;
            r.unknown = NULL;
        }
        o = chsm_record_to_json(&r);
        texts[i] = o ? chsm_json_canonical(o) : NULL;
        ok = texts[i] != NULL;
    }
    if (ok)
        qsort(texts, s->n, sizeof *texts, by_text);
    for (size_t i = 0; ok && i < s->n; i++)
        ok = json_array_append_new(array, json_loads(texts[i], 0, NULL)) == 0;
    for (size_t i = 0; texts && i < s->n; i++)
        free(texts[i]);
    free(texts);
    if (!ok) {
        json_decref(array);
        return chsm_oom(err);
    }
    *ret = array;
    return 0;
}

static int section_to_json(const struct chsm_section *s, json_t **ret, struct chsm_err *err)
{
    json_t *records, *o;

    if (sorted_records(s, true, &records, err) < 0)
        return -1;
    o = json_pack("{s:s, s:b, s:s*, s:I, s:O*, s:o}", "login", s->login, "complete", s->complete, "why", s->why, "session_objects",
                  (json_int_t)s->session_objects, "token", s->token, "records", records);
    if (!o)
        return chsm_oom(err);
    *ret = o;
    return 0;
}

static int sha256_json(const json_t *value, char out[65], struct chsm_err *err)
{
    AUTO_FREE char *text = chsm_json_canonical(value);

    if (!text)
        return chsm_oom(err);
    chsm_sha256_hex(text, strlen(text), out);
    return 0;
}

/* Over what an HSM holds and every v1 knows, and nothing that differs between two readings of the same HSM. */
static int fingerprint(const struct chsm_inventory *inv, char out[65], struct chsm_err *err)
{
    json_auto_t *all = json_object();

    for (size_t i = 0; i < inv->n; i++) {
        json_t *records = NULL;

        if (sorted_records(&inv->sections[i], false, &records, err) < 0)
            return -1;
        if (json_object_set_new(all, inv->sections[i].login, records) < 0)
            return chsm_oom(err);
    }
    return sha256_json(all, out, err);
}

static int add_sections(const struct chsm_inventory *inv, json_t *array, struct chsm_err *err)
{
    for (size_t i = 0; i < inv->n; i++) {
        json_t *o = NULL;

        if (section_to_json(&inv->sections[i], &o, err) < 0)
            return -1;
        if (json_array_append_new(array, o) < 0)
            return chsm_oom(err);
    }
    return 0;
}

int chsm_inventory_to_json(const struct chsm_inventory *inv, json_t **ret, struct chsm_err *err)
{
    json_auto_t *o = inv->unknown ? json_copy(inv->unknown) : json_object();
    json_auto_t *sections = json_array();
    json_auto_t *known = NULL;
    char fp[65], digest[65];

    if (!o || !sections || add_sections(inv, sections, err) < 0 || fingerprint(inv, fp, err) < 0)
        return o && sections ? -1 : chsm_oom(err);
    known = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:b, s:I, s:s, s:O}", "format", CHSM_INVENTORY_FORMAT, "created", inv->created,
                      "tool", inv->tool, "cluster", inv->cluster, "endpoint", inv->endpoint, "module", inv->module, "module_sha256",
                      inv->module_sha256, "complete", chsm_inventory_complete(inv), "count", (json_int_t)chsm_inventory_count(inv),
                      "fingerprint", fp, "sections", sections);
    if (!known || json_object_update(o, known) < 0)
        return chsm_oom(err);
    if (sha256_json(o, digest, err) < 0)
        return -1;
    if (json_object_set_new(o, "content_sha256", json_string(digest)) < 0)
        return chsm_oom(err);
    *ret = json_incref(o);
    return 0;
}

static int read_section(const json_t *o, struct chsm_section *s, struct chsm_err *err)
{
    const char *login = chsm_json_str(o, "login"), *why = chsm_json_str(o, "why");
    const json_t *complete = json_object_get(o, "complete"), *records = json_object_get(o, "records"), *item;
    size_t i;

    if (!login || !*login || !json_is_boolean(complete) || !json_is_array(records))
        return chsm_fail(err, CHSM_CONFIG, "a section needs \"login\", \"complete\" and \"records\"");
    s->complete = json_is_true(complete);
    s->session_objects = (size_t)json_integer_value(json_object_get(o, "session_objects"));
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
        if (chsm_record_from_json(item, r, err) < 0)
            return chsm_err_prefix(err, "login %s, record %zu", login, i);
    }
    return 0;
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
    json_auto_t *rest = json_copy((json_t *)json);
    char digest[65];

    if (!rest)
        return chsm_oom(err);
    (void)json_object_del(rest, "content_sha256");
    if (sha256_json(rest, digest, err) < 0)
        return -1;
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
    inv->unknown = json_copy((json_t *)json);
    if (!inv->unknown)
        return chsm_oom(err);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        (void)json_object_del(inv->unknown, known[i]);
    return 0;
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

    if (fingerprint(inv, fp, err) < 0)
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
