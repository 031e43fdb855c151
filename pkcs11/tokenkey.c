/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/evp.h"
#include "pkcs11/request.h"
#include "pkcs11/tokenkey.h"
#include "pkcs11/uri.h"

struct chsm_tokenkey {
    char *text;                 /* the URI */
    struct chsm_uri uri;
    struct chsm_secret pin;
};

void chsm_tokenkey_close(struct chsm_tokenkey *k)
{
    if (!k)
        return;
    chsm_uri_done(&k->uri);
    chsm_secret_done(&k->pin);
    free(k->text);
    free(k);
}

static void tokenkey_auto(struct chsm_tokenkey **k)
{
    chsm_tokenkey_close(*k);
}

static int read_pin(struct chsm_tokenkey *k, const struct chsm_secret *pin, struct chsm_err *err)
{
    if (k->uri.pin_source)
        return chsm_secret_read(k->uri.pin_source, "PIN of the key", &k->pin, err);
    if (pin)
        return chsm_secret_set(&k->pin, pin->p, pin->len, err);
    (void)chsm_fail(err, CHSM_CONFIG, "the URI of the key names no pin-source");
    return chsm_err_hint(err, "add ?pin-source=/run/secrets/pin to it, or set AZURE_CLIENT_CERTIFICATE_PASSWORD");
}

static int read_module(struct chsm_tokenkey *k, struct chsm_err *err)
{
    const char *module = getenv("CHSMCTL_MODULE");

    if (k->uri.module_path)
        return 0;
    if (!module || !*module)
        return chsm_fail(err, CHSM_CONFIG, "the URI of the key has no module-path, and CHSMCTL_MODULE is not set");
    k->uri.module_path = strdup(module);
    return k->uri.module_path ? 0 : chsm_oom(err);
}

int chsm_tokenkey_open(const char *uri, const struct chsm_secret *pin, struct chsm_tokenkey **ret, struct chsm_err *err)
{
    AUTO(tokenkey_auto) struct chsm_tokenkey *k = calloc(1, sizeof *k);

    if (!k || !(k->text = strdup(uri)))
        return chsm_oom(err);
    if (chsm_uri_parse_key(uri, &k->uri, err) < 0) {
        if (err)
            err->code = CHSM_CONFIG;
        return -1;
    }
    if (read_module(k, err) < 0 || read_pin(k, pin, err) < 0)
        return -1;
    *ret = TAKE(k);
    return 0;
}

static int use(const struct chsm_tokenkey *k, struct chsm_evp_key *key, const struct chsm_bytes *input, chsm_deadline until,
               struct chsm_bytes *ret, struct chsm_err *err)
{
    struct chsm_hsm_target target = { .module = k->uri.module_path, .uri = k->text };
    int64_t own = chsm_request_limit(&target), left = chsm_deadline_left(until);

    if (left == 0)
        return chsm_fail(err, CHSM_DEADLINE, "the deadline passed before the key in the token was asked");
    target.timeout = left < own ? left : own;
    key->id_hex = k->uri.id_hex;
    key->object = k->uri.object;
    return chsm_evp_use(&target, &k->pin, key, input, ret, err) < 0 ? chsm_err_prefix(err, "the key in the token") : 0;
}

int chsm_tokenkey_certificate(const struct chsm_tokenkey *k, chsm_deadline until, struct chsm_bytes *ret, struct chsm_err *err)
{
    return use(k, &(struct chsm_evp_key){ .certificate = true }, NULL, until, ret, err);
}

int chsm_tokenkey_sign(const struct chsm_tokenkey *k, bool pss, const struct chsm_bytes *input, chsm_deadline until, struct chsm_bytes *ret,
                       struct chsm_err *err)
{
    return use(k, &(struct chsm_evp_key){ .pss = pss }, input, until, ret, err);
}
