/* SPDX-License-Identifier: Apache-2.0 */
/* Azure CLI and Azure Developer CLI: what a person has signed in to on this machine (entra-auth.md §6). */
#include "config.h"

#include <ctype.h>

#include "azure/credential_kind.h"
#include "util/log.h"
#include "util/program.h"

#define LIMIT_MS 30000
#define OUTPUT_MAX (256u << 10)
#define SHOWN 250
#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

struct answer { struct chsm_buf out, errors; int status; };

static void answer_done(struct answer *a)
{
    chsm_buf_done(&a->out);
    chsm_buf_done(&a->errors);
}

static int setup(struct chsm_link *l, const char *program, struct chsm_err *err)
{
    l->path = chsm_program_find(program);
    return l->path ? 0 : chsm_link_absent(err, "%s is not installed (it is in no folder of PATH)", program);
}

static int setup_az(struct chsm_link *l, struct chsm_err *err)
{
    return setup(l, "az", err);
}

static int setup_azd(struct chsm_link *l, struct chsm_err *err)
{
    return setup(l, "azd", err);
}

/* What goes into the program's arguments has no character that could mean something to anybody. */
static int check(const char *what, const char *text, const char *good, struct chsm_err *err)
{
    if (!text || (*text && *text != '-' && text[strspn(text, good)] == '\0'))
        return 0;
    return chsm_fail(err, CHSM_AUTH, "the %s has characters that are not handed to another program", what);
}

/* Our environment without our own secrets; NULL when out of memory. The strings are borrowed. */
static char **environment(void)
{
    static const char *const secrets[] = {
        "AZURE_CLIENT_SECRET=", "AZURE_CLIENT_CERTIFICATE_PASSWORD=", "AZURE_PASSWORD=", "AZURE_ACCESS_TOKEN=",
    };
    size_t n = 0, at = 0;
    char **env;

    while (environ[n])
        n++;
    env = calloc(n + 1, sizeof *env);
    for (size_t i = 0; env && i < n; i++) {
        bool secret = false;

        for (size_t k = 0; k < ARRAY_LEN(secrets); k++)
            secret = secret || strncmp(environ[i], secrets[k], strlen(secrets[k])) == 0;
        if (!secret)
            env[at++] = environ[i];
    }
    return env;
}

static int run(struct chsm_link *l, const char *const *argv, struct answer *ret, struct chsm_err *err)
{
    AUTO_FREE char **env = environment();
    int64_t left = chsm_deadline_left(chsm_http_limited(l->http));
    struct chsm_program p = { .path = l->path, .argv = (char *const *)(uintptr_t)argv, .env = env, .directory = "/bin",
                              .limit = left < LIMIT_MS ? left : LIMIT_MS, .out = &ret->out, .errors = &ret->errors };

    if (!env)
        return chsm_oom(err);
    if (left == 0)
        return chsm_fail(err, CHSM_DEADLINE, "the deadline passed before %s was started", l->path);
    if (chsm_program_run(&p, &ret->status, err) == 0)
        return 0;
    /* Its own time is over, or it cannot be started: that is the link's failure, not the command's. */
    if (err->code != CHSM_INTERRUPTED && (err->code != CHSM_DEADLINE || left > LIMIT_MS))
        err->code = CHSM_AUTH;
    return chsm_err_prefix(err, "%s", l->path);
}

/* The last line that says something, without whatever looks like a token: warnings and traces come before it. */
static char *last_line(const struct chsm_buf *text)
{
    const char *s = chsm_buf_str(text);
    size_t end = strlen(s), from;
    AUTO_FREE char *line = NULL;

    while (end > 0 && strchr(" \t\r\n", s[end - 1]))
        end--;
    for (from = end; from > 0 && s[from - 1] != '\n';)
        from--;
    line = strndup(s + from, end - from < SHOWN ? end - from : SHOWN);
    for (char *c = line; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return line ? chsm_redact_text(line, NULL) : NULL;
}

static int not_signed_in(const struct chsm_link *l, const struct answer *a, struct chsm_err *err)
{
    bool az = l->kind == &chsm_link_az;
    AUTO_FREE char *line = last_line(&a->errors);

    (void)chsm_fail(err, CHSM_AUTH, "nobody is signed in there (%s)", line && *line ? line : "it said no more");
    (void)chsm_err_hint(err, az ? "run \"az login\"" : "run \"azd auth login\"");
    return CHSM_LINK_ABSENT;
}

/* Exit status other than 0: what the program says is for a person. */
static int failed(const struct chsm_link *l, const struct answer *a, struct chsm_err *err)
{
    const char *text = chsm_buf_str(&a->errors);
    AUTO_FREE char *line = last_line(a->errors.len ? &a->errors : &a->out);

    if (a->status == 127)
        return chsm_link_absent(err, "%s cannot be started", l->path);
    if ((strstr(text, "az login") && !strstr(text, "az login --scope")) || strstr(text, "azd auth login") || strstr(text, "not logged in"))
        return not_signed_in(l, a, err);
    (void)chsm_fail(err, CHSM_AUTH, "%s ended with status %d: %s", l->path, a->status, line && *line ? line : "it said nothing");
    return CHSM_LINK_ABSENT;
}

/* "2026-11-23 16:04:05.000000" in local time, as az before 2.54 has it alone. */
static int64_t local_life(const char *text, int64_t now)
{
    struct tm t = { .tm_isdst = -1 };
    char *end;
    time_t at;

    end = strptime(text, "%Y-%m-%d %H:%M:%S", &t);
    if (!end || (*end && *end != '.'))
        return 0;
    at = mktime(&t);
    return at != -1 && (int64_t)at * 1000 > now ? (int64_t)at * 1000 - now : 0;
}

static int64_t life_of(const json_t *answer)
{
    const char *on = chsm_json_str(answer, "expiresOn");
    int64_t now = chsm_now(), at, life = chsm_token_life(answer, now);

    if (life > 0 || !on)
        return life;
    if (chsm_time_parse(on, &at, NULL) == 0)
        return at > now ? at - now : 0;
    return local_life(on, now);
}

static int read_answer(const struct chsm_link *l, const struct answer *a, const char *member, struct chsm_token *ret, struct chsm_err *err)
{
    json_t *answer = json_loadb(chsm_buf_str(&a->out), a->out.len, 0, NULL);
    const json_t *token = json_object_get(answer, member);
    const char *p = json_string_value(token);
    int rc = -1;

    if (p && chsm_token_ok(p, json_string_length(token))) {
        ret->life = life_of(answer);
        rc = chsm_secret_set(&ret->value, p, json_string_length(token), err);
    } else {
        /* Half an answer is no JSON either, and may end in the middle of the token. */
        bool half = strstr(chsm_buf_str(&a->out), "oken\"") != NULL;
        AUTO_FREE char *line = answer || half ? NULL : last_line(&a->out);

        (void)chsm_fail(err, CHSM_AUTH, "%s printed no token%s%s", l->path, line ? ": " : half ? " but a part of one" : "", line ? line : "");
    }
    chsm_token_forget(answer);
    return rc;
}

/* Runs, and makes a token of what was printed. In a chain every failure makes room for the next link. */
static int get(struct chsm_link *l, const char *const *argv, const char *member, struct chsm_token *ret, struct chsm_err *err)
{
    AUTO(answer_done) struct answer a = { .out = CHSM_BUF_SECRET(OUTPUT_MAX), .errors = CHSM_BUF(OUTPUT_MAX) };
    int rc = run(l, argv, &a, err);

    if (rc == 0)
        rc = a.status ? failed(l, &a, err) : read_answer(l, &a, member, ret, err);
    if (rc < 0 && err->code == CHSM_AUTH)
        rc = CHSM_LINK_ABSENT;
    return rc;
}

/* az has no way to pass claims on without a person. */
static int az_claims(const struct chsm_ask *ask, struct chsm_err *err)
{
    AUTO_FREE char *coded = chsm_base64(ask->claims, strlen(ask->claims));

    (void)chsm_fail(err, CHSM_AUTH, "the token of Azure CLI has been revoked: the service wants a new sign-in");
    return chsm_err_hint(err, "run: az login --claims-challenge %s --scope %s/.default", coded ? coded : "", ask->resource);
}

static int acquire_az(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    const char *argv[] = { "az", "account", "get-access-token", "--output", "json", "--resource", ask->resource, NULL, NULL, NULL };
    const char *tenant = NULL;

    if (chsm_link_tenant(l, ask, &tenant, err) < 0 || check("resource", ask->resource, ALNUM "._:/-", err) < 0 ||
        check("tenant", tenant, ALNUM ".-", err) < 0)
        return -1;
    if (ask->claims)
        return az_claims(ask, err);
    if (tenant) {
        argv[7] = "--tenant";
        argv[8] = tenant;
    }
    return get(l, argv, "accessToken", ret, err);
}

static int acquire_azd(struct chsm_link *l, const struct chsm_ask *ask, struct chsm_token *ret, struct chsm_err *err)
{
    AUTO_FREE char *scope = chsm_strf("%s/.default", ask->resource);
    AUTO_FREE char *claims = ask->claims ? chsm_base64(ask->claims, strlen(ask->claims)) : NULL;
    const char *argv[16] = { "azd", "auth", "token", "--output", "json", "--no-prompt", "--scope", scope };
    const char *tenant = NULL;
    size_t n = 8;

    if (!scope || (ask->claims && !claims))
        return chsm_oom(err);
    if (chsm_link_tenant(l, ask, &tenant, err) < 0 || check("resource", ask->resource, ALNUM "._:/-", err) < 0 ||
        check("tenant", tenant, ALNUM ".-", err) < 0)
        return -1;
    if (tenant) {
        argv[n++] = "--tenant-id";
        argv[n++] = tenant;
    }
    if (claims) {
        argv[n++] = "--claims";
        argv[n++] = claims;
    }
    return get(l, argv, "token", ret, err);
}

const struct chsm_link_kind chsm_link_az = {
    "azure-cli", "AzureCliCredential", CHSM_LINK_DEFAULT | CHSM_LINK_DEV, setup_az, acquire_az,
};
const struct chsm_link_kind chsm_link_azd = {
    "azure-developer-cli", "AzureDeveloperCliCredential", CHSM_LINK_DEFAULT | CHSM_LINK_DEV, setup_azd, acquire_azd,
};
