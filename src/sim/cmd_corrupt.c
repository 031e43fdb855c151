/* SPDX-License-Identifier: Apache-2.0 */
/* chsm-sim corrupt: damages the keys of a cluster, so that everybody can see what a bad day looks like. */
#include "config.h"

#include <stdio.h>

#include "sim/corrupt.h"
#include "sim/keystore.h"
#include "sim/keystore_paths.h"
#include "sim/keystore_softhsm.h"
#include "sim/keystore_users.h"
#include "util/json.h"

#define FOREIGN_ID_LEN 8

struct words {
    const char *dir, *cluster, *kind, *user, *cls, *attribute, *value;
    const char *id, *label, *twin_id, *twin_label;
    const struct sim_damage_kind *what;     /* `kind` */
};

/* The bytes that the words stand for. */
struct bytes {
    struct chsm_bytes id, label, twin_id, twin_label, value;
};

static void bytes_done(struct bytes *b)
{
    chsm_bytes_done(&b->id);
    chsm_bytes_done(&b->label);
    chsm_bytes_done(&b->twin_id);
    chsm_bytes_done(&b->twin_label);
    chsm_bytes_done(&b->value);
}

static const struct { const char *name; CK_OBJECT_CLASS cls; } class_names[] = {
    { "private", CKO_PRIVATE_KEY }, { "secret", CKO_SECRET_KEY }, { "public", CKO_PUBLIC_KEY }, { "certificate", CKO_CERTIFICATE },
    { "data", CKO_DATA },
};

static const struct sim_damage_kind *find_kind(const char *name)
{
    for (const struct sim_damage_kind *k = sim_damage_kinds; k->name; k++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

static bool less(const struct chsm_bytes *a, const struct chsm_bytes *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int c = n ? memcmp(a->p, b->p, n) : 0;

    return c < 0 || (c == 0 && a->len < b->len);
}

/* The least ID of a class that is not empty; *least is untouched when there is none. */
static int least_id(const struct sim_token *t, CK_OBJECT_CLASS cls, struct chsm_bytes *least, struct chsm_err *err)
{
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    size_t n;

    if (sim_token_find(t, cls, NULL, &list, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        AUTO_BYTES struct chsm_bytes id = { 0 };

        if (sim_token_read(t, list[i], CKA_ID, &id, err) < 0)
            return -1;
        if (id.len && (!least->len || less(&id, least)) && chsm_bytes_set(least, id.p, id.len, err) < 0)
            return -1;
    }
    return 0;
}

/* Which key, when no word says so: a random ID for a foreign one, else the first suitable one. */
static int choose(const struct sim_damage *d, const struct sim_damage_kind *kind, struct chsm_bytes *id, struct chsm_err *err)
{
    unsigned char random[FOREIGN_ID_LEN];

    if (kind->needs == SIM_NEEDS_NOTHING)
        return chsm_random(random, sizeof random, err) < 0 ? -1 : chsm_bytes_set(id, random, sizeof random, err);
    if (least_id(&d->token, CKO_PRIVATE_KEY, id, err) < 0 ||
        (kind->needs != SIM_NEEDS_PAIR && !id->len && least_id(&d->token, CKO_SECRET_KEY, id, err) < 0))
        return -1;
    return id->len ? 0 : chsm_fail(err, CHSM_CONFIG, "user %s has no suitable key", d->user);
}

static int set_text(struct chsm_bytes *b, const char *text, struct chsm_err *err)
{
    return text ? chsm_bytes_set(b, text, strlen(text), err) : 0;
}

static int set_hex(struct chsm_bytes *b, const char *hex, struct chsm_err *err)
{
    return hex ? chsm_unhex(hex, b, err) : 0;
}

/* The words as values of the damage. */
static int read_words(const struct words *w, struct bytes *b, struct sim_damage *d, struct chsm_err *err)
{
    d->absent = chsm_streq(w->value, "none");
    if (set_hex(&b->id, w->id, err) < 0 || set_hex(&b->twin_id, w->twin_id, err) < 0 || set_text(&b->label, w->label, err) < 0 ||
        set_text(&b->twin_label, w->twin_label, err) < 0 || (!d->absent && set_hex(&b->value, w->value, err) < 0))
        return -1;
    d->target = (struct sim_names){ w->id ? &b->id : NULL, w->label ? &b->label : NULL };
    d->twin = (struct sim_names){ w->twin_id ? &b->twin_id : NULL, w->twin_label ? &b->twin_label : NULL };
    d->value = w->value && !d->absent ? &b->value : NULL;
    d->attribute = w->attribute;
    d->only = SIM_ANY_CLASS;
    for (size_t i = 0; i < ARRAY_LEN(class_names); i++)
        if (chsm_streq(w->cls, class_names[i].name))
            d->only = class_names[i].cls;
    return 0;
}

static int login(const json_t *user, CK_FUNCTION_LIST *fl, struct sim_token *t, const char **name, struct chsm_err *err)
{
    t->fl = fl;
    *name = chsm_json_str(user, "name");
    return sim_softhsm_login(fl, chsm_json_str(user, "label"), chsm_json_str(user, "pin"), &t->session, err);
}

static int apply(const struct words *w, struct sim_damage *d, struct bytes *b, struct chsm_err *err)
{
    const struct sim_damage_kind *kind = w->what;
    AUTO_FREE char *hex = NULL;

    if (read_words(w, b, d, err) < 0)
        return -1;
    if (!w->id && !w->label) {
        if (choose(d, kind, &b->id, err) < 0)
            return -1;
        d->target.id = &b->id;
    }
    if (kind->needs == SIM_NEEDS_TWIN && !d->twin.id && !d->twin.label)
        return chsm_fail(err, CHSM_USAGE, "%s needs --twin or --twin-label", kind->name);
    if (kind->needs == SIM_NEEDS_OTHER && !d->other_user)
        return chsm_fail(err, CHSM_CONFIG, "the cluster has no other user");
    if (kind->apply(d, err) < 0)
        return -1;
    hex = chsm_hex(b->id.p, b->id.len);
    printf("%s: %s of user %s, ID %s\n", w->cluster, kind->done, d->user, hex && *hex ? hex : "(empty)");
    return 0;
}

/* The user's token, and that of the first other one where the kind needs it. */
static int with_tokens(const struct words *w, CK_FUNCTION_LIST *fl, const char *keys, const json_t *users, struct chsm_err *err)
{
    const json_t *user = w->user ? sim_users_find(users, w->user, strlen(w->user)) : json_array_get(users, 0);
    const json_t *other = json_array_get(users, json_array_get(users, 0) == user);
    struct sim_damage d = { .keys = keys };
    struct bytes b = { 0 };
    int rc;

    if (login(user, fl, &d.token, &d.user, err) < 0)
        return -1;
    if (other && w->what->needs == SIM_NEEDS_OTHER && login(other, fl, &d.other_token, &d.other_user, err) < 0)
        return -1;
    rc = apply(w, &d, &b, err);
    bytes_done(&b);
    return rc;
}

static int corrupt(const struct words *w, struct chsm_err *err)
{
    AUTO_FREE char *keys = sim_cluster_keys(w->dir, w->cluster, err);
    json_auto_t *users = NULL;
    CK_FUNCTION_LIST *fl = NULL;
    int rc;

    if (!keys || sim_users_load(keys, &users, err) < 0)
        return -1;
    if (w->user ? !sim_users_find(users, w->user, strlen(w->user)) : json_array_size(users) == 0)
        return chsm_fail(err, CHSM_CONFIG, "cluster %s has no %s%s", w->cluster, w->user ? "user " : "users", w->user ? w->user : "");
    if (sim_softhsm_start(keys, &fl, err) < 0)
        return -1;
    rc = with_tokens(w, fl, keys, users, err);
    sim_softhsm_stop(fl);
    return rc;
}

static bool is_class(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(class_names); i++)
        if (chsm_streq(name, class_names[i].name))
            return true;
    return false;
}

/* Options and CLUSTER KIND [ID], in any order. */
static int parse(int argc, char **argv, struct words *w, struct chsm_err *err)
{
    const struct { const char *name, **value; } options[] = {
        { "--dir", &w->dir }, { "--user", &w->user }, { "--class", &w->cls }, { "--label", &w->label }, { "--twin", &w->twin_id },
        { "--twin-label", &w->twin_label }, { "--attribute", &w->attribute }, { "--value", &w->value },
    };
    const char **word[] = { &w->cluster, &w->kind, &w->id };
    size_t n = 0, o;

    for (int i = 1; i < argc; i++) {
        for (o = 0; o < ARRAY_LEN(options) && !chsm_streq(argv[i], options[o].name); o++)
            ;
        if (o < ARRAY_LEN(options) && i + 1 < argc)
            *options[o].value = argv[++i];
        else if (o < ARRAY_LEN(options) || argv[i][0] == '-' || n == ARRAY_LEN(word))
            return chsm_fail(err, CHSM_USAGE, "unexpected \"%s\"", argv[i]);
        else
            *word[n++] = argv[i];
    }
    if (!w->dir || n < 2)
        return chsm_fail(err, CHSM_USAGE, "corrupt needs --dir DIR, a CLUSTER and a KIND");
    w->what = find_kind(w->kind);
    if (!w->what)
        return chsm_fail(err, CHSM_USAGE, "no kind of corruption is called \"%s\"", w->kind);
    if (w->cls && !is_class(w->cls))
        return chsm_fail(err, CHSM_USAGE, "no class is called \"%s\"", w->cls);
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
        (void)fputs("chsm-sim: corrupt --dir DIR [options] CLUSTER KIND [ID]; KIND is one of", stderr);
        for (const struct sim_damage_kind *k = sim_damage_kinds; k->name; k++)
            (void)fprintf(stderr, " %s", k->name);
        (void)fputc('\n', stderr);
    }
    return (int)err.code;
}
