/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "sim/keystore_spec.h"
#include "util/buf.h"
#include "util/json.h"

#define NAME_LEN_MAX 31         /* facts of the client library: names <= 31, passwords 8 to 32 characters */
#define PASSWORD_LEN_MIN 8
#define PASSWORD_LEN_MAX 32
#define COUNT_MAX 100000
#define ID_LEN_MAX 255

static const struct { const char *name; unsigned bit; } usages[] = {
    { "sign", SIM_SIGN }, { "verify", SIM_VERIFY }, { "encrypt", SIM_ENCRYPT }, { "decrypt", SIM_DECRYPT },
    { "wrap", SIM_WRAP }, { "unwrap", SIM_UNWRAP }, { "derive", SIM_DERIVE },
};

struct kind {
    const char *name;
    CK_KEY_TYPE type;
    bool certificate;
    unsigned default_bits;      /* 0: `bits` has no meaning */
    unsigned default_usage;
};

static const struct kind kinds[] = {
    { "rsa", CKK_RSA, false, 2048, SIM_SIGN | SIM_VERIFY },
    { "ec", CKK_EC, false, 0, SIM_SIGN | SIM_VERIFY },
    { "aes", CKK_AES, false, 256, SIM_ENCRYPT | SIM_DECRYPT },
    { "generic", CKK_GENERIC_SECRET, false, 256, SIM_SIGN | SIM_VERIFY },
    { "certificate", 0, true, 0, 0 },
};

static const struct { const char *name, *openssl; } curves[] = {
    { "P-256", "prime256v1" }, { "P-384", "secp384r1" }, { "P-521", "secp521r1" }, { "P-256K", "secp256k1" },
};

/* Refuses members of an object that are not in the list (ended by NULL). */
static int only_members(const json_t *object, const char *path, const char *const *known, struct chsm_err *err)
{
    const char *name;
    json_t *value;
    size_t i;

    if (!json_is_object(object))
        return chsm_fail(err, CHSM_CONFIG, "%s: a mapping is expected", path);
    json_object_foreach((json_t *)object, name, value) {
        for (i = 0; known[i] && !chsm_streq(known[i], name); i++)
            ;
        if (!known[i])
            return chsm_fail(err, CHSM_CONFIG, "%s.%s: unknown member", path, name);
    }
    return 0;
}

static int read_bool(const json_t *object, const char *path, const char *name, bool *value, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, name);

    if (member && !json_is_boolean(member))
        return chsm_fail(err, CHSM_CONFIG, "%s.%s: true or false is expected", path, name);
    if (member)
        *value = json_is_true(member);
    return 0;
}

static int read_number(const json_t *object, const char *path, const char *name, unsigned max, unsigned *value,
                       struct chsm_err *err)
{
    const json_t *member = json_object_get(object, name);

    if (!member)
        return 0;
    if (!json_is_integer(member) || json_integer_value(member) < 1 || json_integer_value(member) > (json_int_t)max)
        return chsm_fail(err, CHSM_CONFIG, "%s.%s: a number from 1 to %u is expected", path, name, max);
    *value = (unsigned)json_integer_value(member);
    return 0;
}

static int read_usage(const json_t *object, const char *path, unsigned *value, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, "usage"), *one;
    size_t i, k;

    if (!member)
        return 0;
    if (!json_is_array(member))
        return chsm_fail(err, CHSM_CONFIG, "%s.usage: a list is expected", path);
    *value = 0;
    json_array_foreach(member, i, one) {
        for (k = 0; k < ARRAY_LEN(usages) && !chsm_streq(json_string_value(one), usages[k].name); k++)
            ;
        if (k == ARRAY_LEN(usages))
            return chsm_fail(err, CHSM_CONFIG, "%s.usage[%zu]: sign, verify, encrypt, decrypt, wrap, unwrap or derive", path, i);
        *value |= usages[k].bit;
    }
    return 0;
}

static int read_id(const json_t *object, const char *path, struct chsm_bytes *id, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, "id");

    if (!member)
        return 0;
    if (!json_is_string(member))
        return chsm_fail(err, CHSM_CONFIG, "%s.id: hexadecimal digits in quotes are expected", path);
    if (chsm_unhex(json_string_value(member), id, err) < 0)
        return chsm_err_prefix(err, "%s.id", path);
    if (id->len > ID_LEN_MAX)
        return chsm_fail(err, CHSM_CONFIG, "%s.id: longer than %d bytes", path, ID_LEN_MAX);
    return 0;
}

static int read_label(const json_t *object, const char *path, struct chsm_bytes *label, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, "label");

    if (!member)
        return 0;
    if (!json_is_string(member))
        return chsm_fail(err, CHSM_CONFIG, "%s.label: text is expected", path);
    return chsm_bytes_set(label, json_string_value(member), json_string_length(member), err);
}

static int read_curve(const json_t *object, const char *path, struct sim_key *key, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, "curve");
    unsigned char *der = NULL;
    ASN1_OBJECT *oid;
    size_t i = 0;
    int n, ret;

    if (key->type != CKK_EC)
        return member ? chsm_fail(err, CHSM_CONFIG, "%s.curve: only for kind ec", path) : 0;
    while (member && i < ARRAY_LEN(curves) && !chsm_streq(json_string_value(member), curves[i].name))
        i++;
    if (i == ARRAY_LEN(curves))
        return chsm_fail(err, CHSM_CONFIG, "%s.curve: P-256, P-384, P-521 or P-256K", path);
    oid = OBJ_txt2obj(curves[i].openssl, 0);
    n = oid ? i2d_ASN1_OBJECT(oid, &der) : -1;
    ret = n > 0 ? chsm_bytes_set(&key->params, der, (size_t)n, err) : chsm_oom(err);
    OPENSSL_free(der);
    ASN1_OBJECT_free(oid);
    return ret;
}

static int read_bits(const json_t *object, const char *path, const struct kind *kind, struct sim_key *key, struct chsm_err *err)
{
    unsigned bits = kind->default_bits;
    bool ok;

    if (bits == 0)
        return json_object_get(object, "bits") ? chsm_fail(err, CHSM_CONFIG, "%s.bits: not for kind %s", path, kind->name) : 0;
    if (read_number(object, path, "bits", 4096, &bits, err) < 0)
        return -1;
    switch (key->type) {
    case CKK_RSA:
        ok = bits == 1024 || bits == 2048 || bits == 3072 || bits == 4096;
        break;
    case CKK_AES:
        ok = bits == 128 || bits == 192 || bits == 256;
        break;
    default:
        ok = bits % 8 == 0;
        break;
    }
    if (!ok)
        return chsm_fail(err, CHSM_CONFIG, "%s.bits: %u is no size of kind %s", path, bits, kind->name);
    key->bits = bits;
    return 0;
}

static int read_share(const json_t *object, const char *path, struct sim_key_spec *spec, struct chsm_err *err)
{
    const json_t *one;
    size_t i;

    spec->share = json_object_get(object, "share");
    if (!spec->share)
        return 0;
    if (!json_is_array(spec->share))
        return chsm_fail(err, CHSM_CONFIG, "%s.share: a list of users is expected", path);
    json_array_foreach(spec->share, i, one)
        if (!json_is_string(one))
            return chsm_fail(err, CHSM_CONFIG, "%s.share[%zu]: a user's name is expected", path, i);
    if (spec->key.id.len == 0 || spec->certificate)
        return chsm_fail(err, CHSM_CONFIG, "%s.share: only a key with an ID can be shared", path);
    return 0;
}

static int read_kind(const json_t *object, const char *path, const struct kind **ret, struct chsm_err *err)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(kinds); i++)
        if (chsm_streq(chsm_json_str(object, "kind"), kinds[i].name)) {
            *ret = &kinds[i];
            return 0;
        }
    return chsm_fail(err, CHSM_CONFIG, "%s.kind: rsa, ec, aes, generic or certificate", path);
}

static int read_key(const json_t *object, const char *path, struct sim_key_spec *spec, struct chsm_err *err)
{
    static const char *const members[] = { "kind", "bits", "curve", "id", "label", "usage", "extractable", "share", "count",
                                           "private-only", "clone", NULL };
    const struct kind *kind;

    if (only_members(object, path, members, err) < 0 || read_kind(object, path, &kind, err) < 0)
        return -1;
    spec->key.type = kind->type;
    spec->key.usage = kind->default_usage;
    spec->key.extractable = true;       /* the client library's default (facts: key attributes) */
    spec->certificate = kind->certificate;
    spec->count = 1;
    if (read_bits(object, path, kind, &spec->key, err) < 0 || read_curve(object, path, &spec->key, err) < 0 ||
        read_id(object, path, &spec->key.id, err) < 0 || read_label(object, path, &spec->key.label, err) < 0 ||
        read_usage(object, path, &spec->key.usage, err) < 0 || read_share(object, path, spec, err) < 0 ||
        read_bool(object, path, "extractable", &spec->key.extractable, err) < 0 ||
        read_bool(object, path, "private-only", &spec->private_only, err) < 0 ||
        read_bool(object, path, "clone", &spec->clone, err) < 0 ||
        read_number(object, path, "count", COUNT_MAX, &spec->count, err) < 0)
        return -1;
    if (spec->clone && kind->certificate)
        return chsm_fail(err, CHSM_CONFIG, "%s.clone: not for certificates", path);
    spec->key.in_the_clear = spec->clone;
    if (spec->private_only && kind->type != CKK_RSA && kind->type != CKK_EC)
        return chsm_fail(err, CHSM_CONFIG, "%s.private-only: only for pairs", path);
    return 0;
}

static bool name_ok(const char *name)
{
    size_t i;

    if (!name || !*name || strlen(name) > NAME_LEN_MAX)
        return false;
    for (i = 0; name[i]; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("._-@", name[i]))
            return false;
    return true;
}

static int read_user(const json_t *object, const char *path, struct sim_user_spec *user, struct chsm_err *err)
{
    static const char *const members[] = { "name", "password", "keys", NULL };
    const json_t *keys = json_object_get(object, "keys"), *key;
    size_t i;

    if (only_members(object, path, members, err) < 0)
        return -1;
    user->name = chsm_json_str(object, "name");
    user->password = chsm_json_str(object, "password");
    if (!name_ok(user->name))
        return chsm_fail(err, CHSM_CONFIG, "%s.name: 1 to %d letters, digits or ._-@", path, NAME_LEN_MAX);
    if (!user->password || strlen(user->password) < PASSWORD_LEN_MIN || strlen(user->password) > PASSWORD_LEN_MAX)
        return chsm_fail(err, CHSM_CONFIG, "%s.password: %d to %d characters", path, PASSWORD_LEN_MIN, PASSWORD_LEN_MAX);
    if (keys && !json_is_array(keys))
        return chsm_fail(err, CHSM_CONFIG, "%s.keys: a list is expected", path);
    user->keys = calloc(json_array_size(keys) + 1, sizeof *user->keys);
    if (!user->keys)
        return chsm_oom(err);
    json_array_foreach(keys, i, key) {
        AUTO_FREE char *place = chsm_strf("%s.keys[%zu]", path, i);

        user->n = i + 1;
        if (!place || read_key(key, place, &user->keys[i], err) < 0)
            return place ? -1 : chsm_oom(err);
    }
    return 0;
}

static int read_users(const json_t *users, struct sim_seed *seed, struct chsm_err *err)
{
    const json_t *user;
    size_t i, k;

    json_array_foreach(users, i, user) {
        char path[48];

        (void)snprintf(path, sizeof path, "users[%zu]", i);
        seed->n = i + 1;
        if (read_user(user, path, &seed->users[i], err) < 0)
            return -1;
        for (k = 0; k < i; k++)
            if (chsm_streq(seed->users[k].name, seed->users[i].name))
                return chsm_fail(err, CHSM_CONFIG, "%s.name: '%s' is there already", path, seed->users[i].name);
    }
    return 0;
}

int sim_seed_parse(const json_t *users, struct sim_seed *ret, struct chsm_err *err)
{
    struct sim_seed seed = { .n = 0 };

    if (!json_is_array(users))
        return chsm_fail(err, CHSM_CONFIG, "users: a list is expected");
    seed.users = calloc(json_array_size(users) + 1, sizeof *seed.users);
    if (!seed.users)
        return chsm_oom(err);
    if (read_users(users, &seed, err) < 0) {
        sim_seed_done(&seed);
        return -1;
    }
    *ret = seed;
    return 0;
}

void sim_seed_done(struct sim_seed *s)
{
    size_t i, k;

    for (i = 0; i < s->n; i++) {
        for (k = 0; k < s->users[i].n; k++)
            sim_key_done(&s->users[i].keys[k].key);
        free(s->users[i].keys);
    }
    free(s->users);
    *s = (struct sim_seed){ .n = 0 };
}
