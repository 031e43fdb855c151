/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/ck.h"
#include "pkcs11/hsm.h"
#include "pkcs11/wire.h"

void chsm_ck_enter(struct chsm_ck *ck, const char *name)
{
    if (!ck->call)
        return;
    ck->call->since = chsm_mono();
    (void)snprintf(ck->call->name, sizeof ck->call->name, "%s", name);
}

void chsm_ck_leave(struct chsm_ck *ck)
{
    if (ck->call)
        ck->call->name[0] = '\0';
}

int chsm_ck_fail(struct chsm_err *err, const char *call, CK_RV rv)
{
    char text[256];

    (void)chsm_fail(err, CHSM_PKCS11, "%s: %s", call, chsm_ckr_text(rv, text, sizeof text));
    if (err)
        err->ck_rv = rv;
    return -1;
}

bool chsm_ck_transient(CK_RV rv)
{
    switch (rv) {
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_MEMORY:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
        return true;
    default:
        return false;
    }
}
