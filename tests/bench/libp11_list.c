/* SPDX-License-Identifier: Apache-2.0 */
/* libp11_list MODULE PIN: what a program on libp11 does to list the private and public keys of the only token. */
#include "config.h"

#include <stdio.h>

/* libp11.h names types that OpenSSL hides with its deprecated functions; none of those is used here. */
#undef OPENSSL_NO_DEPRECATED
#include <libp11.h>

#include "util/compat.h"

static PKCS11_SLOT *token_of(PKCS11_SLOT *slots, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (slots[i].token && slots[i].token->initialized)
            return &slots[i];
    return NULL;
}

int main(int argc, char **argv)
{
    PKCS11_CTX *ctx = PKCS11_CTX_new();
    PKCS11_SLOT *slots = NULL, *slot;
    PKCS11_KEY *keys = NULL;
    unsigned nslots = 0, private = 0, public = 0;

    if (argc != 3 || !ctx || PKCS11_CTX_load(ctx, argv[1]) < 0 || PKCS11_enumerate_slots(ctx, &slots, &nslots) < 0)
        return 1;
    slot = token_of(slots, nslots);
    if (!slot || PKCS11_login(slot, 0, argv[2]) < 0 || PKCS11_enumerate_keys(slot->token, &keys, &private) < 0 ||
        PKCS11_enumerate_public_keys(slot->token, &keys, &public) < 0)
        return 1;
    printf("%u private, %u public\n", private, public);
    PKCS11_release_all_slots(ctx, slots, nslots);
    PKCS11_CTX_unload(ctx);
    PKCS11_CTX_free(ctx);
    return 0;
}
