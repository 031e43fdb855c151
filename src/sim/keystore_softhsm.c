/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>

#include "sim/keystore_softhsm.h"
#include "util/buf.h"
#include "util/enc.h"
#include "util/path.h"

#define LABEL_LEN 32        /* CK_TOKEN_INFO.label, padded with blanks */
#define SLOTS_MAX 4096

int sim_ck_fail(struct chsm_err *err, const char *call, CK_RV rv)
{
    (void)chsm_fail(err, CHSM_PKCS11, "SoftHSM: %s: CKR 0x%lx", call, rv);
    if (err)
        err->ck_rv = rv;
    return -1;
}

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_LSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(WITH_LSAN)
#include <sanitizer/lsan_interface.h>
void sim_softhsm_leaks(bool begin)
{
    begin ? __lsan_disable() : __lsan_enable();
}
#else
void sim_softhsm_leaks(bool begin)
{
    (void)begin;
}
#endif

static int load(CK_FUNCTION_LIST **ret, struct chsm_err *err)
{
    const char *other = getenv("CHSM_SIM_SOFTHSM");
    const char *path = other && *other ? other : SOFTHSM_MODULE;
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get;
    void *symbol;
    CK_RV rv;

    symbol = lib ? dlsym(lib, "C_GetFunctionList") : NULL;
    if (!symbol) {
        (void)chsm_fail(err, CHSM_CONFIG, "cannot load SoftHSM from %s", path);
        return chsm_err_hint(err, "install it (Debian: softhsm2), or set CHSM_SIM_SOFTHSM to the path of libsofthsm2.so");
    }
    memcpy(&get, &symbol, sizeof get);      /* ISO C has no conversion from object to function pointers */
    rv = get(ret);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_GetFunctionList", rv);
}

/* The configuration as a nameless file; its descriptor. */
static int make_conf(const char *keys, struct chsm_err *err)
{
    AUTO_FREE char *real = realpath(keys, NULL);
    AUTO_FREE char *text = NULL;
    int fd;

    if (!real)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", keys);
    text = chsm_strf("directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
                     real);
    if (!text)
        return chsm_oom(err);
    fd = memfd_create("softhsm2.conf", MFD_CLOEXEC);
    if (fd < 0)
        return chsm_fail_errno(err, CHSM_SERVICE, "memfd_create");
    if (chsm_fd_write(fd, text, strlen(text), err) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int sim_softhsm_start(const char *keys, CK_FUNCTION_LIST **ret, struct chsm_err *err)
{
    CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
    const char *before = getenv("SOFTHSM2_CONF");
    AUTO_FREE char *saved = before ? chsm_strf("%s", before) : NULL;
    AUTO_CLOSE int fd = -1;
    CK_FUNCTION_LIST *fl;
    char path[32];
    CK_RV rv;

    if (load(&fl, err) < 0)
        return -1;
    fd = make_conf(keys, err);
    if (fd < 0)
        return -1;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (setenv("SOFTHSM2_CONF", path, 1) < 0 || (before && !saved))
        return chsm_oom(err);
    rv = fl->C_Initialize(&args);
    if (saved)
        (void)setenv("SOFTHSM2_CONF", saved, 1);
    else
        (void)unsetenv("SOFTHSM2_CONF");
    if (rv != CKR_OK)
        return sim_ck_fail(err, "C_Initialize", rv);
    *ret = fl;
    return 0;
}

void sim_softhsm_stop(CK_FUNCTION_LIST *fl)
{
    if (fl)
        (void)fl->C_Finalize(NULL);
}

static int list_slots(CK_FUNCTION_LIST *fl, CK_SLOT_ID **ret, CK_ULONG *ret_n, struct chsm_err *err)
{
    CK_ULONG n = SLOTS_MAX;
    CK_SLOT_ID *slots = calloc(n, sizeof *slots);
    CK_RV rv;

    if (!slots)
        return chsm_oom(err);
    /* Asking for the count first makes SoftHSM add the blank slot that C_InitToken needs. */
    rv = fl->C_GetSlotList(CK_TRUE, NULL, &n);
    if (rv == CKR_OK) {
        n = SLOTS_MAX;
        rv = fl->C_GetSlotList(CK_TRUE, slots, &n);
    }
    if (rv != CKR_OK) {
        free(slots);
        return sim_ck_fail(err, "C_GetSlotList", rv);
    }
    *ret = slots;
    *ret_n = n;
    return 0;
}

static void pad_label(const char *label, CK_UTF8CHAR out[LABEL_LEN])
{
    size_t n = strlen(label);

    memset(out, ' ', LABEL_LEN);
    memcpy(out, label, n < LABEL_LEN ? n : LABEL_LEN);
}

/* label NULL: the blank slot. */
static int find_slot(CK_FUNCTION_LIST *fl, const char *label, CK_SLOT_ID *ret, struct chsm_err *err)
{
    CK_UTF8CHAR padded[LABEL_LEN];
    AUTO_FREE CK_SLOT_ID *slots = NULL;
    CK_TOKEN_INFO info;
    CK_ULONG n = 0, i;

    if (label)
        pad_label(label, padded);
    if (list_slots(fl, &slots, &n, err) < 0)
        return -1;
    for (i = 0; i < n; i++) {
        bool ready;

        if (fl->C_GetTokenInfo(slots[i], &info) != CKR_OK)
            continue;
        ready = (info.flags & CKF_TOKEN_INITIALIZED) != 0;
        if (label ? ready && memcmp(info.label, padded, LABEL_LEN) == 0 : !ready) {
            *ret = slots[i];
            return 0;
        }
    }
    return chsm_fail(err, CHSM_PKCS11, "SoftHSM has no token '%s'", label ? label : "(blank)");
}

int sim_softhsm_slot(CK_FUNCTION_LIST *fl, const char *label, CK_SLOT_ID *ret, struct chsm_err *err)
{
    return find_slot(fl, label, ret, err);
}

int sim_softhsm_any_slot(CK_FUNCTION_LIST *fl, CK_SLOT_ID *ret, struct chsm_err *err)
{
    AUTO_FREE CK_SLOT_ID *slots = NULL;
    CK_ULONG n = 0;

    if (list_slots(fl, &slots, &n, err) < 0)
        return -1;
    if (n == 0)
        return chsm_fail(err, CHSM_PKCS11, "SoftHSM has no slot");
    *ret = slots[0];
    return 0;
}

int sim_softhsm_token(CK_FUNCTION_LIST *fl, const char *label, const char *pin, struct chsm_err *err)
{
    unsigned char random[16];
    AUTO_FREE char *so_pin = NULL;      /* needed once, then forgotten */
    CK_UTF8CHAR padded[LABEL_LEN], *so;
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slot;
    CK_RV rv;

    if (find_slot(fl, NULL, &slot, err) < 0 || chsm_random(random, sizeof random, err) < 0)
        return -1;
    so_pin = chsm_hex(random, sizeof random);
    if (!so_pin)
        return chsm_oom(err);
    so = (CK_UTF8CHAR *)so_pin;
    pad_label(label, padded);
    rv = fl->C_InitToken(slot, so, strlen(so_pin), padded);
    if (rv != CKR_OK)
        return sim_ck_fail(err, "C_InitToken", rv);
    rv = fl->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return sim_ck_fail(err, "C_OpenSession", rv);
    rv = fl->C_Login(session, CKU_SO, so, strlen(so_pin));
    if (rv == CKR_OK)
        rv = fl->C_InitPIN(session, (CK_UTF8CHAR *)pin, strlen(pin));
    (void)fl->C_CloseSession(session);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_InitPIN", rv);
}

int sim_softhsm_login(CK_FUNCTION_LIST *fl, const char *label, const char *pin, CK_SESSION_HANDLE *ret, struct chsm_err *err)
{
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slot;
    CK_RV rv;

    if (find_slot(fl, label, &slot, err) < 0)
        return -1;
    rv = fl->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return sim_ck_fail(err, "C_OpenSession", rv);
    rv = fl->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
    if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) {
        (void)fl->C_CloseSession(session);
        return sim_ck_fail(err, "C_Login", rv);
    }
    *ret = session;
    return 0;
}
