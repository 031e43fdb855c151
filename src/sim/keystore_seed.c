/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/keystore.h"
#include "sim/keystore_certificate.h"
#include "sim/keystore_clone.h"
#include "sim/keystore_overlay.h"
#include "sim/keystore_paths.h"
#include "sim/keystore_softhsm.h"
#include "sim/keystore_spec.h"
#include "sim/keystore_tree.h"
#include "sim/keystore_users.h"
#include "util/buf.h"
#include "util/json.h"

struct seeding {
    const char *keys;           /* the folder that is being filled */
    CK_FUNCTION_LIST *fl;
    json_t *users;
    json_t *shares;
};

/* The i-th ID of a series: the first one plus i, as a big-endian number of the same length. An empty ID stays empty. */
static int running_id(const struct chsm_bytes *first, unsigned i, struct chsm_bytes *ret, struct chsm_err *err)
{
    size_t at = first->len;

    if (chsm_bytes_set(ret, first->p, first->len, err) < 0)
        return -1;
    while (i > 0 && at-- > 0) {
        unsigned sum = ret->p[at] + (i & 0xff);

        ret->p[at] = (unsigned char)sum;
        i = (i >> 8) + (sum >> 8);
    }
    return 0;
}

static int running_label(const struct sim_key_spec *spec, unsigned i, struct chsm_bytes *ret, struct chsm_err *err)
{
    const struct chsm_bytes *label = &spec->key.label;
    AUTO_FREE char *text = NULL;

    if (spec->count == 1)
        return chsm_bytes_set(ret, label->p, label->len, err);
    text = chsm_strf("%.*s-%04u", (int)label->len, label->p ? (const char *)label->p : "", i);
    return text ? chsm_bytes_set(ret, text, strlen(text), err) : chsm_oom(err);
}

static int make_certificate(const struct sim_token *t, const struct sim_key *key, struct chsm_err *err)
{
    AUTO_BYTES struct chsm_bytes spki = { 0 };
    AUTO_BYTES struct chsm_bytes der = { 0 };
    AUTO_BYTES struct chsm_bytes subject = { 0 };
    AUTO_FREE CK_OBJECT_HANDLE *pair = NULL;
    size_t n = 0;

    /* A certificate with the ID of a pair is that pair's. */
    if (key->id.len && sim_token_find(t, CKO_PUBLIC_KEY, &key->id, &pair, &n, err) < 0)
        return -1;
    if (n > 0 && sim_token_spki(t, pair[0], &spki, err) < 0)
        return -1;
    if (sim_certificate_make(&key->label, &spki, &der, &subject, err) < 0)
        return -1;
    return sim_token_certificate(t, key, &der, &subject, err);
}

static int make_pair(const struct sim_token *t, const struct sim_key *key, bool private_only, struct chsm_err *err)
{
    CK_OBJECT_HANDLE public, private;
    CK_RV rv;

    if (sim_token_pair(t, key, &public, &private, err) < 0)
        return -1;
    if (!private_only)
        return 0;
    rv = t->fl->C_DestroyObject(t->session, public);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_DestroyObject", rv);
}

static int make_one(const struct sim_token *t, const struct sim_key_spec *spec, const struct sim_key *key, struct chsm_err *err)
{
    CK_OBJECT_HANDLE object;

    if (spec->made == SIM_MADE_CERTIFICATE)
        return make_certificate(t, key, err);
    if (spec->made == SIM_MADE_DATA)
        return sim_token_data(t, key, err);
    if (sim_type_is_pair(key->type))
        return make_pair(t, key, spec->private_only, err);
    return sim_token_secret(t, key, &object, err);
}

/* The i-th key of a series: made, or copied from the first one's files. */
static int make_next(const struct seeding *s, const struct sim_token *t, const struct sim_key_spec *spec, const struct sim_key *key,
                     struct sim_clone_set *originals, struct chsm_err *err)
{
    AUTO_SIM_CLONE_SET struct sim_clone_set before = { .n = 0 };

    if (originals->n > 0)
        return sim_clone_make(originals, &key->id, &key->label, err);
    if (spec->clone && sim_clone_files(s->keys, NULL, &before, err) < 0)
        return -1;
    if (make_one(t, spec, key, err) < 0)
        return -1;
    return spec->clone ? sim_clone_files(s->keys, &before, originals, err) : 0;
}

/* By the overlay: SoftHSM 2.6.1 stores the dates of private objects in the clear, and fails to decrypt them when they are read. */
static int add_dates(const struct seeding *s, const char *owner, const struct sim_key_spec *spec, const struct sim_key *key,
                     struct chsm_err *err)
{
    const struct sim_overlay_change dates[] = { { CKA_START_DATE, false, spec->start }, { CKA_END_DATE, false, spec->end } };
    bool pair = sim_type_is_pair(key->type);
    const CK_OBJECT_CLASS classes[] = { pair ? CKO_PRIVATE_KEY : CKO_SECRET_KEY, CKO_PUBLIC_KEY };

    for (size_t i = 0; i < ARRAY_LEN(dates); i++)
        for (size_t k = 0; k < (pair ? 2 : 1) && dates[i].value.len > 0; k++) {
            struct sim_overlay_key name = { owner, classes[k], key->id, key->label };

            if (sim_overlay_add(s->keys, &name, &dates[i], err) < 0)
                return -1;
        }
    return 0;
}

static int make_keys(struct seeding *s, const char *owner, const struct sim_token *t, const struct sim_key_spec *spec,
                     struct chsm_err *err)
{
    AUTO_SIM_CLONE_SET struct sim_clone_set originals = { .n = 0 };
    unsigned i;

    for (i = 0; i < spec->count; i++) {
        AUTO_BYTES struct chsm_bytes id = { 0 };
        AUTO_BYTES struct chsm_bytes label = { 0 };
        struct sim_key key = spec->key;     /* a view: id and label are this scope's, the rest is the spec's */

        if (running_id(&spec->key.id, i, &id, err) < 0 || running_label(spec, i, &label, err) < 0)
            return -1;
        key.id = id;
        key.label = label;
        if (make_next(s, t, spec, &key, &originals, err) < 0)
            return -1;
        if (spec->made == SIM_MADE_KEY && add_dates(s, owner, spec, &key, err) < 0)
            return -1;
        if (spec->share && sim_shares_add(s->shares, owner, sim_type_is_pair(key.type) ? CKO_PRIVATE_KEY : CKO_SECRET_KEY, &id, spec->share,
                                          err) < 0)
            return -1;
    }
    return 0;
}

static int make_user(struct seeding *s, const struct sim_user_spec *user, struct chsm_err *err)
{
    struct sim_token token = { .fl = s->fl };
    const char *label, *pin;
    json_t *entry = NULL;
    int ret = 0;
    size_t i;

    if (sim_users_add(s->users, user->name, user->password, &entry, err) < 0)
        return -1;
    label = chsm_json_str(entry, "label");
    pin = chsm_json_str(entry, "pin");
    if (sim_softhsm_token(s->fl, label, pin, err) < 0 || sim_softhsm_login(s->fl, label, pin, &token.session, err) < 0)
        return -1;
    for (i = 0; i < user->n && ret == 0; i++) {
        ret = make_keys(s, user->name, &token, &user->keys[i], err);
        if (ret < 0)
            (void)chsm_err_prefix(err, "keys[%zu] of '%s'", i, user->name);
    }
    (void)s->fl->C_CloseSession(token.session);
    return ret;
}

/* What only shows against the users that are there already. */
static int check_names(const struct seeding *s, const struct sim_seed *seed, struct chsm_err *err)
{
    size_t i, k, m, w;
    const json_t *one;

    for (i = 0; i < seed->n; i++) {
        if (sim_users_find(s->users, seed->users[i].name, strlen(seed->users[i].name)))
            return chsm_fail(err, CHSM_CONFIG, "users[%zu].name: the cluster has a user '%s' already", i, seed->users[i].name);
        for (k = 0; k < seed->users[i].n; k++)
            json_array_foreach(seed->users[i].keys[k].share, w, one) {
                const char *name = json_string_value(one);

                for (m = 0; m < seed->n && !chsm_streq(seed->users[m].name, name); m++)
                    ;
                if (m == seed->n && !sim_users_find(s->users, name, strlen(name)))
                    return chsm_fail(err, CHSM_CONFIG, "users[%zu].keys[%zu].share[%zu]: there is no user '%s'", i, k, w, name);
            }
    }
    return 0;
}

static int fill(struct seeding *s, const struct sim_seed *seed, struct chsm_err *err)
{
    size_t i;

    if (sim_softhsm_start(s->keys, &s->fl, err) < 0)
        return -1;
    for (i = 0; i < seed->n; i++)
        if (make_user(s, &seed->users[i], err) < 0)
            break;
    sim_softhsm_stop(s->fl);
    if (i < seed->n || sim_users_save(s->keys, s->users, err) < 0)
        return -1;
    return sim_shares_save(s->keys, s->shares, err);
}

/* Works on a copy of keys/, which takes its place when all went well. */
static int seed_beside(struct seeding *s, const char *keys, const struct sim_seed *seed, struct chsm_err *err)
{
    AUTO_FREE char *fresh = chsm_strf("%s.new", keys);

    if (!fresh)
        return chsm_oom(err);
    s->keys = fresh;
    if (sim_tree_remove(fresh, err) < 0)
        return -1;
    if (sim_tree_copy(keys, fresh, err) < 0 || fill(s, seed, err) < 0 || sim_tree_swap(fresh, keys, err) < 0) {
        (void)sim_tree_remove(fresh, NULL);
        return -1;
    }
    return 0;
}

int sim_keystore_seed(const char *dir, const char *cluster, const json_t *users, struct chsm_err *err)
{
    AUTO_FREE char *keys = sim_cluster_keys(dir, cluster, err);
    AUTO_SIM_SEED struct sim_seed seed = { .n = 0 };
    json_auto_t *present = NULL, *shares = NULL;
    struct seeding s = { .fl = NULL };

    if (!keys || sim_seed_parse(users, &seed, err) < 0 || sim_users_load(keys, &present, err) < 0 ||
        sim_shares_load(keys, &shares, err) < 0)
        return -1;
    s.users = present;
    s.shares = shares;
    if (check_names(&s, &seed, err) < 0)
        return -1;
    return seed_beside(&s, keys, &seed, err);
}
