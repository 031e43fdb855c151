/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that is SoftHSM but for one fault, chosen by P11_FAULT:
 *   hang:CALL abort:CALL   in C_Login, C_FindObjects, C_GetAttributeValue, C_Sign or C_Finalize
 *   repeat                 the search gives its first handles again and again
 *   early                  searches for a class end after one handle
 *   short                  the search gives one handle at a time, and each of them twice
 *   spoil                  reading several attributes at once answers nothing when one is not there
 *   swap                   reading several attributes at once gives a wrong CKA_ID
 *   vanish                 the first object that is read is gone
 *   session                the first object that is read says that it is a session object
 *   huge                   CKA_LABEL claims more bytes than there was room for
 *   overlong               C_FindObjects claims more handles than were asked for
 *   lost                   the token ends the login before the first search: every call works, private keys are just gone
 *   cut:CALL               the first C_GetAttributeValue or C_Sign finds all sessions closed, and the login gone with them
 *   print                  the PIN goes to stdout, and a line of 100,000 bytes
 *   writable               only read-write sessions
 *   refuse                 C_Sign gives 0xb3, which is also "session handle invalid"
 *   once                   each C_Sign fails with CKR_DEVICE_ERROR at first
 */
#include "config.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include "util/compat.h"

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST mine;
static unsigned searches, signs;
static CK_OBJECT_HANDLE victim;

static bool fault(const char *name)
{
    return chsm_streq(getenv("P11_FAULT"), name);
}

static void at(const char *call)
{
    char hang[64], crash[64];

    (void)snprintf(hang, sizeof hang, "hang:%s", call);
    (void)snprintf(crash, sizeof crash, "abort:%s", call);
    while (fault(hang))
        (void)pause();
    if (fault(crash))
        abort();
}

/* What a client daemon does to its applications when it is restarted. */
static void cut(const char *call)
{
    static bool done;
    CK_SLOT_ID slots[8];
    CK_ULONG n = 8;
    char name[64];

    (void)snprintf(name, sizeof name, "cut:%s", call);
    if (done || !fault(name) || real->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
        return;
    done = true;
    for (CK_ULONG i = 0; i < n; i++)
        (void)real->C_CloseAllSessions(slots[i]);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *ret)
{
    if (fault("writable") && !(flags & CKF_RW_SESSION))
        return CKR_FUNCTION_FAILED;
    return real->C_OpenSession(slot, flags, application, notify, ret);
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG n)
{
    at("C_Login");
    if (fault("print")) {
        printf("logging in with %.*s\n", (int)n, (char *)pin);
        for (int i = 0; i < 100000; i++)
            (void)putchar('x');
        printf("\nready\n");
        (void)fflush(stdout);
    }
    return real->C_Login(s, user, pin, n);
}

static bool by_class, given;

static CK_RV find_init(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n)
{
    searches++;
    by_class = n > 0;
    given = false;
    if (fault("lost") && searches == 1)
        (void)real->C_Logout(s);
    return real->C_FindObjectsInit(s, t, n);
}

static CK_RV find(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *v, CK_ULONG max, CK_ULONG *n)
{
    static CK_OBJECT_HANDLE last;
    static bool again;
    CK_RV rv;

    at("C_FindObjects");
    if (fault("early") && by_class) {
        *n = 0;
        rv = given ? CKR_OK : real->C_FindObjects(s, v, 1, n);
        given = true;
        return rv;
    }
    if (fault("repeat")) {
        rv = last ? CKR_OK : real->C_FindObjects(s, v, 1, n);
        if (last)
            *n = 1;
        last = last ? last : v[0];
        v[0] = last;
        return rv;
    }
    if (fault("short") && again) {
        again = false;
        v[0] = last;
        rv = real->C_FindObjects(s, v + 1, 1, n);
        *n = rv == CKR_OK && *n > 0 ? 2 : 0;
        return rv;
    }
    rv = real->C_FindObjects(s, v, fault("short") ? 1 : max, n);
    again = rv == CKR_OK && *n > 0;
    last = again ? v[0] : last;
    if (fault("overlong") && *n > 0)
        *n = max + 1;
    return rv;
}

static CK_RV get(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE h, CK_ATTRIBUTE *t, CK_ULONG n)
{
    CK_RV rv;

    at("C_GetAttributeValue");
    if (searches > 0)
        cut("C_GetAttributeValue");
    if (fault("vanish") && searches >= 5 && victim == 0)
        victim = h;
    if (fault("vanish") && h == victim)
        return CKR_OBJECT_HANDLE_INVALID;
    rv = real->C_GetAttributeValue(s, h, t, n);
    for (CK_ULONG i = 0; i < n; i++) {
        if (fault("spoil") && n > 1 && rv != CKR_OK)
            t[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
        if (fault("swap") && n > 1 && t[i].type == CKA_ID && t[i].ulValueLen > 0 && t[i].ulValueLen < 256)
            *(CK_BYTE *)t[i].pValue ^= 0xff;
        if (fault("session") && (victim == 0 || victim == h) && t[i].type == CKA_TOKEN && t[i].pValue) {
            victim = h;
            *(CK_BBOOL *)t[i].pValue = CK_FALSE;
        }
        if (fault("huge") && t[i].type == CKA_LABEL)
            t[i].ulValueLen = 1ul << 40;
    }
    return rv;
}

static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE *data, CK_ULONG n, CK_BYTE *out, CK_ULONG *out_n)
{
    at("C_Sign");
    cut("C_Sign");
    if (fault("refuse"))
        return CKR_SESSION_HANDLE_INVALID;
    if (fault("once") && signs++ == 0)
        return CKR_DEVICE_ERROR;
    return real->C_Sign(s, data, n, out, out_n);
}

static CK_RV finalize(void *reserved)
{
    at("C_Finalize");
    return real->C_Finalize(reserved);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    void *so = dlopen(SOFTHSM_MODULE, RTLD_NOW | RTLD_LOCAL);
    void *symbol = so ? dlsym(so, "C_GetFunctionList") : NULL;
    CK_C_GetFunctionList get_list;

    if (!symbol)
        return CKR_GENERAL_ERROR;
    memcpy(&get_list, &symbol, sizeof get_list);
    if (get_list(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    mine = *real;
    mine.C_OpenSession = open_session;
    mine.C_Login = login;
    mine.C_FindObjectsInit = find_init;
    mine.C_FindObjects = find;
    mine.C_GetAttributeValue = get;
    mine.C_Sign = sign;
    mine.C_Finalize = finalize;
    *list = &mine;
    return CKR_OK;
}
