/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>

#include "sim/keystore.h"
#include "sim/keystore_paths.h"
#include "sim/keystore_tree.h"
#include "util/json.h"
#include "util/path.h"

#define NAME_MAX_LEN 63

char *sim_cluster_path(const char *dir, const char *cluster, const char *leaf, struct chsm_err *err)
{
    char lower[NAME_MAX_LEN + 1];
    size_t n = strlen(cluster), i;
    char *path;

    if (n == 0 || n > NAME_MAX_LEN) {
        (void)chsm_fail(err, CHSM_USAGE, "a cluster's name has 1 to %d characters", NAME_MAX_LEN);
        return NULL;
    }
    for (i = 0; i < n; i++) {
        if (!isalnum((unsigned char)cluster[i]) && cluster[i] != '-') {
            (void)chsm_fail(err, CHSM_USAGE, "'%s' is no cluster's name: letters, digits and '-' only", cluster);
            return NULL;
        }
        lower[i] = (char)tolower((unsigned char)cluster[i]);
    }
    lower[n] = '\0';
    path = chsm_strf("%s/clusters/%s%s%s", dir, lower, *leaf ? "/" : "", leaf);
    if (!path)
        (void)chsm_oom(err);
    return path;
}

char *sim_cluster_keys(const char *dir, const char *cluster, struct chsm_err *err)
{
    char *path = sim_cluster_path(dir, cluster, "keys", err);
    struct stat st;

    if (path && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))) {
        (void)chsm_fail(err, CHSM_CONFIG, "there is no cluster '%s' in %s", cluster, dir);
        free(path);
        return NULL;
    }
    return path;
}

/* softhsm2.conf for people who want to look into the tokens; the simulator's own programs do not read it. */
static int write_softhsm_conf(const char *folder, struct chsm_err *err)
{
    AUTO_FREE char *real = realpath(folder, NULL);
    AUTO_FREE char *path = chsm_path_join(folder, "softhsm2.conf");
    AUTO_FREE char *text = NULL;

    if (!real || !path)
        return chsm_fail_errno(err, CHSM_SERVICE, "%s", folder);
    text = chsm_strf("directories.tokendir = %s/keys/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
                     "slots.removable = false\n", real);
    if (!text)
        return chsm_oom(err);
    return chsm_file_write(path, text, strlen(text), 0600, err);
}

static int write_json(const char *folder, const char *leaf, json_t *value, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(folder, leaf);
    int ret;

    ret = path && value ? chsm_json_save(path, value, err) : chsm_oom(err);
    json_decref(value);
    return ret;
}

static int fill(const char *folder, const char *const *fqdns, struct chsm_err *err)
{
    AUTO_FREE char *tokens = chsm_path_join(folder, "keys/tokens");
    json_t *names = json_array();
    size_t i;

    for (i = 0; fqdns[i]; i++)
        if (json_array_append_new(names, json_string(fqdns[i])) < 0)
            break;
    if (!tokens || fqdns[i]) {
        json_decref(names);
        return chsm_oom(err);
    }
    if (write_json(folder, "address.json", json_pack("{s:o}", "fqdns", names), err) < 0 ||
        write_json(folder, "azcloudhsm_resource.cfg", json_pack("{s:[{s:s}]}", "servers", "hostname", fqdns[0]), err) < 0 ||
        chsm_dir_make(tokens, 0700, err) < 0 || write_json(folder, "keys/users.json", json_array(), err) < 0 ||
        write_json(folder, "keys/shares.json", json_array(), err) < 0)
        return -1;
    return write_softhsm_conf(folder, err);
}

int sim_keystore_create(const char *dir, const char *cluster, const char *const *fqdns, struct chsm_err *err)
{
    AUTO_FREE char *folder = sim_cluster_path(dir, cluster, "", err);
    AUTO_FREE char *parent = chsm_path_join(dir, "clusters");

    if (!folder)
        return -1;
    if (!parent)
        return chsm_oom(err);
    if (!fqdns[0])
        return chsm_fail(err, CHSM_USAGE, "cluster '%s' has no host name", cluster);
    if (chsm_dir_make(parent, 0700, err) < 0)
        return -1;
    if (mkdir(folder, 0700) < 0)
        return chsm_fail_errno(err, CHSM_SERVICE, "%s", folder);
    if (fill(folder, fqdns, err) < 0) {
        (void)sim_tree_remove(folder, NULL);
        return -1;
    }
    return 0;
}

int sim_keystore_destroy(const char *dir, const char *cluster, struct chsm_err *err)
{
    AUTO_FREE char *folder = sim_cluster_path(dir, cluster, "", err);

    return folder ? sim_tree_remove(folder, err) : -1;
}

int sim_keystore_backup(const char *dir, const char *cluster, const char *folder, struct chsm_err *err)
{
    AUTO_FREE char *keys = sim_cluster_keys(dir, cluster, err);
    AUTO_FREE char *parent = chsm_path_dir(folder);

    if (!keys)
        return -1;
    if (!parent)
        return chsm_oom(err);
    if (chsm_dir_make(parent, 0700, err) < 0)
        return -1;
    /* An empty folder may have been made for the backup already; one with content is refused by mkdir(). */
    if (rmdir(folder) < 0 && errno != ENOENT)
        return chsm_fail_errno(err, CHSM_SERVICE, "%s", folder);
    if (sim_tree_copy(keys, folder, err) < 0) {
        (void)sim_tree_remove(folder, NULL);
        return -1;
    }
    return 0;
}

static bool is_backup(const char *folder)
{
    AUTO_FREE char *users = chsm_path_join(folder, "users.json");
    AUTO_FREE char *tokens = chsm_path_join(folder, "tokens");

    return users && tokens && access(users, R_OK) == 0 && access(tokens, R_OK | X_OK) == 0;
}

int sim_keystore_restore(const char *dir, const char *cluster, const char *folder, struct chsm_err *err)
{
    AUTO_FREE char *keys = sim_cluster_keys(dir, cluster, err);
    AUTO_FREE char *fresh = NULL;

    if (!keys)
        return -1;
    if (!is_backup(folder))
        return chsm_fail(err, CHSM_SERVICE, "%s: no backup of a cluster's keys", folder);
    fresh = chsm_strf("%s.new", keys);
    if (!fresh)
        return chsm_oom(err);
    if (sim_tree_remove(fresh, err) < 0)
        return -1;
    if (sim_tree_copy(folder, fresh, err) < 0 || sim_tree_swap(fresh, keys, err) < 0) {
        (void)sim_tree_remove(fresh, NULL);
        return -1;
    }
    return 0;
}
