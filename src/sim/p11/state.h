/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's state: one slot, the cluster's tokens behind it, who is logged in, and the application's sessions.
 * Everything here runs with the lock of gate.h held, for changes unless it says otherwise.
 */
#ifndef CHSM_SIM_P11_STATE_H
#define CHSM_SIM_P11_STATE_H

#include <jansson.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>

#include "sim/p11/handles.h"
#include "util/enc.h"

#define SIM_SLOT 1                      /* as the real library numbers its only slot */
#define SIM_NOBODY SIZE_MAX

struct sim_cu {                         /* a crypto user and its SoftHSM token */
    const char *name;                   /* borrowed from state.users */
    CK_SLOT_ID slot;                    /* SoftHSM's */
    CK_SESSION_HANDLE anchor;           /* open all the time: SoftHSM forgets login and handles with its last session */
    bool logged_in;
};

/* Kinds of operations that a session can have in progress, one of each. */
enum sim_op { SIM_OP_ENCRYPT, SIM_OP_DECRYPT, SIM_OP_DIGEST, SIM_OP_SIGN, SIM_OP_VERIFY, SIM_OP_COUNT };

struct sim_session {
    CK_SESSION_HANDLE handle;
    CK_FLAGS flags;
    pthread_mutex_t busy;               /* held by the call that uses it */
    CK_SESSION_HANDLE *inner;           /* one for each token, 0 = not opened yet */
    size_t op_token[SIM_OP_COUNT];      /* the token that works on it */
    CK_OBJECT_HANDLE *found;            /* result of the open search */
    size_t found_n;
    size_t found_at;
    bool searching;
    bool wants_context;                 /* quirk always-authenticate: C_Login(CKU_CONTEXT_SPECIFIC) has to come first */
    struct sim_session *next;
};

struct sim_state {
    CK_FUNCTION_LIST *fl;               /* SoftHSM; NULL = not initialised */
    json_t *users;
    json_t *shares;
    struct sim_overlay overlay;
    struct sim_cu *tokens;
    size_t n;
    size_t me;                          /* who is logged in; SIM_NOBODY */
    struct sim_session *sessions;
    CK_SESSION_HANDLE last_session;
    unsigned long searches_done;        /* quirk find-truncated */
    bool has_session_object;            /* quirk find-session-objects */
    bool one_has_vanished;              /* quirk find-vanishing has had its object */
    char serial[17];                    /* of the token that the application sees */
};

struct sim_state *sim_state(void);

/* Loads the cluster's users and tokens and starts SoftHSM on them. */
CHSM_MUST_CHECK int sim_state_open(const char *cluster, struct chsm_err *err);
void sim_state_close(void);

/* Logs the user in on its own token and on those that share something with it. */
CK_RV sim_state_login(size_t who);
void sim_state_logout(void);

/* The session, NULL when there is none. */
struct sim_session *sim_session_find(CK_SESSION_HANDLE handle);

/*
 * For calls that run beside others (SIM_USES): the session, for this call alone until sim_session_leave(), which gives it (if not
 * NULL) and the lock of gate.h back and passes its argument.
 */
struct sim_session *sim_session_hold(CK_SESSION_HANDLE handle);
CK_RV sim_session_leave(struct sim_session *session, CK_RV rv);

CK_RV sim_session_open(CK_FLAGS flags, struct sim_session **ret);
void sim_session_close(struct sim_session *session);

/* Quirk session-lost: all of them are closed at once, and nobody is logged in. */
void sim_state_forget_sessions(void);

/* SoftHSM's session on a token for that session; opened when needed. */
CK_RV sim_session_inner(struct sim_session *session, size_t token, CK_SESSION_HANDLE *ret);

/* SoftHSM's session on the user's own token; CKR_USER_NOT_LOGGED_IN before login. */
CK_RV sim_session_own(struct sim_session *session, CK_SESSION_HANDLE *ret);

/* An object as SoftHSM knows it. */
struct sim_object {
    size_t token;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object;
    CK_OBJECT_CLASS cls;
    CK_KEY_TYPE type;                   /* as in struct sim_handle */
    const struct sim_overlay_entry *overlay;
};

/* The object behind the application's handle; `bad` is what to say when there is none. For a held session SIM_USES will do. */
CK_RV sim_object_find(struct sim_session *session, CK_OBJECT_HANDLE seen, CK_RV bad, struct sim_object *ret);

/* Whether whoever is logged in may see the object: its own, those shared with it, and everybody's public keys. */
bool sim_object_visible(const struct sim_object *o);

/* Whether the mechanism is one that the client library has (no CMAC, no raw RSA, ...). */
bool sim_mechanism_known(CK_MECHANISM_TYPE type);

#endif
