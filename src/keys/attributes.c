/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of a record: flags as bits, everything else as JSON. */
#include "config.h"

#include "keys/record.h"
#include "util/json.h"

static_assert(CHSM_FLAG_COUNT <= 32, "flags are a 32-bit mask");

const char *const chsm_flag_names[CHSM_FLAG_COUNT] = {
    [CHSM_FLAG_PRIVATE] = "private",
    [CHSM_FLAG_TRUSTED] = "trusted",
    [CHSM_FLAG_SENSITIVE] = "sensitive",
    [CHSM_FLAG_ENCRYPT] = "encrypt",
    [CHSM_FLAG_DECRYPT] = "decrypt",
    [CHSM_FLAG_WRAP] = "wrap",
    [CHSM_FLAG_UNWRAP] = "unwrap",
    [CHSM_FLAG_SIGN] = "sign",
    [CHSM_FLAG_VERIFY] = "verify",
    [CHSM_FLAG_DERIVE] = "derive",
    [CHSM_FLAG_EXTRACTABLE] = "extractable",
    [CHSM_FLAG_LOCAL] = "local",
    [CHSM_FLAG_NEVER_EXTRACTABLE] = "never-extractable",
    [CHSM_FLAG_ALWAYS_SENSITIVE] = "always-sensitive",
    [CHSM_FLAG_DESTROYABLE] = "destroyable",
    [CHSM_FLAG_WRAP_WITH_TRUSTED] = "wrap-with-trusted",
};

/* CHSM_FLAG_COUNT when no flag has the name. */
static unsigned flag_of(const char *name)
{
    unsigned f = 0;

    while (f < CHSM_FLAG_COUNT && strcmp(chsm_flag_names[f], name) != 0)
        f++;
    return f;
}

bool chsm_record_flag(const struct chsm_record *r, const char *name, bool absent)
{
    unsigned f = flag_of(name);

    return f < CHSM_FLAG_COUNT && r->flags_told & 1u << f ? r->flags & 1u << f : absent;
}

int chsm_record_set(struct chsm_record *r, const char *name, json_t *value, struct chsm_err *err)
{
    unsigned f = flag_of(name);

    if (!value)
        return chsm_oom(err);
    if (f < CHSM_FLAG_COUNT && json_is_boolean(value)) {
        r->flags_told |= 1u << f;
        r->flags = json_is_true(value) ? r->flags | 1u << f : r->flags & ~(1u << f);
        json_decref(value);
        return 0;
    }
    if (!r->more)
        r->more = json_object();
    return json_object_set_new(r->more, name, value) < 0 ? chsm_oom(err) : 0;
}

json_t *chsm_record_attributes(const struct chsm_record *r)
{
    json_t *o = r->more ? json_copy(r->more) : json_object();
    bool ok = o != NULL;

    for (unsigned f = 0; ok && f < CHSM_FLAG_COUNT; f++)
        if (r->flags_told & 1u << f)
            ok = json_object_set_new(o, chsm_flag_names[f], json_boolean(r->flags & 1u << f)) == 0;
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

int chsm_record_set_attributes(struct chsm_record *r, const json_t *attributes, struct chsm_err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)attributes, name, value)
        if (chsm_record_set(r, name, json_incref(value), err) < 0)
            return -1;
    return 0;
}

const char *chsm_record_value_digest(const struct chsm_record *r)
{
    return chsm_json_str(r->more, CHSM_MORE_VALUE_SHA256);
}
