/* SPDX-License-Identifier: Apache-2.0 */
/* chsm-sim corrupt: damages the keys of a cluster, so that everybody can see what a bad day looks like. */
#include "config.h"

#include "sim/keystore.h"
#include "sim/keystore_object.h"
#include "sim/keystore_paths.h"
#include "sim/keystore_softhsm.h"
#include "sim/keystore_users.h"
#include "util/json.h"

#define FOREIGN_ID_LEN 8

struct target {
    struct sim_token token;
    const char *user;
    struct chsm_bytes id;
};

struct kind {
    const char *name;
    int (*apply)(const struct target *t, struct chsm_err *err);
    bool needs_key;         /* false: makes a key of its own */
    const char *done;       /* "... of user cu1, ID 0101" */
};

struct words {
    const char *dir, *cluster, *kind, *user, *id;
};

static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE };

/* The first object of a class with the target's ID; 0 when there is none. */
static int first(const struct target *t, CK_OBJECT_CLASS cls, CK_OBJECT_HANDLE *ret, struct chsm_err *err)
{
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    size_t n;

    if (sim_token_find(&t->token, cls, &t->id, &list, &n, err) < 0)
        return -1;
    *ret = n ? list[0] : 0;
    return 0;
}

static int destroy(const struct target *t, CK_OBJECT_HANDLE object, struct chsm_err *err)
{
    CK_RV rv = object ? t->token.fl->C_DestroyObject(t->token.session, object) : CKR_OK;

    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_DestroyObject", rv);
}

/* Destroys every object of a class that has the ID. *ret_n counts them. */
static int destroy_all(const struct target *t, CK_OBJECT_CLASS cls, size_t *ret_n, struct chsm_err *err)
{
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    size_t n;

    if (sim_token_find(&t->token, cls, &t->id, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (destroy(t, list[i], err) < 0)
            return -1;
    *ret_n += n;
    return 0;
}

static int lose(const struct target *t, const CK_OBJECT_CLASS *which, size_t count, struct chsm_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (destroy_all(t, which[i], &n, err) < 0)
            return -1;
    return n ? 0 : chsm_fail(err, CHSM_CONFIG, "user %s has no such object with this ID", t->user);
}

static int lose_key(const struct target *t, struct chsm_err *err)
{
    return lose(t, classes, ARRAY_LEN(classes), err);
}

static int lose_private(const struct target *t, struct chsm_err *err)
{
    return lose(t, &classes[0], 1, err);
}

static int lose_public(const struct target *t, struct chsm_err *err)
{
    return lose(t, &classes[2], 1, err);
}

/* The key that has the ID: a private key and its public half (0 when it has none), or a secret key. */
static int find_key(const struct target *t, CK_OBJECT_HANDLE *key, CK_OBJECT_HANDLE *other, struct chsm_err *err)
{
    *other = 0;
    if (first(t, CKO_PRIVATE_KEY, key, err) < 0)
        return -1;
    if (*key)
        return first(t, CKO_PUBLIC_KEY, other, err);
    if (first(t, CKO_SECRET_KEY, key, err) < 0)
        return -1;
    return *key ? 0 : chsm_fail(err, CHSM_CONFIG, "user %s has no private or secret key with this ID", t->user);
}

/* A new key that is in everything but its material like the described one. */
static int generate(const struct target *t, const struct sim_key *like, struct chsm_err *err)
{
    CK_OBJECT_HANDLE pub, priv;

    if (sim_type_is_pair(like->type))
        return sim_token_pair(&t->token, like, &pub, &priv, err);
    return sim_token_secret(&t->token, like, &priv, err);
}

static int remake(const struct target *t, bool keep_old, struct chsm_err *err)
{
    AUTO_SIM_KEY struct sim_key like = { 0 };
    CK_OBJECT_HANDLE key, other;

    if (find_key(t, &key, &other, err) < 0 || sim_token_describe(&t->token, key, other, &like, err) < 0)
        return -1;
    /* The new key first: a generation that fails must not lose the old one. */
    if (generate(t, &like, err) < 0)
        return -1;
    return keep_old || (destroy(t, key, err) == 0 && destroy(t, other, err) == 0) ? 0 : -1;
}

static int swap_material(const struct target *t, struct chsm_err *err)
{
    return remake(t, false, err);
}

static int duplicate(const struct target *t, struct chsm_err *err)
{
    return remake(t, true, err);
}

/* Flips CKA_DERIVE: a usage flag that SoftHSM lets one change on every key. */
static int change_attribute(const struct target *t, struct chsm_err *err)
{
    CK_OBJECT_HANDLE key, other;
    CK_BBOOL value;
    CK_ATTRIBUTE a = { CKA_DERIVE, &value, sizeof value };
    CK_RV rv;

    if (find_key(t, &key, &other, err) < 0)
        return -1;
    value = sim_token_flag(&t->token, key, CKA_DERIVE) ? CK_FALSE : CK_TRUE;
    rv = t->token.fl->C_SetAttributeValue(t->token.session, key, &a, 1);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_SetAttributeValue", rv);
}

static int foreign_key(const struct target *t, struct chsm_err *err)
{
    static const unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
    AUTO_SIM_KEY struct sim_key key = { .type = CKK_EC, .usage = SIM_SIGN | SIM_VERIFY };

    if (chsm_bytes_set(&key.params, p256, sizeof p256, err) < 0 || chsm_bytes_set(&key.id, t->id.p, t->id.len, err) < 0 ||
        chsm_bytes_set(&key.label, "foreign", strlen("foreign"), err) < 0)
        return -1;
    return generate(t, &key, err);
}

static const struct kind kinds[] = {
    { "lose-key", lose_key, true, "lost every object" },
    { "lose-private", lose_private, true, "lost the private half" },
    { "lose-public", lose_public, true, "lost the public half" },
    { "swap-material", swap_material, true, "replaced the key material" },
    { "change-attribute", change_attribute, true, "flipped CKA_DERIVE" },
    { "duplicate", duplicate, true, "added a second key with the same ID" },
    { "foreign-key", foreign_key, false, "added a foreign key pair" },
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static bool less(const struct chsm_bytes *a, const struct chsm_bytes *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int c = n ? memcmp(a->p, b->p, n) : 0;

    return c < 0 || (c == 0 && a->len < b->len);
}

/* The least ID of a class that is not empty; *least is untouched when there is none. */
static int least_id(const struct target *t, CK_OBJECT_CLASS cls, struct chsm_bytes *least, struct chsm_err *err)
{
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    size_t n;

    if (sim_token_find(&t->token, cls, NULL, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        AUTO_BYTES struct chsm_bytes id = { 0 };

        if (sim_token_read(&t->token, list[i], CKA_ID, &id, err) < 0)
            return -1;
        if (id.len && (!least->len || less(&id, least)) && chsm_bytes_set(least, id.p, id.len, err) < 0)
            return -1;
    }
    return 0;
}

/* Which key: the one that was named, a random ID for a foreign one, else the first suitable one. */
static int choose(struct target *t, const struct kind *kind, const char *id, struct chsm_err *err)
{
    bool pair = strcmp(kind->name, "lose-private") == 0 || strcmp(kind->name, "lose-public") == 0;
    unsigned char random[FOREIGN_ID_LEN];

    if (id)
        return chsm_unhex(id, &t->id, err);
    if (!kind->needs_key)
        return chsm_random(random, sizeof random, err) < 0 ? -1 : chsm_bytes_set(&t->id, random, sizeof random, err);
    if (least_id(t, CKO_PRIVATE_KEY, &t->id, err) < 0 || (!pair && !t->id.len && least_id(t, CKO_SECRET_KEY, &t->id, err) < 0))
        return -1;
    return t->id.len ? 0 : chsm_fail(err, CHSM_CONFIG, "user %s has no suitable key", t->user);
}

static int apply(const struct words *w, CK_FUNCTION_LIST *fl, const json_t *user, struct chsm_err *err)
{
    const struct kind *kind = find_kind(w->kind);
    struct target t = { .token.fl = fl, .user = chsm_json_str(user, "name") };
    AUTO_FREE char *hex = NULL;
    int rc = -1;

    if (sim_softhsm_login(fl, chsm_json_str(user, "label"), chsm_json_str(user, "pin"), &t.token.session, err) == 0 &&
        choose(&t, kind, w->id, err) == 0)
        rc = kind->apply(&t, err);
    hex = chsm_hex(t.id.p, t.id.len);
    if (rc == 0)
        printf("%s: %s of user %s, ID %s\n", w->cluster, kind->done, t.user, hex && *hex ? hex : "(empty)");
    chsm_bytes_done(&t.id);
    return rc;
}

static int corrupt(const struct words *w, struct chsm_err *err)
{
    AUTO_FREE char *keys = sim_cluster_keys(w->dir, w->cluster, err);
    json_auto_t *users = NULL;
    const json_t *user;
    CK_FUNCTION_LIST *fl = NULL;
    int rc;

    if (!keys || sim_users_load(keys, &users, err) < 0)
        return -1;
    user = w->user ? sim_users_find(users, w->user, strlen(w->user)) : json_array_get(users, 0);
    if (!user)
        return chsm_fail(err, CHSM_CONFIG, "cluster %s has no %s%s", w->cluster, w->user ? "user " : "users", w->user ? w->user : "");
    if (sim_softhsm_start(keys, &fl, err) < 0)
        return -1;
    rc = apply(w, fl, user, err);
    sim_softhsm_stop(fl);
    return rc;
}

/* [--dir DIR] [--user NAME] CLUSTER KIND [ID], in any order of options and words. */
static int parse(int argc, char **argv, struct words *w, struct chsm_err *err)
{
    const char **word[] = { &w->cluster, &w->kind, &w->id };
    size_t n = 0;

    for (int i = 1; i < argc; i++) {
        const char **option = chsm_streq(argv[i], "--dir") ? &w->dir : chsm_streq(argv[i], "--user") ? &w->user : NULL;

        if (option && i + 1 < argc)
            *option = argv[++i];
        else if (option || argv[i][0] == '-' || n == ARRAY_LEN(word))
            return chsm_fail(err, CHSM_USAGE, "unexpected \"%s\"", argv[i]);
        else
            *word[n++] = argv[i];
    }
    if (!w->dir || n < 2)
        return chsm_fail(err, CHSM_USAGE, "corrupt needs --dir DIR, a CLUSTER and a KIND");
    if (!find_kind(w->kind))
        return chsm_fail(err, CHSM_USAGE, "no kind of corruption is called \"%s\"", w->kind);
    return 0;
}

int sim_cmd_corrupt(int argc, char **argv)
{
    struct words w = { 0 };
    struct chsm_err err = { 0 };

    if (parse(argc, argv, &w, &err) == 0 && corrupt(&w, &err) == 0)
        return CHSM_OK;
    (void)fprintf(stderr, "chsm-sim: %s\n", err.text);
    if (err.code == CHSM_USAGE) {
        (void)fputs("chsm-sim: corrupt --dir DIR [--user NAME] CLUSTER KIND [ID]; KIND is one of", stderr);
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
            (void)fprintf(stderr, " %s", kinds[i].name);
        (void)fputc('\n', stderr);
    }
    return (int)err.code;
}
