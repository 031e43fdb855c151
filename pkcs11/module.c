/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/session.h"

int chsm_module_load(struct chsm_session *s, const char *path, struct chsm_err *err)
{
    CK_RV rv;

    p11_kit_be_quiet();
    chsm_ck_enter(&s->ck, "dlopen");
    s->ck.fl = p11_kit_module_load(path, /* flags= managed */ 0);
    chsm_ck_leave(&s->ck);
    if (!s->ck.fl) {
        const char *why = p11_kit_message();

        (void)chsm_fail(err, CHSM_PKCS11, "%s is not a PKCS#11 module that can be loaded: %s", path, why ? why : "no reason given");
        return chsm_err_hint(err, "give the full path of the vendor's library, e.g. "
                             "/opt/azurecloudhsm/lib64/libazcloudhsm_pkcs11.so");
    }
    chsm_ck_enter(&s->ck, "C_Initialize");
    rv = p11_kit_module_initialize(s->ck.fl);
    chsm_ck_leave(&s->ck);
    if (rv != CKR_OK) {
        (void)chsm_ck_fail(err, "C_Initialize", rv);
        if (rv == CKR_GENERAL_ERROR)
            return chsm_err_hint(err, "is the client daemon running on this host (azure-cloud-hsm service), and is its "
                                 "azcloudhsm_resource.cfg right?");
        return -1;
    }
    s->initialised = true;
    return 0;
}

void chsm_module_finalize(struct chsm_session *s)
{
    if (!s->initialised)
        return;
    chsm_ck_enter(&s->ck, "C_Finalize");
    (void)p11_kit_module_finalize(s->ck.fl);
    chsm_ck_leave(&s->ck);
    s->initialised = false;
}
