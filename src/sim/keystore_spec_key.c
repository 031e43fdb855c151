/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "sim/keystore_spec_key.h"
#include "util/json.h"

#define COUNT_MAX 100000
#define ID_LEN_MAX 255

static const struct { const char *name; unsigned bit; } usages[] = {
    { "sign", SIM_SIGN }, { "verify", SIM_VERIFY }, { "encrypt", SIM_ENCRYPT }, { "decrypt", SIM_DECRYPT },
    { "wrap", SIM_WRAP }, { "unwrap", SIM_UNWRAP }, { "derive", SIM_DERIVE },
};

struct kind {
    const char *name;
    enum sim_made made;
    CK_KEY_TYPE type;
    unsigned default_bits;      /* 0: `bits` has no meaning */
    unsigned default_usage;
    const char *sizes;          /* what `bits` may be, "" = whole bytes */
};

static const struct kind kinds[] = {
    { "rsa", SIM_MADE_KEY, CKK_RSA, 2048, SIM_SIGN | SIM_VERIFY, " 1024 2048 3072 4096 " },
    { "ec", SIM_MADE_KEY, CKK_EC, 0, SIM_SIGN | SIM_VERIFY, NULL },
    { "ed", SIM_MADE_KEY, CKK_EC_EDWARDS, 0, SIM_SIGN | SIM_VERIFY, NULL },
    { "dsa", SIM_MADE_KEY, CKK_DSA, 1024, SIM_SIGN | SIM_VERIFY, " 1024 2048 " },
    { "dh", SIM_MADE_KEY, CKK_DH, 2048, SIM_DERIVE, " 2048 " },
    { "aes", SIM_MADE_KEY, CKK_AES, 256, SIM_ENCRYPT | SIM_DECRYPT, " 128 192 256 " },
    { "des3", SIM_MADE_KEY, CKK_DES3, 0, SIM_ENCRYPT | SIM_DECRYPT, NULL },
    { "generic", SIM_MADE_KEY, CKK_GENERIC_SECRET, 256, SIM_SIGN | SIM_VERIFY, "" },
    { "data", SIM_MADE_DATA, 0, 0, 0, NULL },
    { "certificate", SIM_MADE_CERTIFICATE, 0, 0, 0, NULL },
};

/* Edwards curves have SoftHSM's names for them: a PrintableString instead of an object identifier. */
static const struct { const char *name; CK_KEY_TYPE type; const char *inner; } curves[] = {
    { "P-192", CKK_EC, "prime192v1" }, { "P-224", CKK_EC, "secp224r1" }, { "P-256", CKK_EC, "prime256v1" },
    { "P-384", CKK_EC, "secp384r1" }, { "P-521", CKK_EC, "secp521r1" }, { "P-256K", CKK_EC, "secp256k1" },
    { "brainpoolP256r1", CKK_EC, "brainpoolP256r1" }, { "brainpoolP384r1", CKK_EC, "brainpoolP384r1" },
    { "brainpoolP512r1", CKK_EC, "brainpoolP512r1" },
    { "Ed25519", CKK_EC_EDWARDS, "\x13\x0c" "edwards25519" }, { "Ed448", CKK_EC_EDWARDS, "\x13\x0a" "edwards448" },
};

int sim_spec_members(const json_t *object, const char *path, const char *const *known, struct chsm_err *err)
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

/* DER of an object identifier by OpenSSL's name of it. */
static int put_oid(const char *name, struct chsm_bytes *ret, struct chsm_err *err)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(name, 0);
    unsigned char *der = NULL;
    int n = oid ? i2d_ASN1_OBJECT(oid, &der) : -1;
    int rc = n > 0 ? chsm_bytes_set(ret, der, (size_t)n, err) : chsm_oom(err);

    OPENSSL_free(der);
    ASN1_OBJECT_free(oid);
    return rc;
}

static int read_curve(const json_t *object, const char *path, struct sim_key *key, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, "curve");
    size_t i = 0;

    if (key->type != CKK_EC && key->type != CKK_EC_EDWARDS)
        return member ? chsm_fail(err, CHSM_CONFIG, "%s.curve: only for kinds ec and ed", path) : 0;
    while (i < ARRAY_LEN(curves) && (curves[i].type != key->type || !chsm_streq(json_string_value(member), curves[i].name)))
        i++;
    if (i == ARRAY_LEN(curves))
        return chsm_fail(err, CHSM_CONFIG, "%s.curve: %s", path, key->type == CKK_EC ?
                         "P-192, P-224, P-256, P-384, P-521, P-256K or brainpoolP{256,384,512}r1" : "Ed25519 or Ed448");
    if (key->type == CKK_EC_EDWARDS)
        return chsm_bytes_set(&key->params, curves[i].inner, strlen(curves[i].inner), err);
    return put_oid(curves[i].inner, &key->params, err);
}

static int read_bits(const json_t *object, const char *path, const struct kind *kind, struct sim_key *key, struct chsm_err *err)
{
    unsigned bits = kind->default_bits;
    char word[16];

    if (bits == 0)
        return json_object_get(object, "bits") ? chsm_fail(err, CHSM_CONFIG, "%s.bits: not for kind %s", path, kind->name) : 0;
    if (read_number(object, path, "bits", 4096, &bits, err) < 0)
        return -1;
    (void)snprintf(word, sizeof word, " %u ", bits);
    if (*kind->sizes ? !strstr(kind->sizes, word) : bits % 8 != 0)
        return chsm_fail(err, CHSM_CONFIG, "%s.bits: %u is no size of kind %s", path, bits, kind->name);
    key->bits = bits;
    return 0;
}

/* "2026-01-31" as CK_DATE, which is the same without the dashes. */
static int read_date(const json_t *object, const char *path, const char *name, struct chsm_bytes *ret, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, name);
    const char *text = json_string_value(member);
    char digits[9];
    size_t n = 0;

    if (!member)
        return 0;
    for (; text && *text && n < sizeof digits; text++)
        if (isdigit((unsigned char)*text))
            digits[n++] = *text;
        else if (*text != '-')
            break;
    if (!text || *text || n != 8)
        return chsm_fail(err, CHSM_CONFIG, "%s.%s: a date like \"2026-01-31\" is expected", path, name);
    return chsm_bytes_set(ret, digits, n, err);
}

static int read_mechanisms(const json_t *object, const char *path, struct chsm_bytes *ret, struct chsm_err *err)
{
    const json_t *member = json_object_get(object, "allowed-mechanisms"), *one;
    AUTO_FREE CK_MECHANISM_TYPE *list = calloc(json_array_size(member) + 1, sizeof *list);
    size_t i;

    if (!list)
        return chsm_oom(err);
    if (member && !json_is_array(member))
        return chsm_fail(err, CHSM_CONFIG, "%s.allowed-mechanisms: a list of numbers is expected", path);
    json_array_foreach(member, i, one) {
        if (!json_is_integer(one) || json_integer_value(one) < 0)
            return chsm_fail(err, CHSM_CONFIG, "%s.allowed-mechanisms[%zu]: a number is expected", path, i);
        list[i] = (CK_MECHANISM_TYPE)json_integer_value(one);
    }
    return chsm_bytes_set(ret, list, i * sizeof *list, err);
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
    return chsm_fail(err, CHSM_CONFIG, "%s.kind: rsa, ec, ed, dsa, dh, aes, des3, generic, data or certificate", path);
}

static int read_material(const json_t *object, const char *path, const struct kind *kind, struct sim_key *key, struct chsm_err *err)
{
    if (read_bits(object, path, kind, key, err) < 0 || read_curve(object, path, key, err) < 0 ||
        read_usage(object, path, &key->usage, err) < 0 || read_mechanisms(object, path, &key->mechanisms, err) < 0 ||
        read_bool(object, path, "extractable", &key->extractable, err) < 0)
        return -1;
    return read_bool(object, path, "always-authenticate", &key->always_authenticate, err);
}

/* What goes together. */
static int check(const struct sim_key_spec *spec, const char *path, struct chsm_err *err)
{
    bool pair = spec->made == SIM_MADE_KEY && sim_type_is_pair(spec->key.type);

    if (spec->clone && spec->made != SIM_MADE_KEY)
        return chsm_fail(err, CHSM_CONFIG, "%s.clone: only for keys", path);
    if (spec->private_only && !pair)
        return chsm_fail(err, CHSM_CONFIG, "%s.private-only: only for pairs", path);
    if (spec->key.always_authenticate && !pair)
        return chsm_fail(err, CHSM_CONFIG, "%s.always-authenticate: only for pairs", path);
    if (spec->share && (spec->key.id.len == 0 || spec->made != SIM_MADE_KEY))
        return chsm_fail(err, CHSM_CONFIG, "%s.share: only a key with an ID can be shared", path);
    return 0;
}

int sim_spec_key(const json_t *object, const char *path, struct sim_key_spec *spec, struct chsm_err *err)
{
    static const char *const members[] = { "kind", "bits", "curve", "id", "label", "usage", "extractable", "share", "count",
                                           "private-only", "clone", "start", "end", "allowed-mechanisms", "always-authenticate",
                                           NULL };
    const struct kind *kind;

    if (sim_spec_members(object, path, members, err) < 0 || read_kind(object, path, &kind, err) < 0)
        return -1;
    spec->made = kind->made;
    spec->key.type = kind->type;
    spec->key.usage = kind->default_usage;
    spec->key.extractable = true;       /* the client library's default (facts: key attributes) */
    spec->count = 1;
    if (read_material(object, path, kind, &spec->key, err) < 0 || read_id(object, path, &spec->key.id, err) < 0 ||
        read_label(object, path, &spec->key.label, err) < 0 ||
        read_date(object, path, "start", &spec->start, err) < 0 || read_date(object, path, "end", &spec->end, err) < 0 ||
        read_share(object, path, spec, err) < 0 ||
        read_bool(object, path, "private-only", &spec->private_only, err) < 0 ||
        read_bool(object, path, "clone", &spec->clone, err) < 0 ||
        read_number(object, path, "count", COUNT_MAX, &spec->count, err) < 0)
        return -1;
    spec->key.in_the_clear = spec->clone;
    return check(spec, path, err);
}
