/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/challenge.h"
#include "azure/http.h"
#include "util/enc.h"
#include "util/json.h"

void chsm_challenges_done(struct chsm_challenges *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct chsm_challenge *one = &c->one[i];

        for (size_t k = 0; k < one->params; k++) {
            free(one->param[k].name);
            free(one->param[k].value);
        }
        free(one->scheme);
        free(one->token68);
    }
    *c = (struct chsm_challenges){ 0 };
}

/* RFC 7230 §3.2.6. */
static size_t token_len(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || (p[n] && strchr("!#$%&'*+-.^_`|~", p[n])))
        n++;
    return n;
}

static const char *blanks(const char *p)
{
    return p + strspn(p, " \t");
}

static char *lower(const char *p, size_t n)
{
    char *s = strndup(p, n);

    for (char *c = s; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return s;
}

/* A quoted string; *p moves behind it. NULL when it does not end. */
static char *quoted(const char **p)
{
    char *out = malloc(strlen(*p) + 1), *to = out;
    const char *s = *p + 1;

    for (; out && *s && *s != '"'; s++) {
        if (*s == '\\' && s[1])
            s++;
        *to++ = *s;
    }
    if (!out || *s != '"') {
        free(out);
        return NULL;
    }
    *to = '\0';
    *p = s + 1;
    return out;
}

/* A bare value: up to a comma or a blank. Services write URLs and paths without quotes, so more than a token is taken. */
static char *bare(const char **p)
{
    size_t n = strcspn(*p, ", \t");
    char *out = strndup(*p, n);

    *p += n;
    return out;
}

static int malformed(struct chsm_err *err)
{
    return chsm_fail(err, CHSM_SERVICE, "the service's WWW-Authenticate header is malformed");
}

/* "name = value"; *p stands at the name, of n characters. */
static int read_param(const char **p, size_t n, struct chsm_challenge *c, struct chsm_err *err)
{
    struct chsm_challenge_param *param = &c->param[c->params];
    const char *at = blanks(blanks(*p + n) + 1);

    if (c->params == CHSM_CHALLENGE_PARAMS_MAX)
        return malformed(err);
    param->value = *at == '"' ? quoted(&at) : bare(&at);
    if (!param->value)
        return malformed(err);
    param->name = lower(*p, n);
    if (!param->name) {
        free(param->value);
        param->value = NULL;
        return chsm_oom(err);
    }
    c->params++;
    *p = at;
    return 0;
}

/* True when a token of n characters at p is followed by "=", and so is a parameter. "YWJj==" is none. */
static bool is_param(const char *p, size_t n)
{
    const char *at = blanks(p + n);

    return n > 0 && *at == '=' && at[1] != '=' && *blanks(at + 1) != '\0' && *blanks(at + 1) != ',';
}

static int read_scheme(const char **p, size_t n, struct chsm_challenges *all, struct chsm_err *err)
{
    struct chsm_challenge *c = &all->one[all->n];
    size_t len;

    if (all->n == CHSM_CHALLENGES_MAX)
        return malformed(err);
    c->scheme = lower(*p, n);
    if (!c->scheme)
        return chsm_oom(err);
    all->n++;
    *p = blanks(*p + n);
    len = strspn(*p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    if (len == 0 || is_param(*p, token_len(*p)))
        return 0;
    len += strspn(*p + len, "=");
    if (*blanks(*p + len) != '\0' && *blanks(*p + len) != ',')
        return 0;           /* the next scheme: this one stands alone */
    c->token68 = strndup(*p, len);
    *p += len;
    return c->token68 ? 0 : chsm_oom(err);
}

int chsm_challenges_parse(const char *header, struct chsm_challenges *ret, struct chsm_err *err)
{
    AUTO_CHALLENGES struct chsm_challenges all = { 0 };
    const char *p = header ? header : "";

    for (;;) {
        size_t n;
        int rc;

        p += strspn(p, ", \t");
        if (!*p)
            break;
        n = token_len(p);
        if (n == 0)
            return malformed(err);
        if (is_param(p, n))
            rc = all.n ? read_param(&p, n, &all.one[all.n - 1], err) : malformed(err);
        else
            rc = read_scheme(&p, n, &all, err);
        if (rc < 0)
            return -1;
    }
    *ret = all;
    all = (struct chsm_challenges){ 0 };
    return 0;
}

const char *chsm_challenge_get(const struct chsm_challenge *c, const char *name)
{
    for (size_t i = 0; i < c->params; i++)
        if (strcmp(c->param[i].name, name) == 0)
            return c->param[i].value;
    return NULL;
}

/* base64 or base64url, padded or not, to a JSON object's text. */
static char *decode_claims(const char *text)
{
    AUTO_BYTES struct chsm_bytes bytes = { 0 };
    json_auto_t *object = NULL;
    size_t n = strlen(text);
    AUTO_FREE char *standard = NULL;

    while (n > 0 && text[n - 1] == '=')
        n--;
    standard = chsm_strf("%.*s%.*s", (int)n, text, (int)((4 - n % 4) % 4), "===");
    for (char *c = standard; c && *c; c++)
        *c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
    if (!standard || chsm_unbase64(standard, &bytes, NULL) < 0 ||
        chsm_json_parse((const char *)bytes.p, bytes.len, "claims", CHSM_SERVICE, &object, NULL) < 0 || !json_is_object(object))
        return NULL;
    return json_dumps(object, JSON_COMPACT);
}

int chsm_challenge_claims(const char *header, char **ret)
{
    AUTO_CHALLENGES struct chsm_challenges all = { 0 };

    if (chsm_challenges_parse(header, &all, NULL) < 0)
        return 1;
    for (size_t i = 0; i < all.n; i++) {
        const char *error = chsm_challenge_get(&all.one[i], "error"), *claims = chsm_challenge_get(&all.one[i], "claims");

        if (strcmp(all.one[i].scheme, "bearer") != 0 || !error || strcmp(error, "insufficient_claims") != 0)
            continue;
        *ret = claims ? decode_claims(claims) : NULL;
        return *ret ? 0 : -1;
    }
    return 1;
}

/* The host of an https address, without its port; NULL when it is none. */
static char *host_of(const char *url)
{
    AUTO_FREE char *origin = chsm_url_origin(url);

    if (!origin || strncmp(origin, "https://", 8) != 0)
        return NULL;
    return strndup(origin + 8, strcspn(origin + 8, ":"));
}

static bool below(const char *url, const char *resource)
{
    AUTO_FREE char *host = host_of(url);
    AUTO_FREE char *domain = host_of(resource);
    size_t h = host ? strlen(host) : 0, d = domain ? strlen(domain) : 0;

    return d > 0 && h > d + 1 && host[h - d - 1] == '.' && strcmp(host + h - d, domain) == 0;
}

/* The resource, or a scope's; no slash and no "/.default" at the end. */
static char *resource_of(const struct chsm_challenge *c)
{
    const char *s = chsm_challenge_get(c, "resource"), *end = "/.default";
    size_t n;

    if (!s)
        s = chsm_challenge_get(c, "scope");
    if (!s)
        return NULL;
    n = strlen(s);
    if (n > strlen(end) && strcmp(s + n - strlen(end), end) == 0)
        n -= strlen(end);
    while (n > 0 && s[n - 1] == '/')
        n--;
    return strndup(s, n);
}

static char *tenant_of(const struct chsm_challenge *c)
{
    const char *s = chsm_challenge_get(c, "authorization");

    if (!s)
        s = chsm_challenge_get(c, "authorization_uri");
    if (!s || strncasecmp(s, "https://", 8) != 0)
        return NULL;
    s = strchr(s + 8, '/');
    return s ? strndup(s + 1, strcspn(s + 1, "/?#")) : NULL;
}

int chsm_challenge_vault(const char *header, const char *url, char **ret_resource, char **ret_tenant, struct chsm_err *err)
{
    AUTO_CHALLENGES struct chsm_challenges all = { 0 };
    AUTO_FREE char *resource = NULL;
    AUTO_FREE char *tenant = NULL;

    if (chsm_challenges_parse(header, &all, err) < 0)
        return -1;
    for (size_t i = 0; i < all.n && !resource; i++) {
        if (strcmp(all.one[i].scheme, "bearer") != 0)
            continue;
        resource = resource_of(&all.one[i]);
        tenant = resource ? tenant_of(&all.one[i]) : NULL;
    }
    if (!resource)
        return 1;
    if (!below(url, resource)) {
        (void)chsm_fail(err, CHSM_SERVICE, "the service asks for a token for %s, in whose domain it does not lie; none was sent", resource);
        return chsm_err_hint(err, "check the address of the HSM");
    }
    if (!tenant || !*tenant)
        return chsm_fail(err, CHSM_SERVICE, "the service's challenge names no tenant");
    *ret_resource = TAKE(resource);
    *ret_tenant = TAKE(tenant);
    return 0;
}

char *chsm_challenge_basic_realm(const char *header)
{
    AUTO_CHALLENGES struct chsm_challenges all = { 0 };

    if (chsm_challenges_parse(header, &all, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < all.n; i++)
        if (strcmp(all.one[i].scheme, "basic") == 0 && chsm_challenge_get(&all.one[i], "realm"))
            return strdup(chsm_challenge_get(&all.one[i], "realm"));
    return NULL;
}
