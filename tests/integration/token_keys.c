/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes, damages and removes keys in any PKCS#11 token: what tests/integration/tokens.bats does to tokens that are not SoftHSM.
 * (pkcs11-tool can neither pass parameters to C_Initialize, which NSS needs, nor give a key exactly the usage that a test is about.)
 *
 *   token_keys MODULE INIT TOKEN PINFILE ACTION...        INIT may be empty
 *   actions: make KIND ID LABEL      KIND: rsa-sign rsa-decrypt ec-sign ecdh aes hmac
 *            destroy CLASS ID        CLASS: private public secret all
 *            relabel CLASS ID LABEL
 */
#include "config.h"

#include <dlfcn.h>

#include <openssl/rand.h>
#include <p11-kit/pkcs11.h>

#include "util/buf.h"
#include "util/enc.h"
#include "util/secret.h"

#define ID_MAX 64
#define FOUND_MAX 16

struct token {
    CK_FUNCTION_LIST *fl;
    CK_SESSION_HANDLE session;
};

struct template {
    CK_ATTRIBUTE a[24];
    CK_ULONG n;
};

enum { SIGN = 1, VERIFY = 2, DECRYPT = 4, ENCRYPT = 8, DERIVE = 16 };

static const struct kind {
    const char *name;
    CK_OBJECT_CLASS cls;
    CK_KEY_TYPE type;
    unsigned usage;
} kinds[] = {
    { "rsa-sign", CKO_PRIVATE_KEY, CKK_RSA, SIGN | VERIFY },
    { "rsa-decrypt", CKO_PRIVATE_KEY, CKK_RSA, DECRYPT | ENCRYPT },
    { "ec-sign", CKO_PRIVATE_KEY, CKK_EC, SIGN | VERIFY },
    { "ecdh", CKO_PRIVATE_KEY, CKK_EC, DERIVE },
    { "aes", CKO_SECRET_KEY, CKK_AES, ENCRYPT | DECRYPT },
    { "hmac", CKO_SECRET_KEY, CKK_GENERIC_SECRET, SIGN | VERIFY },
};

static _Noreturn void stop(const char *what, const char *why)
{
    fprintf(stderr, "token_keys: %s: %s\n", what, why);
    exit(1);
}

static void must(CK_RV rv, const char *call)
{
    char number[32];

    if (rv == CKR_OK)
        return;
    (void)snprintf(number, sizeof number, "0x%lx", rv);
    stop(call, number);
}

static void add(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t n)
{
    assert(t->n < ARRAY_LEN(t->a));
    t->a[t->n++] = (CK_ATTRIBUTE){ type, (void *)(uintptr_t)value, n };
}

static void add_flag(struct template *t, CK_ATTRIBUTE_TYPE type, bool on)
{
    static const CK_BBOOL value[] = { CK_FALSE, CK_TRUE };

    add(t, type, &value[on], sizeof value[on]);
}

static void add_name(struct template *t, const struct chsm_bytes *id, const char *label)
{
    add_flag(t, CKA_TOKEN, true);
    add(t, CKA_ID, id->p, id->len);
    add(t, CKA_LABEL, label, strlen(label));
}

/* Every use is named: the tokens' defaults differ. */
static void add_public_uses(struct template *t, const struct kind *k)
{
    add_flag(t, CKA_VERIFY, k->usage & VERIFY);
    add_flag(t, CKA_ENCRYPT, k->usage & ENCRYPT);
    add_flag(t, CKA_WRAP, false);
}

static void add_private_uses(struct template *t, const struct kind *k)
{
    add_flag(t, CKA_PRIVATE, true);
    add_flag(t, CKA_SENSITIVE, true);
    add_flag(t, CKA_SIGN, k->usage & SIGN);
    add_flag(t, CKA_DECRYPT, k->usage & DECRYPT);
    add_flag(t, CKA_UNWRAP, false);
    add_flag(t, CKA_DERIVE, k->usage & DERIVE);
}

static void make_pair(const struct token *t, const struct kind *k, const struct chsm_bytes *id, const char *label)
{
    static const CK_BYTE exponent[] = { 1, 0, 1 }, p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
    CK_MECHANISM m = { k->type == CKK_RSA ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0 };
    struct template public = { .n = 0 }, private = { .n = 0 };
    CK_OBJECT_HANDLE a, b;
    CK_ULONG bits = 2048;

    add_name(&public, id, label);
    add_public_uses(&public, k);
    if (k->type == CKK_RSA) {
        add(&public, CKA_MODULUS_BITS, &bits, sizeof bits);
        add(&public, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
    } else {
        add(&public, CKA_EC_PARAMS, p256, sizeof p256);
    }
    add_name(&private, id, label);
    add_private_uses(&private, k);
    must(t->fl->C_GenerateKeyPair(t->session, &m, public.a, public.n, private.a, private.n, &a, &b), "C_GenerateKeyPair");
}

/* An HMAC key is created from random bytes: not every token can generate one. */
static void make_secret(const struct token *t, const struct kind *k, const struct chsm_bytes *id, const char *label)
{
    CK_MECHANISM m = { CKM_AES_KEY_GEN, NULL, 0 };
    struct template secret = { .n = 0 };
    CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
    CK_KEY_TYPE type = k->type;
    CK_OBJECT_HANDLE object;
    CK_BYTE value[32];
    CK_ULONG len = sizeof value;

    add_name(&secret, id, label);
    add_public_uses(&secret, k);
    add_private_uses(&secret, k);
    if (k->type == CKK_AES) {
        add(&secret, CKA_VALUE_LEN, &len, sizeof len);
        must(t->fl->C_GenerateKey(t->session, &m, secret.a, secret.n, &object), "C_GenerateKey");
        return;
    }
    if (RAND_bytes(value, sizeof value) != 1)
        stop("RAND_bytes", "no random bytes");
    add(&secret, CKA_CLASS, &cls, sizeof cls);
    add(&secret, CKA_KEY_TYPE, &type, sizeof type);
    add(&secret, CKA_VALUE, value, sizeof value);
    must(t->fl->C_CreateObject(t->session, secret.a, secret.n, &object), "C_CreateObject");
}

static void make(const struct token *t, const char *name, const struct chsm_bytes *id, const char *label)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!chsm_streq(kinds[i].name, name))
            continue;
        if (kinds[i].cls == CKO_SECRET_KEY)
            make_secret(t, &kinds[i], id, label);
        else
            make_pair(t, &kinds[i], id, label);
        return;
    }
    stop("no such kind", name);
}

/* The objects of a class ("all" = of any) with this ID. A search that finds nothing ends the program: nothing would be tested. */
static CK_ULONG find(const struct token *t, const char *name, const struct chsm_bytes *id, CK_OBJECT_HANDLE *ret)
{
    static const struct {
        const char *name;
        CK_OBJECT_CLASS cls;
    } classes[] = { { "private", CKO_PRIVATE_KEY }, { "public", CKO_PUBLIC_KEY }, { "secret", CKO_SECRET_KEY } };
    CK_ULONG total = 0, n;

    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        CK_OBJECT_CLASS cls = classes[i].cls;
        CK_ATTRIBUTE a[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_ID, id->p, id->len } };

        if (!chsm_streq(name, "all") && !chsm_streq(name, classes[i].name))
            continue;
        must(t->fl->C_FindObjectsInit(t->session, a, ARRAY_LEN(a)), "C_FindObjectsInit");
        must(t->fl->C_FindObjects(t->session, ret + total, FOUND_MAX - total, &n), "C_FindObjects");
        must(t->fl->C_FindObjectsFinal(t->session), "C_FindObjectsFinal");
        total += n;
    }
    if (total == 0)
        stop("no such object", name);
    return total;
}

static void destroy(const struct token *t, const char *cls, const struct chsm_bytes *id)
{
    CK_OBJECT_HANDLE objects[FOUND_MAX];
    CK_ULONG n = find(t, cls, id, objects);

    for (CK_ULONG i = 0; i < n; i++)
        must(t->fl->C_DestroyObject(t->session, objects[i]), "C_DestroyObject");
}

static void relabel(const struct token *t, const char *cls, const struct chsm_bytes *id, const char *label)
{
    CK_ATTRIBUTE a = { CKA_LABEL, (void *)(uintptr_t)label, strlen(label) };
    CK_OBJECT_HANDLE objects[FOUND_MAX];
    CK_ULONG n = find(t, cls, id, objects);

    for (CK_ULONG i = 0; i < n; i++)
        must(t->fl->C_SetAttributeValue(t->session, objects[i], &a, 1), "C_SetAttributeValue");
}

/* dlopen() and not p11-kit: p11-kit refuses its proxy. */
static CK_FUNCTION_LIST *load(const char *path, char *init)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)(uintptr_t)dlsym(library, "C_GetFunctionList") : NULL;
    /* NSS knows one more member after the last. */
    struct {
        CK_C_INITIALIZE_ARGS standard;
        void *beyond;
    } args = { .standard = { .flags = CKF_OS_LOCKING_OK, .pReserved = *init ? init : NULL } };
    CK_FUNCTION_LIST *fl = NULL;

    if (!get || get(&fl) != CKR_OK)
        stop(path, "cannot be loaded");
    must(fl->C_Initialize(&args), "C_Initialize");
    return fl;
}

static CK_SLOT_ID slot_of(CK_FUNCTION_LIST *fl, const char *label)
{
    CK_SLOT_ID slots[64];
    CK_ULONG n = ARRAY_LEN(slots);

    must(fl->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
    for (CK_ULONG i = 0; i < n; i++) {
        CK_TOKEN_INFO info;
        size_t len = strlen(label);

        must(fl->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
        if (len < sizeof info.label && memcmp(info.label, label, len) == 0 && info.label[len] == ' ')
            return slots[i];
    }
    stop("no such token", label);
}

static struct token log_in(char **argv)
{
    struct token t = { .fl = load(argv[1], argv[2]) };
    AUTO_SECRET struct chsm_secret pin = { 0 };
    AUTO_FREE char *source = chsm_strf("file:%s", argv[4]);
    struct chsm_err err = { 0 };

    if (!source || chsm_secret_read(source, "PIN", &pin, &err) < 0)
        stop(argv[4], err.text);
    must(t.fl->C_OpenSession(slot_of(t.fl, argv[3]), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &t.session), "C_OpenSession");
    must(t.fl->C_Login(t.session, CKU_USER, (CK_UTF8CHAR *)pin.p, pin.len), "C_Login");
    return t;
}

/* One action; its number of words. */
static int act(const struct token *t, int n, char **word)
{
    struct chsm_bytes id = { 0 };
    int used = n >= 3 && chsm_streq(word[0], "destroy") ? 3 : n >= 4 ? 4 : 0;

    if (!used || chsm_unhex(word[2], &id, NULL) < 0)
        stop("no action", word[0]);
    if (used == 3)
        destroy(t, word[1], &id);
    else if (chsm_streq(word[0], "make"))
        make(t, word[1], &id, word[3]);
    else if (chsm_streq(word[0], "relabel"))
        relabel(t, word[1], &id, word[3]);
    else
        stop("no action", word[0]);
    chsm_bytes_done(&id);
    return used;
}

int main(int argc, char **argv)
{
    struct token t;

    if (argc < 5)
        stop("usage", "token_keys MODULE INIT TOKEN PINFILE ACTION...");
    t = log_in(argv);
    for (int at = 5; at < argc;)
        at += act(&t, argc - at, argv + at);
    must(t.fl->C_Finalize(NULL), "C_Finalize");
    return 0;
}
