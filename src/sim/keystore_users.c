/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "sim/keystore_users.h"
#include "util/buf.h"
#include "util/json.h"
#include "util/path.h"

#define USERS_MAX_BYTES (4u << 20)
#define HASH_LEN 32
#define SALT_LEN 16
#define PIN_LEN 16
/* Few on purpose: this guards made-up passwords of a simulator, and every test logs in. */
#define ITERATIONS 4096

static int load_array(const char *keys, const char *leaf, json_t **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(keys, leaf);
    json_auto_t *value = NULL;

    if (!path)
        return chsm_oom(err);
    if (chsm_json_load(path, USERS_MAX_BYTES, &value, err) < 0)
        return -1;
    if (!json_is_array(value))
        return chsm_fail(err, CHSM_CONFIG, "%s: a list is expected", path);
    *ret = TAKE(value);
    return 0;
}

static int save_array(const char *keys, const char *leaf, const json_t *value, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(keys, leaf);

    return path ? chsm_json_save(path, value, err) : chsm_oom(err);
}

int sim_users_load(const char *keys, json_t **ret, struct chsm_err *err)
{
    return load_array(keys, "users.json", ret, err);
}

int sim_shares_load(const char *keys, json_t **ret, struct chsm_err *err)
{
    return load_array(keys, "shares.json", ret, err);
}

int sim_users_save(const char *keys, const json_t *users, struct chsm_err *err)
{
    return save_array(keys, "users.json", users, err);
}

int sim_shares_save(const char *keys, const json_t *shares, struct chsm_err *err)
{
    return save_array(keys, "shares.json", shares, err);
}

json_t *sim_users_find(const json_t *users, const char *name, size_t n)
{
    json_t *user;
    size_t i;

    json_array_foreach(users, i, user) {
        const char *have = chsm_json_str(user, "name");

        if (have && strlen(have) == n && memcmp(have, name, n) == 0)
            return user;
    }
    return NULL;
}

static bool derive(const char *password, size_t n, const struct chsm_bytes *salt, json_int_t iterations, unsigned char *out)
{
    return iterations > 0 && iterations <= 1000000 && n <= INT32_MAX && salt->len <= INT32_MAX &&
           PKCS5_PBKDF2_HMAC(password, (int)n, salt->p, (int)salt->len, (int)iterations, EVP_sha256(), HASH_LEN, out) == 1;
}

int sim_users_add(json_t *users, const char *name, const char *password, json_t **ret, struct chsm_err *err)
{
    unsigned char salt[SALT_LEN], pin[PIN_LEN], hash[HASH_LEN];
    struct chsm_bytes salt_bytes = { .p = salt, .len = sizeof salt };
    AUTO_FREE char *salt_hex = NULL, *pin_hex = NULL, *hash_hex = NULL;
    json_t *user;

    if (chsm_random(salt, sizeof salt, err) < 0 || chsm_random(pin, sizeof pin, err) < 0)
        return -1;
    if (!derive(password, strlen(password), &salt_bytes, ITERATIONS, hash))
        return chsm_fail(err, CHSM_SERVICE, "cannot hash the password of '%s'", name);
    salt_hex = chsm_hex(salt, sizeof salt);
    pin_hex = chsm_hex(pin, sizeof pin);
    hash_hex = chsm_hex(hash, sizeof hash);
    if (!salt_hex || !pin_hex || !hash_hex)
        return chsm_oom(err);
    user = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "name", name, "salt", salt_hex, "hash", hash_hex,
                     "iterations", ITERATIONS, "label", name, "pin", pin_hex);
    if (!user || json_array_append_new(users, user) < 0)
        return chsm_oom(err);
    *ret = user;
    return 0;
}

bool sim_user_password_ok(const json_t *user, const char *password, size_t n)
{
    AUTO_BYTES struct chsm_bytes salt = { 0 };
    AUTO_BYTES struct chsm_bytes hash = { 0 };
    const char *salt_hex = chsm_json_str(user, "salt"), *hash_hex = chsm_json_str(user, "hash");
    unsigned char have[HASH_LEN];

    if (!salt_hex || !hash_hex || chsm_unhex(salt_hex, &salt, NULL) < 0 || chsm_unhex(hash_hex, &hash, NULL) < 0)
        return false;
    return hash.len == HASH_LEN && derive(password, n, &salt, json_integer_value(json_object_get(user, "iterations")), have) &&
           CRYPTO_memcmp(have, hash.p, HASH_LEN) == 0;
}

int sim_shares_add(json_t *shares, const char *owner, unsigned long cls, const struct chsm_bytes *id, const json_t *with,
                   struct chsm_err *err)
{
    AUTO_FREE char *hex = chsm_hex(id->p, id->len);
    json_t *names = json_deep_copy(with);
    json_t *share;

    if (!hex) {
        json_decref(names);
        return chsm_oom(err);
    }
    share = json_pack("{s:s, s:I, s:s, s:o}", "owner", owner, "class", (json_int_t)cls, "id", hex, "with", names);
    if (!share || json_array_append_new(shares, share) < 0)
        return chsm_oom(err);
    return 0;
}

static bool names(const json_t *share, const char *owner, const char *user)
{
    const json_t *with = json_object_get(share, "with"), *one;
    size_t i;

    if (!chsm_streq(chsm_json_str(share, "owner"), owner))
        return false;
    json_array_foreach(with, i, one)
        if (chsm_streq(json_string_value(one), user))
            return true;
    return false;
}

bool sim_shares_any(const json_t *shares, const char *owner, const char *user)
{
    const json_t *share;
    size_t i;

    json_array_foreach(shares, i, share)
        if (names(share, owner, user))
            return true;
    return false;
}

bool sim_shares_allow(const json_t *shares, const char *owner, unsigned long cls, const struct chsm_bytes *id, const char *user)
{
    AUTO_FREE char *hex = chsm_hex(id->p, id->len);
    const json_t *share;
    size_t i;

    json_array_foreach(shares, i, share)
        if (hex && names(share, owner, user) && chsm_streq(chsm_json_str(share, "id"), hex) &&
            json_integer_value(json_object_get(share, "class")) == (json_int_t)cls)
            return true;
    return false;
}
