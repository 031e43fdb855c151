/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/client_options.h"
#include "cli/commands.h"
#include "cli/connect.h"
#include "client/endpoint.h"
#include "client/file.h"
#include "client/learned.h"
#include "client/point.h"
#include "client/run.h"
#include "pkcs11/hsm.h"
#include "util/clock.h"
#include "util/path.h"

#define TEXT_MAX     (1u << 20)
#define RESTART_TIME 60000  /* ms */
#define WAIT_TIME    120000 /* ms in which the library has to answer after that */
#define TRY_EVERY    1000   /* ms */

const struct chsm_opt chsm_opts_client_point[] = {
    { "hostname", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, hostname), "HOST",
      "name or address of a node of the cluster" },
    CHSM_OPTS_CLUSTER,
    CHSM_OPTS_CLIENT,
    { "dry-run", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, dry_run), NULL, "show what would change, change nothing" },
    { "restart-file", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, restart_file), "FILE",
      "the program to run, one word a line" },
    { "restart-timeout", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, restart_timeout), "TIME",
      "for that program (default 60s)" },
    { "module", NULL, 'm', CHSM_OPT_TEXT, offsetof(struct chsm_args, module), "FILE", "wait until this PKCS#11 library answers" },
    { "module-env", NULL, 0, CHSM_OPT_LIST, offsetof(struct chsm_args, module_env), "NAME=VAL", "environment of the library" },
    { "wait-timeout", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, wait_timeout), "TIME",
      "for the library (default 120s)" },
    { "no-wait", NULL, 0, CHSM_OPT_FLAG, offsetof(struct chsm_args, no_wait), NULL, "do not wait for the library" },
    { 0 },
};

struct pointing {
    const struct chsm_args *args;
    char *host;
    struct chsm_client client;
    struct chsm_service service;
    struct chsm_point point;
    struct chsm_paths restart;       /* the words of the program */
    char *program;                   /* where it is */
    const char *module;              /* the library to wait for; NULL = none */
    json_t *aside;                   /* [{path, backup}] */
    const char *restarted, *library; /* what became of them: "done", "not needed", ... */
    int64_t now, restart_time, wait_time;
    chsm_deadline deadline; /* --timeout: of everything; 0 = none */
};

static void pointing_done(struct pointing *p)
{
    free(p->host);
    chsm_client_done(&p->client);
    chsm_service_done(&p->service);
    chsm_point_done(&p->point);
    chsm_paths_done(&p->restart);
    free(p->program);
    json_decref(p->aside);
}

/* Everything that can be found wrong before anything is changed. */
static int read_options(struct pointing *p, struct chsm_err *err)
{
    const struct chsm_args *a = p->args;
    int64_t whole = 0;

    if (a->words.n && a->restart_file)
        return chsm_fail(err, CHSM_USAGE, "--restart-file and a program after -- are both given");
    for (size_t i = 0; i < a->words.n; i++)
        if (chsm_paths_add(&p->restart, a->words.item[i], err) < 0)
            return -1;
    if (a->restart_file && chsm_client_run_words(a->restart_file, &p->restart, err) < 0)
        return -1;
    if (p->restart.n > 0 && chsm_client_program(p->restart.v[0], &p->program, err) < 0)
        return -1;
    p->module = a->module ? a->module : getenv("CHSMCTL_MODULE");
    if (p->module && access(p->module, R_OK) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "--module %s", p->module);
    for (size_t i = 0; i < a->module_env.n; i++)
        if (!strchr(a->module_env.item[i], '='))
            return chsm_fail(err, CHSM_USAGE, "--module-env %s is not NAME=VALUE", a->module_env.item[i]);
    if (a->timeout && chsm_duration_parse(a->timeout, &whole, err) < 0)
        return chsm_err_prefix(err, "--timeout");
    p->deadline = chsm_deadline_in(whole);
    return chsm_client_time(a->restart_timeout, "--restart-timeout", RESTART_TIME, &p->restart_time, err) < 0 ||
                   chsm_client_time(a->wait_timeout, "--wait-timeout", WAIT_TIME, &p->wait_time, err) < 0
               ? -1
               : 0;
}

/* The cluster's own names of its nodes. */
static int ask_azure(struct pointing *p, struct chsm_err *err)
{
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    json_auto_t *cluster = NULL;

    if (chsm_connect(p->args, /* need_cluster= */ true, &c, err) < 0 ||
        chsm_cluster_get(c.arm, &c.cluster, c.deadline, &cluster, err) < 0 || chsm_endpoint_first(cluster, &p->host, err) < 0)
        return -1;
    if (p->host)
        return 0;
    (void)chsm_fail(err, CHSM_INCONCLUSIVE, "Azure names no node of cluster %s", p->args->name);
    return chsm_err_hint(err, "give the name of one with --hostname; the cluster's private endpoint has it "
                              "(hsm1.chsm-...privatelink.cloudhsm.azure.net)");
}

static int find_host(struct pointing *p, struct chsm_err *err)
{
    const struct chsm_args *a = p->args;

    if (a->hostname && (a->group || a->name))
        return chsm_fail(err, CHSM_USAGE, "--hostname and a cluster are both given");
    if (!a->hostname && !a->group && !a->name) {
        (void)chsm_fail(err, CHSM_USAGE, "which cluster?");
        return chsm_err_hint(err, "give --hostname, or the cluster by --resource-group and --name");
    }
    if (!a->hostname)
        return ask_azure(p, err);
    p->host = strdup(a->hostname);
    if (!p->host)
        return chsm_oom(err);
    return chsm_endpoint_check(p->host, err) < 0 ? chsm_err_prefix(err, "--hostname") : 0;
}

static int find_copies(struct pointing *p, struct chsm_err *err)
{
    if (chsm_client_options(p->args, &p->client, &p->service, err) < 0)
        return -1;
    if (p->client.found[CHSM_CLIENT_RESOURCE].n > 0)
        return 0;
    (void)chsm_fail(err, CHSM_CONFIG, "there is no %s %s", CHSM_RESOURCE_CFG,
                    p->args->client_directories.n ? "in that folder" : "where the client is installed");
    return chsm_err_hint(
        err, "name the folder that holds it with --directory; a new one is {\"servers\":[{\"hostname\":\"%s\"}]}", p->host);
}

static char *join(const json_t *hosts)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
    const json_t *host;
    size_t i;

    json_array_foreach(hosts, i, host)
        if (chsm_buf_addf(&b, NULL, "%s%s", i ? ", " : "", json_string_value(host)) < 0)
            return NULL;
    return chsm_buf_take(&b);
}

static int add_copy_text(const struct chsm_point_copy *c, bool dry_run, struct chsm_buf *out, struct chsm_err *err)
{
    AUTO_FREE char *from = join(c->from), *to = join(c->to);

    if (!from || !to)
        return chsm_oom(err);
    if (!c->new)
        return chsm_buf_addf(out, err, "%s: points to %s already\n", c->path, to);
    if (chsm_buf_addf(out, err, "%s: %s\n  - %s\n  + %s\n", c->path, dry_run ? "would change" : "changed", from, to) < 0)
        return -1;
    return c->backup ? chsm_buf_addf(out, err, "  backup: %s\n", c->backup) : 0;
}

static int print_result(const struct pointing *p, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(TEXT_MAX);
    json_auto_t *copies = json_array();
    json_auto_t *result = NULL;
    const json_t *one;
    size_t i;

    for (i = 0; i < p->point.n; i++) {
        const struct chsm_point_copy *c = &p->point.copies[i];

        if (add_copy_text(c, p->args->dry_run, &text, err) < 0)
            return -1;
        if (json_array_append_new(copies, json_pack("{s:s, s:b, s:O, s:O, s:s*}", "path", c->path, "changed", c->new != NULL,
                                                    "from", c->from, "to", c->to, "backup", c->backup)) < 0)
            return chsm_oom(err);
    }
    json_array_foreach(p->aside, i, one)
        if (chsm_buf_addf(&text, err, "%s: %s\n", chsm_json_str(one, "path"),
                          chsm_json_str(one, "backup") ? "moved aside" : "would be moved aside") < 0)
            return -1;
    if (chsm_buf_addf(&text, err, "daemon: %s\nlibrary: %s\n", p->restarted, p->library) < 0)
        return -1;
    result =
        json_pack("{s:s, s:b, s:b, s:O, s:O, s:s, s:s}", "hostname", p->host, "changed", p->point.changes > 0, "dry_run",
                  p->args->dry_run, "copies", copies, "cluster_info", p->aside, "daemon", p->restarted, "library", p->library);
    return result ? chsm_out_report(result, chsm_buf_str(&text), err) : chsm_oom(err);
}

/*
 * What the daemon has learned of another cluster would outlive the change. It is only a memory: where a copy changes, what is not known to be
 * of the new cluster goes as well. Decided before anything is changed.
 */
static int find_learned(struct pointing *p, struct chsm_err *err)
{
    const struct chsm_paths *found = &p->client.found[CHSM_CLIENT_CLUSTER_INFO];

    for (size_t i = 0; i < found->n; i++) {
        AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_CLIENT_FILE_MAX);
        AUTO_PATHS struct chsm_paths learned = { 0 };
        struct chsm_paths none = { 0 };
        enum chsm_learned is;
        const char *which;

        if (chsm_client_read(found->v[i], CHSM_CLIENT_FILE_MAX, &text, NULL, err) < 0 ||
            chsm_learned_parse(chsm_buf_str(&text), text.len, &learned, err) < 0)
            return -1;
        is = chsm_learned_judge(&learned, p->host, &none, &which);
        if (is == CHSM_LEARNED_OWN || (is == CHSM_LEARNED_UNKNOWN && p->point.changes == 0))
            continue;
        if (json_array_append_new(p->aside, json_pack("{s:s}", "path", found->v[i])) < 0)
            return chsm_oom(err);
    }
    return 0;
}

static int set_aside_learned(struct pointing *p, struct chsm_err *err)
{
    json_t *one;
    size_t i;

    json_array_foreach(p->aside, i, one) {
        AUTO_FREE char *backup = NULL;

        if (chsm_point_set_aside(chsm_json_str(one, "path"), p->now, &backup, err) < 0)
            return -1;
        if (json_object_set_new(one, "backup", json_string(backup)) < 0)
            return chsm_oom(err);
    }
    return 0;
}

/* Whether the running daemon can have read what the copies say now. A restart cuts every session on this host, so it has to be needed. */
static bool restart_needed(const struct pointing *p, const struct chsm_daemon *d)
{
    if (p->point.changes > 0 || json_array_size(p->aside) > 0)
        return true;
    for (size_t i = 0; i < p->point.n; i++) {
        const struct chsm_point_copy *c = &p->point.copies[i];

        if (!chsm_daemon_newer(d, chsm_client_changed(c->path, &c->st)))
            return true;
    }
    return false;
}

/* Applications use the daemon's cluster: who has pointed a folder of their own has not pointed them. */
static void check_daemon(const struct pointing *p, const struct chsm_daemon *d)
{
    struct stat own, copy;

    if (!d->config || stat(d->config, &own) < 0)
        return;
    for (size_t i = 0; i < p->point.n; i++)
        if (stat(p->point.copies[i].path, &copy) == 0 && copy.st_dev == own.st_dev && copy.st_ino == own.st_ino)
            return;
    chsm_out_note(
        "the daemon that runs was started with %s, which is none of these copies: applications use the cluster that it names",
        d->config);
}

static chsm_deadline sooner(chsm_deadline whole, int64_t ms)
{
    chsm_deadline own = chsm_deadline_in(ms);

    return whole && whole < own ? whole : own;
}

static int restart(struct pointing *p, struct chsm_err *err)
{
    AUTO_DAEMON struct chsm_daemon d = { .pid = 0 };
    AUTO_FREE char *output = NULL;
    int rc;

    if (chsm_daemon_find(p->args->root, &d, err) < 0)
        return -1;
    check_daemon(p, &d);
    if (!restart_needed(p, &d)) {
        p->restarted = "not restarted, it knows the configuration";
        return 0;
    }
    if (p->restart.n == 0) {
        chsm_out_note("the daemon reads its configuration when it starts: restart it, then every application");
        return 0;
    }
    p->restarted = "restart failed";
    chsm_out_note("restarting the daemon: %s", p->restart.v[0]);
    rc = chsm_client_run(p->program, &p->restart, sooner(p->deadline, p->restart_time), &output, err);
    for (size_t n = output ? strlen(output) : 0; n > 0 && output[n - 1] == '\n'; n--)
        output[n - 1] = '\0';
    if (output && *output && (rc < 0 || p->args->verbose))
        chsm_out_note("%s: %s", p->restart.v[0], output);
    if (rc < 0) {
        (void)chsm_err_prefix(err, "the configuration points to %s, but the daemon was not restarted", p->host);
        return chsm_err_hint(
            err,
            "until it is, the client may still use the cluster from before; run this command again once the cause is mended");
    }
    p->restarted = "restarted";
    return 0;
}

/* The library starts, has a slot and tells of its token. Nobody logs in. */
static int try_library(const struct pointing *p, const char *folder, int64_t ms, struct chsm_err *err)
{
    struct chsm_hsm_target target = { .module = p->module, .directory = folder, .env = p->args->module_env.item, .timeout = ms };
    struct chsm_hsm *hsm = NULL;

    if (chsm_hsm_open(&target, NULL, &hsm, err) < 0)
        return -1;
    chsm_hsm_close(hsm);
    return 0;
}

static int wait_library(struct pointing *p, struct chsm_err *err)
{
    AUTO_FREE char *folder = chsm_path_dir(p->point.copies[0].path);
    chsm_deadline deadline = sooner(p->deadline, p->wait_time);
    struct chsm_err why = { 0 };

    if (!p->module || p->args->no_wait)
        return 0;
    if (!folder)
        return chsm_oom(err);
    while (chsm_deadline_left(deadline) > 0) {
        if (try_library(p, folder, chsm_deadline_left(deadline), &why) == 0) {
            p->library = "answers";
            return 0;
        }
        chsm_out_progress(why.text);
        if (why.code == CHSM_INTERRUPTED || chsm_sleep(TRY_EVERY, deadline, err) < 0)
            break;
    }
    p->library = "does not answer";
    if (chsm_interrupted())
        why.code = CHSM_INTERRUPTED;
    *err = why;
    err->code = why.code == CHSM_INTERRUPTED ? CHSM_INTERRUPTED : CHSM_DEADLINE;
    return chsm_err_prefix(err, "the configuration points to %s, but the library does not answer", p->host);
}

static int change(struct pointing *p, struct chsm_err *err)
{
    if (p->point.changes > 0 && (chsm_point_stage(&p->point, p->now, err) < 0 || chsm_point_commit(&p->point, err) < 0))
        return -1;
    if (set_aside_learned(p, err) < 0)
        return p->point.changes ? chsm_err_prefix(err, "the configuration points to %s now", p->host) : -1;
    return 0;
}

int chsm_cmd_client_point(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO(pointing_done)
    struct pointing p = {
        .args = args, .aside = json_array(), .now = chsm_now(), .restarted = "not restarted", .library = "not waited for"
    };
    int rc;

    (void)ret_code;
    if (read_options(&p, err) < 0 || find_host(&p, err) < 0 || find_copies(&p, err) < 0 ||
        chsm_point_plan(&p.client.found[CHSM_CLIENT_RESOURCE], p.host, &p.point, err) < 0 || find_learned(&p, err) < 0)
        return -1;
    if (args->dry_run)
        return print_result(&p, err);
    if (change(&p, err) < 0)
        return -1;
    rc = restart(&p, err) < 0 || wait_library(&p, err) < 0 ? -1 : 0;
    /* What was done is the result, whatever came after it. */
    return rc < 0 ? (void)print_result(&p, NULL), -1 : print_result(&p, err);
}
