/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/client_options.h"
#include "cli/commands.h"
#include "cli/keys_common.h"
#include "cli/output.h"
#include "client/doctor.h"
#include "client/handles.h"
#include "client/look.h"
#include "util/path.h"

#define TEXT_MAX     (4u << 20)
#define MODULE_TIME  20000 /* ms */
#define CONNECT_TIME 5000  /* ms */

const struct chsm_opt chsm_opts_client_show[] = { CHSM_OPTS_CLIENT, { 0 } };
const struct chsm_opt chsm_opts_client_doctor[] = {
    CHSM_OPTS_CLIENT,
    CHSM_OPTS_REACH,
    { "module", NULL, 'm', CHSM_OPT_TEXT, offsetof(struct chsm_args, module), "FILE",
      "PKCS#11 library (default: the client's own)" },
    { "module-env", NULL, 0, CHSM_OPT_LIST, offsetof(struct chsm_args, module_env), "NAME=VAL", "environment of the library" },
    { "module-timeout", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, module_timeout), "TIME",
      "for its start (default 20s)" },
    { "scan", NULL, 0, CHSM_OPT_LIST, offsetof(struct chsm_args, scan), "DIR",
      "look for fake private keys there; may be repeated" },
    { "inventory", NULL, 'i', CHSM_OPT_TEXT, offsetof(struct chsm_args, inventory), "FILE",
      "look for handles in its certificates' IDs" },
    { 0 },
};

static int look(const struct chsm_args *args, json_t **ret, struct chsm_err *err)
{
    static const char *const here[] = { ".", NULL };
    AUTO_CLIENT struct chsm_client client = { .bases = { 0 } };
    AUTO_SERVICE struct chsm_service service = { .unit = NULL };
    const char *const *folders = args->client_directories.n ? args->client_directories.item : here;

    if (chsm_client_options(args, &client, &service, err) < 0)
        return -1;
    return chsm_client_look(args->root, &client, &service, folders, ret, err);
}

/* One value after another: strings as they are, the rest as JSON. */
static int add_values(const json_t *list, struct chsm_buf *b, struct chsm_err *err)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one) {
        AUTO_FREE char *text = json_is_string(one) ? strdup(json_string_value(one)) : chsm_json_canonical(one);

        if (!text)
            return chsm_oom(err);
        if (chsm_buf_addf(b, err, "%s%s", i ? ", " : "", text) < 0)
            return -1;
    }
    return 0;
}

static int add_row(json_t *rows, const char *what, const char *path, const char *said, struct chsm_err *err)
{
    return json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "what", what, "path", path, "says", said)) < 0 ? chsm_oom(err)
                                                                                                                   : 0;
}

/* What one entry of the look says, in a line. */
static int describe(const json_t *entry, struct chsm_buf *b, struct chsm_err *err)
{
    const json_t *settings = json_object_get(entry, "settings"), *value;
    const char *subject = chsm_json_str(entry, "subject"), *version = chsm_json_str(entry, "version"), *key;

    if (chsm_json_str(entry, "error"))
        return chsm_buf_adds(b, chsm_json_str(entry, "error"), err);
    if (add_values(json_object_get(entry, "hosts"), b, err) < 0 || add_values(json_object_get(entry, "addresses"), b, err) < 0)
        return -1;
    if (subject && chsm_buf_addf(b, err, "%s, until %s, SHA-256 %.16s...", subject, chsm_json_str(entry, "not_after"),
                                 chsm_json_str(entry, "sha256")) < 0)
        return -1;
    json_object_foreach((json_t *)(uintptr_t)settings, key, value)
        if (chsm_buf_addf(b, err, "%s%s=%s", b->len ? " " : "", key, json_string_value(value)) < 0)
            return -1;
    return version ? chsm_buf_adds(b, version, err) : 0;
}

static int add_entries(json_t *rows, const char *what, const json_t *list, struct chsm_err *err)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry) {
        AUTO_BUF struct chsm_buf said = CHSM_BUF(TEXT_MAX);
        const char *path = json_is_string(entry) ? json_string_value(entry) : chsm_json_str(entry, "path");

        if (describe(entry, &said, err) < 0 || add_row(rows, what, path, chsm_buf_str(&said), err) < 0)
            return -1;
    }
    return 0;
}

static int add_service(json_t *rows, const json_t *found, struct chsm_err *err)
{
    const json_t *service = json_object_get(found, "service"), *daemon = json_object_get(found, "daemon");
    long long pid = (long long)json_integer_value(json_object_get(daemon, "pid"));
    AUTO_BUF struct chsm_buf b = CHSM_BUF(TEXT_MAX), d = CHSM_BUF(TEXT_MAX);

    if (json_is_object(service)) {
        bool masked = json_is_true(json_object_get(service, "masked")),
             enabled = json_is_true(json_object_get(service, "enabled"));

        if (chsm_buf_addf(&b, err, "%s: ",
                          masked    ? "masked"
                          : enabled ? "enabled"
                                    : "not enabled") < 0 ||
            add_values(json_object_get(service, "argv"), &b, err) < 0 ||
            add_row(rows, "service", chsm_json_str(service, "unit"), chsm_buf_str(&b), err) < 0)
            return -1;
    }
    if (pid == 0)
        return add_row(rows, "daemon", "", json_is_true(json_object_get(daemon, "visible")) ? "does not run" : "cannot be seen",
                       err);
    if (chsm_buf_addf(&d, err, "process %lld since %s%s", pid,
                      chsm_json_str(daemon, "started") ? chsm_json_str(daemon, "started") : "?",
                      json_is_true(json_object_get(daemon, "outdated")) ? ", before the configuration was changed" : "") < 0)
        return -1;
    return add_row(rows, "daemon", json_string_value(json_array_get(json_object_get(daemon, "argv"), 0)), chsm_buf_str(&d), err);
}

static int make_rows(const json_t *found, json_t *rows, struct chsm_err *err)
{
    static const struct {
        const char *member, *what;
    } lists[] = {
        { "copies", "points to" },
        { "configurations", "configuration" },
        { "owner_certificates", "owner certificate" },
        { "applications", "application" },
        { "libraries", "library" },
        { "learned", "learned addresses" },
        { "versions", "version" },
    };
    const json_t *folder;
    size_t i;

    for (i = 0; i < ARRAY_LEN(lists); i++)
        if (add_entries(rows, lists[i].what, json_object_get(found, lists[i].member), err) < 0)
            return -1;
    json_array_foreach(json_object_get(found, "working_directories"), i, folder)
        if (add_row(rows, "working directory", chsm_json_str(folder, "path"),
                    json_is_true(json_object_get(folder, "application")) ? "has azcloudhsm_application.cfg"
                                                                         : "has no azcloudhsm_application.cfg",
                    err) < 0)
            return -1;
    return add_service(rows, found, err);
}

int chsm_cmd_client_show(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    static const struct chsm_column columns[] = { { "WHAT", "what" }, { "PATH", "path" }, { "SAYS", "says" }, { 0 } };
    json_auto_t *found = NULL, *rows = json_array();

    (void)ret_code;
    if (look(args, &found, err) < 0 || make_rows(found, rows, err) < 0)
        return -1;
    return chsm_out_resource(chsm_out_is_table() ? rows : found, columns, err);
}

/* The library starts, has a slot and tells of its token; nobody logs in. */
static int try_library(const struct chsm_args *args, chsm_deadline deadline, struct chsm_doctor *d, struct chsm_err *err)
{
    static const char remedy[] =
        "mend what is said of the daemon and the nodes; the library needs azcloudhsm_application.cfg in its working directory";
    const char *own = args->root ? NULL : json_string_value(json_array_get(json_object_get(d->look, "libraries"), 0));
    const char *set = getenv("CHSMCTL_MODULE"), *module = args->module ? args->module : set ? set : own;
    struct chsm_hsm_target target = { .module = module,
                                      .directory = args->client_directories.item[0],
                                      .env = args->module_env.item };
    struct chsm_hsm *hsm = NULL;
    struct chsm_err why = { 0 };

    if (chsm_client_time(args->module_timeout, "--module-timeout", MODULE_TIME, &target.timeout, err) < 0)
        return -1;
    target.timeout = chsm_deadline_left(deadline) < target.timeout ? chsm_deadline_left(deadline) : target.timeout;
    if (target.timeout == 0)
        return chsm_doctor_add(d, CHSM_DOCTOR_UNKNOWN, "library", "give it more --timeout", err,
                               "no time was left to try the library");
    if (!module)
        return chsm_doctor_add(
            d, CHSM_DOCTOR_WARNING, "library", "name the library with --module", err, "no library was tried: %s",
            args->root ? "that of another root is not loaded unasked" : "libazcloudhsm_pkcs11.so was not found");
    if (chsm_hsm_open(&target, NULL, &hsm, &why) < 0) {
        if (why.code == CHSM_INTERRUPTED) {
            *err = why;
            return -1;
        }
        return chsm_doctor_add(d, CHSM_DOCTOR_PROBLEM, "library", why.hint[0] ? why.hint : remedy, err, "%s: %s", module,
                               why.text);
    }
    chsm_hsm_close(hsm);
    return chsm_doctor_add(d, CHSM_DOCTOR_OK, "library", NULL, err, "%s starts and tells of its token", module);
}

static int find_handles(const struct chsm_args *args, struct chsm_doctor *d, struct chsm_err *err)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    json_auto_t *scan = NULL, *certificates = NULL;

    if (args->scan.n && chsm_handles_scan(args->scan.item, &scan, err) < 0)
        return -1;
    if (args->inventory &&
        (chsm_keys_load(args->inventory, &inv, err) < 0 || chsm_handles_certificates(&inv, &certificates, err) < 0))
        return -1;
    return chsm_doctor_handles(d, scan, certificates, err);
}

struct nodes {
    struct chsm_reach v[CHSM_REACH_MAX];
    size_t n;
};

static void nodes_done(struct nodes *nodes)
{
    for (size_t i = 0; i < nodes->n; i++)
        chsm_reach_done(&nodes->v[i]);
}

static int reach_nodes(const struct chsm_args *args, chsm_deadline deadline, const json_t *found, struct nodes *nodes,
                       bool *ret_all, struct chsm_err *err)
{
    AUTO_PATHS struct chsm_paths hosts = { 0 };
    int64_t limit;
    unsigned port;

    if (chsm_client_port(args, &port, err) < 0 ||
        chsm_client_time(args->connect_timeout, "--connect-timeout", CONNECT_TIME, &limit, err) < 0 ||
        chsm_doctor_hosts(found, &hosts, ret_all, err) < 0)
        return -1;
    for (size_t i = 0; i < hosts.n; i++) {
        if (chsm_reach_init(&nodes->v[i], hosts.v[i], err) < 0)
            return -1;
        nodes->n++;
    }
    limit = chsm_deadline_left(deadline) < limit ? chsm_deadline_left(deadline) : limit;
    return chsm_reach_all(nodes->v, nodes->n, port, chsm_mono() + limit, err);
}

static int print_findings(const struct chsm_doctor *d, enum chsm_finding_level worst, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "LEVEL", "level" }, { "CHECK", "check" }, { "WHAT", "what" }, { "REMEDY", "remedy" }, { 0 }
    };
    AUTO_BUF struct chsm_buf text = CHSM_BUF(TEXT_MAX);
    json_auto_t *result = json_pack("{s:s, s:O}", "outcome", chsm_doctor_level_name(worst), "findings", d->findings);
    const json_t *f;
    size_t i;

    if (!result)
        return chsm_oom(err);
    if (!chsm_out_is_text())
        return chsm_out_resource(chsm_out_is_table() ? d->findings : result, columns, err);
    json_array_foreach(d->findings, i, f) {
        const char *remedy = chsm_json_str(f, "remedy");

        if (chsm_buf_addf(&text, err, "%-8s %s: %s\n", chsm_json_str(f, "level"), chsm_json_str(f, "check"),
                          chsm_json_str(f, "what")) < 0 ||
            (remedy && chsm_buf_addf(&text, err, "         -> %s\n", remedy) < 0))
            return -1;
    }
    return chsm_out_report(result, chsm_buf_str(&text), err);
}

int chsm_cmd_client_doctor(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_DOCTOR struct chsm_doctor d = { .now = chsm_now() };
    AUTO(nodes_done) struct nodes nodes = { .n = 0 };
    json_auto_t *found = NULL;
    enum chsm_finding_level worst;
    chsm_deadline deadline;
    int64_t whole = 0;
    bool all = false;

    if (args->timeout && chsm_duration_parse(args->timeout, &whole, err) < 0)
        return chsm_err_prefix(err, "--timeout");
    deadline = chsm_deadline_in(whole);
    if (look(args, &found, err) < 0 || reach_nodes(args, deadline, found, &nodes, &all, err) < 0)
        return -1;
    d.look = found;
    d.nodes = nodes.v;
    d.n_nodes = nodes.n;
    if (chsm_doctor_judge(&d, all, err) < 0 || try_library(args, deadline, &d, err) < 0 || find_handles(args, &d, err) < 0)
        return -1;
    worst = chsm_doctor_worst(&d);
    *ret_code = worst == CHSM_DOCTOR_PROBLEM ? CHSM_FAILED : worst == CHSM_DOCTOR_UNKNOWN ? CHSM_INCONCLUSIVE : CHSM_OK;
    return print_findings(&d, worst, err);
}
