/* SPDX-License-Identifier: Apache-2.0 */
/* The device code flow (facts: entra-auth.md §7). The person is `chsm-sim device`. */
#include "config.h"

#include <strings.h>

#include "sim/login.h"
#include "util/clock.h"

#define LIFE_MS 900000

static json_t *table(struct sim_call *c, const char *name)
{
    json_t *t = json_object_get(c->root, name);

    if (!t) {
        t = json_object();
        if (json_object_set_new(c->root, name, t) < 0)
            return NULL;
    }
    return t;
}

/* A public client: Azure CLI's own, or one that is registered as such. 0: good; 1: refused. */
static int check_client(struct sim_call *c, const json_t *form, struct chsm_err *err)
{
    const char *client = chsm_json_str(form, "client_id");
    const json_t *principal = client ? sim_login_principal(c->root, client) : NULL;
    int rc;

    if (!client)
        rc = sim_login_refuse(c, err, 400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.");
    else if (strcasecmp(client, SIM_CLI_CLIENT) == 0 || json_is_true(json_object_get(principal, "publicClient")))
        return 0;
    else if (!principal)
        rc = sim_login_refuse(c, err, 400, "unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory.", client);
    else
        rc = sim_login_refuse(c, err, 401, "invalid_client", 7000218,
                              "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
    return rc < 0 ? -1 : 1;
}

int sim_login_device(struct sim_call *c, const json_t *form, struct chsm_err *err)
{
    const char *scope = chsm_json_str(form, "scope");
    json_int_t interval = (json_int_t)sim_timing(c->root, "deviceInterval") / 1000;
    AUTO_FREE char *resource = NULL;
    json_t *devices = table(c, "devices");
    char code[37], user[10];
    unsigned char dice[4];
    int rc = check_client(c, form, err);

    if (rc == 0)
        rc = sim_login_scope(c, scope ? scope : "", true, &resource, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (chsm_uuid(code, err) < 0 || chsm_random(dice, sizeof dice, err) < 0)
        return -1;
    (void)snprintf(user, sizeof user, "%02X%02X%02X%02X", dice[0], dice[1], dice[2], dice[3]);
    if (!devices || json_object_set_new(devices, code,
                                        json_pack("{s:s,s:s,s:s,s:s*,s:I,s:s,s:I}", "userCode", user, "clientId", chsm_json_str(form, "client_id"),
                                                  "resource", resource, "claims", chsm_json_str(form, "claims"), "until",
                                                  (json_int_t)(c->now + LIFE_MS), "state", "pending", "polled", (json_int_t)c->now)) < 0)
        return chsm_oom(err);
    c->state->dirty = true;
    return sim_answer_json(c->an, 200, json_pack("{s:s,s:s,s:s,s:i,s:I,s:o}", "user_code", user, "device_code", code, "verification_uri",
                                                 "https://microsoft.com/devicelogin", "expires_in", LIFE_MS / 1000, "interval",
                                                 interval ? interval : 1, "message",
                                                 json_sprintf("To sign in, use a web browser to open the page https://microsoft.com/devicelogin "
                                                              "and enter the code %s to authenticate.", user)), err);
}

/* A token for the person, who is the first principal, and a refresh token that works once. */
static int issue(struct sim_call *c, const char *client, const char *resource, const char *claims, struct chsm_err *err)
{
    const json_t *person = json_array_get(json_object_get(c->root, "principals"), 0);
    json_t *refreshes = table(c, "refreshes");
    char refresh[37];

    if (chsm_uuid(refresh, err) < 0)
        return -1;
    if (!refreshes || json_object_set_new(refreshes, refresh, json_string(client)) < 0)
        return chsm_oom(err);
    c->state->dirty = true;
    return sim_login_issue(c, person, resource, claims, refresh, err);
}

static int poll_answer(struct sim_call *c, json_t *device, const char *code, struct chsm_err *err)
{
    const char *state = sim_root_str(device, "state");
    bool early = c->now - sim_when(device, "polled") < sim_timing(c->root, "deviceInterval") * 9 / 10;

    c->state->dirty = true;
    if (json_object_set_new(device, "polled", json_integer(c->now)) < 0)
        return chsm_oom(err);
    if (early)
        return sim_login_refuse(c, err, 400, "slow_down", 70016, "The client polls too often.");
    if (c->now > sim_when(device, "until"))
        return sim_login_refuse(c, err, 400, "expired_token", 70019, "The verification code has expired.");
    if (chsm_streq(state, "declined"))
        return sim_login_refuse(c, err, 400, "authorization_declined", 70044, "The person declined the sign-in.");
    if (!chsm_streq(state, "approved"))
        return sim_login_refuse(c, err, 400, "authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue "
                                "polling.");
    if (issue(c, sim_root_str(device, "clientId"), sim_root_str(device, "resource"), chsm_json_str(device, "claims"), err) < 0)
        return -1;
    return json_object_del(json_object_get(c->root, "devices"), code) < 0 ? chsm_oom(err) : 0;
}

int sim_login_device_poll(struct sim_call *c, const json_t *form, struct chsm_err *err)
{
    const char *code = chsm_json_str(form, "device_code");
    json_t *device = code ? json_object_get(json_object_get(c->root, "devices"), code) : NULL;
    int rc = check_client(c, form, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (!device || strcasecmp(sim_root_str(device, "clientId"), chsm_json_str(form, "client_id")) != 0)
        return sim_login_refuse(c, err, 400, "bad_verification_code", 70018, "The device code is not known.");
    return poll_answer(c, device, code, err);
}

int sim_login_refresh(struct sim_call *c, const json_t *form, struct chsm_err *err)
{
    const char *token = chsm_json_str(form, "refresh_token"), *scope = chsm_json_str(form, "scope"), *client = chsm_json_str(form, "client_id");
    json_t *refreshes = json_object_get(c->root, "refreshes");
    const char *known = token ? chsm_json_str(refreshes, token) : NULL;
    AUTO_FREE char *resource = NULL;
    int rc = check_client(c, form, err);

    if (rc == 0 && (!known || strcasecmp(known, client) != 0))
        return sim_login_refuse(c, err, 400, "invalid_grant", 70008, "The refresh token has expired or is not known.");
    if (rc == 0)
        rc = sim_login_scope(c, scope ? scope : "", true, &resource, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (json_object_del(refreshes, token) < 0)
        return chsm_oom(err);
    return issue(c, client, resource, chsm_json_str(form, "claims"), err);
}
