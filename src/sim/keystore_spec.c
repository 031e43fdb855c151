/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>

#include "sim/keystore_spec_key.h"
#include "util/buf.h"
#include "util/json.h"

#define NAME_LEN_MAX 31         /* facts of the client library: names <= 31, passwords 8 to 32 characters */
#define PASSWORD_LEN_MIN 8
#define PASSWORD_LEN_MAX 32

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

    if (sim_spec_members(object, path, members, err) < 0)
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
        if (!place || sim_spec_key(key, place, &user->keys[i], err) < 0)
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

static void key_spec_done(struct sim_key_spec *spec)
{
    sim_key_done(&spec->key);
    chsm_bytes_done(&spec->start);
    chsm_bytes_done(&spec->end);
}

void sim_seed_done(struct sim_seed *s)
{
    size_t i, k;

    for (i = 0; i < s->n; i++) {
        for (k = 0; k < s->users[i].n; k++)
            key_spec_done(&s->users[i].keys[k]);
        free(s->users[i].keys);
    }
    free(s->users);
    *s = (struct sim_seed){ .n = 0 };
}
