/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-built key records and inventories for the tests of src/keys. Out of memory ends the test. */
#ifndef CHSM_TESTS_KEYS_BUILD_H
#define CHSM_TESTS_KEYS_BUILD_H

#include "tests/unit/check.h"

#include "keys/compare.h"

static inline void set_bytes(struct chsm_bytes *b, const char *text)
{
    struct chsm_err err = { 0 };

    assert_ok(chsm_bytes_set(b, text, strlen(text), &err), err);
}

/* The inventory's section of a login, made complete and empty when it is not there. */
static inline struct chsm_section *section(struct chsm_inventory *inv, const char *login)
{
    struct chsm_section *s;

    for (size_t i = 0; i < inv->n; i++)
        if (strcmp(inv->sections[i].login, login) == 0)
            return &inv->sections[i];
    s = chsm_inventory_add(inv);
    assert_non_null(s);
    s->login = strdup(login);
    s->complete = true;
    assert_non_null(s->login);
    return s;
}

static inline void set_flag(struct chsm_record *r, const char *name, bool value)
{
    struct chsm_err err = { 0 };

    assert_ok(chsm_record_set(r, name, json_boolean(value), &err), err);
}

static inline struct chsm_record *add_record(struct chsm_section *s, unsigned long cls, unsigned long type, const char *id, const char *label)
{
    struct chsm_record *r = chsm_section_add(s);

    assert_non_null(r);
    r->cls = cls;
    r->type = type;
    set_bytes(&r->id, id);
    set_bytes(&r->label, label);
    set_flag(r, "token", true);
    return r;
}

/* `key` stands for the key material: two RSA records with equal `key` tell equal public keys. */
static inline struct chsm_record *add_rsa(struct chsm_section *s, unsigned long cls, const char *id, const char *label, const char *key)
{
    struct chsm_record *r = add_record(s, cls, CHSM_TYPE_RSA, id, label);

    r->bits = 2048;
    set_bytes(&r->spki, key);
    r->spki_from = CHSM_SPKI_OWN;
    if (cls == CHSM_CLASS_PRIVATE)
        set_flag(r, "sign", true);
    return r;
}

/* `kcv` NULL: a key of which the HSM tells nothing that depends on its material. */
static inline struct chsm_record *add_aes(struct chsm_section *s, const char *id, const char *label, const char *kcv)
{
    struct chsm_record *r = add_record(s, CHSM_CLASS_SECRET, CHSM_TYPE_AES, id, label);

    r->bits = 256;
    if (kcv)
        set_bytes(&r->check_value, kcv);
    set_flag(r, "encrypt", true);
    return r;
}

/* The question that the source recorded for a secret key; `answer` is what the key gave. */
static inline void set_recorded(struct chsm_record *r, const char *input, const char *answer)
{
    r->recorded.kind = strdup(CHSM_KIND_AES_ENCRYPT);
    assert_non_null(r->recorded.kind);
    set_bytes(&r->recorded.input, input);
    chsm_sha256(answer, strlen(answer), r->recorded.answer_sha256);
}

#endif
