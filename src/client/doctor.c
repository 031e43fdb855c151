/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about the files. */
#include "config.h"

#include <stdarg.h>

#include "client/doctor_parts.h"
#include "client/endpoint.h"
#include "util/buf.h"
#include "util/json.h"

#define EXPIRES_SOON ((int64_t)30 * 24 * 3600 * 1000) /* ms */
#define TEXT_MAX     4096u

static const char *const level_names[] = {
    [CHSM_DOCTOR_OK] = "ok",
    [CHSM_DOCTOR_WARNING] = "warning",
    [CHSM_DOCTOR_UNKNOWN] = "unknown",
    [CHSM_DOCTOR_PROBLEM] = "problem",
};

const char *chsm_doctor_level_name(enum chsm_finding_level level)
{
    return level_names[level];
}

void chsm_doctor_done(struct chsm_doctor *d)
{
    json_decref(d->findings);
    d->findings = NULL;
}

int chsm_doctor_add(struct chsm_doctor *d, enum chsm_finding_level level, const char *check, const char *remedy,
                    struct chsm_err *err, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!d->findings)
        d->findings = json_array();
    if (json_array_append_new(d->findings, json_pack("{s:s, s:s, s:s, s:s*}", "check", check, "level", level_names[level], "what",
                                                     text, "remedy", remedy)) < 0)
        return chsm_oom(err);
    return 0;
}

enum chsm_finding_level chsm_doctor_worst(const struct chsm_doctor *d)
{
    enum chsm_finding_level worst = CHSM_DOCTOR_OK;
    const json_t *f;
    size_t i;

    json_array_foreach(d->findings, i, f)
        for (enum chsm_finding_level level = worst; level <= CHSM_DOCTOR_PROBLEM; level++)
            if (chsm_streq(chsm_json_str(f, "level"), level_names[level]))
                worst = level;
    return worst;
}

/* The host that the first readable copy begins with; NULL = there is none. */
const char *chsm_doctor_host(const json_t *look)
{
    const json_t *copy;
    size_t i;

    json_array_foreach(json_object_get(look, "copies"), i, copy) {
        const char *host = json_string_value(json_array_get(json_object_get(copy, "hosts"), 0));

        if (host)
            return host;
    }
    return NULL;
}

/* An address may be that of a node; only where all nodes have been resolved is it known that it is not. */
static bool is_foreign(const struct chsm_doctor *d, const char *name, const char *host)
{
    bool resolved = d->n_nodes >= CHSM_CLUSTER_HOSTS;

    if (chsm_endpoint_same_cluster(name, host))
        return false;
    for (size_t i = 0; i < d->n_nodes; i++) {
        resolved = resolved && d->nodes[i].name == CHSM_NAME_RESOLVED;
        for (size_t k = 0; k < d->nodes[i].addresses.n; k++)
            if (strcmp(d->nodes[i].addresses.v[k], name) == 0)
                return false;
    }
    return resolved || !chsm_endpoint_is_address(name);
}

const char *chsm_doctor_foreign(const struct chsm_doctor *d, const json_t *entry, const char *host)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(entry, "hosts"), i, one)
        if (is_foreign(d, json_string_value(one), host))
            return json_string_value(one);
    return NULL;
}

static int judge_copies(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *copies = json_object_get(d->look, "copies"), *copy;
    const char *host = chsm_doctor_host(d->look);
    size_t i, wrong = 0;

    if (json_array_size(copies) == 0)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "configuration",
                               "install Azure's client SDK, or name its folder with --directory", err, "there is no %s",
                               CHSM_RESOURCE_CFG);
    json_array_foreach(copies, i, copy) {
        const char *path = chsm_json_str(copy, "path"), *why = chsm_json_str(copy, "error");
        const char *first = json_string_value(json_array_get(json_object_get(copy, "hosts"), 0));
        int rc = 0;

        wrong += why || !chsm_endpoint_same_cluster(first, host);
        if (why)
            rc = chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "configuration",
                                 "it should look like {\"servers\":[{\"hostname\":\"hsm1...\"}]}", err, "%s", why);
        else if (!chsm_endpoint_same_cluster(first, host))
            rc = chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "configuration", "chsmctl client point makes all copies the same", err,
                                 "%s points to %s, and another copy to %s", path, first, host);
        if (rc < 0)
            return -1;
    }
    return wrong ? 0
                 : chsm_doctor_add(d, CHSM_DOCTOR_OK, "configuration", NULL, err, "%zu %s to %s", json_array_size(copies),
                                   json_array_size(copies) == 1 ? "copy points" : "copies point", host);
}

static int judge_other_configurations(struct chsm_doctor *d, struct chsm_err *err)
{
    const char *host = chsm_doctor_host(d->look), *foreign;
    const json_t *cfg;
    size_t i;

    json_array_foreach(json_object_get(d->look, "configurations"), i, cfg) {
        const char *path = chsm_json_str(cfg, "path"), *why = chsm_json_str(cfg, "error");

        if (why && chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "configuration",
                                   "look at it, and compare it with that of a new installation", err, "%s", why) < 0)
            return -1;
        foreign = host && !why ? chsm_doctor_foreign(d, cfg, host) : NULL;
        if (foreign && chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "configuration",
                                       "correct it by hand: chsmctl client point leaves this file alone", err,
                                       "%s names %s, which is not of the cluster of %s", path, foreign, host) < 0)
            return -1;
    }
    return 0;
}

static int judge_certificate(struct chsm_doctor *d, const json_t *cert, struct chsm_err *err)
{
    static const char fresh[] =
        "get the right PO.crt from who set the source cluster up: it belongs to the partition, and cannot be changed there";
    const char *path = chsm_json_str(cert, "path"), *why = chsm_json_str(cert, "error"), *end = chsm_json_str(cert, "not_after");
    int64_t after = 0;

    if (why)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "owner certificate", fresh, err, "%s", why);
    if (!end || chsm_time_parse(end, &after, NULL) < 0)
        return chsm_doctor_add(d, CHSM_DOCTOR_UNKNOWN, "owner certificate", fresh, err, "%s does not say when it expires", path);
    if (after < d->now)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "owner certificate", fresh, err, "%s has expired on %s", path, end);
    return chsm_doctor_add(d, after - d->now < EXPIRES_SOON ? CHSM_DOCTOR_WARNING : CHSM_DOCTOR_OK, "owner certificate",
                           after - d->now < EXPIRES_SOON ? fresh : NULL, err, "%s (%s) is valid until %s", path,
                           chsm_json_str(cert, "subject"), end);
}

static int judge_certificates(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *list = json_object_get(d->look, "owner_certificates"), *cert;
    const char *first = NULL, *first_path = NULL;
    size_t i;

    if (json_array_size(list) == 0)
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "owner certificate",
                               "put the partition owner's certificate into the folder cert of the client", err,
                               "there is no PO.crt");
    json_array_foreach(list, i, cert) {
        const char *digest = chsm_json_str(cert, "sha256");

        if (judge_certificate(d, cert, err) < 0)
            return -1;
        if (first && digest && strcmp(first, digest) != 0 &&
            chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "owner certificate", "keep the one of the cluster that is used", err,
                            "%s and %s are different certificates", first_path, chsm_json_str(cert, "path")) < 0)
            return -1;
        if (!first && digest) {
            first = digest;
            first_path = chsm_json_str(cert, "path");
        }
    }
    return 0;
}

static int judge_directories(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *folder;
    size_t i;

    json_array_foreach(json_object_get(d->look, "working_directories"), i, folder) {
        bool there = json_is_true(json_object_get(folder, "application"));

        if (chsm_doctor_add(
                d, there ? CHSM_DOCTOR_OK : CHSM_DOCTOR_WARNING, "application",
                there ? NULL : "copy azcloudhsm_application.cfg to where applications are started, or start them where it is",
                err, there ? "%s has azcloudhsm_application.cfg" : "%s, the working directory, has no azcloudhsm_application.cfg",
                chsm_json_str(folder, "path")) < 0)
            return -1;
    }
    return 0;
}

static int judge_settings(struct chsm_doctor *d, struct chsm_err *err)
{
    const json_t *app;
    size_t i;

    json_array_foreach(json_object_get(d->look, "applications"), i, app) {
        const char *path = chsm_json_str(app, "path"), *why = chsm_json_str(app, "error");
        const char *handle = chsm_json_str(json_object_get(app, "settings"), "USER_KEK_HANDLE");

        if (why && chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "application", "write its settings as KEY=value, one a line", err,
                                   "%s", why) < 0)
            return -1;
        if (handle && *handle &&
            chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "handle",
                            "after a restore find the key by its ID or label, and write its new handle there", err,
                            "%s: USER_KEK_HANDLE=%s is a handle, which a restore may change", path, handle) < 0)
            return -1;
    }
    return 0;
}

int chsm_doctor_handles(struct chsm_doctor *d, const json_t *scan, const json_t *certificates, struct chsm_err *err)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(scan, "fakes"), i, one) {
        json_int_t handle = json_integer_value(json_object_get(one, "handle"));
        AUTO_FREE char *number = handle ? chsm_strf(" (%lld)", (long long)handle) : strdup("");

        if (!number)
            return chsm_oom(err);
        if (chsm_doctor_add(d, CHSM_DOCTOR_WARNING, "handle",
                            "after a restore make it anew with getCaviumPrivKey, from the key's new handle", err,
                            "%s is no private key but the handle of one%s, which a restore may change",
                            chsm_json_str(one, "path"), number) < 0)
            return -1;
    }
    json_array_foreach(certificates, i, one)
        if (chsm_doctor_add(
                d, CHSM_DOCTOR_WARNING, "handle",
                "after a restore store the certificate anew, with the key's ID instead of its handle", err,
                "certificate \"%s\" of %s has the ID %s in decimal digits: the handle of its key, which a restore may change",
                chsm_json_str(one, "label"), chsm_json_str(one, "login"), chsm_json_str(one, "handle")) < 0)
            return -1;
    if (scan && !json_is_true(json_object_get(scan, "complete")))
        return chsm_doctor_add(d, CHSM_DOCTOR_UNKNOWN, "handle", "look through smaller folders, as a user who may read them", err,
                               "not every file was looked at: %s", chsm_json_str(scan, "why"));
    if (scan && json_array_size(json_object_get(scan, "fakes")) == 0)
        return chsm_doctor_add(d, CHSM_DOCTOR_OK, "handle", NULL, err, "no fake private key among %lld files and folders",
                               (long long)json_integer_value(json_object_get(scan, "files")));
    return 0;
}

int chsm_doctor_judge(struct chsm_doctor *d, bool all_nodes, struct chsm_err *err)
{
    if (judge_copies(d, err) < 0 || judge_other_configurations(d, err) < 0 || judge_certificates(d, err) < 0 ||
        judge_directories(d, err) < 0 || chsm_doctor_service(d, err) < 0 || chsm_doctor_network(d, all_nodes, err) < 0)
        return -1;
    return judge_settings(d, err);
}
