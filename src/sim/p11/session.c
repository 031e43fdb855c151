/* SPDX-License-Identifier: Apache-2.0 */
/* Session management (PKCS#11 v2.40 §5.6). */
#include "config.h"

#include "sim/keystore_users.h"
#include "sim/p11/gate.h"
#include "sim/p11/state.h"
#include "util/json.h"
#include "util/json.h"

/* Quirk already-logged-in: the daemon shares logins between the processes of a host, and another one has logged in. */
static void inherit_login(void)
{
    const char *wanted = sim_quirks()->inherited;
    struct sim_state *state = sim_state();
    size_t i;

    for (i = 0; i < state->n && state->me == SIM_NOBODY; i++)
        if (!*wanted || chsm_streq(wanted, state->tokens[i].name))
            (void)sim_state_login(i);
}

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *ret)
{
    struct sim_session *session;
    CK_RV rv;

    (void)application;
    (void)notify;
    ENTER(C_OpenSession);
    if (!ret)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (slot != SIM_SLOT)
        return sim_leave(CKR_SLOT_ID_INVALID);
    if (!(flags & CKF_SERIAL_SESSION))
        return sim_leave(CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    if (sim_quirks()->ro_refused && !(flags & CKF_RW_SESSION))
        return sim_leave(CKR_FUNCTION_FAILED);
    rv = sim_session_open(flags, &session);
    if (rv != CKR_OK)
        return sim_leave(rv);
    if (sim_quirks()->already_logged_in)
        inherit_login();
    *ret = session->handle;
    return sim_leave(CKR_OK);
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle)
{
    struct sim_session *session;

    ENTER(C_CloseSession);
    session = sim_session_find(handle);
    if (!session)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    sim_session_close(session);
    return sim_leave(CKR_OK);
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
    ENTER(C_CloseAllSessions);
    if (slot != SIM_SLOT)
        return sim_leave(CKR_SLOT_ID_INVALID);
    while (sim_state()->sessions)
        sim_session_close(sim_state()->sessions);
    return sim_leave(CKR_OK);
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info)
{
    const struct sim_session *session;
    bool in, rw;

    ENTER(C_GetSessionInfo);
    session = sim_session_find(handle);
    if (!session)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!info)
        return sim_leave(CKR_ARGUMENTS_BAD);
    in = sim_state()->me != SIM_NOBODY;
    rw = (session->flags & CKF_RW_SESSION) != 0;
    memset(info, 0, sizeof *info);
    info->slotID = SIM_SLOT;
    info->flags = session->flags;
    if (rw)
        info->state = in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION;
    else
        info->state = in ? CKS_RO_USER_FUNCTIONS : CKS_RO_PUBLIC_SESSION;
    return sim_leave(CKR_OK);
}

/* "user:password", split at the first colon; SIM_NOBODY when there is no such user or it is the wrong password. */
static size_t who_is(const char *pin, size_t n)
{
    const struct sim_state *state = sim_state();
    const char *colon = pin ? memchr(pin, ':', n) : NULL;
    const json_t *user;
    size_t i, name_len;

    if (!colon)
        return SIM_NOBODY;
    name_len = (size_t)(colon - pin);
    user = sim_users_find(state->users, pin, name_len);
    if (!user || !sim_user_password_ok(user, colon + 1, n - name_len - 1))
        return SIM_NOBODY;
    for (i = 0; i < state->n && json_array_get(state->users, i) != user; i++)
        ;
    return i < state->n ? i : SIM_NOBODY;
}

/* For the operation that is waiting for it, on whichever token that runs; the PIN is the user's, as at the first login. */
static CK_RV login_again(struct sim_session *session, size_t who)
{
    const struct sim_state *state = sim_state();
    CK_RV rv = CKR_OPERATION_NOT_INITIALIZED;

    if (state->me == SIM_NOBODY)
        return CKR_USER_NOT_LOGGED_IN;
    if (who != state->me)
        return sim_quirks()->bad_login;
    for (int op = 0; op < SIM_OP_COUNT && rv == CKR_OPERATION_NOT_INITIALIZED; op++) {
        size_t token = session->op_token[op];
        const char *pin = token == SIM_NOBODY ? NULL : chsm_json_str(json_array_get(state->users, token), "pin");
        CK_SESSION_HANDLE inner;

        if (pin && sim_session_inner(session, token, &inner) == CKR_OK)
            rv = state->fl->C_Login(inner, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR *)pin, strlen(pin));
    }
    if (session->wants_context)
        rv = CKR_OK;        /* the quirk's key is none of SoftHSM's that ask */
    session->wants_context = false;
    return rv;
}

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    size_t who;

    ENTER(C_Login);
    if (!sim_session_find(handle))
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (type == CKU_CONTEXT_SPECIFIC)
        return sim_leave(login_again(sim_session_find(handle), who_is((const char *)pin, pin_len)));
    if (type != CKU_USER)
        return sim_leave(CKR_USER_TYPE_INVALID);
    if (sim_quirks()->already_logged_in || sim_state()->me != SIM_NOBODY)
        return sim_leave(CKR_USER_ALREADY_LOGGED_IN);
    who = who_is((const char *)pin, pin_len);
    if (who == SIM_NOBODY) {
        sim_noise(true, "C_Login failed with error code : 0x%lx\n", sim_quirks()->bad_login);
        return sim_leave(sim_quirks()->bad_login);
    }
    return sim_leave(sim_state_login(who));
}

CK_RV C_Logout(CK_SESSION_HANDLE handle)
{
    ENTER(C_Logout);
    if (!sim_session_find(handle))
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (sim_state()->me == SIM_NOBODY)
        return sim_leave(CKR_USER_NOT_LOGGED_IN);
    sim_state_logout();
    return sim_leave(CKR_OK);
}
