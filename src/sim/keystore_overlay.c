/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/keystore_overlay.h"
#include "util/json.h"
#include "util/path.h"

#define FILE_MAX (4u << 20)

static int load_json(const char *keys, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(keys, "overlay.json");

    if (!path)
        return chsm_oom(err);
    if (access(path, F_OK) < 0) {
        *ret = json_array();
        return *ret ? 0 : chsm_oom(err);
    }
    return chsm_json_load(path, FILE_MAX, ret, err);
}

static int read_entry(const json_t *o, struct sim_overlay_entry *e, struct chsm_err *err)
{
    const char *user = chsm_json_str(o, "user"), *id = chsm_json_str(o, "id"), *label = chsm_json_str(o, "label");
    const char *value = chsm_json_str(o, "value");

    if (!user || !id || !label)
        return chsm_fail(err, CHSM_CONFIG, "overlay.json: an entry without user, id or label");
    e->user = strdup(user);
    if (!e->user)
        return chsm_oom(err);
    e->cls = (CK_OBJECT_CLASS)json_integer_value(json_object_get(o, "class"));
    e->change.type = (CK_ATTRIBUTE_TYPE)json_integer_value(json_object_get(o, "type"));
    e->change.absent = !value;
    if (chsm_unhex(id, &e->id, err) < 0 || chsm_unhex(label, &e->label, err) < 0)
        return -1;
    return value ? chsm_unhex(value, &e->change.value, err) : 0;
}

static bool same(const struct sim_overlay_entry *e, const struct sim_overlay_key *key)
{
    return e->cls == key->cls && chsm_streq(e->user, key->user) && chsm_bytes_eq(&e->id, &key->id) &&
           chsm_bytes_eq(&e->label, &key->label);
}

/* Chains the entries of one object. */
static void chain(struct sim_overlay *o)
{
    for (size_t i = 0; i < o->n; i++) {
        struct sim_overlay_key key = { o->entries[i].user, o->entries[i].cls, o->entries[i].id, o->entries[i].label };

        for (size_t k = i + 1; k < o->n && !o->entries[i].next; k++)
            if (same(&o->entries[k], &key)) {
                o->entries[i].next = &o->entries[k];
                o->entries[k].follows = true;
            }
    }
}

int sim_overlay_load(const char *keys, struct sim_overlay *ret, struct chsm_err *err)
{
    json_auto_t *list = NULL;
    struct sim_overlay o = { .n = 0 };
    const json_t *one;
    size_t i;

    if (load_json(keys, &list, err) < 0)
        return -1;
    o.entries = calloc(json_array_size(list) + 1, sizeof *o.entries);
    if (!o.entries)
        return chsm_oom(err);
    json_array_foreach(list, i, one) {
        o.n++;
        if (read_entry(one, &o.entries[i], err) < 0) {
            sim_overlay_done(&o);
            return -1;
        }
    }
    chain(&o);
    *ret = o;
    return 0;
}

void sim_overlay_done(struct sim_overlay *o)
{
    for (size_t i = 0; i < o->n; i++) {
        free(o->entries[i].user);
        chsm_bytes_done(&o->entries[i].id);
        chsm_bytes_done(&o->entries[i].label);
        chsm_bytes_done(&o->entries[i].change.value);
    }
    free(o->entries);
    *o = (struct sim_overlay){ .n = 0 };
}

/* The members that name object and attribute. */
static json_t *make_entry(const struct sim_overlay_key *key, CK_ATTRIBUTE_TYPE type)
{
    AUTO_FREE char *id = chsm_hex(key->id.p, key->id.len);
    AUTO_FREE char *label = chsm_hex(key->label.p, key->label.len);

    return id && label ? json_pack("{s:s, s:I, s:s, s:s, s:I}", "user", key->user, "class", (json_int_t)key->cls, "id", id, "label", label,
                                   "type", (json_int_t)type) : NULL;
}

static void remove_same(json_t *list, const json_t *entry)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        json_auto_t *other = json_copy(json_array_get(list, i));

        (void)json_object_del(other, "value");
        if (json_equal(other, entry))
            (void)json_array_remove(list, i);
    }
}

int sim_overlay_add(const char *keys, const struct sim_overlay_key *key, const struct sim_overlay_change *change, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(keys, "overlay.json");
    AUTO_FREE char *value = chsm_hex(change->value.p, change->value.len);
    json_auto_t *list = NULL;
    json_t *entry = make_entry(key, change->type);

    if (!path || !value || !entry) {
        json_decref(entry);
        return chsm_oom(err);
    }
    if (load_json(keys, &list, err) < 0) {
        json_decref(entry);
        return -1;
    }
    remove_same(list, entry);
    if (!change->absent)
        (void)json_object_set_new(entry, "value", json_string(value));
    if (json_array_append_new(list, entry) < 0)
        return chsm_oom(err);
    return chsm_json_save(path, list, err);
}

const struct sim_overlay_entry *sim_overlay_find(const struct sim_overlay *o, const struct sim_overlay_key *key)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->entries[i].follows && same(&o->entries[i], key))
            return &o->entries[i];
    return NULL;
}

const struct sim_overlay_change *sim_overlay_change_of(const struct sim_overlay_entry *entry, CK_ATTRIBUTE_TYPE type)
{
    while (entry && entry->change.type != type)
        entry = entry->next;
    return entry ? &entry->change : NULL;
}
