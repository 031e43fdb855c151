/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/record.h"
#include "pkcs11/session.h"
#include "util/buf.h"

#define SLOTS_MAX 4096u

/* A fixed field of PKCS#11: padded with blanks, not NUL-terminated, any bytes. malloc()ed, NULL when out of memory. */
static char *field(const unsigned char *p, size_t n)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\0'))
        n--;
    return chsm_bytes_text(&(struct chsm_bytes){ (unsigned char *)(uintptr_t)p, n });
}

static bool label_is(const CK_TOKEN_INFO *info, const char *label)
{
    size_t n = sizeof info->label;

    while (n > 0 && (info->label[n - 1] == ' ' || info->label[n - 1] == '\0'))
        n--;
    return strlen(label) == n && memcmp(info->label, label, n) == 0;
}

static int slot_list(struct chsm_session *s, CK_SLOT_ID **ret, CK_ULONG *ret_n, struct chsm_err *err)
{
    CK_RV rv = CKR_BUFFER_TOO_SMALL;

    /* Slots may come between the two calls. */
    for (int i = 0; i < 4 && rv == CKR_BUFFER_TOO_SMALL; i++) {
        AUTO_FREE CK_SLOT_ID *slots = NULL;
        CK_ULONG n = 0, room;

        rv = CHSM_CK(&s->ck, C_GetSlotList, CK_TRUE, NULL, &n);
        if (rv != CKR_OK)
            break;
        if (n > SLOTS_MAX)
            return chsm_fail(err, CHSM_PKCS11, "C_GetSlotList: %lu slots are too many", n);
        room = n;
        slots = calloc(room + 1, sizeof *slots);
        if (!slots)
            return chsm_oom(err);
        if (n > 0)
            rv = CHSM_CK(&s->ck, C_GetSlotList, CK_TRUE, slots, &n);
        if (rv == CKR_OK && n > room)
            return chsm_fail(err, CHSM_PKCS11, "C_GetSlotList: more slots than there was room for");
        if (rv == CKR_OK) {
            *ret_n = n;
            *ret = TAKE(slots);
        }
    }
    return rv == CKR_OK ? 0 : chsm_ck_fail(err, "C_GetSlotList", rv);
}

/* What the tokens looked like, while one is chosen. */
struct choosing {
    const struct chsm_token_choice *choice;
    struct chsm_buf seen;       /* "slot 5 \"cu1\", ..." for messages */
    unsigned fitting;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
};

static int look_at(struct chsm_session *s, CK_SLOT_ID slot, struct choosing *c, struct chsm_err *err)
{
    CK_TOKEN_INFO info = { 0 };
    CK_RV rv = CHSM_CK(&s->ck, C_GetTokenInfo, slot, &info);
    bool here = c->choice->slot_given && slot == c->choice->slot;
    AUTO_FREE char *label = NULL;
    bool ready;

    if (rv != CKR_OK && here)
        return chsm_ck_fail(err, "C_GetTokenInfo", rv);
    if (rv != CKR_OK)
        return 0;
    ready = info.flags & CKF_TOKEN_INITIALIZED;
    label = field(info.label, sizeof info.label);
    if (!label)
        return chsm_oom(err);
    if (chsm_buf_addf(&c->seen, err, "%sslot %lu \"%s\"%s", c->seen.len > 0 ? ", " : "", slot, label,
                      ready ? "" : " (not initialised)") < 0)
        return -1;
    if ((c->choice->slot_given && !here) || (c->choice->label && !label_is(&info, c->choice->label)) || !ready)
        return 0;
    c->fitting++;
    c->slot = slot;
    c->info = info;
    return 0;
}

static int choose(struct chsm_session *s, struct choosing *c, struct chsm_err *err)
{
    AUTO_FREE CK_SLOT_ID *slots = NULL;
    CK_ULONG n = 0;
    const char *seen;

    if (slot_list(s, &slots, &n, err) < 0)
        return -1;
    for (CK_ULONG i = 0; i < n; i++)
        if (look_at(s, slots[i], c, err) < 0)
            return -1;
    seen = c->seen.len > 0 ? chsm_buf_str(&c->seen) : "no slot with a token";
    if (c->fitting == 1)
        return 0;
    if (c->fitting == 0 && c->choice->slot_given)
        (void)chsm_fail(err, CHSM_PKCS11, "slot %lu has no fitting initialised token", c->choice->slot);
    else if (c->fitting == 0 && c->choice->label)
        (void)chsm_fail(err, CHSM_PKCS11, "no initialised token is labelled \"%s\"", c->choice->label);
    else if (c->fitting == 0)
        (void)chsm_fail(err, CHSM_PKCS11, "the module shows no initialised token");
    else
        (void)chsm_fail(err, CHSM_PKCS11, "%u tokens fit; name one by its label or slot", c->fitting);
    return chsm_err_hint(err, "the module shows: %s", seen);
}

static json_t *describe(CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
    AUTO_FREE char *label = field(info->label, sizeof info->label);
    AUTO_FREE char *maker = field(info->manufacturerID, sizeof info->manufacturerID);
    AUTO_FREE char *model = field(info->model, sizeof info->model);
    AUTO_FREE char *serial = field(info->serialNumber, sizeof info->serialNumber);
    AUTO_FREE char *firmware = chsm_strf("%u.%u", info->firmwareVersion.major, info->firmwareVersion.minor);
    AUTO_FREE char *number = chsm_strf("%lu", slot);

    if (!label || !maker || !model || !serial || !firmware || !number)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "label", label, "manufacturer", maker, "model", model, "serial",
                     serial, "firmware", firmware, "slot", number);
}

/* Read-only first: nothing here writes. AWS's library of the same family refuses that (facts: cloudhsm-client.md §6). */
static int open_main(struct chsm_session *s, struct chsm_err *err)
{
    CK_RV rv;

    s->open_flags = CKF_SERIAL_SESSION;
    rv = CHSM_CK(&s->ck, C_OpenSession, s->slot, s->open_flags, NULL, NULL, &s->main);
    if (rv != CKR_OK) {
        s->open_flags |= CKF_RW_SESSION;
        rv = CHSM_CK(&s->ck, C_OpenSession, s->slot, s->open_flags, NULL, NULL, &s->main);
    }
    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_OpenSession", rv);
    return 0;
}

int chsm_session_open(struct chsm_session *s, const struct chsm_token_choice *choice, json_t **ret_token, struct chsm_err *err)
{
    struct choosing c = { .choice = choice, .seen = CHSM_BUF(1u << 20) };
    int rc = choose(s, &c, err);

    chsm_buf_done(&c.seen);
    if (rc < 0)
        return -1;
    s->slot = c.slot;
    s->private_hidden = c.info.flags & CKF_LOGIN_REQUIRED;
    /* Some modules claim -2: no number to believe (facts: pkcs11-stack.md §5). */
    s->sessions_max = c.info.ulMaxSessionCount < 1u << 20 ? c.info.ulMaxSessionCount : 0;
    if (open_main(s, err) < 0)
        return -1;
    *ret_token = describe(s->slot, &c.info);
    return *ret_token ? 0 : chsm_oom(err);
}

static int login_fail(CK_RV rv, struct chsm_err *err)
{
    (void)chsm_ck_fail(err, "C_Login", rv);
    if (rv == CKR_USER_ALREADY_LOGGED_IN || rv == CKR_USER_ANOTHER_ALREADY_LOGGED_IN)
        return chsm_err_hint(err, "another program on this host shares its login with this one, perhaps as another user: end it");
    if (rv == CKR_PIN_EXPIRED || rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID)
        return chsm_err_hint(err, "the PIN is not tried again, for failures are counted; a Cloud HSM wants user:password");
    return -1;
}

int chsm_session_login(struct chsm_session *s, const struct chsm_secret *pin, struct chsm_err *err)
{
    CK_TOKEN_INFO info = { 0 };
    CK_RV rv = CHSM_CK(&s->ck, C_GetTokenInfo, s->slot, &info);

    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_GetTokenInfo", rv);
    if (info.flags & CKF_USER_PIN_LOCKED)
        return chsm_fail(err, CHSM_PKCS11, "the token says that the user's PIN is locked");
    if (info.flags & CKF_USER_PIN_FINAL_TRY) {
        (void)chsm_fail(err, CHSM_REFUSED, "one more wrong PIN would lock the user: no login is tried");
        return chsm_err_hint(err, "log in once by hand with the right PIN, then run this again");
    }
    if (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)
        rv = CHSM_CK(&s->ck, C_Login, s->main, CKU_USER, NULL, 0);
    else
        rv = CHSM_CK(&s->ck, C_Login, s->main, CKU_USER, (CK_UTF8CHAR *)pin->p, pin->len);
    if (rv != CKR_OK)
        return login_fail(rv, err);
    s->login = true;
    s->private_hidden = false;
    /* At a PIN pad somebody would have to type it for each use of such a key. */
    return info.flags & CKF_PROTECTED_AUTHENTICATION_PATH ? 0 : chsm_secret_set(&s->pin, pin->p, pin->len, err);
}

CK_RV chsm_session_context_login(struct chsm_session *s, CK_SESSION_HANDLE session)
{
    CK_RV rv;

    if (!s->login || !s->pin.p || s->context_refused)
        return CKR_USER_NOT_LOGGED_IN;
    rv = CHSM_CK(&s->ck, C_Login, session, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR *)s->pin.p, s->pin.len);
    s->context_refused = rv != CKR_OK;
    return rv;
}

int chsm_session_check(struct chsm_session *s, struct chsm_err *err)
{
    CK_SESSION_INFO info = { 0 };
    CK_RV rv;

    if (s->helper)
        (void)chsm_session_for_proofs(s);
    rv = CHSM_CK(&s->ck, C_GetSessionInfo, s->main, &info);
    if (rv != CKR_OK)
        return chsm_ck_fail(err, "the session is lost: C_GetSessionInfo", rv);
    if (s->login && info.state != CKS_RO_USER_FUNCTIONS && info.state != CKS_RW_USER_FUNCTIONS)
        return chsm_fail(err, CHSM_PKCS11, "the token has ended the login by itself");
    return 0;
}

CK_SESSION_HANDLE chsm_session_for_proofs(struct chsm_session *s)
{
    CK_SESSION_HANDLE *mine = s->helper ? &s->main : &s->proofs;

    if (*mine == CK_INVALID_HANDLE && CHSM_CK(&s->ck, C_OpenSession, s->slot, s->open_flags, NULL, NULL, mine) != CKR_OK)
        *mine = CK_INVALID_HANDLE;
    return *mine != CK_INVALID_HANDLE ? *mine : s->main;
}

void chsm_session_reset_proofs(struct chsm_session *s)
{
    CK_SESSION_HANDLE *mine = s->helper ? &s->main : &s->proofs;

    if (*mine != CK_INVALID_HANDLE)
        (void)CHSM_CK(&s->ck, C_CloseSession, *mine);
    *mine = CK_INVALID_HANDLE;
}

void chsm_session_close(struct chsm_session *s)
{
    chsm_session_reset_proofs(s);
    if (s->helper)
        return;
    if (s->login)
        (void)CHSM_CK(&s->ck, C_Logout, s->main);
    if (s->main != CK_INVALID_HANDLE)
        (void)CHSM_CK(&s->ck, C_CloseSession, s->main);
    s->main = CK_INVALID_HANDLE;
    s->login = false;
    chsm_secret_done(&s->pin);
}
