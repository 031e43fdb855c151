/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/keystore_object.h"
#include "sim/keystore_softhsm.h"
#include "sim/keystore_users.h"
#include "sim/mgmt/quirks.h"
#include "sim/mgmt/world.h"
#include "sim/p11/cluster.h"
#include "util/buf.h"
#include "util/json.h"
#include "util/path.h"

void sim_mgmt_world_done(struct sim_mgmt_world *w)
{
    json_decref(w->users);
    json_decref(w->hosts);
    memset(w, 0, sizeof *w);
}

static int count_user(CK_FUNCTION_LIST *fl, const json_t *user, size_t *n, struct chsm_err *err)
{
    static const CK_OBJECT_CLASS classes[] = { CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY };
    const char *label = chsm_json_str(user, "label"), *pin = chsm_json_str(user, "pin");
    struct sim_token t = { .fl = fl };

    if (!label || !pin)
        return chsm_fail(err, CHSM_CONFIG, "a user without a token");
    if (sim_softhsm_login(fl, label, pin, &t.session, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        CK_OBJECT_HANDLE *found = NULL;
        size_t more = 0;

        if (sim_token_find(&t, classes[i], NULL, &found, &more, err) < 0)
            return -1;
        free(found);
        *n += more;
    }
    return 0;
}

static int count_keys(const char *keys, struct sim_mgmt_world *w, struct chsm_err *err)
{
    CK_FUNCTION_LIST *fl = NULL;
    const json_t *user;
    size_t i;
    int rc = 0;

    if (json_array_size(w->users) == 0)
        return 0;
    if (sim_softhsm_start(keys, &fl, err) < 0)
        return -1;
    json_array_foreach(w->users, i, user) {
        rc = count_user(fl, user, &w->keys, err);
        if (rc < 0)
            break;
    }
    sim_softhsm_stop(fl);
    return rc;
}

static int load_hosts(const char *folder, struct sim_mgmt_world *w, struct chsm_err *err)
{
    static const char private[] = "privatelink.";
    AUTO_FREE char *path = chsm_path_join(folder, "address.json");
    json_auto_t *address = NULL;
    const json_t *one;
    size_t i;

    if (!path)
        return chsm_oom(err);
    if (chsm_json_load(path, 65536, &address, err) < 0)
        return -1;
    w->hosts = json_array();
    json_array_foreach(json_object_get(address, "fqdns"), i, one) {
        const char *name = json_string_value(one) ? json_string_value(one) : "";
        const char *cut = strstr(name, private);
        AUTO_FREE char *shown = cut ? chsm_strf("%.*s%s", (int)(cut - name), name, cut + sizeof private - 1) : strdup(name);

        if (!shown || json_array_append_new(w->hosts, json_string(shown)) < 0)
            return chsm_oom(err);
    }
    w->servers = json_array_size(w->hosts);
    if (w->servers == 0 || w->servers > SIM_MGMT_SERVERS)
        return chsm_fail(err, CHSM_CONFIG, "%s names no node, or too many", path);
    return 0;
}

int sim_mgmt_world_load(struct sim_mgmt_world *ret, struct chsm_err *err)
{
    struct sim_mgmt_world w = { 0 };
    AUTO_FREE char *folder = NULL;
    AUTO_FREE char *keys = NULL;

    if (sim_cluster_locate(&folder, err) < 0)
        return -1;
    keys = chsm_path_join(folder, "keys");
    if (!keys)
        return chsm_oom(err);
    if (load_hosts(folder, &w, err) < 0 || sim_users_load(keys, &w.users, err) < 0 || count_keys(keys, &w, err) < 0) {
        sim_mgmt_world_done(&w);
        return -1;
    }
    *ret = w;
    return 0;
}
