/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include "pkcs11/session.h"

/* True for p11-kit-proxy.so, the module that shows all configured ones: it is a link to the p11-kit library itself. */
static bool is_proxy(const char *path)
{
    struct stat self, asked;
    Dl_info info;

    return dladdr((const void *)(uintptr_t)p11_kit_module_load, &info) != 0 && stat(info.dli_fname, &self) == 0 &&
           stat(path, &asked) == 0 && self.st_dev == asked.st_dev && self.st_ino == asked.st_ino;
}

/* p11-kit refuses to load its proxy; by hand that can be done. Unmanaged, which is no loss to the only user in this process. */
static CK_FUNCTION_LIST *load_proxy(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)(uintptr_t)dlsym(library, "C_GetFunctionList") : NULL;
    CK_FUNCTION_LIST *fl = NULL;

    return get && get(&fl) == CKR_OK ? fl : NULL;
}

/* p11-kit cannot pass anything; its managed table can. */
static CK_RV initialize(struct chsm_session *s, const char *init)
{
    /* NSS has one more member, and reads the string where others have the reserved argument (facts: pkcs11-stack.md §5). */
    struct {
        CK_C_INITIALIZE_ARGS standard;
        void *beyond;
    } args = { .standard = { .flags = CKF_OS_LOCKING_OK, .pReserved = (void *)(uintptr_t)init } };
    CK_RV rv = s->by_hand ? s->ck.fl->C_Initialize(&args) : p11_kit_module_initialize(s->ck.fl);

    if (rv == CKR_CANT_LOCK || rv == CKR_NEED_TO_CREATE_THREADS) {
        args.standard.flags = 0;
        s->one_thread = s->by_hand = true;
        rv = s->ck.fl->C_Initialize(&args);
    }
    return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

int chsm_module_load(struct chsm_session *s, const char *path, const char *init, struct chsm_err *err)
{
    bool proxy = is_proxy(path);
    CK_RV rv;

    p11_kit_be_quiet();
    chsm_ck_enter(&s->ck, "dlopen");
    s->by_hand = proxy || init;
    s->ck.fl = proxy ? load_proxy(path) : p11_kit_module_load(path, /* flags= managed */ 0);
    chsm_ck_leave(&s->ck);
    if (!s->ck.fl) {
        const char *why = p11_kit_message();

        (void)chsm_fail(err, CHSM_PKCS11, "%s is not a PKCS#11 module that can be loaded: %s", path, why ? why : "no reason given");
        return chsm_err_hint(err, "give the full path of the vendor's library, e.g. "
                             "/opt/azurecloudhsm/lib64/libazcloudhsm_pkcs11.so");
    }
    chsm_ck_enter(&s->ck, "C_Initialize");
    rv = initialize(s, init);
    chsm_ck_leave(&s->ck);
    if (rv != CKR_OK) {
        (void)chsm_ck_fail(err, "C_Initialize", rv);
        if (rv == CKR_ARGUMENTS_BAD && !init)
            return chsm_err_hint(err, "some libraries want parameters, e.g. NSS: --module-init \"configdir='sql:DIR' flags=\"");
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
    (void)(s->by_hand ? s->ck.fl->C_Finalize(NULL) : p11_kit_module_finalize(s->ck.fl));
    chsm_ck_leave(&s->ck);
    s->initialised = false;
}
