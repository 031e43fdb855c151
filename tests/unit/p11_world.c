/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "p11_world.h"
#include "util/path.h"

const unsigned char world_p256[10] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
const unsigned char world_p384[7] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };
const unsigned char world_p521[7] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 };

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

#define OK(call) assert_int_equal((call), CKR_OK)

static void init_token(struct world *w)
{
    CK_UTF8CHAR label[32];
    CK_SLOT_ID slots[8];
    CK_ULONG n = ARRAY_LEN(slots);

    memset(label, ' ', sizeof label);
    memcpy(label, WORLD_LABEL, strlen(WORLD_LABEL));
    w->fl = p11_kit_module_load(SOFTHSM_MODULE, 0);
    assert_non_null(w->fl);
    OK(p11_kit_module_initialize(w->fl));
    OK(w->fl->C_GetSlotList(CK_TRUE, slots, &n));
    OK(w->fl->C_InitToken(slots[0], (CK_UTF8CHAR *)(uintptr_t)WORLD_SO_PIN, strlen(WORLD_SO_PIN), label));
    n = ARRAY_LEN(slots);
    OK(w->fl->C_GetSlotList(CK_TRUE, slots, &n));
    OK(w->fl->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &w->session));
    OK(w->fl->C_Login(w->session, CKU_SO, (CK_UTF8CHAR *)(uintptr_t)WORLD_SO_PIN, strlen(WORLD_SO_PIN)));
    OK(w->fl->C_InitPIN(w->session, (CK_UTF8CHAR *)(uintptr_t)WORLD_PIN, strlen(WORLD_PIN)));
    world_leave(w);
}

bool world_make(struct world *w)
{
    AUTO_FREE char *conf = NULL;
    AUTO_FREE char *tokens = NULL;
    AUTO_FREE char *path = NULL;

    *w = (struct world){ .dir = "/tmp/chsm-p11-XXXXXX" };
    if (access(SOFTHSM_MODULE, R_OK) != 0)
        return false;
    assert_non_null(mkdtemp(w->dir));
    tokens = chsm_path_join(w->dir, "tokens");
    path = chsm_path_join(w->dir, "softhsm2.conf");
    conf = chsm_strf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n", tokens);
    assert_int_equal(chsm_dir_make(tokens, 0700, NULL), 0);
    assert_int_equal(chsm_file_write(path, conf, strlen(conf), 0600, NULL), 0);
    (void)snprintf(w->conf_env, sizeof w->conf_env, "SOFTHSM2_CONF=%s", path);
    w->env[0] = w->conf_env;
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    init_token(w);
    return true;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

void world_remove(struct world *w)
{
    chsm_hsm_settle();
    (void)nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void world_enter(struct world *w)
{
    CK_SLOT_ID slots[8];
    CK_ULONG n = ARRAY_LEN(slots);

    chsm_hsm_settle();
    w->fl = p11_kit_module_load(SOFTHSM_MODULE, 0);
    assert_non_null(w->fl);
    OK(p11_kit_module_initialize(w->fl));
    OK(w->fl->C_GetSlotList(CK_TRUE, slots, &n));
    OK(w->fl->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &w->session));
    OK(w->fl->C_Login(w->session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)WORLD_PIN, strlen(WORLD_PIN)));
}

void world_leave(struct world *w)
{
    (void)w->fl->C_CloseSession(w->session);
    OK(p11_kit_module_finalize(w->fl));
    p11_kit_module_release(w->fl);
    w->fl = NULL;
}

void world_apart(struct world *w, void (*make)(struct world *w))
{
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        world_enter(w);
        make(w);
        world_leave(w);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static CK_BBOOL *flag(const char *usage, char c)
{
    return strchr(usage, c) ? &yes : &no;
}

/* What all pairs have, and up to two more attributes of each half; those with length 0 are left out. */
struct pair {
    CK_MECHANISM_TYPE mechanism;
    CK_ATTRIBUTE pub[2];
    CK_ATTRIBUTE priv;
};

static CK_ULONG filled(CK_ATTRIBUTE *t, CK_ULONG n)
{
    CK_ULONG kept = 0;

    for (CK_ULONG i = 0; i < n; i++)
        if (t[i].ulValueLen > 0 || t[i].type == CKA_ID || t[i].type == CKA_LABEL)
            t[kept++] = t[i];
    return kept;
}

static void pair(struct world *w, const struct pair *p, const char *id, const char *label, const char *usage)
{
    CK_MECHANISM m = { p->mechanism, NULL, 0 };
    void *idp = (void *)(uintptr_t)id, *labelp = (void *)(uintptr_t)label;
    CK_ATTRIBUTE pub[] = { { CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &no, 1 }, { CKA_ID, idp, strlen(id) },
                           { CKA_LABEL, labelp, strlen(label) }, { CKA_VERIFY, flag(usage, 's'), 1 },
                           { CKA_ENCRYPT, flag(usage, 'd'), 1 }, { CKA_WRAP, flag(usage, 'u'), 1 }, p->pub[0], p->pub[1] };
    CK_ATTRIBUTE priv[] = { { CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_SENSITIVE, &yes, 1 },
                            { CKA_ID, idp, strlen(id) }, { CKA_LABEL, labelp, strlen(label) },
                            { CKA_SIGN, flag(usage, 's'), 1 }, { CKA_DECRYPT, flag(usage, 'd'), 1 },
                            { CKA_DERIVE, flag(usage, 'x'), 1 }, { CKA_UNWRAP, flag(usage, 'u'), 1 },
                            p->priv, { CKA_ALWAYS_AUTHENTICATE, &yes, strchr(usage, 'a') ? 1 : 0 } };
    CK_OBJECT_HANDLE a, b;

    OK(w->fl->C_GenerateKeyPair(w->session, &m, pub, filled(pub, ARRAY_LEN(pub)), priv, filled(priv, ARRAY_LEN(priv)), &a, &b));
}

static void rsa(struct world *w, const char *id, const char *label, const char *usage, CK_ATTRIBUTE priv)
{
    CK_ULONG bits = 2048;
    CK_BYTE e[] = { 1, 0, 1 };
    struct pair p = { CKM_RSA_PKCS_KEY_PAIR_GEN, { { CKA_MODULUS_BITS, &bits, sizeof bits }, { CKA_PUBLIC_EXPONENT, e, sizeof e } }, priv };

    pair(w, &p, id, label, usage);
}

void world_rsa(struct world *w, const char *id, const char *label, const char *usage)
{
    rsa(w, id, label, usage, (CK_ATTRIBUTE){ 0 });
}

void world_rsa_only(struct world *w, const char *label, const char *usage, CK_MECHANISM_TYPE mechanism)
{
    rsa(w, label, label, usage, (CK_ATTRIBUTE){ CKA_ALLOWED_MECHANISMS, &mechanism, sizeof mechanism });
}

static void curve(struct world *w, CK_MECHANISM_TYPE mechanism, const void *params, size_t n, const char *id, const char *label, const char *usage)
{
    struct pair p = { mechanism, { { CKA_EC_PARAMS, (void *)(uintptr_t)params, n }, { 0 } }, { 0 } };

    pair(w, &p, id, label, usage);
}

void world_ec(struct world *w, const void *oid, size_t n, const char *id, const char *label, const char *usage)
{
    curve(w, CKM_EC_KEY_PAIR_GEN, oid, n, id, label, usage);
}

void world_ec_by(struct world *w, CK_MECHANISM_TYPE mechanism, const void *params, size_t n, const char *label, const char *usage)
{
    curve(w, mechanism, params, n, label, label, usage);
}

static void secret(struct world *w, CK_KEY_TYPE type, const void *value, size_t n, const char *id, const char *label, const char *usage)
{
    CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
    CK_ATTRIBUTE t[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_KEY_TYPE, &type, sizeof type }, { CKA_TOKEN, &yes, 1 },
                         { CKA_PRIVATE, &yes, 1 }, { CKA_VALUE, (void *)(uintptr_t)value, n },
                         { CKA_ID, (void *)(uintptr_t)id, strlen(id) }, { CKA_LABEL, (void *)(uintptr_t)label, strlen(label) },
                         { CKA_ENCRYPT, flag(usage, 'e'), 1 }, { CKA_DECRYPT, flag(usage, 'd'), 1 }, { CKA_SIGN, flag(usage, 's'), 1 },
                         { CKA_VERIFY, flag(usage, 's'), 1 }, { CKA_WRAP, flag(usage, 'w'), 1 }, { CKA_UNWRAP, flag(usage, 'u'), 1 },
                         { CKA_DERIVE, flag(usage, 'x'), 1 } };
    CK_OBJECT_HANDLE h;

    OK(w->fl->C_CreateObject(w->session, t, ARRAY_LEN(t), &h));
}

void world_secret(struct world *w, CK_KEY_TYPE type, const void *value, size_t n, const char *id, const char *label)
{
    secret(w, type, value, n, id, label, type == CKK_AES ? "ed" : "s");
}

void world_secret_for(struct world *w, CK_KEY_TYPE type, const void *value, size_t n, const char *label, const char *usage)
{
    secret(w, type, value, n, label, label, usage);
}

void world_certificate(struct world *w, const void *der, size_t n, const char *id, const char *label)
{
    CK_OBJECT_CLASS cls = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_ATTRIBUTE t[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_CERTIFICATE_TYPE, &type, sizeof type },
                         { CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &no, 1 }, { CKA_VALUE, (void *)(uintptr_t)der, n },
                         { CKA_SUBJECT, (void *)(uintptr_t)"\x30\x00", 2 }, { CKA_ID, (void *)(uintptr_t)id, strlen(id) },
                         { CKA_LABEL, (void *)(uintptr_t)label, strlen(label) } };
    CK_OBJECT_HANDLE h;

    OK(w->fl->C_CreateObject(w->session, t, ARRAY_LEN(t), &h));
}

unsigned world_count(struct world *w)
{
    CK_OBJECT_HANDLE h[16];
    CK_ULONG n = 0;
    unsigned total = 0;

    OK(w->fl->C_FindObjectsInit(w->session, NULL, 0));
    do {
        OK(w->fl->C_FindObjects(w->session, h, ARRAY_LEN(h), &n));
        total += (unsigned)n;
    } while (n > 0);
    OK(w->fl->C_FindObjectsFinal(w->session));
    return total;
}

struct chsm_hsm_target world_target(struct world *w)
{
    return (struct chsm_hsm_target){ .module = SOFTHSM_MODULE, .env = w->env, .token_label = WORLD_LABEL, .timeout = 60000 };
}

struct chsm_secret world_pin(void)
{
    struct chsm_secret s = { 0 };

    assert_int_equal(chsm_secret_set(&s, WORLD_PIN, strlen(WORLD_PIN), NULL), 0);
    return s;
}

struct chsm_hsm *world_open(struct world *w)
{
    struct chsm_hsm_target t = world_target(w);
    AUTO_SECRET struct chsm_secret pin = world_pin();
    struct chsm_hsm *h = NULL;
    struct chsm_err e = { 0 };

    assert_ok(chsm_hsm_open(&t, &pin, &h, &e), e);
    return h;
}

struct chsm_section world_list(struct chsm_hsm *h)
{
    struct chsm_section s = { 0 };
    struct chsm_err e = { 0 };

    assert_ok(chsm_hsm_list(h, "cu1", &s, &e), e);
    return s;
}

const struct chsm_record *world_find(const struct chsm_section *s, unsigned long cls, const char *label)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->records[i].cls == cls && s->records[i].label.len == strlen(label) &&
            memcmp(s->records[i].label.p, label, strlen(label)) == 0)
            return &s->records[i];
    fail_msg("no record with label %s", label);
    return NULL;
}
