/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/pem.h>

#include "sim/login.h"
#include "sim/principal.h"
#include "util/path.h"

#define PEM_MAX (256u << 10)

static int append(json_t *principal, const char *member, json_t *value, struct chsm_err *err)
{
    json_t *list = json_object_get(principal, member);

    if (!list) {
        list = json_array();
        if (json_object_set_new(principal, member, list) < 0) {
            json_decref(value);
            return chsm_oom(err);
        }
    }
    return json_array_append_new(list, value) < 0 ? chsm_oom(err) : 0;
}

int sim_principal_certificate(json_t *principal, const char *file, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(PEM_MAX);
    BIO *in = NULL, *out = NULL;
    X509 *x = NULL;
    char *pem = NULL;
    long n = 0;
    int rc = -1;

    if (chsm_file_read(file, PEM_MAX, &text, err) < 0)
        return -1;
    in = BIO_new_mem_buf(text.p, (int)text.len);
    out = BIO_new(BIO_s_mem());
    x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    if (x && out && PEM_write_bio_X509(out, x) == 1)
        n = BIO_get_mem_data(out, &pem);
    if (n > 0)
        rc = append(principal, "certificates", json_stringn(pem, (size_t)n), err);
    else
        (void)chsm_fail(err, CHSM_CONFIG, "%s holds no certificate", file);
    X509_free(x);
    BIO_free(in);
    BIO_free(out);
    return rc;
}

int sim_principal_federated(json_t *principal, const struct sim_federated *f, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf key = CHSM_BUF(PEM_MAX);

    if (chsm_file_read(f->key, PEM_MAX, &key, err) < 0)
        return -1;
    return append(principal, "federated", json_pack("{s:s,s:s,s:s,s:s}", "issuer", f->issuer, "subject", f->subject, "audience",
                                                    f->audience ? f->audience : SIM_FEDERATED_AUDIENCE, "key", chsm_buf_str(&key)), err);
}
