/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/token_key.h"
#include "pkcs11/tokenkey.h"

static int certificate(void *ctx, chsm_deadline until, struct chsm_bytes *ret, struct chsm_err *err)
{
    return chsm_tokenkey_certificate(ctx, until, ret, err);
}

static int sign(void *ctx, bool pss, const struct chsm_bytes *input, chsm_deadline until, struct chsm_bytes *ret, struct chsm_err *err)
{
    return chsm_tokenkey_sign(ctx, pss, input, until, ret, err);
}

static void end(void *ctx)
{
    chsm_tokenkey_close(ctx);
}

int chsm_token_key_open(const char *uri, const struct chsm_secret *pin, struct chsm_key *ret, struct chsm_err *err)
{
    struct chsm_tokenkey *key = NULL;

    if (chsm_tokenkey_open(uri, pin, &key, err) < 0)
        return -1;
    *ret = (struct chsm_key){ .ctx = key, .certificate = certificate, .sign = sign, .close = end };
    return 0;
}
