/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "sim/keystore_domain.h"

#define NUMBER_MAX 512

void sim_domain_done(struct sim_domain *d)
{
    chsm_bytes_done(&d->p);
    chsm_bytes_done(&d->q);
    chsm_bytes_done(&d->g);
}

static int get(const EVP_PKEY *group, const char *name, struct chsm_bytes *ret, struct chsm_err *err)
{
    unsigned char bytes[NUMBER_MAX];
    BIGNUM *n = NULL;
    int rc = -1;

    if (EVP_PKEY_get_bn_param(group, name, &n) == 1 && BN_num_bytes(n) <= NUMBER_MAX)
        rc = chsm_bytes_set(ret, bytes, (size_t)BN_bn2bin(n, bytes), err);
    else
        (void)chsm_fail(err, CHSM_SERVICE, "OpenSSL's group has no %s", name);
    BN_free(n);
    return rc;
}

int sim_domain_of(bool dsa, unsigned bits, struct sim_domain *ret, struct chsm_err *err)
{
    char name[16];
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, dsa ? "DHX" : "DH", NULL);
    EVP_PKEY *group = NULL;
    int rc = -1;

    (void)snprintf(name, sizeof name, "%s", !dsa ? "ffdhe2048" : bits == 1024 ? "dh_1024_160" : "dh_2048_256");
    params[0].data_size = strlen(name);
    if (ctx && EVP_PKEY_fromdata_init(ctx) > 0 && EVP_PKEY_fromdata(ctx, &group, EVP_PKEY_KEY_PARAMETERS, params) > 0)
        rc = get(group, OSSL_PKEY_PARAM_FFC_P, &ret->p, err) < 0 || get(group, OSSL_PKEY_PARAM_FFC_G, &ret->g, err) < 0 ||
             (dsa && get(group, OSSL_PKEY_PARAM_FFC_Q, &ret->q, err) < 0) ? -1 : 0;
    else
        (void)chsm_fail(err, CHSM_SERVICE, "OpenSSL does not know the group %s", name);
    EVP_PKEY_free(group);
    EVP_PKEY_CTX_free(ctx);
    return rc;
}
