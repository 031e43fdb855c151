/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about the daemon and the nodes. */
#include "config.h"

#include <strings.h>

#include "client/doctor_parts.h"
#include "client/endpoint.h"
#include "client/learned.h"
#include "util/json.h"

int chsm_doctor_hosts(const json_t *look, struct chsm_paths *ret, bool *ret_all, struct chsm_err *err)
{
    const json_t *copy, *hosts = NULL, *one;
    AUTO_PATHS struct chsm_paths list = { 0 };
    size_t i;

    json_array_foreach(json_object_get(look, "copies"), i, copy)
        if (!hosts)
            hosts = json_object_get(copy, "hosts");
    json_array_foreach(hosts, i, one)
        if (i < CHSM_REACH_MAX - CHSM_CLUSTER_HOSTS && chsm_paths_add(&list, json_string_value(one), err) < 0)
            return -1;
    for (unsigned number = 1; hosts && number <= CHSM_CLUSTER_HOSTS; number++) {
        AUTO_FREE char *name = NULL;
        bool there = false;

        if (chsm_endpoint_node(list.v[0], number, &name, err) < 0)
            return -1;
        for (i = 0; name && i < list.n; i++)
            there = there || chsm_endpoint_eq(list.v[i], name);
        if (name && !there && chsm_paths_add(&list, name, err) < 0)
            return -1;
    }
    *ret_all = list.n >= CHSM_CLUSTER_HOSTS;
    *ret = list;
    list = (struct chsm_paths){ 0 };
    return 0;
}

static int judge_unit(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *service = json_object_get(d->look, "service");
    const char *unit = chsm_json_str(service, "unit"), *config = chsm_json_str(service, "config");

    if (!unit)
        return chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "service",
                               "without it the client is gone after the next start of the machine", err,
                               "there is no azure-cloud-hsm.service");
    if (json_is_true(json_object_get(service, "masked")))
        return chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "service", "systemctl unmask azure-cloud-hsm", err, "%s is masked", unit);
    if (config && access(config, R_OK) < 0 &&
        chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "service", "correct the ExecStart= of the unit", err,
                        "%s starts the daemon with %s, which cannot be read", unit, config) < 0)
        return -1;
    if (!json_is_true(json_object_get(service, "enabled")))
        return chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "service", "systemctl enable azure-cloud-hsm", err,
                               "%s is not enabled: the client is gone after the next start of the machine", unit);
    return chsm_doctor_add(d, CHSM_DOCTOR_OK, "service", NULL, err, "%s is enabled", unit);
}

static int judge_daemon(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *daemon = json_object_get(d->look, "daemon");
    long long pid = (long long)json_integer_value(json_object_get(daemon, "pid"));
    const char *since = chsm_json_str(daemon, "started");

    if (!json_is_true(json_object_get(daemon, "visible")))
        return chsm_doctor_add(d, CHSM_DOCTOR_UNKNOWN, "daemon", "mount /proc there", err,
                               "the processes of this machine cannot be seen");
    if (pid == 0)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "daemon", "systemctl start azure-cloud-hsm", err,
                               "azcloudhsm_client does not run: C_Initialize fails with CKR_GENERAL_ERROR");
    if (json_is_true(json_object_get(daemon, "outdated")))
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "daemon",
                               "systemctl restart azure-cloud-hsm, then restart every application", err,
                               "process %lld runs since %s and has not read the configuration as it is now: it may still use the "
                               "cluster from before",
                               pid, since);
    return chsm_doctor_add(d, CHSM_DOCTOR_OK, "daemon", NULL, err, "process %lld runs%s%s", pid, since ? " since " : "",
                           since ? since : "");
}

/* Applications use the daemon's cluster, whatever the copies say that were looked at. */
static int judge_used(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *used = json_object_get(json_object_get(d->look, "daemon"), "configuration");
    const char *host = chsm_doctor_host(d->look), *foreign = host ? chsm_doctor_foreign(d, used, host) : NULL;

    if (!foreign)
        return 0;
    return chsm_doctor_add(
        d, CHSM_DOCTOR_PROBLEM, "daemon", "start the daemon with the right file, or point its own with chsmctl client point", err,
        "it was started with %s, which points to %s: applications on this machine use that cluster, and not the one of %s",
        chsm_json_str(used, "path"), foreign, host);
}

static int judge_socket(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *daemon = json_object_get(d->look, "daemon"), *sockets = json_object_get(daemon, "sockets");

    if (json_integer_value(json_object_get(daemon, "pid")) == 0)
        return 0;
    if (!json_is_array(sockets))
        return chsm_doctor_add(d, CHSM_DOCTOR_UNKNOWN, "daemon", "run this as root", err, "the daemon's sockets cannot be seen");
    if (json_array_size(sockets) == 0)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "daemon", "see its log (journalctl -t azure-cloud-hsm), and restart it",
                               err, "the daemon listens on no local socket: applications cannot reach it");
    return chsm_doctor_add(d, CHSM_DOCTOR_OK, "daemon", NULL, err, "it listens on %s",
                           json_string_value(json_array_get(sockets, 0)));
}

int chsm_doctor_service(struct chsm_doctor *d, struct chsm_err *err)
{
    return judge_unit(d, err) < 0 || judge_daemon(d, err) < 0 || judge_used(d, err) < 0 || judge_socket(d, err) < 0 ? -1 : 0;
}

static int judge_node(struct chsm_doctor *d, const struct chsm_reach *r, struct chsm_err *err)
{
    static const char zone[] =
        "link the private DNS zone privatelink.cloudhsm.azure.net to this machine's network, with the addresses of the cluster's "
        "private endpoint";

    if (r->name == CHSM_NAME_NO_ANSWER)
        return chsm_doctor_add(d, CHSM_DOCTOR_UNKNOWN, "node", "see why the resolver does not answer", err, "%s: %s", r->host,
                               r->why);
    if (r->name == CHSM_NAME_UNKNOWN)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "node", zone, err, "%s: %s", r->host, r->why);
    if (r->public && chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "node", zone, err, "%s resolves to %s, which is no private address",
                                     r->host, r->addresses.n ? r->addresses.v[0] : "nothing") < 0)
        return -1;
    if (!r->open)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "node",
                               "let TCP port 2225 through from here to the cluster's private endpoint", err,
                               "%s does not answer: %s", r->host, r->why ? r->why : "no address");
    return chsm_doctor_add(d, CHSM_DOCTOR_OK, "node", NULL, err, "%s (%s) answers in %lld ms", r->host, r->addresses.v[0],
                           (long long)r->ms);
}

static int judge_hosts_file(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(d->look, "hosts_file"), i, name)
        if (chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "node", "put the names into DNS, or an address into azcloudhsm_resource.cfg",
                            err, "%s is in /etc/hosts, which the client does not read", json_string_value(name)) < 0)
            return -1;
    return 0;
}

static int judge_learned(struct chsm_doctor *d, const struct chsm_paths *addresses, struct chsm_err *err)
{
    const char *host = chsm_doctor_host(d->look), *which = NULL;
    const json_t *file, *one;
    size_t i, k;

    json_array_foreach(json_object_get(d->look, "learned"), i, file) {
        const char *path = chsm_json_str(file, "path"), *why = chsm_json_str(file, "error");
        AUTO_PATHS struct chsm_paths learned = { 0 };
        enum chsm_learned is;

        json_array_foreach(json_object_get(file, "addresses"), k, one)
            if (chsm_paths_add(&learned, json_string_value(one), err) < 0)
                return -1;
        is = why || !host ? CHSM_LEARNED_UNKNOWN : chsm_learned_judge(&learned, host, addresses, &which);
        if (is != CHSM_LEARNED_OWN &&
            chsm_doctor_add(d, is == CHSM_LEARNED_FOREIGN ? CHSM_DOCTOR_PROBLEM : CHSM_DOCTOR_UNKNOWN, "learned addresses",
                            "stop the daemon, move the file aside (chsmctl client point does), start the daemon", err,
                            "%s remembers %s, %s of %s", path, which ? which : "something",
                            is == CHSM_LEARNED_FOREIGN ? "which is not of the cluster" : "perhaps not of the cluster",
                            host ? host : "(none)") < 0)
            return -1;
        if (is == CHSM_LEARNED_OWN &&
            chsm_doctor_add(d, CHSM_DOCTOR_OK, "learned addresses", NULL, err, "%s is of this cluster", path) < 0)
            return -1;
    }
    return 0;
}

int chsm_doctor_network(struct chsm_doctor *d, bool all_nodes, struct chsm_err *err)
{
    AUTO_PATHS struct chsm_paths addresses = { 0 };
    bool resolved = all_nodes;

    for (size_t i = 0; i < d->n_nodes; i++) {
        const struct chsm_reach *r = &d->nodes[i];

        if (judge_node(d, r, err) < 0)
            return -1;
        resolved = resolved && r->name == CHSM_NAME_RESOLVED;
        for (size_t k = 0; k < r->addresses.n; k++)
            if (chsm_paths_add(&addresses, r->addresses.v[k], err) < 0)
                return -1;
    }
    if (d->n_nodes > 0 && !all_nodes &&
        chsm_doctor_add(d, CHSM_DOCTOR_UNKNOWN, "node", "give the name of a node (hsm1...), from which the others follow", err,
                        "%s does not tell the names of the other nodes: they were not looked at", d->nodes[0].host) < 0)
        return -1;
    /* Only the addresses of all nodes together show that another one is foreign. */
    if (!resolved)
        chsm_paths_done(&addresses);
    return judge_hosts_file(d, err) < 0 ? -1 : judge_learned(d, &addresses, err);
}
