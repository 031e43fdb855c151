/* SPDX-License-Identifier: Apache-2.0 */
/* An ARM of our own: a scripted server that signs in and answers as the resource manager, and a client for it. */
#ifndef CHSM_TESTS_AZURE_WORLD_H
#define CHSM_TESTS_AZURE_WORLD_H

#include "tests/unit/check.h"

#include "azure/arm.h"
#include "tests/unit/azure_server.h"

#define SUBSCRIPTION "00000000-0000-0000-0000-000000000000"
#define ANSWER(status, headers, body) "HTTP/1.1 " status "\r\n" headers "Connection: close\r\n\r\n" body
#define TOKEN(name) ANSWER("200 OK", "", "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" name "\"}")

struct arm_world {
    struct server *server;
    struct chsm_arm arm;
    struct chsm_err err;
};

/* credential: "token" (the static token "s3cret") or "environment" (a client secret; the script then begins with TOKEN()). */
static inline void arm_world_open_on(struct arm_world *w, struct server *server, const char *credential, const char *record)
{
    *w = (struct arm_world){ .server = server };
    setenv("AZURE_ACCESS_TOKEN", "s3cret", 1);
    setenv("AZURE_TENANT_ID", "tenant-1", 1);
    setenv("AZURE_CLIENT_ID", "client-1", 1);
    setenv("AZURE_CLIENT_SECRET", "p+w=&", 1);
    w->arm.poll_interval = 10;
    w->arm.cloud = (struct chsm_cloud){ .name = strdup("Test"), .resource_manager = strdup(server_url(w->server)),
                                        .authority = strdup(server_url(w->server)), .arm_resource = strdup("https://management.test"),
                                        .storage_suffix = strdup("core.test"),
                                        .storage_resource = strdup("https://storage.test") };
    assert_ok(chsm_http_new(&(struct chsm_http_opts){ .ca_file = server_ca(w->server), .timeout = 5000, .record = record },
                            &w->arm.http, &w->err), w->err);
    memcpy(w->arm.correlation, chsm_http_correlation(w->arm.http), sizeof w->arm.correlation);
    assert_ok(chsm_credential_new(credential, w->arm.http, &w->arm.cloud, &w->arm.credential, &w->err), w->err);
}

static inline void arm_world_open_tls(struct arm_world *w, enum server_tls tls, const char *credential, const char *const *script)
{
    arm_world_open_on(w, server_new_tls(tls, script), credential, NULL);
}

static inline void arm_world_open(struct arm_world *w, const char *credential, const char *const *script)
{
    arm_world_open_tls(w, SERVER_GOOD, credential, script);
}

static inline void arm_world_close(struct arm_world *w)
{
    chsm_credential_free(w->arm.credential);
    chsm_cloud_done(&w->arm.cloud);
    chsm_http_free(w->arm.http);
    server_free(w->server);
}

#endif
