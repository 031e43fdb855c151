/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/corrupt.h"
#include "sim/keystore_softhsm.h"
#include "sim/keystore_users.h"

#define FOREIGN_ID_LEN 8

enum half { PRIVATE_HALF = 1, PUBLIC_HALF = 2, BOTH_HALVES = 3 };

static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE, CKO_DATA };

static bool has(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const struct chsm_bytes *want)
{
    AUTO_BYTES struct chsm_bytes value = { 0 };

    return !want || (sim_token_read(t, object, type, &value, NULL) == 0 && chsm_bytes_eq(&value, want));
}

int sim_damage_find(const struct sim_damage *d, const struct sim_names *names, CK_OBJECT_CLASS cls, CK_OBJECT_HANDLE **ret,
                    size_t *ret_n, struct chsm_err *err)
{
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    size_t n = 0, kept = 0;
    bool skip = d->only != SIM_ANY_CLASS && d->only != cls;

    if (!skip && sim_token_find(&d->token, cls, cls == CKO_DATA ? NULL : names->id, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (has(&d->token, list[i], CKA_LABEL, names->label) && (cls != CKO_DATA || names->label))
            list[kept++] = list[i];
    *ret = TAKE(list);
    *ret_n = kept;
    return 0;
}

static int destroy(const struct sim_token *t, CK_OBJECT_HANDLE object, struct chsm_err *err)
{
    CK_RV rv = object ? t->fl->C_DestroyObject(t->session, object) : CKR_OK;

    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_DestroyObject", rv);
}

static int none(const struct sim_damage *d, struct chsm_err *err)
{
    return chsm_fail(err, CHSM_CONFIG, "user %s has no such object with this ID", d->user);
}

static int lose(const struct sim_damage *d, const CK_OBJECT_CLASS *which, size_t count, struct chsm_err *err)
{
    size_t lost = 0;

    for (size_t i = 0; i < count; i++) {
        AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
        size_t n;

        if (sim_damage_find(d, &d->target, which[i], &list, &n, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++)
            if (destroy(&d->token, list[k], err) < 0)
                return -1;
        lost += n;
    }
    return lost ? 0 : none(d, err);
}

static int lose_key(const struct sim_damage *d, struct chsm_err *err)
{
    return lose(d, classes, ARRAY_LEN(classes), err);
}

static int lose_private(const struct sim_damage *d, struct chsm_err *err)
{
    return lose(d, &classes[0], 1, err);
}

static int lose_public(const struct sim_damage *d, struct chsm_err *err)
{
    return lose(d, &classes[2], 1, err);
}

/*
 * The public half of a private key among those with the target's names: by its modulus, else by its label. 0 when there is none;
 * an error when that leaves several.
 */
static int public_half(const struct sim_damage *d, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE *ret, struct chsm_err *err)
{
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    AUTO_BYTES struct chsm_bytes modulus = { 0 };
    AUTO_BYTES struct chsm_bytes label = { 0 };
    CK_OBJECT_HANDLE found = 0;
    size_t n, fit = 0;
    bool rsa = sim_token_read(&d->token, private, CKA_MODULUS, &modulus, NULL) == 0;

    if (sim_token_read(&d->token, private, CKA_LABEL, &label, err) < 0 ||
        sim_damage_find(d, &d->target, CKO_PUBLIC_KEY, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (n == 1 || has(&d->token, list[i], rsa ? CKA_MODULUS : CKA_LABEL, rsa ? &modulus : &label)) {
            found = list[i];
            fit++;
        }
    if (fit > 1)
        return chsm_fail(err, CHSM_CONFIG, "several public keys could be the other half: name one with --label");
    *ret = found;
    return 0;
}

/* The key that has the names: a private key and its public half (0 when it has none), or a secret key. */
static int find_key(const struct sim_damage *d, CK_OBJECT_HANDLE *key, CK_OBJECT_HANDLE *other, struct chsm_err *err)
{
    AUTO_FREE CK_OBJECT_HANDLE *pairs = NULL, *secrets = NULL;
    size_t n;

    *other = 0;
    if (sim_damage_find(d, &d->target, CKO_PRIVATE_KEY, &pairs, &n, err) < 0)
        return -1;
    if (n > 0) {
        *key = pairs[0];
        return public_half(d, pairs[0], other, err);
    }
    if (sim_damage_find(d, &d->target, CKO_SECRET_KEY, &secrets, &n, err) < 0)
        return -1;
    if (n == 0)
        return chsm_fail(err, CHSM_CONFIG, "user %s has no private or secret key with this ID", d->user);
    *key = secrets[0];
    return 0;
}

/* A new key that is in everything but its material like the described one; of a pair only the halves that are wanted. */
static int generate(const struct sim_token *t, const struct sim_key *like, enum half halves, struct chsm_err *err)
{
    CK_OBJECT_HANDLE public = 0, private;

    if (!sim_type_is_pair(like->type))
        return sim_token_secret(t, like, &private, err);
    if (sim_token_pair(t, like, &public, &private, err) < 0)
        return -1;
    if (!(halves & PUBLIC_HALF) && destroy(t, public, err) < 0)
        return -1;
    return halves & PRIVATE_HALF ? 0 : destroy(t, private, err);
}

static int remake(const struct sim_damage *d, enum half halves, bool keep_old, struct chsm_err *err)
{
    AUTO_SIM_KEY struct sim_key like = { 0 };
    CK_OBJECT_HANDLE key, other;

    if (find_key(d, &key, &other, err) < 0 || sim_token_describe(&d->token, key, other, &like, err) < 0)
        return -1;
    if (!other && halves == PUBLIC_HALF)
        return none(d, err);
    /* The new key first: a generation that fails must not lose the old one. */
    if (generate(&d->token, &like, other ? halves : PRIVATE_HALF, err) < 0)
        return -1;
    if (keep_old)
        return 0;
    if (halves & PRIVATE_HALF && destroy(&d->token, key, err) < 0)
        return -1;
    return halves & PUBLIC_HALF ? destroy(&d->token, other, err) : 0;
}

static int swap_material(const struct sim_damage *d, struct chsm_err *err)
{
    return remake(d, BOTH_HALVES, false, err);
}

static int swap_private(const struct sim_damage *d, struct chsm_err *err)
{
    return remake(d, PRIVATE_HALF, false, err);
}

static int swap_public(const struct sim_damage *d, struct chsm_err *err)
{
    return remake(d, PUBLIC_HALF, false, err);
}

static int duplicate(const struct sim_damage *d, struct chsm_err *err)
{
    return remake(d, BOTH_HALVES, true, err);
}

/* New material that shows the old one's check values. */
static int forge_check_value(const struct sim_damage *d, struct chsm_err *err)
{
    struct chsm_bytes value[2] = { { 0 } };
    CK_OBJECT_HANDLE key, other;
    int rc = -1;

    if (find_key(d, &key, &other, err) == 0 && sim_damage_check_value(&d->token, key, &value[0], err) == 0 &&
        (!other || sim_damage_check_value(&d->token, other, &value[1], err) == 0) && swap_material(d, err) == 0)
        rc = sim_damage_show_check_values(d, value, err);
    chsm_bytes_done(&value[0]);
    chsm_bytes_done(&value[1]);
    return rc;
}

/* The same object once more. */
static int copy(const struct sim_damage *d, struct chsm_err *err)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE on_token = { CKA_TOKEN, &yes, sizeof yes };   /* SoftHSM wants some template */
    size_t copied = 0;

    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
        CK_OBJECT_HANDLE made;
        size_t n;

        if (sim_damage_find(d, &d->target, classes[i], &list, &n, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++) {
            CK_RV rv = d->token.fl->C_CopyObject(d->token.session, list[k], &on_token, 1, &made);

            if (rv != CKR_OK)
                return sim_ck_fail(err, "C_CopyObject", rv);
        }
        copied += n;
    }
    return copied ? 0 : none(d, err);
}

static int rename_object(const struct sim_token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const struct chsm_bytes *value,
                         struct chsm_err *err)
{
    CK_ATTRIBUTE a = { type, value->p, value->len };
    CK_RV rv = t->fl->C_SetAttributeValue(t->session, object, &a, 1);

    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_SetAttributeValue", rv);
}

/* Gives the objects of a class the names in `to` that are not NULL. */
static int rename_all(const struct sim_damage *d, CK_OBJECT_CLASS cls, const CK_OBJECT_HANDLE *list, size_t n, const struct sim_names *to,
                      struct chsm_err *err)
{
    for (size_t i = 0; i < n; i++)
        if ((to->id && cls != CKO_DATA && rename_object(&d->token, list[i], CKA_ID, to->id, err) < 0) ||
            (to->label && rename_object(&d->token, list[i], CKA_LABEL, to->label, err) < 0))
            return -1;
    return 0;
}

/* Exchanges names between target and twin, class by class: as if their material had been exchanged. */
static int exchange_names(const struct sim_damage *d, bool id, bool label, struct chsm_err *err)
{
    const struct sim_names to_twin = { id ? d->twin.id : NULL, label ? d->twin.label : NULL };
    const struct sim_names to_target = { id ? d->target.id : NULL, label ? d->target.label : NULL };
    size_t done = 0;

    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        AUTO_FREE CK_OBJECT_HANDLE *first = NULL, *second = NULL;
        size_t first_n, second_n;

        if (sim_damage_find(d, &d->target, classes[i], &first, &first_n, err) < 0 ||
            sim_damage_find(d, &d->twin, classes[i], &second, &second_n, err) < 0 ||
            rename_all(d, classes[i], first, first_n, &to_twin, err) < 0 ||
            rename_all(d, classes[i], second, second_n, &to_target, err) < 0)
            return -1;
        done += first_n && second_n;
    }
    return done ? 0 : none(d, err);
}

static int exchange(const struct sim_damage *d, struct chsm_err *err)
{
    return exchange_names(d, true, true, err);
}

static int exchange_ids(const struct sim_damage *d, struct chsm_err *err)
{
    return exchange_names(d, true, false, err);
}

static int exchange_labels(const struct sim_damage *d, struct chsm_err *err)
{
    return exchange_names(d, false, true, err);
}

/* Every object of the key gets another ID, or another label. */
static int rename_key(const struct sim_damage *d, bool id, struct chsm_err *err)
{
    static const struct chsm_bytes fresh = { (unsigned char *)"renamed", 7 };
    const struct sim_names to = { id ? d->value ? d->value : &fresh : NULL, id ? NULL : d->value ? d->value : &fresh };
    size_t done = 0;

    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
        size_t n;

        if (sim_damage_find(d, &d->target, classes[i], &list, &n, err) < 0 || rename_all(d, classes[i], list, n, &to, err) < 0)
            return -1;
        done += n;
    }
    return done ? 0 : none(d, err);
}

static int change_id(const struct sim_damage *d, struct chsm_err *err)
{
    return rename_key(d, true, err);
}

static int change_label(const struct sim_damage *d, struct chsm_err *err)
{
    return rename_key(d, false, err);
}

static int set_names(struct sim_key *key, const struct chsm_bytes *id, const char *label, struct chsm_err *err)
{
    return chsm_bytes_set(&key->id, id->p, id->len, err) < 0 ? -1 : chsm_bytes_set(&key->label, label, strlen(label), err);
}

static int foreign_key(const struct sim_damage *d, struct chsm_err *err)
{
    static const unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
    AUTO_SIM_KEY struct sim_key key = { .type = CKK_EC, .usage = SIM_SIGN | SIM_VERIFY };

    if (chsm_bytes_set(&key.params, p256, sizeof p256, err) < 0 || set_names(&key, d->target.id, "foreign", err) < 0)
        return -1;
    return generate(&d->token, &key, BOTH_HALVES, err);
}

/* A key of the target's kind with an ID and label that no other has. */
static int foreign_like(const struct sim_damage *d, struct chsm_err *err)
{
    AUTO_SIM_KEY struct sim_key like = { 0 };
    unsigned char random[FOREIGN_ID_LEN];
    struct chsm_bytes id = { random, sizeof random };
    CK_OBJECT_HANDLE key, other;

    if (find_key(d, &key, &other, err) < 0 || sim_token_describe(&d->token, key, other, &like, err) < 0 ||
        chsm_random(random, sizeof random, err) < 0 || set_names(&like, &id, "foreign", err) < 0)
        return -1;
    return generate(&d->token, &like, other ? BOTH_HALVES : PRIVATE_HALF, err);
}

/* Another user has a key like it and shares it, the user's own is lost. */
static int other_user(const struct sim_damage *d, struct chsm_err *err)
{
    AUTO_SIM_KEY struct sim_key like = { 0 };
    json_auto_t *shares = NULL, *with = json_pack("[s]", d->user);
    CK_OBJECT_HANDLE key, other;

    if (find_key(d, &key, &other, err) < 0 || sim_token_describe(&d->token, key, other, &like, err) < 0 ||
        sim_shares_load(d->keys, &shares, err) < 0)
        return -1;
    if (generate(&d->other_token, &like, other ? BOTH_HALVES : PRIVATE_HALF, err) < 0 ||
        sim_shares_add(shares, d->other_user, sim_type_is_pair(like.type) ? CKO_PRIVATE_KEY : CKO_SECRET_KEY, &like.id, with, err) < 0 ||
        sim_shares_save(d->keys, shares, err) < 0)
        return -1;
    return lose_key(d, err);
}

const struct sim_damage_kind sim_damage_kinds[] = {
    { "lose-key", lose_key, SIM_NEEDS_KEY, "lost every object" },
    { "lose-private", lose_private, SIM_NEEDS_PAIR, "lost the private half" },
    { "lose-public", lose_public, SIM_NEEDS_PAIR, "lost the public half" },
    { "swap-material", swap_material, SIM_NEEDS_KEY, "replaced the key material" },
    { "swap-private", swap_private, SIM_NEEDS_PAIR, "replaced the private half" },
    { "swap-public", swap_public, SIM_NEEDS_PAIR, "replaced the public half" },
    { "forge-check-value", forge_check_value, SIM_NEEDS_KEY, "replaced the key material and kept the check value" },
    { "exchange", exchange, SIM_NEEDS_TWIN, "exchanged the key material" },
    { "exchange-ids", exchange_ids, SIM_NEEDS_TWIN, "exchanged the ID" },
    { "exchange-labels", exchange_labels, SIM_NEEDS_TWIN, "exchanged the label" },
    { "change-attribute", sim_damage_attribute, SIM_NEEDS_KEY, "changed an attribute" },
    { "change-id", change_id, SIM_NEEDS_KEY, "changed the ID" },
    { "change-label", change_label, SIM_NEEDS_KEY, "changed the label" },
    { "duplicate", duplicate, SIM_NEEDS_KEY, "added a second key with the same ID" },
    { "copy", copy, SIM_NEEDS_KEY, "added a copy" },
    { "foreign-key", foreign_key, SIM_NEEDS_NOTHING, "added a foreign key pair" },
    { "foreign-like", foreign_like, SIM_NEEDS_KEY, "added a foreign key like that" },
    { "other-user", other_user, SIM_NEEDS_OTHER, "replaced the key by another user's" },
    { NULL, NULL, SIM_NEEDS_NOTHING, NULL },
};
