/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

#include "azure/http.h"

struct origin { char *scheme, *host, *port; };      /* all of them curl's memory */

static void origin_done(struct origin *o)
{
    curl_free(o->scheme);
    curl_free(o->host);
    curl_free(o->port);
    *o = (struct origin){ 0 };
}

static void urlp_done(CURLU **u)
{
    curl_url_cleanup(*u);
}

/*
 * What libcurl's parser tolerates (backslashes, user@, escapes and blanks in the host, any number of slashes) is refused
 * here first: such a URL comes from somebody who wants two parsers to disagree about the host.
 */
static bool authority_ok(const char *url)
{
    const char *p;
    size_t n;

    if (strncasecmp(url, "https://", 8) == 0)
        p = url + 8;
    else if (strncasecmp(url, "http://", 7) == 0)
        p = url + 7;
    else
        return false;
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || *c == '\\')
            return false;
    n = strcspn(p, "/?#");
    return n > 0 && !memchr(p, '@', n) && !memchr(p, '%', n);
}

/* The host is read by the parser that will also connect to it. */
static bool origin_parse(const char *url, struct origin *ret)
{
    AUTO(urlp_done) CURLU *u = NULL;

    if (!url || !authority_ok(url))
        return false;
    u = curl_url();
    if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &ret->scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &ret->host, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) != CURLUE_OK || !*ret->host)
        return false;
    for (char *c = ret->host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

static bool default_port(const struct origin *o)
{
    return strcmp(o->port, strcmp(o->scheme, "https") == 0 ? "443" : "80") == 0;
}

char *chsm_url_origin(const char *url)
{
    AUTO(origin_done) struct origin o = { 0 };

    if (!origin_parse(url, &o))
        return NULL;
    if (default_port(&o))
        return chsm_strf("%s://%s", o.scheme, o.host);
    return chsm_strf("%s://%s:%s", o.scheme, o.host, o.port);
}

static bool is_address(const char *host)
{
    return *host == '[' || host[strspn(host, "0123456789.")] == '\0';
}

bool chsm_url_within(const char *url, const char *base)
{
    AUTO(origin_done) struct origin u = { 0 };
    AUTO(origin_done) struct origin b = { 0 };
    size_t nu, nb;

    if (!origin_parse(url, &u) || !origin_parse(base, &b))
        return false;
    if (strcmp(u.scheme, "https") != 0 || strcmp(b.scheme, "https") != 0 || strcmp(u.port, b.port) != 0)
        return false;
    if (strcmp(u.host, b.host) == 0)
        return true;
    nu = strlen(u.host);
    nb = strlen(b.host);
    return !is_address(b.host) && nu > nb + 1 && u.host[nu - nb - 1] == '.' && strcmp(u.host + nu - nb, b.host) == 0;
}

bool chsm_url_loopback(const char *url)
{
    AUTO(origin_done) struct origin u = { 0 };
    struct in_addr four;

    if (!origin_parse(url, &u))
        return false;
    return strcmp(u.host, "localhost") == 0 || strcmp(u.host, "[::1]") == 0 ||
           (inet_pton(AF_INET, u.host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127);
}

char *chsm_url_encode(const char *s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = malloc(3 * strlen(s) + 1);
    char *p = out;

    if (!out)
        return NULL;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c < 0x80 && (isalnum(c) || strchr("-._~", c))) {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    *p = '\0';
    return out;
}
