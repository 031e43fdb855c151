/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <strings.h>

#include "sim/p11/cluster.h"
#include "util/json.h"
#include "util/path.h"

#define CONFIG_MAX_BYTES 65536

static int read_hostname(char **ret, struct chsm_err *err)
{
    const char *given = getenv("CHSM_SIM_RESOURCE_CFG");
    const char *path = given && *given ? given : "azcloudhsm_resource.cfg";
    json_auto_t *config = NULL;
    const char *name;

    if (chsm_json_load(path, CONFIG_MAX_BYTES, &config, err) < 0)
        return -1;
    name = chsm_json_str(json_array_get(json_object_get(config, "servers"), 0), "hostname");
    if (!name || !*name)
        return chsm_fail(err, CHSM_CONFIG, "%s: no servers[0].hostname", path);
    *ret = strdup(name);
    return *ret ? 0 : chsm_oom(err);
}

static bool answers_to(const char *folder, const char *hostname)
{
    AUTO_FREE char *path = chsm_path_join(folder, "address.json");
    json_auto_t *address = NULL;
    const json_t *one;
    size_t i;

    if (!path || chsm_json_load(path, CONFIG_MAX_BYTES, &address, NULL) < 0)
        return false;
    json_array_foreach(json_object_get(address, "fqdns"), i, one)
        if (json_is_string(one) && strcasecmp(json_string_value(one), hostname) == 0)
            return true;
    return false;
}

int sim_cluster_locate(char **ret, struct chsm_err *err)
{
    const char *dir = getenv("CHSM_SIM_DIR");
    AUTO_FREE char *clusters = dir && *dir ? chsm_path_join(dir, "clusters") : NULL;
    AUTO_FREE char *hostname = NULL;
    AUTO_FREE char *found = NULL;
    const struct dirent *entry;
    DIR *d;

    if (!clusters)
        return chsm_fail(err, CHSM_CONFIG, "CHSM_SIM_DIR is not set");
    if (read_hostname(&hostname, err) < 0)
        return -1;
    d = opendir(clusters);
    if (!d)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", clusters);
    while (!found && (entry = readdir(d)) != NULL) {
        AUTO_FREE char *folder = entry->d_name[0] == '.' ? NULL : chsm_path_join(clusters, entry->d_name);

        if (folder && answers_to(folder, hostname))
            found = TAKE(folder);
    }
    (void)closedir(d);
    if (!found)
        return chsm_fail(err, CHSM_CONFIG, "no cluster in %s answers to %s", clusters, hostname);
    *ret = TAKE(found);
    return 0;
}
