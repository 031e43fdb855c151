/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/credential_kind.h"
#include "util/log.h"

/* In the order in which they are tried. */
static const struct chsm_credential_kind *const kinds[] = {
    &chsm_credential_static, &chsm_credential_secret, &chsm_credential_imds,
};

#define MARGIN_MS 300000        /* a token is renewed when it has less than this to run */

const char *chsm_credential_env(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

int chsm_credential_need(const char *name, char **ret, struct chsm_err *why)
{
    const char *v = chsm_credential_env(name);

    if (!v)
        return chsm_fail(why, CHSM_AUTH, "%s is not set", name);
    free(*ret);
    *ret = strdup(v);
    return *ret ? 0 : chsm_oom(why);
}

static void forget(struct chsm_credential *c)
{
    free(c->tenant);
    free(c->client_id);
    free(c->endpoint);
    chsm_secret_done(&c->secret);
    c->tenant = c->client_id = c->endpoint = NULL;
    c->kind = NULL;
}

static int try_kind(struct chsm_credential *c, const struct chsm_credential_kind *kind, bool chosen, struct chsm_err *why)
{
    c->kind = kind;
    if (kind->setup(c, chosen, why) == 0)
        return 0;
    forget(c);
    return -1;
}

/* The first that is configured. One that is configured wrongly ends the search: the user meant it. */
static int try_all(struct chsm_credential *c, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf list = CHSM_BUF(8192);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct chsm_err why = { 0 };

        if (try_kind(c, kinds[i], /* chosen= */ false, &why) == 0)
            return 0;
        if (why.code != CHSM_AUTH) {
            if (err)
                *err = why;
            return -1;
        }
        if (chsm_buf_addf(&list, err, "%s%s: %s", i ? "; " : "", kinds[i]->name, why.text) < 0)
            return -1;
    }
    (void)chsm_fail(err, CHSM_AUTH, "no way to sign in is configured (%s)", chsm_buf_str(&list));
    return chsm_err_hint(err, "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, "
                              "or run on a machine with a managed identity");
}

static int choose(struct chsm_credential *c, const char *name, struct chsm_err *err)
{
    if (!name)
        return try_all(c, err);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i]->name, name) != 0)
            continue;
        if (try_kind(c, kinds[i], /* chosen= */ true, err) < 0)
            return chsm_err_prefix(err, "credential %s", name);
        return 0;
    }
    (void)chsm_fail(err, CHSM_CONFIG, "unknown credential: %s", name);
    return chsm_err_hint(err, "use environment, managed-identity or token");
}

static void credential_auto(struct chsm_credential **c)
{
    chsm_credential_free(*c);
}

int chsm_credential_new(const char *name, struct chsm_http *http, const struct chsm_cloud *cloud, struct chsm_credential **ret,
                        struct chsm_err *err)
{
    AUTO(credential_auto) struct chsm_credential *c = calloc(1, sizeof *c);

    if (!c)
        return chsm_oom(err);
    c->http = http;
    c->cloud = cloud;
    if (choose(c, name, err) < 0)
        return -1;
    chsm_log(CHSM_LOG_DEBUG, "signing in with credential %s", c->kind->name);
    *ret = TAKE(c);
    return 0;
}

void chsm_credential_free(struct chsm_credential *c)
{
    struct chsm_cached *next;

    if (!c)
        return;
    for (struct chsm_cached *i = c->cached; i; i = next) {
        next = i->next;
        chsm_secret_done(&i->token.value);
        free(i->resource);
        free(i);
    }
    forget(c);
    free(c);
}

const char *chsm_credential_source(const struct chsm_credential *c)
{
    return c->kind->name;
}

static struct chsm_cached *entry(struct chsm_credential *c, const char *resource, struct chsm_err *err)
{
    struct chsm_cached *e;

    for (e = c->cached; e; e = e->next)
        if (strcmp(e->resource, resource) == 0)
            return e;
    e = calloc(1, sizeof *e);
    if (e)
        e->resource = strdup(resource);
    if (!e || !e->resource) {
        free(e);
        (void)chsm_oom(err);
        return NULL;
    }
    e->next = c->cached;
    c->cached = e;
    return e;
}

static int64_t left(const struct chsm_cached *e)
{
    if (!e->token.value.p)
        return 0;
    return e->token.life == INT64_MAX ? INT64_MAX : e->token.life - (chsm_mono() - e->got);
}

static bool young(const struct chsm_cached *e)
{
    int64_t margin = e->token.life / 2 < MARGIN_MS ? e->token.life / 2 : MARGIN_MS;

    return left(e) > margin;
}

int chsm_credential_token(struct chsm_credential *c, const char *resource, bool fresh, const struct chsm_secret **ret,
                          struct chsm_err *err)
{
    struct chsm_cached *e = entry(c, resource, err);
    struct chsm_token token = { 0 };

    if (!e)
        return -1;
    if (fresh || !young(e)) {
        if (c->kind->acquire(c, resource, fresh, &token, err) == 0) {
            chsm_secret_done(&e->token.value);
            e->token = token;
            e->got = chsm_mono();
        } else if (fresh || left(e) <= 0 || chsm_interrupted()) {
            return -1;
        } else {        /* a renewal ahead of time failed: the old token still works */
            chsm_log(CHSM_LOG_DEBUG, "the token could not be renewed yet");
        }
    }
    *ret = &e->token.value;
    return 0;
}
