/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/choose.h"
#include "util/safety.h"

#define REOPEN_TRIES 5u             /* after 0.1, 0.2, ... 1.6 s */

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
    CK_TOKEN_INFO info;
    json_t *token = NULL;

    if (chsm_choose(s, choice, &info, &token, err) < 0)
        return -1;
    s->token = info;
    s->private_hidden = info.flags & CKF_LOGIN_REQUIRED;
    s->accept_shared_login = choice->accept_shared_login;
    /* Some modules claim -2: no number to believe (facts: pkcs11-stack.md §5). */
    s->sessions_max = info.ulMaxSessionCount < 1u << 20 ? info.ulMaxSessionCount : 0;
    if (open_main(s, err) < 0) {
        json_decref(token);
        return -1;
    }
    *ret_token = token;
    return 0;
}

static int login_fail(CK_RV rv, struct chsm_err *err)
{
    (void)chsm_ck_fail(err, "C_Login", rv);
    if (rv == CKR_USER_ALREADY_LOGGED_IN || rv == CKR_USER_ANOTHER_ALREADY_LOGGED_IN)
        return chsm_err_hint(err, "another program on this host shares its login with this one, perhaps as another user: end it, or say "
                             "--accept-shared-login if it does not matter whose keys are seen");
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
        return chsm_refuse(err, CHSM_RULE_PIN_LOCKED, "so says the token");
    if (info.flags & CKF_USER_PIN_FINAL_TRY) {
        (void)chsm_refuse(err, CHSM_RULE_PIN_FINAL_TRY, "so says the token");
        return chsm_err_hint(err, "log in once by hand with the right PIN, then run this again");
    }
    if (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)
        rv = CHSM_CK(&s->ck, C_Login, s->main, CKU_USER, NULL, 0);
    else
        rv = CHSM_CK(&s->ck, C_Login, s->main, CKU_USER, (CK_UTF8CHAR *)pin->p, pin->len);
    if (rv == CKR_USER_ALREADY_LOGGED_IN && s->accept_shared_login) {
        /* Our PIN was not looked at: it may be another user's login, and it is nothing to log in again with. */
        s->shared_login = true;
        s->login = true;
        s->private_hidden = false;
        return 0;
    }
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

static bool same_token(const CK_TOKEN_INFO *a, const CK_TOKEN_INFO *b)
{
    return memcmp(a->serialNumber, b->serialNumber, sizeof a->serialNumber) == 0 && memcmp(a->label, b->label, sizeof a->label) == 0 &&
           memcmp(a->manufacturerID, b->manufacturerID, sizeof a->manufacturerID) == 0;
}

/* Waits until the slot shows the token again. */
static int await_token(struct chsm_session *s, int (*tick)(void *ctx, struct chsm_err *err), void *ctx, struct chsm_err *err)
{
    CK_TOKEN_INFO info = { 0 };
    CK_RV rv;

    for (unsigned i = 0;; i++) {
        rv = CHSM_CK(&s->ck, C_GetTokenInfo, s->slot, &info);
        if (rv == CKR_OK && same_token(&info, &s->token))
            return 0;
        if (i == REOPEN_TRIES)
            break;
        (void)usleep(100000u << i);
        if (tick(ctx, err) < 0)
            return -1;
    }
    return rv != CKR_OK ? chsm_ck_fail(err, "C_GetTokenInfo", rv) : chsm_fail(err, CHSM_PKCS11, "the slot shows another token now");
}

static int log_in_again(struct chsm_session *s, struct chsm_err *err)
{
    AUTO_SECRET struct chsm_secret pin = { 0 };
    CK_SESSION_INFO info = { 0 };
    CK_RV rv = CHSM_CK(&s->ck, C_GetSessionInfo, s->main, &info);

    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_GetSessionInfo", rv);
    /* Another session of ours may have kept the login. */
    if (!s->login || info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS)
        return 0;
    if (!s->pin.p)
        return chsm_fail(err, CHSM_PKCS11, "the login is lost, and cannot be repeated");
    if (chsm_secret_set(&pin, s->pin.p, s->pin.len, err) < 0)
        return -1;
    s->login = false;
    return chsm_session_login(s, &pin, err);
}

int chsm_session_reopen(struct chsm_session *s, int (*tick)(void *ctx, struct chsm_err *err), void *ctx, struct chsm_err *err)
{
    if (s->reopened == CHSM_REOPEN_MAX)
        return chsm_fail(err, CHSM_PKCS11, "the session was lost too often");
    s->reopened++;
    /* What may be left of the old ones; they are of no use any more. */
    (void)CHSM_CK(&s->ck, C_CloseSession, s->main);
    s->main = CK_INVALID_HANDLE;
    chsm_session_reset_proofs(s);
    if (await_token(s, tick, ctx, err) < 0 || open_main(s, err) < 0)
        return -1;
    return log_in_again(s, err);
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
    /* A login that was there before is not ours to end. */
    if (s->login && !s->shared_login)
        (void)CHSM_CK(&s->ck, C_Logout, s->main);
    if (s->main != CK_INVALID_HANDLE)
        (void)CHSM_CK(&s->ck, C_CloseSession, s->main);
    s->main = CK_INVALID_HANDLE;
    s->login = false;
    chsm_secret_done(&s->pin);
}
