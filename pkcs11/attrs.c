/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/record.h"
#include "pkcs11/attrs.h"

#define DATA (1u << CKO_DATA)
#define CERT (1u << CKO_CERTIFICATE)
#define PUB (1u << CKO_PUBLIC_KEY)
#define PRIV (1u << CKO_PRIVATE_KEY)
#define SEC (1u << CKO_SECRET_KEY)
#define KEYS (PUB | PRIV | SEC)
#define OTHER (1u << CHSM_ATTR_OTHER)
#define ALL (DATA | CERT | KEYS | OTHER)

#define FLAG(type, name, classes) { type, name, CHSM_ATTR_FLAG, classes, sizeof(CK_BBOOL) }
#define NUMBER(type, name, classes) { type, name, CHSM_ATTR_ULONG, classes, sizeof(CK_ULONG) }
#define SET(type, name, classes) { type, name, CHSM_ATTR_SET, classes, 32 * sizeof(CK_ULONG) }
#define TEMPLATE(type, name, classes) { type, name, CHSM_ATTR_TEMPLATE, classes, 32 * sizeof(CK_ATTRIBUTE) }
#define BYTES(type, name, classes, room) { type, name, CHSM_ATTR_BYTES, classes, room }

const struct chsm_attr_def chsm_attrs[CHSM_A_COUNT] = {
    [CHSM_A_CLASS] = NUMBER(CKA_CLASS, "class", ALL),
    [CHSM_A_TOKEN] = FLAG(CKA_TOKEN, "token", ALL),
    [CHSM_A_KEY_TYPE] = NUMBER(CKA_KEY_TYPE, "key-type", KEYS),
    [CHSM_A_ID] = BYTES(CKA_ID, "id", KEYS | CERT | OTHER, 256),
    [CHSM_A_LABEL] = BYTES(CKA_LABEL, "label", ALL, 256),
    [CHSM_A_MODULUS] = BYTES(CKA_MODULUS, "modulus", PUB | PRIV, 1024),
    [CHSM_A_EXPONENT] = BYTES(CKA_PUBLIC_EXPONENT, "public-exponent", PUB | PRIV, 1024),
    [CHSM_A_EC_PARAMS] = BYTES(CKA_EC_PARAMS, "ec-params", PUB | PRIV, 256),
    [CHSM_A_EC_POINT] = BYTES(CKA_EC_POINT, "ec-point", PUB | PRIV, 256),
    [CHSM_A_VALUE_LEN] = NUMBER(CKA_VALUE_LEN, "value-len", SEC),
    [CHSM_A_CHECK_VALUE] = BYTES(CKA_CHECK_VALUE, "check-value", KEYS, 64),
    [CHSM_A_VALUE] = BYTES(CKA_VALUE, "value", CERT | DATA | OTHER, 8192),
    [CHSM_A_START_DATE] = BYTES(CKA_START_DATE, "start-date", KEYS | CERT, sizeof(CK_DATE)),
    [CHSM_A_END_DATE] = BYTES(CKA_END_DATE, "end-date", KEYS | CERT, sizeof(CK_DATE)),
    [CHSM_A_MECHANISMS] = SET(CKA_ALLOWED_MECHANISMS, "allowed-mechanisms", KEYS),
    [CHSM_A_WRAP_TEMPLATE] = TEMPLATE(CKA_WRAP_TEMPLATE, "wrap-template", PUB | SEC),
    [CHSM_A_UNWRAP_TEMPLATE] = TEMPLATE(CKA_UNWRAP_TEMPLATE, "unwrap-template", PRIV | SEC),
    [CHSM_A_PUBLIC_KEY_INFO] = BYTES(CKA_PUBLIC_KEY_INFO, "public-key-info", PUB | PRIV, 1024),
    [CHSM_A_PRIME] = BYTES(CKA_PRIME, "prime", PUB | PRIV, 1024),
    [CHSM_A_SUBPRIME] = BYTES(CKA_SUBPRIME, "subprime", PUB | PRIV, 128),
    [CHSM_A_PUBLIC_VALUE] = BYTES(CKA_VALUE, "value", PUB, 1024),
    [CHSM_A_FLAGS] =
    FLAG(CKA_PRIVATE, "private", ALL),
    FLAG(CKA_ENCRYPT, "encrypt", PUB | SEC),
    FLAG(CKA_DECRYPT, "decrypt", PRIV | SEC),
    FLAG(CKA_SIGN, "sign", PRIV | SEC),
    FLAG(CKA_VERIFY, "verify", PUB | SEC),
    FLAG(CKA_WRAP, "wrap", PUB | SEC),
    FLAG(CKA_UNWRAP, "unwrap", PRIV | SEC),
    FLAG(CKA_DERIVE, "derive", KEYS),
    FLAG(CKA_LOCAL, "local", KEYS),
    FLAG(CKA_EXTRACTABLE, "extractable", PRIV | SEC),
    FLAG(CKA_SENSITIVE, "sensitive", PRIV | SEC),
    FLAG(CKA_NEVER_EXTRACTABLE, "never-extractable", PRIV | SEC),
    FLAG(CKA_ALWAYS_SENSITIVE, "always-sensitive", PRIV | SEC),
    FLAG(CKA_WRAP_WITH_TRUSTED, "wrap-with-trusted", PRIV | SEC),
    FLAG(CKA_TRUSTED, "trusted", PUB | SEC | CERT),
    FLAG(CKA_DESTROYABLE, "destroyable", KEYS),
};

bool chsm_attr_is_flag(const char *name)
{
    for (size_t i = CHSM_A_FLAGS; i < CHSM_A_COUNT; i++)
        if (chsm_streq(chsm_attrs[i].name, name))
            return true;
    return false;
}

bool chsm_attr_fits(enum chsm_attr a, CK_KEY_TYPE type)
{
    switch (a) {
    case CHSM_A_MODULUS:
    case CHSM_A_EXPONENT:
        return type == CKK_RSA;
    case CHSM_A_EC_PARAMS:
    case CHSM_A_EC_POINT:
        return type == CKK_EC || type == CKK_EC_EDWARDS || type == CHSM_TYPE_EC_MONTGOMERY;
    case CHSM_A_PUBLIC_KEY_INFO:
        return type != CKK_RSA;
    case CHSM_A_PRIME:
    case CHSM_A_PUBLIC_VALUE:
        return type == CKK_DSA || type == CKK_DH || type == CKK_X9_42_DH;
    case CHSM_A_SUBPRIME:
        return type == CKK_DSA || type == CKK_X9_42_DH;
    default:
        return true;
    }
}
