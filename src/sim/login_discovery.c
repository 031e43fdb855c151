/* SPDX-License-Identifier: Apache-2.0 */
/* What clients of MSAL ask before they sign in (facts: entra-auth.md §1). */
#include "config.h"

#include "sim/login.h"

int sim_login_configuration(struct sim_call *c, struct chsm_err *err)
{
    const char *base = c->cloud->url[SIM_LOGIN], *tenant = c->rq->seg[0];

    return sim_answer_json(c->an, 200, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:[s,s],s:[s]}",
                                                 "token_endpoint", json_sprintf("%s/%s/oauth2/v2.0/token", base, tenant),
                                                 "authorization_endpoint", json_sprintf("%s/%s/oauth2/v2.0/authorize", base, tenant),
                                                 "device_authorization_endpoint", json_sprintf("%s/%s/oauth2/v2.0/devicecode", base, tenant),
                                                 "end_session_endpoint", json_sprintf("%s/%s/oauth2/v2.0/logout", base, tenant),
                                                 "jwks_uri", json_sprintf("%s/%s/discovery/v2.0/keys", base, tenant),
                                                 "issuer", json_sprintf("%s/%s/v2.0", base, sim_root_str(c->root, "tenant")),
                                                 "token_endpoint_auth_methods_supported", "client_secret_post", "private_key_jwt",
                                                 "response_types_supported", "code"), err);
}
