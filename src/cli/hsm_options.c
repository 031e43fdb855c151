/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>

#include "cli/hsm_options.h"
#include "pkcs11/uri.h"
#include "util/buf.h"

/* Of --uri: the program has one command line. */
static struct chsm_uri uri;

/* "NAME=SOURCE"; what stands after a wrong source is not quoted: it may be the PIN itself. */
static int read_login(const char *text, struct chsm_login *ret, struct chsm_err *err)
{
    const char *eq = strchr(text, '=');
    const char *source = eq && strcmp(eq + 1, "uri") == 0 && uri.pin_source ? uri.pin_source : eq ? eq + 1 : "";
    AUTO_FREE char *what = NULL;

    if (!eq || eq == text || !chsm_secret_source_ok(source)) {
        (void)chsm_fail(err, CHSM_USAGE, "--login is not NAME=SOURCE");
        return chsm_err_hint(err, "the PIN comes from file:PATH, env:NAME, fd:N, cmd:PROGRAM, prompt or uri (its pin-source), e.g. "
                             "--login cu1=file:/run/secrets/cu1");
    }
    ret->name = strndup(text, (size_t)(eq - text));
    what = ret->name ? chsm_strf("PIN of %s", ret->name) : NULL;
    return what ? chsm_secret_read(source, what, &ret->pin, err) : chsm_oom(err);
}

int chsm_hsm_options_logins(const struct chsm_list *list, struct chsm_login **ret, struct chsm_err *err)
{
    struct chsm_login *logins = calloc(list->n ? list->n : 1, sizeof *logins);
    int rc = logins ? 0 : chsm_oom(err);

    if (rc == 0 && list->n == 0)
        rc = chsm_fail(err, CHSM_USAGE, "--login is needed");
    for (size_t i = 0; rc == 0 && i < list->n; i++) {
        rc = read_login(list->item[i], &logins[i], err);
        for (size_t k = 0; rc == 0 && k < i; k++)
            if (strcmp(logins[k].name, logins[i].name) == 0)
                rc = chsm_fail(err, CHSM_USAGE, "--login %s is given twice", logins[i].name);
    }
    if (rc < 0) {
        chsm_logins_free(logins, list->n);
        return -1;
    }
    *ret = logins;
    return 0;
}

static int read_number(const char *option, const char *text, int base, unsigned long *ret, struct chsm_err *err)
{
    char *end = NULL;

    errno = 0;
    *ret = strtoul(text, &end, base);
    if (errno || *end || end == text || text[0] == '-')
        return chsm_fail(err, CHSM_USAGE, "%s %s is not a number", option, text);
    return 0;
}

static int read_numbers(const struct chsm_args *args, struct chsm_hsm_target *ret, struct chsm_err *err)
{
    unsigned long jobs = 0;

    if (args->module_timeout && chsm_duration_parse(args->module_timeout, &ret->timeout, err) < 0)
        return chsm_err_prefix(err, "--module-timeout");
    if (args->slot && read_number("--slot", args->slot, 0, &ret->slot, err) < 0)
        return -1;
    if (args->jobs && read_number("--jobs", args->jobs, 10, &jobs, err) < 0)
        return -1;
    if (args->jobs && (jobs < 1 || jobs > CHSM_HSM_JOBS_MAX))
        return chsm_fail(err, CHSM_USAGE, "--jobs %s is not a number from 1 to %u", args->jobs, CHSM_HSM_JOBS_MAX);
    ret->jobs = (unsigned)jobs;
    return 0;
}

static int read_uri(const struct chsm_args *args, struct chsm_err *err)
{
    chsm_uri_done(&uri);
    if (!args->uri)
        return 0;
    if (args->slot || args->token_label || args->serial)
        return chsm_fail(err, CHSM_USAGE, "--uri chooses the token: --slot, --token-label and --serial do not go with it");
    if (chsm_uri_parse(args->uri, &uri, err) < 0)
        return -1;
    if (args->module && uri.module_path)
        return chsm_fail(err, CHSM_USAGE, "--module and the URI's module-path name the library twice");
    return 0;
}

int chsm_hsm_options_target(const struct chsm_args *args, struct chsm_hsm_target *ret, struct chsm_err *err)
{
    if (read_uri(args, err) < 0)
        return -1;
    *ret = (struct chsm_hsm_target){ .module = args->module ? args->module : uri.module_path ? uri.module_path : getenv("CHSMCTL_MODULE"),
                                     .directory = args->directory, .env = args->module_env.item, .token_label = args->token_label,
                                     .serial = args->serial, .uri = args->uri, .init = args->module_init,
                                     .accept_shared_login = args->accept_shared_login, .slot_given = args->slot != NULL };
    if (chsm_args_need(ret->module, "--module", err) < 0)
        return -1;
    if (args->timeout) {
        (void)chsm_fail(err, CHSM_USAGE, "--timeout has no meaning for this command");
        return chsm_err_hint(err, "--module-timeout limits each step of the library");
    }
    if (args->record)
        return chsm_fail(err, CHSM_USAGE, "--record has no meaning for this command: it asks no service anything");
    for (size_t i = 0; i < args->module_env.n; i++)
        if (!strchr(args->module_env.item[i], '='))
            return chsm_fail(err, CHSM_USAGE, "--module-env %s is not NAME=VALUE", args->module_env.item[i]);
    return read_numbers(args, ret, err);
}
