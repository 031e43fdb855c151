/* SPDX-License-Identifier: Apache-2.0 */
/* Names of PKCS#11 classes and key types, both ways. */
#include "config.h"

#include <errno.h>

#include "keys/inventory.h"

struct name {
    unsigned long number;
    const char *text;
};

static const struct name classes[] = {
    { CHSM_CLASS_DATA, "data" },
    { CHSM_CLASS_CERTIFICATE, "certificate" },
    { CHSM_CLASS_PUBLIC, "public-key" },
    { CHSM_CLASS_PRIVATE, "private-key" },
    { CHSM_CLASS_SECRET, "secret-key" },
};

static const struct name types[] = {
    { CHSM_TYPE_RSA, "rsa" },
    { CHSM_TYPE_DSA, "dsa" },
    { CHSM_TYPE_DH, "dh" },
    { CHSM_TYPE_EC, "ec" },
    { CHSM_TYPE_GENERIC, "generic" },
    { CHSM_TYPE_DES2, "des2" },
    { CHSM_TYPE_DES3, "des3" },
    { CHSM_TYPE_AES, "aes" },
    { CHSM_TYPE_EC_EDWARDS, "ec-edwards" },
    { CHSM_TYPE_EC_MONTGOMERY, "ec-montgomery" },
    { CHSM_TYPE_SHA1_HMAC, "hmac-sha1" },
    { CHSM_TYPE_SHA224_HMAC, "hmac-sha224" },
    { CHSM_TYPE_SHA256_HMAC, "hmac-sha256" },
    { CHSM_TYPE_SHA384_HMAC, "hmac-sha384" },
    { CHSM_TYPE_SHA512_HMAC, "hmac-sha512" },
    { CHSM_TYPE_NONE, "none" },
};

static const char *name_of(const struct name *table, size_t n, unsigned long number, char *out, size_t size)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].number == number) {
            (void)snprintf(out, size, "%s", table[i].text);
            return out;
        }
    (void)snprintf(out, size, "0x%08lx", number);
    return out;
}

/* A name of the table, or exactly the hexadecimal form that name_of() writes for a number without a name. */
static bool number_of(const struct name *table, size_t n, const char *text, unsigned long *ret)
{
    char again[24], *end;
    unsigned long v;

    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].text, text) == 0) {
            *ret = table[i].number;
            return true;
        }
    if (strncmp(text, "0x", 2) != 0)
        return false;
    errno = 0;
    v = strtoul(text, &end, 16);
    if (errno || *end || strcmp(name_of(table, n, v, again, sizeof again), text) != 0)
        return false;
    *ret = v;
    return true;
}

const char *chsm_class_name(unsigned long cls, char *out, size_t size)
{
    return name_of(classes, ARRAY_LEN(classes), cls, out, size);
}

const char *chsm_type_name(unsigned long type, char *out, size_t size)
{
    return name_of(types, ARRAY_LEN(types), type, out, size);
}

bool chsm_class_from_name(const char *name, unsigned long *ret)
{
    return number_of(classes, ARRAY_LEN(classes), name, ret);
}

bool chsm_type_from_name(const char *name, unsigned long *ret)
{
    return number_of(types, ARRAY_LEN(types), name, ret);
}

const char *chsm_pair_rule_name(enum chsm_pair_rule rule)
{
    return rule == CHSM_PAIR_RULE_SHA1 ? "sha1-spki" : rule == CHSM_PAIR_RULE_OTHER ? "other" : NULL;
}

enum chsm_pair_rule chsm_pair_rule_from_name(const char *name)
{
    if (chsm_streq(name, "sha1-spki"))
        return CHSM_PAIR_RULE_SHA1;
    return chsm_streq(name, "other") ? CHSM_PAIR_RULE_OTHER : CHSM_PAIR_RULE_UNTESTED;
}
