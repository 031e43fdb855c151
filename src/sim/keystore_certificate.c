/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "sim/keystore_certificate.h"

#define YEARS_10 (3650L * 24 * 3600)

static bool set_name(X509_NAME *name, const void *text, size_t n)
{
    return n <= 64 && X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, text, (int)n, -1, 0) == 1;
}

static bool set_serial(X509 *certificate)
{
    uint64_t serial;

    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

static bool fill(X509 *certificate, const struct chsm_bytes *name, EVP_PKEY *subject, EVP_PKEY *issuer)
{
    static const char issuer_name[] = "chsm-sim issuing authority";

    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           set_name(X509_get_subject_name(certificate), name->len ? name->p : (const void *)"unnamed", name->len ? name->len : 7) &&
           set_name(X509_get_issuer_name(certificate), issuer_name, sizeof issuer_name - 1) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), 0) && X509_gmtime_adj(X509_getm_notAfter(certificate), YEARS_10) &&
           X509_set_pubkey(certificate, subject) == 1 && X509_sign(certificate, issuer, EVP_sha256()) > 0;
}

int sim_certificate_make(const struct chsm_bytes *name, const struct chsm_bytes *spki, struct chsm_bytes *ret,
                         struct chsm_bytes *ret_subject, struct chsm_err *err)
{
    const unsigned char *p = spki->p;
    EVP_PKEY *issuer = EVP_EC_gen("P-256");
    EVP_PKEY *subject = spki->len ? d2i_PUBKEY(NULL, &p, (long)spki->len) : EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    unsigned char *der = NULL, *subject_der = NULL;
    int n, subject_n, result = -1;

    if (!issuer || !subject || !certificate || !fill(certificate, name, subject, issuer)) {
        (void)chsm_fail(err, CHSM_SERVICE, "cannot make a certificate (its label has at most 64 bytes of UTF-8)");
        goto done;
    }
    n = i2d_X509(certificate, &der);
    subject_n = i2d_X509_NAME(X509_get_subject_name(certificate), &subject_der);
    if (n <= 0 || subject_n <= 0)
        (void)chsm_oom(err);
    else if (chsm_bytes_set(ret, der, (size_t)n, err) == 0)
        result = chsm_bytes_set(ret_subject, subject_der, (size_t)subject_n, err);
done:
    OPENSSL_free(der);
    OPENSSL_free(subject_der);
    X509_free(certificate);
    EVP_PKEY_free(subject);
    EVP_PKEY_free(issuer);
    return result;
}
