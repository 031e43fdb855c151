/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "azure/certificate_file.h"

#define CHAIN_MAX 10

void chsm_certificates_free(STACK_OF(X509) *all)
{
    sk_X509_pop_free(all, X509_free);
}

/* OpenSSL asks for the passphrase; without one it must not ask on the terminal. */
static int password_for(char *out, int size, int writing, void *ctx)
{
    const struct chsm_secret *s = ctx;

    (void)writing;
    if (!s || !s->p || s->len > (size_t)size)
        return -1;
    memcpy(out, s->p, s->len);
    return (int)s->len;
}

static bool is_encrypted(const struct chsm_buf *text)
{
    return memmem(text->p, text->len, "ENCRYPTED", strlen("ENCRYPTED")) != NULL;
}

static int bad_key(const struct chsm_buf *text, const char *what, const struct chsm_secret *password, struct chsm_err *err)
{
    ERR_clear_error();
    if (!is_encrypted(text)) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s holds no private key that can be read", what);
        return chsm_err_hint(err, "put key and certificate into one PEM file, or name the key in a token by a pkcs11: URI");
    }
    if (password)
        return chsm_fail(err, CHSM_CONFIG, "%s: the private key is encrypted, and AZURE_CLIENT_CERTIFICATE_PASSWORD does not open it", what);
    (void)chsm_fail(err, CHSM_CONFIG, "%s: the private key is encrypted", what);
    return chsm_err_hint(err, "put its passphrase into AZURE_CLIENT_CERTIFICATE_PASSWORD");
}

/* The first private key, wherever in the text it stands. */
static int pem_key(const struct chsm_buf *text, const char *what, const struct chsm_secret *password, EVP_PKEY **ret, struct chsm_err *err)
{
    BIO *bio = BIO_new_mem_buf(text->p, (int)text->len);

    if (!bio)
        return chsm_oom(err);
    *ret = PEM_read_bio_PrivateKey(bio, NULL, password_for, (void *)(uintptr_t)password);
    BIO_free(bio);
    return *ret ? 0 : bad_key(text, what, password, err);
}

static int pem_certificates(const struct chsm_buf *text, const char *what, STACK_OF(X509) **ret, struct chsm_err *err)
{
    BIO *bio = BIO_new_mem_buf(text->p, (int)text->len);
    STACK_OF(X509) *all = sk_X509_new_null();
    X509 *one;
    bool ok = bio && all;

    while (ok && (one = PEM_read_bio_X509(bio, NULL, password_for, NULL))) {
        ok = sk_X509_push(all, one) > 0;
        if (!ok)
            X509_free(one);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (ok && sk_X509_num(all) > 0) {
        *ret = all;
        return 0;
    }
    chsm_certificates_free(all);
    return ok ? chsm_fail(err, CHSM_CONFIG, "%s holds no certificate", what) : chsm_oom(err);
}

static int pkcs12_fail(const char *what, const struct chsm_secret *password, struct chsm_err *err)
{
    unsigned long why = ERR_peek_last_error();
    bool mac = ERR_GET_LIB(why) == ERR_LIB_PKCS12 && ERR_GET_REASON(why) == PKCS12_R_MAC_VERIFY_FAILURE;

    ERR_clear_error();
    if (mac && password)
        return chsm_fail(err, CHSM_CONFIG, "%s: AZURE_CLIENT_CERTIFICATE_PASSWORD does not open it", what);
    if (mac) {
        (void)chsm_fail(err, CHSM_CONFIG, "%s needs a password", what);
        return chsm_err_hint(err, "put it into AZURE_CLIENT_CERTIFICATE_PASSWORD");
    }
    (void)chsm_fail(err, CHSM_CONFIG, "%s is no PEM file, and no PKCS#12 file that can be read", what);
    return chsm_err_hint(err, "a PKCS#12 file with RC2 or DES encryption has to be made anew: openssl pkcs12 -export");
}

static int pkcs12(const struct chsm_buf *text, const char *what, const struct chsm_secret *password, EVP_PKEY **ret_key,
                  STACK_OF(X509) **ret_all, struct chsm_err *err)
{
    const unsigned char *at = (const unsigned char *)text->p;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)text->len);
    STACK_OF(X509) *rest = NULL;
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    int ok = p12 && PKCS12_parse(p12, password ? password->p : NULL, &key, &leaf, &rest) == 1;

    PKCS12_free(p12);
    if (!ok)
        return pkcs12_fail(what, password, err);
    if (!rest)
        rest = sk_X509_new_null();
    if (key && leaf && rest && sk_X509_unshift(rest, leaf) > 0) {
        *ret_key = key;
        *ret_all = rest;
        return 0;
    }
    EVP_PKEY_free(key);
    X509_free(leaf);
    chsm_certificates_free(rest);
    return chsm_fail(err, CHSM_CONFIG, "%s holds no private key with its certificate", what);
}

int chsm_certificate_read(const struct chsm_buf *text, const char *what, const struct chsm_secret *password, EVP_PKEY **ret_key,
                          STACK_OF(X509) **ret_all, struct chsm_err *err)
{
    EVP_PKEY *key = NULL;

    ERR_clear_error();
    if (text->len == 0)
        return chsm_fail(err, CHSM_CONFIG, "%s is empty", what);
    if (ret_key && text->p[0] == 0x30)
        return pkcs12(text, what, password, ret_key, ret_all, err);
    if (ret_key && pem_key(text, what, password, &key, err) < 0)
        return -1;
    if (pem_certificates(text, what, ret_all, err) < 0) {
        EVP_PKEY_free(key);
        return -1;
    }
    if (ret_key)
        *ret_key = key;
    return 0;
}

static X509 *issuer_of(STACK_OF(X509) *all, X509 *child)
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (X509_check_issued(sk_X509_value(all, i), child) == X509_V_OK)
            return sk_X509_value(all, i);
    return NULL;
}

static X509 *leaf_of(STACK_OF(X509) *all, EVP_PKEY *key)
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(all, i)), key) == 1)
            return sk_X509_value(all, i);
    return NULL;
}

STACK_OF(X509) *chsm_certificate_chain(STACK_OF(X509) *all, EVP_PKEY *key)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *at = leaf_of(all, key);
    bool ok = chain && at;

    /* A certificate that issued itself is the end, and so is a circle of them. */
    for (int n = 0; ok && at && n < CHAIN_MAX; n++) {
        X509 *next = issuer_of(all, at);

        ok = X509_up_ref(at) == 1;
        if (ok && sk_X509_push(chain, at) <= 0) {
            X509_free(at);
            ok = false;
        }
        at = next == at ? NULL : next;
    }
    ERR_clear_error();
    if (ok)
        return chain;
    chsm_certificates_free(chain);
    return NULL;
}
