/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "client/settings.h"
#include "keys/record.h"
#include "util/clock.h"
#include "util/enc.h"
#include "util/log.h"

#define DEPTH_MAX 32u /* of JSON that is searched */
#define LIST_MAX  64u /* host names or certificates of one file */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Foreign bytes as a JSON string: escaped where they are no text, without the signature where they are a URL. */
static json_t *text_of(const char *p, size_t n)
{
    AUTO_BYTES struct chsm_bytes bytes = { 0 };
    AUTO_FREE char *text = NULL, *shown = NULL;

    if (chsm_bytes_set(&bytes, p, n, NULL) < 0)
        return NULL;
    text = chsm_bytes_text(&bytes);
    shown = text ? strstr(text, "://") ? chsm_redact_url(text) : strdup(text) : NULL;
    return shown ? json_string(shown) : NULL;
}

static int parse_line(const char *p, const char *end, size_t number, const char *what, json_t *settings, struct chsm_err *err)
{
    const char *eq, *key_end;
    AUTO_FREE char *key = NULL;

    while (p < end && is_blank(*p))
        p++;
    while (end > p && is_blank(end[-1]))
        end--;
    if (p == end || *p == '#')
        return 0;
    eq = memchr(p, '=', (size_t)(end - p));
    for (key_end = eq ? eq : p; key_end > p && is_blank(key_end[-1]); key_end--)
        ;
    for (const char *k = p; k < key_end; k++)
        if (!isalnum((unsigned char)*k) && *k != '_' && *k != '-' && *k != '.')
            key_end = p;
    if (key_end == p)
        return chsm_fail(err, CHSM_CONFIG, "%s:%zu: this is no KEY=value", what, number);
    for (eq++; eq < end && is_blank(*eq); eq++)
        ;
    key = chsm_strf("%.*s", (int)(key_end - p), p);
    if (!key || json_object_set_new(settings, key, text_of(eq, (size_t)(end - eq))) < 0)
        return chsm_oom(err);
    return 0;
}

int chsm_settings_parse(const char *text, size_t n, const char *what, json_t **ret, struct chsm_err *err)
{
    json_auto_t *settings = json_object();
    const char *stop = text + n;
    size_t number = 0;

    for (const char *p = text, *end; p < stop; p = end + 1) {
        end = memchr(p, '\n', (size_t)(stop - p));
        end = end ? end : stop;
        if (parse_line(p, end, ++number, what, settings, err) < 0)
            return -1;
    }
    *ret = json_incref(settings);
    return 0;
}

static void note(json_t *list, const char *text)
{
    const json_t *one;
    size_t i;

    if (!text || !*text || json_array_size(list) >= LIST_MAX)
        return;
    json_array_foreach(list, i, one)
        if (chsm_streq(json_string_value(one), text))
            return;
    (void)json_array_append_new(list, json_string(text));
}

/* The members of these names, wherever they are. */
static void search(const json_t *at, json_t *hosts, json_t *certificates, unsigned depth)
{
    const char *key;
    json_t *value;
    size_t i;

    if (depth > DEPTH_MAX)
        return;
    json_object_foreach((json_t *)(uintptr_t)at, key, value) {
        if (strcmp(key, "hostname") == 0)
            note(hosts, json_string_value(value));
        if (strcmp(key, "e2e_owner_crt_path") == 0 || strcmp(key, "owner_cert_path") == 0)
            note(certificates, json_string_value(value));
        search(value, hosts, certificates, depth + 1);
    }
    json_array_foreach(at, i, value)
        search(value, hosts, certificates, depth + 1);
}

int chsm_settings_daemon(const char *text, size_t n, const char *what, json_t **ret, struct chsm_err *err)
{
    json_auto_t *cfg = NULL, *hosts = json_array(), *certificates = json_array();

    if (chsm_json_parse(text, n, what, CHSM_CONFIG, &cfg, err) < 0)
        return -1;
    search(cfg, hosts, certificates, 0);
    *ret = json_pack("{s:O, s:O}", "hosts", hosts, "certificates", certificates);
    return *ret ? 0 : chsm_oom(err);
}

static X509 *decode(const char *data, size_t n)
{
    const unsigned char *der = (const unsigned char *)data;
    BIO *bio = n < INT_MAX ? BIO_new_mem_buf(data, (int)n) : NULL;
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    if (!cert && n < INT_MAX)
        cert = d2i_X509(NULL, &der, (long)n);
    ERR_clear_error();
    return cert;
}

/* RFC 3339; "" when OpenSSL cannot make sense of it. */
static void format_time(const ASN1_TIME *t, char out[CHSM_TIME_LEN])
{
    struct tm tm = { 0 };
    int64_t ms;

    *out = '\0';
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return;
    ms = chsm_time_utc(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (ms >= 0)
        chsm_time_format(ms, /* ms= */ false, out);
}

static json_t *subject_of(const X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n = bio && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0
                 ? BIO_get_mem_data(bio, &text)
                 : 0;
    json_t *subject = n > 0 ? text_of(text, (size_t)n) : json_string("");

    BIO_free(bio);
    return subject;
}

int chsm_settings_certificate(const char *data, size_t n, const char *what, json_t **ret, struct chsm_err *err)
{
    X509 *cert = decode(data, n);
    unsigned char digest[EVP_MAX_MD_SIZE];
    char before[CHSM_TIME_LEN], after[CHSM_TIME_LEN];
    unsigned len = 0;
    AUTO_FREE char *hex = NULL;

    if (!cert)
        return chsm_fail(err, CHSM_CONFIG, "%s is no certificate", what);
    format_time(X509_get0_notBefore(cert), before);
    format_time(X509_get0_notAfter(cert), after);
    hex = X509_digest(cert, EVP_sha256(), digest, &len) == 1 ? chsm_hex(digest, len) : NULL;
    *ret = hex ? json_pack("{s:o, s:s, s:s, s:s}", "subject", subject_of(cert), "sha256", hex, "not_before", before, "not_after",
                           after)
               : NULL;
    X509_free(cert);
    ERR_clear_error();
    return *ret ? 0 : chsm_oom(err);
}
