/* SPDX-License-Identifier: Apache-2.0 */
/* `chsm-sim app`, `chsm-sim device` and `chsm-sim revoke`: what happens around a sign-in. */
#include "config.h"

#include <strings.h>

#include "sim/login.h"
#include "sim/opts.h"
#include "sim/principal.h"
#include "util/clock.h"

static json_t *find(const json_t *root, const char *name)
{
    json_t *p = sim_login_principal(root, name);
    size_t i;

    if (p)
        return p;
    json_array_foreach(json_object_get(root, "principals"), i, p)
        if (chsm_streq(sim_root_str(p, "name"), name))
            return p;
    return NULL;
}

int sim_cmd_app(int argc, char **argv, struct chsm_err *err)
{
    AUTO_STATE struct sim_state s = { .lock = -1 };
    const char *dir = NULL, *name = NULL, *certificate = NULL;
    struct sim_federated f = { .issuer = NULL };
    bool public = false;
    const struct sim_opt opts[] = {
        { "dir", &dir, NULL }, { "certificate", &certificate, NULL }, { "issuer", &f.issuer, NULL }, { "subject", &f.subject, NULL },
        { "audience", &f.audience, NULL }, { "key", &f.key, NULL }, { "public", NULL, &public },
    };
    json_t *principal;

    if (sim_opts_parse(argc, argv, opts, ARRAY_LEN(opts), &name, 1, err) < 0)
        return -1;
    if (!dir || !name || (!certificate && !f.issuer && !public))
        return chsm_fail(err, CHSM_USAGE, "app needs --dir, an application, and --certificate, --issuer or --public");
    if (f.issuer && (!f.subject || !f.key))
        return chsm_fail(err, CHSM_USAGE, "--issuer goes with --subject and --key");
    if (sim_state_open(dir, &s, err) < 0)
        return -1;
    principal = find(s.root, name);
    if (!principal)
        return chsm_fail(err, CHSM_CONFIG, "no application is called '%s'", name);
    if ((certificate && sim_principal_certificate(principal, certificate, err) < 0) ||
        (f.issuer && sim_principal_federated(principal, &f, err) < 0))
        return -1;
    if (public && json_object_set_new(principal, "publicClient", json_true()) < 0)
        return chsm_oom(err);
    s.dirty = true;
    return sim_state_save(&s, err);
}

int sim_cmd_device(int argc, char **argv, struct chsm_err *err)
{
    AUTO_STATE struct sim_state s = { .lock = -1 };
    const char *dir = NULL, *verb = NULL, *key;
    const struct sim_opt opts[] = { { "dir", &dir, NULL } };
    json_t *device;
    bool any = false;

    if (sim_opts_parse(argc, argv, opts, ARRAY_LEN(opts), &verb, 1, err) < 0)
        return -1;
    if (!dir || (!chsm_streq(verb, "approve") && !chsm_streq(verb, "decline")))
        return chsm_fail(err, CHSM_USAGE, "device needs --dir and one of approve, decline");
    if (sim_state_open(dir, &s, err) < 0)
        return -1;
    json_object_foreach(json_object_get(s.root, "devices"), key, device) {
        if (!chsm_streq(sim_root_str(device, "state"), "pending"))
            continue;
        if (json_object_set_new(device, "state", json_string(chsm_streq(verb, "approve") ? "approved" : "declined")) < 0)
            return chsm_oom(err);
        any = true;
    }
    if (!any)
        return chsm_fail(err, CHSM_CONFIG, "no code waits to be entered");
    s.dirty = true;
    return sim_state_save(&s, err);
}

int sim_cmd_revoke(int argc, char **argv, struct chsm_err *err)
{
    AUTO_STATE struct sim_state s = { .lock = -1 };
    const char *dir = NULL;
    bool forever = false, off = false;
    const struct sim_opt opts[] = { { "dir", &dir, NULL }, { "forever", NULL, &forever }, { "off", NULL, &off } };

    if (sim_opts_parse(argc, argv, opts, ARRAY_LEN(opts), NULL, 0, err) < 0)
        return -1;
    if (!dir || (forever && off))
        return chsm_fail(err, CHSM_USAGE, "revoke needs --dir, and --forever or --off, not both");
    if (sim_state_open(dir, &s, err) < 0)
        return -1;
    if (off)
        (void)json_object_del(s.root, "revoked");
    else if (json_object_set_new(s.root, "revoked", json_pack("{s:I,s:b}", "at", (json_int_t)(chsm_now() / 1000), "forever", forever)) < 0)
        return chsm_oom(err);
    s.dirty = true;
    return sim_state_save(&s, err);
}

char *sim_login_challenge(const json_t *root, const json_t *token)
{
    const json_t *revoked = json_object_get(root, "revoked");
    json_int_t at = json_integer_value(json_object_get(revoked, "at"));
    json_auto_t *claims = NULL;

    if (!revoked || !json_object_get(token, "xms_cc"))
        return NULL;
    if (json_integer_value(json_object_get(token, "sim_nbf")) >= at && !json_is_true(json_object_get(revoked, "forever")))
        return NULL;
    claims = json_pack("{s:{s:{s:b,s:o}}}", "access_token", "nbf", "essential", 1, "value", json_sprintf("%lld", (long long)at));
    return claims ? json_dumps(claims, JSON_COMPACT) : NULL;
}
