/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's life: whom it trusts, and what of the environment it must never show. */
#include "config.h"

#include <sys/stat.h>

#include "azure/trace.h"
#include "util/enc.h"
#include "util/log.h"

#define EXCHANGE_MS 100000

static const char *env(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

static int copy(const char *s, char **ret, struct chsm_err *err)
{
    if (!s)
        return 0;
    *ret = strdup(s);
    return *ret ? 0 : chsm_oom(err);
}

static int readable(const char *path, const char *what, struct chsm_err *err)
{
    struct stat st;

    if (!path)
        return 0;
    /* OpenSSL would wait for its writer without end, and read it once only. */
    if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode)) {
        (void)chsm_fail(err, CHSM_CONFIG, "trusted certificates %s (%s): a pipe cannot be read for each connection", path, what);
        return chsm_err_hint(err, "name a readable PEM file, or leave it out for the system's own");
    }
    if (access(path, R_OK) == 0)
        return 0;
    (void)chsm_fail_errno(err, CHSM_CONFIG, "trusted certificates %s (%s)", path, what);
    return chsm_err_hint(err, "name a readable PEM file, or leave it out for the system's own");
}

/*
 * The option, else SSL_CERT_FILE with SSL_CERT_DIR beside it, else CURL_CA_BUNDLE, else SSL_CERT_DIR, else the system's. The more
 * particular name goes first: CURL_CA_BUNDLE is often set for the whole machine, SSL_CERT_FILE for the service that is meant.
 */
static int choose_trust(struct chsm_http *h, const char *option, struct chsm_err *err)
{
    const char *file = env("SSL_CERT_FILE"), *dir = env("SSL_CERT_DIR"), *bundle = file ? NULL : env("CURL_CA_BUNDLE");

    if (option)
        return readable(option, "--ca-file", err) < 0 ? -1 : copy(option, &h->ca_file, err);
    if (bundle)
        return readable(bundle, "CURL_CA_BUNDLE", err) < 0 ? -1 : copy(bundle, &h->ca_file, err);
    /* SSL_CERT_DIR may be a list; folders of it that are not there are OpenSSL's business. */
    if (readable(file, "SSL_CERT_FILE", err) < 0 || (!file && dir && !strchr(dir, ':') && readable(dir, "SSL_CERT_DIR", err) < 0))
        return -1;
    return copy(file, &h->ca_file, err) < 0 ? -1 : copy(dir, &h->ca_dir, err);
}

static int remember(struct chsm_http *h, const char *text, size_t n, struct chsm_err *err)
{
    if (n == 0 || h->hidden_n == ARRAY_LEN(h->hidden))
        return 0;
    return chsm_secret_set(&h->hidden[h->hidden_n++], text, n, err);
}

/* The password of a proxy's address, as it is and as it goes into Proxy-Authorization, counts as one of our secrets. */
static int remember_proxy(struct chsm_http *h, const char *address, struct chsm_err *err)
{
    const char *scheme = strstr(address, "://"), *from = scheme ? scheme + 3 : address, *at = strrchr(from, '@'), *colon;
    char *plain = NULL, *packed = NULL;
    int n = 0, rc = 0;

    if (!at)
        return 0;
    plain = curl_easy_unescape(h->curl, from, (int)(at - from), &n);
    packed = plain ? chsm_base64(plain, (size_t)n) : NULL;
    colon = plain ? memchr(plain, ':', (size_t)n) : NULL;
    if (!packed)
        rc = chsm_oom(err);
    else if (remember(h, packed, strlen(packed), err) < 0 ||
             (colon && remember(h, colon + 1, (size_t)n - (size_t)(colon + 1 - plain), err) < 0))
        rc = -1;
    chsm_wipe(plain, (size_t)n);
    curl_free(plain);
    chsm_wipe(packed, packed ? strlen(packed) : 0);
    free(packed);
    return rc;
}

static int remember_proxies(struct chsm_http *h, struct chsm_err *err)
{
    static const char *const names[CHSM_HTTP_PROXIES] = { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (env(names[i]) && remember_proxy(h, env(names[i]), err) < 0)
            return -1;
    return 0;
}

static void http_auto(struct chsm_http **h)
{
    chsm_http_free(*h);
}

int chsm_http_new(const struct chsm_http_opts *opts, struct chsm_http **ret, struct chsm_err *err)
{
    AUTO(http_auto) struct chsm_http *h = calloc(1, sizeof *h);

    if (!h)
        return chsm_oom(err);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return chsm_fail(err, CHSM_SERVICE, "libcurl does not start");
    h->curl = curl_easy_init();
    if (!h->curl)
        return chsm_oom(err);
    if (choose_trust(h, opts->ca_file, err) < 0 || remember_proxies(h, err) < 0 ||
        copy(opts->user_agent ? opts->user_agent : "chsmctl/" PACKAGE_VERSION, &h->user_agent, err) < 0 ||
        chsm_uuid(h->correlation, err) < 0 || chsm_trace_open(opts->record, h->correlation, &h->trace, err) < 0)
        return -1;
    chsm_log(CHSM_LOG_INFO, "correlation id %s", h->correlation);
    h->timeout = opts->timeout > 0 ? opts->timeout : EXCHANGE_MS;
    h->limit = opts->limit;
    *ret = TAKE(h);
    return 0;
}

void chsm_http_free(struct chsm_http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    chsm_trace_close(h->trace);
    for (size_t i = 0; i < h->hidden_n; i++)
        chsm_secret_done(&h->hidden[i]);
    free(h->ca_file);
    free(h->ca_dir);
    free(h->user_agent);
    free(h);
}

chsm_deadline chsm_http_limit(struct chsm_http *h, chsm_deadline limit)
{
    chsm_deadline before = h->limit;

    h->limit = limit;
    return before;
}

chsm_deadline chsm_http_limited(const struct chsm_http *h)
{
    return h->limit;
}

const char *chsm_http_correlation(const struct chsm_http *h)
{
    return h->correlation;
}
