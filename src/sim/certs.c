/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "sim/certs.h"
#include "util/enc.h"
#include "util/path.h"

#define LIFETIME_DAYS 3650

static int crypto_fail(struct chsm_err *err, const char *what)
{
    return chsm_fail(err, CHSM_CONFIG, "OpenSSL could not make %s", what);
}

/* Writes what a PEM memory BIO holds; frees the BIO. */
static int save_bio(const char *dir, const char *name, BIO *bio, int written, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(dir, name);
    char *data = NULL;
    long n = bio ? BIO_get_mem_data(bio, &data) : 0;
    int rc;

    if (!path)
        rc = chsm_oom(err);
    else if (written != 1 || n <= 0)
        rc = crypto_fail(err, name);
    else
        rc = chsm_file_write(path, data, (size_t)n, strstr(name, ".key") ? 0600 : 0644, err);
    BIO_free(bio);
    return rc;
}

static int save_key(const char *dir, const char *name, const EVP_PKEY *key, struct chsm_err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = bio && key ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) : 0;

    return save_bio(dir, name, bio, written, err);
}

static int save_cert(const char *dir, const char *name, X509 *cert, struct chsm_err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = bio ? PEM_write_bio_X509(bio, cert) : 0;

    return save_bio(dir, name, bio, written, err);
}

static int add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    int rc;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    rc = ext ? X509_add_ext(cert, ext, -1) : 0;
    X509_EXTENSION_free(ext);
    return rc;
}

static int fill_cert(X509 *cert, const char *name, EVP_PKEY *key)
{
    unsigned char serial[16];
    BIGNUM *number = NULL;
    X509_NAME *subject = X509_get_subject_name(cert);
    int ok;

    if (chsm_random(serial, sizeof serial, NULL) < 0)
        return 0;
    serial[0] &= 0x7f;
    number = BN_bin2bn(serial, sizeof serial, NULL);
    ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) && X509_set_version(cert, X509_VERSION_3) &&
         X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
         X509_time_adj_ex(X509_getm_notAfter(cert), LIFETIME_DAYS, 0, NULL) &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) &&
         X509_set_pubkey(cert, key);
    BN_free(number);
    return ok;
}

/* A certificate for `key`; issuer NULL = a self-signed CA. */
static X509 *make_cert(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *cert = X509_new();
    int ok = cert && fill_cert(cert, name, key) && X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)) &&
             add_extension(cert, cert, NID_subject_key_identifier, "hash");

    if (ok && !issuer)
        ok = add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
             add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    else if (ok)
        ok = add_extension(cert, issuer, NID_authority_key_identifier, "keyid") &&
             add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
             add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
             add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") &&
             add_extension(cert, issuer, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost,DNS:*.blob.localhost");
    if (!ok || X509_sign(cert, issuer_key, EVP_sha256()) == 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static int make_tls(const char *dir, struct chsm_err *err)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = NULL, *cert = NULL;
    int rc = -1;

    if (ca_key && key) {
        ca = make_cert("chsm-sim CA", ca_key, NULL, ca_key);
        cert = ca ? make_cert("chsm-sim", key, ca, ca_key) : NULL;
    }
    if (!cert)
        (void)crypto_fail(err, "the certificates");
    else if (save_key(dir, "server.key", key, err) == 0 && save_cert(dir, "server.pem", cert, err) == 0)
        rc = save_cert(dir, "ca.pem", ca, err);     /* last: its presence says that all three are there */
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return rc;
}

static int make_signing(const char *dir, struct chsm_err *err)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    int rc = save_key(dir, "signing.key", key, err);

    EVP_PKEY_free(key);
    return rc;
}

int sim_certs_make(const char *dir, struct chsm_err *err)
{
    static const struct { const char *file; int (*make)(const char *, struct chsm_err *); } parts[] = {
        { "ca.pem", make_tls }, { "signing.key", make_signing },
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        AUTO_FREE char *path = chsm_path_join(dir, parts[i].file);

        if (!path)
            return chsm_oom(err);
        if (access(path, F_OK) < 0 && parts[i].make(dir, err) < 0)
            return -1;
    }
    return 0;
}

int sim_certs_owner(const char *folder, const char *name, struct chsm_err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO_FREE char *subject = chsm_strf("partition owner of %s", name);
    X509 *cert = key && subject ? make_cert(subject, key, NULL, key) : NULL;
    int rc = cert ? save_cert(folder, "PO.crt", cert, err) : crypto_fail(err, "PO.crt");

    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}

int sim_signing_key(const char *dir, EVP_PKEY **ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(dir, "signing.key");
    AUTO_BUF struct chsm_buf pem = CHSM_BUF_SECRET(SIM_PEM_MAX);
    BIO *bio;
    EVP_PKEY *key;

    if (!path)
        return chsm_oom(err);
    if (chsm_file_read(path, SIM_PEM_MAX, &pem, err) < 0)
        return -1;
    bio = BIO_new_mem_buf(chsm_buf_str(&pem), (int)pem.len);
    key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!key)
        return chsm_fail(err, CHSM_CONFIG, "%s holds no private key", path);
    *ret = key;
    return 0;
}
