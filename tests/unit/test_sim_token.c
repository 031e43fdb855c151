/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and signed URLs, and the certificates that come with them. */
#include "config.h"

#include <openssl/x509.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "check.h"
#include "sim/certs.h"
#include "sim/token.h"
#include "util/buf.h"

struct world { char dir[64]; EVP_PKEY *key; };

static int make_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct chsm_err err = { 0 };

    assert_non_null(w);
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/chsm-test-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_ok(sim_certs_make(w->dir, &err), err);
    assert_ok(sim_signing_key(w->dir, &w->key, &err), err);
    *state = w;
    return 0;
}

static int end_world(void **state)
{
    static const char *const files[] = { "ca.pem", "server.pem", "server.key", "signing.key" };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = chsm_strf("%s/%s", w->dir, files[i]);

        assert_int_equal(unlink(path), 0);
        free(path);
    }
    assert_int_equal(rmdir(w->dir), 0);
    EVP_PKEY_free(w->key);
    free(w);
    return 0;
}

static X509 *read_cert(const struct world *w, const char *name)
{
    char *path = chsm_strf("%s/%s", w->dir, name);
    BIO *bio = BIO_new_file(path, "r");
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    free(path);
    assert_non_null(cert);
    return cert;
}

static void server_certificate_is_for_loopback_only(void **state)
{
    X509 *ca = read_cert(*state, "ca.pem"), *cert = read_cert(*state, "server.pem");
    EVP_PKEY *key = X509_get_pubkey(ca);

    assert_int_equal(X509_verify(cert, key), 1);
    assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "chsmdrill.blob.localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "management.azure.com", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ca(cert), 0);
    EVP_PKEY_free(key);
    X509_free(cert);
    X509_free(ca);
}

static void what_is_there_is_kept(void **state)
{
    const struct world *w = *state;
    X509 *before = read_cert(w, "ca.pem"), *after;
    struct chsm_err err = { 0 };

    assert_ok(sim_certs_make(w->dir, &err), err);
    after = read_cert(w, "ca.pem");
    assert_int_equal(X509_cmp(before, after), 0);
    X509_free(before);
    X509_free(after);
}

static char *make_token(const struct world *w)
{
    const struct sim_claims claims = { .audience = "https://a", .tenant = "t", .client_id = "c", .object_id = "o", .issued = 5000, .expires = 9000 };
    struct chsm_err err = { 0 };
    char *token = NULL;

    assert_ok(sim_token_make(w->key, &claims, &token, &err), err);
    return token;
}

static void a_token_gives_its_claims_back(void **state)
{
    const struct world *w = *state;
    struct chsm_err err = { 0 };
    char *token = make_token(w);
    json_t *claims = NULL;

    assert_ok(sim_token_check(w->key, token, &claims, &err), err);
    assert_string_equal(chsm_json_str(claims, "aud"), "https://a");
    assert_string_equal(chsm_json_str(claims, "tid"), "t");
    assert_string_equal(chsm_json_str(claims, "appid"), "c");
    assert_string_equal(chsm_json_str(claims, "oid"), "o");
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), 9);
    json_decref(claims);
    free(token);
}

static void a_token_with_any_character_changed_is_refused(void **state)
{
    const struct world *w = *state;
    char *token = make_token(w);
    size_t n = strlen(token);

    /* The last characters may hold padding bits that mean nothing. */
    for (size_t i = 0; i + 4 < n; i += 7) {
        struct chsm_err err = { 0 };
        json_t *claims = NULL;
        char was = token[i];

        token[i] = was == 'A' ? 'B' : 'A';
        assert_fails(sim_token_check(w->key, token, &claims, &err), CHSM_AUTH, err);
        assert_null(claims);
        token[i] = was;
    }
    free(token);
}

static void what_is_no_token_is_refused(void **state)
{
    static const char *const texts[] = { "", ".", "..", "a.b", "a.b.c", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "....." };
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct chsm_err err = { 0 };
        json_t *claims = NULL;

        assert_fails(sim_token_check(w->key, texts[i], &claims, &err), CHSM_AUTH, err);
    }
}

static void signed_urls_have_the_recorded_lengths(void **state)
{
    const struct world *w = *state;
    struct chsm_err err = { 0 };
    char *url = NULL, *end;

    assert_ok(sim_url_sign(w->key, "/a/b", "2025-03-31", 1749825405000, &url, &err), err);
    assert_int_equal(strncmp(url, "/a/b?api-version=2025-03-31&t=638854222050000000&c=", 51), 0);
    end = strstr(url, "&s=");
    assert_non_null(end);
    assert_int_equal(end - url, 51 + 2968);
    assert_int_equal(strlen(end), 3 + 342 + 3 + 43);
    assert_true(sim_url_ok(w->key, url));
    free(url);
}

static void a_changed_url_is_refused(void **state)
{
    static const char *const others[] = { "/a/b", "/a/b?api-version=1", "/a/b?api-version=1&t=1&s=&h=", "/a&s=A&h=B" };
    const struct world *w = *state;
    struct chsm_err err = { 0 };
    char *url = NULL, *more;

    assert_ok(sim_url_sign(w->key, "/a/b", "2025-03-31", 1749825405000, &url, &err), err);
    more = chsm_strf("%sx", url);
    assert_false(sim_url_ok(w->key, more));
    for (size_t i = 0; i < strlen(url); i += 101) {
        char was = url[i];

        url[i] = was == 'A' ? 'B' : 'A';
        assert_false(sim_url_ok(w->key, url));
        url[i] = was;
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(sim_url_ok(w->key, others[i]));
    free(more);
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_certificate_is_for_loopback_only), cmocka_unit_test(what_is_there_is_kept),
        cmocka_unit_test(a_token_gives_its_claims_back), cmocka_unit_test(a_token_with_any_character_changed_is_refused),
        cmocka_unit_test(what_is_no_token_is_refused), cmocka_unit_test(signed_urls_have_the_recorded_lengths),
        cmocka_unit_test(a_changed_url_is_refused),
    };

    return cmocka_run_group_tests_name("sim/token", tests, make_world, end_world);
}
