/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: which link gives a token, and the tokens that are still good. */
#include "config.h"

#include <stdarg.h>
#include <strings.h>

#include "azure/credential_certificate.h"
#include "azure/credential_kind.h"
#include "util/log.h"

#define LINKS_MAX 8
#define MARGIN_MS 300000        /* a token is renewed when it has less than this to run */
#define AGAIN_MS 30000          /* a renewal ahead of time that failed is tried again after this */

/* In the order in which they are tried. */
static const struct chsm_link_kind *const kinds[] = {
    &chsm_link_static, &chsm_link_environment, &chsm_link_workload, &chsm_link_managed, &chsm_link_az, &chsm_link_azd,
    &chsm_link_device,
};

struct cached {
    struct cached *next;
    char *resource, *tenant;    /* tenant "" = the link's own */
    struct chsm_token token;
    int64_t got, tried;         /* chsm_mono(): when it came; when a renewal failed last, 0 = none did */
};

struct chsm_credential {
    struct chsm_credential_opts opts;
    struct chsm_link link[LINKS_MAX];
    size_t links;
    struct chsm_link *used;     /* the one that gave a token; NULL = none yet */
    struct cached *cached;
};

int chsm_link_absent(struct chsm_err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)chsm_fail(err, CHSM_AUTH, "%s", text);
    return CHSM_LINK_ABSENT;
}

static void link_done(struct chsm_link *l)
{
    free(l->tenant);
    free(l->client_id);
    free(l->endpoint);
    free(l->path);
    free(l->why);
    chsm_secret_done(&l->secret);
    chsm_certificate_free(l->certificate);
    *l = (struct chsm_link){ 0 };
}

static int note_why(struct chsm_link *l, const struct chsm_err *why, struct chsm_err *err)
{
    free(l->why);
    l->why = strdup(why->text);
    return l->why ? 0 : chsm_oom(err);
}

/* "azure-cli: not found in PATH; ..." of all links that gave none. Always -1. */
static int nobody(const struct chsm_credential *c, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf list = CHSM_BUF(16384);

    for (size_t i = 0; i < c->links; i++)
        if (chsm_buf_addf(&list, err, "%s%s: %s", i ? "; " : "", c->link[i].kind->name,
                          c->link[i].why ? c->link[i].why : "gave no token") < 0)
            return -1;
    (void)chsm_fail(err, CHSM_AUTH, "no way to sign in worked (%s)", chsm_buf_str(&list));
    return chsm_err_hint(err, "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, run on "
                              "a machine with a managed identity, or run \"az login\"; \"--credential device-code\" signs a person in");
}

static bool any_ready(const struct chsm_credential *c)
{
    for (size_t i = 0; i < c->links; i++)
        if (c->link[i].ready)
            return true;
    return false;
}

/*
 * One link by its environment. 0, also when it is absent and others may follow, or wrong (in Cloud Shell, AZURE_CLIENT_ID that is
 * meant for the application) behind one that is ready and will be asked first.
 */
static int add_link(struct chsm_credential *c, const struct chsm_link_kind *kind, bool alone, const struct chsm_link *parts,
                    struct chsm_err *err)
{
    struct chsm_link *l = &c->link[c->links++];
    struct chsm_err why = { 0 };
    int rc;

    *l = *parts;
    l->kind = kind;
    l->opts = &c->opts;
    l->alone = alone;
    rc = kind->setup(l, &why);
    l->ready = rc == 0;
    if (rc == 0)
        return 0;
    if (alone || (rc < 0 && !any_ready(c))) {
        if (err)
            *err = why;
        return chsm_err_prefix(err, "credential %s", kind->name);
    }
    return note_why(l, &why, err);
}

static bool named(const struct chsm_link_kind *kind, const char *name)
{
    return strcasecmp(kind->name, name) == 0 || strcasecmp(kind->sdk, name) == 0;
}

/* The links that a name or a group stands for; 0 = no such name. */
static size_t select_kinds(const char *name, const struct chsm_link_kind *ret[LINKS_MAX])
{
    unsigned group = !name ? CHSM_LINK_DEFAULT : strcasecmp(name, "prod") == 0 ? CHSM_LINK_PROD
                     : strcasecmp(name, "dev") == 0 ? CHSM_LINK_DEV : 0;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (group ? (kinds[i]->groups & group) != 0 : named(kinds[i], name))
            ret[n++] = kinds[i];
    return n;
}

/* AZURE_TOKEN_CREDENTIALS without the blanks around it. */
static int from_variable(char **ret, struct chsm_err *err)
{
    const char *s = chsm_credential_env("AZURE_TOKEN_CREDENTIALS");
    size_t n;

    if (!s)
        return 0;
    s += strspn(s, " \t\r\n");
    n = strlen(s);
    while (n > 0 && strchr(" \t\r\n", s[n - 1]))
        n--;
    *ret = strndup(s, n);
    return *ret ? 0 : chsm_oom(err);
}

static int no_such_name(const char *name, bool option, struct chsm_err *err)
{
    (void)chsm_fail(err, CHSM_CONFIG, "%s: %s", option ? "unknown credential" : "AZURE_TOKEN_CREDENTIALS names no credential that is known",
                    name);
    return chsm_err_hint(err, "use environment, workload-identity, managed-identity, azure-cli, azure-developer-cli, device-code, token, "
                              "or prod or dev for a group of them");
}

static int choose(struct chsm_credential *c, const struct chsm_link *parts, struct chsm_err *err)
{
    const struct chsm_link_kind *chosen[LINKS_MAX];
    AUTO_FREE char *variable = NULL;
    const char *name = c->opts.name;
    size_t n;

    if (!name && from_variable(&variable, err) < 0)
        return -1;
    name = name ? name : variable;
    n = select_kinds(name, chosen);
    if (n == 0)
        return no_such_name(name, c->opts.name != NULL, err);
    for (size_t i = 0; i < n; i++)
        if (add_link(c, chosen[i], n == 1, parts, err) < 0)
            return -1;
    return any_ready(c) ? 0 : nobody(c, err);
}

static void credential_auto(struct chsm_credential **c)
{
    chsm_credential_free(*c);
}

int chsm_credential_open(const struct chsm_credential_opts *opts, struct chsm_http *http, const struct chsm_cloud *cloud,
                         struct chsm_credential **ret, struct chsm_err *err)
{
    AUTO(credential_auto) struct chsm_credential *c = calloc(1, sizeof *c);

    if (!c)
        return chsm_oom(err);
    c->opts = *opts;
    if (choose(c, &(struct chsm_link){ .http = http, .cloud = cloud }, err) < 0)
        return -1;
    c->opts.name = NULL;
    *ret = TAKE(c);
    return 0;
}

int chsm_credential_new(const char *name, struct chsm_http *http, const struct chsm_cloud *cloud, struct chsm_credential **ret,
                        struct chsm_err *err)
{
    return chsm_credential_open(&(struct chsm_credential_opts){ .name = name }, http, cloud, ret, err);
}

void chsm_credential_free(struct chsm_credential *c)
{
    struct cached *next;

    if (!c)
        return;
    for (struct cached *i = c->cached; i; i = next) {
        next = i->next;
        chsm_secret_done(&i->token.value);
        free(i->resource);
        free(i->tenant);
        free(i);
    }
    for (size_t i = 0; i < c->links; i++)
        link_done(&c->link[i]);
    free(c);
}

static const struct chsm_link *shown(const struct chsm_credential *c)
{
    size_t i = 0;

    if (c->used)
        return c->used;
    while (i + 1 < c->links && !c->link[i].ready)
        i++;
    return &c->link[i];
}

const char *chsm_credential_source(const struct chsm_credential *c)
{
    return shown(c)->kind->name;
}

const char *chsm_credential_detail(const struct chsm_credential *c)
{
    return shown(c)->detail ? shown(c)->detail : "";
}

static struct cached *entry(struct chsm_credential *c, const struct chsm_ask *ask, struct chsm_err *err)
{
    const char *tenant = ask->tenant ? ask->tenant : "";
    struct cached *e;

    for (e = c->cached; e; e = e->next)
        if (strcmp(e->resource, ask->resource) == 0 && strcasecmp(e->tenant, tenant) == 0)
            return e;
    e = calloc(1, sizeof *e);
    if (!e || !(e->resource = strdup(ask->resource)) || !(e->tenant = strdup(tenant))) {
        if (e)
            free(e->resource);
        free(e);
        (void)chsm_oom(err);
        return NULL;
    }
    e->next = c->cached;
    c->cached = e;
    return e;
}

static int64_t left(const struct cached *e)
{
    if (!e->token.value.p)
        return 0;
    return e->token.life == INT64_MAX ? INT64_MAX : e->token.life - (chsm_mono() - e->got);
}

/* Good enough not to ask for another: not near its end, and not at the time that the service names for a renewal. */
static bool young(const struct cached *e)
{
    int64_t margin = e->token.life / 2 < MARGIN_MS ? e->token.life / 2 : MARGIN_MS, now = chsm_mono();

    if (left(e) <= 0)
        return false;
    if (e->tried && now - e->tried < AGAIN_MS)
        return true;
    return left(e) > margin && (e->token.renew == 0 || now - e->got < e->token.renew);
}

/* The link that worked before, else each in turn. */
static int acquire(struct chsm_credential *c, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    struct chsm_err why = { 0 };
    int rc;

    for (size_t i = 0; i < c->links; i++) {
        struct chsm_link *l = c->used ? c->used : &c->link[i];

        if (!l->ready)
            continue;
        chsm_log(CHSM_LOG_DEBUG, "asking credential %s for a token for %s", l->kind->name, ask->resource);
        rc = l->kind->acquire(l, ask, ret, &why);
        if (rc == 0) {
            c->used = l;
            return 0;
        }
        if (rc < 0 || l->alone || c->used) {
            if (rc > 0)
                (void)chsm_err_prefix(&why, "credential %s", l->kind->name);
            if (err)
                *err = why;
            return -1;
        }
        if (note_why(l, &why, err) < 0)
            return -1;
    }
    return nobody(c, err);
}

int chsm_credential_ask(struct chsm_credential *c, const struct chsm_ask *ask, const struct chsm_secret **ret, struct chsm_err *err)
{
    struct cached *e = entry(c, ask, err);
    bool must = ask->fresh || ask->claims;
    struct chsm_token token = { 0 };

    if (!e)
        return -1;
    if (must || !young(e)) {
        if (acquire(c, ask, &token, err) == 0) {
            chsm_secret_done(&e->token.value);
            e->token = token;
            e->got = chsm_mono();
            e->tried = 0;
        } else if (must || left(e) <= 0 || chsm_interrupted()) {
            return -1;
        } else {        /* a renewal ahead of time failed: the old token still works */
            e->tried = chsm_mono();
            chsm_log(CHSM_LOG_DEBUG, "the token could not be renewed yet");
        }
    }
    *ret = &e->token.value;
    return 0;
}

int chsm_credential_token(struct chsm_credential *c, const char *resource, bool fresh, const struct chsm_secret **ret,
                          struct chsm_err *err)
{
    return chsm_credential_ask(c, &(struct chsm_ask){ .resource = resource, .fresh = fresh }, ret, err);
}
